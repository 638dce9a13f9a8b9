/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exemptions made while the daemon runs (iprevctl allow): a network or a domain, until when, and
 * why.  In effect at once, kept in a file, gone when their time is over.  Thread safe throughout;
 * a session's question costs one atomic read while there are none, else a hash lookup for each
 * prefix length and each label of a confirmed name.
 */
#ifndef IPREVD_EXEMPTIONS_H
#define IPREVD_EXEMPTIONS_H

#include "core/facts.h"

#include <stdint.h>

struct exemptions;

#define EXEMPTIONS_FILE       "exemptions"       /* its name below state-dir */
#define EXEMPTIONS_MAX        4096               /* at a time: an administrator's, by hand */
#define EXEMPTION_SUBJECT_MAX (HOSTNAME_MAX + 2) /* with the dot and NUL */
#define EXEMPTION_REASON_MAX  201                /* with NUL; as in a match block */
#define EXEMPTION_MAX_S       INT64_C(31622400)  /* 366 days: nothing is for ever by mistake */

struct exemption {
    /* "192.0.2.1", "2001:db8::/32", or ".example.org": that domain and all below it. */
    char subject[EXEMPTION_SUBJECT_MAX];
    char reason[EXEMPTION_REASON_MAX]; /* untrusted text */
    int64_t made_s, until_s;           /* wall clock */
};

/* NULL: out of memory.  free(NULL) is fine. */
struct exemptions *exemptions_new(void) MUST_CHECK;
void exemptions_free(struct exemptions *exemptions);

/*
 * Write a subject in its canonical form.  RESULT_INVALID: it is no address, network (without bits
 * after the prefix) or domain of two labels or more with a dot before it.
 */
enum result exemption_subject(const char *text, char out[EXEMPTION_SUBJECT_MAX]) MUST_CHECK;

/*
 * Copy a reason.  Control characters become spaces: written as escapes, as they have to be, they
 * would make the reason another one, and longer, with every save.  RESULT_LIMIT: it is too long.
 */
enum result exemption_reason(const char *text, char out[EXEMPTION_REASON_MAX]) MUST_CHECK;

/*
 * Add, or replace the one of that subject, which must be canonical.  RESULT_LIMIT: there are
 * EXEMPTIONS_MAX.  RESULT_NOMEM.
 */
enum result exemptions_add(struct exemptions *exemptions,
                           const struct exemption *exemption) MUST_CHECK;

/* False: there was none. */
bool exemptions_remove(struct exemptions *exemptions, const char *subject);

/* Remove those whose time is over.  How many there were. */
size_t exemptions_expire(struct exemptions *exemptions, int64_t wall_s);

size_t exemptions_count(const struct exemptions *exemptions);

/* Which one lets this client through?  As exemptions_find(); a copy in *out. */
bool exemptions_look(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s,
                     struct exemption *out);

/*
 * Is this client exempt?  By its address, or by a confirmed PTR name; an unconfirmed one proves
 * nothing.  The reason is copied into `out` (size bytes), or "no reason given".
 */
bool exemptions_find(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s,
                     char *out, size_t size);

/* Could one be for this client by a PTR name that is awaited? */
bool exemptions_await(struct exemptions *exemptions, const struct facts *facts, int64_t wall_s);

/* Visit all, under a lock: visit must be quick.  In order of making. */
void exemptions_each(struct exemptions *exemptions,
                     void (*visit)(void *arg, const struct exemption *exemption), void *arg);

/*
 * Save to `path`: atomic (PATH.new, fsync, rename).  Does I/O; one caller at a time.  RESULT_IO:
 * errno, and the older file is untouched.
 */
enum result exemptions_save(struct exemptions *exemptions, const char *path) MUST_CHECK;

/*
 * Load from `path`, leaving out what is over.  RESULT_NOTFOUND: no file.  RESULT_IO: errno.
 * RESULT_INVALID: damaged at *line (1 is the first); what was whole is loaded all the same, so that
 * damage does not refuse anybody's mail.  RESULT_NOMEM.
 */
enum result exemptions_load(struct exemptions *exemptions, const char *path, int64_t wall_s,
                            unsigned *line) MUST_CHECK;

#endif
