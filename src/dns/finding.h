/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What whoever looks after the DNS servers should know, found while they are asked: each finding is
 * counted, with the time of the last one, and due in the log now and then.  Metrics and `iprevctl
 * status` show them.  The loop's thread, except for the texts.
 */
#ifndef IPREVD_FINDING_H
#define IPREVD_FINDING_H

#include "base/loop.h"
#include "base/metrics.h"

enum finding {
    FINDING_GUESSING,     /* packets pretend to answer */
    FINDING_NO_EDNS,      /* questions with EDNS0 are not answered */
    FINDING_LETTERS,      /* the letters of questions are changed */
    FINDING_STRIPS_SOA,   /* denials have no SOA record */
    FINDING_UNPROVED,     /* a denial is not believed */
    FINDING_DENIES_ALL,   /* every PTR record is denied */
    FINDING_INVENTS,      /* names that do not exist have addresses */
    FINDING_RECORD_LIMIT, /* more records of a type than the server takes */
    FINDING_ALIAS_LIMIT,  /* more aliases than dns.max-cname-hops */
    FINDING_PTR_FAILS,    /* PTR lookups fail, other names resolve */
    FINDING_TCP_FULL,     /* all connections of dns.max-tcp are in use */
    FINDING_DROPS,        /* more questions than dns.max-queries */
    FINDING_COUNT
};

/* The metrics that findings are counted in, by the label "finding". */
#define FINDINGS_METRIC      "iprevd_dns_findings_total"
#define FINDINGS_LAST_METRIC "iprevd_dns_finding_timestamp_seconds"

/* Several may share a registry: they count together, and each has lines of its own. */
struct finding_log {
    struct metric *found, *last; /* NULL: there is no registry */
    int64_t logged_ms[FINDING_COUNT];
};

/* `metrics` may be NULL.  False: out of memory. */
bool finding_declare(struct finding_log *out, struct metrics *metrics) MUST_CHECK;

/*
 * It was found once more, now by the loop's clock.  True: a line about it is due, as none was for
 * as long as it is news.
 */
bool finding_note(struct finding_log *findings, enum finding what, struct loop *loop);

/* One line for people.  NULL: there is no such finding.  Any thread. */
const char *finding_text(size_t what);

#endif
