/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Organizational domains by the Public Suffix List (libpsl): mail.example.co.uk
 * belongs to example.co.uk.
 */
#ifndef IPREVD_ORGDOMAIN_H
#define IPREVD_ORGDOMAIN_H

#include <stdbool.h>

struct orgdomain; /* a loaded list, immutable: thread safe */

/*
 * The newest list at hand: `path` if not NULL, else the system's or libpsl's built-in one.
 * NULL when there is none, with errno ENOMEM when memory is out.  orgdomain_free(NULL) is fine.
 */
struct orgdomain *orgdomain_load(const char *path);
void orgdomain_free(struct orgdomain *list);

/*
 * The organizational domain of a canonical name: a pointer into `name`, or NULL when the name is
 * itself a public suffix, or `list` is NULL.
 */
const char *orgdomain_of(const struct orgdomain *list, const char *name);

/* Has the name one?  Cheaper than to find it. */
bool orgdomain_exists(const struct orgdomain *list, const char *name);

/* True when both have an organizational domain and it is the same. */
bool orgdomain_same(const struct orgdomain *list, const char *a, const char *b);

/*
 * Is the label (lower case) a top-level domain of the public root, by the ICANN part of libpsl's
 * built-in list?  True as well when libpsl has no such list: nothing then says that it is not.
 */
bool orgdomain_is_toplevel(const char *label);

#endif
