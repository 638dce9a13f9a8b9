/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache as the control socket shows it: records as JSON objects.  The loop's thread, or any
 * other one.
 */
#ifndef IPREVD_CACHEVIEW_H
#define IPREVD_CACHEVIEW_H

#include "dns/cache.h"
#include "dns/resolver.h"

/*
 * What the cache has about a host name (every type), or about an address (its PTR names, and their
 * addresses of its family).  put() takes one malloc'ed line a record.  Returns how many.
 * addr.family IP_NONE: the name.
 */
size_t cacheview_get(struct resolver *resolver, const struct ipaddr *addr, const char *name,
                     void (*put)(void *arg, char *line), void *arg);

/* Forget the same; name "" and no address: everything.  How many records went. */
size_t cacheview_flush(struct resolver *resolver, const struct ipaddr *addr, const char *name);

/* All records, one after another.  NULL: out of memory.  free(NULL) is fine. */
struct cacheview_dump;
struct cacheview_dump *cacheview_dump_new(struct resolver *resolver) MUST_CHECK;
void cacheview_dump_free(struct cacheview_dump *dump);

/*
 * The next record as a malloc'ed line, in *line.  RESULT_NOTFOUND: that was all.  RESULT_NOMEM.
 */
enum result cacheview_dump_next(struct cacheview_dump *dump, char **line) MUST_CHECK;

#endif
