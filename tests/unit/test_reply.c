/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/reply.h"

#include "factstext.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define C4   .client = "198.51.100.7"
#define PASS .ptr = "mail.a.example=198.51.100.7"
#define NX   .ptr = "NX"

#define SERVER_NAME "your mail server's public name, which must resolve to this address"
#define RELAY       "; if they set none, send through their mail relay"
#define PROVIDER    "; ask your hosting or Internet provider "

/* Facts and evidence with one check, or those of `set`, true. */
struct scene {
    struct factstext_memory memory;
    struct facts facts;
    struct evidence evidence;
    struct policy policy;
    struct grace grace;
    struct verdict verdict;
};

static void make_scene(struct scene *scene, const struct factstext *text, check_set set)
{
    struct evidence_settings settings = {.neighbours = {24, 64},
                                         .required_agreement = AGREEMENT_DOMAIN};
    struct policy_site site = {.percent_bits = {24, 64}};
    memset(scene, 0, sizeof *scene);
    factstext_make(text, &scene->memory, &scene->facts);
    evidence_evaluate(&scene->facts, &settings, DIALOGUE_MAIL, &scene->evidence);
    scene->evidence.true_checks = set;
    policy_defaults(&scene->policy, "default");
    scene->verdict = policy_judge(&scene->policy, &site, &scene->evidence, &scene->grace);
}

