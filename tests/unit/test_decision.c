/* SPDX-License-Identifier: BSD-2-Clause */
/* From facts and a configuration to a decision, and how it is written. */
#include "factstext.h"
#include "site/decision.h"
#include "site/json.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          INT64_C(1798761600) /* 2027-01-01T00:00:00Z */

static void hear(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static struct conf *load(const char *text)
{
    const struct conf_report report = {hear, NULL, NULL, NULL};
    char path[] = "test_decision.tmp.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    const char *mode = strstr(text, "mode =") == NULL ? "\nmode = enforce" : "";
    ck_assert_int_gt(dprintf(fd, "%s%s\n", text, mode), 0);
    close(fd);
    struct conf *conf = conf_load(path, NOW, &report);
    unlink(path);
    ck_assert_msg(conf != NULL, "%s", text);
    return conf;
}

static const struct transaction usual = {.dialogue = DIALOGUE_MAIL,
                                         .sender = "alice@example.org",
                                         .recipient = "bob@example.net",
                                         .listener = "smtpd",
                                         .mta = "mx.example.net",
                                         .queue_id = "4XyZ",
                                         .stage = "rcpt",
                                         .wall_s = NOW,
                                         .dns_ms = 12};

#define GOOD                                                                                       \
    {                                                                                              \
        .client = "192.0.2.10", .ptr = "mail.example.org=192.0.2.10", .helo = "mail.example.org",  \
        .helo_forward = "192.0.2.10"                                                               \
    }
#define NO_PTR                                                                                     \
    {                                                                                              \
        .client = "198.51.100.7", .ptr = "NX", .helo = "mail.example.org",                         \
        .helo_forward = "198.51.100.7"                                                             \
    }
#define FALSE_PTR                                                                                  \
    {                                                                                              \
        .client = "198.51.100.7", .ptr = "mail.example.org=203.0.113.9",                           \
        .helo = "mail.example.org", .helo_forward = "203.0.113.9"                                  \
    }

/* --- log line -------------------------------------------------------------------------------- */

#define AFTER_DNS "queue_id=4XyZ sender=alice@example.org recipient=bob@example.net"
#define MEANS     "mta=mx.example.net dns_ms=12 cache=miss " AFTER_DNS

static const struct {
    const char *label, *conf;
    struct factstext facts;
    const char *want;
} line_cases[] = {
    {"good", "", GOOD,
     "client=192.0.2.10 ptr=mail.example.org iprev=pass helo=mail.example.org agreement=exact "
     "checks=- score=0 action=accept mode=enforce policy=default match=- stage=rcpt " MEANS},
    {"no PTR", "", NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward "
     "checks=ptr-missing score=5 action=reject mode=enforce policy=default match=- "
     "stage=rcpt " MEANS " reason=\"198.51.100.7 has no PTR record (NXDOMAIN)\""},
    {"no PTR in monitor mode", "mode = monitor", NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward "
     "checks=ptr-missing score=5 action=accept mode=monitor policy=default match=- "
     "stage=rcpt " MEANS " would=reject reason=\"198.51.100.7 has no PTR record (NXDOMAIN)\""},
    {"mismatch", "", FALSE_PTR,
     "client=198.51.100.7 ptr=mail.example.org iprev=fail helo=mail.example.org agreement=none "
     "checks=ptr-mismatch,helo-mismatch,helo-disagrees score=6.5 action=reject mode=enforce "
     "policy=default match=- stage=rcpt " MEANS " reason=\"PTR mail.example.org resolves to "
     "203.0.113.9, not to 198.51.100.7\""},
    {"policy of a match",
     "policy lenient { check ptr-missing { action = tag } }\n"
     "match \"a b\" { client = {\"198.51.100.0/24\"} policy = lenient }",
     NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward "
     "checks=ptr-missing score=5 action=tag mode=enforce policy=lenient match=\"a b\" "
     "stage=rcpt " MEANS " reason=\"198.51.100.7 has no PTR record (NXDOMAIN)\""},
    {"policy none",
     "match m { recipient = {\"bob@example.net\"} policy = none reason = \"ticket "
     "4711\" }",
     NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward checks=- "
     "score=0 action=accept mode=enforce policy=none match=m stage=rcpt " MEANS
     " reason=\"exempt by match m: ticket 4711\""},
    {"policy none without a reason", "match m { listener = {smtpd} policy = none }", NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward checks=- "
     "score=0 action=accept mode=enforce policy=none match=m stage=rcpt " MEANS
     " reason=\"exempt by match m\""},
    {"expired match", "match m { listener = {smtpd} policy = none until = \"2026-12-31\" }", NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward "
     "checks=ptr-missing score=5 action=reject mode=enforce policy=default match=- "
     "stage=rcpt " MEANS " reason=\"198.51.100.7 has no PTR record (NXDOMAIN)\""},
    {"percent 0", "policy default { check ptr-missing { percent = 0 } }", NO_PTR,
     "client=198.51.100.7 ptr=- iprev=permerror helo=mail.example.org agreement=forward "
     "checks=ptr-missing score=5 action=accept mode=enforce policy=default match=- "
     "stage=rcpt " MEANS " would=reject reason=\"198.51.100.7 has no PTR record (NXDOMAIN)\""},
    {"required agreement of the policy",
     "policy default { required-agreement = exact tag-score = 0 check helo-disagrees { action = "
     "reject } }",
     {.client = "192.0.2.10",
      .ptr = "mail.example.org=192.0.2.10",
      .helo = "mx.example.org",
      .helo_forward = "192.0.2.10"},
     "client=192.0.2.10 ptr=mail.example.org iprev=pass helo=mx.example.org agreement=forward "
     "checks=helo-disagrees score=1 action=reject mode=enforce policy=default match=- "
     "stage=rcpt " MEANS},
};

static void decide(const struct conf *conf, const struct factstext *text,
                   const struct transaction *transaction, struct factstext_memory *memory,
                   struct facts *facts, struct decision *out)
{
    factstext_make(text, memory, facts);
    decision_make(conf, facts, transaction, out);
}

START_TEST(test_line)
{
    struct conf *conf = load(line_cases[_i].conf);
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char line[DECISION_LINE_MAX];
    decide(conf, &line_cases[_i].facts, &usual, &memory, &facts, &decision);
    decision_log_line(&decision, &usual, line);
    /* Of the last case the words are those of the core: only that they are there. */
    size_t length = strlen(line_cases[_i].want);
    ck_assert_msg(strncmp(line, line_cases[_i].want, length) == 0 &&
                      (line[length] == '\0' || strncmp(line + length, " reason=\"", 9) == 0),
                  "%s:\n  got  %s\n  want %s", line_cases[_i].label, line, line_cases[_i].want);
    conf_unref(conf);
}
END_TEST

START_TEST(test_line_of_little)
{
    static const struct factstext who = {.client = "2001:db8::1", .ptr = "TEMP"};
    const struct transaction early = {
        .dialogue = DIALOGUE_CONNECT, .stage = "connect", .wall_s = NOW, .all_cached = true};
    struct conf *conf = load("stage = connect skip-authenticated = false");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char line[DECISION_LINE_MAX];
    decide(conf, &who, &early, &memory, &facts, &decision);
    decision_log_line(&decision, &early, line);
    static const char want[] =
        "client=2001:db8::1 ptr=- iprev=temperror helo=- agreement=none checks=dns-temperror "
        "score=0 action=tempfail mode=enforce policy=default match=- stage=connect mta=- dns_ms=0 "
        "cache=hit queue_id=- sender=- recipient=- reason=\"";
    ck_assert_msg(strncmp(line, want, sizeof want - 1) == 0, "%s", line);
    conf_unref(conf);
}
END_TEST

START_TEST(test_exempt)
{
    static const struct factstext who = NO_PTR;
    struct transaction transaction = usual;
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    struct reply reply;
    transaction.exempt = "until their provider wakes up";
    decide(conf, &who, &transaction, &memory, &facts, &decision);
    ck_assert_int_eq(decision.verdict.done.action, ACTION_ACCEPT);
    ck_assert_ptr_null(decision.policy);
    ck_assert_str_eq(decision_policy_name(&decision), "none");
    ck_assert_str_eq(decision.reason, "exempt for now: until their provider wakes up");
    /* Nobody should ask, but who does gets something sound. */
    decision.verdict.done.action = ACTION_REJECT;
    decision_reply(&decision, 0, &reply);
    ck_assert_str_eq(reply.code, "550");
    conf_unref(conf);
}
END_TEST

START_TEST(test_relay)
{
    static const struct {
        const char *conf;
        enum action action, would;
    } cases[] = {
        {"", ACTION_TAG, ACTION_REJECT},
        {"relay-action = accept", ACTION_ACCEPT, ACTION_REJECT},
        {"relay-action = quarantine", ACTION_QUARANTINE, ACTION_REJECT},
        {"relay-action = reject", ACTION_REJECT, ACTION_REJECT},
        {"mode = monitor relay-action = reject", ACTION_ACCEPT, ACTION_REJECT},
    };
    static const struct factstext who = NO_PTR;
    struct ipaddr relay;
    ck_assert(ipaddr_parse("203.0.113.25", &relay) == RESULT_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct transaction transaction = usual;
        struct conf *conf = load(cases[i].conf);
        struct factstext_memory memory;
        struct facts facts;
        struct decision decision;
        char line[DECISION_LINE_MAX];
        transaction.relay = &relay;
        decide(conf, &who, &transaction, &memory, &facts, &decision);
        ck_assert_msg(decision.verdict.done.action == cases[i].action, "%s", cases[i].conf);
        ck_assert_int_eq(decision.verdict.would.action, cases[i].would);
        decision_log_line(&decision, &transaction, line);
        ck_assert_ptr_nonnull(strstr(line, " relay=203.0.113.25 "));
        conf_unref(conf);
    }
}
END_TEST

START_TEST(test_generic_pattern)
{
    static const struct factstext who = {.client = "192.0.2.10",
                                         .ptr = "mail.dyn.example=192.0.2.10",
                                         .helo = "mail.dyn.example",
                                         .helo_forward = "192.0.2.10"};
    struct conf *conf = load("generic-names = {\"*.dyn.example\"}");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    decide(conf, &who, &usual, &memory, &facts, &decision);
    ck_assert_uint_eq(decision.verdict.would.checks, CHECK_BIT(CHECK_PTR_GENERIC));
    ck_assert_ptr_nonnull(strstr(decision.reason, "*.dyn.example"));
    conf_unref(conf);
}
END_TEST

START_TEST(test_secure)
{
    static const struct factstext who = GOOD;
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char line[DECISION_LINE_MAX], header[DECISION_HEADER_MAX];
    for (unsigned bits = 0; bits < 4; bits++) {
        factstext_make(&who, &memory, &facts);
        facts.ptr.secure = (bits & 1) != 0;
        memory.names[0].forward.secure = (bits & 2) != 0;
        decision_make(conf, &facts, &usual, &decision);
        decision_log_line(&decision, &usual, line);
        ck_assert_int_eq(strstr(line, " secure=yes") != NULL, bits == 3);
        decision_auth_results(&decision, "mx.example.net", header);
        ck_assert_int_eq(strstr(header, ", DNSSEC)") != NULL, bits == 3);
    }
    conf_unref(conf);
}
END_TEST

/* --- headers --------------------------------------------------------------------------------- */

static const struct {
    const char *label, *authserv_id;
    struct factstext facts;
    const char *want;
} authres_cases[] = {
    {"pass", "mx.example.net", GOOD,
     "mx.example.net; iprev=pass policy.iprev=192.0.2.10 (mail.example.org)"},
    {"permerror", "mx.example.net", NO_PTR,
     "mx.example.net; iprev=permerror policy.iprev=198.51.100.7 (198.51.100.7 has no PTR record "
     "\\(NXDOMAIN\\))"},
    {"fail", "mx.example.net", FALSE_PTR,
     "mx.example.net; iprev=fail policy.iprev=198.51.100.7 (PTR mail.example.org resolves to "
     "203.0.113.9, not to 198.51.100.7)"},
    {"IPv6 is quoted",
     "mx.example.net",
     {.client = "2001:db8::1", .ptr = "mail.example.org=2001:db8::1"},
     "mx.example.net; iprev=pass policy.iprev=\"2001:db8::1\" (mail.example.org)"},
    {"no token", "a b\"c\\d\r\n\303\244", GOOD,
     "\"a b\\\"c\\\\d\"; iprev=pass policy.iprev=192.0.2.10 (mail.example.org)"},
    {"empty", "", GOOD, "\"\"; iprev=pass policy.iprev=192.0.2.10 (mail.example.org)"},
};

START_TEST(test_authres)
{
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char value[DECISION_HEADER_MAX];
    decide(conf, &authres_cases[_i].facts, &usual, &memory, &facts, &decision);
    decision_auth_results(&decision, authres_cases[_i].authserv_id, value);
    ck_assert_str_eq(value, authres_cases[_i].want);
    conf_unref(conf);
}
END_TEST

/* RFC 8601 results: also where nothing is checked. */
START_TEST(test_authres_of_exempt)
{
    static const struct factstext who = FALSE_PTR,
                                  temporary = {.client = "192.0.2.1", .ptr = "TEMP"};
    struct conf *conf = load("match m { policy = none }");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char value[DECISION_HEADER_MAX];
    decide(conf, &who, &usual, &memory, &facts, &decision);
    decision_auth_results(&decision, "mx", value);
    ck_assert_str_eq(value,
                     "mx; iprev=fail policy.iprev=198.51.100.7 (PTR mail.example.org resolves "
                     "to 203.0.113.9, not to 198.51.100.7)");
    decide(conf, &temporary, &usual, &memory, &facts, &decision);
    decision_auth_results(&decision, "mx", value);
    ck_assert_ptr_nonnull(strstr(value, "mx; iprev=temperror policy.iprev=192.0.2.1 ("));
    conf_unref(conf);
}
END_TEST

START_TEST(test_tag)
{
    static const struct factstext who = {
        .client = "192.0.2.10", .ptr = "mail.example.org=192.0.2.10", .helo = "pc"};
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    char value[DECISION_HEADER_MAX], want[DECISION_HEADER_MAX];
    decide(conf, &who, &usual, &memory, &facts, &decision);
    decision_tag_header(&decision, value);
    snprintf(want, sizeof want,
             "tag score=2.5 checks=helo-not-fqdn,helo-disagrees agreement=none iprev=pass "
             "policy=default reason=\"%s\"",
             decision.reason);
    ck_assert_str_eq(value, want);
    conf_unref(conf);
}
END_TEST

/* --- hostile texts --------------------------------------------------------------------------- */

static const char *const hostile[] = {
    "a\r\nX-Injected: yes",
    "\033[31mred\033[0m",
    "\001\002\003\177",
    "\303\244\303\266\374\377\376",
    "\"quoted\" and \\backslash\\",
    "100%s%n%d %{client} %",
    "a b=c action=accept",
    "(comment) (((",
    "\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80",
    "\xc2\x85\xe2\x80\xa8",
    "]]>&lt;",
    "",
};

static void check_printable(const char *text, size_t max)
{
    ck_assert_uint_lt(strlen(text), max);
    for (const char *p = text; *p != '\0'; p++)
        ck_assert_msg(*p >= 0x20 && *p <= 0x7e, "byte %02x in %s", (unsigned char)*p, text);
}

/* Fields of a log line stay what they are whatever a client says. */
static size_t count_fields(const char *line, const char *key)
{
    size_t count = 0, length = strlen(key);
    bool quoted = false;
    for (const char *p = line; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (p == line || p[-1] == ' ') && strncmp(p, key, length) == 0 &&
                 p[length] == '=')
            count++;
    }
    ck_assert(!quoted);
    return count;
}

