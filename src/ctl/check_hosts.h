/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevctl check from the sender's side: every address of a host, every MX host of a domain.  What
 * the DNS says on the way is printed; what cannot be checked is said on standard error and counts
 * in the run.  Blocks.
 */
#ifndef IPREVD_CHECK_HOSTS_H
#define IPREVD_CHECK_HOSTS_H

#include "ctl/check_client.h"

/* `name` and `domain` are canonical.  False: memory or the output failed, and it is said. */
bool check_hosts_host(struct check_run *run, const char *name) MUST_CHECK;
bool check_hosts_mx(struct check_run *run, const char *domain) MUST_CHECK;

#endif
