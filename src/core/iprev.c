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

/* What the PTR names prove: `open` when a forward lookup failed temporarily, `expired` when one
   that leads elsewhere is past its time. */
struct names_found {
    const struct name_facts *confirmed; /* the one to speak of, or NULL */
    bool open, expired;
};

static struct names_found find_confirmed(const struct facts *facts)
{
    struct names_found found = {.confirmed = NULL};
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name->confirmed) {
            if (facts->helo.name[0] != '\0' && strcmp(name->name, facts->helo.name) == 0) {
                found.confirmed = name;
                return found;
            }
            /* One by an answer in time speaks for itself, in whatever order they stand. */
            if (found.confirmed == NULL || (dns_evidence_is_stale(&found.confirmed->forward) &&
                                            !dns_evidence_is_stale(&name->forward)))
                found.confirmed = name;
        } else if (name->flaw == HOSTNAME_OK) {
            found.open = found.open || name->forward.outcome == DNS_TEMPERROR;
            found.expired = found.expired || dns_evidence_is_stale(&name->forward);
        }
    }
    return found;
}

/* A result against the client: by answers that are in time, and by all of the names. */
static void hold_against(struct iprev *iprev, enum iprev_result result, bool expired)
{
    iprev->expired = expired;
    if (!expired && !iprev->excess)
        iprev->result = result;
}

struct iprev iprev_evaluate(const struct facts *facts)
{
    struct iprev iprev = {.result = IPREV_TEMPERROR};
    bool ptr_expired = dns_evidence_is_stale(&facts->ptr);
    struct names_found found;
    switch (facts->ptr.outcome) {
    case DNS_FOUND:
        found = find_confirmed(facts);
        iprev.confirmed = found.confirmed;
        iprev.failed = found.confirmed == NULL && found.open;
        iprev.excess = found.confirmed == NULL && facts->names_over > 0;
        if (found.confirmed != NULL)
            iprev.result = IPREV_PASS;
        else if (!found.open)
            hold_against(&iprev, IPREV_FAIL, ptr_expired || found.expired);
        break;
    case DNS_NODATA:
    case DNS_NXDOMAIN:
        hold_against(&iprev, IPREV_PERMERROR, ptr_expired);
        break;
    case DNS_NOT_ASKED: /* what nobody asked is not known either */
    case DNS_TEMPERROR:
        iprev.failed = true;
        break;
    }
    return iprev;
}
