/* SPDX-License-Identifier: BSD-2-Clause */
/* Match blocks that are never reached because an earlier one fits whenever they do. */
#ifndef IPREVD_CONF_SHADOW_H
#define IPREVD_CONF_SHADOW_H

#include "site/match.h"

/*
 * Tell every block whose client condition names networks, no table, each of which lies in a network
 * of an earlier block that has no other condition and no end; `by` is such a block.  Takes time in
 * proportion to the networks (and their sorting).  And every block of which each condition has an
 * earlier block's that is as wide or wider, as far as the words show it; of very many blocks and
 * words not all are compared.  False: out of memory.
 */
bool conf_shadow_find(const struct match *matches, size_t count,
                      void (*tell)(void *arg, const struct match *match, const struct match *by),
                      void *arg) MUST_CHECK;

#endif
