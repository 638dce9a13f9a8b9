/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevctl check --spf: the single hosts that a domain's SPF record names as its senders, each as a
 * client.  What belongs to others, is a network or depends on the client is listed, not expanded.
 */
#ifndef IPREVD_CHECK_SPF_H
#define IPREVD_CHECK_SPF_H

#include "ctl/check_queue.h"

/* `domain` is canonical.  As check_queue_add(). */
bool check_spf(struct check_queue *queue, const char *domain) MUST_CHECK;

#endif
