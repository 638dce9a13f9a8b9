/* SPDX-License-Identifier: BSD-2-Clause */
/* The from-clauses of mail servers as they write them, and of people who mean harm. */
#include "core/received.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct form {
    const char *label, *value;
    enum received_kind want_kind;
    const char *want_from;
    const char *want_helo; /* NULL: not recorded */
    bool want_submitted;
};

#define FROM       RECEIVED_FROM
#define INTERNAL   RECEIVED_INTERNAL
#define FETCHED    RECEIVED_FETCHED
#define UNREADABLE RECEIVED_UNREADABLE

static const struct form forms[] = {
    /* Mail servers. */
    {"Postfix",
     "from mail.example.org (mail.example.org [192.0.2.10])\n"
     "\tby mx2.example.net (Postfix) with ESMTP id 4Zk2h81vQzz3x\n"
     "\tfor <bob@example.net>; Mon, 21 Sep 2026 14:00:00 +0000 (UTC)",
     FROM, "192.0.2.10", "mail.example.org", false},
    {"Postfix, TLS comments",
     "from a.example.org (b.example.org [192.0.2.10])\r\n"
     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n"
     "\t key-exchange X25519 server-signature RSA-PSS (2048 bits))\r\n"
     "\t(Client CN \"[198.51.100.66]\", Issuer \"x\" (verified OK))\r\n"
     "\tby mx2.example.net (Postfix) with ESMTPS id 1",
     FROM, "192.0.2.10", "a.example.org", false},
    {"Postfix, no PTR", "from x (unknown [192.0.2.10]) by y (Postfix) with SMTP id 1", FROM,
     "192.0.2.10", "x", false},
    {"Postfix, IPv6", "from a.example (b.example [IPv6:2001:db8::10]) by y", FROM, "2001:db8::10",
     "a.example", false},
    {"Postfix, link-local", "from a.example (unknown [IPv6:fe80::1%eth0]) by y", FROM, "fe80::1",
     "a.example", false},
    {"Postfix, EHLO literal", "from [198.51.100.66] (b.example [192.0.2.10]) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"Postfix, EHLO bare address", "from 198.51.100.66 (b.example [192.0.2.10]) by y", FROM,
     "192.0.2.10", "198.51.100.66", false},
    {"Postfix, EHLO by", "from by (b.example [192.0.2.10]) by y", FROM, "192.0.2.10", "by", false},
    /* smtpd.c writes the client's name where there was no EHLO. */
    {"Postfix, no EHLO", "from unknown (unknown [192.0.2.10]) by y", FROM, "192.0.2.10", NULL,
     false},
    {"Postfix, login",
     "from [10.0.0.5] (dsl.isp.example [192.0.2.10]) (Authenticated sender: bob)\n"
     "\tby mx2.example.net (Postfix) with ESMTPSA id 1",
     FROM, "192.0.2.10", "[10.0.0.5]", true},
    {"Postfix, local", "by mx2.example.net (Postfix, from userid 1000) id 1; date", INTERNAL, NULL,
     NULL, false},
    {"Postfix, forwarded by its user", "by y (Postfix)\n\tid 4711; date", INTERNAL, NULL, NULL,
     false},
    /* smtpd_hide_client_session, mask-src: whose the fields below are nobody knows. */
    {"Postfix, hidden", "by y (Postfix) id 4711\n\tfor <u@example.net>; date", UNREADABLE, NULL,
     NULL, false},
    {"OpenSMTPD, hidden", "\n\tby y (OpenSMTPD) with ESMTPSA id 4711 (TLSv1.3:X:256:NO);\n\tdate",
     UNREADABLE, NULL, NULL, false},
    {"amavis, no EHLO",
     "from unknown ([192.0.2.10])\n by localhost (y [127.0.0.1]) (amavis, port "
     "10024)\n with SMTP",
     FROM, "192.0.2.10", NULL, false},
    {"Sendmail", "from a.example (b.example [192.0.2.10]) by y (8.17.1/8.17.1) with ESMTPS id 1",
     FROM, "192.0.2.10", "a.example", false},
    {"Sendmail, forged", "from a.example (b.example [192.0.2.10] (may be forged)) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Sendmail, no PTR", "from a.example ([192.0.2.10]) by y", FROM, "192.0.2.10", "a.example",
     false},
    {"Sendmail, IDENT", "from a.example (IDENT:joe@b.example [192.0.2.10]) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Sendmail, IPv6", "from a.example ([IPv6:2001:db8:0:0:0:0:0:10]) by y", FROM, "2001:db8::10",
     "a.example", false},
    {"Sendmail, login", "from a.example (b [192.0.2.10]) (authenticated bits=0) by y with ESMTPSA",
     FROM, "192.0.2.10", "a.example", true},
    {"Sendmail, local", "(from root@localhost) by y (8.17.1/8.17.1/Submit) id 1; date", INTERNAL,
     NULL, NULL, false},
    {"Exim", "from mail.example.org ([192.0.2.10] helo=a.example) by y with esmtps", FROM,
     "192.0.2.10", "a.example", false},
    {"Exim, EHLO is PTR", "from mail.example.org ([192.0.2.10])\n\tby y with esmtp (Exim 4.97)",
     FROM, "192.0.2.10", "mail.example.org", false},
    {"Exim, no PTR", "from [192.0.2.10] (helo=a.example) by y with esmtp", FROM, "192.0.2.10",
     "a.example", false},
    {"Exim, own literal", "from [192.0.2.10] by y with esmtp", FROM, "192.0.2.10", "[192.0.2.10]",
     false},
    {"Exim, port", "from mail.example.org ([192.0.2.10]:41234 helo=a.example) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Exim, port, no PTR", "from [192.0.2.10]:41234 (helo=a.example) by y", FROM, "192.0.2.10",
     "a.example", false},
    {"Exim, port, own literal", "from [192.0.2.10]:41234 by y with esmtp", FROM, "192.0.2.10",
     "[192.0.2.10]", false},
    {"Exim, no EHLO", "from [192.0.2.10]\n\tby y with smtp (Exim 4.97)", FROM, "192.0.2.10", NULL,
     false},
    {"Exim, port, no EHLO", "from [192.0.2.10] (port=41234)\n\tby y with smtp (Exim 4.97)", FROM,
     "192.0.2.10", NULL, false},
    {"Exim, port in words", "from [192.0.2.10] (port=41234 helo=a.example) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Exim, IPv6", "from b.example ([2001:db8::10] helo=a.example) by y", FROM, "2001:db8::10",
     "a.example", false},
    {"Exim, EHLO literal", "from b.example ([192.0.2.10] helo=[198.51.100.66]) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"Exim, no PTR, EHLO literal", "from [192.0.2.10] (helo=[198.51.100.66]) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"Exim, ident", "from b.example ([192.0.2.10] ident=joe helo=a.example) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Exim, hostile ident", "from [192.0.2.10] (ident=[198.51.100.66] helo=a.example) by y", FROM,
     "192.0.2.10", "a.example", false},
    {"Exim, login", "from b.example ([192.0.2.10] helo=a.example) by y with esmtpsa (Exim 4.97)",
     FROM, "192.0.2.10", "a.example", true},
    {"Exim, old login", "from b.example ([192.0.2.10]) by y with asmtp (Exim 4.20)", FROM,
     "192.0.2.10", "b.example", true},
    {"Exim, local", "from root by y with local (Exim 4.97) id 1; date", INTERNAL, NULL, NULL,
     false},
    {"qmail", "from unknown (HELO a.example) (192.0.2.10)\n  by y with SMTP; date", FROM,
     "192.0.2.10", "a.example", false},
    {"qmail, PTR", "from b.example (HELO a.example) (192.0.2.10) by y with SMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"qmail, EHLO is PTR", "from b.example (192.0.2.10) by y with SMTP", FROM, "192.0.2.10",
     "b.example", false},
    {"qmail, no PTR and no HELO", "from unknown (192.0.2.10) by y with SMTP", FROM, "192.0.2.10",
     NULL, false},
    {"qmail, ident", "from unknown (HELO a.example) (joe@192.0.2.10) by y with SMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"qmail, EHLO literal", "from unknown (HELO [198.51.100.66]) (192.0.2.10) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"qmail, EHLO bare address", "from unknown (HELO 198.51.100.66) (192.0.2.10) by y", FROM,
     "192.0.2.10", "198.51.100.66", false},
    {"qmail, from network", "(qmail 4711 invoked from network); 21 Sep 2026 14:00:00 -0000",
     INTERNAL, NULL, NULL, false},
    {"qmail, by uid", "(qmail 4711 invoked by uid 89); 21 Sep 2026 14:00:00 -0000", INTERNAL, NULL,
     NULL, false},
    {"comment alone", "(qmail 4711 invoked by uid 89)", INTERNAL, NULL, NULL, false},
    {"Exchange",
     "from mail.example.org (192.0.2.10) by EX1.corp.example (10.152.16.1) with\n Microsoft SMTP "
     "Server (version=TLS1_2, cipher=x) id 15.20.1.2",
     FROM, "192.0.2.10", "mail.example.org", false},
    {"Exchange, IPv6", "from a.example (2001:db8:20b:1::13) by b (2001:db8::2) with Microsoft",
     FROM, "2001:db8:20b:1::13", "a.example", false},
    {"Exchange, EHLO literal", "from [198.51.100.66] (192.0.2.10) by y", FROM, "192.0.2.10",
     "[198.51.100.66]", false},
    {"Exchange, old", "from a.example ([192.0.2.10]) by y with Microsoft SMTPSVC(6.0)", FROM,
     "192.0.2.10", "a.example", false},
    {"Gmail",
     "from mail.example.org (mail.example.org. [192.0.2.10])\n        by mx.google.com with ESMTPS "
     "id a1 for <x@gmail.com> (version=TLS1_3)",
     FROM, "192.0.2.10", "mail.example.org", false},
    {"Gmail, IPv6", "from a.example (a.example. [2001:db8:4864:20::22f]) by mx.google.com", FROM,
     "2001:db8:4864:20::22f", "a.example", false},
    {"Gmail, within", "by 2002:a05:6402:1::1 with SMTP id a1; date", INTERNAL, NULL, NULL, false},
    {"Gmail, login",
     "from [192.168.1.5] (dsl.isp.example. [192.0.2.10]) by smtp.gmail.com with ESMTPSA id 1", FROM,
     "192.0.2.10", "[192.168.1.5]", true},
    {"Courier", "from a.example (b.example [::ffff:192.0.2.10]) (TLS: x) by y with ESMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"OpenSMTPD", "from a.example (<unknown> [192.0.2.10]) by y (OpenSMTPD) with ESMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"OpenSMTPD, local", "from localhost (y [local]) by y (OpenSMTPD) with ESMTPA", INTERNAL, NULL,
     NULL, false},
    {"AsyncOS", "from b.example (HELO a.example) ([192.0.2.10]) by y with ESMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"AsyncOS, EHLO literal", "from unknown (HELO [198.51.100.66]) ([192.0.2.10]) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"CommuniGate", "from [192.0.2.10] (HELO a.example) by y (CommuniGate Pro SMTP 6.2)", FROM,
     "192.0.2.10", "a.example", false},
    {"CommuniGate, login", "from [192.0.2.10] (account joe@x.example HELO a.example) by y", FROM,
     "192.0.2.10", "a.example", true},
    {"Yahoo", "from 192.0.2.10 (EHLO a.example) by 10.1.1.1 with SMTPs; date", FROM, "192.0.2.10",
     "a.example", false},
    {"no comment", "from a.example [192.0.2.10] by y", FROM, "192.0.2.10", "a.example", false},
    {"webmail", "from b.example ([192.0.2.10]) by y with HTTP (HTTP/1.1 POST); date", FROM,
     "192.0.2.10", "b.example", true},

    {"Sendmail, ident, no PTR", "from a.example (root@[192.0.2.10]) by y (8.17.1/8.17.1)", FROM,
     "192.0.2.10", "a.example", false},
    /* The macro s is the client's name where there was no EHLO (srvrsmtp.c). */
    {"Sendmail, no EHLO", "from [192.0.2.10] ([192.0.2.10]) by y (8.17.1/8.17.1) with SMTP", FROM,
     "192.0.2.10", NULL, false},
    {"Sendmail before 8.15, login",
     "from a (b.example [192.0.2.10])\n\t(authenticated bits=0)\n\tby y (8.14.7/8.14.7) with ESMTP",
     FROM, "192.0.2.10", "a", true},
    {"Courier, login",
     "from a (b.example [::ffff:192.0.2.10])\n  (AUTH: LOGIN bob)\n  by y with esmtp", FROM,
     "192.0.2.10", "a", true},
    {"Courier, ident", "from a (IDENT: joe, b.example [::ffff:192.0.2.10]) by y with esmtp", FROM,
     "192.0.2.10", "a", false},
    {"Kerio, login",
     "from a ([192.0.2.10]) (authenticated user u@x) by y (Kerio Connect) with ESMTP", FROM,
     "192.0.2.10", "a", true},
    {"Exim, junk EHLO", "from [192.0.2.10] (helo=x [198.51.100.66])\n\tby y with esmtp (Exim 4.96)",
     FROM, "192.0.2.10", "x [198.51.100.66]", false},
    {"Exim, EHLO opens a comment",
     "from [192.0.2.10] (helo=(comment)\n\tby y with esmtp (Exim 4.96)", FROM, "192.0.2.10",
     "(comment", false},
    {"Exim, EHLO opens a comment, not folded", "from [192.0.2.10] (helo=(comment) by y with esmtp",
     FROM, "192.0.2.10", NULL, false},
    {"Exim, EHLO says that it logged in",
     "from b.example ([192.0.2.10] helo=x) by y with esmtpa ()\n\tby y with esmtp (Exim 4.96)",
     FROM, "192.0.2.10", "x) by y with esmtpa (", false},
    {"Exim, EHLO says LMTP", "from [192.0.2.10] (helo=x) by y with lmtp ()\n\tby y with esmtp",
     FROM, "192.0.2.10", "x) by y with lmtp (", false},
    {"Exim, a recipient says that it logged in",
     "from b.example ([192.0.2.10] helo=x)\n\tby y with esmtp (Exim 4.96)\n\tfor \"a with esmtpa "
     "b\"@y",
     FROM, "192.0.2.10", "x", false},
    {"Exim, port, EHLO is PTR", "from b.example ([192.0.2.10]:41234) by y with esmtp", FROM,
     "192.0.2.10", "b.example", false},
    {"Exim, ident alone", "from b.example ([192.0.2.10] ident=joe) by y with esmtp (Exim 4.97)",
     FROM, "192.0.2.10", "b.example", false},
    {"Exim, scanned", "from mail by y with local-smtp (Exim 4.50)", INTERNAL, NULL, NULL, false},
    {"qmail-ldap", "from unknown (HELO a.example) (joe@[192.0.2.10]) by y with SMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"Momentum", "from ([192.0.2.10:33672] helo=a.example) by y (ecelerity 4.3.1) with ESMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"XMail", "from a.example (192.0.2.10:23198) by y with [XMail 1.27 ESMTP Server]", FROM,
     "192.0.2.10", "a.example", false},
    {"no space", "from a.example (unknown[192.0.2.10]) by y with ESMTP", FROM, "192.0.2.10",
     "a.example", false},
    {"smap", "from b.example(192.0.2.10, HELO a.example) by y via smap (V2.0)", FROM, "192.0.2.10",
     "a.example", false},
    {"Yahoo, login", "from a.example (joe@192.0.2.10 with login) by y with SMTP", FROM,
     "192.0.2.10", "a.example", true},
    {"MDaemon 19", "a.example [(192.0.2.10)] by y (198.51.100.9) (MDaemon PRO v19) with ESMTP id 1",
     FROM, "192.0.2.10", "a.example", false},
    {"Haraka", "from a.example (NXDOMAIN [192.0.2.10])\n\tby y (Haraka/3.0.3) with ESMTP id 1",
     FROM, "192.0.2.10", "a.example", false},
    {"1&1", "from w.example (helo=a.example [192.0.2.10]) by y with ESMTP", FROM, "192.0.2.10",
     "a.example", false},
    {"the address twice", "from a.example ([192.0.2.10] [192.0.2.10]) by y with ESMTP", FROM,
     "192.0.2.10", "a.example", false},
    {"SquirrelMail", "from 192.0.2.10 (SquirrelMail authenticated user joe) by y with HTTP", FROM,
     "192.0.2.10", "192.0.2.10", true},
    {"Exchange, version",
     "from a.example (192.0.2.10) by y (10.0.0.1) with Microsoft SMTP Server (TLS) "
     "id 15.1.225.42 via Mailbox Transport",
     FROM, "192.0.2.10", "a.example", false},
    {"Exchange, store", "from EX1.example ([fe80::1]) by EX1 ([fe80::1%3]) with mapi id 15.1; date",
     INTERNAL, NULL, NULL, false},
    {"Dovecot LMTP, unix socket", "from y\n\tby y with LMTP\n\tid abc\n\t(envelope-from <s@a>)",
     INTERNAL, NULL, NULL, false},
    {"Dovecot LMTP, inet socket", "from mx ([198.51.100.9])\n\tby store with LMTP id abc", INTERNAL,
     NULL, NULL, false},
    {"Cyrus", "from mx ([unix socket])\n\tby mx (Cyrus 3.6) with LMTPA; date", INTERNAL, NULL, NULL,
     false},
    {"Cyrus, inet", "from mx (mx [198.51.100.9]) by store (Cyrus 3.6) with LMTPA;", INTERNAL, NULL,
     NULL, false},
    {"Zimbra", "from mx (LHLO mx) (198.51.100.9) by mx with LMTP; date", INTERNAL, NULL, NULL,
     false},
    {"fetchmail", "from pop.a.example [198.51.100.9]\n\tby localhost with POP3 (fetchmail-6.4.37)",
     FETCHED, NULL, NULL, false},
    {"getmail", "from imap.a.example (198.51.100.9) by y with IMAP4-SSL", FETCHED, NULL, NULL,
     false},
    {"NAVGW", "(from laptop [192.0.2.10])\n\tby y (NAVGW 2.5.2.12) with SMTP id 1", UNREADABLE,
     NULL, NULL, false},

    /* Shapes. */
    {"comment first", "(x) from (y) a.example (b [192.0.2.10]) by z", FROM, "192.0.2.10", NULL,
     false},
    {"capitals", "FROM a.example (B [192.0.2.10]) BY z WITH esmtpa", FROM, "192.0.2.10",
     "a.example", true},
    {"no name", "from ([192.0.2.10]) by z", FROM, "192.0.2.10", NULL, false},
    {"no spaces", "from a.example([192.0.2.10])by z", FROM, "192.0.2.10", "a.example", false},
    {"quoted pair", "from a.example (b\\) [192.0.2.10]) by z", FROM, "192.0.2.10", "a.example",
     false},
    {"with in a comment", "from a (b [192.0.2.10]) (with ESMTPA) by z (with ESMTPA) with SMTP",
     FROM, "192.0.2.10", "a", false},
    {"with behind the date", "from a (b [192.0.2.10]) by z; date with ESMTPA", FROM, "192.0.2.10",
     "a", false},

    /* No address. */
    {"name alone", "from a.example by y with SMTP", UNREADABLE, NULL, NULL, false},
    {"PTR alone", "from a.example (b.example) by y", UNREADABLE, NULL, NULL, false},
    {"bare name is no address", "from 192.0.2.10 by y", UNREADABLE, NULL, NULL, false},
    {"address of the writer", "from a.example by y ([192.0.2.10])", UNREADABLE, NULL, NULL, false},
    {"address behind the clause", "from a.example by y for <x@[192.0.2.10]>; date", UNREADABLE,
     NULL, NULL, false},
    {"bad octet", "from a.example (b [192.0.2.256]) by y", UNREADABLE, NULL, NULL, false},
    {"short", "from a.example (b [192.0.2]) by y", UNREADABLE, NULL, NULL, false},
    {"bad port", "from a.example (b [192.0.2.10]x) by y", UNREADABLE, NULL, NULL, false},
    {"open bracket", "from a.example (b [192.0.2.10) by y", UNREADABLE, NULL, NULL, false},
    {"open comment", "from a.example (b [192.0.2.10] by y", UNREADABLE, NULL, NULL, false},
    {"backslash at the end", "from a.example (b [192.0.2.10]\\", UNREADABLE, NULL, NULL, false},
    {"empty", "", UNREADABLE, NULL, NULL, false},
    {"blank", " \r\n\t ", UNREADABLE, NULL, NULL, false},
    {"from", "from", UNREADABLE, NULL, NULL, false},
    {"semicolon", ";", UNREADABLE, NULL, NULL, false},
    {"nonsense", "fromage (b [192.0.2.10])", UNREADABLE, NULL, NULL, false},
    {"too deep", "from a ((((((((([192.0.2.10]))))))))) by y", UNREADABLE, NULL, NULL, false},

    /* What a client or its DNS can choose never becomes the address. */
    {"PTR is another address", "from a (198.51.100.66 [192.0.2.10] (may be forged)) by y", FROM,
     "192.0.2.10", "a", false},
    {"PTR is helo", "from [198.51.100.66] (HELO [192.0.2.10] (may be forged)) by y", FROM,
     "192.0.2.10", "[198.51.100.66]", false},
    {"comment within", "from a (b ([198.51.100.66]) [192.0.2.10]) by y", FROM, "192.0.2.10", "a",
     false},
    {"EHLO behind the address", "from b ([192.0.2.10] helo=x [198.51.100.66]) by y", FROM,
     "192.0.2.10", "x [198.51.100.66]", false},
    /* Sendmail with AllowBogusHELO lets such an EHLO through. */
    {"the last comment is the writer's", "from a (b [198.51.100.66]) ([192.0.2.10]) by y", FROM,
     "192.0.2.10", "a", false},
    {"bare PTR with a comment", "from a (198.51.100.66 (may be forged)) ([192.0.2.10]) by y", FROM,
     "192.0.2.10", "a", false},
    {"the marker at the address counts", "from b (HELO a) (HELO c) ([192.0.2.10] helo=d) by y",
     FROM, "192.0.2.10", "d", false},
    {"later marker", "from a (b [192.0.2.10]) (HELO c) by y", FROM, "192.0.2.10", "a", false},
    {"bytes", "from \x01\xff\"%s (b [192.0.2.10]) by y", FROM, "192.0.2.10", "\x01\xff\"%s", false},
};

