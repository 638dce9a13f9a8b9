/* SPDX-License-Identifier: BSD-2-Clause */
#include "farm/resp.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* hiredis 1.0 gives the number of a list's items another type. */
#if HIREDIS_MAJOR >= 1
typedef size_t list_count;
#else
typedef int list_count;
#endif

struct resp_reader {
    redisReader *codec;
    size_t bytes; /* that were fed since the last whole reply */
    size_t items; /* that were announced since then */
    bool limit;   /* an object was refused for its size, and not for want of memory */
};

/* --- objects of a reply ---------------------------------------------------------------------- */

static unsigned depth_of(const redisReadTask *task)
{
    unsigned depth = 0;
    for (; task->parent != NULL; task = task->parent)
        depth++;
    return depth;
}

/* A fresh object where it belongs in its list.  NULL: a limit, or out of memory. */
static struct resp_reply *make(const redisReadTask *task, enum resp_kind kind, size_t items,
                               size_t length)
{
    struct resp_reader *reader = task->privdata;
    if (items > RESP_ITEMS_MAX - reader->items || length > RESP_TEXT_MAX ||
        depth_of(task) > RESP_DEPTH_MAX) {
        reader->limit = true;
        return NULL;
    }
    struct resp_reply *reply = calloc(1, sizeof *reply);
    if (reply == NULL)
        return NULL;
    reader->items += items;
    reply->kind = kind;
    return reply;
}

static void *put(const redisReadTask *task, struct resp_reply *reply)
{
    if (reply != NULL && task->parent != NULL) {
        const struct resp_reply *list = task->parent->obj;
        list->items[task->idx] = reply;
    }
    return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t length)
{
    enum resp_kind kind = task->type == REDIS_REPLY_ERROR    ? RESP_ERROR
                          : task->type == REDIS_REPLY_STATUS ? RESP_STATUS
                                                             : RESP_TEXT;
    struct resp_reply *reply = make(task, kind, 0, length);
    if (reply == NULL)
        return NULL;
    reply->text = malloc(length + 1);
    if (reply->text == NULL) {
        free(reply);
        return NULL;
    }
    memcpy(reply->text, text, length);
    reply->text[length] = '\0';
    reply->length = length;
    return put(task, reply);
}

static void *make_list(const redisReadTask *task, list_count count)
{
    struct resp_reply *reply = make(task, RESP_LIST, (size_t)count, 0);
    if (reply == NULL)
        return NULL;
    reply->items = count > 0 ? calloc((size_t)count, sizeof *reply->items) : NULL;
    if (count > 0 && reply->items == NULL) {
        free(reply);
        return NULL;
    }
    reply->count = (size_t)count;
    return put(task, reply);
}

static void *make_integer(const redisReadTask *task, long long value)
{
    struct resp_reply *reply = make(task, RESP_INTEGER, 0, 0);
    if (reply != NULL)
        reply->integer = value;
    return put(task, reply);
}

static void *make_nil(const redisReadTask *task)
{
    return put(task, make(task, RESP_NIL, 0, 0));
}

#if HIREDIS_MAJOR >= 1
/* RESP3 has more kinds; it is never asked for, and a reader without these would hand out numbers
   for pointers. */
static void *refuse_double(const redisReadTask *task, double value, char *text, size_t length)
{
    struct resp_reader *reader = task->privdata;
    (void)value;
    (void)text;
    (void)length;
    reader->limit = true;
    return NULL;
}

static void *refuse_bool(const redisReadTask *task, int value)
{
    return refuse_double(task, value, NULL, 0);
}
#endif

void resp_reply_free(struct resp_reply *reply)
{
    if (reply == NULL)
        return;
    for (size_t i = 0; i < reply->count; i++)
        resp_reply_free(reply->items[i]); /* no deeper than RESP_DEPTH_MAX */
    free(reply->items);
    free(reply->text);
    free(reply);
}

static void free_object(void *object)
{
    resp_reply_free(object);
}

/* --- the reader ------------------------------------------------------------------------------ */

/* hiredis wants it writable, and writes nothing. */
static redisReplyObjectFunctions objects = {
    .createString = make_text,
    .createArray = make_list,
    .createInteger = make_integer,
    .createNil = make_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_bool,
#endif
    .freeObject = free_object,
};

struct resp_reader *resp_reader_new(void)
{
    struct resp_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->codec = redisReaderCreateWithFunctions(&objects);
    if (reader->codec == NULL) {
        free(reader);
        return NULL;
    }
    reader->codec->privdata = reader;
    /* Version 0.14 asserts that memory for a smaller buffer is there. */
    reader->codec->maxbuf = 0;
    return reader;
}

void resp_reader_free(struct resp_reader *reader)
{
    if (reader == NULL)
        return;
    redisReaderFree(reader->codec);
    free(reader);
}

/* What ended it. */
static enum result failure(const struct resp_reader *reader)
{
    if (reader->limit)
        return RESULT_LIMIT;
    return reader->codec->err == REDIS_ERR_OOM ? RESULT_NOMEM : RESULT_INVALID;
}

enum result resp_reader_feed(struct resp_reader *reader, const char *bytes, size_t length)
{
    if (length > RESP_BYTES_MAX - reader->bytes) {
        reader->limit = true;
        return RESULT_LIMIT;
    }
    reader->bytes += length;
    return redisReaderFeed(reader->codec, bytes, length) == REDIS_OK ? RESULT_OK : failure(reader);
}

enum result resp_reader_next(struct resp_reader *reader, struct resp_reply **out)
{
    void *reply = NULL;
    if (redisReaderGetReply(reader->codec, &reply) != REDIS_OK)
        return failure(reader);
    if (reply == NULL)
        return RESULT_PENDING;
    reader->bytes = reader->codec->len - reader->codec->pos;
    reader->items = 0;
    *out = reply;
    return RESULT_OK;
}

/* --- requests -------------------------------------------------------------------------------- */

#define WORDS_MAX 16

enum result resp_request(size_t count, const char *const words[], const size_t lengths[],
                         char **out, size_t *length)
{
    const char *argv[WORDS_MAX];
    char *formatted = NULL;
    if (count > WORDS_MAX)
        return RESULT_LIMIT;
    memcpy(argv, words, count * sizeof *argv);
    long long size = redisFormatCommandArgv(&formatted, (int)count, argv, lengths);
    if (size < 0)
        return RESULT_NOMEM;
    *out = malloc((size_t)size);
    if (*out != NULL)
        memcpy(*out, formatted, (size_t)size);
    redisFreeCommand(formatted);
    if (*out == NULL)
        return RESULT_NOMEM;
    *length = (size_t)size;
    return RESULT_OK;
}
