/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A question, and its answer: an immutable, reference-counted value that the cache
 * keeps, resolvers hand out and lookups read, without copying.
 */
#ifndef IPREVD_ANSWER_H
#define IPREVD_ANSWER_H

#include "core/facts.h"

#include <stdatomic.h>

enum rrtype {
    RR_A = 1,
    RR_NS = 2,
    RR_CNAME = 5,
    RR_SOA = 6,
    RR_PTR = 12,
    RR_MX = 15,
    RR_TXT = 16,
    RR_AAAA = 28,
    RR_DNAME = 39
};

#define WIRE_NAME_MAX 255

/* The number of no server: of an answer that was made here, or whose server's text is not kept. */
#define ANSWER_NO_SERVER 255

/* What is asked: a name in uncompressed wire form, lower case, and a type. */
struct question {
    uint16_t type;  /* enum rrtype */
    uint8_t length; /* bytes of name, with the root's zero */
    uint8_t name[WIRE_NAME_MAX];
};

/*
 * Names and payload follow the struct in one block: for A 4 bytes a record, for AAAA 16, for
 * PTR and MX the uncompressed lower-case wire names, one after another, sorted; those of MX by
 * preference first (RFC 5321 5.1), of which nothing but the order is kept; for TXT the RDATA of
 * each with two bytes of its length before; for TEMPERROR a text that says why, or nothing.
 */
struct answer {
    atomic_uint refs;
    uint16_t type;
    uint8_t outcome;  /* enum dns_outcome: FOUND, NODATA, NXDOMAIN, TEMPERROR */
    uint8_t origin;   /* enum dns_origin when it was made: NETWORK or ZONE */
    bool secure;      /* AD from a trusted resolver */
    bool aliased;     /* the name asked for is a CNAME; not kept over a restart */
    uint8_t problem;  /* enum dns_problem, for TEMPERROR */
    uint8_t server;   /* index given by the source; text by resolver_server_text() */
    uint16_t count;   /* records in payload */
    uint16_t dropped; /* records over the cap, not kept */
    uint32_t ttl_s;   /* as it came, the least of a CNAME chain; 0: not to be cached */
    uint32_t took_ms;
    uint32_t payload_length;
    uint8_t payload[];
};

enum dns_problem {
    PROBLEM_NONE,
    PROBLEM_TIMEOUT,
    PROBLEM_SERVFAIL,
    PROBLEM_REFUSED,
    PROBLEM_RCODE,     /* another error code */
    PROBLEM_MALFORMED, /* every answer was broken */
    PROBLEM_NETWORK,   /* no server could be reached */
    PROBLEM_LOOP,      /* CNAMEs in a circle */
    PROBLEM_CHAIN,     /* more CNAMEs than we follow */
    PROBLEM_LIMIT,     /* pending queries at their cap */
    PROBLEM_CANCELLED, /* nobody waits any more, or the daemon stops */
    PROBLEM_DEADLINE,  /* the client's time was up before the answer came */
    PROBLEM_BOGUS,     /* the zone's DNSSEC signatures are wrong, the server says */
    PROBLEM_NO_SOA,    /* denied, but nothing proves that a zone did: see denial.h */
    PROBLEM_OTHER_SOA, /* denied by a zone that cannot speak for the name */
    PROBLEM_DENIES,    /* denied while the servers deny everything */
    PROBLEM_MEMORY,    /* out of memory: lookup_facts() says so rather than give it as evidence */
    PROBLEM_COUNT,
};

/* "timeout", "SERVFAIL", ...: static text. */
const char *dns_problem_text(enum dns_problem problem);

/* What may be at fault: of a silence nobody knows. */
enum dns_fault dns_problem_fault(enum dns_problem problem);

/* Is it the zone's doing, so that the servers did their work? */
bool dns_problem_is_of_the_zone(enum dns_problem problem);

/* Did we or our asker fail, so that it says nothing of the DNS? */
bool dns_problem_is_ours(enum dns_problem problem);

/* "A", "PTR", ...: static text; "TYPE?" for others. */
const char *rrtype_text(uint16_t type);

/* From a canonical host name (core/hostname.h).  RESULT_INVALID when it has no wire form. */
enum result question_from_name(const char *name, enum rrtype type, struct question *out) MUST_CHECK;

/* For the PTR RRset of an address. */
void question_from_addr(const struct ipaddr *addr, struct question *out);

bool question_equal(const struct question *a, const struct question *b);
uint64_t question_hash(const struct question *question, uint64_t seed);
uint64_t wirename_hash(const uint8_t *name, size_t length, uint64_t seed);

/* Presentation form of a wire name with RFC 4343 escapes, without trailing dot ("." for the root).
 */
#define NAME_TEXT_MAX (4 * WIRE_NAME_MAX + 1)
const char *wirename_text(const uint8_t *name, size_t length, char out[NAME_TEXT_MAX]);

/*
 * A new answer with one reference and room for payload_length bytes, zeroed but for type and
 * outcome; NULL when memory is out.  The maker fills it before anyone else sees it; then it never
 * changes.
 */
struct answer *answer_new(uint16_t type, enum dns_outcome outcome,
                          size_t payload_length) MUST_CHECK;

/* A new TEMPERROR answer of no server. NULL when memory is out. */
struct answer *answer_new_problem(uint16_t type, enum dns_problem problem) MUST_CHECK;

/* The same with the server's own words, without quotes and controls. */
struct answer *answer_new_reason(uint16_t type, enum dns_problem problem,
                                 const char *reason) MUST_CHECK;

/* Is there no such name, or no such record? */
bool answer_is_denial(const struct answer *answer);

/* What is wrong, of a TEMPERROR answer: the problem's text, or with the server's words behind it;
 * lives as long as the answer. */
const char *answer_problem_text(const struct answer *answer);

/* A copy with one reference, its TTL replaced. NULL when memory is out. */
struct answer *answer_copy(const struct answer *answer, uint32_t ttl_s) MUST_CHECK;

/*
 * The same answer, its TTL replaced, for the caller alone to change: `answer` (taken) itself when
 * that is the only reference, else a copy.  NULL when memory is out.
 */
struct answer *answer_own(struct answer *answer, uint32_t ttl_s) MUST_CHECK;

/* References: thread safe.  answer_unref(NULL) is fine. */
struct answer *answer_ref(const struct answer *answer);
void answer_unref(const struct answer *answer);

/* Read payload: the i-th address or name (pointer into the answer, *length set).  i < count. */
void answer_address(const struct answer *answer, size_t i, struct ipaddr *out);
const uint8_t *answer_name(const struct answer *answer, size_t i, size_t *length);

/* Of TXT: the strings of the i-th record one after another (RFC 7208 3.3), in `size` bytes with the
   NUL.  Bytes are as they came.  False: it does not fit, or holds a NUL. */
bool answer_text(const struct answer *answer, size_t i, char *out, size_t size);

#endif
