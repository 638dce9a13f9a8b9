#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The network source where everything goes over TCP (options use-vc): questions share connections, to servers that
answer in any order, in order only, or close after one; and to a real Unbound with 200 silent clients."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

import dns.flags
import dns.message
import dns.rrset
import pytest

sys.path.insert(0, os.path.dirname(__file__))
import dnslab  # noqa: E402
from dnsask import Dnsask  # noqa: E402
from test_dns_greedy import SILENCE  # noqa: E402

SHARED_FEW = 10  # questions on a connection before there is another one: src/dns/query_stream.c


def name_of(number):
    return f"n{number}.tcp.test"


def address_of(name):
    return f"192.0.2.{int(name.split('.')[0].lstrip('nsilent'))}"


class Connection:
    def __init__(self, sock):
        self.sock, self.asked = sock, []

    def read(self):
        """The next question, or None."""
        try:
            prefix = self.sock.recv(2, socket.MSG_WAITALL)
            if len(prefix) < 2:
                return None
            query = dns.message.from_wire(self.sock.recv(struct.unpack("!H", prefix)[0],
                                                         socket.MSG_WAITALL))
        except OSError:
            return None
        self.asked.append(query.question[0].name.to_text(omit_final_dot=True))
        return query

    def answer(self, query, number=None):
        """The right answer, with this ID where it is given."""
        name = query.question[0].name
        answer = dns.message.make_response(query, recursion_available=True)
        answer.answer = [dns.rrset.from_text(name, 60, "IN", "A", address_of(name.to_text()))]
        answer.id = query.id if number is None else number
        wire = answer.to_wire()
        try:
            self.sock.sendall(struct.pack("!H", len(wire)) + wire)
        except OSError:
            pass  # the asker has gone


class Server:
    """A TCP server at port 53 that serves each connection by serve(server, connection)."""

    def __init__(self, ip, serve):
        self.ip, self.serve = ip, serve
        self.connections, self.held, self.lock = [], [], threading.Lock()

    def __enter__(self):
        self.listener = socket.create_server((self.ip, 53), backlog=256)
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for sock in [self.listener, *[connection.sock for connection in self.connections]]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def accept(self):
        while True:
            try:
                connection = Connection(self.listener.accept()[0])
            except OSError:
                return
            with self.lock:
                self.connections.append(connection)
            threading.Thread(target=self.serve, args=(self, connection), daemon=True).start()

    def hold(self, connection, query):
        """How many are held, with this one."""
        with self.lock:
            self.held.append((connection, query))
            return len(self.held)


@pytest.fixture
def asker(tmp_path):
    """A running dnsask that asks these servers over TCP."""
    if os.geteuid() != 0:
        pytest.skip("not root: servers of resolv.conf have port 53")

    def start(*servers, prefix=()):
        path = tmp_path / "resolv.conf"
        path.write_text("".join(f"nameserver {server}\n" for server in servers) + "options use-vc\n")
        return Dnsask(options=("-r", str(path)), prefix=prefix)
    return start


def check(answers):
    got = {answer["name"]: answer["records"] for answer in answers}
    assert got == {name: [address_of(name)] for name in got}, answers


def ask_all(running, numbers, deadline_ms=20000):
    return running.ask_all([(name_of(number), "A") for number in numbers], deadline_ms)


ALL = range(40)


def backwards(server, connection):
    """When all are there, the last first."""
    while (query := connection.read()) is not None:
        if server.hold(connection, query) == len(ALL):
            for holder, held in reversed(server.held):
                holder.answer(held)


def test_any_order(asker):
    with Server("127.78.0.1", backwards) as server, asker(server.ip) as running:
        check(ask_all(running, ALL))
        assert len(server.connections) <= len(ALL) / SHARED_FEW
        assert running.metrics()["iprevd_dns_mismatched_total"] == 0


def swapped(server, connection):
    """The answers of two questions, each with the other's ID; then as it should be."""
    first, second = connection.read(), connection.read()
    connection.answer(first, second.id)
    connection.answer(second, first.id)
    connection.answer(second)
    connection.answer(first)
    connection.read()