static const struct {
    const char *label;
    enum check_id check;
    enum action action;
    struct factstext facts;
    const char *want_code, *want_xcode, *want_text;
} standard[] = {
    {"no PTR",
     CHECK_PTR_MISSING,
     ACTION_REJECT,
     {C4, NX},
     "550",
     "5.7.25",
     "[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
     " (ptr-missing)"},
    {"no PTR, deferred",
     CHECK_PTR_MISSING,
     ACTION_TEMPFAIL,
     {C4, NX},
     "450",
     "4.7.25",
     "[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
     " (ptr-missing)"},
    {"mismatch",
     CHECK_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, .ptr = "mail.a.example=203.0.113.9"},
     "550",
     "5.7.25",
     "[198.51.100.7] PTR mail.a.example resolves to 203.0.113.9, not to 198.51.100.7" PROVIDER
     "to change the PTR record to " SERVER_NAME " (ptr-mismatch)"},
    {"no PTR, and an EHLO name that leads back: the exact record",
     CHECK_PTR_MISSING,
     ACTION_REJECT,
     {C4, NX, .helo = "Mail.A.example", .helo_forward = "198.51.100.7"},
     "550",
     "5.7.25",
     "[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER
     "to set it: \"7.100.51.198.in-addr.arpa. PTR mail.a.example.\" (ptr-missing)"},
    {"an old PTR, and an EHLO name that leads back",
     CHECK_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, .ptr = "old.a.example=NX", .helo = "new.a.example", .helo_forward = "198.51.100.7"},
     "550",
     "5.7.25",
     "[198.51.100.7] PTR old.a.example does not exist (NXDOMAIN)" PROVIDER
     "to correct the PTR record: \"7.100.51.198.in-addr.arpa. PTR new.a.example.\" (ptr-mismatch)"},
    {"the final dot",
     CHECK_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, .ptr = "mail.a.example.100.51.198.in-addr.arpa=NX", .helo = "mail.a.example"},
     "550",
     "5.7.25",
     "[198.51.100.7] PTR mail.a.example.100.51.198.in-addr.arpa lacks its final dot in the reverse "
     "zone; the operator of the reverse zone, usually your provider, must end the name with a dot: "
     "\"7.100.51.198.in-addr.arpa. PTR mail.a.example.\" (ptr-mismatch)"},
    {"an address that is missing",
     CHECK_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, .ptr = "mail.a.example=NODATA"},
     "550",
     "5.7.25",
     "[198.51.100.7] PTR mail.a.example has no A record; add an A record with 198.51.100.7 to the "
     "name, or "
     "ask your hosting or Internet provider to change the PTR record to " SERVER_NAME
     " (ptr-mismatch)"},
    {"a provider's name is no record to ask for",
     CHECK_PTR_MISSING,
     ACTION_REJECT,
     {C4, NX, .helo = "198-51-100-7.dsl.isp.example", .helo_forward = "198.51.100.7"},
     "550",
     "5.7.25",
     "[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
     " (ptr-missing)"},
    {"a name with an underscore",
     CHECK_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, .ptr = "old_mail.a.example=NX"},
     "550",
     "5.7.25",
     "[198.51.100.7] PTR old_mail.a.example does not exist (NXDOMAIN)" PROVIDER
     "to change the PTR record to your mail server's public name, without \"_\", which must "
     "resolve "
     "to this address (ptr-mismatch)"},
    {"a name of the inside",
     CHECK_PTR_MISSING,
     ACTION_REJECT,
     {C4, NX, .helo = "mail.acme.local", .helo_forward = "NX"},
     "550",
     "5.7.25",
     "[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER
     "to set it to your mail server's public name, none in .local, which must resolve to this "
     "address" RELAY " (ptr-missing)"},
    {"underscore",
     CHECK_HELO_INVALID,
     ACTION_REJECT,
     {C4, PASS, .helo = "mail_out.a.example"},
     "550",
     "5.7.1",
     "[198.51.100.7] EHLO mail_out.a.example contains \"_\", which host names must not; set your "
     "server's EHLO name to mail.a.example (helo-invalid)"},
    {"a placeholder",
     CHECK_HELO_UNRESOLVED,
     ACTION_REJECT,
     {C4, PASS, .helo = "localhost.localdomain", .helo_forward = "NX"},
     "550",
     "5.7.1",
     "[198.51.100.7] EHLO name localhost.localdomain is a placeholder; set your server's EHLO name "
     "to mail.a.example (helo-unresolved)"},
    {"a name of an inner network",
     CHECK_HELO_UNRESOLVED,
     ACTION_REJECT,
     {C4, PASS, .helo = "exch01.acme.local", .helo_forward = "NX"},
     "550",
     "5.7.1",
     "[198.51.100.7] EHLO name exch01.acme.local is known only inside a network (.local); set your "
     "server's EHLO name to mail.a.example (helo-unresolved)"},
    {"a private address",
     CHECK_HELO_MISMATCH,
     ACTION_REJECT,
     {C4, PASS, .helo = "nat.a.example", .helo_forward = "192.168.1.10"},
     "550",
     "5.7.1",
     "[198.51.100.7] EHLO name nat.a.example resolves to 192.168.1.10, a private address, not to "
     "198.51.100.7; set your server's EHLO name to mail.a.example (helo-mismatch)"},
    {"the resolver is down",
     CHECK_DNS_TEMPERROR,
     ACTION_TEMPFAIL,
     {C4, .ptr = "TEMP", .down = true},
     "451",
     "4.4.3",
     "[198.51.100.7] our DNS lookup failed (SERVFAIL); nothing is wrong on your side; your server "
     "will try again by itself (dns-temperror)"},
    {"temporary",
     CHECK_DNS_TEMPERROR,
     ACTION_TEMPFAIL,
     {C4, .ptr = "TEMP"},
     "451",
     "4.7.25",
     "[198.51.100.7] looking up the PTR of 198.51.100.7 failed temporarily (SERVFAIL); your server "
     "will try again by itself; if this lasts for a day, the operator of the reverse "
     "zone, usually your provider, must fix its name servers (dns-temperror)"},
    {"temporary, refused by the site",
     CHECK_DNS_TEMPERROR,
     ACTION_REJECT,
     {C4, .ptr = "TEMP"},
     "550",
     "5.7.25",
     NULL},
    {"HELO",
     CHECK_HELO_NOT_FQDN,
     ACTION_REJECT,
     {C4, PASS, .helo = "localhost"},
     "550",
     "5.7.1",
     "[198.51.100.7] EHLO localhost is a single label, not a fully qualified name; set your "
     "server's "
     "EHLO name to mail.a.example (helo-not-fqdn)"},
    {"HELO, deferred",
     CHECK_HELO_NOT_FQDN,
     ACTION_TEMPFAIL,
     {C4, PASS, .helo = "localhost"},
     "450",
     "4.7.1",
     NULL},
    {"sender",
     CHECK_SENDER_PTR_MISMATCH,
     ACTION_REJECT,
     {C4, PASS, .sender = "b.example"},
     "550",
     "5.7.1",
     NULL},
    {"MTA", CHECK_MTA_DISAGREES, ACTION_REJECT, {C4, PASS, .mta = MTA_FAIL}, "550", "5.7.25", NULL},
};

