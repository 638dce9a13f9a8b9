# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl check for who wants to know about one's own servers: many at a time, and where they are found."""

import json
import os
import pty
import re
import subprocess

import pytest

import daemon
import world
from hostile_dns import HostileDNS, reverse


def settings(server, deadline=8):
    return (f'dns {{ nameservers = {{"{server}"}} }}\ncontrol = "none"\nstate-dir = "none"\n'
            f'deadline = {deadline}\nown-names = {{"mx.own.example"}}\n')


@pytest.fixture
def conf(directory):
    return directory / "sender.conf"


def start(conf, *args, **options):
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
               "text": True, **options}
    return subprocess.Popen([daemon.program("iprevctl"), "check", *args, "-c", conf], **options)


def check(conf, *args, stdin=""):
    process = start(conf, *args, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=120)
    return subprocess.CompletedProcess(args, process.returncode, out, err)


# --- several at a time ---


def test_clients_are_looked_up_side_by_side(conf):
    clients = [f"192.0.2.{i}" for i in range(1, 41)]
    with HostileDNS() as server:
        conf.write_text(settings(server.addr, deadline=25))
        for client in clients:
            server.host(client, f"mail.h{client.replace('.', '-')}.example")
        server.blackhole = True
        process = start(conf, *clients, "--json")
        daemon.wait_until("questions about 16 clients",
                          lambda: {reverse(c) for c in clients[:16]} <= {e[1] for e in server.log})
        assert reverse(clients[16]) not in {e[1] for e in server.log}
        server.blackhole = False
        out, _ = process.communicate(timeout=120)
    assert [json.loads(line)["client"] for line in out.splitlines()] == clients


def test_output_is_in_order_of_input(conf):
    clients = [f"192.0.2.{i}" for i in range(1, 33)]
    with HostileDNS() as server:
        conf.write_text(settings(server.addr))
        for i, client in enumerate(clients):
            server.on(reverse(client), "PTR", [f"mail.h{i}.example"], delay_ms=(31 - i) * 3)
            server.on(f"mail.h{i}.example", "A", [client])
        text = "".join(f"{client}\n" + ("nonsense\n" if i == 4 else "")
                       for i, client in enumerate(clients))
        done = check(conf, "-", stdin=text)
        shown = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("client ")]
        assert shown == clients and "\n32 clients: accept 32, " in done.stdout
        assert [line for line in done.stderr.splitlines() if "warning: DNS server" not in line] == [
            "iprevctl check: standard input, line 6: the first word is not an IP address"]
        assert "\n\n\n" not in done.stdout and not done.stdout.startswith("\n")


def test_program_that_waits_for_each_answer(conf, directory):
    (directory / "zone").write_text(world.ZONE)
    conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\nstate-dir = "none"\n')
    process = start(conf, "-", "--json", stdin=subprocess.PIPE)
    for client in (world.GOOD, world.NO_PTR, world.GOOD):
        process.stdin.write(client + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["client"] == client
    assert process.communicate(timeout=60)[0] == "" and process.returncode == 77


def test_bar_is_for_terminals_only(conf, directory):
    (directory / "zone").write_text(world.ZONE)
    conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\nstate-dir = "none"\n')
    clients = [world.GOOD] * 20
    shown = {}
    for many in (True, False):
        master, slave = pty.openpty()
        process = start(conf, *clients[:20 if many else 1], stderr=slave)
        os.close(slave)
        out, _ = process.communicate(timeout=60)
        shown[many] = b""
        try:
            while chunk := os.read(master, 65536):
                shown[many] += chunk
        except OSError:
            pass
        os.close(master)
        assert out.count("client     ") == (20 if many else 1) and "\r" not in out
    assert b" %  " in shown[True] and b"clients" in shown[True]
    assert shown[True].endswith(b"\r\x1b[K") and shown[False] == b""
    assert check(conf, *clients).stderr == ""


# --- another resolver ---


def test_server_is_asked_instead_of_the_configured_ones(conf, directory):
    (directory / "zone").write_text(world.ZONE)
    with HostileDNS() as one, HostileDNS() as two:
        two.host("192.0.2.77", "mail.two.example")
        conf.write_text(settings(one.addr))
        assert check(conf, "192.0.2.77").returncode == 77
        asked = len(one.log)
        done = check(conf, "192.0.2.77", "--server", two.addr)
        assert done.returncode == 0 and f"[{two.addr}, " in done.stdout
        assert len(one.log) == asked
        conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\n')
        assert check(conf, "192.0.2.77", "--server", two.addr).returncode == 0


@pytest.mark.parametrize("server", ["ns.example", "192.0.2.1:0", "", "[::1", "192.0.2.1:99999"])
def test_server_that_is_no_address(conf, server):
    conf.write_text(settings("127.0.0.1"))
    done = check(conf, "192.0.2.1", "--server", server)
    assert done.returncode == 64 and done.stdout == ""
    assert f'--server "{server}": an address is wanted' in done.stderr


# --- a message ---

MESSAGE = """Received: by 2002:a05:7000:1234:b0:5d1:1 with SMTP id x1; Sun, 29 Nov 2026 10:00:00 +0000
Received: from mail.good.example (mail.good.example. [{0}])
        by mx.other.example with ESMTPS id x3
        for <b@other.example>; Sun, 29 Nov 2026 10:00:00 +0000
Subject: hello

text
"""


@pytest.fixture
def zone(conf, directory):
    (directory / "zone").write_text(world.ZONE)
    conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\nstate-dir = "none"\n'
                    'own-names = {"mx.own.example"}\n')
    return conf


