# SPDX-License-Identifier: BSD-2-Clause
"""What happens while sessions run: one function a fault, called with the soak one after another.

Each says in `truth` what may be the case meanwhile, waits until its effect is over, and looks at what
must have come of it.
"""

import json
import re
import shutil
import signal
import socket
import subprocess
import time

import daemon
import watch
from clients import BURST, BURST_NUMBER, address, kind_named
from stage import BROKEN, CONFIGS

# Longer than any question and a probe of the breaker, which has 4 s.
QUIET_S = 6

OUTAGE_SECONDS = (1, 7)
# A question asked during an outage may still fail so long after it: all attempts, then failure-ttl.
LATE_SECONDS = 9
REASON = 'soak "\\ \u00e9\u0001'


# --- configuration and files ---

def reload(soak):
    """Another good configuration, by SIGHUP or iprevctl."""
    new = soak.rng.choice(sorted(CONFIGS))
    soak.stage.read_log()
    soak.stage.config(new)
    soak.truth.set("config", soak.config, new)
    if soak.rng.random() < 0.5:
        soak.stage.signal(signal.SIGHUP)
        soak.stage.logged(r"read again \(")
    else:
        done = soak.stage.ctl("reload")
        if done.returncode != 0:
            soak.fault(f"iprevctl reload: {done.returncode}: {done.stderr[:300]}")
    soak.config = new
    soak.truth.set("config", new)


def broken_reload(soak):
    """A configuration with a mistake in it: the running one stays."""
    label = soak.rng.choice(sorted(BROKEN))
    soak.stage.read_log()
    soak.stage.broken(label)
    if soak.rng.random() < 0.5:
        soak.stage.signal(signal.SIGHUP)
        soak.stage.logged("the configuration was not read again")
    else:
        answer = soak.stage.request(command="reload")[-1]
        if answer.get("ok"):
            soak.fault(f"a broken configuration was taken: {label}")
    soak.stage.config(soak.config)


def table(soak):
    """A table is replaced, sometimes first by one with a mistake: noticed without a signal."""
    old, = soak.truth.now("partners")
    new = "out" if old == "in" else "in"
    if soak.rng.random() < 0.3:
        soak.stage.read_log()
        soak.stage.write(soak.stage.directory / "partners.cidr", "198.18.0.0/77 OK\n")
        soak.stage.logged("the configuration was not read again|198.18.0.0/77")
    soak.truth.set("partners", old, new)
    soak.stage.read_log()
    soak.stage.partners([soak.stage.partner_network()] if new == "in" else [])
    soak.stage.logged(r"read again \(")
    soak.truth.set("partners", new)


# --- DNS ---

def wait_for_dns(soak):
    """Until new names are looked up again and no outage is on."""
    def back():
        return soak.probe() and not soak.stage.status()["dns"]["outage"]
    daemon.wait_until("the DNS to be used again", back, seconds=90)
    time.sleep(LATE_SECONDS)
    soak.truth.set("dns", "up")


def outage(soak, begin, end):
    soak.truth.set("dns", "up", "down")
    begin()
    time.sleep(soak.rng.uniform(*OUTAGE_SECONDS))
    end()
    wait_for_dns(soak)


def dns_killed(soak):
    server = soak.stage.server
    outage(soak, server.stop, server.start)


def dns_black_hole(soak):
    outage(soak, lambda: setattr(soak.stage.server, "blackhole", True),
           lambda: setattr(soak.stage.server, "blackhole", False))


def dns_servfail(soak):
    outage(soak, lambda: setattr(soak.stage.server, "servfail", True),
           lambda: setattr(soak.stage.server, "servfail", False))


def resolv_conf(soak):
    """The system's name server becomes another one."""
    if not soak.stage.own_53:
        return "port 53 is taken"
    old = soak.stage.server
    new = next(server for server in soak.stage.servers if server is not old)
    new.start()
    soak.truth.set("dns", "up", "down")
    soak.stage.point_at(new)
    soak.stage.server = new
    if soak.rng.random() < 0.5:
        time.sleep(4)  # it is looked at every 3 s
    old.stop()
    wait_for_dns(soak)
    return None


# --- logs ---

def rotate(soak):
    path = soak.ledger.path
    moved = path.with_suffix(".1")
    path.rename(moved)
    soak.stage.signal(signal.SIGUSR1)
    daemon.wait_until("a new decision log", path.exists)
    soak.ledger.read()
    moved.unlink()


def copytruncate(soak):
    soak.truth.set("lines", "kept", "lost")
    shutil.copy(soak.ledger.path, soak.ledger.path.with_suffix(".1"))
    soak.ledger.truncate()
    soak.truth.set("lines", "kept")


# --- control and metrics ---

def control(soak):
    """Every command that looks; their answers make sense."""
    client = address(kind_named("good"), soak.rng.randrange(64))
    status = (soak.stage.ask("status") or [{}])[0]
    if status.get("pid") != soak.stage.daemon.pid() or status["decision_log"]["lost"]:
        soak.fault(f"status: {status}")
    soak.stage.ask("allowed")
    for command in ("cache-dump", "cache-get", "cache-flush"):
        answer = soak.stage.request(command=command, name=client)[-1]
        if not answer.get("ok") and answer.get("kind") != "notfound":
            soak.fault(f"{command} {client}: {answer}")
    if soak.stage.ctl("config").returncode != 0:
        soak.fault("iprevctl config failed")


