/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/message_client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define DATE "; Sun, 29 Nov 2026 10:00:00 +0000\n"

/* Header lines, and "number address helo", with '?' where EHLO is not recorded. */
static const struct {
    const char *label, *header, *want;
} cases[] = {
    {"Postfix",
     "Return-Path: <a@acme.example>\nReceived: from mail.acme.example (mail.acme.example "
     "[203.0.113.5])\n\t(using TLSv1.3)\n\tby mx.other.example (Postfix) with ESMTPS id 4Zk\n\tfor "
     "<b@other.example>" DATE "Subject: x\n",
     "1 203.0.113.5 mail.acme.example"},
    {"Sendmail without a PTR name",
     "Received: from mail.acme.example ([203.0.113.5])\n\tby mx.other.example (8.17.1/8.17.1) with "
     "ESMTPS id 5A" DATE,
     "1 203.0.113.5 mail.acme.example"},
    {"Exim",
     "Received: from host5.isp.example ([203.0.113.5] helo=mail.acme.example)\n\tby "
     "mx.other.example "
     "with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\n\t(Exim 4.97)\n\tid 1tAbCd" DATE,
     "1 203.0.113.5 mail.acme.example"},
    {"Gmail: the first fields name nobody",
     "Delivered-To: b@gmail.com\nReceived: by 2002:a05:7000:1234:b0:5d1:1 with SMTP id x1\n        "
     "Sun, 29 Nov 2026 02:00:00 -0800 (PST)\nX-Received: by 2002:a05:6512::1 with SMTP id x2\n"
     "ARC-Seal: i=1; a=rsa-sha256\nReceived: from mail.acme.example (mail.acme.example. "
     "[203.0.113.5])\n        by mx.google.com with ESMTPS id x3\n        for <b@gmail.com>" DATE,
     "2 203.0.113.5 mail.acme.example"},
    {"Microsoft 365: among its own hosts",
     "Received: from AM0PR01MB1.eurprd01.prod.exchangelabs.com (2603:10a6:208::1) by\n "
     "DB9PR01MB2.eurprd01.prod.exchangelabs.com with HTTPS" DATE
     "Received: from DU2PR04CA01.eurprd04.prod.outlook.com (2603:10a6:10::2) by\n "
     "AM0PR01MB1.eurprd01.prod.outlook.com (2603:10a6:208::1) with\n Microsoft SMTP Server "
     "(version=TLS1_2) id 15.20.1" DATE
     "Authentication-Results: spf=pass\nReceived: from mail.acme.example (203.0.113.5) by\n "
     "DB5EUR03FT01.mail.protection.outlook.com (10.152.20.111) with Microsoft SMTP\n Server "
     "(version=TLS1_2) id 15.20.2" DATE,
     "3 203.0.113.5 mail.acme.example"},
    {"qmail",
     "Received: (qmail 4711 invoked from network)" DATE
     "Received: from unknown (HELO mail.acme.example) (203.0.113.5)\n  by mx.other.example with "
     "SMTP" DATE,
     "2 203.0.113.5 mail.acme.example"},
    {"IPv6, no folding, any case",
     "RECEIVED: from mail.acme.example (mail.acme.example [IPv6:2001:db8::5]) by mx.other.example "
     "(Postfix) with ESMTP id 1" DATE,
     "1 2001:db8::5 mail.acme.example"},
    {"handed on within the host and the network",
     "Received: from mx.other.example by mx.other.example with LMTP id 1" DATE
     "Received: from localhost (localhost [127.0.0.1])\n\tby mx.other.example (Postfix) with ESMTP "
     "id 2" DATE
     "Received: from gw.other.example (gw.other.example [10.0.0.1])\n\tby in.other.example "
     "(Postfix) with ESMTP id 3" DATE
     "Received: from mail.acme.example (mail.acme.example [203.0.113.5])\n\tby gw.other.example "
     "(Postfix) with ESMTPS id 4" DATE,
     "4 203.0.113.5 mail.acme.example"},
    {"of many the topmost",
     "Received: from mail.acme.example (mail.acme.example [203.0.113.5])\n\tby mx.other.example "
     "(Postfix) with ESMTPS id 1" DATE "Received: from inner.acme.example (inner.acme.example "
     "[203.0.113.77])\n\tby mail.acme.example "
     "(Postfix) with ESMTPSA id 2" DATE
     "Received: from forged.example (forged.example [198.51.100.1])\n\tby x.example (Postfix) with "
     "ESMTP id 3" DATE,
     "1 203.0.113.5 mail.acme.example"},
    {"to oneself: there is only what is within",
     "Received: from mail.acme.example (mail.acme.example [203.0.113.5])\n\tby mx.acme.example "
     "(Postfix) with ESMTPS id 1" DATE
     "Received: from [192.0.2.7] (home.isp.example [192.0.2.7])\n\tby mail.acme.example (Postfix) "
     "with ESMTPSA id 2" DATE,
     "1 203.0.113.5 mail.acme.example within"},
    {"an EHLO name that was not recorded",
     "Received: from [203.0.113.5]\n\tby mx.other.example with smtp (Exim 4.97)\n\tid 1" DATE,
     "1 203.0.113.5 ?"},
    {"a program that logged in",
     "Received: from [192.0.2.7] (home.isp.example [192.0.2.7])\n\tby mail.acme.example (Postfix) "
     "with ESMTPSA id 2" DATE,
     "none of 1"},
    {"private addresses only",
     "Received: from a.acme.example (a.acme.example [192.168.1.1])\n\tby mx.other.example "
     "(Postfix) "
     "with ESMTP id 2" DATE,
     "none of 1"},
    {"none", "Subject: x\nTo: y\n", "none of 0"},
    {"nothing", "", "none of 0"},
    {"the body is not looked at",
     "Subject: x\n\nReceived: from mail.acme.example (mail.acme.example [203.0.113.5])\n\tby "
     "mx.other.example (Postfix) with ESMTPS id 1" DATE,
     "none of 0"},
    {"nonsense",
     "Received:\nReceived: \nReceived: ((((((((((((((\nReceived: from\nReceived: from [\n\t\n"
     "Received: by\n\n",
     "none of 6"},
};

