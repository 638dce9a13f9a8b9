/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Is anybody I know in there?"  The domains to which this site's own users wrote, by its mail log:
 * whoever of them would be refused is looked at first.
 */
#ifndef IPREVD_REPORT_CORRESPONDENTS_H
#define IPREVD_REPORT_CORRESPONDENTS_H

#include "ctl/command.h"
#include "ctl/ranking.h"
#include "site/conf.h"

/*
 * Read the mail log at `path`.  *out is a ranking by organizational domain, which the caller frees.
 * -1, else the exit status, and it is said why; what is wrong with a line is said to standard error
 * and no reason to stop.  Does I/O.
 */
int report_correspondents_read(const struct command *command, const struct conf *conf,
                               const char *path, int64_t now_s, struct ranking **out) MUST_CHECK;

/*
 * Did own users write to the domain of that row of report_clients_new(), or to that of its newest
 * sender?  `known` NULL: nobody can say, false.  Pure.
 */
bool report_correspondents_has(const struct ranking *known, const struct orgdomain *list,
                               const struct ranking_row *client);

#endif
