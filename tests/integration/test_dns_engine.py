#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network source against a server that does everything wrong: a table of misbehaviour and result, then faults
that come and go while questions are asked."""

import contextlib
import os
import select
import socket
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from dnsask import Dnsask  # noqa: E402
from hostile_dns import HostileDNS, reverse  # noqa: E402

PATIENCE_S = 60  # only ends a test that has failed already
QUICK = ("-t", "200")  # first retransmission after 200 ms: fewer seconds for the tests that need it


def found(*records, **more):
    return {"outcome": "FOUND", "records": list(records), **more}


def failed(problem):
    return {"outcome": "TEMPERROR", "problem": problem, "records": []}


ONE = found("192.0.2.1")
NODATA = {"outcome": "NODATA", "records": []}
NXDOMAIN = {"outcome": "NXDOMAIN", "records": []}

# label (and behaviour of hostile_dns.py) -> what comes of it, and what was counted or how often it was asked
BY_BEHAVIOUR = [
    ("good", ONE),
    ("wrong-id-first", ONE),
    ("wrong-question-first", ONE),
    ("wrong-type-first", ONE),
    ("wrong-class-first", ONE),
    ("wrong-port-first", ONE),
    ("wrong-opcode-first", ONE),
    ("query-first", ONE),
    ("no-question-first", ONE),
    ("two-questions-first", ONE),
    ("garbage-first", ONE),
    ("empty-first", ONE),
    ("short-first", ONE),
    ("oversized-first", ONE),
    ("flood-first", ONE),
    ("broken", failed("malformed answers")),
    ("bad-rdata", failed("malformed answers")),
    ("hostile-counts", failed("malformed answers")),
    ("servfail", failed("SERVFAIL")),
    ("refused", failed("REFUSED")),
    ("notimp", failed("error code")),
    ("notauth", failed("error code")),
    ("formerr-on-edns", ONE),
    ("bare-formerr-on-edns", ONE),
    ("badvers-on-edns", ONE),
    ("truncate", ONE),
    ("truncate-always", failed("malformed answers")),
    ("tcp-close", failed("malformed answers")),
    ("tcp-half", failed("malformed answers")),
    ("tcp-one-byte", failed("malformed answers")),
    ("tcp-empty-first", ONE),
    ("tcp-wrong-id-first", ONE),
    ("tcp-pieces", ONE),
    ("tcp-big", ONE),
    ("mixed-case", ONE),
    ("reordered", ONE),
    ("duplicates", ONE),
    ("unrelated", ONE),
]

# The same over any transport: strays must never end the wait.
STRAYS = [label for label, _ in BY_BEHAVIOUR if label.endswith("-first") and "tcp" not in label and
          label != "flood-first"]

A = "www.case.test"


def chain(*names, ttl=60):
    return [(one, ttl, "CNAME", [two]) for one, two in zip(names, names[1:])]


# label, name, type, rule, what is expected
BY_RULE = [
    ("nxdomain: SOA MINIMUM is the lesser", A, "A", {"rcode": "NXDOMAIN"}, {**NXDOMAIN, "ttl": 120}),
    ("nodata: SOA MINIMUM is the lesser", A, "A", {}, {**NODATA, "ttl": 120}),
    ("nxdomain without SOA: it is asked for", A, "A", {"rcode": "NXDOMAIN", "soa": False},
     {**NXDOMAIN, "ttl": 120}),
    ("nodata without SOA: it is asked for", A, "A", {"soa": False}, {**NODATA, "ttl": 120}),
    ("SOA of another zone proves nothing", A, "A", {"soa": "other.test."},
     failed("denied with another zone's SOA")),
    ("SOA TTL is the lesser", A, "A",
     {"authority": [("case.test", 30, "SOA", ["ns.a. h.a. 1 2 3 4 900"])]}, {**NODATA, "ttl": 30}),
    ("referral is not nodata", A, "A", {"ra": False, "authority": [("case.test", 60, "NS", ["ns.a"])]},
     failed("REFUSED")),
    ("referral with RA is not nodata", A, "A",
     {"authority": [("case.test", 60, "NS", ["ns.a"])]}, failed("REFUSED")),
    ("empty answer of a lame server", A, "A", {"ra": False, "soa": False}, failed("REFUSED")),
    ("nxdomain of a lame server", A, "A", {"ra": False, "soa": False, "rcode": "NXDOMAIN"},
     failed("REFUSED")),
    ("authoritative nodata without SOA", A, "A", {"ra": False, "aa": True, "soa": False}, NODATA),
    ("records with NXDOMAIN contradict", A, "A", {"records": ["192.0.2.1"], "rcode": "NXDOMAIN"},
     failed("malformed answers")),
    ("ttl 0", A, "A", {"records": ["192.0.2.1"], "ttl": 0}, found("192.0.2.1", ttl=0)),
    ("ttl 1", A, "A", {"records": ["192.0.2.1"], "ttl": 1}, found("192.0.2.1", ttl=1)),
    ("ttl 2^31-1", A, "A", {"records": ["192.0.2.1"], "ttl": 2**31 - 1},
     found("192.0.2.1", ttl=2**31 - 1)),
    ("ttl 2^31 is 0", A, "A", {"records": ["192.0.2.1"], "ttl": 2**31}, found("192.0.2.1", ttl=0)),
    ("ttl 2^32-1 is 0", A, "A", {"records": ["192.0.2.1"], "ttl": 2**32 - 1},
     found("192.0.2.1", ttl=0)),
    ("addresses are sorted", A, "A", {"records": ["192.0.2.9", "192.0.2.10", "9.0.0.1"]},
     found("9.0.0.1", "192.0.2.9", "192.0.2.10")),
    ("IPv6", A, "AAAA", {"records": ["2001:db8::2", "2001:db8::1"]},
     found("2001:db8::1", "2001:db8::2")),
    ("mapped address in AAAA is IPv4", A, "AAAA", {"records": ["::ffff:192.0.2.1"]},
     found("192.0.2.1")),
    ("mx, and the null one", A, "MX", {"records": ["20 b.test", "10 a.test", "0 ."]},
     found(".", "a.test", "b.test")),
    ("names are lower case", reverse("192.0.2.1"), "PTR",
     {"records": ["MAIL.Example.ORG", "mail.example.org"]}, found("mail.example.org")),
    ("root and localhost as PTR", reverse("192.0.2.1"), "PTR", {"records": [".", "localhost"]},
     found(".", "localhost")),
    ("a name with a space and a dot in a label", reverse("192.0.2.1"), "PTR",
     {"records": ["a\\ b\\.c.example."]}, found("a\\032b\\.c.example")),
    ("AD of a loopback server", A, "A", {"records": ["192.0.2.1"], "ad": True},
     found("192.0.2.1", secure=True)),
    ("no AD", A, "A", {"records": ["192.0.2.1"]}, found("192.0.2.1", secure=False)),
    ("AD of nxdomain", A, "A", {"rcode": "NXDOMAIN", "ad": True}, {**NXDOMAIN, "secure": True}),
    ("chain of CNAMEs", A, "A",
     {"answer": chain(A, "b.test", "c.test") + [("c.test", 300, "A", ["192.0.2.1"])]},
     found("192.0.2.1", hops=2, ttl=60)),
    ("chain in the wrong order", A, "A",
     {"answer": [("c.test", 300, "A", ["192.0.2.1"])] + chain(A, "b.test", "c.test")[::-1]},
     found("192.0.2.1", hops=2, ttl=60)),
    ("CNAME of a DNAME", A, "A",
     {"answer": [("case.test", 70, "DNAME", ["b.test"]), (A, 0, "CNAME", ["www.b.test"]),
                 ("www.b.test", 300, "A", ["192.0.2.1"])]},
     found("192.0.2.1", hops=1, ttl=0)),
    ("RFC 2317 chain, only the CNAME", reverse("192.0.2.1"), "PTR",
     {"answer": chain(reverse("192.0.2.1"), "1.0-31.2.0.192.in-addr.arpa"), "soa": False},
     {**NODATA, "chained": True, "target": "1.0-31.2.0.192.in-addr.arpa", "hops": 1}),
    ("chain that ends in nodata", A, "A",
     {"answer": chain(A, "b.test"), "authority": [("b.test", 40, "SOA", ["n.a. h.a. 1 2 3 4 50"])]},
     {**NODATA, "chained": False, "hops": 1, "ttl": 40}),
    ("chain that ends in nxdomain", A, "A",
     {"answer": chain(A, "b.test", ttl=20), "rcode": "NXDOMAIN",
      "authority": [("b.test", 40, "SOA", ["n.a. h.a. 1 2 3 4 50"])]},
     {**NXDOMAIN, "hops": 1, "ttl": 20}),
    ("CNAME to itself", A, "A", {"answer": chain(A, A)}, failed("CNAME loop")),
    ("CNAMEs in a circle", A, "A", {"answer": chain(A, "b.test", "c.test", A)},
     failed("CNAME loop")),
    ("circle that begins later", A, "A", {"answer": chain(A, "b.test", "c.test", "b.test")},
     failed("CNAME loop")),
    ("16 hops", A, "A",
     {"answer": chain(A, *[f"n{i}.test" for i in range(16)]) + [("n15.test", 9, "A", ["192.0.2.1"])]},
     found("192.0.2.1", hops=16)),
    ("17 hops", A, "A",
     {"answer": chain(A, *[f"n{i}.test" for i in range(17)]) + [("n16.test", 9, "A", ["192.0.2.1"])]},
     failed("CNAME loop")),
    ("100 CNAMEs that belong to nobody", A, "A",
     {"answer": [(f"x{i}.test", 9, "CNAME", ["y.test"]) for i in range(100)]}, failed("CNAME loop")),
    ("answer of another name only", A, "A", {"answer": [("evil.test", 9, "A", ["203.0.113.66"])],
                                            "soa": False}, {**NODATA, "ttl": 120}),
    ("12 PTR names", reverse("192.0.2.1"), "PTR", {"records": [f"n{i:02}.test" for i in range(12)][::-1]},
     found(*[f"n{i:02}.test" for i in range(12)], dropped=0)),
    ("300 PTR names, by TCP", reverse("192.0.2.1"), "PTR",
     {"records": [f"n{i:03}.test" for i in range(300)][::-1]},
     found(*[f"n{i:03}.test" for i in range(300)], dropped=0)),
    ("600 addresses: 512 are kept", A, "A",
     {"records": [f"192.0.{2 + i // 200}.{i % 200}" for i in range(600)]}, {"dropped": 88}),
]


def check(answer, want):
    assert {key: answer[key] for key in want} == want, answer


def wait_until(what, condition):
    end = time.monotonic() + PATIENCE_S
    while not (result := condition()):
        assert time.monotonic() < end, f"gave up waiting: {what}"
    return result


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def server(request):
    with HostileDNS(request.param) as running:
        yield running


@pytest.mark.parametrize("label,want", BY_BEHAVIOUR, ids=[row[0] for row in BY_BEHAVIOUR])
def test_behaviour(server, label, want):
    with Dnsask(server) as asker:
        check(asker.ask(f"{label}.hostile.test"), want)


@pytest.mark.parametrize("label,name,rdtype,rule,want", BY_RULE, ids=[row[0] for row in BY_RULE])
def test_rule(server, label, name, rdtype, rule, want):
    server.on(name, rdtype, **rule)
    with Dnsask(server) as asker:
        check(asker.ask(name, rdtype), want)


REVERSE = reverse("192.0.2.7")
ZONE = {"records": ["ns.example. h.example. 1 3600 600 86400 90"]}  # an SOA record, as the answer
BARE = {"rcode": "NXDOMAIN", "soa": False}
EMPTY = {"rcode": "NOERROR", "soa": False}
UNPROVED = failed("denied without SOA")
OTHER = failed("denied with another zone's SOA")

# label, the question, what the server says by (name, type) and else, what comes of it
DENIALS = [
    ("everything is denied without SOA", (REVERSE, "PTR"), {}, BARE, UNPROVED),
    ("everything is empty without SOA", (REVERSE, "PTR"), {}, EMPTY, UNPROVED),
    ("everything is denied by the root", (REVERSE, "PTR"), {}, {"rcode": "NXDOMAIN", "authority": [(".", 60, "SOA", ["a. b. 1 2 3 4 5"])]}, OTHER),
    ("everything is denied by a strange zone", (REVERSE, "PTR"), {},
     {"rcode": "NXDOMAIN", "soa": "evil.example."}, OTHER),
    ("an address record for everything", (REVERSE, "PTR"), {("mail.example.org", "A"): {"records": ["192.0.2.1"]}}, EMPTY,
     UNPROVED),
    ("the SOA is stripped, the zone is the /24", (REVERSE, "PTR"),
     {("2.0.192.in-addr.arpa", "SOA"): ZONE}, BARE, {**NXDOMAIN, "ttl": 90}),
    ("the SOA is stripped, the zone is the /8", (REVERSE, "PTR"),
     {("192.in-addr.arpa", "SOA"): ZONE}, BARE, {**NXDOMAIN, "ttl": 90}),
    ("the SOA is stripped, IPv6", (reverse("2001:db8::7"), "PTR"),
     {("8.b.d.0.1.0.0.2.ip6.arpa", "SOA"): ZONE}, BARE, {**NXDOMAIN, "ttl": 90}),
    ("the SOA is stripped, a host", ("no.mail.example.org", "A"), {("org", "SOA"): ZONE}, BARE,
     {**NXDOMAIN, "ttl": 90}),
    ("the SOA is stripped, below no top-level domain", ("mail.acme.local", "A"), {(".", "SOA"): ZONE},
     BARE, {**NXDOMAIN, "ttl": 90}),
    ("the root alone answers", (REVERSE, "PTR"), {(".", "SOA"): ZONE}, BARE, UNPROVED),
    ("stripped NODATA, the zone is the /24", (REVERSE, "PTR"),
     {("2.0.192.in-addr.arpa", "SOA"): ZONE}, EMPTY, {**NODATA, "ttl": 90}),
    # What lies in between may be a zone that cannot be reached.
    ("stripped NODATA, the zone is the /16", (REVERSE, "PTR"), {("0.192.in-addr.arpa", "SOA"): ZONE},
     EMPTY, UNPROVED),
    ("a zone that refers to itself, at a server that strips nothing", (REVERSE, "PTR"),
     {("192.in-addr.arpa", "SOA"): ZONE, ("2.0.192.in-addr.arpa", "SOA"): ZONE,
      ("in-addr.arpa", "A"): {"soa": "in-addr.arpa."}}, EMPTY, UNPROVED),
    ("the SOA of the same name comes", (REVERSE, "PTR"),
     {(REVERSE, "SOA"): {"rcode": "NXDOMAIN", "soa": "2.0.192.in-addr.arpa."}}, BARE,
     {**NXDOMAIN, "ttl": 120}),
    ("asked for the SOA it fails", (REVERSE, "PTR"), {(REVERSE, "SOA"): {"rcode": "SERVFAIL"}}, BARE,
     UNPROVED),
]


@pytest.mark.parametrize("label,question,rules,default,want", DENIALS, ids=[row[0] for row in DENIALS])
def test_denial(label, question, rules, default, want):
    with HostileDNS() as server:
        for (name, rdtype), rule in {question: default, (question[0], "SOA"): default,
                                       **rules}.items():
            server.on(name.rstrip("."), rdtype, **rule)
        for name, value in default.items():
            setattr(server.default, name, value)
        with Dnsask(server) as asker:
            check(asker.ask(*question), want)
            unproved = want["outcome"] == "TEMPERROR"
            assert asker.metrics()["iprevd_dns_unproved_denials_total"] == unproved
            asker.ask(reverse("192.0.2.8"), "PTR")
        assert asker.errors.count("without an SOA record that proves it") <= 1  # an hour


def test_what_a_server_strips_is_remembered():
    """The second client of a network costs one question more, not four."""
    with HostileDNS() as server:
        server.default.rcode, server.default.soa = "NXDOMAIN", False
        server.on("192.in-addr.arpa", "SOA", **ZONE)
        with Dnsask(server) as asker:
            check(asker.ask(REVERSE, "PTR"), NXDOMAIN)
            before = len(server.log)
            check(asker.ask(reverse("192.0.2.8"), "PTR"), NXDOMAIN)
            assert {entry[1:] for entry in server.log[before:]} == {(reverse("192.0.2.8"), "PTR")}
        assert asker.errors.count("strips the SOA records") == 1


def test_the_next_server_is_asked_when_one_denies_without_proof():
    with HostileDNS() as first, HostileDNS() as second:
        first.default.rcode, first.default.soa = "NXDOMAIN", False
        second.on("both.test", "A", ["192.0.2.1"])
        with Dnsask(first, second) as asker:
            check(asker.ask("both.test"), {**ONE, "server": second.addr})


def test_silence_about_the_soa_ends_at_the_deadline():
    with HostileDNS() as server:
        server.on(REVERSE, "PTR", rcode="NXDOMAIN", soa=False)
        server.on(REVERSE, "SOA", behaviour="silence")
        with Dnsask(server, options=QUICK) as asker:
            answer = asker.ask(REVERSE, "PTR", deadline_ms=700)
            assert answer["outcome"] == "TEMPERROR"
            asker.command(f"ask {REVERSE} PTR 60000")
            wait_until("the SOA is asked for", lambda: server.asked(REVERSE) >= 4)
            asker.command("cancel")
            check(asker.line(), failed("cancelled"))


def test_all_at_the_same_time(server):
    """The table again, every question under way at once: no answer reaches another question."""
    with Dnsask(server) as asker:
        answers = asker.ask_all([(f"{label}.hostile.test", "A") for label, _ in BY_BEHAVIOUR])
    for answer, (_, want) in zip(answers, BY_BEHAVIOUR):
        check(answer, want)


@pytest.mark.parametrize("label", STRAYS)
def test_strays_are_counted(server, label):
    with Dnsask(server) as asker:
        check(asker.ask(f"{label}.hostile.test"), ONE)
        mismatched = asker.health()[server.addr]["mismatched"]
        assert mismatched == asker.metrics()["iprevd_dns_mismatched_total"]
    # What another port sends, the kernel itself keeps from a connected socket.
    assert mismatched == (0 if label == "wrong-port-first" else 1)


@pytest.mark.parametrize("label", ["silence", "tcp-half-then-silence", "tcp-drip"])
def test_silence_ends_at_the_deadline(server, label):
    with Dnsask(server, options=QUICK) as asker:
        answer = asker.ask(f"{label}.hostile.test", deadline_ms=700)
    assert answer["outcome"] == "TEMPERROR" and answer["problem"] in ("timeout", "deadline")


def test_deadline_in_the_past(server):
    with Dnsask(server) as asker:
        check(asker.ask("good.hostile.test", deadline_ms=0), failed("deadline"))


def test_lost_packets(server):
    server.on("lost.test", "A", ["192.0.2.1"], drop=1)
    with Dnsask(server, options=QUICK) as asker:
        check(asker.ask("lost.test"), ONE)
        # Which of the two was answered cannot be known: no time was measured (Karn's rule).
        assert asker.health()[server.addr]["rtt_ms"] == 0
    assert server.asked("lost.test") == 2


def test_packets_go_out_until_the_deadline(server):
    """An outage on the way costs no more than it lasts: what is lost is sent again, with longer pauses."""
    server.on("long.test", "A", ["192.0.2.1"], drop=4)
    with Dnsask(server, options=("-t", "50")) as asker:
        check(asker.ask("long.test"), ONE)
    assert server.asked("long.test") == 5


def test_attempts_that_are_set_are_a_limit(server):
    server.on("few.test", "A", ["192.0.2.1"], drop=4)
    with Dnsask(server, options=("-t", "50", "-a", "2")) as asker:
        check(asker.ask("few.test", deadline_ms=1000), failed("timeout"))
    assert server.asked("few.test") == 2


def test_slow_answers_count_until_the_deadline(server):
    server.on("very-slow.test", "A", ["192.0.2.1"], delay_ms=6500)
    with Dnsask(server, options=("-t", "50", "-a", "2")) as asker:
        check(asker.ask("very-slow.test", deadline_ms=20000), ONE)


@pytest.mark.parametrize("servers", [1, 2])
def test_a_server_that_restarts_is_asked_again(servers):
    """Refused by all: the question waits for them, and goes out from another port."""
    with contextlib.ExitStack() as stack:
        all_of_them = [stack.enter_context(HostileDNS()) for _ in range(servers)]
        for server in all_of_them:
            server.on(A, "A", ["192.0.2.1"])
            server.stop()
        with Dnsask(*all_of_them) as asker:
            asker.command(f"ask {A} A 60000")
            wait_until("it is refused twice", lambda: all(
                asker.health()[server.addr]["failures"] >= 2 for server in all_of_them))
            all_of_them[-1].start()
            check(asker.line(), ONE)


def test_tcp_that_is_broken_off_is_tried_again():
    with HostileDNS(tcp=False) as server:
        server.on(A, "A", ["192.0.2.1"], behaviour="truncate")
        with Dnsask(server) as asker:
            asker.command(f"ask {A} A 60000")
            wait_until("it is asked over UDP", lambda: server.asked(A))
            server.stop()
            # What it answers is said before it listens: the question may come at once.
            with HostileDNS(port=server.port).on(A, "A", ["192.0.2.1"], behaviour="truncate"):
                check(asker.line(), ONE)


def test_a_new_asker_is_worth_a_new_packet(server):
    server.on("joined.test", "A", ["192.0.2.1"], drop=1)
    with Dnsask(server, options=("-t", "20000")) as asker:
        asker.command("ask joined.test A 60000")
        wait_until("it is asked", lambda: server.asked("joined.test") == 1)

        def asked_again():
            asker.command("nudge")
            return server.asked("joined.test") == 2
        wait_until("it is asked again", asked_again)
        check(asker.line(), ONE)


def test_a_burst_that_is_lost_comes_back(server):
    names = [f"n{i}.burst.test" for i in range(300)]
    for name in names:
        server.on(name, "A", ["192.0.2.1"], drop=1)
    with Dnsask(server, options=QUICK) as asker:
        for answer in asker.ask_all([(name, "A") for name in names]):
            check(answer, ONE)


def test_slow_answer_to_the_first_try_counts(server):
    """A resolver that starts from nothing needs longer than the second try comes."""
    server.on("slow.test", "A", ["192.0.2.1"], delay_ms=900)
    with Dnsask(server, options=("-t", "100")) as asker:
        check(asker.ask("slow.test"), ONE)


def test_cancel(server):
    with Dnsask(server) as asker:
        asker.command("ask silence.hostile.test A 60000")
        asker.command("cancel")
        check(asker.line(), failed("cancelled"))
        check(asker.ask("good.hostile.test"), ONE)


def test_edns_refused_once_is_not_tried_again(server):
    with Dnsask(server) as asker:
        check(asker.ask("formerr-on-edns.hostile.test"), ONE)
        before = server.asked()
        check(asker.ask("formerr-on-edns.hostile.test"), ONE)
    assert server.asked() == before + 1


def test_tcp_refused():
    with HostileDNS(tcp=False) as server, Dnsask(server) as asker:
        check(asker.ask("truncate.hostile.test"), failed("no server reachable"))


def test_tcp_refused_by_the_first(server):
    with HostileDNS(tcp=False) as first, Dnsask(first, server) as asker:
        check(asker.ask("truncate.hostile.test"), {**ONE, "server": server.addr})


def test_tcp_connections_are_capped():
    with HostileDNS() as server:
        names = [f"n{i}.cap.test" for i in range(30)]
        for name in names:
            server.on(name, "A", ["192.0.2.1"], behaviour="truncate", delay_ms=10)
        with Dnsask(server, options=("-c", "2")) as asker:
            for answer in asker.ask_all([(name, "A") for name in names]):
                check(answer, ONE)
            assert asker.metrics()["iprevd_dns_tcp_waits_total"] >= 1
        assert server.connections == 30 and server.most_streams <= 2


def test_error_of_one_server_asks_the_next(server):
    for behaviour in ("servfail", "refused", "broken", "notauth"):
        with HostileDNS() as first:
            first.on("both.test", "A", behaviour=behaviour)
            server.on("both.test", "A", ["192.0.2.1"])
            with Dnsask(first, server) as asker:
                check(asker.ask("both.test"), {**ONE, "server": server.addr})


def test_most_informative_problem():
    """Silence of one and an error of the other: the error is reported."""
    with HostileDNS() as one, HostileDNS() as two:
        one.blackhole = True
        two.on("both.test", "A", behaviour="servfail")
        with Dnsask(one, two, options=QUICK) as asker:
            check(asker.ask("both.test", deadline_ms=1500), failed("SERVFAIL"))


def test_a_server_that_fails_alone_goes_last(server):
    with HostileDNS() as first:
        first.default.rcode = "SERVFAIL"
        names = [f"n{i}.alone.test" for i in range(8)]
        for name in names:
            server.on(name, "A", ["192.0.2.1"])
        with Dnsask(first, server) as asker:
            for name in names:
                check(asker.ask(name), ONE)
            assert not asker.health()[first.addr]["up"]
        # a probe is asked too, so that it may come back
        assert sum(first.asked(name) for name in names) < len(names)
        assert "fails where another one answers" in asker.errors


def test_a_broken_zone_blames_no_server(server):
    with HostileDNS() as first:
        names = [f"n{i}.broken.test" for i in range(12)]
        for name in names:
            first.on(name, "A", behaviour="servfail")
            server.on(name, "A", behaviour="servfail")
        with Dnsask(first, server) as asker:
            for name in names:
                check(asker.ask(name), failed("SERVFAIL"))
            assert all(entry["up"] for entry in asker.health().values())


def test_server_killed_and_restarted():
    with HostileDNS() as server, Dnsask(server) as asker:
        server.host("192.0.2.1", A)
        check(asker.ask(A), ONE)
        server.stop()
        check(asker.ask(A, deadline_ms=1500), failed("no server reachable"))
        assert not asker.health()[server.addr]["up"]
        server.start()
        check(asker.ask(A), ONE)  # the only server is asked however down it is
        assert asker.health()[server.addr]["up"]
    assert asker.errors.count("cannot be reached") == 1
    assert asker.errors.count("answers again") == 1


def test_first_server_black_holed_and_back(server):
    with HostileDNS() as first, Dnsask(first, server, options=QUICK) as asker:
        names = (f"n{i}.hole.test" for i in range(100000))

        def ask():
            name = next(names)
            first.on(name, "A", ["192.0.2.1"])
            server.on(name, "A", ["192.0.2.1"])
            answer = asker.ask(name)
            check(answer, ONE)
            return answer

        assert ask()["server"] == first.addr
        first.blackhole = True
        wait_until("down", lambda: ask() and not asker.health()[first.addr]["up"])
        assert ask()["server"] == server.addr
        first.blackhole = False
        wait_until("up again", lambda: ask() and asker.health()[first.addr]["up"])
        assert ask()["server"] == first.addr
    assert asker.errors.count("does not answer") == 1
    assert asker.errors.count("answers again") == 1


def test_all_servers_black_holed_and_back():
    with HostileDNS() as one, HostileDNS() as two, Dnsask(one, two, options=QUICK) as asker:
        for server in (one, two):
            server.host("192.0.2.1", A)
            server.blackhole = True
        for answer in asker.ask_all([(A, "A")] * 20, deadline_ms=2500):
            check(answer, failed("timeout"))
        one.blackhole = two.blackhole = False
        for answer in asker.ask_all([(A, "A")] * 20):
            check(answer, ONE)


def test_descriptors_run_out(server):
    """Questions wait for a descriptor; none fails, and no server is blamed."""
    names = [f"n{i}.fd.test" for i in range(60)]
    for name in names:
        server.on(name, "A", ["192.0.2.1"], delay_ms=20)
    with Dnsask(server) as asker:
        asker.command("fds 16")
        for answer in asker.ask_all([(name, "A") for name in names], deadline_ms=60000):
            check(answer, ONE)
        assert asker.health()[server.addr]["up"]


def test_descriptors_run_out_over_tcp(server):
    names = [f"n{i}.fdtcp.test" for i in range(30)]
    for name in names:
        server.on(name, "A", ["192.0.2.1"], behaviour="truncate", delay_ms=20)
    with Dnsask(server) as asker:
        asker.command("fds 14")
        for answer in asker.ask_all([(name, "A") for name in names], deadline_ms=60000):
            check(answer, ONE)


def test_no_descriptor_at_all_is_a_temporary_failure(server):
    with Dnsask(server) as asker:
        asker.command("fds 3")
        check(asker.ask("good.hostile.test", deadline_ms=300), failed("local limit"))
        asker.command("fds 64")
        check(asker.ask("good.hostile.test"), ONE)


def test_every_query_has_its_own_port_and_id():
    """Seen from the server: ports and IDs of 200 questions hardly ever meet."""
    seen = []
    with HostileDNS() as server:
        parse = server.parse

        def record(wire, protocol):
            seen.append(int.from_bytes(wire[:2], "big"))
            return parse(wire, protocol)

        server.parse = record
        with Dnsask(server) as asker:
            for _ in range(4):
                asker.ask_all([("good.hostile.test", "A")] * 50)
    assert len(seen) == 200 and len(set(seen)) > 190
    assert abs(sum(seen) / len(seen) - 32768) < 6600  # five standard deviations
    # The later ones come from sockets that were used before: their ports are as fresh.
    assert len(server.ports) == 200 and len(set(server.ports)) > 190
    assert len({later - earlier for earlier, later in zip(server.ports, server.ports[1:])}) > 150


# ---- resolv.conf: its servers have port 53 ----

def port_53(*hosts):
    servers = []
    try:
        for host in hosts:
            servers.append(HostileDNS(host, port=53).start())
    except OSError as error:
        for server in servers:
            server.stop()
        pytest.skip(f"port 53 of {hosts}: {error}")
    return servers


@pytest.fixture
def two_on_53():
    servers = port_53("127.77.0.1", "127.77.0.2")
    for server in servers:
        server.host("192.0.2.1", A)
    yield servers
    for server in servers:
        if server.udp is not None:
            server.stop()


def write(path, text):
    """Replace it as others do: a new file of that name."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def test_resolv_conf_replaced_while_running(two_on_53, tmp_path):
    one, two = two_on_53
    path = tmp_path / "resolv.conf"
    write(path, f"nameserver {one.ip}\n")
    with Dnsask(options=("-r", str(path))) as asker:
        check(asker.ask(A), {**ONE, "server": one.addr})
        write(path, f"# new\nnameserver {two.ip}\n")
        wait_until("the new server", lambda: asker.ask(A)["server"] == two.addr)
        path.unlink()
        check(asker.ask(A), {**ONE, "server": two.addr})
    assert "was read again: 1 DNS servers" in asker.errors


