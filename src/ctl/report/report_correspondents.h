/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "Is anybody I know in there?"  The domains to which this site's own users wrote, by its mail log:
 * whoever of them would be refused is looked at first.
 */
#ifndef IPREVD_REPORT_CORRESPONDENTS_H
#define IPREVD_REPORT_CORRESPONDENTS_H

#include "ctl/ranking.h"
#include "site/conf.h"

/* The organizational domain of a mailbox, or its domain; NULL: it has none.  Pure. */
const char *report_correspondents_domain(const struct orgdomain *list, const char *mailbox,
                                         char name[HOSTNAME_MAX + 1]);

/*
 * Did own users write to the domain of that row of report_clients_new(), or to that of its newest
 * sender?  `known` NULL: nobody can say, false.  Pure.
 */
bool report_correspondents_has(const struct ranking *known, const struct orgdomain *list,
                               const struct ranking_row *client);

#endif
