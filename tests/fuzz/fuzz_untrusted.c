/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What senders write into a log or a message changes nothing of what is read out of it but itself:
 * the same attempts, with the same clients, PTR names, logins and outcomes.  The first byte says
 * the template, the rest is what the sender wrote; each mail server makes of it what it writes
 * where the template has a mark.
 */
#include "fuzz.h"

#include "ctl/logs/maillog_feed.h"

#include <string.h>

#define NOW_S       INT64_C(1795262400)
#define WRITTEN_MAX 400 /* bytes: of an SMTP command or a header field as logs have them */
#define EVENTS_MAX  8

/* Marks in a template, and what becomes of the text there. */
enum {
    ADDRESS = 1,   /* smtpd(8): printable, unquoted */
    HELO = 2,      /* smtpd(8): NEUTER_CHARACTERS are replaced, too */
    QUOTED = 3,    /* Sendmail: a local part in quotes, as RFC 5321 4.1.2 has it */
    PRINTABLE = 4, /* a header field or a reply, printable */
    RAW = 5,       /* a body: all but line feeds, and "From " lines are quoted */
    JSON = 6,      /* in a string of JSON */
    WORD = 7,      /* an EHLO name that holds no white space, comments and brackets */
};

#define P(program, text) "Nov 14 10:00:00 mx postfix/" program "[7]: " text "\n"
#define S(text)          "Nov 14 10:00:00 mx sm-mta[7]: " text "\n"
#define FIELD            "Received: from a.example (a.example [192.0.2.1]) by mx.example.net (Postfix) "