@pytest.mark.parametrize("head", ["", "From a@b Sun Nov 29 10:00:00 2026\n", "\n\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_message(zone, directory, head, end):
    path = directory / "mail"
    path.write_bytes((head + MESSAGE.format(world.GOOD)).replace("\n", end).encode())
    done = check(zone, "--message", path, "--json")
    got = json.loads(done.stdout)
    assert (got["client"], got["helo"], got["agreement"]) == (world.GOOD, "mail.good.example", "exact")
    assert got["source"] == f"Received field 2 of {path}, written by mx.other.example"
    assert done.returncode == 0 and done.stderr == ""


def test_message_on_standard_input(zone):
    done = check(zone, "--message", "-", stdin=MESSAGE.format(world.NO_PTR))
    assert done.returncode == 77
    assert ("\nfound in   Received field 2 of standard input, written by mx.other.example\n"
            in done.stdout)
    assert "EHLO       mail.good.example A 192.0.2.1 " in done.stdout
    assert '2.2.0.192.in-addr.arpa. PTR NAME.' in done.stdout


def test_helo_overrules_that_of_the_message(zone):
    done = check(zone, "--message", "-", "--helo", "x.example", "--json",
                 stdin=MESSAGE.format(world.GOOD))
    assert json.loads(done.stdout)["helo"] == "x.example"


@pytest.mark.parametrize("text, status, words", [
    ("", 65, "standard input: no Received field: a message with its whole header is wanted"),
    ("Subject: x\n\ntext\n", 65, "no Received field"),
    (MESSAGE.format("10.0.0.1"), 65, "none of 2 Received fields names a mail server's address"),
    ("\0\0\xff\n" * 10000, 65, "no Received field"),
    ("Received: from " + "x" * 2000000, 65, "none of 1 Received fields"),
], ids=["empty", "no-field", "private", "nonsense", "without-end"])
def test_message_without_a_client(zone, text, status, words):
    done = check(zone, "--message", "-", stdin=text)
    assert done.returncode == status and words in done.stderr and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_message_that_is_not_there(zone):
    done = check(zone, "--message", "/nonexistent/mail")
    assert done.returncode == 66 and "/nonexistent/mail: No such file" in done.stderr


# --- SPF ---

SPF_ZONE = world.ZONE + "".join([
    'good.example. TXT "other text"\n',
    'good.example. TXT "v=spf1 a:mail.good.example mx ip4:192.0.2.1 ip4:192.0" ".2.2 ip6:2001:db8::2/128 '
    'ip4:198.51.100.0/24 a:mail.good.example/24 -ip4:192.0.2.3 include:_spf.big.example '
    'exists:%{i}.x.example ptr ?all"\n',
    "mail.good.example. AAAA 2001:db8::1\n", "good.example. MX 10 mail.good.example.\n",
    "good.example. MX 20 second.good.example.\nsecond.good.example. A 192.0.2.5\n",
    'two.example. TXT "v=spf1 -all"\ntwo.example. TXT "v=spf1 a -all"\n',
    'others.example. TXT "v=spf1 include:_spf.big.example redirect=x.example"\n',
    'none.example. TXT "v=spf10 a"\n',
    'bad.example. TXT "v=spf1 ip4:192.0.2.1 nonsense ip4:192.0.2.300 -all"\n',
    'many.example. TXT "v=spf1 ' + "".join(f"a:h{i}.many.example " for i in range(11)) + '-all"\n',
    "".join(f"h{i}.many.example. A 192.0.2.1\n" for i in range(11)),
    'void.example. TXT "v=spf1 a:x.good.example a:y.good.example mx:z.good.example ip4:192.0.2.1 -all"\n',
    'manymx.example. TXT "v=spf1 mx"\n',
    "".join(f"manymx.example. MX {i} h{i}.many.example.\n" for i in range(11)),
    'hostile.example. TXT "v=spf1 ip4:192.0.2.1 \\027[2J\\255 exp=\\"\\\\ -all"\n',
    'behind.example. TXT "v=spf1 ip4:192.0.2.1 -all ip4:192.0.2.2 redirect=good.example"\n',
    world.broken("broken.example"),
    'half.example. TXT "v=spf1 a:mail.broken.example ip4:192.0.2.1"\n',
])


@pytest.fixture
def spf(conf, directory):
    (directory / "zone").write_text(SPF_ZONE)
    conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\nstate-dir = "none"\n'
                    'own-names = {"mx.own.example"}\n')
    return conf


def test_spf(spf):
    done = check(spf, "--spf", "Good.Example", "--json")
    head, *clients = [json.loads(line) for line in done.stdout.splitlines()]
    assert head["spf"] == "good.example" and head["record"].startswith("v=spf1 a:mail.good.example mx ip4:")
    assert {t["term"]: t["note"] for t in head["terms"]} == {
        "a:mail.good.example": "2 addresses of mail.good.example",
        "mx": "3 addresses of the MX hosts of good.example",
        "ip4:192.0.2.1": "1 address", "ip4:192.0.2.2": "1 address", "ip6:2001:db8::2/128": "1 address",
        "ip4:198.51.100.0/24": "a network: not expanded",
        "a:mail.good.example/24": "a network: not expanded",
        "-ip4:192.0.2.3": "no sender: that is what the record denies",
        "include:_spf.big.example": "another record, not followed: iprevctl check --spf _spf.big.example",
        "exists:%{i}.x.example": "depends on each client: not expanded",
        "ptr": "depends on each client: not expanded", "?all": "everybody else"}
    assert [(c["client"], c["helo"], c["source"]) for c in clients] == [
        ("192.0.2.1", "mail.good.example", "SPF of good.example: a:mail.good.example"),
        ("2001:db8::1", "mail.good.example", "SPF of good.example: a:mail.good.example"),
        ("192.0.2.5", "second.good.example", "SPF of good.example: mx"),
        ("192.0.2.2", None, "SPF of good.example: ip4:192.0.2.2"),
        ("2001:db8::2", None, "SPF of good.example: ip6:2001:db8::2/128")]
    assert done.returncode == 77 and done.stderr == ""


def test_spf_as_text(spf):
    out = check(spf, "--spf", "good.example").stdout
    assert re.match(r"SPF        good.example  \[zone file, ttl 3600, \d+ ms\]\n"
                    r"           v=spf1 a:mail.good.example mx ip4:192.0.2.1 ", out)
    assert "\n           ip4:198.51.100.0/24          a network: not expanded\n" in out
    assert "\nclient     192.0.2.1 of mail.good.example\nfound in   SPF of good.example: a:mail" in out
    assert "\n5 clients: accept 2, tag 1, " in out


@pytest.mark.parametrize("domain, status, words, clients", [
    ("two.example", 65, "two.example has 2 SPF records: to receivers that is none", 0),
    ("none.example", 68, "none.example has no SPF record\n", 0),
    ("moved.example", 68, "moved.example has no SPF record\n", 0),
    ("nowhere.example", 68, "there is no domain nowhere.example (NXDOMAIN)", 0),
    ("x.broken.example", 75, "looking up the TXT of x.broken.example failed temporarily (SERVFAIL)", 0),
    ("others.example", 68, "names no single host: nothing to check", 0),
    ("bad.example", 65, "a term of the SPF record of bad.example is no address or network", 1),
    ("many.example", 65, "has more than 10 terms that need lookups", 1),
    ("void.example", 0, "3 terms of the SPF record of void.example find nothing", 1),
    ("manymx.example", 65, "has more than 10 MX hosts", 1),
    ("hostile.example", 65, "is no term of SPF", 1),
    ("behind.example", 0, "", 1),
    ("half.example", 75, "looking up the A of mail.broken.example failed temporarily", 1),
])
def test_spf_records(spf, domain, status, words, clients):
    done = check(spf, "--spf", domain)
    assert done.returncode == status and words in done.stderr
    assert done.stdout.count("client     ") == clients and "\x1b" not in done.stdout
    lines = [json.loads(line) for line in check(spf, "--spf", domain, "--json").stdout.splitlines()]
    assert sum("client" in line for line in lines) == clients


@pytest.mark.parametrize("args", [("--spf", "localhost"), ("--spf", "192.0.2.1"),
                                  ("--spf", "a.example", "--mx", "a.example"),
                                  ("--spf", "a.example", "192.0.2.1")])
def test_spf_wrong_usage(spf, args):
    assert check(spf, *args).returncode == 64
