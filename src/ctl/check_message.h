/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevctl check --message: the client that a stored message came from, as its receiver saw it. */
#ifndef IPREVD_CHECK_MESSAGE_H
#define IPREVD_CHECK_MESSAGE_H

#include "ctl/check_queue.h"

/* `path`: a message, alone or the first of an mbox; "-" is standard input.  As check_queue_add().
 */
bool check_message(struct check_queue *queue, const char *path) MUST_CHECK;

#endif
