/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/exemptions.h"

#include "base/utf8.h"
#include "core/idn.h"
#include "core/iprev.h"
#include "site/exemption_merge.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without memory an exemption is not added; the library's own answer would be the end. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Prefix lengths of a family: 0 to 128. */
#define LENGTHS 129

struct held {
    UT_hash_handle hh; /* by exemption.subject */
    struct exemption exemption;
};

struct exemptions {
    atomic_size_t count; /* of `all`: read without the lock */
    pthread_rwlock_t lock;
    struct held *all;
    struct held *ended; /* what was ended, of subjects that are not in `all`; on a farm */
    /* How many networks there are of each prefix length: only these are looked for. */
    unsigned v4[LENGTHS], v6[LENGTHS];
    unsigned domains;
    bool remembers; /* what is over is remembered as ended */
};

struct exemptions *exemptions_new(void)
{
    struct exemptions *exemptions = calloc(1, sizeof *exemptions);
    if (exemptions != NULL && pthread_rwlock_init(&exemptions->lock, NULL) != 0) {
        free(exemptions);
        return NULL;
    }
    return exemptions;
}

/* As administrators write it: a network of one is its address. */
static const char *net_text(const struct ipnet *net, char out[IPNET_TEXT_MAX])
{
    return net->bits == ipaddr_bits(&net->addr) ? ipaddr_format(&net->addr, out)
                                                : ipnet_format(net, out);
}

enum result exemption_subject(const char *text, char out[EXEMPTION_SUBJECT_MAX])
{
    struct ipnet net;
    char name[HOSTNAME_MAX + 1];
    if (text[0] == '.') {
        enum hostname_flaw flaw;
        if (idn_hostname_parse(text + 1, name, &flaw) != RESULT_OK)
            return RESULT_NOMEM;
        if (flaw != HOSTNAME_OK)
            return RESULT_INVALID;
        (void)snprintf(out, EXEMPTION_SUBJECT_MAX, ".%s", name);
        return RESULT_OK;
    }
    if (ipnet_parse(text, &net) != RESULT_OK)
        return RESULT_INVALID;
    char formatted[IPNET_TEXT_MAX];
    (void)snprintf(out, EXEMPTION_SUBJECT_MAX, "%s", net_text(&net, formatted));
    return RESULT_OK;
}

/* --- changes: under the write lock ---------------------------------------------------------- */

/* Count the network's prefix length up or down, or the domain. */
static void count_length(struct exemptions *exemptions, const char *subject, int by)
{
    struct ipnet net;
    if (ipnet_parse(subject, &net) != RESULT_OK) {
        exemptions->domains += (unsigned)by;
        return;
    }
    unsigned *lengths = net.addr.family == IP_V4 ? exemptions->v4 : exemptions->v6;
    lengths[net.bits] += (unsigned)by;
}

static struct held *find(const struct exemptions *exemptions, const char *subject)
{
    struct held *held;
    HASH_FIND_STR(exemptions->all, subject, held);
    return held;
}

static void drop(struct exemptions *exemptions, struct held *held)
{
    count_length(exemptions, held->exemption.subject, -1);
    HASH_DEL(exemptions->all, held);
    atomic_fetch_sub(&exemptions->count, 1);
    free(held);
}

static struct held *find_ended(const struct exemptions *exemptions, const char *subject)
{
    struct held *held;
    HASH_FIND_STR(exemptions->ended, subject, held);
    return held;
}

static void forget_ended(struct exemptions *exemptions, struct held *held)
{
    if (held == NULL)
        return;
    HASH_DEL(exemptions->ended, held);
    free(held);
}

/* Into one of the two tables.  NULL: out of memory. */
static struct held *insert(struct held **table, const struct exemption *exemption)
{
    struct held *held = calloc(1, sizeof *held);
    if (held == NULL)
        return NULL;
    held->exemption = *exemption;
    HASH_ADD_STR(*table, exemption.subject, held);
    if (held->hh.tbl != NULL)
        return held;
    free(held);
    return NULL;
}

static enum result add(struct exemptions *exemptions, const struct exemption *exemption)
{
    struct held *held = find(exemptions, exemption->subject);
    if (held != NULL) {
        held->exemption = *exemption;
        return RESULT_OK;
    }
    if (atomic_load(&exemptions->count) >= EXEMPTIONS_MAX)
        return RESULT_LIMIT;
    if (insert(&exemptions->all, exemption) == NULL)
        return RESULT_NOMEM;
    forget_ended(exemptions, find_ended(exemptions, exemption->subject));
    count_length(exemptions, exemption->subject, 1);
    atomic_fetch_add(&exemptions->count, 1);
    return RESULT_OK;
}

static struct held *earliest_ended(const struct exemptions *exemptions)
{
    struct held *earliest = exemptions->ended;
    for (struct held *held = earliest; held != NULL; held = held->hh.next)
        if (held->exemption.made_s < earliest->exemption.made_s)
            earliest = held;
    return earliest;
}

