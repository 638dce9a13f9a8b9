/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's context, private to service.c (what sessions use, the life of it all), management.c
 * (signals, timers, sockets), reload.c and saving.c.
 *
 * What is marked "management" is used on the management loop's thread only, and by the main thread
 * before that loop runs and after it was stopped.
 */
#ifndef IPREVD_SERVICE_STATE_H
#define IPREVD_SERVICE_STATE_H

#include "daemon/control.h"
#include "daemon/control_sockets.h"
#include "daemon/decisionlog.h"
#include "daemon/exporter.h"
#include "daemon/libmilter.h"
#include "daemon/listener.h"
#include "daemon/own_names.h"
#include "daemon/service.h"
#include "daemon/sharing.h"
#include "daemon/statistics.h"
#include "daemon/status.h"
#include "daemon/watchdog.h"
#include "daemon/work_queue.h"
#include "site/conf_restart.h"

#include <pthread.h>
#include <stdatomic.h>

/* Who wants the configuration read: only this much of it is. */
enum reload_kind {
    RELOAD_CONFIGURATION, /* the file and everything that it names */
    RELOAD_TABLES,        /* tables that have changed; the configuration is not looked at */
};

enum reload_result {
    RELOAD_FAILED,
    RELOAD_DONE,
    RELOAD_NOTHING,  /* no table has changed, or only what is broken already */
    RELOAD_RESTORED, /* what was broken is again what is in force */
};

struct reload {
    struct work work;
    bool again, tables_again;           /* management: asked for meanwhile */
    const char *why, *again_why;        /* management: literals */
    struct status_failure failures[2];  /* management: by kind, until one is good */
    struct conf_restart_values started; /* what needs a restart to change */
    /* Of the one under way: the work queue's thread fills them. */
    enum reload_kind kind;
    struct conf *old, *fresh; /* owned; fresh only when RELOAD_DONE */
    enum reload_result result;
    char first_error[CONTROL_ERROR_MAX];
    struct farm_secrets secrets;   /* of `fresh`, if it has a farm */
    char fixed[CONTROL_ERROR_MAX]; /* options whose change waits for a restart; "": none */
    uint64_t broken_tables;        /* versions of tables that could not be read */
};

struct service_saving {
    struct work cache, exemptions; /* the memory of clients is saved with the cache */
    bool exemptions_again;         /* management */
    int64_t cache_due_ms;          /* management */
    bool saved;                    /* of the exemptions under way: the queue's thread fills it */
    char error[CONTROL_ERROR_MAX];
};

struct management {
    struct loop *loop;
    struct work_queue *queue;
    struct loop_signal *signals[4];
    struct loop_timer *tick, *end;
    int64_t tick_ms;
    struct watchdog watchdog;
    struct control *control;   /* NULL: none */
    struct exporter *exporter; /* NULL: none */
    bool serving;              /* the service manager knows that we are ready */
    bool ending;               /* libmilter was asked to end */
    bool full_logged;          /* a session was deferred since the last time there was room */
    int64_t drain_until_ms;
    int64_t tables_due_ms;
    int64_t expired_until_s; /* match blocks that expired until then were logged */
};

struct service {
    pthread_mutex_t lock; /* guards conf */
    struct conf *conf;    /* replaced by management only */

    struct metrics *metrics;
    struct statistics *statistics;
    struct dns_service *dns;
    struct exemptions *exemptions;
    struct client_memory *memory;
    struct greylist_table *greylist;
    struct helo_domains *helo_domains;
    struct own_names own_names;
    struct decisionlog *decisionlog;
    struct session_services session;
    struct libmilter_services milter;
    struct listener *listener;
    struct libmilter_wakeup wakeup; /* of the listener */
    int64_t started_ms;
    char *state_dir;    /* as at the start; NULL: none */
    char *control_path; /* removed at the end; NULL: none */

    atomic_uint sessions, max_sessions;
    atomic_uint deferred; /* sessions since the last tick */
    atomic_bool draining; /* set by management */

    struct management management;
    struct sharing sharing; /* management */
    struct reload reload;
    struct service_saving saving;
};

/* The configuration in force, with a reference for the caller.  Thread safe. */
struct conf *service_conf(struct service *service);

/* Put a new one in force (its reference is taken).  Management. */
void service_set_conf(struct service *service, struct conf *conf);

/* Make the loop, the queue and what runs on them.  `sockets` are taken.  False: out of memory. */
bool management_new(struct service *service);
void management_serve(struct service *service, const struct control_sockets *sockets);
enum result management_start(struct service *service) MUST_CHECK;
void management_stop(struct service *service);
void management_free(struct service *service);

/* The last session under way may have ended.  Thread safe. */
void management_session_closed(struct service *service);

/* Have it read soon; what is asked for meanwhile is read afterwards, once.  Management. */
void reload_init(struct service *service);
void reload_request(struct service *service, enum reload_kind kind, const char *why);

/* Save soon.  Management. */
void saving_init(struct service *service);
void saving_load(struct service *service); /* before anything is served */
void saving_exemptions(struct service *service);
void saving_tick(struct service *service, int64_t now_ms);

/* After the management loop was stopped: the last time.  False: the disk does not answer; the
   process must end without freeing anything. */
bool saving_finish(struct service *service) MUST_CHECK;

#endif
