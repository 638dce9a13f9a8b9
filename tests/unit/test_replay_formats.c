/* SPDX-License-Identifier: BSD-2-Clause */
/* The formats of iprevctl replay: lines in, attempts out, each told as one line of text. */
#include "base/textbuf.h"
#include "ctl/logs/maillog_journal.h"
#include "ctl/logs/maillog_mailbox.h"
#include "ctl/logs/maillog_postfix.h"
#include "ctl/logs/maillog_sendmail.h"
#include "ctl/logs/maillog_stamp.h"
#include "ctl/logs/maillog_syslog.h"
#include "ctl/logs/maillog_triples.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_S 1795000000 /* 2026-11-18 */

/* --- attempts as text ------------------------------------------------------------------------ */

static char told_memory[4096];
static struct textbuf told;
static bool tell_time; /* of messages: that of logs has tests of its own */

/* "1 192.0.2.1 ptr=a.example helo=b from=c to=d accepted" */
static void tell(void *arg, const struct maillog_event *event)
{
    static const char *const ptrs[] = {"?", "none", "ptr", "unconfirmed", "temperror"};
    static const char *const outcomes[] = {"unknown", "accepted", "deferred", "refused"};
    char client[IPADDR_TEXT_MAX];
    (void)arg;
    textbuf_printf(&told, "%llu %s %s", (unsigned long long)event->line,
                   ipaddr_format(&event->client, client), ptrs[event->ptr_state]);
    if (event->ptr[0] != '\0')
        textbuf_printf(&told, "=%s", event->ptr);
    if (event->helo_recorded)
        textbuf_printf(&told, " helo=%s", event->helo);
    if (event->sender_recorded)
        textbuf_printf(&told, " from=%s", event->sender);
    if (event->recipient_recorded)
        textbuf_printf(&told, " to=%s", event->recipient);
    if (tell_time && event->wall_s != 0)
        textbuf_printf(&told, " @%lld", (long long)event->wall_s);
    textbuf_printf(&told, "%s %s\n", event->authenticated ? " auth" : "", outcomes[event->outcome]);
}

static const struct maillog_sink sink = {.event = tell};

static void begin(void)
{
    textbuf_init(&told, told_memory, sizeof told_memory);
}

static bool is_ours(void *arg, const struct ipaddr *addr)
{
    (void)arg;
    return addr->family == IP_V4 && (addr->bytes[0] == 127 || addr->bytes[0] == 10);
}

/* --- logs ------------------------------------------------------------------------------------ */

#define P(program, text) "Nov 14 10:00:00 mx postfix/" program "[7]: " text "\n"
#define S(text)          "Nov 14 10:00:00 mx sm-mta[7]: " text "\n"
#define S2(text)         "Nov 14 10:00:00 mx sm-mta[8]: " text "\n"

