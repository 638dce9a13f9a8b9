/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a host or a domain to the addresses that mail of it may come from, seen from the sender's
 * side: A and AAAA of a host; MX of a domain (RFC 5321 5.1, RFC 7505).  Blocks; thread safe.
 */
#ifndef IPREVD_HOSTLOOKUP_H
#define IPREVD_HOSTLOOKUP_H

#include "dns/resolver.h"

#define HOSTLOOKUP_HOSTS_MAX     32 /* MX hosts looked at: more are no mail domain's, but a game */
#define HOSTLOOKUP_ADDRESSES_MAX 64 /* of one host and family */

/* Bytes of what is wrong, with the server's own words behind it. */
#define HOSTLOOKUP_PROBLEM_MAX 256

/* The addresses of one family. */
struct host_family {
    struct dns_evidence evidence;
    char problem[HOSTLOOKUP_PROBLEM_MAX]; /* what evidence.problem points to, if to anything */
    struct ipaddr addresses[HOSTLOOKUP_ADDRESSES_MAX];
    size_t count, over; /* over: found and not kept */
    bool aliased;       /* the name is a CNAME */
};

struct host {
    char name[HOSTNAME_MAX + 1];
    struct host_family v4, v6;
};

/*
 * Ask for A and AAAA of a canonical host name.  deadline_ms: absolute, monotonic; what is not known
 * then is DNS_TEMPERROR "deadline".  RESULT_INVALID: the name has no wire form.  RESULT_NOMEM.
 */
enum result hostlookup_host(struct resolver *resolver, const char *name, int64_t deadline_ms,
                            struct host *out) MUST_CHECK;

/* What stands in an MX record. */
enum mx_kind {
    MX_HOST,     /* a host name */
    MX_ADDRESS,  /* an IP address, which is no host (RFC 1035 3.3.9) */
    MX_UNUSABLE, /* no host name: one label, malformed, or "." beside others */
};

struct mx_host {
    enum mx_kind kind;
    char text[NAME_TEXT_MAX];    /* as it stands there, escaped */
    char name[HOSTNAME_MAX + 1]; /* MX_HOST: canonical; else "" */
};

struct mx_list {
    struct dns_evidence evidence;
    char problem[HOSTLOOKUP_PROBLEM_MAX];       /* as in struct host_family */
    bool null_mx;                               /* RFC 7505: the domain takes no mail */
    struct mx_host hosts[HOSTLOOKUP_HOSTS_MAX]; /* in order of preference, each once */
    size_t count, over;
};

/* Ask for MX of a canonical domain.  As hostlookup_host(). */
enum result hostlookup_mx(struct resolver *resolver, const char *domain, int64_t deadline_ms,
                          struct mx_list *out) MUST_CHECK;

#define HOSTLOOKUP_TEXT_MAX 4096 /* bytes of one TXT record: SPF asks for 450 (RFC 7208 3.4) */

struct txt_record {
    struct dns_evidence evidence;
    char problem[HOSTLOOKUP_PROBLEM_MAX]; /* as in struct host_family */
    char text[HOSTLOOKUP_TEXT_MAX + 1];   /* the first that is wanted: untrusted */
    size_t count, unusable;               /* wanted ones; longer ones and those with a NUL */
};

/* Ask for TXT of a canonical domain and keep what wanted() says.  As hostlookup_host(). */
enum result hostlookup_txt(struct resolver *resolver, const char *domain,
                           bool (*wanted)(const char *text), int64_t deadline_ms,
                           struct txt_record *out) MUST_CHECK;

#define HOSTLOOKUP_CHAIN_MAX 8 /* aliases followed for the sake of evidence */

/* A name on its way: as text for people, and as a question that can be asked. */
struct dns_name {
    char text[NAME_TEXT_MAX]; /* escaped, no trailing dot; "" for none */
    struct question question;
};

/* Names without a wire form: RESULT_INVALID. */
enum result hostlookup_name(const char *name, struct dns_name *out) MUST_CHECK;

/*
 * The first record of a type whose data is a name (CNAME, NS, PTR) at that name.  RESULT_NOTFOUND:
 * there is none, or nobody could say.  RESULT_NOMEM.
 */
enum result hostlookup_next(struct resolver *resolver, const struct dns_name *name, uint16_t type,
                            int64_t deadline_ms, struct dns_name *out) MUST_CHECK;

#define HOSTLOOKUP_RECORDS_MAX 16

/* Records of type A, AAAA, NS or PTR as text. */
struct dns_records {
    struct dns_evidence evidence;
    char problem[HOSTLOOKUP_PROBLEM_MAX];              /* as in struct host_family */
    size_t count, over;                                /* over: found and not kept */
    char texts[HOSTLOOKUP_RECORDS_MAX][NAME_TEXT_MAX]; /* names escaped */
};

/* Ask for them.  As hostlookup_host(). */
enum result hostlookup_records(struct resolver *resolver, const struct dns_name *name,
                               uint16_t type, int64_t deadline_ms,
                               struct dns_records *out) MUST_CHECK;

/*
 * The apex of the zone that the name is in, by its SOA, seen from `skip` labels above the name on.
 * As hostlookup_next().
 */
enum result hostlookup_zone(struct resolver *resolver, const struct dns_name *name, unsigned skip,
                            int64_t deadline_ms, struct dns_name *out) MUST_CHECK;

#endif
