/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/checks.h"

#include "factstext.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define C4   .client = "198.51.100.7"
#define C6   .client = "2001:db8::1"
#define PASS .ptr = "mail.a.example=198.51.100.7"

static const char site_pattern[] = "\\.isp\\.example$";

/* A case speaks of one check: it holds with this sentence, or (want NULL) it does not. */
static const struct {
    const char *label;
    enum check_id check;
    struct factstext facts;
    const char *want;
} cases[] = {
    {"no name", CHECK_PTR_MISSING, {C4, .ptr = "NX"}, "198.51.100.7 has no PTR record (NXDOMAIN)"},
    {"no data",
     CHECK_PTR_MISSING,
     {C6, .ptr = "NODATA"},
     "2001:db8::1 has no PTR record (no data)"},
    {"temporary failure is never no PTR", CHECK_PTR_MISSING, {C4, .ptr = "TEMP"}, NULL},
    {"not asked is never no PTR", CHECK_PTR_MISSING, {C4, .ptr = "-"}, NULL},
    {"numeric is not missing", CHECK_PTR_MISSING, {C4, .ptr = "198.51.100.7"}, NULL},
    {"there is one", CHECK_PTR_MISSING, {C4, PASS}, NULL},
    {"expired", CHECK_PTR_MISSING, {C4, .ptr = "~NX"}, NULL},

    {"an address",
     CHECK_PTR_INVALID,
     {C4, .ptr = "192.0.2.1"},
     "PTR of 198.51.100.7 is 192.0.2.1, an IP address, not a host name"},
    {"one label",
     CHECK_PTR_INVALID,
     {C4, .ptr = "localhost"},
     "PTR of 198.51.100.7 is localhost, a single label, not a host name"},
    {"escaped",
     CHECK_PTR_INVALID,
     {C4, .ptr = "a\\013\xff.example"},
     "PTR of 198.51.100.7 is a\\x5c013\\xff.example, malformed, not a host name"},
    {"several",
     CHECK_PTR_INVALID,
     {C4, .ptr = "localhost 192.0.2.1 x..y z w"},
     "PTRs of 198.51.100.7 are localhost (a single label), 192.0.2.1 (an IP address), x..y "
     "(malformed) and 2 more, none of them a host name"},
    {"two",
     CHECK_PTR_INVALID,
     {C4, .ptr = "localhost 192.0.2.1"},
     "PTRs of 198.51.100.7 are localhost (a single label) and 192.0.2.1 (an IP address), none of "
     "them a host name"},
    {"one is usable", CHECK_PTR_INVALID, {C4, .ptr = "localhost b.example=NX"}, NULL},
    {"temporary failure", CHECK_PTR_INVALID, {C4, .ptr = "TEMP"}, NULL},
    {"none", CHECK_PTR_INVALID, {C4, .ptr = "NX"}, NULL},
    {"expired", CHECK_PTR_INVALID, {C4, .ptr = "~localhost"}, NULL},

    {"another address",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=203.0.113.9"},
     "PTR mail.a.example resolves to 203.0.113.9, not to 198.51.100.7"},
    {"two addresses",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=203.0.113.9,203.0.113.10"},
     "PTR mail.a.example resolves to 203.0.113.9 and 203.0.113.10, not to 198.51.100.7"},
    {"five addresses",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=203.0.113.1,203.0.113.2,203.0.113.3,203.0.113.4,203.0.113.5"},
     "PTR mail.a.example resolves to 203.0.113.1, 203.0.113.2, 203.0.113.3 and 2 more, not to "
     "198.51.100.7"},
    {"no such name",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=NX"},
     "PTR mail.a.example does not exist (NXDOMAIN)"},
    {"no address",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=NODATA"},
     "PTR mail.a.example has no A record"},
    {"no IPv6 address",
     CHECK_PTR_MISMATCH,
     {C6, .ptr = "mail.a.example=NODATA"},
     "PTR mail.a.example has no AAAA record"},
    {"several names",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "a.example=NX b.example=203.0.113.9,203.0.113.10 localhost c.example=NODATA"},
     "no PTR name of 198.51.100.7 resolves to it: a.example (NXDOMAIN), b.example (203.0.113.9 and "
     "1 more), localhost (a single label) and 1 more"},
    {"no usable name",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mailhost mail.123"},
     "198.51.100.7 has no usable PTR name"},
    {"temporary failure is no mismatch",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=TEMP"},
     NULL},
    {"one of two failed",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "a.example=203.0.113.9 b.example=TEMP"},
     NULL},
    {"one of two matches",
     CHECK_PTR_MISMATCH,
     {C4, .ptr = "a.example=203.0.113.9 b.example=198.51.100.7"},
     NULL},
    {"no PTR", CHECK_PTR_MISMATCH, {C4, .ptr = "NX"}, NULL},
    {"expired", CHECK_PTR_MISMATCH, {C4, .ptr = "a.example=~203.0.113.9"}, NULL},

    {"computed",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7"},
     "PTR dsl-100-7.isp.test looks like a provider's default name, not a mail server's own "
     "(contains "
     "100-7 in label 1 and "
     "word \"dsl\")"},
    {"site's pattern",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "x.isp.example=198.51.100.7"},
     "PTR x.isp.example looks like a provider's default name, not a mail server's own (pattern "
     "\\x5c.isp\\x5c.example$)"},
    {"not confirmed", CHECK_PTR_GENERIC, {C4, .ptr = "dsl-100-7.isp.test=203.0.113.9"}, NULL},
    {"a name of its own too",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7 mail.a.example=198.51.100.7"},
     NULL},
    {"the other name is not confirmed",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7 mail.a.example=NX"},
     "PTR dsl-100-7.isp.test looks like a provider's default name, not a mail server's own "
     "(contains "
     "100-7 in label 1 and "
     "word \"dsl\")"},
    {"a mail server", CHECK_PTR_GENERIC, {C4, PASS}, NULL},
    {"expired", CHECK_PTR_GENERIC, {C4, .ptr = "dsl-100-7.isp.test=~198.51.100.7"}, NULL},
    {"expired PTR", CHECK_PTR_GENERIC, {C4, .ptr = "~dsl-100-7.isp.test=198.51.100.7"}, NULL},
    {"a name of its own may be confirmed yet",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7 mail.a.example=TEMP"},
     NULL},
    {"a generic one may be confirmed yet",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7 dsl-100-7.isp.example=TEMP"},
     "PTR dsl-100-7.isp.test looks like a provider's default name, not a mail server's own "
     "(contains "
     "100-7 in label 1 and "
     "word \"dsl\")"},

    {"two looked up",
     CHECK_PTR_EXCESS,
     {C4, .ptr = "a.example=NX b.example=203.0.113.9", .over = 12},
     "none of the 2 PTR names of 198.51.100.7 that were looked up resolves to it, and 12 more were "
     "not looked up"},
    {"one looked up",
     CHECK_PTR_EXCESS,
     {C6, .ptr = "a.example=NX", .over = 1},
     "the one PTR name of 2001:db8::1 that was looked up does not resolve to it, and 1 more was "
     "not looked up"},
    {"and one failed",
     CHECK_PTR_EXCESS,
     {C4, .ptr = "a.example=NX b.example=TEMP", .over = 1},
     "none of the 2 PTR names of 198.51.100.7 that were looked up resolves to it, and 1 more was "
     "not looked up"},
    {"one leads back", CHECK_PTR_EXCESS, {C4, PASS, .over = 1}, NULL},
    {"none left out", CHECK_PTR_EXCESS, {C4, .ptr = "a.example=NX"}, NULL},
    {"expired", CHECK_PTR_EXCESS, {C4, .ptr = "~a.example=NX", .over = 1}, NULL},
    {"some left out", CHECK_PTR_MISMATCH, {C4, .ptr = "a.example=NX", .over = 1}, NULL},
    {"some left out", CHECK_PTR_INVALID, {C4, .ptr = "localhost", .over = 1}, NULL},
    {"some left out", CHECK_DNS_TEMPERROR, {C4, .ptr = "a.example=NX", .over = 1}, NULL},
    {"some left out",
     CHECK_PTR_GENERIC,
     {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7", .over = 1},
     NULL},
    {"some left out, and one failed",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "a.example=NX b.example=TEMP", .over = 1},
     "looking up the A of b.example, PTR name of 198.51.100.7, failed temporarily (SERVFAIL)"},
    {"some left out",
     CHECK_HELO_DISAGREES,
     {C4, PASS, .helo = "b.example", .helo_forward = "203.0.113.9", .over = 1},
     NULL},
    {"PTR failed",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "TEMP"},
     "looking up the PTR of 198.51.100.7 failed temporarily (SERVFAIL)"},
    {"forward failed",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "a.example=NX b.example=TEMP"},
     "looking up the A of b.example, PTR name of 198.51.100.7, failed temporarily (SERVFAIL)"},
    {"IPv6 forward failed",
     CHECK_DNS_TEMPERROR,
     {C6, .ptr = "b.example=TEMP"},
     "looking up the AAAA of b.example, PTR name of 2001:db8::1, failed temporarily (SERVFAIL)"},
    {"expired denial",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "~NX"},
     "the last answer about the PTR of 198.51.100.7 has expired, and no newer one can be had"},
    {"expired PTR",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "~a.example=~203.0.113.9"},
     "the last answer about the PTR of 198.51.100.7 has expired, and no newer one can be had"},
    {"expired address",
     CHECK_DNS_TEMPERROR,
     {C6, .ptr = "a.example=2001:db8::9 b.example=~2001:db8::8"},
     "the last answer about the AAAA of b.example, PTR name of 2001:db8::1, has expired, and no "
     "newer one can be had"},
    {"expired, and confirmed all the same",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "~a.example=~203.0.113.9 b.example=~198.51.100.7"},
     NULL},
    {"confirmed all the same",
     CHECK_DNS_TEMPERROR,
     {C4, .ptr = "a.example=TEMP b.example=198.51.100.7"},
     NULL},
    {"EHLO's failure is not reverse DNS",
     CHECK_DNS_TEMPERROR,
     {C4, PASS, .helo = "b.example", .helo_forward = "TEMP"},
     NULL},
    {"no PTR", CHECK_DNS_TEMPERROR, {C4, .ptr = "NX"}, NULL},

    {"none", CHECK_HELO_MISSING, {C4, PASS}, "198.51.100.7 sent MAIL without HELO or EHLO"},
    {"some", CHECK_HELO_MISSING, {C4, PASS, .helo = "x"}, NULL},

    {"underscore",
     CHECK_HELO_INVALID,
     {C4, PASS, .helo = "my_host.example.org"},
     "EHLO my_host.example.org contains \"_\", which host names must not"},
    {"control characters",
     CHECK_HELO_INVALID,
     {C4, PASS, .helo = "a\r\n250 b"},
     "EHLO a\\x0d\\x0a250 b is neither a domain nor an address literal"},
    {"empty", CHECK_HELO_INVALID, {C4, PASS, .helo = ""}, "EHLO has an empty name"},
    {"domain", CHECK_HELO_INVALID, {C4, PASS, .helo = "mail.a.example"}, NULL},
    {"literal", CHECK_HELO_INVALID, {C4, PASS, .helo = "[192.0.2.1]"}, NULL},
    {"one label", CHECK_HELO_INVALID, {C4, PASS, .helo = "localhost"}, NULL},
    {"missing", CHECK_HELO_INVALID, {C4, PASS}, NULL},

    {"bare",
     CHECK_HELO_BARE_IP,
     {C4, PASS, .helo = "198.51.100.7"},
     "EHLO 198.51.100.7 is an IP address without brackets"},
    {"literal", CHECK_HELO_BARE_IP, {C4, PASS, .helo = "[198.51.100.7]"}, NULL},

    {"another's",
     CHECK_HELO_LITERAL_MISMATCH,
     {C4, PASS, .helo = "[127.0.0.1]"},
     "EHLO [127.0.0.1] is not the client's address 198.51.100.7"},
    {"own", CHECK_HELO_LITERAL_MISMATCH, {C4, PASS, .helo = "[198.51.100.7]"}, NULL},
    {"own, mapped",
     CHECK_HELO_LITERAL_MISMATCH,
     {C4, PASS, .helo = "[IPv6:::ffff:198.51.100.7]"},
     NULL},
    {"bare", CHECK_HELO_LITERAL_MISMATCH, {C4, PASS, .helo = "127.0.0.1"}, NULL},

    {"one label",
     CHECK_HELO_NOT_FQDN,
     {C4, PASS, .helo = "MAILSRV"},
     "EHLO MAILSRV is a single label, not a fully qualified name"},
    {"two labels", CHECK_HELO_NOT_FQDN, {C4, PASS, .helo = "a.example"}, NULL},

    {"our name",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "mx.our.example", .ours = true},
     "198.51.100.7 says EHLO mx.our.example, which is one of our own names"},
    {"our address",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "[192.0.2.25]", .ours = true},
     "198.51.100.7 says EHLO [192.0.2.25], which is one of our own addresses"},
    {"our name, which leads to the client",
     CHECK_HELO_SELF,
     {C4, .ptr = "NX", .helo = "mx.our.example", .helo_forward = "198.51.100.7", .ours = true},
     NULL},
    {"our name, which led to the client",
     CHECK_HELO_SELF,
     {C4, .ptr = "NX", .helo = "mx.our.example", .helo_forward = "~198.51.100.7", .ours = true},
     NULL},
    {"our name, which leads elsewhere",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "mx.our.example", .helo_forward = "192.0.2.25", .ours = true},
     "198.51.100.7 says EHLO mx.our.example, which is one of our own names"},
    {"our name, which cannot be looked up",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "mx.our.example", .helo_forward = "TEMP", .ours = true},
     "198.51.100.7 says EHLO mx.our.example, which is one of our own names, and it is not known "
     "for now whether it leads to the client"},
    {"our name, from an address of this machine",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "mx.our.example", .helo_forward = "192.0.2.25", .ours = true,
      .client_ours = true},
     NULL},
    {"our address, from another of this machine",
     CHECK_HELO_SELF,
     {C4, PASS, .helo = "[192.0.2.25]", .ours = true, .client_ours = true},
     NULL},
    {"not ours", CHECK_HELO_SELF, {C4, PASS, .helo = "a.example"}, NULL},

    {"no such name",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NX"},
     "EHLO name b.example does not exist (NXDOMAIN)"},
    {"no such name, all asked",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NX", .helo_other = "NX", .helo_mx = "NX"},
     "EHLO name b.example does not exist (NXDOMAIN)"},
    {"nothing",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA",
      .helo_mx = "NODATA"},
     "EHLO name b.example has no A, AAAA or MX record"},
    {"underscore",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b_c.example", .helo_forward = "NX"},
     "EHLO name b_c.example does not exist (NXDOMAIN)"},
    {"A",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "203.0.113.9"},
     NULL},
    {"AAAA only",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "2001:db8::1"},
     NULL},
    {"MX only",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA",
      .helo_mx = "192.0.2.1"},
     NULL},
    {"A failed",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "TEMP"},
     NULL},
    {"AAAA failed",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "TEMP",
      .helo_mx = "NODATA"},
     NULL},
    {"MX failed",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA",
      .helo_mx = "TEMP"},
     NULL},
    {"no such name, but AAAA failed",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NX", .helo_other = "TEMP"},
     NULL},
    {"MX not asked",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA"},
     NULL},
    {"expired denial",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "~NX"},
     NULL},
    {"expired denial of the MX",
     CHECK_HELO_UNRESOLVED,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA",
      .helo_mx = "~NODATA"},
     NULL},
    {"not looked up", CHECK_HELO_UNRESOLVED, {C4, PASS, .helo = "localhost"}, NULL},
    {"none", CHECK_HELO_UNRESOLVED, {C4, PASS}, NULL},

    {"another address",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "203.0.113.9"},
     "EHLO name b.example resolves to 203.0.113.9, not to 198.51.100.7"},
    {"the client among them",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "203.0.113.9,198.51.100.7"},
     NULL},
    {"no address of the family",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "2001:db8::1"},
     "EHLO name b.example has no A record, only AAAA, and so does not resolve to 198.51.100.7"},
    {"no address of the family, IPv6",
     CHECK_HELO_MISMATCH,
     {C6, .ptr = "NX", .helo = "b.example", .helo_forward = "NODATA", .helo_other = "192.0.2.1"},
     "EHLO name b.example has no AAAA record, only A, and so does not resolve to 2001:db8::1"},
    {"no address at all",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "NODATA"},
     NULL},
    {"the other family is not known for now",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "NODATA", .helo_other = "~2001:db8::1"},
     NULL},
    {"no such name",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "NX"},
     NULL},
    {"expired",
     CHECK_HELO_MISMATCH,
     {C4, PASS, .helo = "b.example", .helo_forward = "~203.0.113.9"},
     NULL},
    {"failed", CHECK_HELO_MISMATCH, {C4, PASS, .helo = "b.example", .helo_forward = "TEMP"}, NULL},

    {"none",
     CHECK_HELO_DISAGREES,
     {C4, PASS, .helo = "b.example", .helo_forward = "203.0.113.9"},
     "EHLO b.example does not fit 198.51.100.7 (PTR mail.a.example): agreement is none, domain is "
     "required"},
    {"network",
     CHECK_HELO_DISAGREES,
     {C4, .ptr = "NX", .helo = "b.example", .helo_forward = "198.51.100.9"},
     "EHLO b.example does not fit 198.51.100.7 (no confirmed PTR): agreement is network, domain is "
     "required"},
    {"one label",
     CHECK_HELO_DISAGREES,
     {C4, PASS, .helo = "localhost"},
     "EHLO localhost does not fit 198.51.100.7 (PTR mail.a.example): agreement is none, domain is "
     "required"},
    {"domain", CHECK_HELO_DISAGREES, {C4, PASS, .helo = "x.a.example", .helo_forward = "NX"}, NULL},
    {"literal", CHECK_HELO_DISAGREES, {C4, PASS, .helo = "[198.51.100.7]"}, NULL},
    {"unknown",
     CHECK_HELO_DISAGREES,
     {C4, PASS, .helo = "b.example", .helo_forward = "TEMP"},
     NULL},
    {"PTR failed",
     CHECK_HELO_DISAGREES,
     {C4, .ptr = "TEMP", .helo = "b.example", .helo_forward = "NX"},
     NULL},
    {"missing", CHECK_HELO_DISAGREES, {C4, PASS}, NULL},
    {"EHLO's address has expired",
     CHECK_HELO_DISAGREES,
     {C4, PASS, .helo = "b.example", .helo_forward = "~203.0.113.9"},
     NULL},
    {"the PTR has expired",
     CHECK_HELO_DISAGREES,
     {C4, .ptr = "~mail.a.example=198.51.100.7", .helo = "b.example",
      .helo_forward = "203.0.113.9"},
     NULL},
    {"EHLO's PTR name may be confirmed yet",
     CHECK_HELO_DISAGREES,
     {C4, .ptr = "mail.a.example=198.51.100.7 b.example=~203.0.113.9", .helo = "b.example",
      .helo_forward = "203.0.113.9"},
     NULL},

    {"two domains", CHECK_HELO_UNSTABLE, {C4, PASS, .helo = "a.example", .helo_domains = 2}, NULL},
    {"three domains",
     CHECK_HELO_UNSTABLE,
     {C4, PASS, .helo = "a\"b.example", .helo_domains = 3},
     "198.51.100.7 said EHLO of at least 3 different domains within a day, now a\"b.example"},
    {"not known, and a temporary failure",
     CHECK_HELO_UNSTABLE,
     {C4, .ptr = "TEMP", .helo = "a.example", .helo_forward = "TEMP"},
     NULL},

    {"another domain",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, PASS, .sender = "b.example"},
     "sender domain b.example and PTR mail.a.example of 198.51.100.7 belong to different "
     "organizations"},
    {"same", CHECK_SENDER_PTR_MISMATCH, {C4, PASS, .sender = "news.a.example"}, NULL},
    {"second name's",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, .ptr = "a.example=198.51.100.7 b.example=198.51.100.7", .sender = "b.example"},
     NULL},
    {"null sender", CHECK_SENDER_PTR_MISMATCH, {C4, PASS, .sender = ""}, NULL},
    {"no confirmed name",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, .ptr = "a.example=NX", .sender = "b.example"},
     NULL},
    {"expired PTR",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, .ptr = "~mail.a.example=198.51.100.7", .sender = "b.example"},
     NULL},
    {"expired address",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=~198.51.100.7", .sender = "b.example"},
     NULL},
    {"the sender's name may be confirmed yet",
     CHECK_SENDER_PTR_MISMATCH,
     {C4, .ptr = "mail.a.example=198.51.100.7 b.example=TEMP", .sender = "b.example"},
     NULL},
    {"a public suffix", CHECK_SENDER_PTR_MISMATCH, {C4, PASS, .sender = "co.uk"}, NULL},

    {"OK, no PTR",
     CHECK_MTA_DISAGREES,
     {C4, .ptr = "NX", .mta = MTA_OK},
     "the MTA found OK for 198.51.100.7, iprev is permerror"},
    {"OK, mismatch",
     CHECK_MTA_DISAGREES,
     {C4, .ptr = "a.example=NX", .mta = MTA_OK},
     "the MTA found OK for 198.51.100.7, iprev is fail"},
    {"FAIL, confirmed",
     CHECK_MTA_DISAGREES,
     {C4, PASS, .mta = MTA_FAIL},
     "the MTA found FAIL for 198.51.100.7, iprev is pass (PTR mail.a.example)"},
    {"FORGED, confirmed",
     CHECK_MTA_DISAGREES,
     {C4, PASS, .mta = MTA_FORGED},
     "the MTA found FORGED for 198.51.100.7, iprev is pass (PTR mail.a.example)"},
    {"FORGED, no PTR",
     CHECK_MTA_DISAGREES,
     {C4, .ptr = "NX", .mta = MTA_FORGED},
     "the MTA found FORGED for 198.51.100.7, iprev is permerror"},
    {"OK, confirmed", CHECK_MTA_DISAGREES, {C4, PASS, .mta = MTA_OK}, NULL},
    {"FAIL, no PTR", CHECK_MTA_DISAGREES, {C4, .ptr = "NX", .mta = MTA_FAIL}, NULL},
    {"FAIL, mismatch", CHECK_MTA_DISAGREES, {C4, .ptr = "a.example=NX", .mta = MTA_FAIL}, NULL},
    {"FORGED, mismatch", CHECK_MTA_DISAGREES, {C4, .ptr = "a.example=NX", .mta = MTA_FORGED}, NULL},
    {"TEMP", CHECK_MTA_DISAGREES, {C4, PASS, .mta = MTA_TEMP}, NULL},
    {"ours has expired",
     CHECK_MTA_DISAGREES,
     {C4, .ptr = "mail.a.example=~198.51.100.7", .mta = MTA_FAIL},
     NULL},
    {"ours failed", CHECK_MTA_DISAGREES, {C4, .ptr = "TEMP", .mta = MTA_OK}, NULL},
    {"says nothing", CHECK_MTA_DISAGREES, {C4, .ptr = "NX"}, NULL},
};

