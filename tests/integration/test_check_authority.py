# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl check behind a real Unbound in front of a real NSD: what the zones' own servers say now, what is kept, what
DNSSEC forbids, and an SPF record.  The advice of two set-ups is here word for word; those that need no server are in
tests/advice."""

import json
import os
import re
import subprocess

import pytest

import daemon
from dnslab import AUTHORITY, RESOLVER, Lab

BOGUS_RESOLVER = "127.0.0.12"
# A key that good.com does not have.
ANCHOR = ("  module-config: \"validator iterator\"\n  ede: yes\n"
          f"  trust-anchor: \"good.com. DS 12345 13 2 {'ab' * 32}\"\n")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("not root: the lab is a network namespace of its own")
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        running.unbound("unbound", RESOLVER)
        running.unbound("bogus", BOGUS_RESOLVER, ANCHOR)
        yield running


@pytest.fixture
def check(lab, directory):
    conf = directory / "check.conf"
    conf.write_text(f'dns {{ nameservers = {{"{RESOLVER}"}} }}\ncontrol = "none"\nstate-dir = "none"\n'
                    'own-names = {"mx.own.example"}\nlocal-networks = {}\n')

    def run(*args):
        return subprocess.run([*lab.prefix, daemon.program("iprevctl"), "check", *args, "-c", conf],
                              capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
    return run


def shown(done, *labels):
    """The lines of those labels, with times that are always another taken out."""
    text, on = "", False
    for line in done.stdout.splitlines():
        on = line.startswith(labels) if line[:1] != " " else on
        text += line + "\n" if on else ""
    text = re.sub(r"\d+ h \d+ min, at [\d:]+|(\d+ min )?\d+ s, at\s+[\d:]+", "TIME", text)
    return re.sub(r"ttl \d+, \d+ ms", "TTL", text)


def test_record_that_is_set_and_not_yet_seen(lab, check):
    """A PTR record was set a moment ago; the resolver has kept that there is none."""
    client, ehlo = "20.1.0.21", "mail21.good.com"
    lab.authority_changes("good.com", "mail21 A 20.1.0.21\n")
    before = check(client, "--helo", ehlo, "--authoritative")
    assert before.returncode == 77
    assert "The resolver says the same." in before.stdout and "Nothing is left" not in before.stdout
    lab.authority_changes("0.1.20.in-addr.arpa", "21 PTR mail21.good.com.\n")
    done = check(client, "--helo", ehlo, "--authoritative")
    assert done.returncode == 77 and done.stderr == ""
    got = " ".join(shown(done, "authority ", "verdict ", "reply ", "advice ").split())
    assert got == " ".join("""\
authority  21.0.1.20.in-addr.arpa PTR mail21.good.com  [ns1.infra 11.0.0.1:53, TTL]
           mail21.good.com A 20.1.0.21  [ns1.infra 11.0.0.1:53, TTL]
           The resolver has kept another answer; it expires in TIME.
verdict    reject, score 5.0, policy default
reply      550 5.7.25 [20.1.0.21] has no PTR record (NXDOMAIN); ask your hosting
           or Internet provider to set it: "21.0.1.20.in-addr.arpa. PTR
           mail21.good.com." (ptr-missing)
advice     Nothing is left to do but wait.  The zone's own server, ns1.infra
           11.0.0.1:53, says mail21.good.com already, and that name leads back.
           The resolver that was asked here has kept the older answer; it
           expires in TIME.  Other resolvers may have kept it for as long.
""".split())  # where a line is folded hangs on the time in it
    got = json.loads(check(client, "--helo", ehlo, "--authoritative", "--json").stdout)["authority"]
    assert got["differs"] is True and 0 < got["expires_in"] <= 60
    assert got["ptr"]["data"] == ["mail21.good.com"] and got["ptr"]["zone"] == "0.1.20.in-addr.arpa"
    assert got["addresses"]["data"] == [client] and got["helo"] is None
    # Asked itself, the authority has it.
    assert check(client, "--helo", ehlo, "--server", AUTHORITY).returncode == 0


def test_address_that_is_set_and_not_yet_seen(lab, check):
    lab.authority_changes("0.1.20.in-addr.arpa", "22 PTR late.good.com.\n")
    assert check("20.1.0.22").returncode == 77
    lab.authority_changes("good.com", "late A 20.1.0.22\n")
    done = check("20.1.0.22", "--authoritative")
    assert "Nothing is left to do but wait." in done.stdout and "says 20.1.0.22 already." in done.stdout


def test_all_is_as_it_was(check):
    done = check("20.1.0.1", "--helo", "mail.good.com", "--authoritative")
    assert done.returncode == 0
    assert shown(done, "authority ") == """\
authority  1.0.1.20.in-addr.arpa PTR mail.good.com  [ns1.infra 11.0.0.1:53, TTL]
           mail.good.com A 20.1.0.1  [ns1.infra 11.0.0.1:53, TTL]
           The resolver says the same.
"""
    assert json.loads(check("20.1.0.1", "--json").stdout)["authority"] is None


def test_delegated_reverse_name(check):
    """The record is in the zone where the alias leads (RFC 2317)."""
    got = json.loads(check("20.1.0.3", "--authoritative", "--json").stdout)["authority"]
    assert (got["ptr"]["zone"], got["ptr"]["data"]) == ("good.com", ["mail.good.com"])


def test_zone_whose_servers_cannot_be_asked(check):
    done = check("20.20.0.1", "--authoritative")
    assert done.returncode == 75
    assert "authority  1.0.20.20.in-addr.arpa PTR not asked: its zone cannot be found" in done.stdout


def test_dnssec_bogus(check):
    """The zone of the PTR name does not fit the key that its parent has."""
    done = check("20.1.0.1", "--helo", "mail.good.com", "--server", BOGUS_RESOLVER)
    assert done.returncode == 75
    assert shown(done, "verdict ", "reply ", "advice ") == """\
verdict    tempfail, score 0.0, policy default
reply      451 4.7.25 [20.1.0.1] looking up the A of mail.good.com, PTR name of
           20.1.0.1, failed temporarily (DNSSEC validation failed: DNSKEY
           Missing); your server will try again by itself, but first the
           operator of that name's zone must sign it again or correct its DS
           record (dns-temperror)
advice     mail.good.com: DNSSEC validation failed: DNSKEY Missing.  The owner
           of that zone must sign it again or correct the DS record at the
           registrar.  What is wrong is shown by dnsviz.net, or:
               delv mail.good.com A
"""


def test_spf_by_real_servers(lab, check):
    lab.authority_changes("good.com", '@ TXT "v=spf1 a:mail.good.com ip4:20.1" ".0.2 include:spf.big.com -all"\n')
    done = check("--spf", "good.com", "--json")
    head, *clients = [json.loads(line) for line in done.stdout.splitlines()]
    assert head["record"] == "v=spf1 a:mail.good.com ip4:20.1.0.2 include:spf.big.com -all"
    assert [(c["client"], c["helo"]) for c in clients] == [("20.1.0.1", "mail.good.com"), ("20.1.0.2", None)]
    assert clients[0]["action"] == "accept"
