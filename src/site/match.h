/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match blocks: which policy applies to whom.  First match wins; all conditions of a block
 * are required, the values of one are alternatives.  Evaluation is a function of its arguments.
 */
#ifndef IPREVD_MATCH_H
#define IPREVD_MATCH_H

#include <string.h>

#include "core/checks.h"
#include "core/policy.h"
#include "site/tables/accesstable.h"

/* Addresses, networks and cidr: files. */
struct net_list;
/* Names: exact, .suffix, * wildcard, and pcre: regexp: texthash: cidr: files. */
struct pattern_list;

/*
 * Build from the words of the configuration (copied).  On error *bad is the index of the word and
 * `error` says why ("" when the word itself is not of the form that is allowed);
 * RESULT_INVALID, RESULT_IO, RESULT_LIMIT, RESULT_NOMEM.  free(NULL) is fine.
 */
enum result net_list_new(const char *const *words, size_t count, struct net_list **out, size_t *bad,
                         char error[ACCESSTABLE_ERROR_MAX]) MUST_CHECK;
/*
 * From now on the entries of its tables are read in this sense (at first SENSE_ANY).  Returns how
 * many of them are not listed because of it.  As pattern_list_read_as().
 */
size_t net_list_read_as(struct net_list *list, enum accesstable_sense sense);
/* What in its tables is hardly meant as it is written. */
void net_list_each_warning(const struct net_list *list,
                           void (*tell)(void *arg, const char *warning), void *arg);
/* Its networks, less those of its tables. */
const struct ipnet *net_list_nets(const struct net_list *list, size_t *count);
bool net_list_has_tables(const struct net_list *list);
bool net_list_has(const struct net_list *list, const struct ipaddr *addr);
/* Has some file behind it changed?  As accesstable_changed(), of all of them.  Does I/O. */
uint64_t net_list_changed(const struct net_list *list, bool *unseen);
const char *const *net_list_words(const struct net_list *list, size_t *count); /* as given */
void net_list_free(struct net_list *list);

/*
 * What a list is of decides how words are read; all compare without case.
 * PATTERN_HOST: "mail.example.org" that name, ".example.org" example.org and what is below it,
 *   '*' any run of characters, dots too.
 * PATTERN_MAIL: "user@example.org"; "postmaster", without dot and @, is a local part of any domain;
 *   "example.org" is the domain, ".example.org" the domain and what is below it; '*' as above, in
 * the whole address when the pattern has an @, else in the domain; "" is the null sender.
 * PATTERN_WORD: plain words and '*' (listener).
 * U-labels in a word are A-labels, and a mailbox without '*' is canonical (core/mailpath.h), as
 * what it is compared with has to be.
 */
enum pattern_kind { PATTERN_HOST, PATTERN_MAIL, PATTERN_WORD };
enum result pattern_list_new(enum pattern_kind kind, const char *const *words, size_t count,
                             struct pattern_list **out, size_t *bad,
                             char error[ACCESSTABLE_ERROR_MAX]) MUST_CHECK;
size_t pattern_list_read_as(struct pattern_list *list, enum accesstable_sense sense);
void pattern_list_each_warning(const struct pattern_list *list,
                               void (*tell)(void *arg, const char *warning), void *arg);
/* The word or table entry that matched (lives as long as the list), or NULL. */
const char *pattern_list_find(const struct pattern_list *list, const char *text);
uint64_t pattern_list_changed(const struct pattern_list *list, bool *unseen);
/* As accesstable_limit_hits(), of all its tables. */
uint64_t pattern_list_limit_hits(const struct pattern_list *list);
const char *const *pattern_list_words(const struct pattern_list *list, size_t *count);
void pattern_list_free(struct pattern_list *list);

struct match {
    char *name;
    const char *file;        /* that it stands in, the configuration or one that it includes */
    unsigned line;           /* there */
    unsigned text_line;      /* for messages (site/conf_message.h) */
    struct net_list *client; /* conditions: NULL when not set */
    struct pattern_list *ptr, *unconfirmed_ptr, *helo, *sender, *recipient, *listener;
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
           match->until_s == 0;
}

/* One number for two versions of tables; 0, "not changed", only for two of those. */
static inline uint64_t tables_version(uint64_t a, uint64_t b)
{
    return b == 0 ? a : ((a * UINT64_C(0x100000001b3)) ^ b) | 1;
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

#endif
