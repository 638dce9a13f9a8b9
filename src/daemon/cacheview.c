/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/cacheview.h"

#include "site/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* --- one record ----------------------------------------------------------------------------- */

static void put_values(struct json_writer *json, const struct answer *answer)
{
    char text[NAME_TEXT_MAX], addr_text[IPADDR_TEXT_MAX];
    json_writer_begin_list(json, "values");
    for (size_t i = 0; answer->outcome == DNS_FOUND && i < answer->count; i++) {
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            struct ipaddr addr;
            answer_address(answer, i, &addr);
            json_writer_text(json, NULL, ipaddr_format(&addr, addr_text));
        } else {
            size_t length;
            const uint8_t *name = answer_name(answer, i, &length);
            json_writer_sentence(json, NULL, wirename_text(name, length, text));
        }
    }
    json_writer_end(json);
}

/* left_s: below 0 it expired so long ago. */
static char *record_line(struct resolver *resolver, const uint8_t *name, size_t length,
                         const struct answer *answer, int64_t left_s)
{
    char text[NAME_TEXT_MAX];
    struct json_writer *json = json_writer_new();
    if (json == NULL)
        return NULL;
    /* NXDOMAIN speaks for every type. */
    const char *type = answer->outcome == DNS_NXDOMAIN ? "any" : rrtype_text(answer->type);
    json_writer_sentence(json, "name", wirename_text(name, length, text));
    json_writer_text(json, "type", type);
    json_writer_text(json, "outcome", dns_outcome_key((enum dns_outcome)answer->outcome));
    put_values(json, answer);
    json_writer_int(json, "ttl", left_s > 0 ? left_s : 0);
    json_writer_bool(json, "stale", left_s <= 0);
    json_writer_bool(json, "secure", answer->secure);
    json_writer_text(
        json, "server",
        answer->origin == DNS_FROM_ZONE ? NULL : resolver_server_text(resolver, answer->server));
    json_writer_text(json, "problem",
                     answer->outcome == DNS_TEMPERROR ? answer_problem_text(answer) : NULL);
    char *line = json_writer_line(json);
    json_writer_free(json);
    return line;
}

/* --- get and flush -------------------------------------------------------------------------- */

struct view {
    struct resolver *resolver;
    struct cache *cache;
    int64_t now_ms;
    void (*put)(void *arg, char *line);
    void *arg;
    size_t count;
};

static struct view view_of(struct resolver *resolver)
{
    return (struct view){.resolver = resolver,
                         .cache = resolver_cache(resolver),
                         .now_ms = clock_ms(resolver_clock(resolver))};
}

/* Show one question's record.  The answer, with a reference for the caller, or NULL. */
static struct answer *show(struct view *view, const struct question *question)
{
    struct cache_found found = cache_peek(view->cache, question, view->now_ms);
    if (found.hit == CACHE_MISS)
        return NULL;
    view->count++;
    view->put(view->arg, record_line(view->resolver, question->name, question->length, found.answer,
                                     found.ttl_left_s));
    return found.answer;
}

static void show_name(struct view *view, const uint8_t *name, size_t length)
{
    static const uint16_t types[] = {RR_A, RR_AAAA, RR_MX, RR_PTR};
    struct question question = {.length = (uint8_t)length};
    memcpy(question.name, name, length);
    bool nowhere = false;
    for (size_t i = 0; i < sizeof types / sizeof types[0] && !nowhere; i++) {
        question.type = types[i];
        struct answer *answer = show(view, &question);
        nowhere = answer != NULL && answer->outcome == DNS_NXDOMAIN; /* for all types */
        answer_unref(answer);
    }
}

static void show_address(struct view *view, const struct ipaddr *addr)
{
    struct question question;
    question_from_addr(addr, &question);
    struct answer *answer = show(view, &question);
    if (answer == NULL)
        return;
    struct question forward = {.type = addr->family == IP_V6 ? RR_AAAA : RR_A};
    for (size_t i = 0; answer->outcome == DNS_FOUND && i < answer->count; i++) {
        size_t length;
        const uint8_t *name = answer_name(answer, i, &length);
        forward.length = (uint8_t)length;
        memcpy(forward.name, name, length);
        answer_unref(show(view, &forward));
    }
    answer_unref(answer);
}

