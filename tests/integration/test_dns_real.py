#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network source against real servers: NSD as the authority, Unbound as the resolver in front of it, each in a
private directory on a loopback port.  Nothing leaves the machine: Unbound's root is that NSD too."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from daemon import free_port, wait_until  # noqa: E402
from dnsask import Dnsask  # noqa: E402
from hostile_dns import reverse  # noqa: E402

PATIENCE_S = 60  # only ends a test that has failed already
SBIN = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"

NAMES = [f"n{i:03}.Example" for i in range(300)]
ZONES = {
    "example": """$TTL 600
@ SOA ns hostmaster 1 3600 600 86400 33
@ NS ns
@ MX 10 mail
ns A 127.0.0.1
Mail 300 A 192.0.2.9
Mail 300 A 192.0.2.10
Mail AAAA 2001:db8::1
www 100 CNAME mail
out CNAME host.other.
loop1 CNAME loop2
loop2 CNAME loop1
*.wild A 192.0.2.4
a.b.c A 192.0.2.3
sub NS ns.sub
ns.sub A 127.0.0.9
zero 0 A 192.0.2.5
""",
    "other": """$TTL 600
@ SOA ns hostmaster 1 3600 600 86400 44
@ NS ns
ns A 127.0.0.1
host A 192.0.2.6
""",
    "2.0.192.in-addr.arpa": """$TTL 600
@ SOA ns.example. hostmaster.example. 1 3600 600 86400 55
@ NS ns.example.
9 PTR mail.example.
10 CNAME 10.0-15
10.0-15 PTR mail.example.
12 PTR localhost.
""" + "".join(f"11 PTR {name}.\n" for name in NAMES),
}


def found(*records, **more):
    return {"outcome": "FOUND", "records": list(records), **more}


def failed(problem):
    return {"outcome": "TEMPERROR", "problem": problem}


NODATA = {"outcome": "NODATA", "records": []}
NXDOMAIN = {"outcome": "NXDOMAIN", "records": []}
MANY = found(*sorted(name.lower() for name in NAMES), dropped=0)

# name, type, what comes of it: from NSD, from Unbound (None: the same)
TABLE = [
    ("mail.example", "A", found("192.0.2.9", "192.0.2.10", ttl=300), None),
    ("MAIL.example", "AAAA", found("2001:db8::1", ttl=600), None),
    ("example", "MX", found("mail.example", ttl=600), None),
    ("www.example", "A", found("192.0.2.9", "192.0.2.10", ttl=100, hops=1), None),
    ("www.example", "MX", {**NODATA, "ttl": 33, "hops": 1}, None),
    ("mail.example", "MX", {**NODATA, "ttl": 33}, None),
    ("b.c.example", "A", {**NODATA, "ttl": 33}, None),
    ("nowhere.example", "A", {**NXDOMAIN, "ttl": 33}, None),
    ("any.wild.example", "A", found("192.0.2.4"), None),
    ("zero.example", "A", found("192.0.2.5", ttl=0), None),
    ("loop1.example", "A", failed("CNAME loop"), {"outcome": "TEMPERROR"}),
    ("out.example", "A", {"outcome": "FOUND", "records": ["192.0.2.6"]}, None),
    ("host.sub.example", "A", failed("REFUSED"), {"outcome": "TEMPERROR"}),
    ("not.served.test", "A", failed("REFUSED: Not Authoritative"), failed("SERVFAIL")),
    (reverse("192.0.2.9"), "PTR", found("mail.example", ttl=600), None),
    (reverse("192.0.2.10"), "PTR", found("mail.example", hops=1), None),
    (reverse("192.0.2.11"), "PTR", MANY, None),
    (reverse("192.0.2.12"), "PTR", found("localhost"), None),
    (reverse("192.0.2.99"), "PTR", {**NXDOMAIN, "ttl": 55}, None),
]


