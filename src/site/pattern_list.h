/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and mailboxes of a match block: exact, .suffix, * wildcard, and pcre:, regexp:, texthash:
 * and cidr: tables.  Immutable: thread safe.
 */
#ifndef IPREVD_PATTERN_LIST_H
#define IPREVD_PATTERN_LIST_H

#include "site/tables/accesstable.h"

struct pattern_list;

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
/* As net_list_new(). */
enum result pattern_list_new(enum pattern_kind kind, const char *const *words, size_t count,
                             struct pattern_list **out, size_t *bad,
                             char error[ACCESSTABLE_ERROR_MAX]) MUST_CHECK;
/* As net_list_read_as(), and so are the others of these names. */
size_t pattern_list_read_as(struct pattern_list *list, enum accesstable_sense sense);
void pattern_list_each_warning(const struct pattern_list *list,
                               void (*tell)(void *arg, const struct accesstable_warning *warning),
                               void *arg);
/* The word or table entry that matched (lives as long as the list), or NULL. */
const char *pattern_list_find(const struct pattern_list *list, const char *text);
/*
 * Does `list` find every text that `narrow`, of the same kind, finds?  True only where the words
 * alone show it; files are taken for the same when they have one name.  *left, counted down, is how
 * many pairs of words may still be looked at; at 0 the answer is false.
 */
bool pattern_list_covers(const struct pattern_list *list, const struct pattern_list *narrow,
                         size_t *left);
uint64_t pattern_list_changed(const struct pattern_list *list, bool *unseen);
/* As accesstable_limit_hits(), of all its tables. */
uint64_t pattern_list_limit_hits(const struct pattern_list *list);
const char *const *pattern_list_words(const struct pattern_list *list, size_t *count);
void pattern_list_free(struct pattern_list *list);

#endif
