/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's status as one line with performance data, in the form that the plugins of Nagios,
 * Icinga and their kin have.  Prints to standard output; one owner at a time.
 */
#ifndef IPREVD_STATUS_CHECK_H
#define IPREVD_STATUS_CHECK_H

#include "site/json.h"

/* Exit statuses. */
enum {
    STATUS_CHECK_OK = 0,
    STATUS_CHECK_WARNING = 1,
    STATUS_CHECK_CRITICAL = 2,
    STATUS_CHECK_UNKNOWN = 3,
};

/* Sessions at which the limit is near, in percent of max-sessions. */
#define STATUS_CHECK_SESSIONS 80

/*
 * CRITICAL: a DNS outage, or no server is up.  WARNING: a server is down, the last reload failed,
 * sessions are near their limit, the daemon is ending.  Returns the exit status.
 */
int status_check_print(const struct json_value *status);

/* The daemon did not answer; `forbidden`: its socket is not for us, so nothing is known. */
int status_check_unreachable(bool forbidden);

#endif
