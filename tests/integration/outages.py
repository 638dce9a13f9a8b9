#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What clients get, and how soon it is right again, when the uplink of a resolver is cut for a while: iprevd and the
distribution's resolvers in network namespaces of their own, one after another or those that are named.

    outages.py [--build DIR] [--cut SECONDS] [RESOLVER...]

Each second four clients of different networks come, new ones and, after the cut, those that were deferred in it.
Prints a line a resolver for doc/reliability.md."""

import argparse
import os
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
import dnslab  # noqa: E402
from daemon import Daemon  # noqa: E402
from milterclient import MilterClient  # noqa: E402

NETWORKS = range(30, 250)
EVERY_S = 0.25
BEFORE_S, AFTER_S = 5, 40
RESOLVER = dnslab.RESOLVER
RESOLVERS = {
    "unbound": lambda lab: lab.unbound("unbound", RESOLVER),
    "named": lambda lab: lab.named("named", RESOLVER),
    "kresd": lambda lab: lab.kresd("kresd", RESOLVER),
    "pdns": lambda lab: lab.pdns("pdns", RESOLVER),
    "dnsmasq": lambda lab: lab.unbound("unbound", "127.0.0.12") and
               lab.dnsmasq("dnsmasq", RESOLVER, "--server=127.0.0.12"),
}


def add_clients():
    """A client in each network, which passes."""
    dnslab.ZONES["20.in-addr.arpa"] += "".join(
        f"{host}.0.{net} PTR c{net}-{host}.good.com.\n" for net in NETWORKS for host in (1, 2))
    dnslab.ZONES["good.com"] += "".join(
        f"c{net}-{host} A 20.{net}.0.{host}\n" for net in NETWORKS for host in (1, 2))


class Sessions:
    """Sessions that go on side by side, and what came of them."""

    def __init__(self, spec):
        self.spec, self.threads, self.all = spec, [], []

    def begin(self, client, kind):
        def run():
            start = time.monotonic()
            verdict = MilterClient(self.spec).session(client=client, helo=f"[{client}]").verdict
            self.all.append((start, time.monotonic() - start, kind, client, verdict))
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join()


def play(lab, sessions, cut_s):
    """Returns when the cut began and ended."""
    fresh = (f"20.{net}.0.{host}" for host in (1, 2) for net in NETWORKS)
    start = time.monotonic()
    cut = restored = None
    returning = None
    while restored is None or time.monotonic() - restored < AFTER_S:
        now = time.monotonic()
        if cut is None and now - start >= BEFORE_S:
            lab.authority_stops()
            cut = now
        if cut is not None and restored is None and now - cut >= cut_s:
            lab.authority_goes_on()
            restored = now
        if restored is not None:
            if returning is None:
                returning = [c for s, _, _, c, v in sessions.all if s > cut and v != "accept"]
            if returning:
                sessions.begin(returning.pop(), "returning")
        client = next(fresh, None)
        if client is not None:
            sessions.begin(client, "new")
        time.sleep(max(0.0, now + EVERY_S - time.monotonic()))
    sessions.join()
    return cut, restored


def last_wrong(sessions, since, kind):
    wrong = [s - since for s, _, k, _, v in sessions if s >= since and k == kind and v != "accept"]
    return f"{max(wrong):.1f} s" if wrong else "at once"


def run(name, build, cut_s):
    with tempfile.TemporaryDirectory() as directory, dnslab.Lab(directory) as lab:
        os.chmod(directory, 0o755)
        RESOLVERS[name](lab)
        os.environ["IPREVD"] = str(build / "iprevd")
        daemon = Daemon(pathlib.Path(directory) / "iprevd", "mode = enforce\n",
                        dns=f'dns {{ nameservers = {{"{RESOLVER}"}} }}',
                        listen=f"unix:{directory}/milter", prefix=lab.prefix)
        daemon.start()
        sessions = Sessions(daemon.spec)
        try:
            cut, restored = play(lab, sessions, cut_s)
        finally:
            daemon.stop()
    inside = [s for s in sessions.all if cut <= s[0] < restored]
    tags = [s[0] - cut for s in inside if s[4] == "tag"]
    later = sorted(s[1] for s in inside if tags and s[0] - cut > min(tags) + 1)
    print(f"| {name} | {sum(s[4] == 'reject' for s in sessions.all)} "
          f"| {min(tags) if tags else 0:.1f} s | {later[len(later) // 2] if later else 0:.2f} s "
          f"| {last_wrong(sessions.all, restored, 'new')} "
          f"| {last_wrong(sessions.all, restored, 'returning')} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=".", type=pathlib.Path)
    parser.add_argument("--cut", default=60, type=float)
    parser.add_argument("resolvers", nargs="*", metavar="RESOLVER")
    given = parser.parse_args()
    add_clients()
    for name in given.resolvers or RESOLVERS:
        run(name, given.build.resolve(), given.cut)


if __name__ == "__main__":
    main()
