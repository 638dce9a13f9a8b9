/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients that are checked side by side, and whose output appears in the order in which they were
 * added: each as soon as it and all before it are ready.  One owner's thread adds.
 */
#ifndef IPREVD_CHECK_QUEUE_H
#define IPREVD_CHECK_QUEUE_H

#include "base/thread.h"
#include "ctl/check_client.h"

#include <sys/queue.h>

#define CHECK_QUEUE_MAX  16  /* items under way: a few servers' worth of questions */
#define CHECK_SOURCE_MAX 512 /* bytes of the words for where a client was found */

struct check_queue;

/* One thing to do and to print. */
struct check_item {
    struct check_part part; /* may be written to before the item is added */
    /* Done on a thread of its own.  False: out of memory.  NULL: it is in `part` already. */
    bool (*work)(struct check_item *item);
    /* What `work` wants; "" and IP_NONE for nothing. */
    struct ipaddr client;
    bool has_helo; /* `helo` is said, and may be empty: check_item_say() */
    char helo[HELO_TEXT_MAX + 1];
    char host[HOSTNAME_MAX + 1], mx[HOSTNAME_MAX + 1];
    char source[CHECK_SOURCE_MAX];
    /* The queue's. */
    STAILQ_ENTRY(check_item) link;
    struct check_queue *queue;
    char *out_text, *err_text;
    size_t out_length, err_length;
    pthread_t thread;
    bool threaded, done, ok;
};

/* `run` is borrowed, and stays as it is.  NULL: out of memory, or no thread can be had. */
struct check_queue *check_queue_new(const struct check_run *run) MUST_CHECK;

const struct check_run *check_queue_run(const struct check_queue *queue);

/* There will be so many items with work; 0: nobody knows.  A terminal is shown how far it is. */
void check_queue_expect(struct check_queue *queue, uint64_t total);

/* A new item; NULL: out of memory.  It is given back by check_queue_add(). */
struct check_item *check_queue_item(struct check_queue *queue) MUST_CHECK;

/* What the client says in EHLO; NULL: nothing. */
void check_item_say(struct check_item *item, const char *helo);
const char *check_item_helo(const struct check_item *item);

/* Free an item that is not added. */
void check_queue_drop(struct check_item *item);

/* Takes the item; blocks while CHECK_QUEUE_MAX are under way.  False: it is of no use to add more,
   memory or the output failed.  NULL is such a failure. */
bool check_queue_add(struct check_queue *queue, struct check_item *item) MUST_CHECK;

/* Wait for all, print all, free.  RESULT_NOMEM; RESULT_IO: the output cannot be written. */
enum result check_queue_finish(struct check_queue *queue, struct check_sums *sums) MUST_CHECK;

#endif
