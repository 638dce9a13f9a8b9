# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl check for who wants to know about one's own servers: many at a time, and where they are found."""

import json
import os
import pty
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
