/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resolvers take so many records of one type (BIND since 9.18.28: max-records-per-type, 100;
 * PowerDNS Recursor: max-rrset-size, 256) and answer SERVFAIL to more, without a word why.  What
 * tells that from a zone that is broken is that the same name's SOA can be asked for.
 */
#include "dns/query_private.h"

#include "base/log.h"
#include "dns/dnsrr.h"

#include <stdlib.h>

#define LOOKS_MAX   10 /* a minute: each is a question more */
#define LOOKS_MS    60000
#define PATIENCE_MS 4000

struct limit_look {
    struct query_pool *pool;
    struct server *server;
    struct question question; /* that failed */
    struct denial heard;
};

static void log_limit(const struct limit_look *look)
{
    char name[NAME_TEXT_MAX];
    if (!finding_note(&look->pool->findings, FINDING_RECORD_LIMIT, look->pool->loop))
        return;
    log_warning(
        "DNS server %s answers SERVFAIL for the PTR records of %s but not for its SOA: most "
        "likely there are more than it takes (BIND: max-records-per-type, PowerDNS Recursor: "
        "max-rrset-size)",
        look->server->text, wirename_text(look->question.name, look->question.length, name));
}

static void on_answer(void *arg, const struct source_result *result)
{
    struct limit_look *look = arg;
    const struct answer *answer = result->answer;
    if (answer != NULL && answer->outcome == DNS_NODATA && look->heard.apex_length > 0)
        log_limit(look);
    answer_unref(result->answer);
    server_unref(look->server);
    free(look);
}

static bool may_look(struct query_pool *pool, int64_t now_ms)
{
    if (pool->looks == 0 || now_ms - pool->looks_since_ms >= LOOKS_MS) {
        pool->looks_since_ms = now_ms;
        pool->looks = 0;
    }
    if (pool->looks == LOOKS_MAX)
        return false;
    pool->looks++;
    return true;
}

void query_suspect_limit(struct query_pool *pool, struct server *server,
                         const struct question *question)
{
    int64_t now_ms = loop_now_ms(pool->loop);
    struct question soa = *question;
    if (question->type != RR_PTR || !may_look(pool, now_ms))
        return;
    struct limit_look *look = malloc(sizeof *look);
    if (look == NULL)
        return; /* another time */
    *look = (struct limit_look){.pool = pool, .server = server_ref(server), .question = *question};
    soa.type = RR_SOA;
    (void)query_start_proof(pool, &soa, server, now_ms + PATIENCE_MS, &look->heard, on_answer,
                            look);
}