@pytest.mark.parametrize("how", ["emptied in place", "a pipe"])
def test_resolv_conf_without_servers_keeps_the_last(two_on_53, tmp_path, how):
    """Some programs write it in place: for a moment it has no servers."""
    one, two = two_on_53
    path = tmp_path / "resolv.conf"
    path.write_text(f"nameserver {two.ip}\n")
    with Dnsask(options=("-r", str(path))) as asker:
        check(asker.ask(A), {**ONE, "server": two.addr})
        if how == "a pipe":
            path.unlink()
            os.mkfifo(path)
        else:
            path.write_text("")
        wait_until("it is looked at and logged", lambda: asker.ask(A) and
                   select.select([asker.process.stderr], [], [], 0)[0])
        check(asker.ask(A), {**ONE, "server": two.addr})
        write(path, f"nameserver {one.ip}\n")
        wait_until("the new server", lambda: asker.ask(A)["server"] == one.addr)
    assert asker.errors.count("the DNS servers stay as they are") == 1


def test_resolv_conf_keeps_the_health_of_those_who_stay(two_on_53, tmp_path):
    one, two = two_on_53
    path = tmp_path / "resolv.conf"
    write(path, f"nameserver {one.ip}\n")
    with Dnsask(options=("-r", str(path))) as asker:
        for _ in range(5):
            asker.ask(A)
        write(path, f"nameserver {two.ip}\nnameserver {one.ip}\n")
        wait_until("the new server", lambda: asker.ask(A)["server"] == two.addr)
        assert asker.health()[one.addr]["queries"] >= 5


