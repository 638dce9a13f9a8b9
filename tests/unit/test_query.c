/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions on their way through servers that the test plays: what is asked, when, and what comes
 * of it. */
#include "dns/dnsrr.h"
#include "dns/finding.h"
#include "dns/query.h"
#include "dns/servers.h"
#include "dns_lab.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CNAME = 5, SOA = 6 };

/* --- denials without proof ------------------------------------------------------------------ */

/* Behind a CNAME the SOA can be of a zone below the name asked for: it proves nothing about others.
 */
START_TEST(an_soa_from_below_is_not_remembered)
{
    static const uint8_t below[] = "\1x\00210\0012\0010\003192\7in-addr\4arpa";
    struct lab lab;
    struct lab_packet packet;
    struct lab_answer answer;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    struct lab_asker *first = lab_ask(&lab, "10.2.0.192.in-addr.arpa", RR_PTR, 8000);
    lab_expect(&lab, 0, "10.2.0.192.in-addr.arpa", RR_PTR, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_expect(&lab, 0, "10.2.0.192.in-addr.arpa", SOA, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_expect(&lab, 0, "2.0.192.in-addr.arpa", SOA, &packet);
    lab_begin(&answer, &packet, LAB_NXDOMAIN);
    lab_record(&answer, 1, "2.0.192.in-addr.arpa", CNAME, 60, below, sizeof below);
    lab_soa(&answer, 2, "10.2.0.192.in-addr.arpa");
    lab_send(&lab, &packet, &answer);
    ck_assert(first->done && first->outcome == DNS_NXDOMAIN);
    struct lab_asker *second = lab_ask(&lab, "20.2.0.192.in-addr.arpa", RR_PTR, 8000);
    lab_expect(&lab, 0, "20.2.0.192.in-addr.arpa", RR_PTR, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_expect(&lab, 0, "20.2.0.192.in-addr.arpa", SOA, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_expect(&lab, 0, "2.0.192.in-addr.arpa", SOA, &packet);
    lab_begin(&answer, &packet, LAB_NXDOMAIN);
    lab_soa(&answer, 2, "2.0.192.in-addr.arpa");
    lab_send(&lab, &packet, &answer);
    ck_assert(second->done && second->outcome == DNS_NXDOMAIN);
    struct lab_asker *third = lab_ask(&lab, "30.2.0.192.in-addr.arpa", RR_PTR, 8000);
    lab_expect(&lab, 0, "30.2.0.192.in-addr.arpa", RR_PTR, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_expect(&lab, 0, "30.2.0.192.in-addr.arpa", SOA, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    ck_assert_msg(third->done && third->outcome == DNS_NXDOMAIN, "the proof is remembered");
    lab_close(&lab);
}
END_TEST

/* The question for proof is not answered: the server has not been heard, rather than disbelieved.
 */
START_TEST(a_proof_that_does_not_come)
{
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    struct lab_asker *asker = lab_ask(&lab, "10.2.0.192.in-addr.arpa", RR_PTR, 1500);
    lab_expect(&lab, 0, "10.2.0.192.in-addr.arpa", RR_PTR, &packet);
    lab_reply(&lab, &packet, LAB_NXDOMAIN);
    lab_pass(&lab, 1500);
    ck_assert(asker->done && asker->outcome == DNS_TEMPERROR);
    ck_assert_int_eq(asker->problem, PROBLEM_TIMEOUT);
    ck_assert_int_eq(lab_metric(&lab, "iprevd_dns_unproved_denials_total"), 0);
    ck_assert_uint_eq(lab_logged(&lab, "without an SOA record"), 0);
    lab_close(&lab);
}
END_TEST

/* --- errors of the network are not final ---------------------------------------------------- */

static atomic_uint refusals; /* so many connect()s fail from now on */
static int refusal;          /* with this error */
static uint16_t led_to;      /* 192.0.2.53 is this port of loopback; 0: nothing is */

int __real_connect(int fd, const struct sockaddr *addr, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length);

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length)
{
    if (addr->sa_family == AF_INET && led_to != 0) {
        struct sockaddr_in where = *(const struct sockaddr_in *)(const void *)addr;
        ck_assert_uint_eq(ntohl(where.sin_addr.s_addr), 0xc0000235);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return __real_connect(fd, (const struct sockaddr *)&where, sizeof where);
    }
    if (addr->sa_family != AF_INET || refusals == 0)
        return __real_connect(fd, addr, length);
    refusals--;
    errno = refusal;
    return -1;
}

/* A server without EDNS0 is asked again without; that this cannot be sent at once is not its end.
 */
START_TEST(plain_question_that_cannot_be_sent)
{
    static const int errors[] = {ENETUNREACH, EADDRNOTAVAIL};
    struct lab lab;
    struct lab_packet packet;
    struct lab_answer answer;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
    lab_expect(&lab, 0, "a.example", RR_A, &packet);
    ck_assert(packet.edns);
    refusals = 2; /* of the socket that was used, and of a new one */
    refusal = errors[_i];
    lab_reply(&lab, &packet, LAB_FORMERR);
    ck_assert(!asker->done && refusals == 0);
    lab_pass(&lab, 1000);
    lab_expect(&lab, 0, "a.example", RR_A, &packet);
    ck_assert(!packet.edns);
    lab_begin(&answer, &packet, LAB_NOERROR);
    lab_record(&answer, 1, "a.example", RR_A, 60, "\300\0\2\1", 4);
    lab_send(&lab, &packet, &answer);
    ck_assert(asker->done && asker->outcome == DNS_FOUND);
    lab_close(&lab);
}
END_TEST

/* One who has waited for a TCP connection, and finds that there is none just now. */
START_TEST(turn_that_comes_to_nothing)
{
    const struct network_settings settings = {.max_tcp = 1};
    struct lab lab;
    struct lab_packet packet;
    struct lab_answer answer;
    lab_open(&lab, 1);
    int listener = lab_listen(&lab, 0);
    lab_start(&lab, &settings);
    for (unsigned i = 0; i < 2; i++) {
        (void)lab_ask(&lab, i == 0 ? "a.example" : "b.example", RR_A, 8000);
        lab_expect(&lab, 0, i == 0 ? "a.example" : "b.example", RR_A, &packet);
        lab_begin(&answer, &packet, LAB_NOERROR);
        answer.bytes[2] |= LAB_TC;
        lab_send(&lab, &packet, &answer);
    }
    ck_assert_int_eq(lab_metric(&lab, "iprevd_dns_tcp_waits_total"), 1);
    ck_assert_uint_eq(lab_logged(&lab, "all 1 TCP connections"), 1);
    refusals = 1;
    refusal = ENETUNREACH;
    lab.source->ops->cancel(lab.source, lab.askers[0].handle);
    lab_settle(&lab);
    ck_assert(lab.askers[0].done && refusals == 0);
    ck_assert_msg(!lab.askers[1].done, "it is asked again");
    lab_pass(&lab, 200);
    ck_assert(!lab.askers[1].done);
    (void)close(listener);
    lab_close(&lab);
}
END_TEST

/* --- silence -------------------------------------------------------------------------------- */

enum { NS = 2 };

/* Take what the server was asked about this name; false: it was not. */
static bool take_about(struct lab *lab, unsigned server, const char *name, struct lab_packet *out)
{
    while (lab_take(lab, server, out))
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

/* A zone that is silent is not the server's fault: what it has of its own decides. */
START_TEST(silent_zone_or_server)
{
    struct lab lab;
    struct lab_packet packet;
    struct network_server_health health[1];
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    (void)lab_ask(&lab, "a.example", RR_A, 8000);
    bool asked = false;
    for (unsigned i = 0; i < 80 && !asked; i++) {
        lab_pass(&lab, 100);
        asked = take_about(&lab, 0, "", &packet);
    }
    ck_assert_msg(asked, "it is asked for the root's name servers");
    ck_assert_uint_eq(packet.type, NS);
    ck_assert_uint_eq(lab_logged(&lab, "does not answer"), 0);
    if (_i == 0)
        lab_reply(&lab, &packet, LAB_REFUSED);
    if (_i == 1)
        lab_reply(&lab, &packet, LAB_NOERROR);
    lab_pass(&lab, SERVER_LIFE_MS);
    ck_assert_uint_eq(network_health(lab.source, health, 1), 1);
    ck_assert(health[0].up == (_i < 2));
    ck_assert_uint_eq(lab_logged(&lab, "does not answer"), _i < 2 ? 0 : 1);
    lab_close(&lab);
}
END_TEST

/* The RD bit: a zone's own servers are not to ask others. */
START_TEST(recursion_is_asked_for)
{
    const struct network_settings settings = {.authoritative = _i == 1};
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 1);
    lab_start(&lab, &settings);
    (void)lab_ask(&lab, "a.example", RR_A, 8000);
    lab_expect(&lab, 0, "a.example", RR_A, &packet);
    ck_assert_uint_eq(packet.bytes[2] & 1, _i == 0);
    lab_close(&lab);
}
END_TEST

static void answer_a(struct lab *lab, const struct lab_packet *packet, bool opt)
{
    struct lab_answer answer;
    lab_begin(&answer, packet, LAB_NOERROR);
    lab_record(&answer, 1, packet->name, RR_A, 60, "\300\0\2\1", 4);
    if (opt)
        lab_record(&answer, 3, "", 41, 0, "", 0);
    lab_send(lab, packet, &answer);
}

static int64_t found(const struct lab *lab, enum finding what)
{
    return metric_value(metrics_find(lab->metrics, FINDINGS_METRIC), what, 0);
}

/* A server that drops questions with EDNS0 is asked without, and that is remembered. */
START_TEST(edns_is_dropped)
{
    struct lab lab;
    struct lab_packet packet;
    unsigned with = 0;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
    while (!asker->done) {
        lab_pass(&lab, 50);
        while (lab_take(&lab, 0, &packet))
            if (packet.edns)
                with++;
            else
                answer_a(&lab, &packet, false);
        ck_assert_uint_lt(with, 3);
    }
    ck_assert_int_eq(asker->outcome, DNS_FOUND);
    ck_assert_uint_eq(lab_logged(&lab, "answers questions with EDNS0 by silence"), 1);
    ck_assert_int_eq(found(&lab, FINDING_NO_EDNS), 1);
    asker = lab_ask(&lab, "b.example", RR_A, 8000);
    lab_expect(&lab, 0, "b.example", RR_A, &packet);
    ck_assert(!packet.edns);
    answer_a(&lab, &packet, false);
    lab_pass(&lab, SERVER_PLAIN_MS);
    asker = lab_ask(&lab, "c.example", RR_A, 8000);
    lab_expect(&lab, 0, "c.example", RR_A, &packet);
    ck_assert(packet.edns);
    lab_close(&lab);
}
END_TEST

/* Nor is a slow answer to a question with EDNS0, or a loss, taken for that. */
START_TEST(edns_is_not_dropped)
{
    struct lab lab;
    struct lab_packet packet, first;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    if (_i == 1) { /* it is known to answer */
        (void)lab_ask(&lab, "known.example", RR_A, 8000);
        lab_expect(&lab, 0, "known.example", RR_A, &packet);
        answer_a(&lab, &packet, true);
    }
    struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
    lab_expect(&lab, 0, "a.example", RR_A, &first);
    lab_pass(&lab, 5000);
    while (lab_take(&lab, 0, &packet))
        ck_assert(_i == 0 || packet.edns || strcmp(packet.name, "") == 0);
    answer_a(&lab, &first, true);
    ck_assert(asker->done && asker->outcome == DNS_FOUND);
    (void)lab_ask(&lab, "b.example", RR_A, 8000);
    lab_expect(&lab, 0, "b.example", RR_A, &packet);
    ck_assert(packet.edns);
    ck_assert_uint_eq(lab_logged(&lab, "EDNS0"), 0);
    lab_close(&lab);
}
END_TEST

/* Packets that answer nothing are dropped, and said once an hour. */
START_TEST(guessing_is_logged)
{
    struct lab lab;
    struct lab_packet packet, forged;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    for (unsigned hour = 0; hour < 2; hour++)
        for (unsigned round = 0; round < 3; round++) {
            struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
            ck_assert(take_about(&lab, 0, "a.example", &packet));
            forged = packet;
            forged.bytes[0] ^= 1;
            for (unsigned i = 0; i < 60; i++)
                answer_a(&lab, &forged, false);
            ck_assert(!asker->done);
            answer_a(&lab, &packet, true);
            ck_assert(asker->done && asker->outcome == DNS_FOUND);
            lab.asked = 0;
            lab.askers[0] = (struct lab_asker){0};
            lab_pass(&lab, round == 2 ? 3600000 : 1000);
        }
    ck_assert_uint_eq(lab_logged(&lab, "somebody guesses"), 2);
    ck_assert_int_eq(found(&lab, FINDING_GUESSING), 2);
    lab_close(&lab);
}
END_TEST

/* --- letters -------------------------------------------------------------------------------- */

static bool has_upper(const struct lab_packet *packet)
{
    for (const char *at = packet->name; *at != '\0'; at++)
        if (*at >= 'A' && *at <= 'Z')
            return true;
    return false;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz.example"

/* Of questions to another machine the letters are random; an answer in others is dropped. */
START_TEST(letters_are_random)
{
    struct lab lab;
    struct lab_packet packet, second;
    struct network_settings settings = {.server_count = 1};
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    led_to = lab.ports[0];
    settings.servers[0] = (struct network_server){
        .addr = {.family = IP_V4, .bytes = {192, 0, 2, 53}}, .port = lab.ports[0]};
    ck_assert_int_eq(network_set(lab.source, &settings), RESULT_OK);
    lab_settle(&lab);
    struct lab_asker *asker = lab_ask(&lab, LETTERS, RR_A, 8000);
    ck_assert(lab_take(&lab, 0, &packet));
    ck_assert(has_upper(&packet));
    if (_i == 0) {
        answer_a(&lab, &packet, true);
        ck_assert(asker->done && asker->outcome == DNS_FOUND);
        lab_close(&lab);
        return;
    }
    for (size_t i = 12; i < packet.end - 4; i++) /* the server changes them, or somebody guesses */
        if (packet.bytes[i] >= 'A' && packet.bytes[i] <= 'Z')
            packet.bytes[i] = (uint8_t)(packet.bytes[i] + 32);
    answer_a(&lab, &packet, true);
    ck_assert(!asker->done);
    lab_expect(&lab, 0, LETTERS, RR_A, &second);
    ck_assert(memcmp(packet.bytes, second.bytes, 2) != 0 ||
              packet.from.sin_port != second.from.sin_port);
    ck_assert_uint_eq(lab_logged(&lab, "changes the letters"), 1);
    answer_a(&lab, &second, true);
    ck_assert(asker->done && asker->outcome == DNS_FOUND);
    (void)lab_ask(&lab, "x." LETTERS, RR_A, 8000); /* remembered */
    lab_expect(&lab, 0, "x." LETTERS, RR_A, &packet);
    lab_close(&lab);
}
END_TEST

/* Nobody sees, or guesses, what is asked on this machine. */
START_TEST(letters_on_this_machine)
{
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    (void)lab_ask(&lab, LETTERS, RR_A, 8000);
    lab_expect(&lab, 0, LETTERS, RR_A, &packet);
    lab_close(&lab);
}
END_TEST

/* --- why a server failed -------------------------------------------------------------------- */

static void servfail(struct lab *lab, const struct lab_packet *packet, unsigned code,
                     const char *text)
{
    uint8_t data[200] = {0, 15};
    size_t length = strlen(text);
    struct lab_answer answer;
    data[3] = (uint8_t)(2 + length);
    data[5] = (uint8_t)code;
    memcpy(data + 6, text, length);
    lab_begin(&answer, packet, LAB_SERVFAIL);
    lab_record(&answer, 3, "", 41, 0, data, 6 + length);
    lab_send(lab, packet, &answer);
}

/* A zone whose signatures are wrong is no fault of the server that says so: no other is asked. */
START_TEST(bogus_zone)
{
    static const struct {
        unsigned code;
        const char *text;
        enum dns_problem problem;
        const char *want;
    } rows[] = {
        {6, "", PROBLEM_BOGUS, "DNSSEC validation failed: DNSSEC Bogus"},
        {7, "of <\"a\nb\\>", PROBLEM_BOGUS, "DNSSEC validation failed: Signature Expired: of <ab>"},
        {9, "x", PROBLEM_BOGUS, "DNSSEC validation failed: DNSKEY Missing: x"},
        {22, "at delegation", PROBLEM_SERVFAIL, "SERVFAIL: No Reachable Authority: at delegation"},
        {99, "", PROBLEM_SERVFAIL, "SERVFAIL: another error"},
    };
    struct lab lab;
    struct lab_packet packet;
    struct network_server_health health[2];
    lab_open(&lab, 2);
    lab_start(&lab, NULL);
    for (unsigned i = 0; i < 6; i++) {
        struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
        ck_assert(take_about(&lab, 0, "a.example", &packet));
        servfail(&lab, &packet, rows[_i].code, rows[_i].text);
        if (take_about(&lab, 1, "a.example", &packet)) {
            ck_assert_int_ne(rows[_i].problem, PROBLEM_BOGUS);
            lab_reply(&lab, &packet, LAB_REFUSED);
        }
        ck_assert(asker->done && asker->outcome == DNS_TEMPERROR);
        ck_assert_int_eq(asker->problem, rows[_i].problem);
        ck_assert_str_eq(asker->text, rows[_i].want);
        ck_assert_uint_eq(network_health(lab.source, health, 2), 2);
        ck_assert(health[0].up);
    }
    lab_close(&lab);
}
END_TEST

/* Of two servers that fail alike, the one that is named is the one that is quoted. */
START_TEST(whose_words)
{
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 2);
    lab_start(&lab, NULL);
    struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
    ck_assert(take_about(&lab, 0, "a.example", &packet));
    servfail(&lab, &packet, 22, "says the first");
    ck_assert(take_about(&lab, 1, "a.example", &packet));
    servfail(&lab, &packet, 22, "says the second");
    ck_assert(asker->done && asker->outcome == DNS_TEMPERROR);
    ck_assert_uint_eq(asker->server, 0);
    ck_assert_str_eq(asker->text, "SERVFAIL: No Reachable Authority: says the first");
    lab_close(&lab);
}
END_TEST

/* --- limits of a server --------------------------------------------------------------------- */

/* SERVFAIL for PTR records of a name whose SOA can be asked for: more than the server takes. */
START_TEST(more_records_than_a_server_takes)
{
    static const char name[] = "1.2.0.192.in-addr.arpa";
    static const struct {
        uint16_t type;
        unsigned rcode;
        bool soa;
        unsigned want;
    } rows[] = {
        {RR_PTR, LAB_NOERROR, true, 1},   {RR_PTR, LAB_NOERROR, false, 0},
        {RR_PTR, LAB_SERVFAIL, false, 0}, {RR_PTR, LAB_NXDOMAIN, true, 0},
        {RR_PTR, LAB_REFUSED, false, 0},  {RR_A, LAB_NOERROR, true, 0},
    };
    struct lab lab;
    struct lab_packet packet;
    struct lab_answer answer;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    for (unsigned round = 0; round < 24; round++) { /* ten looks a minute, one line an hour */
        struct lab_asker *asker = lab_ask(&lab, name, rows[_i].type, 8000);
        lab_expect(&lab, 0, name, rows[_i].type, &packet);
        lab_reply(&lab, &packet, LAB_SERVFAIL);
        ck_assert(asker->done && asker->problem == PROBLEM_SERVFAIL);
        bool looks = rows[_i].type == RR_PTR && round % 12 < 10;
        ck_assert(take_about(&lab, 0, name, &packet) == looks);
        if (looks) {
            ck_assert_uint_eq(packet.type, RR_SOA);
            lab_begin(&answer, &packet, rows[_i].rcode);
            if (rows[_i].soa)
                lab_soa(&answer, 2, "2.0.192.in-addr.arpa");
            lab_send(&lab, &packet, &answer);
        }
        lab.asked = 0;
        lab.askers[0] = (struct lab_asker){0};
        lab_pass(&lab, 5000);
    }
    ck_assert_uint_eq(lab_logged(&lab, "max-rrset-size"), rows[_i].want);
    ck_assert_int_eq(found(&lab, FINDING_RECORD_LIMIT), 20 * rows[_i].want);
    lab_close(&lab);
}
END_TEST

/* The source ends while it looks. */
START_TEST(look_that_is_cut_off)
{
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    (void)lab_ask(&lab, "1.2.0.192.in-addr.arpa", RR_PTR, 8000);
    lab_expect(&lab, 0, "1.2.0.192.in-addr.arpa", RR_PTR, &packet);
    lab_reply(&lab, &packet, LAB_SERVFAIL);
    lab_expect(&lab, 0, "1.2.0.192.in-addr.arpa", RR_SOA, &packet);
    lab_close(&lab);
}
END_TEST

/* --- sockets -------------------------------------------------------------------------------- */

/* What comes after the answer is for nobody: it neither ends nor keeps busy who has the socket
 * next. */
START_TEST(an_answer_that_comes_twice)
{
    struct lab lab;
    struct lab_packet packet;
    lab_open(&lab, 1);
    lab_start(&lab, NULL);
    for (unsigned round = 0; round < 3; round++) {
        struct lab_asker *asker =
            lab_ask(&lab, round % 2 == 0 ? "a.example" : "b.example", RR_A, 8000);
        lab_expect(&lab, 0, round % 2 == 0 ? "a.example" : "b.example", RR_A, &packet);
        for (int i = 0; i <= _i; i++) {
            struct lab_answer answer;
            lab_begin(&answer, &packet, LAB_NOERROR);
            lab_record(&answer, 1, packet.name, RR_A, 60, "\300\0\2\1", 4);
            ck_assert_int_eq(sendto(lab.servers[0], answer.bytes, answer.length, 0,
                                    (struct sockaddr *)&packet.from, sizeof packet.from),
                             (ssize_t)answer.length);
        }
        lab_settle(&lab); /* ends when nothing is left to do */
        ck_assert(asker->done && asker->outcome == DNS_FOUND);
    }
    ck_assert_int_eq(lab_metric(&lab, "iprevd_dns_mismatched_total"), 0);
    lab_close(&lab);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");
    tcase_add_test(tcase, an_soa_from_below_is_not_remembered);
    tcase_add_test(tcase, a_proof_that_does_not_come);
    tcase_add_loop_test(tcase, plain_question_that_cannot_be_sent, 0, 2);
    tcase_add_test(tcase, turn_that_comes_to_nothing);
    tcase_add_loop_test(tcase, silent_zone_or_server, 0, 3);
    tcase_add_loop_test(tcase, recursion_is_asked_for, 0, 2);
    tcase_add_test(tcase, edns_is_dropped);
    tcase_add_loop_test(tcase, edns_is_not_dropped, 0, 2);
    tcase_add_test(tcase, guessing_is_logged);
    tcase_add_loop_test(tcase, letters_are_random, 0, 2);
    tcase_add_test(tcase, letters_on_this_machine);
    tcase_add_loop_test(tcase, bogus_zone, 0, 5);
    tcase_add_test(tcase, whose_words);
    tcase_add_loop_test(tcase, more_records_than_a_server_takes, 0, 6);
    tcase_add_test(tcase, look_that_is_cut_off);
    tcase_add_loop_test(tcase, an_answer_that_comes_twice, 0, 3);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