static const char *find_pattern(void *arg, const char *name)
{
    return hostname_under(name, arg) ? site_pattern : NULL;
}

static char pattern_domain[] = "isp.example";
static struct orgdomain *list;

static struct evidence_settings default_settings(void)
{
    return (struct evidence_settings){.orgdomains = list,
                                      .neighbours = {24, 64},
                                      .required_agreement = AGREEMENT_DOMAIN,
                                      .max_helo_domains = 2,
                                      .generic_pattern = find_pattern,
                                      .generic_arg = pattern_domain};
}

static void set_up(void)
{
    list = orgdomain_load(NULL);
    ck_assert_ptr_nonnull(list);
}

static void tear_down(void)
{
    orgdomain_free(list);
}

START_TEST(test_cases)
{
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct evidence_settings settings = default_settings();
    enum check_id check = cases[_i].check;
    factstext_make(&cases[_i].facts, &memory, &facts);
    evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
    bool holds = (evidence.true_checks & CHECK_BIT(check)) != 0;
    ck_assert_msg(holds == (cases[_i].want != NULL), "%s: %s", checks[check].name, cases[_i].label);
    if (!holds)
        return;
    char text[400];
    struct textbuf out;
    textbuf_init(&out, text, sizeof text);
    checks[check].explain(&evidence, &out);
    ck_assert_str_eq(text, cases[_i].want);
}
END_TEST

