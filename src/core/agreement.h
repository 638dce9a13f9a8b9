/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well EHLO, PTR and A agree: a graded value, best first.  Pure; thread safe.
 */
#ifndef IPREVD_AGREEMENT_H
#define IPREVD_AGREEMENT_H

#include "core/facts.h"
#include "core/iprev.h"
#include "core/orgdomain.h"

enum agreement {
    AGREEMENT_EXACT,   /* EHLO is a confirmed PTR name */
    AGREEMENT_FORWARD, /* EHLO resolves to the client */
    AGREEMENT_LITERAL, /* EHLO is the client's own address literal */
    AGREEMENT_DOMAIN,  /* EHLO and a confirmed PTR share the organizational domain */
    AGREEMENT_NETWORK, /* EHLO resolves into the client's neighbour network */
    AGREEMENT_NONE,
    AGREEMENT_UNKNOWN, /* a temporary failure stands between us and the answer */
};
#define AGREEMENT_COUNT 7

/* Sizes of the neighbour network, in prefix bits. */
struct neighbour_bits {
    unsigned v4; /* default 24 */
    unsigned v6; /* default 64 */
};

const char *agreement_text(enum agreement agreement);

/*
 * The best grade that the facts prove.  UNKNOWN only when a better grade than the proven one could
 * still come out of a question that failed temporarily, was not asked, or was answered past its
 * time.  `list` may be NULL (then no DOMAIN grade).
 */
enum agreement agreement_evaluate(const struct facts *facts, const struct iprev *iprev,
                                  const struct orgdomain *list, struct neighbour_bits neighbours);

#endif
