/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/zonefile.h"

#include "dns/dnsrr.h"
#include "dns/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZONEFILE_RECORDS_MAX 1000000 /* of all names: some 100 MB; larger zones want a server */
#define ZONEFILE_HOPS_MAX    16      /* CNAMEs followed */
#define ZONEFILE_ANSWER_MAX  512     /* records of one answer, as from the network */

struct record {
    unsigned line; /* where it ends in the file */
    uint32_t ttl_s, minimum_s;
    uint16_t type, preference;
    uint16_t data_length;
    uint8_t owner_length;
    uint8_t bytes[]; /* owner, then data */
};

/* Records in canonical order of their owners, so that what is below a name follows it. */
struct zonefile {
    struct source source;
    struct record **records;
    size_t count, room;
};

/* The records of one owner: records[first] to records[first + count - 1]. */
struct zone_node {
    size_t first, count;
};

static const struct zonefile *of(const struct source *source)
{
    return (const struct zonefile *)source;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* The first record whose owner is not before `name`. */
static size_t lower_bound(const struct zonefile *zone, const uint8_t *name)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (wire_name_compare(zone->records[middle]->bytes, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Does the name exist: with records, or as an empty non-terminal (RFC 4592 2.2.2)? */
static bool find_node(const struct zonefile *zone, const uint8_t *name, struct zone_node *out)
{
    size_t at = lower_bound(zone, name);
    out->first = at;
    out->count = 0;
    if (at == zone->count || !wire_name_under(zone->records[at]->bytes, name))
        return false;
    while (at < zone->count && wire_name_compare(zone->records[at]->bytes, name) == 0)
        at++;
    out->count = at - out->first;
    return true;
}

static const struct record *find_type(const struct zonefile *zone, const struct zone_node *node,
                                      uint16_t type)
{
    for (size_t i = 0; i < node->count; i++)
        if (zone->records[node->first + i]->type == type)
            return zone->records[node->first + i];
    return NULL;
}

/*
 * The zone that the name is in: going up, a SOA is its apex, NS records without one are where it
 * was given away.  True when it was; *soa is NULL when the file has no SOA for it.
 */
static bool is_delegated(const struct zonefile *zone, const uint8_t *name,
                         const struct record **soa)
{
    *soa = NULL;
    for (;; name = wire_name_parent(name)) {
        struct zone_node node;
        if (find_node(zone, name, &node)) {
            *soa = find_type(zone, &node, RR_SOA);
            if (*soa != NULL)
                return false;
            if (find_type(zone, &node, RR_NS) != NULL)
                return true;
        }
        if (*name == 0)
            return false;
    }
}

/* The wildcard that covers a name that does not exist: below its closest encloser (RFC 4592 3.3.1).
 */
static bool find_wildcard(const struct zonefile *zone, const uint8_t *name, struct zone_node *out)
{
    uint8_t wildcard[WIRE_NAME_MAX] = {1, '*'};
    size_t length = 1;
    do {
        if (*name == 0)
            return false;
        name = wire_name_parent(name);
    } while (*name != 0 && !find_node(zone, name, out));
    while (name[length - 1] != 0) /* the encloser is at least 2 bytes shorter than the name */
        length += name[length - 1] + 1U;
    memcpy(wildcard + 2, name, length);
    return find_node(zone, wildcard, out);
}

/* --- answering -------------------------------------------------------------------------------- */

static struct answer *make_negative(uint16_t type, enum dns_outcome outcome,
                                    const struct record *soa)
{
    struct answer *answer = answer_new(type, outcome, 0);
    if (answer != NULL && soa != NULL)
        answer->ttl_s = soa->ttl_s < soa->minimum_s ? soa->ttl_s : soa->minimum_s;
    return answer;
}

static void unpack(const struct record *record, struct rr *out)
{
    memset(out, 0, sizeof *out);
    out->type = record->type;
    out->ttl_s = record->ttl_s;
    out->preference = record->preference;
    if (record->type == RR_TXT) {
        out->strings_length = record->data_length;
        out->strings = record->bytes + record->owner_length;
        return;
    }
    out->data_length = (uint8_t)record->data_length;
    memcpy(out->data, record->bytes + record->owner_length, record->data_length);
}

static struct answer *make_found(const struct zonefile *zone, const struct zone_node *node,
                                 uint16_t type)
{
    struct answer *answer;
    struct rr *records;
    unsigned count = 0, dropped = 0;
    records = calloc(node->count < ZONEFILE_ANSWER_MAX ? node->count : ZONEFILE_ANSWER_MAX,
                     sizeof *records);
    if (records == NULL)
        return NULL;
    for (size_t i = 0; i < node->count; i++) {
        const struct record *record = zone->records[node->first + i];
        if (record->type != type)
            continue;
        if (count < ZONEFILE_ANSWER_MAX)
            unpack(record, &records[count++]);
        else
            dropped++;
    }
    answer = rrset_answer(records, count, type);
    if (answer != NULL)
        answer->dropped = dropped < UINT16_MAX ? (uint16_t)dropped : UINT16_MAX;
    free(records);
    return answer;
}

/*
 * One step: the answer for `name`; or, when there is only a CNAME, its record in *cname and NULL.
 * NULL in both is a lack of memory.
 */
static struct answer *look(const struct zonefile *zone, const uint8_t *name, uint16_t type,
                           const struct record **cname)
{
    const struct record *soa;
    struct zone_node node;
    *cname = NULL;
    if (is_delegated(zone, name, &soa))
        return answer_new_problem(type, PROBLEM_SERVFAIL);
    if (!find_node(zone, name, &node) && !find_wildcard(zone, name, &node))
        return make_negative(type, DNS_NXDOMAIN, soa);
    if (find_type(zone, &node, type) != NULL)
        return make_found(zone, &node, type);
    *cname = find_type(zone, &node, RR_CNAME);
    return *cname == NULL ? make_negative(type, DNS_NODATA, soa) : NULL;
}

static bool is_among(const struct record *record, const struct record *const *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i] == record)
            return true;
    return false;
}

static void *zonefile_ask(struct source *source, const struct question *question,
                          int64_t deadline_ms, source_done *done, void *arg)
{
    struct source_result result = {.chain_ttl_s = UINT32_MAX};
    const uint8_t *name = question->name;
    const struct record *cname = NULL, *seen[ZONEFILE_HOPS_MAX];
    (void)deadline_ms;
    for (;;) {
        result.answer = look(of(source), name, question->type, &cname);
        if (cname == NULL)
            break;
        if (is_among(cname, seen, result.hops) || result.hops == ZONEFILE_HOPS_MAX) {
            result.answer = answer_new_problem(
                question->type, is_among(cname, seen, result.hops) ? PROBLEM_LOOP : PROBLEM_CHAIN);
            break;
        }
        seen[result.hops++] = cname;
        if (cname->ttl_s < result.chain_ttl_s)
            result.chain_ttl_s = cname->ttl_s;
        name = cname->bytes + cname->owner_length;
    }
    if (result.answer != NULL) {
        result.answer->origin = DNS_FROM_ZONE;
        result.answer->server = SERVER_NO_LABEL;
        if (result.chain_ttl_s < result.answer->ttl_s)
            result.answer->ttl_s = result.chain_ttl_s;
    }
    done(arg, &result);
    return NULL;
}

/* Never called: every question is answered at once. */
static void zonefile_cancel(struct source *source, void *handle)
{
    (void)source;
    (void)handle;
}

static const char *zonefile_server_text(const struct source *source, unsigned server)
{
    (void)source;
    (void)server;
    return NULL;
}

static void zonefile_free(struct source *source)
{
    struct zonefile *zone = (struct zonefile *)source;
    for (size_t i = 0; i < zone->count; i++)
        free(zone->records[i]);
    free(zone->records);
    free(zone);
}

static const struct source_ops zonefile_ops = {
    .ask = zonefile_ask,
    .cancel = zonefile_cancel,
    .server_text = zonefile_server_text,
    .free = zonefile_free,
};

/* --- loading ---------------------------------------------------------------------------------- */

struct zone_loading {
    struct zonefile *zone;
    unsigned *line;
    char *error;
    size_t error_size;
};

static enum result make_room(struct zonefile *zone)
{
    size_t room = zone->room == 0 ? 64 : zone->room * 2;
    struct record **records;
    if (zone->count < zone->room)
        return RESULT_OK;
    records = realloc(zone->records, room * sizeof *records);
    if (records == NULL)
        return RESULT_NOMEM;
    zone->records = records;
    zone->room = room;
    return RESULT_OK;
}

static enum result refuse(struct zone_loading *loading, unsigned line, const char *sentence)
{
    *loading->line = line;
    snprintf(loading->error, loading->error_size, "%s", sentence);
    return RESULT_INVALID;
}

static enum result add(void *arg, const struct rr *rr)
{
    struct zone_loading *loading = arg;
    struct zonefile *zone = loading->zone;
    struct record *record;
    if (rr->type == RR_DNAME)
        return refuse(loading, *loading->line, "DNAME records are not supported");
    if (zone->count == ZONEFILE_RECORDS_MAX)
        return refuse(loading, *loading->line, "the file has more than 1000000 records");
    const uint8_t *data = rr->type == RR_TXT ? rr->strings : rr->data;
    size_t length = rr->type == RR_TXT ? rr->strings_length : rr->data_length;
    record = malloc(sizeof *record + rr->owner_length + length);
    if (record == NULL || make_room(zone) != RESULT_OK) {
        free(record);
        return RESULT_NOMEM;
    }
    record->line = *loading->line;
    record->type = rr->type;
    record->preference = rr->preference;
    record->ttl_s = rr->ttl_s;
    record->minimum_s = rr->minimum_s;
    record->owner_length = rr->owner_length;
    record->data_length = (uint16_t)length;
    memcpy(record->bytes, rr->owner, rr->owner_length);
    memcpy(record->bytes + rr->owner_length, data, length);
    zone->records[zone->count++] = record;
    return RESULT_OK;
}

/* By owner; the file's order stays within one. */
static int compare_records(const void *a, const void *b)
{
    const struct record *x = *(struct record *const *)a, *y = *(struct record *const *)b;
    int order = wire_name_compare(x->bytes, y->bytes);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* A name with a CNAME has nothing else (RFC 2181 10.1). */
static enum result check_cnames(struct zone_loading *loading)
{
    const struct zonefile *zone = loading->zone;
    for (size_t i = 1; i < zone->count; i++) {
        const struct record *one = zone->records[i - 1], *two = zone->records[i];
        if ((one->type == RR_CNAME || two->type == RR_CNAME) &&
            wire_name_compare(one->bytes, two->bytes) == 0)
            return refuse(loading, two->line, "a CNAME stands alone: its name has other records");
    }
    return RESULT_OK;
}

static enum result load(FILE *file, struct zone_loading *loading)
{
    struct zonefile *zone = loading->zone;
    enum result status =
        rr_read_zone(file, add, loading, loading->line, loading->error, loading->error_size);
    if (status == RESULT_OK && ferror(file))
        status = RESULT_IO;
    if (status != RESULT_OK)
        return status;
    if (zone->count > 0)
        qsort(zone->records, zone->count, sizeof(struct record *), compare_records);
    return check_cnames(loading);
}

enum result zonefile_load(const char *path, struct source **out, unsigned *line, char *error,
                          size_t error_size)
{
    struct zonefile *zone = calloc(1, sizeof *zone);
    struct zone_loading loading = {zone, line, error, error_size};
    enum result status;
    int error_number;
    FILE *file;
    if (zone == NULL)
        return RESULT_NOMEM;
    zone->source.ops = &zonefile_ops;
    *line = 1;
    file = fopen(path, "re");
    if (file == NULL) {
        free(zone);
        return RESULT_IO;
    }
    errno = 0;
    status = load(file, &loading);
    if (status == RESULT_OK)
        *out = &zone->source;
    else
        zonefile_free(&zone->source);
    error_number = errno != 0 ? errno : EIO;
    fclose(file); /* read only: nothing can be lost */
    errno = error_number;
    return status;
}
