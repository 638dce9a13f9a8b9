/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exemptions and flushes: what is asked on the connection that serves, and what comes of the
 * answers.  Once a second the generation and what is new in the stream; everything when the
 * generation is another one, on every new connection, and every ten minutes.  What the store lacks,
 * or has in an older form, is written again: the store forgets, hosts do not.
 */
#include "farm/farm_private.h"

#include "base/log.h"
#include "base/textbuf.h"
#include "site/exemption_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Everything is compared so often, whatever the stream said. */
#define WHOLE_MS 600000

/* When a line was of a time to come, or the store took nothing: again so soon. */
#define WHOLE_SOON_MS 30000

/* The stream is capped (about): what was missed is seen when everything is compared. */
#define STREAM_MAX "1000"

/* Entries of the stream in one answer, and what is written in one pipeline. */
#define CHANGES_MAX 256
#define WRITES_MAX  200

/* More lines than that are not announced in the stream, which would lose some: another generation
   has all hosts compare everything. */
#define ANNOUNCED_MAX 200

/* --- lists ----------------------------------------------------------------------------------- */

bool farm_list_add(struct farm_list *list, const char *text, int64_t made_s)
{
    size_t size = strlen(text) + 1;
    struct farm_item *item = malloc(sizeof *item + size);
    if (item == NULL)
        return false;
    item->made_s = made_s;
    memcpy(item->text, text, size);
    STAILQ_INSERT_TAIL(&list->items, item, link);
    list->count++;
    return true;
}

static void drop_first(struct farm_list *list)
{
    struct farm_item *item = STAILQ_FIRST(&list->items);
    STAILQ_REMOVE_HEAD(&list->items, link);
    list->count--;
    free(item);
}

void farm_list_clear(struct farm_list *list)
{
    while (list->count > 0)
        drop_first(list);
}

/* Where memory is out, everything is compared again, later. */
static void put_later(struct farm *farm, struct farm_list *list, const char *text)
{
    if (!farm_list_add(list, text, 0))
        farm->whole_due_ms = loop_now_ms(farm->services.loop) + WHOLE_SOON_MS;
}

/* --- questions ------------------------------------------------------------------------------- */

#define GENERATION_MAX 17

static void make_generation(char out[GENERATION_MAX])
{
    uint64_t number = 0;
    (void)!getrandom(&number, sizeof number, GRND_NONBLOCK);
    (void)snprintf(out, GENERATION_MAX, "%016" PRIx64, number);
}

/* Many lines were written: have the others read them. */
static void change_generation(struct farm *farm)
{
    char generation[FARM_STORE_KEY_MAX], word[GENERATION_MAX];
    make_generation(word);
    farm_ask(farm, FARM_ASK_WRITE,
             (const char *const[]){"SET", farm_store_key(farm, FARM_GENERATION, generation), word,
                                   NULL});
    (void)snprintf(farm->generation, sizeof farm->generation, "%s", word);
    farm->many = false;
}

static void ask_for_everything(struct farm *farm)
{
    char generation[FARM_STORE_KEY_MAX], changes[FARM_STORE_KEY_MAX], all[FARM_STORE_KEY_MAX];
    char word[GENERATION_MAX];
    make_generation(word);
    (void)farm_store_key(farm, FARM_GENERATION, generation);
    (void)farm_store_key(farm, FARM_CHANGES, changes);
    (void)farm_store_key(farm, FARM_EXEMPTIONS, all);
    farm_ask(farm, FARM_ASK_WRITE, (const char *const[]){"SET", generation, word, "NX", NULL});
    farm_ask(farm, FARM_ASK_GENERATION, (const char *const[]){"GET", generation, NULL});
    farm_ask(farm, FARM_ASK_PLACE,
             (const char *const[]){"XREVRANGE", changes, "+", "-", "COUNT", "1", NULL});
    farm_ask(farm, FARM_ASK_EXEMPTIONS, (const char *const[]){"HGETALL", all, NULL});
    farm->whole_due_ms = loop_now_ms(farm->services.loop) + WHOLE_MS;
}

