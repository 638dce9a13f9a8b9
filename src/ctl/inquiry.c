/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/inquiry.h"

#include "dns/dnsrr.h"

#include <stdlib.h>
#include <string.h>

struct asking {
    struct resolver *resolver;
    int64_t deadline_ms;
    const struct evidence *evidence;
    struct inquiry *out;
};

const struct name_facts *inquiry_subject(const struct evidence *evidence)
{
    const struct facts *facts = evidence->facts;
    const struct name_facts *first = NULL;
    if (evidence->iprev.confirmed != NULL)
        return evidence->iprev.confirmed;
    for (size_t i = 0; i < facts->name_count; i++) {
        const struct name_facts *name = &facts->names[i];
        if (name->flaw != HOSTNAME_OK)
            continue;
        if (facts->helo_name.name != NULL && strcmp(name->name, facts->helo_name.name) == 0)
            return name;
        if (first == NULL)
            first = name;
    }
    return first;
}

const char *inquiry_owner(const struct inquiry *inquiry, const char *reverse)
{
    return inquiry->chain_count > 0 ? inquiry->chain[inquiry->chain_count - 1] : reverse;
}

/* Nothing of it is needed: only a lack of memory ends the asking. */
static bool failed(enum result status)
{
    return status == RESULT_NOMEM;
}

static void keep(const struct dns_name *name, char out[NAME_TEXT_MAX])
{
    memcpy(out, name->text, strlen(name->text) + 1);
}

/* The aliases of the reverse name, and the zone at their end. */
static enum result ask_reverse(const struct asking *asking)
{
    const struct facts *facts = asking->evidence->facts;
    struct inquiry *out = asking->out;
    char reverse[IPADDR_REVERSE_MAX];
    struct dns_name at, next;
    enum result status = hostlookup_name(ipaddr_reverse_name(&facts->client, reverse), &at);
    while (status == RESULT_OK && out->chain_count < HOSTLOOKUP_CHAIN_MAX) {
        status = hostlookup_next(asking->resolver, &at, RR_CNAME, asking->deadline_ms, &next);
        if (status != RESULT_OK)
            break;
        keep(&next, out->chain[out->chain_count++]);
        at = next;
    }
    if (failed(status))
        return status;
    unsigned skip = facts->client.family == IP_V6 && out->chain_count == 0 ? INQUIRY_V6_SKIP : 0;
    if (facts->ptr.outcome == DNS_TEMPERROR) /* a zone above it is another one */
        return RESULT_OK;
    status = hostlookup_zone(asking->resolver, &at, skip, asking->deadline_ms, &next);
    if (status == RESULT_OK)
        keep(&next, out->zone);
    return failed(status) ? status : RESULT_OK;
}

static enum result ask_alias(const struct asking *asking, const char *name, char out[NAME_TEXT_MAX])
{
    struct dns_name at, next;
    enum result status = hostlookup_name(name, &at);
    if (status == RESULT_OK)
        status = hostlookup_next(asking->resolver, &at, RR_CNAME, asking->deadline_ms, &next);
    if (status == RESULT_OK)
        keep(&next, out);
    return failed(status) ? status : RESULT_OK;
}

/* Has the address next to the client the same PTR name? */
static enum result ask_neighbour(const struct asking *asking, const char *name)
{
    struct ipaddr neighbour = asking->evidence->facts->client;
    char reverse[IPADDR_REVERSE_MAX];
    struct dns_name at, next;
    neighbour.bytes[ipaddr_bits(&neighbour) / 8 - 1] ^= 1;
    enum result status = hostlookup_name(ipaddr_reverse_name(&neighbour, reverse), &at);
    if (status == RESULT_OK)
        status = hostlookup_next(asking->resolver, &at, RR_PTR, asking->deadline_ms, &next);
    if (status == RESULT_OK)
        asking->out->shared = strcmp(next.text, name) == 0;
    return failed(status) ? status : RESULT_OK;
}

static bool has_address(const struct host *host, const struct ipaddr *addr)
{
    const struct host_family *family = addr->family == IP_V6 ? &host->v6 : &host->v4;
    for (size_t i = 0; i < family->count; i++)
        if (ipaddr_equal(&family->addresses[i], addr))
            return true;
    return false;
}

/* Is the reverse DNS of the EHLO name's address of the other family in order? */
static enum result ask_other(const struct asking *asking, struct host *host)
{
    const struct facts *facts = asking->evidence->facts;
    char reverse[IPADDR_REVERSE_MAX];
    struct dns_name at, name;
    enum result status =
        hostlookup_host(asking->resolver, facts->helo_name.name, asking->deadline_ms, host);
    const struct host_family *other = facts->client.family == IP_V6 ? &host->v4 : &host->v6;
    if (status != RESULT_OK || other->count == 0)
        return failed(status) ? status : RESULT_OK;
    struct ipaddr addr = other->addresses[0];
    status = hostlookup_name(ipaddr_reverse_name(&addr, reverse), &at);
    if (status == RESULT_OK)
        status = hostlookup_next(asking->resolver, &at, RR_PTR, asking->deadline_ms, &name);
    if (status == RESULT_OK)
        status = hostlookup_host(asking->resolver, name.text, asking->deadline_ms, host);
    if (status == RESULT_OK && has_address(host, &addr)) {
        asking->out->other_in_order = true;
        asking->out->other = addr;
    }
    return failed(status) ? status : RESULT_OK;
}

/* What matters only where the reverse DNS is wrong. */
static enum result ask_subject(const struct asking *asking, const struct name_facts *subject,
                               struct host *host)
{
    const struct facts *facts = asking->evidence->facts;
    enum result status = RESULT_OK;
    if (subject != NULL && subject->forward.outcome == DNS_NODATA) {
        status = hostlookup_host(asking->resolver, subject->name, asking->deadline_ms, host);
        if (status == RESULT_OK)
            asking->out->other_family = host->v4.count + host->v6.count > 0;
    }
    if (!failed(status) && subject != NULL)
        status = ask_neighbour(asking, subject->name);
    if (!failed(status) && facts->helo_name.name != NULL)
        status = ask_other(asking, host);
    return failed(status) ? status : RESULT_OK;
}

enum result inquiry_make(struct resolver *resolver, const struct evidence *evidence,
                         const struct orgdomain *orgdomains, int64_t deadline_ms,
                         struct inquiry *out)
{
    const struct asking asking = {resolver, deadline_ms, evidence, out};
    const struct name_facts *subject = inquiry_subject(evidence);
    memset(out, 0, sizeof *out);
    out->orgdomains = orgdomains;
    struct host *host = malloc(sizeof *host);
    enum result status = host != NULL ? ask_reverse(&asking) : RESULT_NOMEM;
    if (status == RESULT_OK && subject != NULL)
        status = ask_alias(&asking, subject->name, out->alias);
    if (status == RESULT_OK && evidence->facts->helo_name.name != NULL)
        status = ask_alias(&asking, evidence->facts->helo_name.name, out->helo_alias);
    if (status == RESULT_OK &&
        (evidence->iprev.result == IPREV_FAIL || evidence->iprev.result == IPREV_PERMERROR))
        status = ask_subject(&asking, subject, host);
    free(host);
    return status;
}
