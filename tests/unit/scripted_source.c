/* SPDX-License-Identifier: BSD-2-Clause */
#include "scripted_source.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define SPEC_MAX 65536

/* One answer of the script, in its place after others for the same question. */
struct line {
    TAILQ_ENTRY(line) link;
    struct question question;
    char *spec;
    int64_t delay_ms;
    bool used;
};

/* A question on its way. */
struct open {
    TAILQ_ENTRY(open) link;
    struct scripted *scripted;
    struct handed *handed;
    struct question question;
    const struct line *line;
    int64_t comes_ms; /* the answer; INT64_MAX: never */
    bool too_late;    /* the asker's deadline comes first */
    source_done *done;
    void *arg;
    struct loop_timer *timer;
};

struct asked {
    TAILQ_ENTRY(asked) link;
    struct question question;
    unsigned count;
};

struct handed {
    struct source source;
    struct scripted *scripted;
    unsigned calls; /* of its own that are under way: it goes on when they return */
};

struct scripted {
    pthread_mutex_t lock; /* for the counters, which tests read from other threads */
    struct clock clock;
    int64_t now_ms, wall_s;
    struct loop *loop; /* in use */
    struct loop *own;  /* that goes by our clock */
    TAILQ_HEAD(, line) lines;
    TAILQ_HEAD(, open) open;
    TAILQ_HEAD(, asked) asked;
    unsigned asked_all, open_count, cancelled, nudged, freed;
    bool comes_back;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("scripted source: out of memory\n", stderr);
        abort();
    }
    return memory;
}

/* --- text ----------------------------------------------------------------------------------- */

/* One label's bytes from text up to a dot; returns where it ended. */
static const char *read_label(const char *text, uint8_t *label, size_t *length)
{
    *length = 0;
    while (*text != '\0' && *text != '.') {
        unsigned byte = (unsigned char)*text++;
        if (byte == '\\' && sscanf(text, "%3u", &byte) == 1)
            text += 3;
        else if (byte == '\\')
            byte = (unsigned char)*text++;
        label[(*length)++] = (uint8_t)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    }
    return *text == '.' ? text + 1 : text;
}

struct question scripted_question(const char *name, enum rrtype type)
{
    struct question question = {.type = (uint16_t)type};
    size_t used = 0;
    for (const char *at = strcmp(name, ".") == 0 ? "" : name; *at != '\0';) {
        size_t length;
        at = read_label(at, question.name + used + 1, &length);
        question.name[used] = (uint8_t)length;
        used += 1 + length;
    }
    question.length = (uint8_t)(used + 1);
    return question;
}

static int compare_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 1 + WIRE_NAME_MAX);
}

static bool problem_by_name(const char *word, enum dns_problem *out)
{
    static const char *const names[PROBLEM_COUNT] = {
        [PROBLEM_TIMEOUT] = "TIMEOUT",     [PROBLEM_SERVFAIL] = "SERVFAIL",
        [PROBLEM_REFUSED] = "REFUSED",     [PROBLEM_RCODE] = "RCODE",
        [PROBLEM_MALFORMED] = "MALFORMED", [PROBLEM_NETWORK] = "NETWORK",
        [PROBLEM_LOOP] = "LOOP",           [PROBLEM_CHAIN] = "CHAIN",
        [PROBLEM_LIMIT] = "LIMIT",         [PROBLEM_CANCELLED] = "CANCELLED",
        [PROBLEM_DEADLINE] = "DEADLINE",   [PROBLEM_MEMORY] = "MEMORY"};
    for (int i = 0; i < PROBLEM_COUNT; i++)
        if (names[i] != NULL && strcmp(names[i], word) == 0) {
            *out = (enum dns_problem)i;
            return true;
        }
    return false;
}

/* What the words of a spec say. */
struct told {
    enum dns_outcome outcome;
    enum dns_problem problem;
    unsigned ttl_s, chain_ttl_s, hops, dropped, server;
    bool ad, zone, chained, nomem;
    struct question target;
    size_t count;
    uint8_t (*records)[1 + WIRE_NAME_MAX]; /* length, bytes */
};

