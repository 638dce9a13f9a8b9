/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts from a few words, for tables of cases.  Outcomes: "NX", "NODATA", "TEMP" (SERVFAIL), "-"
 * (not asked), or addresses joined by commas; "~" before it: the answer is past its time.
 */
#ifndef IPREVD_FACTSTEXT_H
#define IPREVD_FACTSTEXT_H

#include "core/facts.h"

#define FACTSTEXT_NAMES_MAX     16
#define FACTSTEXT_ADDRESSES_MAX 16

struct factstext_memory {
    struct name_facts names[FACTSTEXT_NAMES_MAX];
    struct ipaddr addresses[FACTSTEXT_NAMES_MAX + 1][FACTSTEXT_ADDRESSES_MAX];
    char texts[FACTSTEXT_NAMES_MAX][HOSTNAME_MAX + 1];
};

struct factstext {
    const char *client; /* NULL: local submission */
    const char *ptr;    /* an outcome, or "name=outcome name=outcome localhost" */
    const char *helo;   /* NULL: none */
    const char *helo_forward, *helo_other, *helo_mx; /* outcomes; NULL: not asked */
    const char *sender;                              /* domain */
    enum mta_resolve mta;
    bool ours, client_ours, down;
    unsigned helo_domains;
    size_t over; /* PTR names that were not looked up */
};

/* Fails the test on a text that makes no sense.  `out` borrows `memory` and the texts. */
void factstext_make(const struct factstext *text, struct factstext_memory *memory,
                    struct facts *out);

#endif