def control_abuse(soak):
    """Askers who say nothing, nonsense, or go before the answer."""
    peers = []
    for _ in range(soak.rng.randrange(5, 60)):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        try:
            sock.connect(str(soak.stage.control))
            sock.sendall(soak.rng.choice((b"", b'{"command":', b'{"command":"cache-dump"}\n',
                                          b"\0\xff\n", b"x" * 5000, b'{"command":"status"}\n')))
        except OSError:
            pass  # made room for another one
        peers.append(sock)
    if not soak.stage.status()["ok"]:
        soak.fault("status is not answered while others abuse the socket")
    for sock in peers:
        sock.close()


def metrics(soak):
    values = soak.stage.scrape()
    total = float(values["iprevd_sessions_total"])
    before = soak.counted.get(soak.stage.daemon.pid(), 0)
    if total < before:
        soak.fault(f"iprevd_sessions_total went from {before} to {total}")
    soak.counted[soak.stage.daemon.pid()] = total
    peers = [socket.create_connection(("127.0.0.1", soak.stage.metrics)) for _ in range(20)]
    for sock in peers:
        try:
            sock.sendall(soak.rng.choice((b"", b"GET /", b"\0" * 100, b"GET /metrics HTTP/1.1\r\n")))
        except OSError:
            pass
    soak.stage.scrape()
    for sock in peers:
        sock.close()


def allow(soak):
    """An exception comes into effect at once, or ends."""
    made = sorted(soak.exempt)
    if made and soak.rng.random() < 0.5:
        client = soak.rng.choice(made)
        soak.truth.set(client, "exempt", "judged")
        done = soak.stage.ctl("unallow", client)
        soak.truth.set(client, "judged")
        soak.exempt.discard(client)
    else:
        kind = kind_named(soak.rng.choice(("missing", "mismatch", "generic")))
        client = address(kind, soak.rng.randrange(16))
        soak.truth.set(client, "exempt", "judged")
        done = soak.stage.ctl("allow", client, "--for", "24h", "--reason", REASON)
        soak.truth.set(client, "exempt")
        soak.exempt.add(client)
    if done.returncode != 0 or done.stderr:
        soak.fault(f"allow {client}: {done.returncode}: {done.stderr[:300]}")


# --- many sessions at once ---

def burst(soak):
    """As many sessions as can be, by bench/milterload: every one is accepted."""
    load = daemon.program("bench/milterload")
    done = subprocess.run([load, "-s", soak.stage.daemon.spec, "-c", "32", "-n", str(soak.burst),
                           "-a", f"{BURST}/{BURST_NUMBER}"], capture_output=True, text=True)
    got = json.loads(done.stdout)
    soak.burst_sessions += got["sessions"]
    if got["accepted"] != got["sessions"]:
        soak.fault(f"a burst of good clients: {got}")


# --- quiet, and the end ---

def settled(pid, known):
    """
    The least that it holds for a while, unless it is no more than was known: questions to a silent
    server end in that time, and the spare sockets go after them.
    """
    least = watch.measure(pid)
    end = time.monotonic() + QUIET_S
    while time.monotonic() < end and (not known or least.descriptors > min(known)):
        time.sleep(0.1)
        least = min(least, watch.measure(pid), key=lambda use: use.descriptors)
    return least


def quiet(soak):
    """No session is under way: what does the daemon still hold?"""
    with soak.held():
        daemon.wait_until("no session", lambda: soak.stage.status()["sessions"]["now"] == 0)
        pid = soak.stage.daemon.pid()
        soak.uses.append(settled(pid, [use.descriptors for use in soak.uses if use.pid == pid]))
    soak.stage.read_log()


def check_state(soak):
    """What kill -9 left: the exceptions are whole, and all that were answered for."""
    path = soak.stage.directory / "state/exemptions"
    if not path.exists():
        if soak.exempt:
            soak.fault(f"no exceptions are saved: {soak.exempt}")
        return
    head, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    if head["count"] != len(lines):
        soak.fault(f"{path}: {head['count']} are announced, {len(lines)} are there")
    found = {line["subject"] for line in lines}
    if found != soak.exempt:
        soak.fault(f"{path} has {sorted(found)}, answered for were {sorted(soak.exempt)}")


def start_again(soak):
    check_state(soak)
    soak.stage.read_log()
    soak.stage.start()
    found = {entry["subject"] for entry in soak.stage.ask("allowed") or ()}
    if found != soak.exempt:
        soak.fault(f"after a start {sorted(found)} are allowed, not {sorted(soak.exempt)}")
    text = soak.stage.read_log()
    if re.search(r"state/cache .*: \d+ records", text) and "cache is" not in text:
        soak.fault(f"the saved cache is damaged: {text[-2000:]}")
    soak.truth.set("life", "up")
    soak.truth.set("lines", "kept")


def kill(soak):
    """kill -9, perhaps while an exception is being saved, and a new start."""
    soak.truth.set("life", "up", "down")
    soak.truth.set("lines", "kept", "lost")
    if soak.rng.random() < 0.5:
        soak.stage.request(command="allow", subject="203.0.113.200", seconds=3600, reason="x")
        soak.exempt.add("203.0.113.200")
    soak.stage.kill()
    start_again(soak)


def stop(soak):
    """SIGTERM: sessions under way end; or SIGTERM and, while it saves, kill -9."""
    soak.truth.set("life", "up", "down")
    soak.truth.set("lines", "kept", "lost")
    if soak.rng.random() < 0.5:
        soak.stage.signal(signal.SIGTERM)
        time.sleep(soak.rng.uniform(0, 0.5))
        soak.stage.kill()
    else:
        soak.stage.stop()
    start_again(soak)


CALM = [reload, reload, broken_reload, table, dns_killed, dns_black_hole, dns_servfail, resolv_conf,
        rotate, copytruncate, control, control_abuse, metrics, metrics, allow, allow, burst]
ENDS = [kill, kill, stop]
