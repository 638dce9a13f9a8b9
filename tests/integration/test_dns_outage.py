#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""iprevd behind a real Unbound that goes away and comes back, and behind a network that loses packets: what clients get,
and how soon it is right again."""

import os
import socket
import sys
import threading
import time

import dns.message
import dns.query
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from milterclient import MilterClient  # noqa: E402
from daemon import free_port  # noqa: E402
from test_dns_real import PATIENCE_S, Server  # noqa: E402

CONFIG = "mode = enforce\ndeadline = 8\n"
SOON_S = 8  # from the resolver's return until clients get what they are due: less than BREAKER_REST_MS
REVERSE = "2.0.192.in-addr.arpa"
GOOD, LATE, NONE = "192.0.2.10", "192.0.2.99", "192.0.2.200"

HEAD = "$TTL 1\n@ SOA ns hostmaster {serial} 3600 600 86400 1\n@ NS ns.example.\n"
ZONES = {
    "example": HEAD + "ns A 127.0.0.1\nmail A 192.0.2.10\n",
    REVERSE: HEAD + "10 PTR mail.example.\n",
}


class Internet:
    """NSD, and what it serves."""

    def __init__(self, directory):
        self.directory, self.serial, self.zones = directory, 1, dict(ZONES)
        directory.mkdir()
        self.write()
        port = free_port()
        zones = "".join(f'zone:\n  name: "{name}"\n  zonefile: "{name}"\n' for name in self.zones)
        self.server = Server("nsd", directory, f"""server:
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
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
{zones}""", port, ["-d"])

    def write(self):
        for name, text in self.zones.items():
            (self.directory / name).write_text(text.format(serial=self.serial))

    def add(self, zone, line):
        self.serial += 1
        self.zones[zone] += line + "\n"
        self.write()
        self.server.process.send_signal(1)  # SIGHUP: zone files are read again


class Unbound:
    """A resolver that can be stopped, and started again at the same port."""

    def __init__(self, directory, internet):
        directory.mkdir()
        self.directory, self.port, self.server = directory, free_port(), None
        stubs = "".join(f'stub-zone:\n  name: "{name}"\n'
                        f'  stub-addr: {internet.server.addr.replace(":", "@")}\n' for name in ZONES)
        self.config = f"""server:
  interface: 127.0.0.1
  port: {self.port}
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
  local-zone: "{REVERSE}." nodefault
  local-zone: "com." static
  local-data: "com. 60 SOA ns.com. host.com. 1 3600 600 86400 1"
remote-control:
  control-enable: no
{stubs}"""
        self.addr = f"127.0.0.1:{self.port}"

    def start(self):
        self.server = Server("unbound", self.directory, self.config, self.port, ["-d", "-p"])

    def stop(self):
        if self.server is not None:
            self.server.stop()
            self.server = None

    def has(self, name, rdtype):
        query = dns.message.make_query(name, rdtype)
        return bool(dns.query.udp(query, "127.0.0.1", port=self.port, timeout=PATIENCE_S).answer)


@pytest.fixture
def internet(tmp_path):
    running = Internet(tmp_path / "nsd")
    yield running
    running.server.stop()


@pytest.fixture
def unbound(tmp_path, internet):
    running = Unbound(tmp_path / "unbound", internet)
    running.start()
    yield running
    running.stop()


def until(happened, patience_s=PATIENCE_S):
    """How long it took."""
    start = time.monotonic()
    while not happened():
        assert time.monotonic() - start < patience_s
    return time.monotonic() - start


def verdict(running, client):
    return MilterClient(running.spec).session(client=client, helo=f"[{client}]").verdict


def at(unbound):
    return f'dns {{ nameservers = {{"{unbound.addr}"}} }}'


def test_unbound_goes_and_comes_back(start_iprevd, internet, unbound):
    """A denial that was true yesterday refuses nobody while the resolver is down, and with it everything is right."""
    running = start_iprevd(CONFIG, dns=at(unbound))
    assert verdict(running, LATE) == "reject"  # NXDOMAIN, in the caches for a second
    expired = time.monotonic() + 1
    internet.add(REVERSE, "99 PTR late.example.")
    internet.add("example", "late A 192.0.2.99")
    until(lambda: unbound.has(f"99.{REVERSE}", "PTR") and unbound.has("late.example", "A"))
    until(lambda: time.monotonic() > expired)  # ours, which was filled a little later
    unbound.stop()
    verdicts = [verdict(running, LATE)]
    assert verdicts == ["tempfail"]
    networks = iter(range(1, 255))
    until(lambda: verdicts.append(verdict(running, f"20.{next(networks)}.0.1")) or
          verdicts[-1] != "tempfail")  # the breaker is open: outage-action
    assert verdicts[-1] == "tag"
    assert verdict(running, LATE) == "tag"
    unbound.start()
    took_s = until(lambda: verdict(running, LATE) == "accept")
    assert took_s < SOON_S, running.log
    assert verdict(running, NONE) == "reject"
    assert "reject" not in verdicts


class Wire:
    """Between iprevd and the resolver: datagrams both ways, but those that come while it is cut."""

    def __init__(self, addr):
        host, port = addr.split(":")
        self.upstream = (host, int(port))
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener.bind(("127.0.0.1", 0))
        self.addr = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.is_cut, self.lost = False, threading.Event()
        threading.Thread(target=self.forward, daemon=True).start()

    def forward(self):
        while True:
            try:
                query, peer = self.listener.recvfrom(65535)
            except OSError:
                return
            if self.is_cut:
                self.lost.set()
            else:
                threading.Thread(target=self.ask, args=(query, peer), daemon=True).start()

    def ask(self, query, peer):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE_S)
            client.connect(self.upstream)
            client.send(query)
            answer = client.recv(65535)
        if not self.is_cut:
            self.listener.sendto(answer, peer)

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("lost_s", [0.4, 1.0])
def test_nobody_is_deferred_by_a_short_loss(start_iprevd, unbound, lost_s):
    wire = Wire(unbound.addr)
    running = start_iprevd(CONFIG, dns=f'dns {{ nameservers = {{"{wire.addr}"}} }}')
    wire.is_cut = True
    verdicts = {}

    def session(number, client):
        verdicts[number] = verdict(running, client)

    threads = [threading.Thread(target=session, args=(i, GOOD if i % 2 else NONE)) for i in range(20)]
    for thread in threads:
        thread.start()
    assert wire.lost.wait(PATIENCE_S)
    restore = threading.Timer(lost_s, setattr, (wire, "is_cut", False))
    restore.start()
    for thread in [*threads, restore]:
        thread.join()
    assert verdicts == {i: "accept" if i % 2 else "reject" for i in range(20)}
    wire.close()


def test_nobody_is_deferred_by_a_restart(start_iprevd, unbound):
    """The port is closed for a second: connections are refused, and asked for again."""
    running = start_iprevd(CONFIG, dns=at(unbound))
    unbound.stop()
    verdicts = {}

    def session(number, client):
        verdicts[number] = verdict(running, client)

    threads = [threading.Thread(target=session, args=(i, GOOD if i % 2 else NONE)) for i in range(20)]
    for thread in threads:
        thread.start()
    up = threading.Timer(1.0, unbound.start)
    up.start()
    for thread in [*threads, up]:
        thread.join()
    assert verdicts == {i: "accept" if i % 2 else "reject" for i in range(20)}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