static void check_json(const struct decision *decision, const struct transaction *transaction)
{
    char *line = decision_json(decision, transaction);
    json_error_t error;
    ck_assert_ptr_nonnull(line);
    ck_assert_ptr_null(strchr(line, '\n'));
    json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json != NULL, "%s: %s", error.text, line);
    const char *reason = json_string_value(json_object_get(json, "reason"));
    ck_assert_str_eq(reason == NULL ? "" : reason, decision->reason);
    json_decref(json);
    free(line);
}

static void check_all_outputs(const struct conf *conf, struct facts *facts, const char *text)
{
    struct transaction transaction = usual;
    struct decision decision;
    char line[DECISION_LINE_MAX], header[DECISION_HEADER_MAX];
    struct reply reply;
    transaction.sender = transaction.recipient = transaction.queue_id = transaction.mta = text;
    helo_parse(text, &facts->helo);
    decision_make(conf, facts, &transaction, &decision);
    decision_log_line(&decision, &transaction, line);
    check_printable(line, sizeof line);
    static const char *const keys[] = {"client",   "ptr",    "iprev",    "helo",   "agreement",
                                       "checks",   "score",  "action",   "mode",   "policy",
                                       "match",    "stage",  "mta",      "dns_ms", "cache",
                                       "queue_id", "sender", "recipient"};
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_msg(count_fields(line, keys[i]) == 1, "%s in %s", keys[i], line);
    decision_auth_results(&decision, text, header);
    check_printable(header, 998 - strlen("Authentication-Results: "));
    decision_tag_header(&decision, header);
    check_printable(header, 998 - strlen("X-Iprevd: "));
    decision_reply(&decision, 0, &reply);
    for (size_t i = 0; i < reply.line_count; i++)
        check_printable(reply.lines[i], sizeof reply.lines[i]);
    check_json(&decision, &transaction);
}