static void read_all(const char *header, char out[512])
{
    struct message_client *message = malloc(sizeof *message);
    struct orgdomain *orgdomains = orgdomain_load(NULL);
    char line[4096], address[IPADDR_TEXT_MAX];
    bool more = true;
    ck_assert_ptr_nonnull(message);
    message_client_begin(message, orgdomains);
    while (*header != '\0' && more) {
        size_t length = strcspn(header, "\n");
        ck_assert_uint_lt(length, sizeof line);
        memcpy(line, header, length);
        line[length] = '\0';
        more = message_client_line(message, line);
        header += length + (header[length] == '\n');
    }
    message_client_end(message);
    if (message->number == 0)
        (void)snprintf(out, 512, "none of %u", message->fields);
    else
        (void)snprintf(out, 512, "%u %s %s%s", message->number,
                       ipaddr_format(&message->client.from, address),
                       message->client.helo_recorded ? message->client.helo : "?",
                       message->within ? " within" : "");
    orgdomain_free(orgdomains);
    free(message);
}

START_TEST(topmost)
{
    char got[512];
    read_all(cases[_i].header, got);
    ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s, not %s", cases[_i].label, got,
                  cases[_i].want);
}
END_TEST

/* Lines without end, and thousands of fields: what is looked at is bounded. */
START_TEST(bounded)
{
    struct message_client *message = malloc(sizeof *message);
    char *line = malloc(100001);
    ck_assert(message != NULL && line != NULL);
    message_client_begin(message, NULL);
    memset(line, 'x', 100000);
    line[100000] = '\0';
    memcpy(line, "Received: from ", 15);
    ck_assert(message_client_line(message, line));
    line[0] = '\t';
    for (unsigned i = 0; i < 100; i++)
        ck_assert(message_client_line(message, line));
    for (unsigned i = 0; i < 5000; i++)
        ck_assert(message_client_line(message, "Received: from a (b [192.168.0.1]) by c; date"));
    ck_assert(!message_client_line(message, ""));
    message_client_end(message);
    ck_assert_uint_eq(message->number, 0);
    ck_assert_uint_eq(message->fields, 5001);
    free(line);
    free(message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("message_client");
    TCase *tcase = tcase_create("message_client");
    tcase_add_loop_test(tcase, topmost, 0, (int)COUNT(cases));
    tcase_add_test(tcase, bounded);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