/* Whatever fails temporarily, nothing but dns-temperror follows from it. */
START_TEST(test_failures_prove_nothing)
{
    static const char *const ptrs[] = {"TEMP", "-", "mail.a.example=TEMP", "mail.a.example=TEMP x"};
    struct factstext text = {C4,
                             .ptr = ptrs[_i],
                             .helo = "b.example",
                             .helo_forward = "TEMP",
                             .helo_other = "TEMP",
                             .helo_mx = "TEMP",
                             .sender = "c.example",
                             .mta = MTA_OK};
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct evidence_settings settings = default_settings();
    factstext_make(&text, &memory, &facts);
    evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
    ck_assert_uint_eq(evidence.true_checks, CHECK_BIT(CHECK_DNS_TEMPERROR));
}
END_TEST

START_TEST(test_open)
{
    static const struct {
        const char *forward;
        bool open;
    } answers[] = {{"TEMP", true},        {"~192.0.2.25", true}, {"~NX", true},
                   {"192.0.2.25", false}, {"NX", false},         {NULL, false}};
    struct evidence_settings settings = default_settings();
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct factstext text = {C4, PASS, .helo = "mx.our.example",
                                 .helo_forward = answers[i].forward, .ours = true};
        struct factstext_memory memory;
        struct facts facts;
        struct evidence evidence;
        factstext_make(&text, &memory, &facts);
        evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
        ck_assert((evidence.true_checks & CHECK_BIT(CHECK_HELO_SELF)) != 0);
        ck_assert_uint_eq(evidence.open_checks, answers[i].open ? CHECK_BIT(CHECK_HELO_SELF) : 0);
    }
}
END_TEST