static void add_record(struct told *told, enum rrtype type, const char *word)
{
    uint8_t *record = told->records[told->count++];
    struct ipaddr addr;
    if (type == RR_A || type == RR_AAAA) {
        if (ipaddr_parse(word, &addr) != RESULT_OK) {
            fprintf(stderr, "scripted source: what is \"%s\"?\n", word);
            abort();
        }
        record[0] = type == RR_A ? 4 : 16;
        if (type == RR_AAAA && addr.family == IP_V4) { /* as it came: mapped */
            record[11] = record[12] = 0xff;
            memcpy(record + 13, addr.bytes, 4);
        } else {
            memcpy(record + 1, addr.bytes, record[0]);
        }
        return;
    }
    struct question name = scripted_question(word, type);
    record[0] = name.length;
    memcpy(record + 1, name.name, name.length);
}

static void tell(struct told *told, enum rrtype type, const char *word, char **rest)
{
    if (strcmp(word, "NXDOMAIN") == 0)
        told->outcome = DNS_NXDOMAIN;
    else if (strcmp(word, "NODATA") == 0)
        told->outcome = DNS_NODATA;
    else if (problem_by_name(word, &told->problem))
        told->outcome = DNS_TEMPERROR;
    else if (strcmp(word, "CNAME") == 0) {
        told->outcome = DNS_NODATA;
        told->chained = true;
        told->hops = 1;
        told->target = scripted_question(strtok_r(NULL, " ", rest), type);
    } else if (strcmp(word, "NOMEM") == 0)
        told->nomem = true;
    else if (strcmp(word, "ad") == 0)
        told->ad = true;
    else if (strcmp(word, "zone") == 0)
        told->zone = true;
    else if (sscanf(word, "ttl=%u", &told->ttl_s) != 1 &&
             sscanf(word, "chain-ttl=%u", &told->chain_ttl_s) != 1 &&
             sscanf(word, "hops=%u", &told->hops) != 1 &&
             sscanf(word, "dropped=%u", &told->dropped) != 1 &&
             sscanf(word, "server=%u", &told->server) != 1)
        add_record(told, type, word);
}

/* False: out of memory. */
static bool read_spec(enum rrtype type, const char *spec, struct told *out)
{
    char *copy = strdup(spec), *rest = NULL;
    *out = (struct told){
        .outcome = DNS_FOUND, .ttl_s = 3600, .chain_ttl_s = UINT32_MAX, .server = ANSWER_NO_SERVER};
    out->records = calloc(strlen(spec) / 2 + 1, sizeof *out->records);
    if (copy == NULL || out->records == NULL) {
        free(copy);
        free(out->records);
        return false;
    }
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        tell(out, type, word, &rest);
    free(copy);
    qsort(out->records, out->count, sizeof *out->records, compare_bytes);
    return true;
}

static struct answer *make_answer(enum rrtype type, const struct told *told)
{
    size_t length = 0;
    for (size_t i = 0; i < told->count; i++)
        length += told->records[i][0];
    struct answer *answer = answer_new((uint16_t)type, told->outcome, length);
    if (answer == NULL)
        return NULL;
    uint8_t *at = answer->payload;
    for (size_t i = 0; i < told->count; i++) {
        memcpy(at, told->records[i] + 1, told->records[i][0]);
        at += told->records[i][0];
    }
    answer->count = (uint16_t)told->count;
    answer->dropped = (uint16_t)told->dropped;
    answer->problem = (uint8_t)told->problem;
    answer->ttl_s = told->ttl_s;
    answer->secure = told->ad;
    answer->server = (uint8_t)told->server;
    answer->origin = told->zone ? DNS_FROM_ZONE : DNS_FROM_NETWORK;
    return answer;
}

