/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/awaited.h"

#include <string.h>

/* What becomes of a question for addresses. */
enum fate {
    FATE_CONFIRMS,  /* the client is one of them */
    FATE_ELSEWHERE, /* it is not, and none is near it */
    FATE_FAILS,
    FATE_CONFIRMS_LATE, /* as above, by answers past their time */
    FATE_ELSEWHERE_LATE,
};

struct cases {
    const struct facts *facts; /* as given */
    awaited_visit *visit;
    void *arg;
    check_set unseen; /* what names that nobody has seen may make true */
    struct facts now; /* the case at hand */
    check_set set, clear;
    struct name_facts *names; /* of `now`, for the awaited ones to change */
    struct ipaddr near, far;  /* one beside the client, one on the other side of the world */
};

/* --- evidence as it may turn out ---------------------------------------------------------------
 */

static struct dns_evidence outcome(enum dns_outcome outcome, bool late)
{
    return (struct dns_evidence){.outcome = outcome,
                                 .origin = late ? DNS_FROM_STALE : DNS_FROM_NETWORK};
}

static void found(struct name_facts *name, const struct ipaddr *address, bool late)
{
    name->forward = outcome(DNS_FOUND, late);
    name->addresses = address;
    name->address_count = 1;
}

static void set_fate(const struct cases *cases, struct name_facts *name, enum fate fate)
{
    const struct ipaddr *client = &cases->facts->client;
    switch (fate) {
    case FATE_CONFIRMS:
    case FATE_CONFIRMS_LATE:
        found(name, client, fate == FATE_CONFIRMS_LATE);
        break;
    case FATE_ELSEWHERE:
    case FATE_ELSEWHERE_LATE:
        found(name, &cases->far, fate == FATE_ELSEWHERE_LATE);
        break;
    case FATE_FAILS:
        name->forward = outcome(DNS_TEMPERROR, false);
        name->address_count = 0;
        break;
    }
    name_facts_confirm(name, client);
}

/* --- the EHLO name -----------------------------------------------------------------------------
 */

static bool visit(struct cases *cases)
{
    return cases->visit(cases->arg, &cases->now, cases->set, cases->clear);
}

/* It has no address of the client's family: the other one, and MX. */
static bool each_other(struct cases *cases)
{
    static const enum dns_outcome outcomes[] = {DNS_FOUND, DNS_NODATA, DNS_TEMPERROR};
    const struct facts *facts = cases->facts;
    struct facts *now = &cases->now;
    size_t count = sizeof outcomes / sizeof outcomes[0];
    /* One that failed, is not asked again, or has come is as it is. */
    bool asked = facts->helo_name.forward.awaited;
    bool other = asked || facts->helo_other.awaited, mx = asked || facts->helo_mx.awaited;
    for (size_t i = 0; i < (other ? count : 1); i++) {
        if (other)
            now->helo_other = outcome(outcomes[i], false);
        for (size_t j = 0; j < (mx ? count : 1); j++) {
            if (mx)
                now->helo_mx = outcome(outcomes[j], false);
            if (!visit(cases))
                return false;
        }
    }
    return true;
}

static bool each_helo(struct cases *cases)
{
    static const enum fate fates[] = {FATE_CONFIRMS, FATE_ELSEWHERE, FATE_FAILS};
    const struct facts *facts = cases->facts;
    struct name_facts *name = &cases->now.helo_name;
    *name = facts->helo_name;
    cases->now.helo_other = facts->helo_other;
    cases->now.helo_mx = facts->helo_mx;
    if (name->name == NULL)
        return visit(cases);
    if (!name->forward.awaited)
        return each_other(cases);
    for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++) {
        set_fate(cases, name, fates[i]);
        if (!visit(cases))
            return false;
    }
    found(name, &cases->near, false);
    name_facts_confirm(name, &facts->client);
    if (!visit(cases))
        return false;
    name->forward = outcome(DNS_NODATA, false);
    name->address_count = 0;
    return each_other(cases);
}

/* --- PTR names that are known ------------------------------------------------------------------
 */

static bool name_is_awaited(const struct name_facts *name)
{
    return name->flaw == HOSTNAME_OK && name->forward.awaited;
}

/* All that are awaited get `rest`, but the one at `only` gets `fate`. */
static bool each_helo_with(struct cases *cases, size_t only, enum fate fate, enum fate rest)
{
    for (size_t i = 0; i < cases->facts->name_count; i++)
        if (name_is_awaited(&cases->facts->names[i]))
            set_fate(cases, &cases->names[i], i == only ? fate : rest);
    return each_helo(cases);
}

/* One alone against all others: with none confirmed each may be the one. */
static bool each_alone(struct cases *cases)
{
    static const enum fate fates[] = {FATE_CONFIRMS, FATE_FAILS, FATE_CONFIRMS_LATE,
                                      FATE_ELSEWHERE_LATE};
    size_t tried = 0;
    for (size_t i = 0; i < cases->facts->name_count; i++) {
        if (!name_is_awaited(&cases->facts->names[i]))
            continue;
        if (tried++ == AWAITED_NAMES_MAX)
            return false;
        for (size_t j = 0; j < sizeof fates / sizeof fates[0]; j++)
            if (!each_helo_with(cases, i, fates[j], FATE_ELSEWHERE))
                return false;
    }
    return true;
}

