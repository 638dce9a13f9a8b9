/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean ...?": the known word that is closest to an unknown one.  Pure; thread safe. */
#ifndef IPREVD_CONF_SUGGEST_H
#define IPREVD_CONF_SUGGEST_H

#include "site/conf_schema.h"

#define CONF_HINT_MAX 900

/* Letters added, dropped, changed or swapped with their neighbour; capped at 64 bytes a word. */
unsigned conf_distance(const char *a, const char *b);

/*
 * What to say of an option or block `name` that `schema` does not have: the closest that it has,
 * the block of `file` in which it does exist, or all that there is.
 */
void conf_suggest_option(const struct conf_schema *schema, const struct conf_schema *file,
                         const char *name, char out[CONF_HINT_MAX]);

/* The closest of `count` words that is close at all, or NULL. */
const char *conf_closest(const char *const *words, size_t count, const char *name);

#endif