START_TEST(test_standard)
{
    struct scene scene;
    struct reply reply;
    make_scene(&scene, &standard[_i].facts, CHECK_BIT(standard[_i].check));
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict),
                standard[_i].action, NULL, 0, &reply);
    ck_assert_str_eq(reply.code, standard[_i].want_code);
    ck_assert_str_eq(reply.xcode, standard[_i].want_xcode);
    ck_assert_uint_eq(reply.line_count, 1);
    if (standard[_i].want_text != NULL)
        ck_assert_str_eq(reply.lines[0], standard[_i].want_text);
}
END_TEST

static const struct {
    const char *label, *text, *help_url;
    enum action action;
    const char *want_code, *want_xcode;
    const char *want[3];
} templates[] = {
    {"help URL after the standard text",
     NULL,
     "https://mx.example/why",
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
      "; see https://mx.example/why (ptr-missing)"}},
    {"help URL with placeholders",
     NULL,
     "https://mx.example/why?ip=%{client}&x=%20%{helo}#%{check}",
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"[198.51.100.7] has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
      "; see "
      "https://mx.example/why?ip=198.51.100.7&x=%20%{helo}#ptr-missing (ptr-missing)"}},
    {"help URL with placeholders in one's own text",
     "%{url} %{record}|",
     "https://mx.example/#%{check}",
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"https://mx.example/#ptr-missing |"}},
    {"text only",
     "get a PTR",
     "https://mx.example/why",
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"get a PTR"}},
    {"code", "554 get a PTR", NULL, ACTION_REJECT, "554", "5.7.25", {"get a PTR"}},
    {"both codes", "554 5.7.1 get a PTR", NULL, ACTION_REJECT, "554", "5.7.1", {"get a PTR"}},
    {"enhanced code only", "5.7.1 get a PTR", NULL, ACTION_REJECT, "550", "5.7.1", {"get a PTR"}},
    {"codes of the wrong class",
     "550 5.7.25 get a PTR",
     NULL,
     ACTION_TEMPFAIL,
     "450",
     "4.7.25",
     {"get a PTR"}},
    {"numbers that are no code", "5501 x", NULL, ACTION_REJECT, "550", "5.7.25", {"5501 x"}},
    {"enhanced code that is none",
     "550 5.7.2500 x",
     NULL,
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"5.7.2500 x"}},
    {"placeholders",
     "%{client}|%{ptr}|%{helo}|%{url}|%{check}|100%%",
     "u",
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"198.51.100.7|unknown|h.example|u|ptr-missing|100%"}},
    {"reason and mend",
     "%{reason}. %{mend}.",
     NULL,
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"198.51.100.7 has no PTR record (NXDOMAIN). ask your hosting or Internet provider to set "
      "it to " SERVER_NAME RELAY "."}},
    {"no URL", "see %{url}", NULL, ACTION_REJECT, "550", "5.7.25", {"see "}},
    {"nothing but a URL that is not set",
     "%{url} ",
     NULL,
     ACTION_REJECT,
     "550",
     "5.7.25",
     {"refused by local policy"}},
    {"unknown placeholder stays", "%{x} %", NULL, ACTION_REJECT, "550", "5.7.25", {"%{x} %"}},
    {"lines", "one\\ntwo\nthree", NULL, ACTION_REJECT, "550", "5.7.25", {"one", "two", "three"}},
    {"empty lines", "one\\n\\n\\ntwo\\n", NULL, ACTION_REJECT, "550", "5.7.25", {"one", "two"}},
    {"not ASCII", "caf\xe9\r\t", NULL, ACTION_REJECT, "550", "5.7.25", {"caf\\xe9\\x0d\\x09"}},
    {"nothing", "550 5.7.25 ", NULL, ACTION_REJECT, "550", "5.7.25", {"refused by local policy"}},
};