/* Remember that it was ended, and end it. */
static enum result add_ended(struct exemptions *exemptions, const struct exemption *exemption)
{
    struct held *held = find_ended(exemptions, exemption->subject);
    if (held != NULL) {
        held->exemption = *exemption;
        return RESULT_OK;
    }
    if (insert(&exemptions->ended, exemption) == NULL)
        return RESULT_NOMEM;
    if (HASH_COUNT(exemptions->ended) > EXEMPTIONS_MAX)
        forget_ended(exemptions, earliest_ended(exemptions));
    held = find(exemptions, exemption->subject);
    if (held != NULL)
        drop(exemptions, held);
    return RESULT_OK;
}

static enum result put(struct exemptions *exemptions, const struct exemption *exemption)
{
    return exemption->ended ? add_ended(exemptions, exemption) : add(exemptions, exemption);
}

static const struct exemption *known(const struct exemptions *exemptions, const char *subject)
{
    const struct held *held = find(exemptions, subject);
    if (held == NULL)
        held = find_ended(exemptions, subject);
    return held == NULL ? NULL : &held->exemption;
}

enum result exemption_reason(const char *text, char out[EXEMPTION_REASON_MAX])
{
    size_t used = 0;
    if (strlen(text) >= EXEMPTION_REASON_MAX)
        return RESULT_LIMIT;
    for (; *text != '\0'; text++) {
        bool control = utf8_is_control(text);
        out[used++] = control ? ' ' : *text;
        text += control && utf8_length(text) == 2;
    }
    out[used] = '\0';
    return RESULT_OK;
}

bool exemption_is_by(const char *text)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = strspn(text, letters);
    return length > 0 && length < EXEMPTION_BY_MAX && text[length] == '\0';
}

enum result exemptions_add(struct exemptions *exemptions, const struct exemption *exemption)
{
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    enum result status = put(exemptions, exemption);
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return status;
}

/* Later than what is known, unless that was made at a time that no host would believe. */
static int64_t made_after(const struct exemption *known_one, int64_t wall_s)
{
    if (known_one == NULL || known_one->made_s < wall_s ||
        known_one->made_s > wall_s + EXEMPTION_AHEAD_S)
        return wall_s;
    return known_one->made_s + 1;
}

int64_t exemptions_made(struct exemptions *exemptions, const char *subject, int64_t wall_s)
{
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    int64_t made_s = made_after(known(exemptions, subject), wall_s);
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return made_s;
}

bool exemptions_known(struct exemptions *exemptions, const char *subject, struct exemption *out)
{
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    const struct exemption *found = known(exemptions, subject);
    if (found != NULL)
        *out = *found;
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return found != NULL;
}

static enum result end(struct exemptions *exemptions, const char *subject, int64_t wall_s,
                       const char *by)
{
    const struct held *held = find(exemptions, subject);
    if (held == NULL)
        return RESULT_NOTFOUND;
    struct exemption ended = {.made_s = made_after(&held->exemption, wall_s), .ended = true};
    ended.until_s = ended.made_s + EXEMPTION_MAX_S;
    (void)snprintf(ended.subject, sizeof ended.subject, "%s", subject);
    (void)snprintf(ended.by, sizeof ended.by, "%s", by);
    return add_ended(exemptions, &ended);
}

enum result exemptions_end(struct exemptions *exemptions, const char *subject, int64_t wall_s,
                           const char *by)
{
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    enum result status = end(exemptions, subject, wall_s, by);
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return status;
}

enum exemption_news exemptions_merge(struct exemptions *exemptions,
                                     const struct exemption *exemption, int64_t wall_s)
{
    struct exemption settled = *exemption;
    (void)exemption_settle(&settled, wall_s);
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    enum exemption_news news =
        exemption_judge(known(exemptions, settled.subject), &settled, wall_s);
    if (news == EXEMPTION_TAKEN && put(exemptions, &settled) != RESULT_OK)
        news = EXEMPTION_NO_ROOM;
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return news;
}

bool exemptions_remove(struct exemptions *exemptions, const char *subject)
{
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    struct held *held = find(exemptions, subject);
    if (held != NULL)
        drop(exemptions, held);
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return held != NULL;
}

void exemptions_remember(struct exemptions *exemptions)
{
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    exemptions->remembers = true;
    (void)pthread_rwlock_unlock(&exemptions->lock);
}

/* Its time is over.  False: there is no memory to remember that; it stays, and counts no more. */
static bool end_time(struct exemptions *exemptions, struct held *held, int64_t wall_s)
{
    struct exemption over = held->exemption;
    if (exemptions->remembers && exemption_settle(&over, wall_s))
        return add_ended(exemptions, &over) == RESULT_OK;
    drop(exemptions, held);
    return true;
}

