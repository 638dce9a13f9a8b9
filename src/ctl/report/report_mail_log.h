/* SPDX-License-Identifier: BSD-2-Clause */
/* The mail log of report --mail-log: to which domains this site's own users wrote. */
#ifndef IPREVD_REPORT_MAIL_LOG_H
#define IPREVD_REPORT_MAIL_LOG_H

#include "ctl/command.h"
#include "ctl/ranking.h"
#include "site/conf.h"

/*
 * Read the mail log at `path`.  *out is a ranking by organizational domain, which the caller frees.
 * -1, else the exit status, and it is said why; what is wrong with a line is said to standard error
 * and no reason to stop.  Does I/O.
 */
int report_mail_log_read(const struct command *command, const struct conf *conf, const char *path,
                         int64_t now_s, struct ranking **out) MUST_CHECK;

#endif