START_TEST(test_forms)
{
    const struct form *form = &forms[_i];
    struct received got;
    char from[IPADDR_TEXT_MAX];
    memset(&got, 0xa5, sizeof got);
    received_parse(form->value, &got);
    ck_assert_msg(got.kind == form->want_kind, "%s: kind %d", form->label, got.kind);
    const char *address = got.from.family == IP_NONE ? "" : ipaddr_format(&got.from, from);
    const char *want = form->want_from == NULL ? "" : form->want_from;
    ck_assert_msg(strcmp(address, want) == 0, "%s: from \"%s\"", form->label, address);
    ck_assert_msg(got.helo_recorded == (form->want_helo != NULL), "%s: EHLO recorded: %d",
                  form->label, got.helo_recorded);
    want = form->want_helo == NULL ? "" : form->want_helo;
    ck_assert_msg(strcmp(got.helo, want) == 0, "%s: EHLO \"%s\"", form->label, got.helo);
    ck_assert_msg(got.submitted == form->want_submitted, "%s: submitted %d", form->label,
                  got.submitted);
}
END_TEST

/* --- what was recorded of the reverse name -----------------------------------------------------
 */

static const struct {
    const char *label, *value;
    enum received_ptr want;
    const char *want_ptr;
} names[] = {
    {"Postfix", "from a (b.example [192.0.2.1]) by y (Postfix)", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"Postfix, none", "from a (unknown [192.0.2.1]) by y (Postfix)", RECEIVED_PTR_NONE, ""},
    {"Postfix, EHLO literal", "from [192.0.2.1] (b.example [192.0.2.1]) by y (Postfix)",
     RECEIVED_PTR_CONFIRMED, "b.example"},
    {"Sendmail", "from a ([192.0.2.1]) by y (8.17.1/8.17.1) with ESMTP", RECEIVED_PTR_NONE, ""},
    {"Sendmail, ident", "from a (IDENT:root@b.example [192.0.2.1]) by y (8.11.6/8.11.6)",
     RECEIVED_PTR_CONFIRMED, "b.example"},
    {"Sendmail, ident alone", "from a (root@[192.0.2.1]) by y (8.17.1/8.17.1)", RECEIVED_PTR_NONE,
     ""},
    {"Sendmail, forged", "from a (b.example [192.0.2.1] (may be forged)) by y (8.17.1/8.17.1)",
     RECEIVED_PTR_UNCONFIRMED, "b.example"},
    {"Gmail", "from a ([192.0.2.1]) by mx.google.com with ESMTPS", RECEIVED_PTR_NONE, ""},
    {"Gmail, name", "from a (b.example. [192.0.2.1]) by mx.google.com", RECEIVED_PTR_CONFIRMED,
     "b.example."},
    {"Domino", "from a ([192.0.2.1]) by y (Lotus Domino Release 9.0.1) with ESMTP",
     RECEIVED_PTR_UNRECORDED, ""},
    {"AsyncOS", "from a ([192.0.2.1]) by y with ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384",
     RECEIVED_PTR_UNRECORDED, ""},
    {"Exim, EHLO is PTR", "from b.example ([192.0.2.1]) by y with esmtps (TLS1.3) (Exim 4.97) id 1",
     RECEIVED_PTR_CONFIRMED, "b.example"},
    {"Exim", "from b.example ([192.0.2.1] helo=a) by y with esmtp", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"Exim, port", "from b.example ([192.0.2.1]:4123 helo=a) by y", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"Exim, port alone", "from b.example ([192.0.2.1]:4123) by y", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"Exim, ident", "from b.example ([192.0.2.1] ident=root) by y", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"Exim, no name", "from [192.0.2.1] (helo=a) by y with esmtp (Exim 4.97)",
     RECEIVED_PTR_UNRECORDED, ""},
    {"qmail", "from unknown (HELO a) (192.0.2.1) by y with SMTP", RECEIVED_PTR_NONE, ""},
    {"qmail, name", "from b.example (HELO a) (192.0.2.1) by y with SMTP", RECEIVED_PTR_CONFIRMED,
     "b.example"},
    {"AsyncOS, literal", "from unknown (HELO [192.0.2.1]) ([192.0.2.1]) by y with SMTP",
     RECEIVED_PTR_NONE, ""},
    {"Exchange", "from a (192.0.2.1) by y (10.0.0.1) with Microsoft SMTP Server",
     RECEIVED_PTR_UNRECORDED, ""},
    {"Haraka", "from a (Unknown [192.0.2.1]) by y (Haraka/2.8.28)", RECEIVED_PTR_NONE, ""},
    {"Haraka, NXDOMAIN", "from a (NXDOMAIN [192.0.2.1]) by y (Haraka/3.0)", RECEIVED_PTR_NONE, ""},
    {"Haraka, failed", "from a (DNSERROR [192.0.2.1]) by y (Haraka/3.0)", RECEIVED_PTR_TEMPERROR,
     ""},
    {"Courier, failed", "from a (softdnserr [::ffff:192.0.2.1]) by y", RECEIVED_PTR_TEMPERROR, ""},
    {"OpenSMTPD", "from a (<unknown> [192.0.2.1]) by y (OpenSMTPD)", RECEIVED_PTR_NONE, ""},
    {"AT&T", "from a (<unknown.domain> [192.0.2.1]) by y", RECEIVED_PTR_NONE, ""},
    {"SurgeMail", "from a (unverified [192.0.2.1]) by y", RECEIVED_PTR_UNRECORDED, ""},
    {"CommuniGate", "from [192.0.2.1] (HELO a) by y (CommuniGate Pro SMTP 6.2)",
     RECEIVED_PTR_UNRECORDED, ""},
    {"no space", "from a (b.example[192.0.2.1]) by y", RECEIVED_PTR_CONFIRMED, "b.example"},
};

