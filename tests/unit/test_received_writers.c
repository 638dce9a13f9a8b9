/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a client says, of the Received field that a mail server then writes the server's peer is
 * read.  Each writer below is a model of its source: what that lets through of the client's words,
 * and the field.
 *
 *   Postfix 3.12-20260821  smtpd/smtpd.c (common_pre_message_handling, helo_cmd,
 *                          NEUTER_CHARACTERS), util/printable.c
 *   Sendmail 8.17.1        cf/m4/cfhead.m4 (confRECEIVED_HEADER), sendmail/srvrsmtp.c (CMDHELO),
 *                          sendmail/daemon.c (getauthinfo), sendmail/util.c (cleanstrcpy)
 *   Exim 4.99.1            src/globals.c (received_header_text), src/host.c
 *                          (host_build_sender_fullhost), src/smtp_in.c (check_helo), src/verify.c
 *   notqmail 1.09          received.c, qmail-smtpd.c (dohelo)
 *   Courier 2.0.5          courier/module.esmtp/courieresmtpd.C, courier/submit.C
 *   OpenSMTPD 7.8.0        smtp_session.c (smtp_message_begin), to.c, util.c (valid_domainpart)
 *   Haraka 3.1.6           connection.js (received_line, get_remote, cmd_ehlo)
 *   amavis 2.13.0          Amavis/Util.pm (make_received_header_field)
 *   Dovecot 2.4            lib-smtp/smtp-server-transaction.c
 *   Apache James 3.10      protocols/smtp/core/ReceivedHeaderGenerator.java, EhloCmdHandler.java
 *   Stalwart 0.12.4        crates/smtp/src/inbound/data.rs, ehlo.rs
 *
 * Exchange, AsyncOS and Gmail are closed: their forms are those of fields that they wrote.  rspamd
 * writes no field.
 */
#include "core/received.h"

#include <check.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAID_MAX  160
#define FIELD_MAX 2048
#define ROUNDS    8000
#define PEER      "192.0.2.1"
#define PEER_V6   "2001:db8::1"

/* A client: all that it has a say in. */
struct client {
    char ehlo[SAID_MAX + 1]; /* the bytes behind the command */
    char ident[SAID_MAX + 1];
    const char *ptr; /* NULL: none */
    bool greeted, esmtp, asked_ident, login, tls, v6, forged;
};

/* What the writer makes of it. */
struct written {
    char field[FIELD_MAX];
    bool nothing;             /* it lets no such client through */
    bool recorded;            /* it writes down what was said */
    bool unclear;             /* that cannot be told from what the client's host says of its user */
    char helo[SAID_MAX + 64]; /* that */
};

static void say(struct written *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct written *out, const char *format, ...)
{
    size_t used = strlen(out->field);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->field + used, sizeof out->field - used, format, args);
    va_end(args);
}

static const char *peer(const struct client *client)
{
    return client->v6 ? PEER_V6 : PEER;
}

static const char *tagged(const struct client *client)
{
    return client->v6 ? "IPv6:" PEER_V6 : PEER;
}

static const char *protocol(const struct client *client)
{
    if (!client->esmtp)
        return "SMTP";
    if (client->login)
        return client->tls ? "ESMTPSA" : "ESMTPA";
    return client->tls ? "ESMTPS" : "ESMTP";
}

static void record(struct written *out, const char *helo)
{
    out->recorded = true;
    (void)snprintf(out->helo, sizeof out->helo, "%s", helo);
}

/* The word that others write where nothing was said counts only beside a name. */
static void record_word(struct written *out, const struct client *client, const char *helo)
{
    if (strcasecmp(helo, "unknown") != 0 || client->ptr != NULL)
        record(out, helo);
}

/* --- what is let through -----------------------------------------------------------------------
 */

static bool only(const char *text, const char *punctuation)
{
    for (const char *at = text; *at != '\0'; at++)
        if (!isascii((unsigned char)*at) ||
            (!isalnum((unsigned char)*at) && strchr(punctuation, *at) == NULL))
            return false;
    return true;
}

