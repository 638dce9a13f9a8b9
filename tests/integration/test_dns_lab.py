#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network source against the distribution's resolvers, as configured by administrators who mean well: what a client
without a PTR name, one with, and one whose zone is broken get is the same behind all of them."""

import os
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from daemon import Daemon, program, wait_until  # noqa: E402
from dnsask import Dnsask  # noqa: E402
from dnslab import RESOLVER, Lab  # noqa: E402
from hostile_dns import reverse  # noqa: E402
from milterclient import MilterClient  # noqa: E402
from test_dns_greedy import SILENCE  # noqa: E402

UPSTREAM = f"--server={RESOLVER}"
DENIED, FAILED = "DENIED", "FAILED"

# The question, and what comes of it behind every resolver that works.
WORKING = [
    ("a client with a PTR name", reverse("20.1.0.1"), "PTR", "FOUND"),
    ("a client without", reverse("20.1.0.200"), "PTR", DENIED),
    ("a client without in a network without a zone", reverse("20.9.0.1"), "PTR", DENIED),
    ("its name has other records", reverse("20.1.0.5"), "PTR", DENIED),
    ("a CNAME into another zone", reverse("20.1.0.3"), "PTR", "FOUND"),
    ("a CNAME to a name that does not exist", reverse("20.1.0.4"), "PTR", DENIED),
    ("IPv6 without a zone", reverse("2001:db8::7"), "PTR", DENIED),
    ("a private network", reverse("10.0.0.7"), "PTR", DENIED),
    ("a zone whose server refers to itself", reverse("20.20.0.1"), "PTR", FAILED),
    ("a host", "mail.good.com", "A", "FOUND"),
    ("a host without that type", "mail.good.com", "AAAA", DENIED),
    ("no such host", "none.good.com", "A", DENIED),
    ("no such domain", "none.com", "A", DENIED),
    ("below no top-level domain", "mail.acme.local", "A", DENIED),
    ("IPv6", reverse("2a00:1::1"), "PTR", "FOUND"),
    ("an IPv6 host", "six.good.com", "AAAA", "FOUND"),
    ("an alias with a slash (RFC 2317)", reverse("20.1.0.7"), "PTR", "FOUND"),
    ("letters of both cases", reverse("20.1.0.8"), "PTR", "FOUND"),
    ("DNAME", "host.old.good.com", "A", "FOUND"),
    ("a wildcard", "any.wild.good.com", "A", "FOUND"),
    ("an underscore", "_under.good.com", "A", "FOUND"),
    ("a label of 63 bytes", 63 * "l" + ".good.com", "A", "FOUND"),
    ("nine aliases", "alias0.good.com", "A", "FOUND"),
    ("aliases in a circle", "round.good.com", "A", FAILED),
    ("a silent zone", "host.silent.com", "A", FAILED),
    ("a zone whose server is not there", "host.nobody.com", "A", FAILED),
]

RESOLVERS = {
    "unbound": lambda lab: RESOLVER,
    "named": lambda lab: lab.named("named", "127.0.0.12"),
    "kresd": lambda lab: lab.kresd("kresd", "127.0.0.13"),
    "pdns": lambda lab: lab.pdns("pdns", "127.0.0.14"),
    "dnsmasq": lambda lab: lab.dnsmasq("dnsmasq", "127.0.0.15", UPSTREAM),
    "systemd-resolved": lambda lab: lab.resolved("resolved", "127.0.0.18"),
    "dnsmasq --bogus-priv": lambda lab: lab.dnsmasq("bogus-priv", "127.0.0.16", UPSTREAM,
                                                    "--bogus-priv"),
    "a forwarder that strips the authority section":
        lambda lab: lab.stripping_forwarder("stripping", "127.0.0.17"),
}

# A client with 300 PTR names: these take so many records of one type only (100, 256), and say SERVFAIL.
MANY = reverse("20.1.0.6")
LIMITED = {"named", "pdns"}
WITHOUT_TCP = {"a forwarder that strips the authority section"}

# These deny whatever they are asked: nothing that they deny is believed.
DENYING = {
    "dnsmasq --local=/#/": lambda lab: lab.dnsmasq("local", "127.0.0.21", "--local=/#/"),
    "unbound, always_nxdomain":
        lambda lab: lab.unbound("always", "127.0.0.22", '  local-zone: "." always_nxdomain\n'),
    "unbound, static": lambda lab: lab.unbound("static", "127.0.0.23", '  local-zone: "." static\n'),
    "unbound, in-addr.arpa static":
        lambda lab: lab.unbound("reverse", "127.0.0.24", '  local-zone: "in-addr.arpa." static\n'),
    "BIND with a root of its own":
        lambda lab: lab.named("root", "127.0.0.25", 'zone "." { type primary; file "root.zone"; };'),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("not root: the lab is a network namespace of its own")
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        running.ip("-n", running.name, "route", "add", "local", "11.66.0.0/16", "dev", "lo")
        silence = subprocess.Popen([*running.prefix, sys.executable, "-c", SILENCE, "11.66.0.1"],
                                   stdout=subprocess.PIPE)
        running.processes.append(silence)
        assert silence.stdout.readline() == b"ready\n"
        running.unbound("unbound", RESOLVER)
        yield running


def ask_all(lab, address, rows):
    with Dnsask(f"{address}:53", prefix=lab.prefix) as asker:
        answers = asker.ask_all(rows, deadline_ms=8000)
    return answers, asker.errors


def kind(answer):
    return {"NXDOMAIN": DENIED, "NODATA": DENIED, "TEMPERROR": FAILED}.get(answer["outcome"],
                                                                          answer["outcome"])


@pytest.mark.parametrize("resolver", RESOLVERS)
def test_one_verdict_behind_all(lab, resolver):
    answers, errors = ask_all(lab, RESOLVERS[resolver](lab),
                              [(MANY, "PTR")] + [row[1:3] for row in WORKING])
    many = answers.pop(0)
    limited = many["problem"] == "SERVFAIL" and f"SERVFAIL for the PTR records of {MANY}" in errors
    assert limited if resolver in LIMITED else \
        kind(many) == "FOUND" or resolver in WITHOUT_TCP, (many, errors)
    assert limited or "max-rrset-size" not in errors
    got = {row[0]: kind(answer) for row, answer in zip(WORKING, answers)}
    assert got == {row[0]: row[3] for row in WORKING}, (answers, errors)


RESTARTED = {
    "unbound": lambda lab: lab.unbound("again-unbound", "127.0.0.41"),
    "named": lambda lab: lab.named("again-named", "127.0.0.42"),
    "kresd": lambda lab: lab.kresd("again-kresd", "127.0.0.43"),
    "pdns": lambda lab: lab.pdns("again-pdns", "127.0.0.44"),
    "dnsmasq": lambda lab: lab.dnsmasq("again-dnsmasq", "127.0.0.45", UPSTREAM),
}


@pytest.mark.parametrize("resolver", RESTARTED)
def test_a_restart_of_a_second_costs_no_answer(lab, resolver):
    rows = [(reverse(f"20.1.0.{host}"), "PTR") for host in (1, 3, 7, 200)] + [("mail.good.com", "A")]
    with Dnsask(f"{RESTARTED[resolver](lab)}:53", prefix=lab.prefix) as asker:
        assert asker.ask("six.good.com", "AAAA")["outcome"] == "FOUND"
        lab.kill(f"again-{resolver}")
        for name, rdtype in rows:
            asker.command(f"ask {name} {rdtype} 8000")
        up = threading.Timer(1.0, lab.start_again, (f"again-{resolver}",))
        up.start()
        answers = {answer["name"]: kind(answer) for answer in (asker.line() for _ in rows)}
        up.join()
    assert answers == {name: DENIED if name == reverse("20.1.0.200") else "FOUND" for name, _ in rows}


@pytest.mark.parametrize("resolver", DENYING)
def test_nothing_is_believed_where_everything_is_denied(lab, resolver):
    rows = [(reverse(ip), "PTR") for ip in ("20.1.0.1", "20.1.0.200", "20.9.0.1", "21.0.0.7")]
    answers, errors = ask_all(lab, DENYING[resolver](lab), rows)
    for answer in answers:
        assert answer["problem"] in ("denied without SOA", "denied with another zone's SOA"), answers
    assert errors.count("without an SOA record that proves it") == 1  # an hour


def test_an_interface_that_comes_later(lab, tmp_path):
    """resolv.conf names a server on an interface that is not there yet; the file does not change."""
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver fe80::53%late0\n")
    with Dnsask(options=("-r", str(path)), prefix=lab.prefix) as asker:
        assert asker.ask("mail.good.com", "A", 1000)["outcome"] == "TEMPERROR"
        for words in ("link add late0 type veth peer late1", "link set late1 up", "link set late0 up",
                      "addr add fe80::53/64 dev late0 nodad"):
            lab.ip("-n", lab.name, *words.split())
        lab.unbound("late", "127.0.0.51", "  interface: fe80::53%late0\n  do-ip6: yes\n"
                                          "  access-control: fe80::/10 allow\n")
        wait_until("the server is found", lambda: asker.ask("mail.good.com", "A", 1000)["outcome"] == "FOUND")


# A zone whose signatures are wrong, and what validating resolvers say of it (RFC 8914).
WRONG_DS = "good.com. DS 12345 8 2 " + 32 * "ab"
VALIDATING = {
    "unbound": (lambda lab: lab.unbound("bogus-unbound", "127.0.0.31", f"""  ede: yes
  module-config: "validator iterator"
  trust-anchor: "{WRONG_DS}"