static const struct {
    const char *label;
    const char *lines;
    const char *want;
} logs[] = {
    {"taken",
     P("smtpd", "connect from mail.a.example[192.0.2.1]")
         P("smtpd", "4F1A2B: client=mail.a.example[192.0.2.1]")
             P("cleanup", "4F1A2B: message-id=<x@a.example>") P(
                 "qmgr", "4F1A2B: from=<u@a.example>, size=100, nrcpt=1 (queue active)")
                 P("smtpd",
                   "disconnect from mail.a.example[192.0.2.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1"),
     "2 192.0.2.1 ptr=mail.a.example from=u@a.example accepted\n"},
    {"no PTR", P("smtpd", "4F1A2B: client=unknown[192.0.2.1]") P("qmgr", "4F1A2B: from=<>, size=1"),
     "1 192.0.2.1 none from= accepted\n"},
    {"client with port", P("smtpd", "4F1A2B: client=a.example[192.0.2.1]:25025"),
     "1 192.0.2.1 ptr=a.example unknown\n"},
    {"IPv6", P("smtpd", "4F1A2B: client=a.example[2001:db8::1]"),
     "1 2001:db8::1 ptr=a.example unknown\n"},
    {"logged in",
     P("submission/smtpd",
       "4F1A2B: client=a.example[192.0.2.1], sasl_method=PLAIN, sasl_username=u"),
     "1 192.0.2.1 ptr=a.example auth unknown\n"},
    {"refused at RCPT",
     P("smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.7.25 Client host rejected: "
                "cannot find your hostname, [192.0.2.1]; from=<u@a.example> to=<v@b.example> "
                "proto=ESMTP helo=<host.a.example>"),
     "1 192.0.2.1 none helo=host.a.example from=u@a.example to=v@b.example refused\n"},
    {"deferred",
     P("smtpd",
       "NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 450 4.7.25 later; from=<> to=<v@b> "
       "proto=SMTP helo=<x>"),
     "1 192.0.2.1 ptr=a.example helo=x from= to=v@b deferred\n"},
    {"postscreen",
     P("postscreen", "NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 550 5.7.1 Service unavailable; "
                     "client [192.0.2.1] blocked; from=<u@a>, to=<v@b>, proto=ESMTP, helo=<h>"),
     "1 192.0.2.1 ? helo=h from=u@a to=v@b refused\n"},
    {"a filter refuses at the end",
     P("smtpd", "4F1A2B: client=a.example[192.0.2.1]") P(
         "cleanup", "4F1A2B: milter-reject: END-OF-MESSAGE from a.example[192.0.2.1]: 5.7.1 spam; "
                    "from=<u@a> to=<v@b> proto=ESMTP helo=<h>"),
     "2 192.0.2.1 ptr=a.example helo=h from=u@a to=v@b refused\n"},
    {"header check",
     P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
         P("cleanup",
           "4F1A2B: reject: header Subject: hi from a.example[192.0.2.1]; from=<u@a> to=<v@b> "
           "proto=ESMTP helo=<h>: 5.7.1 no"),
     "2 192.0.2.1 ptr=a.example helo=h from=u@a to=v@b refused\n"},
    {"one recipient refused, one taken",
     P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
         P("smtpd",
           "4F1A2B: reject: RCPT from a.example[192.0.2.1]: 550 5.1.1 no; from=<u@a> to=<w@b> "
           "proto=ESMTP helo=<h>") P("qmgr", "4F1A2B: from=<u@a>, size=1, nrcpt=1 (queue active)"),
     "2 192.0.2.1 ptr=a.example helo=h from=u@a to=w@b refused\n"
     "1 192.0.2.1 ptr=a.example from=u@a accepted\n"},
    {"a warning tells EHLO",
     P("smtpd", "connect from a.example[192.0.2.1]")
         P("smtpd",
           "NOQUEUE: reject_warning: RCPT from a.example[192.0.2.1]: 450 4.7.1 x; from=<u@a> "
           "to=<v@b> proto=ESMTP helo=<h>") P("smtpd", "4F1A2B: client=a.example[192.0.2.1]"),
     "3 192.0.2.1 ptr=a.example helo=h unknown\n"},
    {"unconfirmed name",
     P("smtpd", "warning: hostname bad.example does not resolve to address 192.0.2.1: Name or "
                "service not known") P("smtpd", "connect from unknown[192.0.2.1]")
         P("smtpd", "4F1A2B: client=unknown[192.0.2.1]"),
     "3 192.0.2.1 unconfirmed=bad.example unknown\n"},
    {"unconfirmed name, older words",
     P("smtpd", "warning: 192.0.2.1: hostname bad.example verification failed: Name or service")
         P("smtpd", "4F1A2B: client=unknown[192.0.2.1]"),
     "2 192.0.2.1 unconfirmed=bad.example unknown\n"},
    {"another client of the same process",
     P("smtpd", "warning: hostname bad.example does not resolve to address 192.0.2.1")
         P("smtpd", "connect from unknown[192.0.2.2]")
             P("smtpd", "4F1A2B: client=unknown[192.0.2.2]"),
     "3 192.0.2.2 none unknown\n"},
    {"a queue ID again",
     P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
         P("smtpd", "4F1A2B: client=b.example[192.0.2.2]"),
     "1 192.0.2.1 ptr=a.example unknown\n2 192.0.2.2 ptr=b.example unknown\n"},
    {"an address in brackets in EHLO",
     P("smtpd", "NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 550 5.7.1 <[203.0.113.9]>: no; "
                "from=<u@a> to=<v@b> proto=ESMTP helo=<[203.0.113.9]>"),
     "1 192.0.2.1 ptr=a.example helo=[203.0.113.9] from=u@a to=v@b refused\n"},
    {"not for us",
     P("smtpd", "connect from a.example[not-an-address]")
         P("smtpd", "4F1A2B: client=a.example[999.1.1.1]") P("smtpd", "4F1A2B: client=")
             P("smtpd", "") P("smtpd", ": ") P("qmgr", "4F1A2B: from=<"),
     ""},

    {"sendmail: taken",
     S("3AB1C2D3012345: from=<u@a.example>, size=10, class=0, nrcpts=1, msgid=<m@a>, proto=ESMTP, "
       "daemon=MTA, relay=mail.a.example [192.0.2.1]")
         S("3AB1C2D3012345: to=<v@b>, delay=00:00:01, mailer=local, pri=30, dsn=2.0.0, stat=Sent"),
     "1 192.0.2.1 ptr=mail.a.example from=u@a.example accepted\n"},
    {"sendmail: no PTR",
     S("3AB1C2D3012345: from=<>, size=10, class=0, nrcpts=1, proto=SMTP, daemon=MTA, "
       "relay=[192.0.2.1]"),
     "1 192.0.2.1 none from= accepted\n"},
    {"sendmail: may be forged",
     S("3AB1C2D3012345: from=<u@a>, size=10, nrcpts=1, relay=bad.example [192.0.2.1] (may be "
       "forged)"),
     "1 192.0.2.1 unconfirmed=bad.example from=u@a accepted\n"},
    {"sendmail: IPv6 and ident",
     S("3AB1C2D3012345: from=<u@a>, size=10, nrcpts=1, relay=joe@a.example [IPv6:2001:db8::1]"),
     "1 2001:db8::1 ptr=a.example from=u@a accepted\n"},
    {"sendmail: a milter refuses the recipient",
     S("3AB1C2D3012345: Milter: to=<v@b>, reject=550 5.7.25 192.0.2.1 has no PTR record")
         S("3AB1C2D3012345: from=<u@a>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, "
           "relay=[192.0.2.1]"),
     "1 192.0.2.1 none from=u@a to=v@b refused\n"},
    {"sendmail: a milter's refusals of two processes, each logged twice",
     S("3AB1C2D3012345: milter=iprevd, action=rcpt, reject=550 5.7.25 no PTR record")
         S2("3AB1C2D3012346: milter=iprevd, action=rcpt, reject=550 5.7.25 no PTR record")
             S("3AB1C2D3012345: Milter: to=<v@b>, reject=550 5.7.25 no PTR record")
                 S2("3AB1C2D3012346: Milter: to=<w@b>, reject=550 5.7.25 no PTR record")
                     S("3AB1C2D3012345: from=<u@a>, size=0, nrcpts=0, relay=[192.0.2.1]")
                         S2("3AB1C2D3012346: from=<x@a>, size=0, nrcpts=0, relay=[192.0.2.2]"),
     "1 192.0.2.1 none from=u@a to=v@b refused\n"
     "2 192.0.2.2 none from=x@a to=w@b refused\n"},
    {"sendmail: a milter refuses two recipients, each logged twice",
     S("3AB1C2D3012345: milter=iprevd, action=rcpt, reject=550 5.7.25 no PTR record")
         S("3AB1C2D3012345: Milter: to=<v@b>, reject=550 5.7.25 no PTR record")
             S("3AB1C2D3012345: milter=iprevd, action=rcpt, reject=550 5.7.25 no PTR record")
                 S("3AB1C2D3012345: Milter: to=<w@b>, reject=550 5.7.25 no PTR record")
                     S("3AB1C2D3012345: from=<u@a>, size=0, nrcpts=0, relay=[192.0.2.1]"),
     "1 192.0.2.1 none from=u@a to=v@b refused\n"
     "3 192.0.2.1 none from=u@a to=w@b refused\n"},
    {"sendmail: a milter refuses at the end",
     S("3AB1C2D3012345: from=<u@a>, size=9, class=0, nrcpts=1, relay=a.example [192.0.2.1]")
         S("3AB1C2D3012345: Milter: data, reject=451 4.7.1 later"),
     "1 192.0.2.1 ptr=a.example from=u@a deferred\n"},
    {"sendmail: a ruleset refuses",
     S("3AB1C2D3012345: ruleset=check_rcpt, arg1=<v@b>, relay=a.example [192.0.2.1], reject=550 "
       "5.7.1 "
       "<v@b>... Relaying denied"),
     "1 192.0.2.1 ptr=a.example to=v@b refused\n"},
    {"sendmail: logged in",
     S("3AB1C2D3012345: AUTH=server, relay=a.example [192.0.2.1], authid=u, mech=PLAIN, bits=0")
         S("3AB1C2D3012345: from=<u@a>, size=9, nrcpts=1, relay=a.example [192.0.2.1]"),
     "2 192.0.2.1 ptr=a.example from=u@a auth accepted\n"},
    {"sendmail: a relay in the sender",
     S("3AB1C2D3012345: from=<\"a, relay=x [203.0.113.9]\"@a>, size=9, nrcpts=1, relay=a.example "
       "[192.0.2.1]"),
     "1 192.0.2.1 ptr=a.example from=\"a, relay=x [203.0.113.9]\"@a accepted\n"},
    {"sendmail: submitted here",
     S("3AB1C2D3012345: from=root, size=9, nrcpts=1, relay=root@localhost"), ""},
    {"other lines", "Nov 14 10:00:00 mx kernel: hello\nnonsense\n\n", ""},
};

