/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of Valkey and Redis (RESP2) as bytes: requests out, replies in.  The one place where
 * hiredis is used, and of it only the formatter and the reader: no connection, no thread, no wait.
 *
 * A reply is bounded before anything is allocated for it: the reader of hiredis would take any
 * length that is announced.  One owner at a time.
 */
#ifndef IPREVD_RESP_H
#define IPREVD_RESP_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of one reply.  4,096 exemptions and as many that were ended are 16,384 texts in some 4 MiB. */
#define RESP_BYTES_MAX ((size_t)8 << 20) /* as it is sent */
#define RESP_TEXT_MAX  65536             /* bytes of one text */
#define RESP_ITEMS_MAX 65536             /* texts, numbers and lists in it */
#define RESP_DEPTH_MAX 6                 /* lists in lists: XREAD's answer has 5 */

enum resp_kind { RESP_TEXT, RESP_STATUS, RESP_ERROR, RESP_INTEGER, RESP_NIL, RESP_LIST };

struct resp_reply {
    enum resp_kind kind;
    int64_t integer;           /* RESP_INTEGER */
    size_t length;             /* of the text, which may hold any byte */
    char *text;                /* RESP_TEXT, STATUS, ERROR: with a NUL behind it; else NULL */
    size_t count;              /* RESP_LIST */
    struct resp_reply **items; /* each of them, never NULL in a whole reply */
};

/* A text without a NUL in it? */
static inline bool resp_is_text(const struct resp_reply *reply)
{
    return reply->kind == RESP_TEXT && strlen(reply->text) == reply->length;
}

struct resp_reader;

/* NULL: out of memory.  free(NULL) is fine. */
struct resp_reader *resp_reader_new(void) MUST_CHECK;
void resp_reader_free(struct resp_reader *reader);

/*
 * Take what came.  RESULT_LIMIT: the reply is larger than RESP_BYTES_MAX; RESULT_INVALID,
 * RESULT_NOMEM.  After any of these, of either function, the reader is good for nothing more.
 */
enum result resp_reader_feed(struct resp_reader *reader, const char *bytes,
                             size_t length) MUST_CHECK;

/*
 * The next whole reply, to be freed by resp_reply_free().  RESULT_PENDING: it has not come yet.
 * RESULT_INVALID: this is no RESP2.  RESULT_LIMIT: one of the limits above.  RESULT_NOMEM.
 */
enum result resp_reader_next(struct resp_reader *reader, struct resp_reply **out) MUST_CHECK;
void resp_reply_free(struct resp_reply *reply); /* NULL is fine */

/* A request of `count` words as bytes, malloc'ed: the caller frees.  RESULT_NOMEM. */
enum result resp_request(size_t count, const char *const words[], const size_t lengths[],
                         char **out, size_t *length) MUST_CHECK;

#endif
