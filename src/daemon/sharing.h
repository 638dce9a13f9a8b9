/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service's farm, where its configuration has one: made, replaced and shown.  On the management
 * loop, and before it runs.
 */
#ifndef IPREVD_SHARING_H
#define IPREVD_SHARING_H

#include "farm/farm.h"

#include <stdatomic.h>

struct lookup;

/* The farm and what it was made of. */
struct sharing {
    struct farm *farm; /* NULL: none */
    struct farm_secrets secrets;
    bool started;
    atomic_bool exists,
        asks;               /* for sessions: is there a farm, and can it be asked about clients? */
    char configuration[17]; /* what hosts compare: a hash of what decides */
};

struct service;

/*
 * Have the farm of the configuration in force; `secrets` are those of its files, if it has one.  It
 * stays the one that it was if nothing of it has changed (`old`, NULL: there was none).  False: out
 * of memory; there is no farm then, and this host goes on by itself.
 */
bool sharing_set(struct service *service, const struct conf *old,
                 const struct farm_secrets *secrets) MUST_CHECK;

/* The management loop runs. */
void sharing_start(struct service *service);

/* Every second. */
void sharing_tick(struct service *service);

/* The member "farm" of the status, where there is one. */
void sharing_put_status(const struct service *service, struct json_writer *json);

/* As struct session_services says; on sessions' threads. */
bool sharing_ask(void *service, struct lookup *lookup, const struct ipaddr *client);
void sharing_tell(void *service, const struct ipaddr *client);

#endif