def test_the_id_alone_is_no_match(asker):
    with Server("127.78.0.2", swapped) as server, asker(server.ip) as running:
        check(ask_all(running, range(2)))
        assert running.metrics()["iprevd_dns_mismatched_total"] == 2


def only_one(server, connection):
    connection.answer(connection.read())
    connection.sock.close()


def test_closed_after_the_first(asker):
    """The others are asked again, and from then on each has a connection of its own."""
    with Server("127.78.0.3", only_one) as server, asker(server.ip) as running:
        check(ask_all(running, ALL))
        before = len(server.connections)
        check(ask_all(running, range(100, 120)))
        assert len(server.connections) == before + 20


def in_order(server, connection):
    """One after the other, and nothing after one that is silent."""
    while (query := connection.read()) is not None:
        if "silent" in query.question[0].name.to_text():
            return
        connection.answer(query)


def test_in_order(asker):
    """Behind a question that is not answered others wait for a second, once: then it is known."""
    with Server("127.78.0.4", in_order) as server, asker(server.ip) as running:
        for begin in (0, 50):
            running.command(f"ask silent{begin}.tcp.test A 4000")
            for number in range(begin + 1, begin + 8):
                running.command(f"ask {name_of(number)} A 4000")
            answers = [running.line() for _ in range(7)]
            check(answers)
            if begin > 0:
                assert max(answer["took_ms"] for answer in answers) < 1000
        assert [running.line()["outcome"] for _ in range(2)] == ["TEMPERROR"] * 2


def closes_once(server, connection):
    """The first connection is closed when ten questions came; the others are fine."""
    if connection is server.connections[0]:
        for _ in range(SHARED_FEW):
            connection.read()
        connection.sock.close()
        return
    while (query := connection.read()) is not None:
        connection.answer(query)


def never(server, connection):
    connection.read()
    connection.sock.close()


@pytest.mark.parametrize("first", [closes_once, never])
def test_broken_for_all(asker, first):
    """Every question on a connection that breaks is asked again, there or of the next server."""
    with Server("127.78.0.5", first) as one, Server("127.78.0.6", in_order) as two, \
            asker(one.ip, two.ip) as running:
        check(ask_all(running, ALL))


SILENT = 200
HEALTHY = 100


@pytest.fixture
def lab(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("not root: the lab is a network namespace of its own")
    zones = dict(dnslab.ZONES, com="good NS ns1.infra.\ndead NS ns.dead\nns.dead A 11.66.0.1\n")
    zones["good.com"] += "".join(f"n{number} A 192.0.2.{number}\n" for number in range(HEALTHY))
    monkeypatch.setattr(dnslab, "ZONES", zones)
    with dnslab.Lab(tmp_path) as running:
        running.ip("-n", running.name, "route", "add", "local", "11.66.0.0/16", "dev", "lo")
        silence = subprocess.Popen([*running.prefix, sys.executable, "-c", SILENCE, "11.66.0.1"],
                                   stdout=subprocess.PIPE)
        running.processes.append(silence)
        assert silence.stdout.readline() == b"ready\n"
        yield running


@pytest.mark.parametrize("resolver", ["unbound", "named", "kresd", "pdns"])
def test_silent_clients_before_real_servers(lab, asker, resolver):
    """As they are shipped: Unbound takes 10 connections."""
    address = getattr(lab, resolver)(resolver, dnslab.RESOLVER)
    with asker(address, prefix=lab.prefix) as running:
        for number in range(SILENT):
            running.command(f"ask silent{number}.dead.com A 4000")
        for number in range(HEALTHY):
            running.command(f"ask n{number}.good.com A 4000")
        began = time.monotonic()
        answers = {}
        for _ in range(SILENT + HEALTHY):
            answer = running.line()
            answers[answer["name"]] = (answer, time.monotonic() - began)
    good = {name: answer for name, answer in answers.items() if name.endswith("good.com")}
    print(f"{resolver}: the slowest good one {max(took for _, took in good.values()):.2f} s")
    check(answer for answer, _ in good.values())


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
