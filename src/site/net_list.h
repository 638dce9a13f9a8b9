/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, networks and cidr: tables, of a match block.  Immutable: thread safe. */
#ifndef IPREVD_NET_LIST_H
#define IPREVD_NET_LIST_H

#include "core/ipaddr.h"
#include "site/tables/accesstable.h"

struct net_list;

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
                           void (*tell)(void *arg, const struct accesstable_warning *warning),
                           void *arg);
/* Its networks, less those of its tables. */
const struct ipnet *net_list_nets(const struct net_list *list, size_t *count);
bool net_list_has_tables(const struct net_list *list);
bool net_list_has(const struct net_list *list, const struct ipaddr *addr);
/* Has some file behind it changed?  As accesstable_changed(), of all of them.  Does I/O. */
uint64_t net_list_changed(const struct net_list *list, bool *unseen);
const char *const *net_list_words(const struct net_list *list, size_t *count); /* as given */
void net_list_free(struct net_list *list);

#endif
