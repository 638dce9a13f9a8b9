/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what iprevctl asks of the running daemon.  One request a connection
 * (control_request.h); the answer is JSON lines, of which the last has "ok", and those before it,
 * where there are any, are records.  With "ok" false there is "error", a sentence, and "kind":
 * "usage", "notfound", "failed" or "busy".  "warning" speaks of what went half well.
 *
 * Runs on the loop's thread; what may block is done on another one (errands.h).
 */
#ifndef IPREVD_CONTROL_H
#define IPREVD_CONTROL_H

#include "daemon/control_request.h"
#include "daemon/errands.h"
#include "dns/resolver.h"
#include "site/json.h"

struct control;

#define CONTROL_MODE 0660 /* of the socket: who may connect may do all of it */

/* Everything is borrowed and outlives the control. */
struct control_services {
    struct loop *loop;
    struct errands *errands;
    struct resolver *resolver;
    struct exemptions *exemptions;
    const struct clock *clock;
    /* Add the members of status (on the loop's thread). */
    void (*status)(void *arg, struct json_writer *json);
    /* On the errands' thread.  False: `error` says why not. */
    bool (*reload)(void *arg, char error[CONTROL_ERROR_MAX]);
    bool (*save_exemptions)(void *arg, char error[CONTROL_ERROR_MAX]);
    void *arg;
};

/*
 * Serve on `fd` (listening, non-blocking; taken, also on failure).  `services` is copied.  NULL:
 * out of memory.
 */
struct control *control_new(const struct control_services *services, int fd) MUST_CHECK;

/* After the loop was stopped and no errand runs any more.  free(NULL) is fine. */
void control_free(struct control *control);

#endif