static const struct {
    const char *text;
    size_t events;
    bool hides; /* it may be that nothing can be known then */
} templates[] = {
    {P("smtpd", "connect from a.example[192.0.2.1]")
         P("smtpd", "NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 550 5.1.1 <\1>: Recipient "
                    "address rejected: User unknown; from=<\1> to=<\1> proto=ESMTP helo=<\2>")
             P("smtpd", "NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 504 5.5.2 <\2>: Helo "
                        "command rejected: need fully-qualified hostname; from=<\1> to=<\1> "
                        "proto=SMTP helo=<\2>"),
     2, false},
    {P("smtpd", "4F1A2B: client=a.example[192.0.2.1]") P("cleanup", "4F1A2B: message-id=<\4>")
         P("cleanup", "4F1A2B: warning: header Subject: \4 from a.example[192.0.2.1]; "
                      "from=<\1> to=<v@b> proto=ESMTP helo=<\2>: \4")
             P("qmgr", "4F1A2B: from=<\1>, size=100, nrcpt=1 (queue active)")
                 P("smtp", "4F1A2B: to=<\1>, orig_to=<\1>, relay=mx.b.example[192.0.2.9]:25, "
                           "delay=1, dsn=4.0.0, status=deferred (host mx.b.example said: \4)")
                     P("qmgr", "4F1A2B: removed"),
     1, false},
    {P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
         P("cleanup", "4F1A2B: reject: header Subject: \4 from a.example[192.0.2.1]; from=<\1> "
                      "to=<\1> proto=ESMTP helo=<\2>: 5.7.1 no"),
     1, false},
    /* Before 3.5 Postfix wrote addresses without their quotes. */
    {P("cleanup", "4F1A2B: reject: body \4 from a.example[192.0.2.1]; from=<\1> to=<\1> "
                  "proto=ESMTP helo=<\2>: 5.7.1 no"),
     1, true},
    {P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
         P("cleanup", "4F1A2B: milter-reject: END-OF-MESSAGE from a.example[192.0.2.1]: 5.7.1 \4; "
                      "from=<\1> to=<\1> proto=ESMTP helo=<\2>"),
     1, false},
    {P("smtpd", "warning: non-SMTP command from a.example[192.0.2.1]: \4") P(
         "smtpd", "improper command pipelining after EHLO from a.example[192.0.2.1]: \4")
         P("smtpd", "warning: Illegal address syntax from a.example[192.0.2.1] in RCPT command: \4")
             P("smtpd", "warning: a.example[192.0.2.1]: SASL LOGIN authentication failed: x, "
                        "sasl_username=\4") P("smtpd", "4F1A2B: client=a.example[192.0.2.1]")
                 P("smtpd", "lost connection after \2 from a.example[192.0.2.1]")
                     P("qmgr", "4F1A2B: from=<u@a.example>, size=1"),
     1, false},
    {P("postscreen", "PREGREET 9 after 0.1 from [192.0.2.1]:5: \4")
         P("postscreen", "NOQUEUE: reject: RCPT from [192.0.2.1]:5: 550 5.7.1 Service unavailable; "
                         "client [192.0.2.1] blocked using dnsbl.example; from=<\1>, to=<\1>, "
                         "proto=ESMTP, helo=<\2>"),
     1, false},
    {P("smtpd", "NOQUEUE: client=a.example[192.0.2.1]")
         P("smtpd", "proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<\1> to=<\1> proto=ESMTP "
                    "helo=<\2>") P("smtpd", "NOQUEUE: client=a.example[192.0.2.1]")
             P("smtpd", "proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok; from=<\1> to=<\1> "
                        "proto=ESMTP helo=<\2>"),
     2, false},
    {P("smtpd", "4F1A2B: client=a.example[192.0.2.1], sasl_method=PLAIN, sasl_username=\4")
         P("qmgr", "4F1A2B: from=<\1>, size=1"),
     1, false},
    {P("smtpd", "message repeated 2 times: [ NOQUEUE: reject: RCPT from a.example[192.0.2.1]: 450 "
                "4.7.25 <\1>: no; from=<\1> to=<\1> proto=ESMTP helo=<\2>]"),
     2, false},
    {S("3AB1C2D3012345: from=<\"\3\"@a.example>, size=1, class=0, nrcpts=1, msgid=<\4>, "
       "proto=ESMTP, daemon=MTA, relay=a.example [192.0.2.1]")
         S("3AB1C2D3012345: to=<\"\3\"@b.example>, delay=00:00:01, mailer=esmtp, pri=1, "
           "relay=mx.b.example. [192.0.2.9], dsn=4.0.0, stat=Deferred: 451 \4"),
     1, false},
    {S("3AB1C2D3012345: ruleset=check_rcpt, arg1=<\"\3\"@b.example>, relay=a.example [192.0.2.1], "
       "reject=550 5.7.1 <\"\3\"@b.example>... \4")
         S("3AB1C2D3012345: <\"\3\"@b.example>... User unknown")
             S("3AB1C2D3012345: from=<\"\3\"@a.example>, size=0, class=0, nrcpts=0, proto=ESMTP, "
               "daemon=MTA, relay=a.example [192.0.2.1]"),
     2, false},
    {S("3AB1C2D3012345: Milter: to=<\"\3\"@b.example>, reject=550 5.7.25 \4")
         S("3AB1C2D3012345: from=<\"\3\"@a.example>, size=0, class=0, nrcpts=0, proto=ESMTP, "
           "daemon=MTA, relay=a.example [192.0.2.1]"),
     1, false},
    {S("ruleset=check_mail, arg1=<\"\3\"@a.example>, relay=a.example [192.0.2.1], reject=553 5.1.8 "
       "<\"\3\"@a.example>... \4"),
     1, false},
    {"{\"MESSAGE\":\"4F1A2B: "
     "client=a.example[192.0.2.1]\",\"SYSLOG_IDENTIFIER\":\"postfix/smtpd\"}\n"
     "{\"MESSAGE\":\"4F1A2B: message-id=<\6>\",\"SYSLOG_IDENTIFIER\":\"postfix/cleanup\"}\n"
     "{\"MESSAGE\":\"4F1A2B: from=<u@a>, size=1\",\"SYSLOG_IDENTIFIER\":\"postfix/qmgr\"}\n",
     1, false},
    {P("smtpd",
       "4F1A2B: client=a.example[192.0.2.1]") "Nov 14 10:00:00 mx dovecot: imap-login: Aborted "
                                              "login (\4): user=<\4>, rip=192.0.2.66\n"
                                              "Nov 14 10:00:00 mx amavis[7]: (7-1) Passed CLEAN, "
                                              "[192.0.2.66] <\4> -> <\4>, \4\n" P(
                                                  "qmgr", "4F1A2B: from=<u@a.example>, size=1"),
     1, false},
    {"From u@a.example Sat Nov 14 10:00:00 2026\n" FIELD "with ESMTP id 4F1A2B for <v@b.example>; "
     "Sat, 14 Nov 2026 10:00:00 +0000\nSubject: \4\nMessage-ID: <\4>\n"
     "Received: from x (\4) by y; \4\n\n\5\n\5\n",
     1, false},
    {"From u@a.example Sat Nov 14 10:00:00 2026\n"
     "Received: from \7 (a.example [192.0.2.1])\n\tby mx.example.net (Postfix) with ESMTP id "
     "4F1A2B\n"
     "\tfor <v@b.example>; Sat, 14 Nov 2026 10:00:00 +0000\nSubject: \4\n\n\5\n",
     1, false},
    {"From u@a.example Sat Nov 14 10:00:00 2026\n"
     "Received: from a.example ([192.0.2.1]:25 helo=\7)\n\tby mx.example.net with esmtp (Exim "
     "4.97)\n"
     "\t(envelope-from <u@a.example>)\n\tid 1;\n\tSat, 14 Nov 2026 10:00:00 +0000\n\n\5\n",
     1, false},
    {"From u@a.example Sat Nov 14 10:00:00 2026\n"
     "Received: from unknown (HELO \7) (192.0.2.1)\n  by mx.example.net with SMTP; "
     "14 Nov 2026 10:00:00 -0000\nSubject: \4\n\n\5\n",
     1, false},
    {P("cleanup", "4F1A2B: reject: header Subject: \4 from a.example[192.0.2.1]; "
                  "from=<\"\3\"@a.example> to=<\"\3\"@b.example> proto=ESMTP helo=<\2>: 5.7.1 no"),
     1, false},
};
#define TEMPLATES (sizeof templates / sizeof templates[0])

