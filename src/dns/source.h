/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where answers come from when the cache has none: DNS servers (network.h), a zone
 * file (zonefile.h) or, in tests, a script.  A source is used from one thread, that of the
 * resolver.
 */
#ifndef IPREVD_SOURCE_H
#define IPREVD_SOURCE_H

#include "dns/answer.h"

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
    /* Text of answer.server, or NULL. Thread safe. */
    const char *(*server_text)(const struct source *source, unsigned server);
    void (*free)(struct source *source);
};

struct source {
    const struct source_ops *ops;
};

#endif
