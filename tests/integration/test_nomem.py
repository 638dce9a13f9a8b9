# SPDX-License-Identifier: BSD-2-Clause
"""
The daemon while memory runs out again and again, in whatever it does: sessions, reloads, control
requests, metrics, the decision log.  At most a session is deferred or a request fails; never is a
client wrongly refused or let in.
"""

import json
import signal
import socket
import struct
import urllib.error
import urllib.request

import pytest

import daemon
import world
from milterclient import MilterClient, MilterError
from servicemanager import Manager

ROUNDS = 100
ANSWER_SECONDS = 0.5  # what found no memory may be given up by the daemon after seconds only
# Every so many allocations one fails.
EVERY = [2, 3, 5, 11, 47, 211, 1009]
RIGHT = {world.GOOD: "accept", world.NO_PTR: "reject", world.MISMATCH: "reject",
         world.GENERIC: "tag", world.MANY: "accept"}
REQUESTS = [{"command": "status"}, {"command": "allowed"}, {"command": "cache-dump"},
            {"command": "cache-get", "name": world.GOOD}, {"command": "reload"},
            {"command": "allow", "subject": "203.0.113.5", "seconds": 60, "reason": "x"},
            {"command": "unallow", "subject": "203.0.113.5"},
            {"command": "cache-flush", "name": world.GOOD}]


class Memory:
    """The file through which allocations are made to fail."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(4096))

    def fails_every(self, count):
        with self.path.open("r+b") as file:
            file.write(struct.pack("=I", count))

    @property
    def failed(self):
        return struct.unpack("=II", self.path.read_bytes()[:8])[1]


def ask(path, request):
    """The last line of the answer, or None: no answer is what memory running out may cost."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(ANSWER_SECONDS)
        try:
            sock.connect(str(path))
            sock.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        except OSError:
            return None
    lines = answer.splitlines()
    return json.loads(lines[-1]) if answer.endswith(b"\n") else None


def scrape(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS) as got:
            return got.read().decode()
    except (OSError, urllib.error.URLError):
        return None


def visit(client, address):
    """A session's verdict; one that is cut off is deferred by the MTA."""
    helo = "192-0-2-5.dsl.isp.example" if address == world.GENERIC else f"[{address}]"
    try:
        return client.session(client=address, helo=helo).verdict
    except (OSError, MilterError):
        return "tempfail"


@pytest.fixture
def program(monkeypatch):
    path = daemon.program().parent / "tests/integration/iprevd-nomem"
    if not path.exists():
        pytest.skip(f"{path} is not there: make check builds it")
    monkeypatch.setenv("IPREVD", str(path))


@pytest.mark.parametrize("every", EVERY)
def test_nothing_worse_than_deferred(program, start_iprevd, directory, every):
    memory = Memory(directory / "memory")
    port, control, lines = daemon.free_port(), directory / "control", directory / "decisions.json"
    (directory / "state").mkdir()
    (directory / "partners.cidr").write_text("203.0.113.0/24 OK\n")
    running = start_iprevd(
        f'control = "{control}"\nmetrics = "127.0.0.1:{port}"\ndecision-log = "{lines}"\n'
        f'state-dir = "{directory}/state"\ndeadline = 1\ncache {{ max-ttl = 1 stale = 0 }}\n'
        f'match "partners" {{ client = {{"cidr:{directory}/partners.cidr"}} policy = "none" }}\n',
        env={"IPREVD_NOMEM": str(memory.path)})
    daemon.wait_until("the control socket", lambda: ask(control, REQUESTS[0]))
    client = MilterClient(running.spec)
    memory.fails_every(every)
    for i in range(ROUNDS):
        for address, right in RIGHT.items():
            verdict = visit(client, address)
            assert verdict in (right, "tempfail"), (address, running.log[-3000:])
        ask(control, REQUESTS[i % len(REQUESTS)])
        if i % 5 == 0:
            scrape(port)
            running.process.send_signal((signal.SIGUSR1, signal.SIGHUP)[i // 5 % 2])
        assert running.alive(), running.log[-3000:]
    memory.fails_every(0)
    assert memory.failed > 0
    for address, right in RIGHT.items():
        daemon.wait_until("good verdicts again", lambda: visit(client, address) == right)
    for request in (REQUESTS[0], {"command": "reload"}):
        daemon.wait_until("answers again", lambda: (ask(control, request) or {}).get("ok"))
    daemon.wait_until("metrics again", lambda: "iprevd_sessions_total" in (scrape(port) or ""))
    lines.unlink()
    running.process.send_signal(signal.SIGUSR1)
    daemon.wait_until("the decision log", lines.exists)
    visit(client, world.GOOD)
    daemon.wait_until("a line of it", lambda: lines.read_text().endswith("\n"))


# The decision log's thread is the first, and it is done without.
@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_start_that_fails_was_never_ready(program, directory, number):
    """No thread for DNS, for files, for signals: the service manager hears of no READY."""
    manager = Manager(directory / "notify")
    status, log = daemon.Daemon(directory / "iprevd", zone=world.ZONE, env={
        "IPREVD_NOTHREAD": str(number), "NOTIFY_SOCKET": str(manager.path)}).run()
    manager.close()
    manager.thread.join()
    assert status == 69 and "the threads cannot be started" in log
    said = [manager.messages.get_nowait() for _ in range(manager.messages.qsize())]
    assert not [message for message in said if "READY" in message]
