/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outcome of everything that can fail, as a value.  Out-parameters are
 * written only when a function returns RESULT_OK.
 */
#ifndef IPREVD_RESULT_H
#define IPREVD_RESULT_H

enum result {
    RESULT_OK = 0,
    RESULT_NOMEM,    /* out of memory: ends one session, never the daemon */
    RESULT_INVALID,  /* the input is malformed */
    RESULT_LIMIT,    /* a named limit was reached */
    RESULT_NOTFOUND, /* no such thing */
    RESULT_PENDING,  /* not answered yet: the answer comes later */
    RESULT_CLOSED,   /* shutting down */
    RESULT_IO,       /* the system refused; errno says why */
};

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/* A word for logs; never NULL.  Thread safe. */
const char *result_text(enum result status);

#endif