START_TEST(test_hostile)
{
    static const struct factstext who = FALSE_PTR;
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    factstext_make(&who, &memory, &facts);
    check_all_outputs(conf, &facts, hostile[_i]);
    /* 5,000 bytes of it. */
    char *long_text = calloc(1, 6000);
    ck_assert_ptr_nonnull(long_text);
    while (hostile[_i][0] != '\0' && strlen(long_text) < 5000)
        strcat(long_text, hostile[_i]);
    check_all_outputs(conf, &facts, long_text);
    free(long_text);
    conf_unref(conf);
}
END_TEST

/* The longest of everything at once still leaves the reason whole. */
START_TEST(test_longest_line)
{
    char text[5001], name[HOSTNAME_MAX + 1], line[DECISION_LINE_MAX], path[1024];
    memset(text, '\001', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memset(name, 'a', sizeof name - 1);
    for (size_t i = 50; i < sizeof name - 1; i += 50)
        name[i] = '.';
    name[sizeof name - 1] = '\0';
    memset(path, 0, sizeof path);
    snprintf(path, sizeof path, "%s=198.51.100.9", name);
    const struct factstext who = {
        .client = "2001:db8:1111:2222:3333:4444:5555:6666", .ptr = "NX", .helo = text};
    struct transaction transaction = usual;
    struct conf *conf =
        load("match 1234567890123456789012345678901234567890123456789012345678901234 "
             "{ policy = default }");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    transaction.sender = transaction.recipient = transaction.queue_id = transaction.mta = text;
    decide(conf, &who, &transaction, &memory, &facts, &decision);
    struct name_facts false_name = {.name = name, .flaw = HOSTNAME_OK};
    false_name.forward.outcome = DNS_NXDOMAIN;
    facts.ptr.outcome = DNS_FOUND;
    facts.names = &false_name;
    facts.name_count = 1;
    decision_make(conf, &facts, &transaction, &decision);
    memset(decision.reason, 'r', sizeof decision.reason - 1);
    decision.reason[sizeof decision.reason - 1] = '\0';
    decision.verdict.would.checks = CHECK_BIT(CHECK_COUNT) - 1;
    decision_log_line(&decision, &transaction, line);
    ck_assert_int_eq(line[strlen(line) - 1], '"');
    ck_assert_uint_gt(strlen(line), 1500);
    conf_unref(conf);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------ */

static const char *text_of(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text == NULL ? "(none)" : text;
}

START_TEST(test_json)
{
    static const struct factstext who = FALSE_PTR;
    static const char *const keys[] = {
        "client", "ptr",       "iprev", "helo",   "agreement", "checks", "score", "action",
        "mode",   "policy",    "match", "stage",  "mta",       "dns_ms", "cache", "queue_id",
        "sender", "recipient", "relay", "secure", "would",     "reason"};
    struct conf *conf = load("");
    struct factstext_memory memory;
    struct facts facts;
    struct decision decision;
    decide(conf, &who, &usual, &memory, &facts, &decision);
    char *line = decision_json(&decision, &usual);
    ck_assert_ptr_nonnull(line);
    json_t *json = json_loads(line, 0, NULL);
    ck_assert_ptr_nonnull(json);
    for (size_t i = 0; i < COUNT(keys); i++)
        ck_assert_msg(json_object_get(json, keys[i]) != NULL, "no %s", keys[i]);
    ck_assert_str_eq(text_of(json, "client"), "198.51.100.7");
    ck_assert_str_eq(text_of(json, "action"), "reject");
    ck_assert_str_eq(text_of(json, "time"), "2027-01-01T00:00:00Z");
    ck_assert(json_is_null(json_object_get(json, "match")));
    ck_assert(json_is_number(json_object_get(json, "score")));
    const json_t *list = json_object_get(json, "checks");
    ck_assert_uint_eq(json_array_size(list), 3);
    ck_assert_str_eq(json_string_value(json_array_get(list, 0)), "ptr-mismatch");
    const json_t *name = json_array_get(json_object_get(json, "names"), 0);
    ck_assert_str_eq(text_of(name, "name"), "mail.example.org");
    ck_assert_str_eq(text_of(name, "outcome"), "found");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(name, "addresses"), 0)),
                     "203.0.113.9");
    const json_t *detail = json_array_get(json_object_get(json, "check_details"), 0);
    ck_assert_str_eq(text_of(detail, "explanation"), decision.reason);
    ck_assert_ptr_nonnull(strstr(line, "\"score\":6.5,"));
    json_decref(json);
    free(line);
    conf_unref(conf);
}
END_TEST