struct answer *scripted_answer(enum rrtype type, const char *spec)
{
    struct told told = {0};
    struct answer *answer = must(read_spec(type, spec, &told) ? make_answer(type, &told) : NULL);
    free(told.records);
    return answer;
}

/* --- answering ------------------------------------------------------------------------------ */

static void give(const struct question *question, const char *spec, source_done *done, void *arg)
{
    struct told told = {.nomem = true, .chain_ttl_s = UINT32_MAX};
    if (!read_spec((enum rrtype)question->type, spec, &told))
        told.records = NULL;
    struct source_result result = {.chained = told.chained,
                                   .hops = (uint8_t)told.hops,
                                   .chain_ttl_s = told.chain_ttl_s,
                                   .target = told.target};
    if (told.records != NULL && !told.nomem)
        result.answer = make_answer((enum rrtype)question->type, &told);
    free(told.records);
    done(arg, &result);
}

static void close_open(struct open *open, const char *spec)
{
    struct open copy = *open;
    struct scripted *scripted = open->scripted;
    TAILQ_REMOVE(&scripted->open, open, link);
    pthread_mutex_lock(&scripted->lock);
    scripted->open_count--;
    pthread_mutex_unlock(&scripted->lock);
    loop_timer_free(open->timer);
    free(open);
    copy.handed->calls++;
    give(&copy.question, spec, copy.done, copy.arg);
    copy.handed->calls--;
}

static void on_due(void *arg)
{
    struct open *open = arg;
    close_open(open, open->too_late ? "DEADLINE" : open->line->spec);
}

/* "*.example" is every name right below it that has no line of its own. */
static bool is_below(const struct question *wildcard, const struct question *question)
{
    unsigned skip = 1U + question->name[0];
    return wildcard->type == question->type && wildcard->name[0] == 1 && wildcard->name[1] == '*' &&
           question->length >= skip && question->length - skip == wildcard->length - 2U &&
           memcmp(question->name + skip, wildcard->name + 2, wildcard->length - 2U) == 0;
}

/* The line whose turn it is: the first that was not used, or the last. */
static struct line *next_line(struct scripted *scripted, const struct question *question)
{
    struct line *line, *last = NULL;
    TAILQ_FOREACH(line, &scripted->lines, link)
    {
        if (!question_equal(&line->question, question))
            continue;
        last = line;
        if (!line->used)
            break;
    }
    if (last == NULL)
        TAILQ_FOREACH(line, &scripted->lines, link)
        {
            if (!is_below(&line->question, question))
                continue;
            last = line;
            if (!line->used)
                break;
        }
    if (last != NULL)
        last->used = true;
    return last;
}

static struct asked *asked_of(struct scripted *scripted, const struct question *question)
{
    struct asked *asked;
    TAILQ_FOREACH(asked, &scripted->asked, link)
    {
        if (question_equal(&asked->question, question))
            return asked;
    }
    asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return NULL;
    asked->question = *question;
    TAILQ_INSERT_TAIL(&scripted->asked, asked, link);
    return asked;
}

static void count(struct scripted *scripted, const struct question *question, bool opens)
{
    pthread_mutex_lock(&scripted->lock);
    struct asked *asked = asked_of(scripted, question);
    if (asked != NULL)
        asked->count++;
    scripted->asked_all++;
    scripted->open_count += opens;
    pthread_mutex_unlock(&scripted->lock);
}

static void set_deadline(struct open *open, int64_t deadline_ms)
{
    open->too_late = open->comes_ms > deadline_ms;
    if (loop_timer_arm(open->timer, open->too_late ? deadline_ms : open->comes_ms) != RESULT_OK)
        abort();
}

