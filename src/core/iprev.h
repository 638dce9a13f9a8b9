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
    IPREV_TEMPERROR, /* not known for now, or nobody asked */
    IPREV_PERMERROR, /* no PTR */
};
#define IPREV_RESULT_COUNT 4

struct iprev {
    enum iprev_result result;
    /* PASS: a confirmed name: EHLO's if it is one, else the first of those whose answer is in time,
       if there is any.  Else NULL.  Borrowed. */
    const struct name_facts *confirmed;
    /*
     * Why it is TEMPERROR, which may have several reasons.
     * failed: a lookup failed temporarily, or nobody asked.
     * expired: an answer whose time is over (RFC 8767) may speak for a client and never against it.
     * excess: none of the names that were looked up leads back, and some were left out by max-ptr:
     * a limit of ours proves nothing.
     */
    bool failed, expired, excess;
};

/* "pass", "fail", "temperror", "permerror": also the Authentication-Results result. */
const char *iprev_result_text(enum iprev_result result);

/*
 * Any match: pass.  Else any temporary failure: temperror.  Else fail; no PTR: permerror.  What
 * would be fail or permerror by an expired answer, or fail with names that were not looked up, is
 * temperror.
 */
struct iprev iprev_evaluate(const struct facts *facts);

#endif