START_TEST(test_names)
{
    struct received got;
    received_parse(names[_i].value, &got);
    ck_assert_msg(got.kind == RECEIVED_FROM, "%s: kind %d", names[_i].label, got.kind);
    ck_assert_msg(got.ptr_state == names[_i].want, "%s: state %d", names[_i].label, got.ptr_state);
    ck_assert_msg(strcmp(got.ptr, names[_i].want_ptr) == 0, "%s: \"%s\"", names[_i].label, got.ptr);
}
END_TEST

/* "from <count times unit>tail", for limits. */
static char *stretch(const char *head, const char *unit, size_t count, const char *tail)
{
    size_t length = strlen(unit);
    char *text = malloc(strlen(head) + length * count + strlen(tail) + 1);
    ck_assert_ptr_nonnull(text);
    char *at = stpcpy(text, head);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, unit);
    (void)strcpy(at, tail);
    return text;
}

START_TEST(test_long_ehlo_is_cut)
{
    struct received got;
    char *text = stretch("from ", "a", 3000, " (b [192.0.2.10]) by y");
    received_parse(text, &got);
    ck_assert_int_eq(got.kind, RECEIVED_FROM);
    ck_assert_uint_eq(strlen(got.helo), HELO_TEXT_MAX);
    free(text);
}
END_TEST