static void *on_ask(struct source *source, const struct question *question, int64_t deadline_ms,
                    source_done *done, void *arg)
{
    struct handed *handed = (struct handed *)source;
    struct scripted *scripted = handed->scripted;
    const struct line *line = next_line(scripted, question);
    bool at_once = line == NULL || line->delay_ms == 0;
    struct open *open = at_once ? NULL : calloc(1, sizeof *open);
    struct loop_timer *timer = open == NULL ? NULL : loop_timer_new(scripted->loop, on_due, open);
    if (timer == NULL) {
        free(open);
        open = NULL;
    }
    count(scripted, question, open != NULL);
    if (open == NULL) {
        handed->calls++;
        give(question, line == NULL ? "NXDOMAIN" : at_once ? line->spec : "NOMEM", done, arg);
        handed->calls--;
        return NULL;
    }
    *open = (struct open){.scripted = scripted,
                          .handed = handed,
                          .timer = timer,
                          .question = *question,
                          .line = line,
                          .comes_ms = line->delay_ms == SCRIPTED_NEVER
                                          ? INT64_MAX
                                          : loop_now_ms(scripted->loop) + line->delay_ms,
                          .done = done,
                          .arg = arg};
    TAILQ_INSERT_TAIL(&scripted->open, open, link);
    set_deadline(open, deadline_ms);
    return open;
}

static void on_cancel(struct source *source, void *handle)
{
    struct scripted *scripted = ((struct handed *)source)->scripted;
    pthread_mutex_lock(&scripted->lock);
    scripted->cancelled++;
    pthread_mutex_unlock(&scripted->lock);
    close_open(handle, "CANCELLED");
}

static void on_nudge(struct source *source, void *handle, int64_t deadline_ms)
{
    struct scripted *scripted = ((struct handed *)source)->scripted;
    set_deadline(handle, deadline_ms);
    pthread_mutex_lock(&scripted->lock);
    scripted->nudged++;
    pthread_mutex_unlock(&scripted->lock);
}

static bool on_came_back(struct source *source)
{
    struct scripted *scripted = ((struct handed *)source)->scripted;
    pthread_mutex_lock(&scripted->lock);
    bool comes_back = scripted->comes_back;
    scripted->comes_back = false;
    pthread_mutex_unlock(&scripted->lock);
    return comes_back;
}

static const char *on_server_text(const struct source *source, unsigned server)
{
    static const char *const texts[] = {"192.0.2.53:53", "[2001:db8::53]:53"};
    (void)source;
    return server < sizeof texts / sizeof texts[0] ? texts[server] : NULL;
}

static void on_free(struct source *source)
{
    struct handed *handed = (struct handed *)source;
    if (handed->calls > 0) {
        fputs("scripted source: freed from within its own call\n", stderr);
        abort();
    }
    pthread_mutex_lock(&handed->scripted->lock);
    handed->scripted->freed++;
    pthread_mutex_unlock(&handed->scripted->lock);
    free(handed);
}

static const struct source_ops ops = {.ask = on_ask,
                                      .cancel = on_cancel,
                                      .nudge = on_nudge,
                                      .came_back = on_came_back,
                                      .server_text = on_server_text,
                                      .free = on_free};

/* --- the tests' side ------------------------------------------------------------------------ */

static int64_t fake_ms(void *arg)
{
    return ((struct scripted *)arg)->now_ms;
}

static int64_t fake_s(void *arg)
{
    return ((struct scripted *)arg)->wall_s;
}

struct scripted *scripted_new(void)
{
    struct scripted *scripted = must(calloc(1, sizeof *scripted));
    scripted->clock = (struct clock){fake_ms, fake_s, scripted};
    scripted->now_ms = SCRIPTED_START_MS;
    scripted->wall_s = SCRIPTED_START_S;
    scripted->own = scripted->loop = must(loop_new_with(&scripted->clock));
    (void)pthread_mutex_init(&scripted->lock, NULL);
    TAILQ_INIT(&scripted->lines);
    TAILQ_INIT(&scripted->open);
    TAILQ_INIT(&scripted->asked);
    return scripted;
}

