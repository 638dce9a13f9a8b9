/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a host name computed from its address, as access providers do?  Decided by the
 * structure of labels, not by words alone.  Pure; thread safe.
 */
#ifndef IPREVD_GENERIC_H
#define IPREVD_GENERIC_H

#include "core/ipaddr.h"

#define GENERIC_WHY_MAX 128

struct generic {
    bool generic;
    char why[GENERIC_WHY_MAX]; /* "contains 7.113 reversed in label 1", printable; "" when not generic
                                */
};

/*
 * Judge a canonical name against its address.  `static_is_intent`: the site counts the word
 * "static" as a word of intent (a customer's server) rather than of an access line.
 */
struct generic generic_evaluate(const char *name, const struct ipaddr *addr, bool static_is_intent);

#endif
