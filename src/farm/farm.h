/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several hosts share by a store (Valkey or Redis): exemptions, flushes of the cache, what is
 * remembered of clients, and how each of them is.  A host holds all of it itself, but for clients
 * that it has not seen; the store is only the way to the others.  When it is away, empty or
 * hostile, this host goes on with what it knows.
 *
 * Of several servers the one that says that it is the master serves, so that whoever makes another
 * one the master, Sentinel or a hand, is followed.  Everything on the loop's thread but farm_new()
 * and farm_free().
 */
#ifndef IPREVD_FARM_H
#define IPREVD_FARM_H

#include "base/clock.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "farm/farm_conn.h"
#include "farm/farm_line.h"
#include "farm/farm_secrets.h"
#include "site/client_memory.h"
#include "site/conf.h"
#include "site/greylist_table.h"
#include "site/json.h"

struct farm;

/* What another host asked to be flushed is done when it is no older; its cache has aged by then. */
#define FARM_FLUSH_MAX_S 300

/* Everything is borrowed and outlives the farm. */
struct farm_services {
    struct loop *loop;
    const struct clock *clock;
    struct exemptions *exemptions;
    struct client_memory *memory;
    struct greylist_table *greylist;
    struct metrics *metrics;
    const char *configuration; /* what says which one is in force; "": it cannot be told */
    /* Other hosts' exemptions are in effect here: they are to be saved. */
    void (*changed)(void *arg);
    /* Another host flushed this of its cache: a name, an address, or "all"; untrusted. */
    void (*flush)(void *arg, const char *target, const char *host);
    /* From now on farm_ask_about() is of use, or not. */
    void (*asks)(void *arg, bool can);
    /* How this host is: members of a JSON object, which may be 900 bytes long. */
    void (*put_heartbeat)(void *arg, struct json_writer *json);
    void *arg;
};

/*
 * The farm of a configuration that has one (farm_server_count > 0); `secrets` are copied.  NULL:
 * out of memory, or built without farms.  Nothing happens before farm_start().  free(NULL) is fine.
 */
struct farm *farm_new(const struct conf *conf, const struct farm_secrets *secrets,
                      const struct farm_services *services) MUST_CHECK;
void farm_start(struct farm *farm);
void farm_free(struct farm *farm);

/* Every second or so: what memory was lacking for is done after all. */
void farm_tick(struct farm *farm);

/* This host's name in the farm. */
const char *farm_host(const struct farm *farm);

/* An exemption of the subject was made or ended here. */
void farm_exemption_changed(struct farm *farm, const char *subject);

/* This was flushed here: a name, an address, or "all". */
void farm_flushed(struct farm *farm, const char *target);

/*
 * What do other hosts remember of the client?  It is merged into `memory` and `greylist`, and told
 * them where it is more; then, or when nobody answers, `done` is called, once, within the store's
 * timeout or so.  NULL: nobody waits for it.
 */
void farm_ask_about(struct farm *farm, const struct ipaddr *client,
                    void (*done)(void *arg, bool answered), void *arg);

/* How this host is has changed: the others are to know soon. */
void farm_configuration_changed(struct farm *farm);

/* Do other hosts hear of what happens here?  If not, false: `why` says why. */
bool farm_is_well(const struct farm *farm, char why[FARM_WHY_MAX]);

/* Members of the object that is open. */
void farm_put_status(const struct farm *farm, struct json_writer *json);

#endif
