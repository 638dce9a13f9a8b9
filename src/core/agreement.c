/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/agreement.h"

#include <string.h>

static const char *const texts[AGREEMENT_COUNT] = {
    [AGREEMENT_EXACT] = "exact",     [AGREEMENT_FORWARD] = "forward",
    [AGREEMENT_LITERAL] = "literal", [AGREEMENT_DOMAIN] = "domain",
    [AGREEMENT_NETWORK] = "network", [AGREEMENT_NONE] = "none",
    [AGREEMENT_UNKNOWN] = "unknown",
};

const char *agreement_text(enum agreement agreement)
{
    return texts[agreement];
}

/* What is proven, and the best that could still come out of what is open. */
struct grades {
    enum agreement proven, possible;
};

static void improve(enum agreement *grade, enum agreement found)
{
    if (found < *grade)
        *grade = found;
}

/* The same for what was not asked: then anything could be. */
static bool is_open(const struct dns_evidence *evidence)
{
    return evidence->outcome == DNS_NOT_ASKED || dns_evidence_is_open(evidence);
}

/* EHLO against the PTR names. */
static void grade_names(const struct facts *facts, const struct orgdomain *list, const char *helo,
                        struct grades *grades)
{
    if (is_open(&facts->ptr))
        improve(&grades->possible, AGREEMENT_EXACT);
    if (facts->names_over > 0) /* any of the others may share EHLO's domain */
        improve(&grades->possible, AGREEMENT_DOMAIN);
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        enum agreement *grade = NULL;
        if (name->confirmed)
            grade = &grades->proven;
        else if (name_facts_is_open(name))
            grade = &grades->possible;
        if (grade == NULL)
            continue;
        if (strcmp(name->name, helo) == 0)
            improve(grade, AGREEMENT_EXACT);
        else if (orgdomain_same(list, name->name, helo))
            improve(grade, AGREEMENT_DOMAIN);
    }
}

/* EHLO's own addresses against the client. */
static void grade_addresses(const struct facts *facts, struct neighbour_bits neighbours,
                            struct grades *grades)
{
    const struct name_facts *helo = &facts->helo_name;
    if (helo->name == NULL || is_open(&helo->forward))
        improve(&grades->possible, AGREEMENT_FORWARD);
    if (helo->name == NULL || helo->forward.outcome != DNS_FOUND)
        return;
    unsigned bits = facts->client.family == IP_V4 ? neighbours.v4 : neighbours.v6;
    struct ipnet net = ipnet_around(&facts->client, bits);
    for (size_t i = 0; i < helo->address_count; i++) {
        if (ipaddr_equal(&helo->addresses[i], &facts->client))
            improve(&grades->proven, AGREEMENT_FORWARD);
        else if (ipnet_contains(&net, &helo->addresses[i]))
            improve(&grades->proven, AGREEMENT_NETWORK);
    }
}

enum agreement agreement_evaluate(const struct facts *facts, const struct iprev *iprev,
                                  const struct orgdomain *list, struct neighbour_bits neighbours)
{
    struct grades grades = {AGREEMENT_NONE, AGREEMENT_NONE};
    if (facts->helo.kind == HELO_LITERAL && facts->client.family != IP_NONE &&
        ipaddr_equal(&facts->helo.literal, &facts->client))
        return AGREEMENT_LITERAL;
    if (facts->helo.name[0] == '\0')
        return AGREEMENT_NONE;
    if (iprev->confirmed != NULL && strcmp(iprev->confirmed->name, facts->helo.name) == 0)
        return AGREEMENT_EXACT;
    grade_names(facts, list, facts->helo.name, &grades);
    grade_addresses(facts, neighbours, &grades);
    return grades.possible < grades.proven ? AGREEMENT_UNKNOWN : grades.proven;
}