void scripted_free(struct scripted *scripted)
{
    while (!TAILQ_EMPTY(&scripted->lines)) {
        struct line *line = TAILQ_FIRST(&scripted->lines);
        TAILQ_REMOVE(&scripted->lines, line, link);
        free(line->spec);
        free(line);
    }
    while (!TAILQ_EMPTY(&scripted->asked)) {
        struct asked *asked = TAILQ_FIRST(&scripted->asked);
        TAILQ_REMOVE(&scripted->asked, asked, link);
        free(asked);
    }
    loop_free(scripted->own);
    (void)pthread_mutex_destroy(&scripted->lock);
    free(scripted);
}

struct loop *scripted_loop(struct scripted *scripted)
{
    return scripted->loop;
}

void scripted_run(struct scripted *scripted)
{
    while (scripted->loop == scripted->own && loop_step(scripted->own))
        ;
}

void scripted_stop(struct scripted *scripted)
{
    loop_stop(scripted->loop);
}

struct source *scripted_source(struct scripted *scripted)
{
    struct handed *handed = must(calloc(1, sizeof *handed));
    handed->source.ops = &ops;
    handed->scripted = scripted;
    return &handed->source;
}

unsigned scripted_nudged(struct scripted *scripted)
{
    pthread_mutex_lock(&scripted->lock);
    unsigned nudged = scripted->nudged;
    pthread_mutex_unlock(&scripted->lock);
    return nudged;
}

void scripted_comes_back(struct scripted *scripted)
{
    pthread_mutex_lock(&scripted->lock);
    scripted->comes_back = true;
    pthread_mutex_unlock(&scripted->lock);
}

const struct clock *scripted_clock(struct scripted *scripted)
{
    return &scripted->clock;
}

void scripted_use_loop(struct scripted *scripted, struct loop *loop)
{
    scripted->loop = loop;
    scripted->clock = clock_system;
}

void scripted_on(struct scripted *scripted, const char *name, enum rrtype type, const char *spec,
                 int64_t delay_ms)
{
    struct line *line = must(calloc(1, sizeof *line));
    line->question = scripted_question(name, type);
    line->spec = must(strndup(spec, SPEC_MAX));
    line->delay_ms = delay_ms;
    TAILQ_INSERT_TAIL(&scripted->lines, line, link);
}

void scripted_advance(struct scripted *scripted, int64_t by_ms)
{
    int64_t until_ms = scripted->now_ms + by_ms, due_ms;
    scripted_run(scripted);
    while ((due_ms = loop_due_ms(scripted->own)) <= until_ms) {
        if (due_ms > scripted->now_ms)
            scripted->now_ms = due_ms;
        scripted_run(scripted);
    }
    scripted->wall_s +=
        (until_ms - SCRIPTED_START_MS) / 1000 - (until_ms - by_ms - SCRIPTED_START_MS) / 1000;
    scripted->now_ms = until_ms;
}

void scripted_set_wall(struct scripted *scripted, int64_t wall_s)
{
    scripted->wall_s = wall_s;
}

static unsigned read_counter(struct scripted *scripted, const unsigned *counter)
{
    pthread_mutex_lock(&scripted->lock);
    unsigned value = *counter;
    pthread_mutex_unlock(&scripted->lock);
    return value;
}

unsigned scripted_asked(struct scripted *scripted, const char *name, enum rrtype type)
{
    struct question question = scripted_question(name, type);
    pthread_mutex_lock(&scripted->lock);
    const struct asked *asked = asked_of(scripted, &question);
    unsigned value = asked == NULL ? 0 : asked->count;
    pthread_mutex_unlock(&scripted->lock);
    return value;
}

unsigned scripted_asked_all(struct scripted *scripted)
{
    return read_counter(scripted, &scripted->asked_all);
}

unsigned scripted_open(struct scripted *scripted)
{
    return read_counter(scripted, &scripted->open_count);
}

unsigned scripted_cancelled(struct scripted *scripted)
{
    return read_counter(scripted, &scripted->cancelled);
}

unsigned scripted_freed(struct scripted *scripted)
{
    return read_counter(scripted, &scripted->freed);
}
