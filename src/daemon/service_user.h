/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevd -t, run by root, with the eyes of the user that the service runs as: root reads every
 * file, the service does not.
 */
#ifndef IPREVD_SERVICE_USER_H
#define IPREVD_SERVICE_USER_H

#include "site/conf.h"

#include <stdio.h>

/*
 * Which user that is: the option `user`, else the owner of the control socket of a running daemon,
 * else the owner of state-dir, else nobody knows and nothing is looked at; nor if we are not root,
 * or the service is.  What it cannot read is an error, what it cannot write, or what the
 * packaged unit hides, a warning: one complete message a file.  Makes a process that becomes that
 * user.  Before that, whoever runs it: groups that do not exist are warnings.  Returns how many
 * errors there were.
 */
unsigned service_user_test(const struct conf *conf, const struct conf_report *report);

#endif