static void ask_for_changes(struct farm *farm)
{
    char generation[FARM_STORE_KEY_MAX], changes[FARM_STORE_KEY_MAX], count[16];
    (void)snprintf(count, sizeof count, "%d", CHANGES_MAX);
    (void)farm_store_key(farm, FARM_GENERATION, generation);
    (void)farm_store_key(farm, FARM_CHANGES, changes);
    farm_ask(farm, FARM_ASK_GENERATION, (const char *const[]){"GET", generation, NULL});
    farm_ask(farm, FARM_ASK_CHANGES,
             (const char *const[]){"XREAD", "COUNT", count, "STREAMS", changes, farm->place, NULL});
}

/* Say it to the others, who read the stream. */
static void announce(struct farm *farm, const char *kind, const char *field, const char *line)
{
    char changes[FARM_STORE_KEY_MAX];
    (void)farm_store_key(farm, FARM_CHANGES, changes);
    farm_ask(farm, FARM_ASK_WRITE,
             (const char *const[]){"XADD", changes, "MAXLEN", "~", STREAM_MAX, "*", kind, field,
                                   "line", line, NULL});
}

static void write_exemption(struct farm *farm, const char *subject)
{
    char all[FARM_STORE_KEY_MAX], line[FARM_LINE_MAX];
    struct exemption exemption;
    if (!exemptions_known(farm->services.exemptions, subject, &exemption))
        return; /* its time is over */
    farm_line_exemption(&farm->key, farm->host, &exemption, line);
    farm_ask(farm, FARM_ASK_PUT,
             (const char *const[]){"HSET", farm_store_key(farm, FARM_EXEMPTIONS, all), subject,
                                   line, NULL});
    if (!farm->many)
        announce(farm, "subject", subject, line);
}

static void write_flush(struct farm *farm, const struct farm_item *item)
{
    char line[FARM_LINE_MAX];
    struct farm_note note = {.made_s = item->made_s};
    (void)snprintf(note.host, sizeof note.host, "%s", farm->host);
    if (item->made_s + FARM_FLUSH_MAX_S > clock_wall_s(farm->services.clock) &&
        farm_line_note(&farm->key, FARM_FLUSH, item->text, &note, line))
        announce(farm, FARM_FLUSH, item->text, line);
}

static void forget_line(struct farm *farm, const char *subject)
{
    char all[FARM_STORE_KEY_MAX];
    farm_ask(
        farm, FARM_ASK_WRITE,
        (const char *const[]){"HDEL", farm_store_key(farm, FARM_EXEMPTIONS, all), subject, NULL});
}

void farm_sync_refused(struct farm *farm)
{
    farm->unsent += farm->puts.count;
    farm->many = false;
    farm_list_clear(&farm->puts);
    farm->whole_due_ms = loop_now_ms(farm->services.loop) + WHOLE_SOON_MS;
}

void farm_sync_ask(struct farm *farm)
{
    farm->more = false;
    farm->reads_whole =
        farm->whole || loop_now_ms(farm->services.loop) >= farm->whole_due_ms || !*farm->place;
    farm->whole = false;
    if (farm->many && farm->puts.count == 0)
        change_generation(farm);
    if (farm->reads_whole)
        ask_for_everything(farm);
    else
        ask_for_changes(farm);
    for (int i = 0; i < WRITES_MAX && farm->puts.count > 0; i++) {
        write_exemption(farm, STAILQ_FIRST(&farm->puts.items)->text);
        drop_first(&farm->puts);
    }
    for (int i = 0; i < WRITES_MAX && farm->drops.count > 0; i++) {
        forget_line(farm, STAILQ_FIRST(&farm->drops.items)->text);
        drop_first(&farm->drops);
    }
    for (int i = 0; i < WRITES_MAX && farm->flushes.count > 0; i++) {
        write_flush(farm, STAILQ_FIRST(&farm->flushes.items));
        drop_first(&farm->flushes);
    }
}

/* --- lines ----------------------------------------------------------------------------------- */