static void feed_log(struct maillog_postfix *postfix, struct maillog_sendmail *sendmail,
                     const char *text)
{
    char line[1024];
    uint64_t number = 0;
    for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
        struct maillog_record record;
        maillog_copy(line, sizeof line, text, strcspn(text, "\n"));
        number++;
        if (!maillog_syslog_parse(line, &record))
            continue;
        record.line = number;
        record.file = "log";
        if (maillog_postfix_is(record.program))
            maillog_postfix_record(postfix, &record, &sink);
        else if (maillog_sendmail_is(&record))
            maillog_sendmail_record(sendmail, &record, &sink);
    }
}

START_TEST(test_log)
{
    struct maillog_postfix *postfix = maillog_postfix_new();
    struct maillog_sendmail *sendmail = maillog_sendmail_new();
    ck_assert_ptr_nonnull(postfix);
    ck_assert_ptr_nonnull(sendmail);
    begin();
    feed_log(postfix, sendmail, logs[_i].lines);
    maillog_postfix_end(postfix, &sink);
    maillog_sendmail_end(sendmail, &sink);
    ck_assert_msg(strcmp(told.text, logs[_i].want) == 0, "%s: got\n%swanted\n%s", logs[_i].label,
                  told.text, logs[_i].want);
    maillog_postfix_free(postfix);
    maillog_sendmail_free(sendmail);
}
END_TEST