static const struct {
    const char *text, *want;
} json_cases[] = {
    {"plain", "\"plain\""},
    {NULL, "null"},
    {"", "\"\""},
    {"\303\244", "\"\303\244\""},
    {"\344", "\"\\\\xe4\""},
    {"a\303", "\"a\\\\xc3\""},
    {"\355\240\200", "\"\\\\xed\\\\xa0\\\\x80\""},
    {"\300\257", "\"\\\\xc0\\\\xaf\""},
    {"\364\220\200\200", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\""},
    {"\364\217\277\277", "\"\364\217\277\277\""},
    {"\302\205", "\"\\\\xc2\\\\x85\""},
    {"a\nb\177\\", "\"a\\\\x0ab\\\\x7f\\\\x5c\""},
    {"\"", "\"\\\"\""},
};

START_TEST(test_json_text)
{
    struct json_writer *json = json_writer_new();
    char want[128];
    ck_assert_ptr_nonnull(json);
    json_writer_text(json, "t", json_cases[_i].text);
    char *line = json_writer_line(json);
    snprintf(want, sizeof want, "{\"t\":%s}", json_cases[_i].want);
    ck_assert_str_eq(line, want);
    free(line);
    json_writer_free(json);
}
END_TEST

START_TEST(test_json_structure)
{
    struct json_writer *json = json_writer_new();
    ck_assert_ptr_nonnull(json);
    json_writer_int(json, "i", -1);
    json_writer_begin_list(json, "l");
    json_writer_real(json, NULL, 3.3);
    json_writer_begin_object(json, NULL);
    json_writer_bool(json, "b", true);
    json_writer_end(json);
    json_writer_end(json);
    json_writer_sentence(json, "s", "a\\x0ab");
    json_writer_end(json); /* one too many */
    char *line = json_writer_line(json);
    ck_assert_str_eq(line, "{\"i\":-1,\"l\":[3.3,{\"b\":true}],\"s\":\"a\\\\x0ab\"}");
    free(line);
    for (int i = 0; i <= JSONOUT_DEPTH_MAX; i++)
        json_writer_begin_list(json, "deep");
    ck_assert_ptr_null(json_writer_line(json));
    json_writer_free(json);
    json_writer_free(NULL);
}
END_TEST

#define LOOP(tcase, test, cases) tcase_add_loop_test(tcase, test, 0, (int)COUNT(cases))

int main(void)
{
    Suite *suite = suite_create("decision");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 60);
    LOOP(tcase, test_line, line_cases);
    tcase_add_test(tcase, test_line_of_little);
    tcase_add_test(tcase, test_exempt);
    tcase_add_test(tcase, test_relay);
    tcase_add_test(tcase, test_generic_pattern);
    tcase_add_test(tcase, test_secure);
    LOOP(tcase, test_authres, authres_cases);
    tcase_add_test(tcase, test_authres_of_exempt);
    tcase_add_test(tcase, test_tag);
    LOOP(tcase, test_hostile, hostile);
    tcase_add_test(tcase, test_longest_line);
    tcase_add_test(tcase, test_json);
    LOOP(tcase, test_json_text, json_cases);
    tcase_add_test(tcase, test_json_structure);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