FUZZ_PLACES("smtpd", "accepted", "header", "body", "milter", "warnings", "postscreen", "proxy",
            "login", "repeated", "sendmail", "sendmail-refused", "sendmail-milter",
            "sendmail-check-mail", "json", "others", "mbox", "helo", "exim", "qmail",
            "body-quoted");

/* --- what the sender wrote ------------------------------------------------------------------- */

static bool is_written(char mark, unsigned char byte)
{
    switch (mark) {
    case HELO:
        return byte > ' ' && byte != 0x7f && strchr("<>()\\\";@", byte) == NULL;
    case WORD:
        return byte > ' ' && byte < 0x7f && strchr("()[]\\\";<>", byte) == NULL;
    default:
        return byte >= ' ' && byte != 0x7f;
    }
}

static size_t put_byte(char mark, unsigned char byte, char *out)
{
    if (mark == RAW) {
        out[0] = byte == '\n' || byte == '\0' ? ' ' : (char)byte;
        return 1;
    }
    if (!is_written(mark, byte)) {
        out[0] = '?';
        return 1;
    }
    if ((mark == QUOTED || mark == JSON) && (byte == '"' || byte == '\\')) {
        out[0] = '\\';
        out[1] = (char)byte;
        return 2;
    }
    out[0] = mark == JSON && byte >= 0x80 ? '?' : (char)byte;
    return 1;
}

/* A log in which the sender wrote that. */
static size_t fill(const char *text, const uint8_t *data, size_t size, char *out)
{
    size_t used = 0;
    for (; *text != '\0'; text++) {
        if (*text > WORD) {
            out[used++] = *text;
            continue;
        }
        if (*text == '\t' || *text == '\n') {
            out[used++] = *text;
            continue;
        }
        /* What delivers to an mbox quotes it. */
        if (*text == RAW && size >= 5 && memcmp(data, "From ", 5) == 0)
            out[used++] = '>';
        for (size_t i = 0; i < size; i++)
            used += put_byte(*text, data[i], out + used);
    }
    return used;
}

/* --- what is read ---------------------------------------------------------------------------- */

struct seen {
    size_t count;
    struct maillog_event events[EVENTS_MAX];
};

static void on_event(void *arg, const struct maillog_event *event)
{
    struct seen *seen = arg;
    CHECK(seen->count < EVENTS_MAX);
    seen->events[seen->count++] = *event;
}

static void on_text(void *arg, const char *file, uint64_t line, const char *text)
{
    (void)arg;
    (void)file;
    (void)line;
    (void)text;
}

static void on_delivered(void *arg, const char *recipient)
{
    (void)arg;
    (void)recipient;
    CHECK(false); /* nothing was */
}

static void on_progress(void *arg, uint64_t bytes)
{
    (void)arg;
    (void)bytes;
}

static bool is_ours(void *arg, const struct ipaddr *addr)
{
    (void)arg;
    (void)addr;
    return false;
}

static void read_log(size_t template, const uint8_t *data, size_t size, struct seen *seen)
{
    static char log[16 * 2 * WRITTEN_MAX + 4096];
    const struct maillog_hooks hooks = {.event = on_event,
                                        .problem = on_text,
                                        .note = on_text,
                                        .delivered = on_delivered,
                                        .progress = on_progress,
                                        .is_ours = is_ours,
                                        .arg = seen};
    struct fuzz_file file;
    struct maillog_feed *feed = maillog_feed_new(REPLAY_FORMAT_GUESS, NOW_S, &hooks);
    size_t length = fill(templates[template].text, data, size, log);
    CHECK(feed != NULL && length <= sizeof log);
    seen->count = 0;
    fuzz_file_open(&file, log, length);
    CHECK(maillog_feed_read(feed, file.path) == RESULT_OK);
    maillog_feed_end(feed);
    maillog_feed_free(feed);
    fuzz_file_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seen plains[TEMPLATES], seen;
    if (size == 0)
        return 0;
    size_t template = data[0] % TEMPLATES;
    size = size - 1 > WRITTEN_MAX ? WRITTEN_MAX : size - 1;
    struct seen *plain = &plains[template];
    if (plain->count == 0)
        read_log(template, (const uint8_t *)"x", 1, plain);
    CHECK(plain->count == templates[template].events);
    read_log(template, data + 1, size, &seen);
    CHECK(seen.count == plain->count || (templates[template].hides && seen.count == 0));
    for (size_t i = 0; i < seen.count; i++) {
        const struct maillog_event *one = &plain->events[i], *two = &seen.events[i];
        CHECK(ipaddr_equal(&one->client, &two->client));
        CHECK(one->ptr_state == two->ptr_state && strcmp(one->ptr, two->ptr) == 0);
        CHECK(one->authenticated == two->authenticated);
        CHECK(one->outcome == two->outcome && one->line == two->line);
        CHECK(one->wall_s == two->wall_s);
    }
    fuzz_reach(template);
    return 0;
}