/* Expired answers prove nothing against a client either. */
START_TEST(test_expired_proves_nothing)
{
    static const char *const ptrs[] = {"~NX", "~NODATA", "~localhost", "mail.a.example=~NX",
                                       "~mail.a.example=203.0.113.9"};
    static const check_set in_place_of[] = {
        CHECK_BIT(CHECK_PTR_MISSING), CHECK_BIT(CHECK_PTR_MISSING),
        CHECK_BIT(CHECK_PTR_INVALID) | CHECK_BIT(CHECK_PTR_MISMATCH), CHECK_BIT(CHECK_PTR_MISMATCH),
        CHECK_BIT(CHECK_PTR_MISMATCH)};
    struct factstext text = {C4,
                             .ptr = ptrs[_i],
                             .helo = "b.example",
                             .helo_forward = "~203.0.113.9",
                             .sender = "c.example",
                             .mta = MTA_OK};
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct evidence_settings settings = default_settings();
    factstext_make(&text, &memory, &facts);
    evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
    ck_assert_uint_eq(evidence.true_checks, CHECK_BIT(CHECK_DNS_TEMPERROR));
    ck_assert_uint_eq(evidence.expired_checks, in_place_of[_i]);
    ck_assert_int_eq(evidence.agreement, AGREEMENT_UNKNOWN);
}
END_TEST