/* What is none of these becomes `instead`. */
static void replace(const char *text, const char *punctuation, char instead, char *out)
{
    for (; *text != '\0'; text++) {
        char one[2] = {*text, '\0'};
        *out++ = only(one, punctuation) ? *text : instead;
    }
    *out = '\0';
}

/* To the first of these bytes. */
static void cut(char *text, const char *stop)
{
    text[strcspn(text, stop)] = '\0';
}

/* RFC 5321 2.3.8: white space at an argument's ends is nobody's. */
static void trim(char *text)
{
    static const char blanks[] = " \t\r\v\f";
    size_t length = strlen(text), skip = strspn(text, blanks);
    while (length > skip && strchr(blanks, text[length - 1]) != NULL)
        length--;
    memmove(text, text + skip, length - skip);
    text[length - skip] = '\0';
}

static bool is_literal(const char *text)
{
    struct ipaddr address;
    char inside[SAID_MAX + 1];
    size_t length = strlen(text);
    if (length < 3 || text[0] != '[' || text[length - 1] != ']')
        return false;
    (void)snprintf(inside, sizeof inside, "%.*s", (int)length - 2, text + 1);
    bool tag = strncasecmp(inside, "IPv6:", 5) == 0;
    return ipaddr_parse(inside + (tag ? 5 : 0), &address) == RESULT_OK;
}

static bool is_own_literal(const struct client *client)
{
    char own[64];
    (void)snprintf(own, sizeof own, "[%s]", peer(client));
    if (strcasecmp(client->ehlo, own) == 0)
        return true;
    (void)snprintf(own, sizeof own, "[%s]", tagged(client));
    return strcasecmp(client->ehlo, own) == 0;
}

/* --- the writers -------------------------------------------------------------------------------
 */

static void write_postfix(const struct client *client, struct written *out)
{
    const char *ptr = client->ptr != NULL && !client->forged ? client->ptr : "unknown";
    char helo[SAID_MAX + 1];
    replace(client->ehlo, "!#$%&'*+,-./:=?[]^_`{|}~", '?', helo);
    out->nothing = client->greeted && helo[0] == '\0';
    /* The client's name stands for an EHLO that was not said. */
    if (!client->greeted)
        (void)snprintf(helo, sizeof helo, "%s", ptr);
    say(out, "from %s (%s [%s])", helo, ptr, tagged(client));
    if (client->tls)
        say(out,
            "\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n"
            "\t key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256)\n"
            "\t(Client CN \"[198.51.100.6] by with LMTP\", Issuer \"x [198.51.100.6]\""
            " (not verified))");
    if (client->login)
        say(out, "\n\t(Authenticated sender: joe)");
    say(out, "\n\tby mx.example.net (Postfix) with %s id 4Zk2h81vQzz3x\n\tfor <u@example.net>; d",
        protocol(client));
    if (strcasecmp(helo, "unknown") != 0 || strcmp(ptr, "unknown") != 0)
        record(out, helo);
}

static void write_sendmail(const struct client *client, struct written *out)
{
    char name[64] = "", helo[SAID_MAX + 64], ident[SAID_MAX + 1] = "";
    (void)snprintf(helo, sizeof helo, "%s", client->ehlo);
    cut(helo, " \t\r\v\f");
    if (client->ptr != NULL)
        (void)snprintf(name, sizeof name, "%s", client->ptr);
    /* Of an EHLO that it did not take (AllowBogusHELO) it writes what it would write of none. */
    bool taken = client->greeted && helo[0] != '\0' && only(helo, "[].-_#:");
    if (!taken && name[0] != '\0')
        (void)snprintf(helo, sizeof helo, "%s", name);
    else if (!taken)
        (void)snprintf(helo, sizeof helo, "[%s]", tagged(client));
    if (client->asked_ident) {
        size_t length = 0;
        for (const char *at = client->ident; *at != '\0'; at++) {
            char one[2] = {*at, '\0'};
            if (only(one, "!#$%&'*+-./^_`{|}~"))
                ident[length++] = *at;
        }
        ident[length++] = '@';
        ident[length] = '\0';
    }
    say(out, "from %s (%s%s%s[%s]%s)", helo, ident, name, name[0] != '\0' ? " " : "",
        tagged(client), client->forged && name[0] != '\0' ? " (may be forged)" : "");
    if (client->login)
        say(out, "\n\t(authenticated bits=0)");
    say(out, "\n\tby mx.example.net (8.17.1/8.17.1) with %s id 4AT", protocol(client));
    if (client->tls)
        say(out, "\n\t(version=TLSv1.3 cipher=X bits=256 verify=NO)");
    say(out, "\n\tfor <u@example.net>; d");
    struct client self = *client;
    (void)snprintf(self.ehlo, sizeof self.ehlo, "%.*s", SAID_MAX, helo);
    if (name[0] != '\0' || !is_own_literal(&self))
        record(out, helo);
}