/* Refusals that are reported at once take no place of one that waits for its client. */
START_TEST(test_refused_connections)
{
    struct maillog_postfix *postfix = maillog_postfix_new();
    struct maillog_sendmail *sendmail = maillog_sendmail_new();
    ck_assert_ptr_nonnull(postfix);
    ck_assert_ptr_nonnull(sendmail);
    begin();
    feed_log(postfix, sendmail, S("3AB1C2D3012345: <v@b>... User unknown"));
    ck_assert_str_eq(told.text, "");
    for (unsigned i = 0; i < 2000; i++) {
        begin();
        feed_log(postfix, sendmail,
                 S2("ruleset=check_relay, arg1=[192.0.2.9], arg2=192.0.2.9, relay=[192.0.2.9], "
                    "reject=550 5.7.1 Access denied"));
        ck_assert_str_eq(told.text, "1 192.0.2.9 none refused\n");
    }
    begin();
    feed_log(postfix, sendmail,
             S("3AB1C2D3012345: from=<u@a>, size=0, nrcpts=0, relay=a.example [192.0.2.1]"));
    ck_assert_str_eq(told.text, "1 192.0.2.1 ptr=a.example from=u@a to=v@b refused\n");
    begin();
    maillog_sendmail_end(sendmail, &sink);
    ck_assert_str_eq(told.text, "");
    maillog_postfix_free(postfix);
    maillog_sendmail_free(sendmail);
}
END_TEST

