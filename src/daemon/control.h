/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what iprevctl asks of the running daemon.  One request a connection
 * (control_request.h); the answer is JSON lines, of which the last has "ok", and those before it,
 * where there are any, are records.  With "ok" false there is "error", a sentence, and "kind":
 * "usage", "notfound", "failed" or "busy".  "warning" speaks of what went half well.
 *
 * Runs on the management loop.  What may block is asked for by a task, whose end answers all who
 * asked before it began.
 */
#ifndef IPREVD_CONTROL_H
#define IPREVD_CONTROL_H

#include "base/clock.h"
#include "base/loop.h"
#include "daemon/control_request.h"
#include "dns/resolver.h"
#include "farm/farm.h"
#include "site/client_memory.h"
#include "site/json.h"

struct control;

#define CONTROL_MODE 0660 /* of the socket: who may connect may do all of it */

/* Everything is borrowed and outlives the control. */
struct control_services {
    struct loop *loop;
    struct resolver *resolver;
    struct exemptions *exemptions;
    struct client_memory *memory;
    const struct clock *clock;
    /* Add the members of status. */
    void (*status)(void *arg, struct json_writer *json);
    /* Have a task begin soon: control_task_begins(), and later control_task_ends(), are called. */
    void (*reload)(void *arg);
    void (*save_exemptions)(void *arg);
    /* The farm as it is now; NULL: none. */
    struct farm *(*farm)(void *arg);
    void *arg;
};

/*
 * Serve on `fd` (listening, non-blocking; taken, also on failure).  `services` is copied.  NULL:
 * out of memory.
 */
struct control *control_new(const struct control_services *services, int fd) MUST_CHECK;

/* After the loop was stopped.  free(NULL) is fine. */
void control_free(struct control *control);

/* What a request may have to wait for. */
enum control_task { CONTROL_TASK_RELOAD, CONTROL_TASK_SAVE, CONTROL_TASK_COUNT };

/* A task begins: all who asked so far are answered when it ends.  `control` NULL: nobody asked. */
void control_task_begins(struct control *control, enum control_task task);

/* It has ended.  `error` NULL: well; `warning` NULL: with nothing to warn of. */
void control_task_ends(struct control *control, enum control_task task, const char *error,
                       const char *warning);

#endif
