# SPDX-License-Identifier: BSD-2-Clause
"""iprevd beside Postfix's and Sendmail's own opinion of a client, in one world of DNS.

Real clients, real mail servers, one DNS server that misbehaves on request.  The mail servers say what
they found by their macros to a second filter; iprevd says it in its log.  What is expected are the
tables of doc/differences.md.
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
            self.there.stdin.write("\t".join(["on", name, rdtype, behaviour, *records]) + "\n")
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
    """To its end: what this connection tells the filters must not come after what another one does."""
    assert server.jail.process.poll() is None, f"Sendmail ended:\n{server.jail.output}"
    try:
        Smtp(SERVER, port, sock=network.connect(SERVER, port)).quit()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("row", WORLD)
def test_row(results, row):
    for found, documented_ones in zip(results[row], documented()[row]):
        assert found in documented_ones, (results[row], documented()[row])


def test_every_documented_row_is_played():
    assert list(documented()) == list(WORLD)


# --- EHLO names ---

EHLO_CLIENT, EHLO_CLIENT_V6 = "192.0.2.11", "2001:db8::11"

# The rows of the second table: what is said, and what the DNS says of it.
EHLO_WORLD = {
    "a name with an underscore": ("my_host.d.example", [("A", "good", EHLO_CLIENT)]),
    "a last label of digits": ("mail.123", [("A", "good", EHLO_CLIENT)]),
    "a name with a trailing dot": ("ok.d.example.", []),
    "an IPv6 literal without `IPv6:`": (f"[{EHLO_CLIENT_V6}]", []),
    "a U-label (UTF-8)": ("b\u00fccher.d.example", [
        ("xn--bcher-kva.d.example", "A", "good", EHLO_CLIENT)]),
    "a name that cannot be looked up (SERVFAIL)": ("broken.d.example", [
        ("A", "servfail"), ("AAAA", "servfail"), ("MX", "servfail")]),
}


def documented_ehlo():
    """{row: (the checks that are true, Postfix's answer)} of the second table."""
    text = (fenced.TOP / "doc" / "differences.md").read_text()
    table = text.split("## EHLO names")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| ([^|]+) \| `(\d+)` \|", table, re.MULTILINE)
    return {row: (set(re.findall(r"`([\w-]+)`", checks)), int(code)) for row, checks, code in rows}


@pytest.fixture(scope="module")
def ehlo_results(tmp_path_factory):
    """{row: (the checks that iprevd finds true, Postfix's answer to RCPT)}."""
    require_mta("postfix")
    network = Network([f"{EHLO_CLIENT}/24", f"{EHLO_CLIENT_V6}/64"])
    rules = one(EHLO_CLIENT, "ok.d.example", right(EHLO_CLIENT)) + \
        one(EHLO_CLIENT_V6, "ok.d.example", right(EHLO_CLIENT_V6)) + \
        [record if "." in record[0] else (name, *record)
         for name, records in EHLO_WORLD.values() for record in records]
    strict = daemon.free_port()
    services = f"{strict} inet n - n - - smtpd\n  -o smtpd_milters=\n" \
               "  -o smtpd_helo_restrictions=reject_invalid_helo_hostname,$non_fqdn,$unknown\n"
    extra = "smtpd_peername_lookup = yes\nnon_fqdn = reject_non_fqdn_helo_hostname\n" \
            "unknown = reject_unknown_helo_hostname\n"
    try:
        with Dns(network, rules) as dns:
            server = Postfix([f"unix:{RUN}/w/iprevd"], network=network, nameserver="127.0.0.1",
                             extra=extra, services=services)
            sockets = server.jail.dir / "w"
            sockets.mkdir(mode=0o755)
            given = daemon.Daemon(tmp_path_factory.mktemp("ehlo"),
                                  "local-networks = {}\ndeadline = 25\n",
                                  dns=f'dns {{ nameservers = {{"{dns.here.addr}"}} }}',
                                  listen=f"unix:{sockets}/iprevd")
            with given:
                (sockets / "iprevd").chmod(0o666)
                with server:
                    yield {row: (checks_of(network, server.port, name, given),
                                 answer_of(network, strict, name))
                           for row, (name, _) in EHLO_WORLD.items()}
    finally:
        network.close()


def say_ehlo(network, port, name):
    host, client = ("2001:db8::254", EHLO_CLIENT_V6) if name.startswith("[") else (SERVER, EHLO_CLIENT)
    smtp = Smtp(host, port, sock=network.connect(host, port, client, 1))
    smtp.send_raw(f"EHLO {name}\r\n".encode())
    assert smtp.read().code == 250
    smtp.ok("MAIL FROM:<a@d.example>")
    return smtp


def checks_of(network, port, name, given):
    mark = len(given.log)
    smtp = say_ehlo(network, port, name)
    smtp.rcpt()
    smtp.quit()
    checks = given.wait_log(r"iprev=pass .*checks=(\S+)", since=mark)[1]
    return set(checks.split(",")) - {"-", "none"}


def answer_of(network, port, name):
    smtp = say_ehlo(network, port, name)
    code = smtp.command("RCPT TO:<user@example.net>").code
    smtp.quit()
    return code


@pytest.mark.parametrize("row", EHLO_WORLD)
def test_ehlo_row(ehlo_results, row):
    checks, code = ehlo_results[row]
    wanted, documented_code = documented_ehlo()[row]
    assert code == documented_code, (checks, code)
    assert checks == wanted, (checks, code)


def test_every_documented_ehlo_row_is_played():
    assert list(documented_ehlo()) == list(EHLO_WORLD)