size_t cacheview_get(struct resolver *resolver, const struct ipaddr *addr, const char *name,
                     void (*put)(void *arg, char *line), void *arg)
{
    struct view view = view_of(resolver);
    struct question question;
    view.put = put;
    view.arg = arg;
    if (addr->family != IP_NONE)
        show_address(&view, addr);
    else if (question_from_name(name, RR_A, &question) == RESULT_OK)
        show_name(&view, question.name, question.length);
    return view.count;
}

/* The names to which the address leads go first, while the cache still knows them. */
static size_t flush_address(struct view *view, const struct ipaddr *addr)
{
    struct question question;
    size_t gone = 0;
    question_from_addr(addr, &question);
    struct cache_found found = cache_peek(view->cache, &question, view->now_ms);
    const struct answer *answer = found.answer;
    for (size_t i = 0; answer != NULL && answer->outcome == DNS_FOUND && i < answer->count; i++) {
        size_t length;
        const uint8_t *name = answer_name(answer, i, &length);
        gone += cache_flush_name(view->cache, name, length);
    }
    answer_unref(found.answer);
    return gone + cache_flush_name(view->cache, question.name, question.length);
}

size_t cacheview_flush(struct resolver *resolver, const struct ipaddr *addr, const char *name)
{
    struct view view = view_of(resolver);
    struct question question;
    if (addr->family != IP_NONE)
        return flush_address(&view, addr);
    if (name[0] == '\0')
        return cache_flush_all(view.cache);
    if (question_from_name(name, RR_A, &question) != RESULT_OK)
        return 0;
    return cache_flush_name(view.cache, question.name, question.length);
}

/* --- dump ----------------------------------------------------------------------------------- */

/* A record of the part that is being shown: its answer outlives the cache's own use of it. */
struct seen {
    STAILQ_ENTRY(seen) link;
    struct answer *answer;
    int64_t left_ms;
    uint8_t length;
    uint8_t name[];
};

STAILQ_HEAD(seen_list, seen);

struct cacheview_dump {
    struct resolver *resolver;
    unsigned part; /* the next one */
    struct seen_list seen;
    bool nomem;
};

struct cacheview_dump *cacheview_dump_new(struct resolver *resolver)
{
    struct cacheview_dump *dump = calloc(1, sizeof *dump);
    if (dump == NULL)
        return NULL;
    dump->resolver = resolver;
    STAILQ_INIT(&dump->seen);
    return dump;
}

static void drop_first(struct cacheview_dump *dump)
{
    struct seen *seen = STAILQ_FIRST(&dump->seen);
    STAILQ_REMOVE_HEAD(&dump->seen, link);
    answer_unref(seen->answer);
    free(seen);
}

void cacheview_dump_free(struct cacheview_dump *dump)
{
    if (dump == NULL)
        return;
    while (!STAILQ_EMPTY(&dump->seen))
        drop_first(dump);
    free(dump);
}

/* Under the shard's lock: only what must be done there.  Writing it out comes later. */
static bool take(void *arg, const struct question *question, const struct answer *answer,
                 int64_t expires_in_ms)
{
    struct cacheview_dump *dump = arg;
    struct seen *seen = malloc(sizeof *seen + question->length);
    if (seen == NULL) {
        dump->nomem = true;
        return false;
    }
    seen->answer = answer_ref(answer);
    seen->left_ms = expires_in_ms;
    seen->length = question->length;
    memcpy(seen->name, question->name, question->length);
    STAILQ_INSERT_TAIL(&dump->seen, seen, link);
    return true;
}

enum result cacheview_dump_next(struct cacheview_dump *dump, char **line)
{
    while (STAILQ_EMPTY(&dump->seen)) {
        if (!cache_each_part(resolver_cache(dump->resolver), dump->part,
                             clock_ms(resolver_clock(dump->resolver)), take, dump))
            return RESULT_NOTFOUND;
        dump->part++;
        if (dump->nomem)
            return RESULT_NOMEM;
    }
    const struct seen *seen = STAILQ_FIRST(&dump->seen);
    char *text = record_line(dump->resolver, seen->name, seen->length, seen->answer,
                             (seen->left_ms + 999) / 1000);
    drop_first(dump);
    if (text == NULL)
        return RESULT_NOMEM;
    *line = text;
    return RESULT_OK;
}