START_TEST(test_templates)
{
    static const struct factstext text = {C4, NX, .helo = "h.example"};
    struct scene scene;
    struct reply reply;
    make_scene(&scene, &text, CHECK_BIT(CHECK_PTR_MISSING));
    scene.policy.rules[CHECK_PTR_MISSING].reply = templates[_i].text;
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict),
                templates[_i].action, templates[_i].help_url, 0, &reply);
    ck_assert_str_eq(reply.code, templates[_i].want_code);
    ck_assert_str_eq(reply.xcode, templates[_i].want_xcode);
    for (size_t i = 0; i < 3 && templates[_i].want[i] != NULL; i++) {
        ck_assert_uint_gt(reply.line_count, i);
        ck_assert_str_eq(reply.lines[i], templates[_i].want[i]);
        ck_assert(i + 1 == 3 || templates[_i].want[i + 1] != NULL || reply.line_count == i + 1);
    }
}
END_TEST

START_TEST(test_score)
{
    static const struct factstext text = {C4, NX, .helo = "localhost"};
    struct policy_site site = {.percent_bits = {24, 64}};
    struct scene scene;
    struct reply reply;
    make_scene(&scene, &text,
               CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_NOT_FQDN) |
                   CHECK_BIT(CHECK_HELO_DISAGREES));
    scene.policy.rules[CHECK_PTR_MISSING] = (struct check_rule){ACTION_TAG, 2.5, false, 100, "own"};
    scene.policy.rules[CHECK_HELO_NOT_FQDN].score = 1.5;
    scene.policy.rules[CHECK_HELO_DISAGREES].score = 1.0;
    scene.policy.reject_score = 5.0;
    scene.verdict = policy_judge(&scene.policy, &site, &scene.evidence, &scene.grace);
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                NULL, 0, &reply);
    ck_assert_str_eq(reply.code, "550");
    ck_assert_str_eq(reply.xcode, "5.7.1");
    ck_assert_str_eq(
        reply.lines[0],
        "[198.51.100.7] total score 5 of ptr-missing, helo-not-fqdn and helo-disagrees: "
        "198.51.100.7 has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY
        " (ptr-missing)");

    /* A check that adds nothing is no part of the sum, true or not. */
    scene.policy.rules[CHECK_HELO_NOT_FQDN].score = 0;
    scene.policy.reject_score = 3.5;
    scene.verdict = policy_judge(&scene.policy, &site, &scene.evidence, &scene.grace);
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                NULL, 0, &reply);
    ck_assert_str_eq(
        reply.lines[0],
        "[198.51.100.7] total score 3.5 of ptr-missing and helo-disagrees: 198.51.100.7 "
        "has no PTR record (NXDOMAIN)" PROVIDER "to set it to " SERVER_NAME RELAY " (ptr-missing)");
    scene.policy.rules[CHECK_HELO_NOT_FQDN].score = 1.5;

    scene.policy.rules[CHECK_HELO_DISAGREES].monitor = true;
    scene.policy.reject_score = 4.0;
    scene.verdict = policy_judge(&scene.policy, &site, &scene.evidence, &scene.grace);
    char reason[REASON_MAX];
    ck_assert_str_eq(reply_reason(&scene.evidence, verdict_reported(&scene.verdict), reason),
                     "total score 4 of ptr-missing and helo-not-fqdn: 198.51.100.7 has no PTR "
                     "record (NXDOMAIN)");
}
END_TEST

START_TEST(test_no_reason)
{
    static const struct factstext text = {C4, PASS, .helo = "mail.a.example"};
    struct scene scene;
    struct reply reply;
    char reason[REASON_MAX];
    make_scene(&scene, &text, 0);
    ck_assert_str_eq(reply_reason(&scene.evidence, verdict_reported(&scene.verdict), reason), "");
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                "u", 0, &reply);
    ck_assert_str_eq(reply.lines[0], "[198.51.100.7] refused by local policy; see u");
    ck_assert_str_eq(reply.code, "550");
}
END_TEST

static void assert_harmless(const struct reply *reply)
{
    ck_assert_uint_ge(reply->line_count, 1);
    ck_assert_uint_le(reply->line_count, REPLY_LINES_MAX);
    for (size_t i = 0; i < reply->line_count; i++) {
        size_t length = strlen(reply->lines[i]);
        ck_assert_uint_ge(length, 1);
        ck_assert_uint_le(length, REPLY_LINE_MAX);
        for (size_t j = 0; j < length; j++)
            ck_assert(reply->lines[i][j] >= 0x20 && reply->lines[i][j] <= 0x7e);
    }
}

