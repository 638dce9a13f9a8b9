/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevctl check from the sender's side: every address of a host, every MX host of a domain.  What
 * the DNS says on the way is printed; what cannot be checked is reported on standard error and
 * counts in the run.  Blocks.
 */
#ifndef IPREVD_CHECK_HOSTS_H
#define IPREVD_CHECK_HOSTS_H

#include "ctl/check_queue.h"

/* Every address of the host `name` (canonical); `mx`: the domain whose MX it is, or "".  As
   check_queue_add(). */
bool check_hosts_host(struct check_queue *queue, const char *name, const char *mx) MUST_CHECK;

/* Every MX host of the domain (canonical).  As check_queue_add(). */
bool check_hosts_mx(struct check_queue *queue, const char *domain) MUST_CHECK;

#endif
