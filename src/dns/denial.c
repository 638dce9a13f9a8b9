/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/denial.h"

#include "core/orgdomain.h"
#include "dns/dnsrr.h"

#include <string.h>

#define LABEL_MAX 63

static const uint8_t in_addr_arpa[] = "\7in-addr\4arpa";
static const uint8_t ip6_arpa[] = "\3ip6\4arpa";

/* in-addr.arpa or ip6.arpa, when the name lies at or below it; else NULL. */
static const uint8_t *reverse_tree(const uint8_t *name)
{
    if (wire_name_under(name, in_addr_arpa))
        return in_addr_arpa;
    return wire_name_under(name, ip6_arpa) ? ip6_arpa : NULL;
}

/* Is the name's last label a top-level domain of the public root? */
static bool has_known_toplevel(const uint8_t *name)
{
    char label[LABEL_MAX + 1];
    if (*name == 0)
        return true;
    name = wire_name_tail(name, 1);
    memcpy(label, name + 1, *name);
    label[*name] = '\0';
    return orgdomain_is_toplevel(label);
}

static bool root_proves(const uint8_t *name, uint16_t type, enum dns_outcome outcome)
{
    return type != RR_PTR && outcome == DNS_NXDOMAIN && !has_known_toplevel(name);
}

enum denial_proof denial_judge(const struct denial *denial, uint16_t type, enum dns_outcome outcome)
{
    const uint8_t *tree = reverse_tree(denial->name);
    bool fits;
    if (denial->apex_length == 0)
        return DENIAL_WITHOUT_SOA;
    if (denial->apex[0] == 0)
        fits = root_proves(denial->name, type, outcome);
    else
        fits = wire_name_under(denial->name, denial->apex) &&
               (tree == NULL || wire_name_under(denial->apex, tree));
    return fits ? DENIAL_PROVED : DENIAL_OTHER_SOA;
}

/* The name's ancestor of that many labels, which is not the name itself; NULL: there is none. */
static const uint8_t *ancestor(const uint8_t *name, unsigned labels)
{
    return labels < wire_name_labels(name) ? wire_name_tail(name, labels) : NULL;
}

bool denial_question(const struct denial *denial, uint16_t type, enum dns_outcome outcome,
                     unsigned number, struct question *out)
{
    static const uint8_t of_ipv4[] = {5, 4, 3, UINT8_MAX}; /* labels, with the tree's two */
    static const uint8_t of_ipv6[] = {14, 10, UINT8_MAX};
    static const uint8_t of_others[DENIAL_PARENTS_MAX + 1] = {4, 3, 2, 1, 0, UINT8_MAX};
    const uint8_t *tree = reverse_tree(denial->name), *name = denial->name;
    const uint8_t *counts = tree == in_addr_arpa ? of_ipv4 : tree == ip6_arpa ? of_ipv6 : of_others;
    for (; number > 0; counts++) {
        const uint8_t *parent;
        if (*counts == UINT8_MAX)
            return false;
        parent = ancestor(denial->name, *counts);
        if (parent == NULL || (*parent == 0 && !root_proves(denial->name, type, outcome)))
            continue;
        name = parent;
        number--;
    }
    *out = (struct question){.type = RR_SOA,
                             .length = (uint8_t)(denial->name_length - (name - denial->name))};
    memcpy(out->name, name, out->length);
    return true;
}

void denial_control_question(struct question *out)
{
    *out = (struct question){.type = RR_A, .length = sizeof in_addr_arpa};
    memcpy(out->name, in_addr_arpa, sizeof in_addr_arpa);
}