/* What a client says never breaks a reply, whatever the template does with it. */
START_TEST(test_hostile_helo)
{
    static const char bytes[] = {'a', '\xff', '\n', '"', '%', '\\', '{', ' '};
    static const char *const texts[] = {NULL, "%{helo} %{helo}\\n%{reason}",
                                        "%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}"
                                        "%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}"
                                        "%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}%{helo}"};
    static const struct factstext text = {C4, PASS};
    char helo[5001];
    struct scene scene;
    struct reply reply;
    memset(helo, bytes[_i], sizeof helo - 1);
    helo[sizeof helo - 1] = '\0';
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        make_scene(&scene, &text, CHECK_BIT(CHECK_HELO_INVALID));
        helo_parse(helo, &scene.facts.helo);
        scene.policy.rules[CHECK_HELO_INVALID].reply = texts[i];
        reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                    NULL, 0, &reply);
        assert_harmless(&reply);
        ck_assert_str_eq(reply.code, "550");
    }
}
END_TEST

START_TEST(test_placeholders_are_not_expanded_twice)
{
    static const struct factstext text = {C4, NX, .helo = "%{reason}\\n%{url}%%"};
    struct scene scene;
    struct reply reply;
    make_scene(&scene, &text, CHECK_BIT(CHECK_PTR_MISSING));
    scene.policy.rules[CHECK_PTR_MISSING].reply = "<%{helo}>";
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                "u", 0, &reply);
    ck_assert_uint_eq(reply.line_count, 1);
    ck_assert_str_eq(reply.lines[0], "<%{reason}\\x5cn%{url}%%>");
}
END_TEST

START_TEST(test_long_lines_are_wrapped)
{
    static const struct factstext text = {C4, NX};
    char own[3 * REPLY_LINE_MAX + 1];
    struct scene scene;
    struct reply reply;
    make_scene(&scene, &text, CHECK_BIT(CHECK_PTR_MISSING));
    scene.policy.rules[CHECK_PTR_MISSING].reply = own;
    for (size_t i = 0; i < sizeof own - 1; i++)
        own[i] = i % 10 == 9 ? ' ' : 'a';
    own[sizeof own - 1] = '\0';
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                NULL, 0, &reply);
    assert_harmless(&reply);
    ck_assert_uint_eq(reply.line_count, 3);
    ck_assert_str_eq(reply.lines[0] + strlen(reply.lines[0]) - 9, "aaaaaaaaa");

    memset(own, 'b', sizeof own - 1); /* no space: cut hard */
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                NULL, 0, &reply);
    ck_assert_uint_eq(reply.line_count, 3);
    ck_assert_uint_eq(strlen(reply.lines[0]), REPLY_LINE_MAX);

    char many[2 * (REPLY_LINES_MAX + 2) + 1]; /* more lines than a reply has */
    for (size_t i = 0; i < sizeof many - 1; i++)
        many[i] = i % 2 == 0 ? 'c' : '\n';
    many[sizeof many - 1] = '\0';
    scene.policy.rules[CHECK_PTR_MISSING].reply = many;
    reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                NULL, 0, &reply);
    ck_assert_uint_eq(reply.line_count, REPLY_LINES_MAX);
    ck_assert_str_eq(reply.lines[REPLY_LINES_MAX - 1], "c...");
}
END_TEST

/* With what the mail server puts before it, a line is no longer than SMTP allows; what shortens is
   the evidence. */