static void exim(const struct client *client, bool junk, bool port, struct written *out)
{
    const char *ptr = client->forged ? NULL : client->ptr, *helo = client->ehlo;
    char number[16], named[SAID_MAX + 16] = "", ident[SAID_MAX + 16] = "";
    if (client->greeted && !junk && !is_literal(helo) && (helo[0] == '\0' || !only(helo, ".-_"))) {
        out->nothing = true;
        return;
    }
    bool shown = client->greeted && helo[0] != '\0' && !is_own_literal(client) &&
                 (ptr == NULL || strcasecmp(ptr, helo) != 0);
    (void)snprintf(number, sizeof number, "%s41234", ptr == NULL ? "port=" : ":");
    if (shown)
        (void)snprintf(named, sizeof named, " helo=%s", helo);
    if (client->asked_ident)
        (void)snprintf(ident, sizeof ident, " ident=%s", client->ident);
    if (ptr != NULL) {
        say(out, "from %s%s([%s]%s%s%s)", ptr, shown && client->asked_ident ? "\n\t" : " ",
            peer(client), port ? number : "", named, ident);
    } else {
        char inside[2 * SAID_MAX + 64];
        (void)snprintf(inside, sizeof inside, "%s%s%s", port ? number : "", named, ident);
        say(out, "from [%s]", peer(client));
        if (inside[0] != '\0')
            say(out, " (%s)", inside + (inside[0] == ' '));
    }
    say(out,
        "\n\tby mx.example.net with %s%s%s %s%s(Exim 4.99)\n\t"
        "(envelope-from <a@a.example>)\n\tid 1; d",
        client->esmtp ? "esmtp" : "smtp", client->esmtp && client->tls ? "s" : "",
        client->esmtp && client->login ? "a" : "", client->tls ? " (TLS1.3) tls X\n\t" : "", "");
    /* What is not shown was the client's name or literal, or nothing was said. */
    char literal[64] = "";
    (void)snprintf(literal, sizeof literal, "[%s]", peer(client));
    out->unclear = !shown && client->asked_ident;
    if (shown)
        record(out, helo);
    for (char *at = out->helo; *at != '\0'; at++) /* what it took for ident is none of EHLO */
        if (strncasecmp(at, " ident=", strlen(" ident=")) == 0)
            *at-- = '\0';
    if (shown)
        return;
    if (ptr != NULL)
        record(out, ptr);
    else if (client->esmtp)
        record(out, literal);
}

static void write_exim(const struct client *client, struct written *out)
{
    exim(client, false, false, out);
}

static void write_exim_port(const struct client *client, struct written *out)
{
    exim(client, false, true, out);
}

/* helo_accept_junk_hosts */
static void write_exim_junk(const struct client *client, struct written *out)
{
    exim(client, true, false, out);
}

static void write_exim_junk_port(const struct client *client, struct written *out)
{
    exim(client, true, true, out);
}

static void qmail(const struct client *client, const char *safe, struct written *out)
{
    char host[SAID_MAX + 1], helo[SAID_MAX + 1], ident[SAID_MAX + 1];
    out->nothing = client->v6 || client->tls;
    replace(client->ptr != NULL ? client->ptr : "unknown", safe, '?', host);
    replace(client->ehlo, safe, '?', helo);
    replace(client->ident, safe, '?', ident);
    /* HELO is left out when it is the client's name, which it is before it was said. */
    bool fake = client->greeted &&
                strcasecmp(client->ehlo, client->ptr != NULL ? client->ptr : "unknown") != 0;
    say(out, "from %s", host);
    if (fake)
        say(out, " (HELO %s)", helo);
    say(out, " (%s%s%s)\n  by mx.example.net with %s; d", client->asked_ident ? ident : "",
        client->asked_ident ? "@" : "", PEER, client->login ? "ESMTPA" : "SMTP");
    if (fake ? helo[0] != '\0' : client->ptr != NULL)
        record(out, fake ? helo : host);
}

