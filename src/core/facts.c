/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/facts.h"

const char *dns_outcome_key(enum dns_outcome outcome)
{
    static const char *const keys[] = {
        [DNS_NOT_ASKED] = "not-asked", [DNS_FOUND] = "found",         [DNS_NODATA] = "nodata",
        [DNS_NXDOMAIN] = "nxdomain",   [DNS_TEMPERROR] = "temperror",
    };
    return keys[outcome];
}

void name_facts_confirm(struct name_facts *name, const struct ipaddr *client)
{
    name->confirmed = false;
    if (name->flaw != HOSTNAME_OK || name->forward.outcome != DNS_FOUND)
        return;
    for (size_t i = 0; i < name->address_count && !name->confirmed; i++)
        name->confirmed = ipaddr_equal(&name->addresses[i], client);
}