def test_resolv_conf_use_vc(two_on_53, tmp_path):
    one, _ = two_on_53
    path = tmp_path / "resolv.conf"
    path.write_text(f"nameserver {one.ip}\noptions use-vc\n")
    with Dnsask(options=("-r", str(path))) as asker:
        check(asker.ask(A), ONE)
    assert one.asked(A, "tcp") == 1 and one.asked(A, "udp") == 0


def test_resolv_conf_rotate(two_on_53, tmp_path):
    one, two = two_on_53
    path = tmp_path / "resolv.conf"
    path.write_text(f"nameserver {one.ip}\nnameserver {two.ip}\noptions rotate\n")
    with Dnsask(options=("-r", str(path))) as asker:
        for _ in range(10):
            check(asker.ask(A), ONE)
    assert one.asked(A) == two.asked(A) == 5


def test_resolv_conf_can_only_shorten_the_first_wait(two_on_53, tmp_path):
    """Where it gives the first server longer than anybody waits, the second has its turn all the same."""
    one, two = two_on_53
    one.blackhole = True
    two.on(A, "A", ["192.0.2.1"])
    path = tmp_path / "resolv.conf"
    path.write_text(f"nameserver {one.ip}\nnameserver {two.ip}\noptions timeout:30 attempts:1\n")
    with Dnsask(options=("-r", str(path))) as asker:
        check(asker.ask(A, deadline_ms=6000), {**ONE, "server": two.addr})


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