START_TEST(test_only_the_beginning_is_read)
{
    struct received got;
    char *text = stretch("from ", "a", RECEIVED_TEXT_MAX, " (b [192.0.2.10]) by y");
    received_parse(text, &got);
    ck_assert_int_eq(got.kind, RECEIVED_UNREADABLE);
    free(text);
}
END_TEST

/* Each byte of the longest field is looked at a few times, not once for each other byte. */
START_TEST(test_hostile_shapes_end)
{
    static const char *const units[] = {"(",  ")", "()",    "[",   "helo=", "HELO ", "(HELO",
                                        "\\", ";", "with ", "[::", "@",     "( [1"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct received got;
        char *text = stretch("from ", units[i], 20000, "");
        received_parse(text, &got);
        ck_assert_int_ne(got.kind, RECEIVED_FROM);
        received_parse(text + strlen("from "), &got);
        ck_assert_int_ne(got.kind, RECEIVED_FROM);
        free(text);
    }
}
END_TEST

/* Cut anywhere, a field never gives another address than its own. */
START_TEST(test_cut_anywhere)
{
    struct ipaddr want;
    struct received got;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        /* Cut before the writer's own comment nothing but the client's is left. */
        if (forms[i].want_from == NULL || strstr(forms[i].label, "the last comment") != NULL)
            continue;
        ck_assert_int_eq(ipaddr_parse(forms[i].want_from, &want), RESULT_OK);
        for (size_t length = 0; length < strlen(forms[i].value); length++) {
            char *text = strndup(forms[i].value, length);
            ck_assert_ptr_nonnull(text);
            received_parse(text, &got);
            ck_assert_msg(got.kind != RECEIVED_FROM || ipaddr_equal(&got.from, &want) ||
                              strchr(text, '(') == NULL || forms[i].value[5] == '[',
                          "%s cut at %zu", forms[i].label, length);
            free(text);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("received");
    TCase *tcase = tcase_create("received");
    tcase_add_loop_test(tcase, test_forms, 0, (int)(sizeof forms / sizeof forms[0]));
    tcase_add_loop_test(tcase, test_names, 0, (int)(sizeof names / sizeof names[0]));
    tcase_add_test(tcase, test_long_ehlo_is_cut);
    tcase_add_test(tcase, test_only_the_beginning_is_read);
    tcase_add_test(tcase, test_hostile_shapes_end);
    tcase_add_test(tcase, test_cut_anywhere);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