/* --- time stamps ----------------------------------------------------------------------------- */

static const struct {
    const char *label, *line;
    bool want;
    const char *want_program, *want_message;
    int64_t want_s; /* TZ is UTC */
} stamps[] = {
    {"BSD", "Nov 14 10:00:00 mx postfix/smtpd[7]: hello", true, "postfix/smtpd", "hello",
     1794650400},
    {"day of one digit", "Nov  4 10:00:00 mx a[7]: x", true, "a", "x", 1793786400},
    {"of last year", "Dec 31 23:59:59 mx a[7]: x", true, "a", "x", 1767225599},
    {"leap second", "Dec 31 23:59:60 mx a[7]: x", true, "a", "x", 1767225599},
    {"RFC 3339", "2026-11-14T10:00:00.123456+01:00 mx a[7]: x", true, "a", "x", 1794646800},
    {"short-iso", "2026-11-14T10:00:00-0130 mx a[7]: x", true, "a", "x", 1794655800},
    {"UTC", "2026-11-14T10:00:00Z mx a[7]: x", true, "a", "x", 1794650400},
    {"with a space", "2026-11-14 10:00:00 mx a[7]: x", true, "a", "x", 1794650400},
    {"fraction", "Nov 14 10:00:00.5 mx a[7]: x", true, "a", "x", 1794650400},
    {"priority", "<22>Nov 14 10:00:00 mx a[7]: x", true, "a", "x", 1794650400},
    {"no process", "Nov 14 10:00:00 mx a: x", true, "a", "x", 1794650400},
    {"severity", "Nov 14 10:00:00 mx a[7]: [ID 197553 mail.info] x", true, "a", "x", 1794650400},
    {"month", "Foo 14 10:00:00 mx a[7]: x", false, NULL, NULL, 0},
    {"hour", "Nov 14 25:00:00 mx a[7]: x", false, NULL, NULL, 0},
    {"no tag", "Nov 14 10:00:00 mx hello", false, NULL, NULL, 0},
    {"no host", "Nov 14 10:00:00 ", false, NULL, NULL, 0},
    {"cut", "Nov 14 10", false, NULL, NULL, 0},
    {"zone cut", "2026-11-14T10:00:00+0 mx a[7]: x", false, NULL, NULL, 0},
    {"open bracket", "Nov 14 10:00:00 mx a[7", false, NULL, NULL, 0},
    {"empty", "", false, NULL, NULL, 0},
};

/* Of a file that the stamp's own line is all that is known of. */
static int64_t time_of(const struct maillog_record *record)
{
    struct maillog_stamp stamp;
    if (record->stamp == NULL)
        return record->wall_s;
    ck_assert_ptr_nonnull(maillog_stamp_parse(record->stamp, &stamp));
    return maillog_stamp_time(&stamp, 0, NOW_S);
}

START_TEST(test_stamp)
{
    struct maillog_record record = {0};
    bool got = maillog_syslog_parse(stamps[_i].line, &record);
    ck_assert_msg(got == stamps[_i].want, "%s", stamps[_i].label);
    if (!got)
        return;
    ck_assert_str_eq(record.program, stamps[_i].want_program);
    ck_assert_str_eq(record.message, stamps[_i].want_message);
    ck_assert_msg(time_of(&record) == stamps[_i].want_s, "%s: %lld", stamps[_i].label,
                  (long long)time_of(&record));
}
END_TEST

/* --- triples --------------------------------------------------------------------------------- */

