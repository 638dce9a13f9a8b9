#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients whose PTR names are of silent zones, in front of a real Unbound as it is shipped: 150 of them, of as many
networks, with ten names and a silent EHLO name each.  Nobody else is deferred, and nothing that the policy refuses
is let in."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import dnslab  # noqa: E402
from daemon import Daemon, program, wait_until  # noqa: E402
from milterclient import MilterClient  # noqa: E402

# Sockets on all the addresses that it is given; nobody reads what they are sent.
SILENCE = """import signal, socket, sys
sockets = []
for address in sys.argv[1:]:
    sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sockets[-1].bind((address, 53))
print("ready", flush=True)
signal.pause()
"""

GREEDY = 150
NAMES = 10
GOOD = 60


def dead_server(number):
    return f"11.66.0.{1 + number}"


def zones(servers):
    greedy, good, com = "", "", "good NS ns1.infra.\n"
    for number in range(GREEDY):
        com += f"dead{number} NS ns.dead{number}\nns.dead{number} A {dead_server(number % servers)}\n"
        for name in range(NAMES):
            greedy += f"1.{number} PTR m{name}.dead{number}.com.\n"
    hosts = ""
    for number in range(GOOD):
        good += f"1.{number} PTR mail{number}.good.com.\n"
        hosts += f"mail{number} A 20.30.{number}.1\n"
    return {**dnslab.ZONES, "20.in-addr.arpa": "66 NS ns1.infra.\n30 NS ns1.infra.\n31 NS ns1.infra.\n",
            "66.20.in-addr.arpa": greedy, "30.20.in-addr.arpa": good, "31.20.in-addr.arpa": "",
            "com": com, "good.com": hosts}


@pytest.fixture(params=[1, GREEDY], ids=["one dead server", "150 dead servers"])
def lab(request, tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("not root: the lab is a network namespace of its own")
    monkeypatch.setattr(dnslab, "ZONES", zones(request.param))
    with dnslab.Lab(tmp_path) as running:
        running.ip("-n", running.name, "route", "add", "local", "11.66.0.0/16", "dev", "lo")
        running.unbound("unbound", dnslab.RESOLVER)
        silence = subprocess.Popen([*running.prefix, sys.executable, "-c", SILENCE,
                                    *map(dead_server, range(request.param))], stdout=subprocess.PIPE)
        running.processes.append(silence)
        assert silence.stdout.readline() == b"ready\n"
        yield running


def session(spec, client, helo, results):
    began = time.monotonic()
    result = MilterClient(spec).session(client=client, helo=helo)
    results.append((client, result.text if result.refusal else "", time.monotonic() - began))


def asked(daemon):
    """How many questions the daemon has sent."""
    done = subprocess.run([program("iprevctl"), "status", "--json", "-c", daemon.config_path], stdout=subprocess.PIPE,
                          check=True)
    return sum(server["queries"] for server in json.loads(done.stdout)["dns"]["servers"])


def test_greedy_clients_hold_up_nobody(lab, tmp_path):
    """The others come when the greedy ones' questions are all with the resolver."""
    spec = f"unix:{tmp_path}/milter"
    dns = f'dns {{ nameservers = {{"{dnslab.RESOLVER}"}} control = "none" }}'
    greedy, good, missing = [], [], []
    with Daemon(tmp_path / "iprevd", f'local-networks = {{}}\ncontrol = "{tmp_path}/control"\n', dns=dns, listen=spec,
                prefix=lab.prefix) as daemon:
        threads = [threading.Thread(target=session, args=(spec, f"20.66.{number}.1",
                                                          f"helo.dead{number}.com", greedy))
                   for number in range(GREEDY)]
        for thread in threads:
            thread.start()
        wait_until("the greedy ones have asked", lambda: asked(daemon) >= 3 * GREEDY)
        for number in range(GOOD):
            session(spec, f"20.30.{number}.1", f"mail{number}.good.com", good)
            session(spec, f"20.31.{number}.1", f"mail{number}.good.com", missing)
        for thread in threads:
            thread.join()
        log = daemon.log
    print(f"the slowest good one {max(took for *_, took in good):.2f} s, "
          f"without PTR {max(took for *_, took in missing):.2f} s")
    assert [row for row in good if row[1]] == []
    assert [row for row in missing if not row[1].startswith("550 5.7.25")] == []
    assert [row for row in greedy if not row[1].startswith("451")] == []
    assert "DNS outage" not in log
