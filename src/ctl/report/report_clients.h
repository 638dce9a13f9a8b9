/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who would be deferred or refused, by a name that an operator knows: the organizational domain of
 * the PTR name, else of the EHLO name, else the network.  Memory is bounded.  Pure; one owner at a
 * time.
 */
#ifndef IPREVD_REPORT_CLIENTS_H
#define IPREVD_REPORT_CLIENTS_H

#include "ctl/ranking.h"
#include "ctl/report/report_entry.h"
#include "site/conf.h"

#define REPORT_ADDRESSES_MAX 16  /* addresses of a domain that are counted apart */
#define REPORT_SHOWN_MAX     128 /* bytes kept of a name */

/* The extra of a row of report_clients_new(): of its newest decision, and all its addresses. */
struct report_client {
    struct ipaddr addresses[REPORT_ADDRESSES_MAX]; /* the newest first */
    size_t address_count;
    bool more_addresses;
    bool confirmed; /* the PTR name leads back to the client: else the name is a claim */
    enum action would;
    enum check_id check; /* that decided; CHECK_COUNT: a score, or unknown */
    int64_t wall_s;
    char ptr[REPORT_SHOWN_MAX], helo[REPORT_SHOWN_MAX];
    char sender[REPORT_SHOWN_MAX]; /* the newest that was not the null sender */
    char reason[REASON_MAX];
};

/* As ranking_new(). */
struct ranking *report_clients_new(uint64_t seed) MUST_CHECK;

/* Count a decision, if it would defer or refuse.  `check` is what decided. */
void report_clients_add(struct ranking *clients, const struct conf *conf,
                        const struct report_entry *entry, enum check_id check);

#endif