static const struct {
    const char *label, *line, *want; /* NULL: bad; "": nothing in it */
} triples[] = {
    {"all", "192.0.2.1 mail.a.example ptr.a.example",
     "0 192.0.2.1 ptr=ptr.a.example helo=mail.a.example unknown\n"},
    {"none", "192.0.2.1 - -", "0 192.0.2.1 none helo= unknown\n"},
    {"tabs, EHLO with a space", "2001:db8::1\ta b\t-\tham",
     "0 2001:db8::1 none helo=a b unknown\n"},
    {"an empty field", "192.0.2.1\t\tp.example", "0 192.0.2.1 ptr=p.example helo= unknown\n"},
    {"more fields", "192.0.2.1 a b c d", "0 192.0.2.1 ptr=b helo=a unknown\n"},
    {"many spaces", "  192.0.2.1    a   b ", "0 192.0.2.1 ptr=b helo=a unknown\n"},
    {"mapped", "::ffff:192.0.2.1 a b", "0 192.0.2.1 ptr=b helo=a unknown\n"},
    {"comment", "# address EHLO PTR", ""},
    {"empty", "", ""},
    {"blank", "   ", ""},
    {"no address", "mail.a.example a b", NULL},
    {"two fields", "192.0.2.1 a", NULL},
    {"long address", "1234567890123456789012345678901234567890123456789 a b", NULL},
};

START_TEST(test_triple)
{
    struct maillog_event event;
    const char *why = NULL;
    begin();
    switch (maillog_triples_parse(triples[_i].line, &event, &why)) {
    case REPLAY_TRIPLE:
        tell(NULL, &event);
        break;
    case REPLAY_TRIPLE_EMPTY:
        break;
    case REPLAY_TRIPLE_BAD:
        ck_assert_ptr_nonnull(why);
        ck_assert_msg(triples[_i].want == NULL, "%s: %s", triples[_i].label, why);
        return;
    }
    ck_assert_msg(triples[_i].want != NULL, "%s: taken", triples[_i].label);
    ck_assert_msg(strcmp(told.text, triples[_i].want) == 0, "%s: %s", triples[_i].label, told.text);
}
END_TEST

/* --- messages -------------------------------------------------------------------------------- */

#define ONE  MAILLOG_MAILBOX_SINGLE
#define MBOX MAILLOG_MAILBOX_MBOX
#define MMDF MAILLOG_MAILBOX_MMDF

