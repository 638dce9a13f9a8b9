/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/iprev.h"

#include <string.h>

static const char *const texts[IPREV_RESULT_COUNT] = {
    [IPREV_PASS] = "pass",
    [IPREV_FAIL] = "fail",
    [IPREV_TEMPERROR] = "temperror",
    [IPREV_PERMERROR] = "permerror",
};

const char *iprev_result_text(enum iprev_result result)
{
    return texts[result];
}

bool iprev_confirms(const struct facts *facts, const struct name_facts *name)
{
    if (name->flaw != HOSTNAME_OK || name->forward.outcome != DNS_FOUND)
        return false;
    for (size_t i = 0; i < name->address_count; i++)
        if (ipaddr_equal(&name->addresses[i], &facts->client))
            return true;
    return false;
}

/* The confirmed name to speak of, or NULL.  *open: some name's forward lookup failed temporarily.
 */
static const struct name_facts *find_confirmed(const struct facts *facts, bool *open)
{
    const struct name_facts *first = NULL;
    *open = false;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name->flaw == HOSTNAME_OK && name->forward.outcome == DNS_TEMPERROR)
            *open = true;
        if (!iprev_confirms(facts, name))
            continue;
        if (facts->helo.name[0] != '\0' && strcmp(name->name, facts->helo.name) == 0)
            return name;
        if (first == NULL)
            first = name;
    }
    return first;
}

struct iprev iprev_evaluate(const struct facts *facts)
{
    struct iprev iprev = {IPREV_TEMPERROR, NULL};
    bool open;
    switch (facts->ptr.outcome) {
    case DNS_FOUND:
        iprev.confirmed = find_confirmed(facts, &open);
        iprev.result = iprev.confirmed != NULL ? IPREV_PASS : open ? IPREV_TEMPERROR : IPREV_FAIL;
        break;
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        iprev.result = IPREV_PERMERROR;
        break;
    case DNS_NOT_ASKED: /* what nobody asked cannot be told either */
    case DNS_TEMPERROR:
        break;
    }
    return iprev;
}
