/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The condition `listed` of a match block: DNS lists of which one has to list the client.  A list
 * that says nothing, or that was not asked, lists nobody.  Immutable: thread safe.
 */
#ifndef IPREVD_LISTED_H
#define IPREVD_LISTED_H

#include "core/dnslist.h"

/* Different lists of a configuration, at most: so many questions a client. */
#define LISTED_ZONES_MAX 16

struct listed;

/*
 * Build from the words of the configuration (copied), each as dnslist_parse() has them.
 * RESULT_INVALID: *bad is the index of the word, and *why says what is wrong with it, static;
 * RESULT_NOMEM.
 */
enum result listed_new(const char *const *words, size_t count, struct listed **out, size_t *bad,
                       const char **why) MUST_CHECK;

bool listed_fits(const struct listed *listed, const struct facts *facts);

/* Does it fit if every list that is awaited lists the client, or (`fits` false) if none does? */
bool listed_would_fit(const struct listed *listed, const struct facts *facts, bool fits);

/* Does it not fit for the only reason that a list said nothing? */
bool listed_is_silent(const struct listed *listed, const struct facts *facts);

/* Is this an answer that one of its words looks for? */
bool listed_looks_for(const struct listed *listed, const struct list_facts *list);

/* Does `wide` fit whenever `narrow` does?  *left as of pattern_list_covers(). */
bool listed_covers(const struct listed *wide, const struct listed *narrow, size_t *left);

/*
 * Add its zones to the `count` ones in `zones`, each once; they live as long as the list.  Returns
 * their number, at most `max`.
 */
size_t listed_zones(const struct listed *listed, const char **zones, size_t max, size_t count);

const char *const *listed_words(const struct listed *listed, size_t *count); /* as given */

/* free(NULL) is fine. */
void listed_free(struct listed *listed);

#endif