static const struct {
    const char *label;
    enum maillog_mailbox_kind kind;
    const char *lines, *want;
    uint64_t want_local, want_unreadable;
} mails[] = {
    {"Postfix", ONE,
     "Return-Path: <u@a.example>\nX-Original-To: v@b.example\n"
     "Received: from mail.a.example (ptr.a.example [192.0.2.1])\n\tby mx.b.example (Postfix) with "
     "ESMTPS id 4F1A2B;\n\tSat, 14 Nov 2026 10:00:00 +0100\nSubject: x\n\nbody\n",
     "1 192.0.2.1 ptr=ptr.a.example helo=mail.a.example from=u@a.example to=v@b.example "
     "@1794646800 "
     "accepted\n",
     0, 0},
    {"unknown", ONE, "Received: from h (unknown [192.0.2.1]) by mx with SMTP\n\n",
     "1 192.0.2.1 none helo=h accepted\n", 0, 0},
    {"Sendmail, may be forged", ONE,
     "Received: from h.example (bad.example [192.0.2.1] (may be forged)) by mx with ESMTP\n\n",
     "1 192.0.2.1 unconfirmed=bad.example helo=h.example accepted\n", 0, 0},
    {"ours are passed over", ONE,
     "Received: from gw (gw.b.example [10.0.0.1]) by store\n"
     "Received: by gw id 1\nReceived: from h (p.example [192.0.2.1]) by gw\n"
     "Received: from forged (x.example [203.0.113.9]) by h\n\n",
     "1 192.0.2.1 ptr=p.example helo=h accepted\n", 0, 0},
    {"not in the body", ONE, "Subject: x\n\nReceived: from h (p [192.0.2.1]) by mx\n", "", 1, 0},
    {"logged in", ONE, "Received: from h (p.example [192.0.2.1]) by mx with ESMTPSA id 1\n\n",
     "1 192.0.2.1 ptr=p.example helo=h auth accepted\n", 0, 0},
    {"unreadable at the top ends it", ONE,
     "Received: from somewhere by mx\nReceived: from h (p.example [192.0.2.1]) by mx\n\n", "", 0,
     1},
    {"time", ONE,
     "Received: from h (p.example [192.0.2.1]) by mx with SMTP id 1;\n\tSat, 14 Nov 2026 10:00:00 "
     "+0100\n\n",
     "1 192.0.2.1 ptr=p.example helo=h @1794646800 accepted\n", 0, 0},
    {"a space before the colon", ONE, "Received : from h (p.example [192.0.2.1]) by mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h accepted\n", 0, 0},
    {"Dovecot on top", ONE,
     "Received: from mx\n\tby mx with LMTP\n\tid 1\nReceived: from h (p.example [192.0.2.1]) by "
     "mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h accepted\n", 0, 0},
    {"fetched", ONE,
     "Received: from pop.example [198.51.100.9]\n\tby x with POP3 (fetchmail-6.4.37)\n"
     "Received: from h (p.example [192.0.2.1]) by mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h accepted\n", 0, 0},
    {"of cron", ONE, "Received: by mx (Postfix, from userid 0)\n\tid 1; date\n\nx\n", "", 1, 0},
    {"the lookup failed", ONE, "Received: from h (softdnserr [::ffff:192.0.2.1]) by mx\n\n",
     "1 192.0.2.1 temperror helo=h accepted\n", 0, 0},
    {"mbox", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by mx\n\nbody\n"
     "From here on it is text\n\nFrom u@a Sat Nov 14 10:00:00 2026\n"
     "Received: from i (q.example [192.0.2.2]) by mx\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n"
     "7 192.0.2.2 ptr=q.example helo=i from=u@a accepted\n",
     0, 0},
    {"mbox, null sender", MBOX,
     "From MAILER-DAEMON Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by "
     "mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h from= accepted\n", 0, 0},
    {"mbox, no sender", MBOX,
     "From - Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h accepted\n", 0, 0},
    {"mbox, quoted", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by mx\n\n"
     ">From u@a Sat Nov 14 10:00:00 2026\nReceived: from i (q.example [192.0.2.2]) by mx\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n", 0, 0},
    {"mbox, no empty line before", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by mx\n\nbody\n"
     "From u@a Sat Nov 14 10:00:00 2026\nReceived: from i (q.example [192.0.2.2]) by mx\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n"
     "5 192.0.2.2 ptr=q.example helo=i from=u@a accepted\n",
     0, 0},
    {"mbox, a dated line of text", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nReceived: from h (p.example [192.0.2.1]) by mx\n\nbody\n"
     "From u@a Sat Nov 14 10:00:00 2026\nthis is text\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n", 0, 0},
    {"mboxcl2", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nContent-Length: 48\n"
     "Received: from h (p.example [192.0.2.1]) by mx\n\nx\n\nFrom u@a Sat Nov 14 10:00:00 2026\n"
     "Subject: x\n\nFrom u@a Sat Nov 14 10:00:00 2026\n"
     "Received: from i (q.example [192.0.2.2]) by mx\n\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n"
     "10 192.0.2.2 ptr=q.example helo=i from=u@a accepted\n",
     0, 0},
    {"a Content-Length that the sender wrote hides nobody", MBOX,
     "From u@a Sat Nov 14 10:00:00 2026\nContent-Length: 100000\n"
     "Received: from h (p.example [192.0.2.1]) by mx\n\nx\n\nFrom u@a Sat Nov 14 10:00:00 2026\n"
     "Received: from i (q.example [192.0.2.2]) by mx\n\nx\n",
     "1 192.0.2.1 ptr=p.example helo=h from=u@a accepted\n"
     "7 192.0.2.2 ptr=q.example helo=i from=u@a accepted\n",
     0, 0},
    {"MMDF", MMDF,
     "\1\1\1\1\nReceived: from h (p.example [192.0.2.1]) by mx\n\n"
     "From u@a Sat Nov 14 10:00:00 2026\n\1\1\1\1\n\1\1\1\1\n"
     "Received: from i (q.example [192.0.2.2]) by mx\n\n\1\1\1\1\n",
     "2 192.0.2.1 ptr=p.example helo=h accepted\n7 192.0.2.2 ptr=q.example helo=i accepted\n", 0,
     0},
    {"empty", ONE, "", "", 1, 0},
};

