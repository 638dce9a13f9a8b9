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
#define EXEMPTION_BY_MAX      65                 /* a host's name, with NUL */

struct exemption {
    /* "192.0.2.1", "2001:db8::/32", or ".example.org": that domain and all below it. */
    char subject[EXEMPTION_SUBJECT_MAX];
    char reason[EXEMPTION_REASON_MAX]; /* untrusted text; of one that was ended: "" */
    char by[EXEMPTION_BY_MAX];         /* the host of a farm where it was made; "": this one */
    int64_t made_s, until_s;           /* wall clock */
    bool ended; /* it says that no earlier exemption of the subject counts (a tombstone) */
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

/* May this be the name of a host in `by`: letters, digits, ".", "-" and "_"? */
bool exemption_is_by(const char *text);

/*
 * Add, or replace the one of that subject, which must be canonical.  RESULT_LIMIT: there are
 * EXEMPTIONS_MAX.  RESULT_NOMEM.
 */
enum result exemptions_add(struct exemptions *exemptions,
                           const struct exemption *exemption) MUST_CHECK;

/* False: there was none. */
bool exemptions_remove(struct exemptions *exemptions, const char *subject);

/*
 * From now on it is remembered which exemptions were there and are over (site/exemption_merge.h):
 * for farms.  Before any other thread uses them, or on the thread that changes them.
 */
void exemptions_remember(struct exemptions *exemptions);

/*
 * On a farm: remove it and remember that it was ended, for EXEMPTION_MAX_S, so that no other host
 * brings it back.  `by` is this host.  Where EXEMPTIONS_MAX are remembered the earliest is
 * forgotten.  RESULT_NOTFOUND: there is no such exemption.  RESULT_NOMEM: it is as it was.
 */
enum result exemptions_end(struct exemptions *exemptions, const char *subject, int64_t wall_s,
                           const char *by) MUST_CHECK;

/*
 * What another host of the farm says, merged by the rules of site/exemption_merge.h.  What is taken
 * is in effect at once.
 */
enum exemption_news {
    EXEMPTION_SAME,    /* known as it is */
    EXEMPTION_TAKEN,   /* new here: it counts from now on */
    EXEMPTION_OLDER,   /* what is known here counts */
    EXEMPTION_AHEAD,   /* made too far in the future: a clock is wrong */
    EXEMPTION_OVER,    /* its time is over */
    EXEMPTION_UNSOUND, /* for longer than any exemption may be */
    EXEMPTION_NO_ROOM, /* there are EXEMPTIONS_MAX, or no memory */
};
enum exemption_news exemptions_merge(struct exemptions *exemptions,
                                     const struct exemption *exemption, int64_t wall_s);

/* What is known of a subject, also that it was ended.  False: nothing. */
bool exemptions_known(struct exemptions *exemptions, const char *subject, struct exemption *out);

/*
 * When an exemption of the subject that is made here at wall_s says that it was made, so that it
 * counts for more than what is known of the subject, whichever host's clock was ahead.
 */
int64_t exemptions_made(struct exemptions *exemptions, const char *subject, int64_t wall_s);

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

/* The same for those of which is remembered that they were ended. */
void exemptions_each_ended(struct exemptions *exemptions,
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