/* True: the store has a sound line of the subject. */
static bool take_line(struct farm *farm, const struct resp_reply *subject,
                      const struct resp_reply *line, bool *changed)
{
    struct exemption exemption;
    if (!resp_is_text(subject) || !resp_is_text(line) ||
        !farm_line_read_exemption(&farm->key, subject->text, line->text, &exemption)) {
        farm_count_line(farm, FARM_LINE_UNSIGNED);
        return false;
    }
    switch (exemptions_merge(farm->services.exemptions, &exemption,
                             clock_wall_s(farm->services.clock))) {
    case EXEMPTION_SAME:
        break;
    case EXEMPTION_TAKEN:
        *changed = true;
        farm_count_line(farm, FARM_LINE_TAKEN);
        break;
    case EXEMPTION_OLDER:
        put_later(farm, &farm->puts, exemption.subject);
        break;
    case EXEMPTION_AHEAD:
        farm_count_line(farm, FARM_LINE_AHEAD);
        farm->whole_due_ms = loop_now_ms(farm->services.loop) + WHOLE_SOON_MS;
        break;
    case EXEMPTION_OVER:
        put_later(farm, &farm->drops, exemption.subject);
        break;
    case EXEMPTION_UNSOUND:
        farm_count_line(farm, FARM_LINE_UNSIGNED);
        return false;
    case EXEMPTION_NO_ROOM:
        farm_count_line(farm, FARM_LINE_NO_ROOM);
        break;
    }
    return true;
}

static void save_if(struct farm *farm, bool changed)
{
    if (changed)
        farm->services.changed(farm->services.arg);
}

/* --- everything ------------------------------------------------------------------------------ */

struct comparing {
    struct farm *farm;
    const char **seen; /* subjects in the store, sorted */
    size_t count;
};

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void look_at_own(void *arg, const struct exemption *exemption)
{
    struct comparing *comparing = arg;
    const char *subject = exemption->subject;
    if (comparing->count == 0 || bsearch(&subject, comparing->seen, comparing->count,
                                         sizeof *comparing->seen, compare_texts) == NULL)
        put_later(comparing->farm, &comparing->farm->puts, subject);
}

/* What the store lacks is written. */
static void write_lacking(struct farm *farm, const char **seen, size_t count)
{
    struct comparing comparing = {farm, seen, count};
    if (count > 0)
        qsort(seen, count, sizeof *seen, compare_texts);
    exemptions_each(farm->services.exemptions, look_at_own, &comparing);
    exemptions_each_ended(farm->services.exemptions, look_at_own, &comparing);
    farm->many = farm->puts.count > ANNOUNCED_MAX;
}

static void log_once(const struct farm *farm, uint64_t count, bool *logged, const char *what)
{
    if (count > 0 && !*logged)
        log_warning("farm %s: %" PRIu64 " lines of the store do not count: %s", farm->name, count,
                    what);
    *logged = count > 0;
}

static void take_everything(struct farm *farm, const struct resp_reply *reply)
{
    size_t count = 0;
    bool changed = false;
    const char **seen = calloc(reply->count / 2 + 1, sizeof *seen);
    if (seen == NULL) {
        farm->whole_due_ms = loop_now_ms(farm->services.loop) + WHOLE_SOON_MS;
        return;
    }
    farm->refused_lines = farm->ahead_lines = 0;
    farm_list_clear(&farm->puts);
    (void)exemptions_expire(farm->services.exemptions, clock_wall_s(farm->services.clock));
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (take_line(farm, reply->items[i], reply->items[i + 1], &changed))
            seen[count++] = reply->items[i]->text;
    write_lacking(farm, seen, count);
    free(seen);
    farm->unsent = 0;
    log_once(farm, farm->refused_lines, &farm->refused_logged,
             "they are not signed by this farm's key");
    log_once(farm, farm->ahead_lines, &farm->ahead_logged,
             "they were made more than 5 minutes from now: a host's clock is wrong");
    save_if(farm, changed);
}