START_TEST(test_mail)
{
    struct maillog_mailbox *mail = maillog_mailbox_new(is_ours, NULL);
    char line[1024];
    uint64_t number = 0;
    ck_assert_ptr_nonnull(mail);
    begin();
    tell_time = true;
    maillog_mailbox_begin(mail, "file", mails[_i].kind);
    for (const char *text = mails[_i].lines; *text != '\0'; text += strcspn(text, "\n") + 1) {
        maillog_copy(line, sizeof line, text, strcspn(text, "\n"));
        maillog_mailbox_line(mail, line, strlen(line) + 1, ++number, &sink);
    }
    struct maillog_mailbox_counts counts = maillog_mailbox_end(mail, &sink);
    ck_assert_msg(strcmp(told.text, mails[_i].want) == 0, "%s: got\n%s", mails[_i].label,
                  told.text);
    ck_assert_msg(counts.local == mails[_i].want_local, "%s: %llu local", mails[_i].label,
                  (unsigned long long)counts.local);
    ck_assert_msg(counts.unreadable == mails[_i].want_unreadable, "%s: %llu unreadable",
                  mails[_i].label, (unsigned long long)counts.unreadable);
    maillog_mailbox_free(mail);
}
END_TEST

/* --- journal --------------------------------------------------------------------------------- */

START_TEST(test_journal)
{
    static struct maillog_journal journal;
    static const char *const lines[] = {"__CURSOR=s=1",
                                        "__REALTIME_TIMESTAMP=1794650400123456",
                                        "_PID=7",
                                        "SYSLOG_IDENTIFIER=postfix/smtpd",
                                        "_A_VERY_LONG_FIELD_NAME_THAT_NOBODY_ASKED_FOR=x",
                                        "MESSAGE=connect from a=b"};
    maillog_journal_init(&journal);
    ck_assert(maillog_journal_begins(lines[0]));
    ck_assert(!maillog_journal_begins("Nov 14"));
    ck_assert_int_eq(maillog_journal_line(&journal, "", 1), REPLAY_JOURNAL_MORE);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_int_eq(maillog_journal_line(&journal, lines[i], 2 + i), REPLAY_JOURNAL_MORE);
    ck_assert_int_eq(maillog_journal_line(&journal, "", 8), REPLAY_JOURNAL_COMPLETE);
    ck_assert_uint_eq(journal.record.line, 2);
    ck_assert_str_eq(journal.record.program, "postfix/smtpd");
    ck_assert_str_eq(journal.record.message, "connect from a=b");
    ck_assert_int_eq(journal.record.pid, 7);
    ck_assert_int_eq(time_of(&journal.record), 1794650400);
    /* The next one begins empty; a value may come by its length. */
    ck_assert_int_eq(maillog_journal_line(&journal, "MESSAGE", 9), REPLAY_JOURNAL_LENGTH);
    maillog_journal_value(&journal, "two\nlines");
    ck_assert_int_eq(maillog_journal_line(&journal, "", 12), REPLAY_JOURNAL_COMPLETE);
    ck_assert_str_eq(journal.record.message, "two\nlines");
    ck_assert_str_eq(journal.record.program, "");
}
END_TEST

#define COUNT(table) ((int)(sizeof table / sizeof table[0]))

int main(void)
{
    Suite *suite = suite_create("replay_formats");
    TCase *tcase = tcase_create("all");
    (void)setenv("TZ", "UTC", 1);
    tcase_add_loop_test(tcase, test_log, 0, COUNT(logs));
    tcase_add_test(tcase, test_refused_connections);
    tcase_add_loop_test(tcase, test_stamp, 0, COUNT(stamps));
    tcase_add_loop_test(tcase, test_triple, 0, COUNT(triples));
    tcase_add_loop_test(tcase, test_mail, 0, COUNT(mails));
    tcase_add_test(tcase, test_journal);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
