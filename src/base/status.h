/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outcome of everything that can fail, as a value.  Out-parameters are
 * written only when a function returns STATUS_OK.
 */
#ifndef IPREVD_STATUS_H
#define IPREVD_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_NOMEM,    /* out of memory: ends one session, never the daemon */
    STATUS_INVALID,  /* the input is malformed */
    STATUS_LIMIT,    /* a named limit was reached */
    STATUS_NOTFOUND, /* no such thing */
    STATUS_PENDING,  /* not answered yet: the answer comes later */
    STATUS_CLOSED,   /* shutting down */
    STATUS_IO,       /* the system refused; errno says why */
};

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* A word for logs; never NULL.  Thread safe. */
const char *status_text(enum status status);

#endif
