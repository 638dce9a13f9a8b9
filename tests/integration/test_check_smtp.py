# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl check --smtp: what port 25 of a client says, asked of a real Postfix and of servers that misbehave."""

import json
import os
import socket
import subprocess
import threading

import pytest

import daemon
import world
from conftest import require_mta
from mta import HOSTNAME, Network
from mta_postfix import Postfix

SERVER, SERVER6, CLIENT = "192.0.2.254", "2001:db8::254", "192.0.2.1"

ZONE = "$ORIGIN .\n$TTL 3600\n" + "".join([
    world.ptr(SERVER, f"{HOSTNAME}."), f"{HOSTNAME}. A {SERVER}\n",
    world.ptr(SERVER6, "six.example.net."), f"six.example.net. AAAA {SERVER6}\n",
    f"{HOSTNAME}. AAAA {SERVER6}\n", "other.example.net. A 192.0.2.77\n",
    f"alias.example.net. A {SERVER}\n", f"example.net. MX 10 {HOSTNAME}.\n",
    world.broken("broken.example.net"),
])


@pytest.fixture(scope="module")
def network():
    if os.geteuid() != 0:
        pytest.skip("not root: port 25 is in a network namespace of its own")
    made = Network([f"{CLIENT}/24", "2001:db8::1/64"])
    yield made
    made.close()


@pytest.fixture
def check(network, directory):
    (directory / "zone").write_text(ZONE)
    conf = directory / "smtp.conf"
    conf.write_text(f'dns {{ zone-file = "{directory}/zone" }}\ncontrol = "none"\nstate-dir = "none"\n'
                    'own-names = {"mx.own.example"}\n')

    def run(*args, side=1):
        return subprocess.run(network.argv([daemon.program("iprevctl"), "check", *args, "-c", conf], side),
                              capture_output=True, text=True, timeout=120, check=False,
                              errors="backslashreplace", stdin=subprocess.DEVNULL)
    return run


class Server:
    """Says its lines on each connection: the greeting, then one for each line that it hears.  What it heard is in
    .heard."""

    def __init__(self, network, *says):
        self.says, self.heard = says, []
        self.listener = network.listen(SERVER, 25)
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                try:
                    for text in self.says:
                        connection.sendall(text)
                        self.heard.append(lines.readline())
                    if not self.says:
                        lines.readline()  # silence, until the client goes
                except OSError:
                    pass


def smtp_of(done):
    assert done.stderr == "", done.stderr
    [got] = [json.loads(line) for line in done.stdout.splitlines()]
    return got["smtp"]


def test_postfix(network, check):
    require_mta("postfix")
    services = "".join(f"{where}:25 inet n - n - - smtpd\n" for where in (SERVER, f"[{SERVER6}]"))
    with Postfix(network=network, services=services):
        done = check("--mx", "example.net", "--smtp", "--json")
        four, six = [json.loads(line) for line in done.stdout.splitlines()]
        for got, fit in ((four, "ptr"), (six, "address")):
            assert got["smtp"] == {
                "failure": None, "greeting": {"code": 220, "text": f"{HOSTNAME} ESMTP Postfix"},
                "ehlo": {"code": 250, "text": HOSTNAME}, "names": [{"name": HOSTNAME, "fit": fit}]}
        out = check(SERVER, "--smtp").stdout
        assert f"\nport 25    220 {HOSTNAME} ESMTP Postfix\n           to EHLO: 250 {HOSTNAME}\n" in out
        assert f"{HOSTNAME} is the PTR name.\n" in out
        assert "This is what it says when it receives." in out
    assert check(SERVER).stdout.count("port 25") == 0


@pytest.mark.parametrize("greeting, ehlo, names", [
    (b"220 other.example.net ESMTP\r\n", b"250 other.example.net\r\n", {"other.example.net": "elsewhere"}),
    (b"220 alias.example.net\r\n", b"250 alias.example.net\r\n", {"alias.example.net": "address"}),
    (b"220 none.example.net\r\n", b"250 none.example.net\r\n", {"none.example.net": "unresolved"}),
    (b"220 x.broken.example.net\r\n", b"250 x.broken.example.net\r\n", {"x.broken.example.net": "unknown"}),
    (b"220-" + HOSTNAME.encode() + b" hello\r\n220 ready\r\n", b"250-other.example.net\r\n250-SIZE\r\n250 HELP\r\n",
     {HOSTNAME: "ptr", "other.example.net": "elsewhere"}),
    (b"220 ***\r\n", b"250 localhost\r\n", {}),
    (b"220 " + HOSTNAME.encode() + b"\r\n", b"502 5.5.2 no\r\n", {HOSTNAME: "ptr"}),
])
def test_names_are_compared(network, check, greeting, ehlo, names):
    with Server(network, greeting, ehlo) as server:
        got = smtp_of(check(SERVER, "--smtp", "--json"))
    assert {entry["name"]: entry["fit"] for entry in got["names"]} == names
    assert got["failure"] is None and got["ehlo"]["code"] == int(ehlo[:3])
    assert server.heard == [f"EHLO [{CLIENT}]\r\n".encode(), b"QUIT\r\n"]


@pytest.mark.parametrize("says, failure", [
    ((b"SSH-2.0-OpenSSH_9.2\r\n",), "what it says is not SMTP"),
    ((b"\x1b[2J\0\xff" * 10000,), "what it says is not SMTP"),
    ((b"220-x\r\n" * 10000,), "what it says is not SMTP"),
    ((b"450 4.7.1 \x1b[2J try again later\r\n",), "it takes no mail from here"),
    ((b"554 5.7.1 no\r\n",), "it takes no mail from here"),
    ((), "it says nothing within 10 seconds"),
], ids=["ssh", "garbage", "endless", "deferred", "refused", "silent"])
def test_failures_are_notes(network, check, says, failure):
    with Server(network, *says):
        done = check(SERVER, "--smtp", "--json")
        assert done.returncode == 0 and smtp_of(done)["failure"] == failure
        if failure != "it says nothing within 10 seconds":
            done = check(SERVER, "--smtp")
            assert f"note: {failure}." in " ".join(done.stdout.split()) and "\x1b" not in done.stdout
            assert done.returncode == 0


def test_no_server(check):
    done = check(SERVER, "--smtp")
    assert done.returncode == 0 and done.stderr == ""
    assert "\nport 25    note: no connection: Connection refused." in done.stdout
    assert "verdict    accept" in done.stdout
    assert smtp_of(check(SERVER, "--smtp", "--json")) == {
        "failure": "no connection: Connection refused", "greeting": None, "ehlo": None, "names": []}


def test_nothing_is_connected_to_unless_asked_for(network, check):
    with Server(network, b"220 x\r\n") as server:
        assert smtp_of(check(SERVER, "--json")) is None
        assert server.heard == []