/* --- changes --------------------------------------------------------------------------------- */

static void take_flush(struct farm *farm, const struct resp_reply *target,
                       const struct resp_reply *line)
{
    struct farm_note note;
    int64_t wall_s = clock_wall_s(farm->services.clock);
    if (!resp_is_text(target) || !resp_is_text(line) ||
        !farm_line_read_note(&farm->key, FARM_FLUSH, target->text, line->text, &note)) {
        farm_count_line(farm, FARM_LINE_UNSIGNED);
        return;
    }
    if (strcmp(note.host, farm->host) == 0 || note.made_s + FARM_FLUSH_MAX_S <= wall_s)
        return;
    if (note.made_s > wall_s + EXEMPTION_AHEAD_S)
        farm_count_line(farm, FARM_LINE_AHEAD);
    else
        farm->services.flush(farm->services.arg, target->text, note.host);
}

/* [ID, [KIND, FIELD, "line", LINE]]: others are another version's. */
static void take_change(struct farm *farm, const struct resp_reply *entry, bool *changed)
{
    if (entry->count != 2 || !resp_is_text(entry->items[0]) ||
        entry->items[0]->length >= sizeof farm->place)
        return;
    memcpy(farm->place, entry->items[0]->text, entry->items[0]->length + 1);
    const struct resp_reply *fields = entry->items[1];
    if (fields->count != 4 || !resp_is_text(fields->items[0]))
        return;
    if (strcmp(fields->items[0]->text, "subject") == 0)
        (void)take_line(farm, fields->items[1], fields->items[3], changed);
    else if (strcmp(fields->items[0]->text, FARM_FLUSH) == 0)
        take_flush(farm, fields->items[1], fields->items[3]);
}

/* [[STREAM, [entry, ...]]], or nil. */
static void take_changes(struct farm *farm, const struct resp_reply *reply)
{
    bool changed = false;
    if (reply->count != 1 || reply->items[0]->count != 2)
        return;
    const struct resp_reply *entries = reply->items[0]->items[1];
    for (size_t i = 0; i < entries->count; i++)
        take_change(farm, entries->items[i], &changed);
    farm->more = entries->count >= CHANGES_MAX;
    save_if(farm, changed);
}

/*
 * [[ID, ...]]: the last entry, by the store's clock.  Where we have not read before, or from
 * another stream, what comes after five minutes before that is read: a flush of while we were away
 * is still to be done.
 */
static void take_place(struct farm *farm, const struct resp_reply *reply)
{
    unsigned long long last_ms = 0;
    if (reply->count == 1 && reply->items[0]->count > 0 && resp_is_text(reply->items[0]->items[0]))
        last_ms = strtoull(reply->items[0]->items[0]->text, NULL, 10);
    const unsigned long long back_ms = FARM_FLUSH_MAX_S * 1000ULL;
    if (farm->place[0] == '\0' || strtoull(farm->place, NULL, 10) > last_ms)
        (void)snprintf(farm->place, sizeof farm->place, "%llu-0",
                       last_ms > back_ms ? last_ms - back_ms : 0);
}

static void take_generation(struct farm *farm, const struct resp_reply *reply)
{
    const char *word = resp_is_text(reply) ? reply->text : "";
    bool same = strncmp(word, farm->generation, sizeof farm->generation - 1) == 0;
    (void)snprintf(farm->generation, sizeof farm->generation, "%s", word);
    if (same || farm->reads_whole)
        return;
    log_info("farm %s: the store was filled or emptied: everything is compared", farm->name);
    farm->whole = true;
}

void farm_sync_answer(struct farm *farm, enum farm_question question,
                      const struct resp_reply *reply)
{
    if (question == FARM_ASK_GENERATION)
        take_generation(farm, reply);
    else if (question == FARM_ASK_PLACE)
        take_place(farm, reply);
    else if (question == FARM_ASK_EXEMPTIONS)
        take_everything(farm, reply);
    else if (question == FARM_ASK_CHANGES && !farm->whole)
        take_changes(farm, reply);
}