START_TEST(test_prefix)
{
    static const struct factstext text = {C4, PASS};
    static const char url[] =
        "https://postmaster.example.net/" /* 200 characters, as the configuration allows */
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aa"
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    static const char *const texts[] = {
        NULL,
        "554 5.7.999 %{client} %{helo} %{helo} %{helo} %{helo} %{helo} %{helo} %{helo} %{helo} "
        "%{helo} %{helo} %{reason} %{reason} %{reason} %{client} %{url}"};
    static const size_t prefixes[] = {0, 4, 30, REPLY_PREFIX_MAX, 10000};
    char helo[HELO_TEXT_MAX + 1];
    struct scene scene;
    struct reply reply;
    memset(helo, '"', sizeof helo - 1);
    helo[sizeof helo - 1] = '\0';
    for (size_t i = 0; i < 2 * sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t prefix = prefixes[i / 2];
        make_scene(&scene, &text, CHECK_BIT(CHECK_HELO_INVALID));
        helo_parse(helo, &scene.facts.helo);
        scene.policy.rules[CHECK_HELO_INVALID].reply = texts[i % 2];
        reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                    url, prefix, &reply);
        assert_harmless(&reply);
        bool address = false, whole_url = false, check = false;
        for (size_t j = 0; j < reply.line_count; j++) {
            size_t frame = strlen("550 ") + strlen(reply.xcode) + strlen(" \r\n");
            size_t before = prefix < REPLY_PREFIX_MAX ? prefix : REPLY_PREFIX_MAX;
            ck_assert_uint_le(frame + before + strlen(reply.lines[j]), REPLY_WIRE_MAX);
            address |= strstr(reply.lines[j], "198.51.100.7") != NULL;
            whole_url |= strstr(reply.lines[j], url) != NULL;
            check |= strstr(reply.lines[j], "(helo-invalid)") != NULL;
        }
        ck_assert_msg(whole_url, "prefix %zu, text %zu: the URL is not whole", prefix, i % 2);
        ck_assert_msg(address, "the address is lost");
        ck_assert_msg(check || texts[i % 2] != NULL, "the check's name is lost");
    }
}
END_TEST

/* What goes first where a line is too short: the record, who can fix it, the names' ends. */
START_TEST(test_what_is_dropped)
{
    static const struct {
        size_t helo; /* length of the EHLO name */
        size_t prefix;
        bool want_record, want_fix, want_name;
    } rows[] = {
        {20, 0, true, true, true},      {45, 207, false, true, true},
        {120, 0, true, true, true},     {120, 207, false, false, true},
        {240, 100, false, true, false}, {240, 207, false, false, false},
    };
    static const char url[] = "https://mx.example/why#%{check}";
    char helo[HOSTNAME_MAX + 1], old[HOSTNAME_MAX + 8];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene;
        struct reply reply;
        for (size_t j = 0; j < rows[i].helo; j++)
            helo[j] = j % 50 == 49 ? '.' : 'z';
        memcpy(helo + rows[i].helo, ".example", sizeof ".example");
        (void)snprintf(old, sizeof old, "o%s=NX", helo + 1);
        struct factstext text = {C4, .ptr = old, .helo = helo, .helo_forward = "198.51.100.7"};
        make_scene(&scene, &text, CHECK_BIT(CHECK_PTR_MISMATCH));
        reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                    url, rows[i].prefix, &reply);
        const char *line = reply.lines[0];
        ck_assert_uint_eq(reply.line_count, 1);
        ck_assert_uint_le(strlen("550 5.7.25 \r\n") + rows[i].prefix + strlen(line),
                          REPLY_WIRE_MAX);
        ck_assert_msg(strncmp(line, "[198.51.100.7] PTR oz", 21) == 0, "%s", line);
        ck_assert_msg(strstr(line, "; see https://mx.example/why#ptr-mismatch (ptr-mismatch)") !=
                          NULL,
                      "%s", line);
        ck_assert_msg((strstr(line, "in-addr.arpa. PTR") != NULL) == rows[i].want_record, "%zu: %s",
                      i, line);
        ck_assert_msg((strstr(line, "; ask your") != NULL) == rows[i].want_fix, "%zu: %s", i, line);
        ck_assert_msg((strstr(line, "....") == NULL) == rows[i].want_name ||
                          (strstr(line, "z...") == NULL) == rows[i].want_name,
                      "%zu: %s", i, line);
    }
}
END_TEST