static bool each_name_case(struct cases *cases)
{
    static const enum fate fates[] = {FATE_ELSEWHERE, FATE_FAILS, FATE_CONFIRMS, FATE_CONFIRMS_LATE,
                                      FATE_ELSEWHERE_LATE};
    const struct facts *facts = cases->facts;
    bool awaited = false, confirmed = false;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        awaited = awaited || name_is_awaited(name);
        confirmed = confirmed || (name->confirmed && !dns_evidence_is_stale(&name->forward));
    }
    if (!awaited)
        return each_helo(cases);
    for (size_t i = 0; i < sizeof fates / sizeof fates[0]; i++)
        if (!each_helo_with(cases, facts->name_count, fates[i], fates[i]))
            return false;
    /* A name that is confirmed beside a fresh one makes no check true. */
    return confirmed || each_alone(cases);
}

/* Names of at most this many are copied. */
#define NAMES_MAX 128

static bool with_names(struct cases *cases)
{
    struct name_facts names[NAMES_MAX];
    if (cases->facts->name_count > NAMES_MAX)
        return false;
    if (cases->facts->name_count > 0)
        memcpy(names, cases->facts->names, cases->facts->name_count * sizeof names[0]);
    cases->names = names;
    cases->now.names = names;
    return each_name_case(cases);
}

/* --- a PTR that is not -------------------------------------------------------------------------
 */

/* The PTR has this one name.  Of no name: nobody has seen it. */
static bool with_one_name(struct cases *cases, enum hostname_flaw flaw, enum fate fate, size_t over)
{
    struct name_facts name = {.name = "", .flaw = flaw};
    if (flaw == HOSTNAME_OK)
        set_fate(cases, &name, fate);
    cases->now.names = &name;
    cases->now.name_count = 1;
    cases->now.names_over = over;
    bool more = each_helo(cases);
    cases->now.names = NULL;
    cases->now.name_count = 0;
    cases->now.names_over = 0;
    return more;
}

/* The best that names can do: one is EHLO's, one is of the sender's domain. */
static bool with_best_names(struct cases *cases)
{
    const struct facts *facts = cases->facts;
    struct name_facts names[] = {{.name = facts->helo.name}, {.name = facts->sender_domain}};
    set_fate(cases, &names[0], FATE_CONFIRMS);
    set_fate(cases, &names[1], FATE_CONFIRMS);
    cases->now.names = names;
    cases->now.name_count = 2;
    cases->clear = cases->unseen;
    bool more = each_helo(cases);
    cases->now.names = NULL;
    cases->now.name_count = 0;
    cases->clear = 0;
    return more;
}

/* The worst of those that confirm: it is generic, and of nobody's domain. */
static bool with_worst_name(struct cases *cases)
{
    cases->set = cases->unseen;
    bool more = with_one_name(cases, HOSTNAME_OK, FATE_CONFIRMS, 0);
    cases->set = 0;
    return more;
}

/* Confirmed by answers past their time: nothing is proved against the client. */
static bool with_late_name(struct cases *cases)
{
    cases->clear = cases->unseen;
    bool more = with_one_name(cases, HOSTNAME_OK, FATE_CONFIRMS_LATE, 0);
    cases->clear = 0;
    return more;
}

static bool each_found(struct cases *cases, bool late)
{
    cases->now.ptr = outcome(DNS_FOUND, late);
    return with_one_name(cases, HOSTNAME_ONE_LABEL, FATE_FAILS, 0) &&
           with_one_name(cases, HOSTNAME_OK, FATE_ELSEWHERE, 0) &&
           with_one_name(cases, HOSTNAME_OK, FATE_ELSEWHERE, 1) &&
           with_one_name(cases, HOSTNAME_OK, FATE_FAILS, 0) &&
           with_one_name(cases, HOSTNAME_OK, FATE_ELSEWHERE_LATE, 0) &&
           with_one_name(cases, HOSTNAME_OK, FATE_ELSEWHERE_LATE, 1);
}

static bool each_ptr_case(struct cases *cases)
{
    struct dns_evidence *ptr = &cases->now.ptr;
    cases->now.names = NULL;
    cases->now.name_count = cases->now.names_over = 0;
    *ptr = outcome(DNS_FOUND, false);
    if (!with_worst_name(cases) || !with_best_names(cases) || !with_late_name(cases) ||
        !each_found(cases, false) || !each_found(cases, true))
        return false;
    for (int late = 0; late <= 1; late++) {
        *ptr = outcome(DNS_NXDOMAIN, late != 0);
        if (!each_helo(cases))
            return false;
    }
    *ptr = outcome(DNS_TEMPERROR, false);
    return each_helo(cases);
}

/* --- all ---------------------------------------------------------------------------------------
 */

bool awaited_each_case(const struct facts *facts, enum dialogue dialogue, awaited_visit *visit_case,
                       void *arg)
{
    struct cases cases = {.facts = facts,
                          .visit = visit_case,
                          .arg = arg,
                          .unseen = CHECK_BIT(CHECK_PTR_GENERIC),
                          .now = *facts,
                          .near = facts->client,
                          .far = facts->client};
    unsigned last = ipaddr_bits(&facts->client) / 8;
    if (last > 0)
        cases.near.bytes[last - 1] ^= 1;
    cases.far.bytes[0] ^= 0x80;
    if (dialogue >= DIALOGUE_MAIL && facts->sender_domain[0] != '\0')
        cases.unseen |= CHECK_BIT(CHECK_SENDER_PTR_MISMATCH);
    cases.now.awaited = false;
    return facts->ptr.awaited ? each_ptr_case(&cases) : with_names(&cases);
}
