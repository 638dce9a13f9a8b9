/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/facts.h"

void name_facts_confirm(struct name_facts *name, const struct ipaddr *client)
{
    name->confirmed = false;
    if (name->flaw != HOSTNAME_OK || name->forward.outcome != DNS_FOUND)
        return;
    for (size_t i = 0; i < name->address_count && !name->confirmed; i++)
        name->confirmed = ipaddr_equal(&name->addresses[i], client);
}