/* Longest names everywhere: the sentence is cut, the reply stands. */
START_TEST(test_long_names)
{
    static const struct factstext text = {C4, NX};
    struct name_facts names[16];
    struct ipaddr addresses[16];
    char name[HOSTNAME_MAX + 1];
    struct scene scene;
    struct reply reply;
    memset(name, 'a', HOSTNAME_MAX);
    name[HOSTNAME_MAX] = '\0';
    memset(names, 0, sizeof names);
    for (size_t i = 0; i < 16; i++) {
        ck_assert(ipaddr_parse("2001:db8:1234:5678:9abc:def0:1234:5678", &addresses[i]) ==
                  RESULT_OK);
        names[i] = (struct name_facts){.name = name,
                                       .forward = {.outcome = DNS_FOUND},
                                       .addresses = addresses,
                                       .address_count = 16};
    }
    make_scene(&scene, &text, 0);
    for (size_t count = 1; count <= 16; count += 5) {
        scene.facts.names = names;
        scene.facts.name_count = count;
        scene.facts.ptr.outcome = DNS_FOUND;
        scene.verdict.would.reason = CHECK_PTR_MISMATCH;
        reply_build(&scene.policy, &scene.evidence, verdict_reported(&scene.verdict), ACTION_REJECT,
                    name, 0, &reply);
        assert_harmless(&reply);
    }
}
END_TEST

static const struct {
    const char *label, *text;
    enum action action;
    const char *want; /* NULL: sound */
    size_t want_at;
} checked[] = {
    {"text", "get a PTR", ACTION_REJECT, NULL, 0},
    {"codes", "550 5.7.25 %{reason}; %{mend} %{url} %{client} %{ptr} %{helo} %{check} 5%%",
     ACTION_REJECT, NULL, 0},
    {"tempfail", "451 4.7.25 later", ACTION_TEMPFAIL, NULL, 0},
    {"lines", "one\\ntwo\nthree", ACTION_REJECT, NULL, 0},
    {"any class where it is not used", "451 4.7.1 x", ACTION_TAG, NULL, 0},
    {"5xx with tempfail", "550 x", ACTION_TEMPFAIL, "code 5xx with action tempfail", 0},
    {"4xx with reject", "450 x", ACTION_REJECT, "code 4xx with action reject", 0},
    {"4.x.x with reject", "4.7.1 x", ACTION_REJECT, "code 4xx with action reject", 0},
    {"classes differ", "550 4.7.1 x", ACTION_REJECT,
     "code and enhanced code are of different classes", 0},
    {"2xx", "250 x", ACTION_REJECT, "the code is neither 4xx nor 5xx", 0},
    {"2.x.x", "2.7.1 x", ACTION_REJECT, "the enhanced code is neither 4.x.x nor 5.x.x", 0},
    {"unknown placeholder", "550 a %{rdns}", ACTION_REJECT, "unknown placeholder", 6},
    {"open placeholder", "%{client", ACTION_REJECT, "unknown placeholder", 0},
    {"percent", "100% sure", ACTION_REJECT, "a % that begins no placeholder (write %%)", 3},
    {"last percent", "100%", ACTION_REJECT, "a % that begins no placeholder (write %%)", 3},
    {"8-bit", "caf\xe9", ACTION_REJECT, "a character that is not printable ASCII", 3},
    {"control", "a\tb", ACTION_REJECT, "a character that is not printable ASCII", 1},
    {"no text", "550 5.7.25", ACTION_REJECT, "no text", 10},
    {"empty", "", ACTION_REJECT, "no text", 0},
};

START_TEST(test_check_template)
{
    const char *at = NULL;
    const char *problem = reply_check_template(checked[_i].text, checked[_i].action, &at);
    if (checked[_i].want == NULL) {
        ck_assert_msg(problem == NULL, "%s: %s", checked[_i].label, problem);
        return;
    }
    ck_assert_msg(problem != NULL, "%s", checked[_i].label);
    ck_assert_str_eq(problem, checked[_i].want);
    ck_assert_uint_eq((size_t)(at - checked[_i].text), checked[_i].want_at);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *tcase = tcase_create("all");
    LOOP(tcase, test_standard, standard);
    LOOP(tcase, test_templates, templates);
    tcase_add_test(tcase, test_score);
    tcase_add_test(tcase, test_no_reason);
    tcase_add_loop_test(tcase, test_hostile_helo, 0, 8);
    tcase_add_test(tcase, test_placeholders_are_not_expanded_twice);
    tcase_add_test(tcase, test_prefix);
    tcase_add_test(tcase, test_what_is_dropped);
    tcase_add_test(tcase, test_long_lines_are_wrapped);
    tcase_add_test(tcase, test_long_names);
    LOOP(tcase, test_check_template, checked);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
