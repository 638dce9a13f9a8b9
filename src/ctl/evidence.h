/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A decision with all its evidence, for people: what was asked of the DNS and answered, what
 * follows, what would be done and what is to be fixed by whom.
 */
#ifndef IPREVD_EVIDENCE_H
#define IPREVD_EVIDENCE_H

#include "ctl/advice.h"
#include "ctl/check_smtp.h"
#include "site/decision.h"
#include "site/exemptions.h"

#include <stdio.h>

/* An exemption or match block that would fit, were a PTR name of the client confirmed. */
struct almost {
    const char *name;           /* NULL: there is none */
    struct exemption exemption; /* subject "": it is a match block */
    const struct match *match;
};

/* Where and what besides the decision; all borrowed. */
struct evidence_page {
    FILE *stream;
    bool colour;
    unsigned columns;                  /* sentences are folded there */
    const char *host;                  /* whose address the client is, or NULL */
    const char *source;                /* where else it was found, untrusted text; or NULL */
    const char *passed_over;           /* the option by which the daemon would not judge; or NULL */
    const struct exemption *exemption; /* the exemption in effect, or NULL */
    const struct almost *almost;
    const struct reply *reply; /* NULL when nothing is refused */
    const struct inquiry *more;
    const struct smtp_probe *smtp; /* NULL: not asked */
    const struct advice *advice;
};

void evidence_print(const struct evidence_page *page, const struct decision *decision,
                    const struct transaction *transaction);

/* An answer as "found", "no such name (NXDOMAIN)", with its origin, TTL and time; ends the line. */
void evidence_put_outcome(FILE *stream, const struct dns_evidence *evidence);

/* "  [127.0.0.1:53, ttl 3600, 12 ms, DNSSEC]"; nothing when it was not asked. */
void evidence_put_origin(FILE *stream, const struct dns_evidence *evidence);

/* "client     ", what stands at the left of every line. */
void evidence_put_label(FILE *stream, const char *label, bool colour);

void evidence_put_action(FILE *stream, enum action action, bool colour);

#endif