"""), "DNSSEC validation failed: "),
    "kresd": (lambda lab: lab.kresd("bogus-kresd", "127.0.0.33",
                                    f"trust_anchors.add('{WRONG_DS}')\n"),
              "SERVFAIL: Other Error: O4TP: couldnt validate RRSIGs"),
    "pdns": (lambda lab: lab.pdns(
        "bogus-pdns", "127.0.0.34",
        "dnssec=validate\nextended-resolution-errors=yes\nlua-config-file=@DIR@/anchors.lua\n",
        {"anchors.lua": f"clearTA()\naddTA('good.com', '{WRONG_DS.split(' DS ')[1]}')\n"}),
             "DNSSEC validation failed: "),
}


@pytest.mark.parametrize("resolver", VALIDATING)
def test_the_servers_words_are_evidence(lab, tmp_path, resolver):
    """In `check` of a client, a host and a domain, in the log, and in what `find` shows of it."""
    start, words = VALIDATING[resolver]
    running = Daemon(tmp_path, f'decision-log = "{tmp_path}/decisions.json"\n',
                     dns=f'dns {{ nameservers = {{"{start(lab)}"}} }}', listen=f"unix:{tmp_path}/milter",
                     prefix=lab.prefix)

    def ctl(*arguments, status):
        done = subprocess.run([*lab.prefix, program("iprevctl"), *arguments, "-c", running.config_path],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout, done.stderr

    with running:
        client = {"client": "20.1.0.1", "helo": "[20.1.0.1]"}
        assert MilterClient(running.spec).session(**client).verdict == "tempfail"
        for arguments in (("check", "20.1.0.1"), ("find", "--client", "20.1.0.1")):
            assert words in ctl(*arguments, status=75 if arguments[0] == "check" else 0)[0]
        for arguments in (("--host", "mail.good.com"), ("--mx", "mail.good.com")):
            out, err = ctl("check", *arguments, status=75)
            assert words in out and words in err
    assert words in running.log


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
