/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where answers come from when the cache has none: DNS servers (network.h), a zone file
 * (zonefile.h) or, in tests, a script.  A source is used from one thread, that of the resolver.
 */
#ifndef IPREVD_SOURCE_H
#define IPREVD_SOURCE_H

#include "base/loop.h"
#include "dns/answer.h"

#include <sys/queue.h>

struct source;

/* What one message said about a question. */
struct source_result {
    struct answer *answer; /* owned by the receiver (must unref); NULL: memory ran out */
    /* The answer was only a CNAME chain: ask `target` next (the answer's type; outcome is NODATA
     * then). */
    bool chained;
    uint8_t hops;         /* CNAMEs followed inside this message */
    uint32_t chain_ttl_s; /* smallest TTL on the chain; UINT32_MAX when there was none */
    struct question target;
};

typedef void source_done(void *arg, const struct source_result *result);

struct source_ops {
    /*
     * Ask.  `done` is called exactly once: before ask returns, or later on the same thread,
     * at the latest at deadline_ms (monotonic) or on cancel.  Returns a handle for cancel, NULL
     * when done was called already.
     */
    void *(*ask)(struct source *source, const struct question *question, int64_t deadline_ms,
                 source_done *done, void *arg);
    /* Nobody wants the answer any more: done is called with PROBLEM_CANCELLED before cancel
     * returns. */
    void (*cancel)(struct source *source, void *handle);
    /*
     * Somebody else waits for the answer, until deadline_ms: a source that has waited for a while
     * may ask its servers once more.  `done` may be called before this returns.  NULL: there is
     * nothing to repeat.
     */
    void (*nudge)(struct source *source, void *handle, int64_t deadline_ms);
    /*
     * True once after a server that had been given up has answered again: what failed before says
     * nothing any more.  The loop's thread only.  NULL: never.
     */
    bool (*came_back)(struct source *source);
    /* Text of answer.server, or NULL. Thread safe. */
    const char *(*server_text)(const struct source *source, unsigned server);
    void (*free)(struct source *source);
};

struct source {
    const struct source_ops *ops;
    /* For struct sources only; zero at first. */
    SLIST_ENTRY(source) link;
    unsigned users;
};

/* --- the source in use ----------------------------------------------------------------------- */

/*
 * The present source, and earlier ones (a reload replaced them) with questions under way.  On the
 * loop's thread unless said otherwise.
 */
struct sources;

/* Takes `first`, also on failure (then it is freed); `loop` is borrowed.  NULL: out of memory. */
struct sources *sources_new(struct source *first, struct loop *loop) MUST_CHECK;

/* Frees all of them: nobody uses them any more, and the loop was stopped.  NULL is fine. */
void sources_free(struct sources *sources);

/* The present source, with one user more. */
struct source *sources_use(struct sources *sources);

/*
 * One user less.  A source without users is freed by a call of its own: the last user may leave
 * while that source calls it, and the source goes on afterwards.
 */
void sources_release(struct sources *sources, struct source *source);

bool sources_is_present(const struct sources *sources, const struct source *source);

/*
 * Replace the present source by another, which is taken, also on failure (then it is freed).  Any
 * thread.  replaced(arg) is called on the loop's thread when it is so.  RESULT_NOMEM,
 * RESULT_CLOSED: nothing has changed.
 */
enum result sources_replace(struct sources *sources, struct source *source,
                            void (*replaced)(void *arg), void *arg) MUST_CHECK;

/* The present source is not replaced while `look` runs, which must be quick.  Any thread. */
void sources_look(struct sources *sources, void (*look)(void *arg, const struct source *source),
                  void *arg);

/*
 * The number under which the text of a source's server stays known for the life of `sources`;
 * ANSWER_NO_SERVER: there is none, or no room.
 */
uint8_t sources_server(struct sources *sources, const struct source *source, unsigned server);

/* The text under such a number, or NULL.  Any thread. */
const char *sources_server_text(struct sources *sources, unsigned number);

#endif
