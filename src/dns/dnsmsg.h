/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions as messages and messages as answers (RFC 1035, 2181, 2308, 6604, 6840, 6891).  Every
 * byte of an answer is hostile: a message that is not the answer to this very question
 * differs from an answer to it that is bad.  Thread safe; no I/O.
 */
#ifndef IPREVD_DNSMSG_H
#define IPREVD_DNSMSG_H

#include "dns/denial.h"
#include "dns/source.h"

#define DNSMSG_QUERY_MAX 512  /* bytes: header, one name, type and class, OPT: 282 at most */
#define DNSMSG_UDP_SIZE  1232 /* bytes, announced by EDNS0: fits any path without fragments */

/* Records kept of one RRset: more names than any client has, little enough to hold (130 KiB). */
#define DNSMSG_RECORDS_MAX 512
/* CNAMEs followed inside one message. */
#define DNSMSG_HOPS_MAX 16
/* CNAMEs looked at in one message: more are a sender's game, not a zone's chain. */
#define DNSMSG_CNAMES_MAX 64

/*
 * Write a query; returns its length.  `edns`: with an OPT record.  The i-th letter of the name is
 * upper case where bit i % 64 of `upper` is set (draft-vixie-dnsext-dns0x20).  `recurse`: the
 * server is to ask others where it does not know.
 */
size_t dnsmsg_query(const struct question *question, uint16_t id, bool edns, bool recurse,
                    uint64_t upper, uint8_t out[DNSMSG_QUERY_MAX]);

/* What an acceptable answer looks like. */
struct dnsmsg_expect {
    const struct question *question;
    uint16_t id;
    bool edns;      /* the query had an OPT record */
    bool stream;    /* over TCP: nothing may be truncated */
    bool trusted;   /* the server's AD bit counts */
    uint64_t upper; /* as in the query; 0: the question's case does not count */
};

enum dnsmsg_kind {
    DNSMSG_STRAY,      /* not an answer to this query: drop it and keep waiting */
    DNSMSG_TRUNCATED,  /* ask again over TCP */
    DNSMSG_PLAIN,      /* the server does not understand EDNS0: ask again without */
    DNSMSG_FAILED,     /* the server could not, or would not, or its answer is broken: *problem */
    DNSMSG_ANSWER,     /* *result is filled; its answer is NULL when memory ran out */
    DNSMSG_OTHER_CASE, /* it answers this query, but for the case of the letters */
};

/*
 * Read a message.  A CNAME chain inside it is followed in whatever order its records stand.  The
 * answer's ttl_s is the least of RRset and chain, 0 when it must not be kept; its records are
 * sorted in canonical order (RFC 4034 6.1), those of MX by preference first, without duplicates,
 * and up to DNSMSG_RECORDS_MAX.  A chain in a circle or above the cap is an answer: TEMPERROR with
 * PROBLEM_LOOP.  Of an answer that denies, *denial says what it rests on: whether to believe it is
 * the caller's decision.
 */
enum dnsmsg_kind dnsmsg_parse(const uint8_t *message, size_t length,
                              const struct dnsmsg_expect *expect, struct source_result *result,
                              struct denial *denial, enum dns_problem *problem) MUST_CHECK;

/* Has the message an OPT record? */
bool dnsmsg_has_edns(const uint8_t *message, size_t length);

/*
 * Why the server could not answer, in its own words (RFC 8914): "DNSSEC Bogus", or with the text
 * behind it, of which only printable ASCII without quotes is kept.  False: it does not say.
 */
#define DNSMSG_REASON_MAX 160
bool dnsmsg_reason(const uint8_t *message, size_t length, char out[DNSMSG_REASON_MAX]);

#endif