/* What can be known when. */
START_TEST(test_dialogue)
{
    static const struct factstext silent = {C4, .ptr = "NX", .sender = "b.example"};
    static const struct factstext one_label = {C4, .ptr = "dsl-100-7.isp.test=198.51.100.7",
                                               .helo = "x", .sender = "b.example"};
    static const struct {
        const struct factstext *facts;
        enum dialogue dialogue;
        check_set want;
    } steps[] = {
        {&silent, DIALOGUE_CONNECT, CHECK_BIT(CHECK_PTR_MISSING)},
        {&silent, DIALOGUE_HELO, CHECK_BIT(CHECK_PTR_MISSING)},
        {&silent, DIALOGUE_MAIL, CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_MISSING)},
        {&one_label, DIALOGUE_CONNECT, CHECK_BIT(CHECK_PTR_GENERIC)},
        {&one_label, DIALOGUE_HELO,
         CHECK_BIT(CHECK_PTR_GENERIC) | CHECK_BIT(CHECK_HELO_NOT_FQDN) |
             CHECK_BIT(CHECK_HELO_DISAGREES)},
        {&one_label, DIALOGUE_MAIL,
         CHECK_BIT(CHECK_PTR_GENERIC) | CHECK_BIT(CHECK_HELO_NOT_FQDN) |
             CHECK_BIT(CHECK_HELO_DISAGREES) | CHECK_BIT(CHECK_SENDER_PTR_MISMATCH)},
    };
    struct evidence_settings settings = default_settings();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct factstext_memory memory;
        struct facts facts;
        struct evidence evidence;
        factstext_make(steps[i].facts, &memory, &facts);
        evidence_evaluate(&facts, &settings, steps[i].dialogue, &evidence);
        ck_assert_msg(evidence.true_checks == steps[i].want, "step %zu: %x", i,
                      evidence.true_checks);
    }
}
END_TEST

