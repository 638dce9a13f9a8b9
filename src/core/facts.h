/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known about one client: the evidence on which every judgement rests.
 * Plain data; filled by the lookup module and the session, read by the core.
 */
#ifndef IPREVD_FACTS_H
#define IPREVD_FACTS_H

#include "core/hostname.h"
#include "core/ipaddr.h"

#include <stdint.h>

/* How a DNS question ended.  A temporary failure is never "no data". */
enum dns_outcome {
    DNS_NOT_ASKED, /* nobody needed it */
    DNS_FOUND,     /* at least one record */
    DNS_NODATA,    /* the name exists, the type does not (RFC 2308) */
    DNS_NXDOMAIN,  /* the name does not exist */
    DNS_TEMPERROR, /* timeout, SERVFAIL, REFUSED, loop, limit, deadline, ... */
};

/* Where the answer came from. */
enum dns_origin { DNS_FROM_NETWORK, DNS_FROM_CACHE, DNS_FROM_STALE, DNS_FROM_ZONE };

/* What may be at fault when a question fails. */
enum dns_fault {
    DNS_FAULT_SERVERS,    /* the zone's name servers */
    DNS_FAULT_SIGNATURES, /* the zone's DNSSEC signatures or its DS record */
    DNS_FAULT_ALIASES,    /* the zone's CNAME records */
    DNS_FAULT_UNKNOWN,    /* the servers or our resolver: nothing came in time */
    DNS_FAULT_OURS,
};

/* One question's answer, as evidence. */
struct dns_evidence {
    enum dns_outcome outcome;
    enum dns_origin origin;
    bool secure;          /* AD bit of a resolver that may be trusted (RFC 4035 3.2.3) */
    uint32_t ttl_s;       /* seconds left; 0 when unknown */
    uint32_t took_ms;     /* milliseconds from question to answer; 0 from the cache */
    const char *server;   /* "127.0.0.1:53", or NULL; borrowed */
    const char *problem;  /* DNS_TEMPERROR: "timeout", "SERVFAIL", ...; else NULL; static */
    enum dns_fault fault; /* DNS_TEMPERROR */
    bool aliased;         /* the name asked for is a CNAME, as far as is known */
    /* Not the last word: the answer may still come, or be asked for.  Until then the outcome is
       DNS_TEMPERROR, or DNS_NOT_ASKED where nothing seems to depend on it. */
    bool awaited;
};

/* Past its time (RFC 8767): evidence for a client, never against it. */
static inline bool dns_evidence_is_stale(const struct dns_evidence *evidence)
{
    return evidence->outcome != DNS_NOT_ASKED && evidence->outcome != DNS_TEMPERROR &&
           evidence->origin == DNS_FROM_STALE;
}

/* Could the answer still be another?  One past its time proves what it says for the client, and
   nothing against it. */
static inline bool dns_evidence_is_open(const struct dns_evidence *evidence)
{
    return evidence->outcome == DNS_TEMPERROR || dns_evidence_is_stale(evidence);
}

/* "not-asked", "found", "nodata", "nxdomain" or "temperror", as JSON has it.  Static. */
const char *dns_outcome_key(enum dns_outcome outcome);

/* A host name and its addresses of the client's family. */
struct name_facts {
    const char *name;        /* canonical; for an unusable PTR name its escaped presentation form */
    enum hostname_flaw flaw; /* HOSTNAME_OK: usable, and `forward` was asked */
    struct dns_evidence forward; /* A for an IPv4 client, AAAA for IPv6 */
    const struct ipaddr *addresses;
    size_t address_count;
    bool confirmed; /* usable, and one of the addresses is the client: by name_facts_confirm() */
};

/* Could the name still be confirmed? */
static inline bool name_facts_is_open(const struct name_facts *name)
{
    return name->flaw == HOSTNAME_OK && !name->confirmed && dns_evidence_is_open(&name->forward);
}

/* Set `confirmed`: called once where a name's facts are made.  Pure; thread safe. */
void name_facts_confirm(struct name_facts *name, const struct ipaddr *client);

/* What one DNS list of addresses says of the client (core/dnslist.h). */
struct list_facts {
    const char *zone; /* canonical */
    struct dns_evidence answer;
    const struct ipaddr *addresses;
    size_t address_count;
};

/* What the MTA found by itself: the {client_resolve} macro. */
enum mta_resolve { MTA_UNKNOWN, MTA_OK, MTA_FAIL, MTA_FORGED, MTA_TEMP };

struct facts {
    struct ipaddr client; /* family IP_NONE: local submission */

    /* Reverse DNS.  names are sorted (so the order in the packet never matters), usable or
       not; at most max-ptr usable ones were looked up, names_over is how many were not. */
    struct dns_evidence ptr;
    const struct name_facts *names;
    size_t name_count;
    size_t names_over;

    /* HELO or EHLO, the last before MAIL.  helo_name.name is NULL unless helo.name was looked up.
     */
    struct helo helo;
    bool helo_unrecorded; /* kind HELO_NONE because a relay did not write down what it heard */
    struct name_facts helo_name;    /* addresses of the client's family */
    struct dns_evidence helo_other; /* the other family; asked only if helo_name has none */
    struct dns_evidence helo_mx;    /* MX; likewise */
    /* The DNS lists that were asked about the client: those that a match block depends on.  No
       check does. */
    const struct list_facts *lists;
    size_t list_count;

    /* Organizational domains of EHLO names that the address said within a day, this one included;
       0: not known. */
    unsigned helo_domains;
    bool helo_is_ours;   /* one of our own names or addresses */
    bool client_is_ours; /* the client is one of this machine's own addresses */

    /* Envelope: canonical domain of MAIL FROM; "" for <> or none. */
    char sender_domain[HOSTNAME_MAX + 1];

    /* The MTA's own opinion. */
    enum mta_resolve mta_resolve;
    char mta_name[HOSTNAME_MAX + 1]; /* {client_name} when it is a name, else "" */

    bool resolver_down; /* the outage breaker is open */
    bool awaited;       /* some evidence is */
};

#endif