class Server:
    """A daemon in the foreground, ready when its TCP port answers."""

    def __init__(self, program, directory, config, port, arguments):
        path = shutil.which(program, path=SBIN)
        if path is None:
            pytest.skip(f"{program} is not installed")
        self.addr = f"127.0.0.1:{port}"
        self.directory = directory
        conf = directory / f"{program}.conf"
        conf.write_text(config)
        self.output = open(directory / f"{program}.log", "w+")
        self.process = subprocess.Popen([path, *arguments, "-c", str(conf)], stdout=self.output,
                                        stderr=subprocess.STDOUT)
        wait_until(f"{program} on port {port}", lambda: self._answers(port), PATIENCE_S)

    def _answers(self, port):
        assert self.process.poll() is None, self.log()
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    def log(self):
        self.output.seek(0)
        return self.output.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        self.output.close()


@pytest.fixture(scope="module")
def nsd(tmp_path_factory):
    directory = tmp_path_factory.mktemp("nsd")
    port = free_port()
    zones = ""
    for name, text in ZONES.items():
        (directory / name).write_text(text)
        zones += f'zone:\n  name: "{name}"\n  zonefile: "{name}"\n'
    server = Server("nsd", directory, f"""server:
  ip-address: 127.0.0.1@{port}
  zonesdir: "{directory}"
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd.state"
  zonelistfile: "{directory}/zone.list"
  xfrdir: "{directory}"
  database: ""
  username: ""
  chroot: ""
  server-count: 1
  do-ip6: no
  # Many questions in one second are a test here, not an attack.
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
{zones}""", port, ["-d"])
    yield server
    server.stop()


@pytest.fixture(scope="module")
def unbound(tmp_path_factory, nsd):
    directory = tmp_path_factory.mktemp("unbound")
    port = free_port()
    stubs = "".join(f'stub-zone:\n  name: "{name}"\n  stub-addr: {nsd.addr.replace(":", "@")}\n'
                    for name in [*ZONES, "."])
    server = Server("unbound", directory, f"""server:
  interface: 127.0.0.1
  port: {port}
  directory: "{directory}"
  pidfile: "{directory}/unbound.pid"
  username: ""
  chroot: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  module-config: "iterator"
  do-not-query-localhost: no
  do-ip6: no
  local-zone: "2.0.192.in-addr.arpa." nodefault
  local-zone: "test." nodefault
  rrset-roundrobin: yes
remote-control:
  control-enable: no
{stubs}""", port, ["-d", "-p"])
    yield server
    server.stop()


def check(answer, want):
    assert {key: answer[key] for key in want} == want, answer


def resolve(asker, name, rdtype):
    """Go on where the message was only a CNAME, as the resolver does."""
    answer = asker.ask(name, rdtype)
    return resolve(asker, answer["target"], rdtype) if answer["chained"] else answer


@pytest.mark.parametrize("name,rdtype,want,_", TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_nsd(nsd, name, rdtype, want, _):
    with Dnsask(nsd) as asker:
        check(resolve(asker, name, rdtype), want)


@pytest.mark.parametrize("name,rdtype,want,other", TABLE, ids=[f"{row[0]} {row[1]}" for row in TABLE])
def test_unbound(unbound, name, rdtype, want, other):
    with Dnsask(unbound) as asker:
        answer = resolve(asker, name, rdtype)
    want = dict(other or want)
    if want.get("ttl"):  # from its cache it may have become less
        assert 0 < answer["ttl"] <= want.pop("ttl")
    check(answer, want)


def test_many_names_came_by_tcp(nsd):
    with Dnsask(nsd) as asker:
        check(asker.ask(reverse("192.0.2.11"), "PTR"), MANY)
        assert asker.metrics()["iprevd_dns_tcp_fallbacks_total"] == 1


def test_order_of_the_records_does_not_matter(unbound):
    """Unbound turns the records round from answer to answer."""
    with Dnsask(unbound) as asker:
        for answer in asker.ask_all([("mail.example", "A"), (reverse("192.0.2.11"), "PTR")] * 10):
            check(answer, MANY if answer["type"] == "PTR" else found("192.0.2.9", "192.0.2.10"))


def test_a_thousand_at_the_same_time(unbound):
    with Dnsask(unbound) as asker:
        for answer in asker.ask_all([("mail.example", "A")] * 1000):
            check(answer, found("192.0.2.9", "192.0.2.10"))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
