/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions on their way through servers that the test plays: what is asked, when, and what comes
 * of it. */
#include "dns/query.h"
#include "dns/servers.h"
#include "dns_lab.h"

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

int __real_connect(int fd, const struct sockaddr *addr, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length);

int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length)
{
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

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");
    tcase_add_test(tcase, an_soa_from_below_is_not_remembered);
    tcase_add_test(tcase, a_proof_that_does_not_come);
    tcase_add_loop_test(tcase, plain_question_that_cannot_be_sent, 0, 2);
    tcase_add_test(tcase, turn_that_comes_to_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
