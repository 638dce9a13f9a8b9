/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The iprev result of RFC 8601 2.7.3 and 3 from the facts.  Pure; thread safe.
 */
#ifndef IPREVD_IPREV_H
#define IPREVD_IPREV_H

#include "core/facts.h"

enum iprev_result {
    IPREV_PASS,
    IPREV_FAIL,      /* PTR exists, no name leads back to the client */
    IPREV_TEMPERROR, /* could not be told for now, or nobody asked */
    IPREV_PERMERROR, /* no PTR */
};
#define IPREV_RESULT_COUNT 4

struct iprev {
    enum iprev_result result;
    const struct name_facts *confirmed; /* PASS: the first confirmed name (EHLO's name if it is
                                           one), else NULL; borrowed */
};

/* "pass", "fail", "temperror", "permerror": also the Authentication-Results result. */
const char *iprev_result_text(enum iprev_result result);

/* True when name is usable and one of its addresses is the client. */
bool iprev_confirms(const struct facts *facts, const struct name_facts *name);

/* Any match: pass.  Else any temporary failure: temperror.  Else fail; no PTR: permerror. */
struct iprev iprev_evaluate(const struct facts *facts);

#endif