size_t exemptions_expire(struct exemptions *exemptions, int64_t wall_s)
{
    size_t gone = 0;
    struct held *held, *next;
    (void)pthread_rwlock_wrlock(&exemptions->lock);
    HASH_ITER(hh, exemptions->all, held, next)
    {
        if (held->exemption.until_s <= wall_s && end_time(exemptions, held, wall_s))
            gone++;
    }
    HASH_ITER(hh, exemptions->ended, held, next)
    {
        if (held->exemption.until_s <= wall_s)
            forget_ended(exemptions, held);
    }
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return gone;
}

/* --- questions ------------------------------------------------------------------------------ */

size_t exemptions_count(const struct exemptions *exemptions)
{
    return atomic_load_explicit(&exemptions->count, memory_order_relaxed);
}

static const struct held *find_valid(const struct exemptions *exemptions, const char *subject,
                                     int64_t wall_s)
{
    const struct held *held = find(exemptions, subject);
    return held != NULL && wall_s < held->exemption.until_s ? held : NULL;
}

/* The smallest network counts: its reason says most. */
static const struct held *find_network(const struct exemptions *exemptions,
                                       const struct ipaddr *client, int64_t wall_s)
{
    const unsigned *lengths = client->family == IP_V4 ? exemptions->v4 : exemptions->v6;
    char text[IPNET_TEXT_MAX];
    for (unsigned bits = ipaddr_bits(client) + 1; bits-- > 0;) {
        if (lengths[bits] == 0)
            continue;
        struct ipnet net = ipnet_around(client, bits);
        const struct held *held = find_valid(exemptions, net_text(&net, text), wall_s);
        if (held != NULL)
            return held;
    }
    return NULL;
}

/* The name itself, then what it is below of. */
static const struct held *find_domain(const struct exemptions *exemptions, const char *name,
                                      int64_t wall_s)
{
    char dotted[EXEMPTION_SUBJECT_MAX];
    (void)snprintf(dotted, sizeof dotted, ".%s", name);
    for (const char *at = dotted; at != NULL; at = strchr(at + 1, '.')) {
        const struct held *held = find_valid(exemptions, at, wall_s);
        if (held != NULL)
            return held;
    }
    return NULL;
}

static const struct held *find_client(const struct exemptions *exemptions,
                                      const struct facts *facts, int64_t wall_s)
{
    const struct held *held = find_network(exemptions, &facts->client, wall_s);
    for (size_t i = 0; held == NULL && i < facts->name_count; i++)
        if (facts->names[i].confirmed)
            held = find_domain(exemptions, facts->names[i].name, wall_s);
    return held;
}

/* By a name of its PTR: nobody knows which, or one whose addresses are awaited. */
static bool awaits(const struct exemptions *exemptions, const struct facts *facts, int64_t wall_s)
{
    if (facts->ptr.awaited)
        return exemptions->domains > 0;
    for (size_t i = 0; i < facts->name_count; i++)
        if (facts->names[i].forward.awaited &&
            find_domain(exemptions, facts->names[i].name, wall_s) != NULL)
            return true;
    return false;
}

bool exemptions_await(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s)
{
    if (exemptions_count(exemptions) == 0)
        return false;
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    bool await = awaits(exemptions, facts, wall_s);
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return await;
}

bool exemptions_look(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s,
                     struct exemption *out)
{
    if (exemptions_count(exemptions) == 0 || facts->client.family == IP_NONE)
        return false;
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    const struct held *held = find_client(exemptions, facts, wall_s);
    if (held != NULL)
        *out = held->exemption;
    (void)pthread_rwlock_unlock(&exemptions->lock);
    return held != NULL;
}

bool exemptions_find(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s,
                     char *out, size_t size)
{
    struct exemption found;
    if (!exemptions_look(exemptions, facts, wall_s, &found))
        return false;
    (void)snprintf(out, size, "%s", found.reason[0] != '\0' ? found.reason : "no reason given");
    return true;
}

void exemptions_each(struct exemptions *exemptions,
                     void (*visit)(void *arg, const struct exemption *exemption), void *arg)
{
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    for (const struct held *held = exemptions->all; held != NULL; held = held->hh.next)
        visit(arg, &held->exemption);
    (void)pthread_rwlock_unlock(&exemptions->lock);
}

void exemptions_each_ended(struct exemptions *exemptions,
                           void (*visit)(void *arg, const struct exemption *exemption), void *arg)
{
    (void)pthread_rwlock_rdlock(&exemptions->lock);
    for (const struct held *held = exemptions->ended; held != NULL; held = held->hh.next)
        visit(arg, &held->exemption);
    (void)pthread_rwlock_unlock(&exemptions->lock);
}

void exemptions_free(struct exemptions *exemptions)
{
    struct held *held, *next;
    if (exemptions == NULL)
        return;
    HASH_ITER(hh, exemptions->all, held, next)
    {
        drop(exemptions, held);
    }
    HASH_ITER(hh, exemptions->ended, held, next)
    {
        forget_ended(exemptions, held);
    }
    (void)pthread_rwlock_destroy(&exemptions->lock);
    free(exemptions);
}