static void write_qmail(const struct client *client, struct written *out)
{
    qmail(client, ".@%+/=:-", out);
}

static void write_notqmail(const struct client *client, struct written *out)
{
    qmail(client, ".@%+/=:-[]", out);
}

static void write_courier(const struct client *client, struct written *out)
{
    char helo[SAID_MAX + 1];
    const char *said = client->ehlo + strspn(client->ehlo, " ");
    (void)snprintf(helo, sizeof helo, "%s", said);
    for (char *at = helo; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ')
            *at = '_';
    out->nothing = !client->greeted || helo[0] == '\0';
    say(out, "from %s (%s%s[%s%s])", helo, client->ptr != NULL ? client->ptr : "",
        client->ptr != NULL ? " " : "", client->v6 ? "" : "::ffff:", peer(client));
    if (client->asked_ident || client->login || client->tls)
        say(out, "\n  (%s%s%s%s%s)", client->asked_ident ? "IDENT: " : "",
            client->asked_ident ? client->ident : "", client->asked_ident ? ", " : "",
            client->login ? "AUTH: LOGIN joe, " : "", client->tls ? "TLS: TLSv1.3,256bits,X" : "");
    say(out, "\n  by mx.example.net with %s\n  id 0000000000012345.0000000069; d",
        protocol(client));
    record_word(out, client, helo);
}

static void write_opensmtpd(const struct client *client, struct written *out)
{
    const char *helo = client->ehlo;
    out->nothing = !client->greeted || helo[0] == '\0' ||
                   !(is_literal(helo) || (only(helo, ".-_") && helo[strlen(helo) - 1] != '.'));
    say(out, "from %s (%s [%s])\n\tby mx.example.net (OpenSMTPD) with %s id 0bf1c02e", helo,
        client->ptr != NULL ? client->ptr : "<unknown>", peer(client), protocol(client));
    if (client->tls)
        say(out, " (TLSv1.3:AEAD-CHACHA20-POLY1305-SHA256:256:NO)");
    say(out, "\n\tfor <u@example.net>;\n\td");
    record(out, helo);
}

static void write_haraka(const struct client *client, struct written *out)
{
    char helo[SAID_MAX + 1];
    (void)snprintf(helo, sizeof helo, "%s", client->ehlo + strspn(client->ehlo, " "));
    out->nothing = !client->greeted || strchr(helo, '\r') != NULL;
    cut(helo, " ");
    trim(helo);
    out->nothing = out->nothing || helo[0] == '\0';
    say(out,
        "from %s (%s%s[%s])\r\n\tby mx.example.net (Haraka/3.1.6) with %s id 4F1.1\r\n"
        "\tenvelope-from <\"x with ESMTPA [198.51.100.6] by\"@a.example>",
        helo, client->ptr != NULL ? client->ptr : "", client->ptr != NULL ? " " : "", peer(client),
        protocol(client));
    if (client->tls)
        say(out, "\r\n\ttls TLS_AES_256_GCM_SHA384");
    say(out, ";\r\n\td");
    record_word(out, client, helo);
}

static void write_amavis(const struct client *client, struct written *out)
{
    const char *helo = client->greeted && client->ehlo[0] != '\0' ? client->ehlo : "unknown";
    say(out,
        "from %s ([%s])%s\n by localhost (mx.example.net [127.0.0.1]) (amavis, port 10024)\n"
        " with %s\n id WXb1fH0Lq8aZ\n for <u@example.net>;\n d",
        helo, tagged(client), client->tls ? " (using TLS with cipher X)" : "", protocol(client));
    out->nothing = strchr(helo, '\r') != NULL;
    if (strcasecmp(helo, "unknown") != 0)
        record(out, helo);
}

static bool is_name_or_literal(const char *text)
{
    return text[0] != '\0' && (is_literal(text) || only(text, ".-_"));
}

static void write_dovecot(const struct client *client, struct written *out)
{
    bool valid = client->greeted && is_name_or_literal(client->ehlo);
    say(out, "from %s ([%s])", valid ? client->ehlo : "unknown", peer(client));
    if (client->tls)
        say(out, "\r\n\t(using TLSv1.3 with cipher X (256/256 bits))");
    say(out,
        "\r\n\tby mx.example.net with %s\r\n\tid aBcD\r\n\t(envelope-from <a@a.example>)\r\n"
        "\tfor <u@example.net>; d",
        protocol(client));
    if (valid && strcasecmp(client->ehlo, "unknown") != 0)
        record(out, client->ehlo);
}

static void write_james(const struct client *client, struct written *out)
{
    const char *ptr = client->ptr != NULL && !client->forged ? client->ptr : peer(client);
    out->nothing = !client->greeted || !is_name_or_literal(client->ehlo);
    say(out, "from %s (%s %s) ([%s])\r\n\t", ptr, client->esmtp ? "EHLO" : "HELO", client->ehlo,
        peer(client));
    if (client->tls)
        say(out, "(using TLSv1.3 with cipher X)\r\n\t");
    say(out,
        "by mx.example.net (JAMES SMTP Server ) with %s ID 4711\r\n\tfor <u@example.net>;\r\n"
        "\td",
        protocol(client));
    record(out, client->ehlo);
}

static void write_stalwart(const struct client *client, struct written *out)
{
    out->nothing = !client->greeted || client->ehlo[0] == '\0' || !only(client->ehlo, ".-_");
    say(out, "from %s (%s [%s] (AS64496 Example Networks, ZZ))\r\n\t", client->ehlo,
        client->ptr != NULL ? client->ptr : "unknown", peer(client));
    if (client->tls)
        say(out, "(using TLSv1_3 with cipher X)\r\n\t");
    say(out, "by mx.example.net (Stalwart SMTP) with %s id 4711;\r\n\td", protocol(client));
    record_word(out, client, client->ehlo);
}

static void write_exchange(const struct client *client, struct written *out)
{
    out->nothing = !client->greeted || !is_name_or_literal(client->ehlo) || client->login;
    say(out,
        "from %s (%s) by\n EX1.corp.example (10.0.0.5) with Microsoft SMTP Server"
        " (version=TLS1_2,\n cipher=X) id 15.1.2507.6; d",
        client->ehlo, peer(client));
    if (client->v6)
        out->nothing = true;
    if (strcasecmp(client->ehlo, "unknown") != 0)
        record(out, client->ehlo);
}

static void write_gmail(const struct client *client, struct written *out)
{
    out->nothing = !client->greeted || !is_name_or_literal(client->ehlo);
    say(out,
        "from %s (%s%s[%s])\n        by mx.google.com with %s id a1\n"
        "        for <u@example.net>\n        (version=TLS1_3 cipher=X bits=256/256);\n"
        "        d",
        client->ehlo, client->ptr != NULL ? client->ptr : "", client->ptr != NULL ? ". " : "",
        peer(client), protocol(client));
    record(out, client->ehlo);
}

/* The client's name first, and a marker, as James does. */
static void write_asyncos(const struct client *client, struct written *out)
{
    out->nothing = !client->greeted || !is_name_or_literal(client->ehlo) || client->login;
    say(out, "from %s (HELO %s) ([%s])\n  by ironport.example.net with %s/TLS/X; d",
        client->ptr != NULL ? client->ptr : "unknown", client->ehlo, peer(client),
        protocol(client));
    record(out, client->ehlo);
}

static const struct {
    const char *label;
    void (*write)(const struct client *client, struct written *out);
} writers[] = {
    {"Postfix", write_postfix},
    {"Sendmail", write_sendmail},
    {"Exim", write_exim},
    {"Exim, incoming_port", write_exim_port},
    {"Exim, helo_accept_junk_hosts", write_exim_junk},
    {"Exim, helo_accept_junk_hosts, incoming_port", write_exim_junk_port},
    {"qmail", write_qmail},
    {"notqmail", write_notqmail},
    {"Courier", write_courier},
    {"OpenSMTPD", write_opensmtpd},
    {"Haraka", write_haraka},
    {"amavis", write_amavis},
    {"Dovecot", write_dovecot},
    {"James", write_james},
    {"Stalwart", write_stalwart},
    {"Exchange", write_exchange},
    {"Gmail", write_gmail},
    {"AsyncOS", write_asyncos},
};

/* --- clients -----------------------------------------------------------------------------------
 */

static uint32_t chance(uint32_t *state, uint32_t below)
{
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return (*state >> 8) % below;
}

/* Pieces that mean something in one form or another. */
static const char *const pieces[] = {
    "a",
    "a.example",
    "b.example",
    "unknown",
    "from ",
    " by y ",
    "by",
    "with ESMTPA",
    " with LMTP ",
    "[198.51.100.6]",
    "[198.51.100.6]:25",
    "[" PEER "]",
    "[IPv6:" PEER_V6 "]",
    "(",
    ")",
    "(x [198.51.100.6])",
    "([198.51.100.6])",
    "([198.51.100.6] helo=x)",
    "([198.51.100.6]\thelo=x)",
    "([198.51.100.6]:25)",
    "([198.51.100.6]:25)\t",
    "([198.51.100.6])by ",
    "(x[198.51.100.6])by\t",
    "\t(HELO\tx)",
    "198.51.100.6",
    "HELO ",
    "helo=",
    " ident=",
    "(HELO x)",
    ";",
    "@",
    "\\",
    "\"",
    " ",
    "\t",
    "\r",
    "\r\tby y ",
    "(Exim 4.96)",
    "(authenticated bits=0)",
    "(Authenticated sender: x)",
    "AUTH: LOGIN x",
    "[local]",
    "(198.51.100.6)",
    "(198.51.100.6, HELO x)",
    "IPv6:",
    "[",
    "]",
    "]:25",
    "(may be forged)",
    "with POP3",
    "account x",
    "(joe@198.51.100.6 with login)",
    "(8.17.1/8.17.1)",
    "with HTTP ",
    "port=25 ",
};

#define PIECES (sizeof pieces / sizeof pieces[0])

/* Each piece, each pair of them, then any number, and now and then a byte of any value that a line
   of SMTP can hold. */
static void invent(uint32_t *state, unsigned round, char *out, size_t size)
{
    uint32_t count = 1 + chance(state, 6);
    out[0] = '\0';
    if (round < PIECES * (PIECES + 1)) {
        (void)snprintf(out, size, "%s%s", pieces[round % PIECES],
                       round < PIECES ? "" : pieces[round / PIECES - 1]);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        char byte[2] = {(char)(1 + chance(state, 255)), '\0'};
        const char *piece = pieces[chance(state, PIECES)];
        if (chance(state, 4) == 0 && byte[0] != '\n')
            piece = byte;
        (void)strncat(out, piece, size - strlen(out) - 1);
    }
}

static void meet(uint32_t *state, unsigned round, struct client *client)
{
    /* The last two are names that DNS can give to an address, too. */
    static const char *const names[] = {NULL, "b.example", "b.example", "by", "198.51.100.6"};
    memset(client, 0, sizeof *client);
    invent(state, round, client->ehlo, sizeof client->ehlo);
    invent(state, UINT_MAX, client->ident, sizeof client->ident);
    trim(client->ehlo);
    for (char *at = client->ident; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    if (chance(state, 8) == 0)
        (void)snprintf(client->ehlo, sizeof client->ehlo, "%s", pieces[1 + chance(state, 2)]);
    client->ptr = names[chance(state, sizeof names / sizeof names[0])];
    client->forged =
        client->ptr != NULL && (strcmp(client->ptr, "198.51.100.6") == 0 || chance(state, 4) == 0);
    client->greeted = chance(state, 8) != 0;
    client->esmtp = client->greeted && chance(state, 3) != 0;
    client->asked_ident = chance(state, 4) == 0;
    client->login = client->esmtp && chance(state, 4) == 0;
    client->tls = client->esmtp && chance(state, 3) == 0;
    client->v6 = chance(state, 4) == 0;
}

/* In one line, as a server behind the writer may have made of it. */
static void unfold(char *field)
{
    char *out = field;
    for (const char *at = field; *at != '\0'; at++)
        if (*at != '\r' || at[1] != '\n')
            *out++ = *at == '\n' ? ' ' : *at;
    *out = '\0';
}

/* --- the property ------------------------------------------------------------------------------
 */

/* What the field says of the client's name, had it said something simple: that, or nothing. */
static void check_name(const struct received *got, const struct client *client, size_t i,
                       const char *field)
{
    struct client simple = *client;
    struct written written = {.recorded = false};
    struct received want;
    if (!client->greeted || got->ptr_state == RECEIVED_PTR_UNRECORDED)
        return;
    (void)snprintf(simple.ehlo, sizeof simple.ehlo, "z.example");
    writers[i].write(&simple, &written);
    received_parse(written.field, &want);
    ck_assert_msg(got->ptr_state == want.ptr_state && strcmp(got->ptr, want.ptr) == 0,
                  "%s: PTR %d \"%s\": %s", writers[i].label, got->ptr_state, got->ptr, field);
}

static void check_field(const struct client *client, const struct written *written, size_t i)
{
    const char *label = writers[i].label, *field = written->field;
    struct received got;
    char from[IPADDR_TEXT_MAX];
    received_parse(field, &got);
    ck_assert_msg(got.kind == RECEIVED_FROM, "%s: kind %d: %s", label, got.kind, field);
    ck_assert_msg(strcmp(ipaddr_format(&got.from, from), peer(client)) == 0, "%s: from %s: %s",
                  label, from, field);
    ck_assert_msg(got.submitted == client->login, "%s: login %d: %s", label, got.submitted, field);
    check_name(&got, client, i, field);
    if (written->unclear)
        return;
    ck_assert_msg(got.helo_recorded == written->recorded, "%s: EHLO recorded %d \"%s\": %s", label,
                  got.helo_recorded, got.helo, field);
    ck_assert_msg(strcmp(got.helo, written->helo) == 0, "%s: EHLO \"%s\", not \"%s\": %s", label,
                  got.helo, written->helo, field);
}

START_TEST(test_the_client_is_the_peer)
{
    uint32_t state = 4711;
    unsigned seen = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct client client;
        struct written written = {.recorded = false};
        meet(&state, round, &client);
        writers[_i].write(&client, &written);
        if (written.nothing)
            continue;
        seen++;
        check_field(&client, &written, (size_t)_i);
    }
    ck_assert_msg(seen > ROUNDS / 20, "%s: only %u", writers[_i].label, seen);
}
END_TEST

/* Where EHLO is one word, it need not be folded. */
START_TEST(test_in_one_line)
{
    uint32_t state = 42;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct client client;
        struct written written = {.recorded = false};
        struct received got;
        char from[IPADDR_TEXT_MAX];
        meet(&state, round, &client);
        cut(client.ehlo, " \t\r\v\f");
        if (client.ehlo[0] == '\0')
            continue;
        client.asked_ident = client.tls = false;
        writers[_i].write(&client, &written);
        if (written.nothing)
            continue;
        unfold(written.field);
        received_parse(written.field, &got);
        ck_assert_msg(got.kind == RECEIVED_FROM &&
                          strcmp(ipaddr_format(&got.from, from), peer(&client)) == 0,
                      "%s: kind %d, from %s: %s", writers[_i].label, got.kind,
                      got.kind == RECEIVED_FROM ? from : "-", written.field);
        ck_assert_msg(!got.submitted || client.login, "%s: login: %s", writers[_i].label,
                      written.field);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("received_writers");
    TCase *tcase = tcase_create("received_writers");
    tcase_add_loop_test(tcase, test_the_client_is_the_peer, 0,
                        (int)(sizeof writers / sizeof writers[0]));
    tcase_add_loop_test(tcase, test_in_one_line, 0, (int)(sizeof writers / sizeof writers[0]));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
