/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevctl check --authoritative: what the zones' own servers say now about a client, next to what
 * the resolver has kept, and for how long it will.  It judges nothing.
 */
#ifndef IPREVD_CHECK_NOW_H
#define IPREVD_CHECK_NOW_H

#include "core/checks.h"
#include "ctl/authority.h"
#include "site/json.h"

#include <stdio.h>

#define CHECK_NOW_TIME_MAX 64

struct check_now {
    struct authority_answer ptr;
    char name[HOSTNAME_MAX + 1];     /* the PTR name that counts now; "": there is none */
    struct authority_answer forward; /* its addresses; asked if `name` is not "" */
    char helo[HOSTNAME_MAX + 1];     /* the EHLO name if it is another; "": none */
    struct authority_answer helo_forward;
    bool leads_back;                                 /* now the PTR name resolves to the client */
    bool ptr_differs, forward_differs, helo_differs; /* from what the resolver said */
    uint32_t wait_s;                /* until the last differing answer of the resolver expires */
    char until[CHECK_NOW_TIME_MAX]; /* "59 min 40 s, at 06:51:03"; "": nothing differs */
};

/*
 * Ask.  `owner`: where the PTR record is, with all aliases followed; `skip` as for authority_ask().
 * wall_s: the time of day.  RESULT_NOMEM.
 */
enum result check_now_ask(struct resolver *resolver, const struct dns_service_settings *settings,
                          const struct evidence *evidence, const char *owner, unsigned skip,
                          int64_t deadline_ms, int64_t wall_s, struct check_now *out) MUST_CHECK;

/* The key authority; NULL: it was not asked. */
void check_now_json(struct json_writer *json, const struct check_now *now);

#endif
