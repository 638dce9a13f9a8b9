/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match blocks: which policy applies to whom.  First match wins; all conditions of a block
 * are required, the values of one are alternatives.  Evaluation is a function of its arguments.
 */
#ifndef IPREVD_MATCH_H
#define IPREVD_MATCH_H

#include "core/checks.h"
#include "core/policy.h"
#include "site/listed.h"
#include "site/net_list.h"
#include "site/pattern_list.h"

#include <string.h>

struct match {
    char *name;
    const char *file;        /* that it stands in, the configuration or one that it includes */
    unsigned line;           /* there */
    unsigned text_line;      /* for messages (site/conf_message.h) */
    struct net_list *client; /* conditions: NULL when not set */
    struct pattern_list *ptr, *unconfirmed_ptr, *helo, *sender, *recipient, *listener;
    struct listed *listed;
    const struct policy *policy; /* NULL: policy "none", no checks */
    char *reason;                /* or NULL */
    int64_t until_s;             /* wall clock: stops matching at that second; 0: never */
};

/* The block's lists of patterns, NULL those that are not set. */
#define MATCH_LISTS 6
static inline void match_lists(const struct match *match, struct pattern_list *out[MATCH_LISTS])
{
    struct pattern_list *const lists[MATCH_LISTS] = {match->ptr,       match->unconfirmed_ptr,
                                                     match->helo,      match->sender,
                                                     match->recipient, match->listener};
    memcpy(out, lists, sizeof lists);
}

/* Is `client` its only condition, if that? */
static inline bool match_asks_for_client_only(const struct match *match)
{
    return match->ptr == NULL && match->unconfirmed_ptr == NULL && match->helo == NULL &&
           match->sender == NULL && match->recipient == NULL && match->listener == NULL &&
           match->listed == NULL && match->until_s == 0;
}

/* Who is asking. */
struct match_subject {
    const struct facts *facts;
    const char *sender; /* canonical (core/mailpath.h); "" for the null sender; NULL before MAIL */
    const char *recipient; /* canonical; NULL before RCPT */
    const char *listener;  /* {daemon_name}, or NULL */
};

/* The first block that matches at wall_s, or NULL. */
const struct match *match_find(const struct match *matches, size_t count,
                               const struct match_subject *subject, int64_t wall_s);

/*
 * Is the block that match_find() returns the one that it will return when nothing in the facts is
 * awaited any more, whatever the answers are?
 */
bool match_is_settled(const struct match *matches, size_t count,
                      const struct match_subject *subject, int64_t wall_s);

/* Does a block, of those that are not over, have a condition that this PTR name fits? */
bool match_asks_for_ptr(const struct match *matches, size_t count, const char *name,
                        int64_t wall_s);

/*
 * The DNS lists that the block which is found may depend on, as far as is known at connect (client
 * and listener of `subject`): none behind a block that is certain to be found.  Returns their
 * number; they live as long as the blocks.
 */
size_t match_list_zones(const struct match *matches, size_t count,
                        const struct match_subject *subject, int64_t wall_s,
                        const char *zones[LISTED_ZONES_MAX]);

/*
 * Does the block, at wall_s, not fit for the only reason that a DNS list said nothing?  `fits`: a
 * PTR name that is awaited counts as one that fits, or as one that does not.
 */
bool match_is_silent(const struct match *match, const struct match_subject *subject, int64_t wall_s,
                     bool fits);

#endif
