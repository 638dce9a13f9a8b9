/* SPDX-License-Identifier: BSD-2-Clause */
/* Does a list stand for everybody?  It is asked about samples, so that tables and halves count. */
#ifndef IPREVD_CONF_EVERYBODY_H
#define IPREVD_CONF_EVERYBODY_H

#include "site/match.h"

enum everybody { EVERYBODY_NO, EVERYBODY_V4, EVERYBODY_V6, EVERYBODY_YES };

/* Whom `has` holds of: samples of all over the family's addresses.  Pure. */
enum everybody everybody_in(bool (*has)(const void *arg, const struct ipaddr *addr),
                            const void *arg);

/* For whom all conditions of the block hold, whatever they say and whenever that is.  Pure. */
enum everybody everybody_matches(const struct match *match);

/* "every client", "every IPv4 client", "every IPv6 client"; not for EVERYBODY_NO. */
const char *everybody_text(enum everybody who);

#endif
