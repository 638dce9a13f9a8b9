/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_correspondents.h"

#include "ctl/report/report_clients.h"

#include <string.h>

const char *report_correspondents_domain(const struct orgdomain *list, const char *mailbox,
                                         char name[HOSTNAME_MAX + 1])
{
    const char *at = strrchr(mailbox, '@');
    if (at == NULL || hostname_parse(at + 1, name) != HOSTNAME_OK)
        return NULL;
    const char *domain = orgdomain_of(list, name);
    return domain != NULL ? domain : name;
}

bool report_correspondents_has(const struct ranking *known, const struct orgdomain *list,
                               const struct ranking_row *row)
{
    char name[HOSTNAME_MAX + 1];
    const struct report_client *client = row->extra;
    if (known == NULL)
        return false;
    const char *sender = report_correspondents_domain(list, client->sender, name);
    return ranking_find(known, row->name) != NULL ||
           (sender != NULL && ranking_find(known, sender) != NULL);
}