START_TEST(test_local_submission)
{
    static const struct factstext text = {.client = NULL,
                                          .ptr = "NX",
                                          .helo = "x",
                                          .sender = "b.example",
                                          .mta = MTA_FORGED,
                                          .ours = true};
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct evidence_settings settings = default_settings();
    factstext_make(&text, &memory, &facts);
    evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
    ck_assert_uint_eq(evidence.true_checks, 0);
}
END_TEST

START_TEST(test_required_agreement)
{
    static const struct factstext text = {C4, PASS, .helo = "b.example",
                                          .helo_forward = "198.51.100.9"};
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct evidence_settings settings = default_settings();
    factstext_make(&text, &memory, &facts);
    for (unsigned i = AGREEMENT_EXACT; i <= AGREEMENT_NONE; i++) {
        settings.required_agreement = (enum agreement)i;
        evidence_evaluate(&facts, &settings, DIALOGUE_MAIL, &evidence);
        bool holds = (evidence.true_checks & CHECK_BIT(CHECK_HELO_DISAGREES)) != 0;
        ck_assert_int_eq(holds, i < AGREEMENT_NETWORK);
    }
}
END_TEST

START_TEST(test_table)
{
    static const struct {
        const char *name;
        enum action action;
    } want[CHECK_COUNT] = {
        {"ptr-missing", ACTION_REJECT},
        {"ptr-invalid", ACTION_REJECT},
        {"ptr-mismatch", ACTION_REJECT},
        {"ptr-generic", ACTION_TAG},
        {"ptr-excess", ACTION_TAG},
        {"dns-temperror", ACTION_TEMPFAIL},
        {"helo-missing", ACTION_TAG},
        {"helo-invalid", ACTION_TAG},
        {"helo-bare-ip", ACTION_TAG},
        {"helo-literal-mismatch", ACTION_TAG},
        {"helo-not-fqdn", ACTION_TAG},
        {"helo-self", ACTION_REJECT},
        {"helo-unresolved", ACTION_TAG},
        {"helo-mismatch", ACTION_ACCEPT},
        {"helo-disagrees", ACTION_TAG},
        {"helo-unstable", ACTION_ACCEPT},
        {"sender-ptr-mismatch", ACTION_ACCEPT},
        {"mta-disagrees", ACTION_ACCEPT},
    };
    enum check_id id;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        ck_assert_str_eq(checks[i].name, want[i].name);
        ck_assert_int_eq(checks[i].default_action, want[i].action);
        ck_assert(checks[i].default_score >= 0);
        ck_assert_uint_gt(strlen(checks[i].when), 0);
        ck_assert(check_by_name(want[i].name, &id));
        ck_assert_uint_eq(id, i);
    }
    ck_assert(!check_by_name("ptr", &id));
    ck_assert(!check_by_name("PTR-MISSING", &id));
    ck_assert(!check_by_name("", &id));
}
END_TEST

/* Every check has a case in which it holds and one in which it does not. */
START_TEST(test_cases_are_complete)
{
    check_set held = 0;
    check_set not_held = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].want != NULL)
            held |= CHECK_BIT(cases[i].check);
        else
            not_held |= CHECK_BIT(cases[i].check);
    }
    ck_assert_uint_eq(held, CHECK_BIT(CHECK_COUNT) - 1);
    ck_assert_uint_eq(not_held, CHECK_BIT(CHECK_COUNT) - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checks");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_cases, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_loop_test(tcase, test_expired_proves_nothing, 0, 5);
    tcase_add_loop_test(tcase, test_failures_prove_nothing, 0, 4);
    tcase_add_test(tcase, test_dialogue);
    tcase_add_test(tcase, test_local_submission);
    tcase_add_test(tcase, test_required_agreement);
    tcase_add_test(tcase, test_table);
    tcase_add_test(tcase, test_open);
    tcase_add_test(tcase, test_cases_are_complete);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
