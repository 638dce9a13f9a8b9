/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolv.conf(5): which servers the system uses, and how.  Of the file's options those
 * count that say how to ask; search lists do not, as only full names are asked for, nor attempts,
 * as a question is repeated until its deadline.
 */
#ifndef IPREVD_RESOLVCONF_H
#define IPREVD_RESOLVCONF_H

#include "dns/network.h"

#define RESOLVCONF_SIZE_MAX 65536 /* bytes read of the file */
#define RESOLVCONF_SERVERS_MAX                                                                     \
    3 /* as in the C library: what follows was never asked by anybody                              \
       */

/* Upper limit of the option, as in the C library. */
#define RESOLVCONF_TIMEOUT_MAX_S 30

struct resolvconf {
    struct network_server servers[RESOLVCONF_SERVERS_MAX];
    unsigned count;      /* at least 1: 127.0.0.1 when none is usable (resolv.conf(5)) */
    unsigned ignored;    /* nameserver lines that are no address, or too many */
    unsigned absent;     /* of these: link-local addresses of interfaces that are not there (yet) */
    bool none;           /* no line was usable: the one server is the default */
    unsigned timeout_ms; /* 0: not set */
    bool rotate;
    bool use_vc;   /* TCP from the start */
    bool trust_ad; /* the servers' AD bit counts */
};

/* What tells one state of the file from another. */
struct resolvconf_stamp {
    bool exists;
    uint64_t device, inode;
    int64_t size, mtime_s, mtime_ns;
};

/* Read the text of a file.  Never fails: what is not understood is ignored.  Pure. */
void resolvconf_parse(const char *text, size_t length, struct resolvconf *out);

/*
 * Read the file and its stamp; never waits for what is no plain file.  RESULT_IO (errno): *out is
 * what no file means.  RESULT_NOMEM.
 */
enum result resolvconf_read(const char *path, struct resolvconf *out,
                            struct resolvconf_stamp *stamp) MUST_CHECK;

/* Has the file another stamp now?  Does I/O. */
bool resolvconf_changed(const char *path, const struct resolvconf_stamp *stamp);

#endif
