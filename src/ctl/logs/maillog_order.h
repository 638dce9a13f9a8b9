/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attempts in the order of their lines: a message is reported when its outcome is known, which may
 * be after later ones.  Those wait here, up to a limit.  Pure; one owner at a time.
 */
#ifndef IPREVD_MAILLOG_ORDER_H
#define IPREVD_MAILLOG_ORDER_H

#include "base/result.h"
#include "ctl/logs/maillog_event.h"

#define MAILLOG_ORDER_MAX 256 /* attempts that are kept back */

struct maillog_order;

struct maillog_order *maillog_order_new(void) MUST_CHECK; /* NULL: out of memory */
void maillog_order_free(struct maillog_order *order);

/* Take one; one that is not to be kept back any longer goes to the sink. */
void maillog_order_add(struct maillog_order *order, const struct maillog_event *event,
                       const struct maillog_sink *sink);

/* All that is left, in order. */
void maillog_order_flush(struct maillog_order *order, const struct maillog_sink *sink);

#endif
