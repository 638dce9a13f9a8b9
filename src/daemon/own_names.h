/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names that mail servers give themselves (the macro {j}): what iprevctl's check and replay ask
 * for, so that they find helo-self as the daemon does.  Thread safe.
 */
#ifndef IPREVD_OWN_NAMES_H
#define IPREVD_OWN_NAMES_H

#include "core/hostname.h"
#include "site/json.h"

#include <pthread.h>

#define OWN_NAMES_MAX 8 /* instances of mail servers on one machine; more are not remembered */

struct own_names {
    pthread_mutex_t lock;
    size_t count;
    char names[OWN_NAMES_MAX][HOSTNAME_MAX + 1];
};

void own_names_init(struct own_names *own);
void own_names_clear(struct own_names *own);

/* A mail server calls itself so; what is no host name is passed over. */
void own_names_saw(struct own_names *own, const char *name);

/* The list "own_names". */
void own_names_put(struct own_names *own, struct json_writer *json);

#endif
