# SPDX-License-Identifier: BSD-2-Clause
"""iprevd beside Postfix's and Sendmail's own opinion of a client, in one world of DNS.

Real clients, real mail servers, one DNS server that misbehaves on request.  The mail servers say what
they found by their macros to a second filter; iprevd says it in its log.  What is expected is the
table of doc/differences.md.
"""

import re
import subprocess
import sys

import pytest

import daemon
import fenced
import hostile_dns
from conftest import require_mta
from guide_sites import listen_unix
from hostile_dns import HostileDNS, reverse
from milterserver import MilterServer
from mta import RUN, Network
from mta_postfix import Postfix
from mta_sendmail import Sendmail
from smtpclient import Smtp

SERVER = "192.0.2.254"
ELSEWHERE = "203.0.113.9"


def one(client, name, *records):
    """A PTR record, and what its name resolves to."""
    return [(reverse(client), "PTR", "good", name), *[(name, *record) for record in records]]


def right(client):
    return ("AAAA" if ":" in client else "A", "good", client)


# The rows of the table in doc/differences.md: a client, and what the DNS says about it.
WORLD = {
    "one name, which leads back": ("192.0.2.11", lambda c: one(c, "ok.d.example", right(c))),
    "the same over IPv6": ("2001:db8::11", lambda c: one(c, "ok6.d.example", right(c))),
    "no PTR record": ("192.0.2.12", lambda c: []),
    "a name without an address": ("192.0.2.13", lambda c: one(c, "none.d.example")),
    "a name with another address": ("192.0.2.14", lambda c: one(
        c, "moved.d.example", ("A", "good", ELSEWHERE))),
    "two names, one is right": ("192.0.2.15", lambda c: [
        (reverse(c), "PTR", "good", "z.d.example", "a.d.example"),
        ("a.d.example", "A", "good", ELSEWHERE), ("z.d.example", *right(c))]),
    "two names, one fails, the other is right": ("192.0.2.16", lambda c: [
        (reverse(c), "PTR", "good", "right2.d.example", "broken2.d.example"),
        ("broken2.d.example", "A", "servfail"),
        ("broken2.d.example", "AAAA", "servfail"), ("right2.d.example", *right(c))]),
    "the name cannot be looked up (SERVFAIL)": ("192.0.2.17", lambda c: one(
        c, "broken.d.example", ("A", "servfail"), ("AAAA", "servfail"))),
    "the PTR cannot be looked up (SERVFAIL)": ("192.0.2.18", lambda c: [
        (reverse(c), "PTR", "servfail")]),
    "the PTR cannot be looked up (REFUSED)": ("192.0.2.19", lambda c: [
        (reverse(c), "PTR", "refused")]),
    "a single label": ("192.0.2.20", lambda c: one(c, "mailhost", right(c))),
    "a name that looks like an address": ("192.0.2.21", lambda c: one(c, c, right(c))),
    "an underscore in the name": ("192.0.2.22", lambda c: one(c, "my_host.d.example", right(c))),
}


def documented():
    """{row: what iprevd, Postfix and Sendmail may find} of the table."""
    text = (fenced.TOP / "doc" / "differences.md").read_text()
    table = text.split("## The client's name")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|`]+) \| (`[^|]+) \| (`[^|]+) \| (`[^|]+) \|", table, re.MULTILINE)
    return {row[0]: [re.findall(r"`(\w+)`", cell) for cell in row[1:]] for row in rows}


class Dns:
    """The same answers for iprevd here and for the mail servers in their network."""

    def __init__(self, network, rules):
        self.here = HostileDNS()
        self.there = subprocess.Popen(
            network.argv([sys.executable, hostile_dns.__file__, "127.0.0.1",
                          "53"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.there.stdout.readline().startswith("127.0.0.1:53")
        for name, rdtype, behaviour, *records in rules:
            self.here.on(name, rdtype, records, behaviour=behaviour)
            self.there.stdin.write(" ".join(["on", name, rdtype, behaviour, *records]) + "\n")
        self.there.stdin.flush()

    def __enter__(self):
        self.here.start()
        return self

    def __exit__(self, *_):
        self.here.stop()
        self.there.stdin.close()
        self.there.wait()


def ask(network, port, client, witness, given):
    """What the three of them find of one client."""
    witness.reset()
    mark = len(given.log)
    server_host = "2001:db8::254" if ":" in client else SERVER
    smtp = Smtp(server_host, port, sock=network.connect(server_host, port, client, 1))
    smtp.ehlo("mail.d.example")
    smtp.ok("MAIL FROM:<a@d.example>")
    smtp.rcpt()
    smtp.quit()
    found = given.wait_log(rf"client={re.escape(client)} .*iprev=(\w+)", since=mark)[1]
    return found, witness.macros["C"]["{client_resolve}"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{row: (iprevd, Postfix, Sendmail)} as they are."""
    require_mta("postfix")
    require_mta("sendmail")
    clients = [client for client, _ in WORLD.values()]
    network = Network([f"{client}/{64 if ':' in client else 24}" for client in clients])
    rules = [rule for client, make in WORLD.values() for rule in make(client)]
    found = {}
    try:
        with Dns(network, rules) as dns:
            for name in ("postfix", "sendmail"):
                for client, values in play(name, network, dns, tmp_path_factory.mktemp(name)):
                    found.setdefault(client, []).append(values)
    finally:
        network.close()
    table = {}
    for row, (client, _) in WORLD.items():
        (ours, postfix), (again, sendmail) = found[client]
        assert ours == again, (row, ours, again)
        table[row] = (ours, postfix, sendmail)
    return table


def play(name, network, dns, directory):
    specs = [f"unix:{RUN}/w/iprevd", f"unix:{RUN}/w/witness"]
    if name == "postfix":
        server = Postfix(specs, network=network, nameserver="127.0.0.1",
                         extra="smtpd_peername_lookup = yes\n")
        port = server.port
    else:
        port = daemon.free_port()
        server = Sendmail(specs, network=network, nameserver="127.0.0.1", extra="".join(
            f"DAEMON_OPTIONS(`Name=N{family}, Family={family}, Addr={address}, Port={port}')dnl\n"
            for family, address in [("inet", SERVER), ("inet6", "2001:db8::254")]))
        server._answers = lambda: _listens(server, network, port)
    sockets = server.jail.dir / "w"
    sock = listen_unix(sockets / "witness")
    given = daemon.Daemon(directory, "mode = enforce\nlocal-networks = {}\ndeadline = 25\n",
                          dns=f'dns {{ nameservers = {{"{dns.here.addr}"}} }}',
                          listen=f"unix:{sockets}/iprevd")
    asked = {0: "{client_resolve} {client_name} {client_ptr}"}
    with given, MilterServer(sock=sock, macros=asked) as witness:
        (sockets / "iprevd").chmod(0o666)
        with server:
            for client, _ in WORLD.values():
                yield client, ask(network, port, client, witness, given)


def _listens(server, network, port):
    assert server.jail.process.poll() is None, f"Sendmail ended:\n{server.jail.output}"
    try:
        network.connect(SERVER, port).close()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("row", WORLD)
def test_row(results, row):
    for found, documented_ones in zip(results[row], documented()[row]):
        assert found in documented_ones, (results[row], documented()[row])


def test_every_documented_row_is_played():
    assert list(documented()) == list(WORLD)
