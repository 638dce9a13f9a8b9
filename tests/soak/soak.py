# SPDX-License-Identifier: BSD-2-Clause
"""
Drives sessions for a set time while everything else happens: reloads of good and broken
configurations, DNS outages, resolv.conf and tables replaced, log rotation, control commands, metrics
scrapes, clients that hang up, kill -9 and restarts.  What must hold all the time:

    every session is answered, and cut off only by the daemon's end
    every client gets a verdict that is right for it: see clients.py
    the decision log has one line a decision, with the same action
    what iprevctl was answered for is there after kill -9
    nothing grows: descriptors, threads, memory
    no sanitizer has anything to say

Sessions and the order of what happens follow from the seed.
"""

import argparse
import collections
import contextlib
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "integration")]

import daemon
import faults
import watch
from clients import HungUp, Plan, Visitor, kind_named
from ledger import Ledger
from milterclient import MilterError, play
from stage import Stage
from truth import Truth

WORKERS = 24
CONNECT_SECONDS = 60
STALL_SECONDS = 0.7       # an answer may come too late when the machine itself pauses for so long
EXCUSED_SECONDS = 5
FAULTS_SHOWN = 20
CALM_SHARE = 0.6          # of the time, without the daemon's end: there growth is measured
QUIET_SECONDS = 12


class Soak:
    def __init__(self, options, directory):
        self.options = options
        self.rng = random.Random(options.seed)
        self.truth = Truth(config="enforce", dns="up", life="up", lines="kept", partners="out")
        self.config, self.exempt, self.counted, self.uses = "enforce", set(), {}, []
        self.burst, self.burst_sessions = options.burst, 0
        self.faults, self.lock = [], threading.Lock()
        self.happened = collections.Counter()
        self.verdicts = collections.Counter()
        self.kinds = collections.Counter()
        self.number = self.active = self.reconnects = self.cut = self.rude = self.stalls = 0
        self.stalled = 0
        self.idle = threading.Condition(self.lock)
        self.gate = threading.Event()
        self.over = threading.Event()
        self.doing = "start"
        self.stage = Stage(directory, self.truth, self.fault)
        self.ledger = Ledger(self.stage.directory / "decisions.json", self.truth, self.fault)

    def fault(self, text):
        with self.lock:
            self.faults.append(f"[{time.monotonic() - self.begun:.0f} s, {self.doing}] {text}")
        if self.options.stop:
            self.over.set()

    # --- sessions ---

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def connect(self, plan):
        """As an MTA: again, when the daemon is away."""
        end = time.monotonic() + CONNECT_SECONDS
        while True:
            tried = time.monotonic()
            try:
                return Visitor(self.stage.daemon.spec, plan), tried
            except (OSError, MilterError) as error:
                now = time.monotonic()
                if "down" not in self.truth.possible("life", tried, now) or now > end:
                    raise MilterError(f"no connection: {error}") from error
            with self.lock:
                self.reconnects += 1
            time.sleep(0.05)

    def visit(self, plan):
        """One session from begin to end.  Returns its Result, or None when there is none."""
        began, result = time.monotonic(), None
        wanted = {1} if plan.kind.name != "user" else {0}
        try:
            connection, began = self.connect(plan)
            try:
                result = play(connection, **plan.session())
            finally:
                connection.quit()
        except HungUp:
            wanted |= {0}
            with self.lock:
                self.rude += 1
        except TimeoutError:
            self.fault(f"{plan.sender} ({plan.kind}): not answered in {plan.patience} s")
        except (OSError, MilterError) as error:
            wanted |= {0}
            with self.lock:
                self.cut += 1
            if "down" not in self.truth.possible("life", began, time.monotonic()):
                self.fault(f"{plan.sender} ({plan.kind}): cut off: {error!r}")
        self.judge(plan, began, result, wanted)
        return result

    def judge(self, plan, began, result, wanted):
        ended = time.monotonic()
        verdict = result.verdict if result else None
        right = plan.verdicts(self.truth, began, ended)
        if result and verdict not in right and not self.excused(verdict, began):
            self.fault(f"{plan.sender} {plan.client} ({plan.kind}) after {ended - began:.1f} s: "
                       f"{verdict} {result.text[:200]!r}, right would be {' or '.join(sorted(right))}")
        self.ledger.visited(plan.sender, began, verdict, wanted)
        with self.lock:
            self.verdicts[verdict or "none"] += 1
            self.kinds[plan.kind.name] += 1

    def excused(self, verdict, began):
        """The machine stood still: answers of its name servers came too late, for all to see."""
        if verdict not in ("tempfail", "tag"):
            return False
        time.sleep(2 * STALL_SECONDS)  # until feel_stalls() has noticed
        return self.stalled > began - EXCUSED_SECONDS

    def probe(self):
        """Whether a good client that never was there before is found to be one."""
        number = self.next_number()
        plan = Plan(self.options.seed, number)
        plan.kind, plan.leave_at, plan.pause = kind_named("good"), 0, 0
        for server in self.stage.servers:
            plan.client, plan.name = server.probe(number)
        result = self.visit(plan)
        return result is not None and "iprev=pass" in (result.field("Authentication-Results") or "")

    def work(self):
        """One of the MTA's processes."""
        pace = WORKERS / self.options.rate
        time.sleep(random.random() * pace)
        while not self.over.is_set():
            due = time.monotonic() + pace
            self.gate.wait()
            with self.lock:
                if not self.gate.is_set():
                    continue
                self.active += 1
            try:
                self.visit(Plan(self.options.seed, self.next_number()))
            except Exception as error:  # a mistake of ours must not look like success
                self.fault(f"the driver itself: {error!r}")
            finally:
                with self.lock:
                    self.active -= 1
                    self.idle.notify_all()
            self.over.wait(max(due - time.monotonic(), 0))

    @contextlib.contextmanager
    def held(self):
        """Sessions under way end, no new one begins."""
        self.gate.clear()
        with self.lock:
            while self.active:
                self.idle.wait()
        yield
        self.gate.set()

    def feel_stalls(self):
        """When this machine itself stands still, answers of its name servers are late."""
        last = time.monotonic()
        while not self.over.wait(0.1):
            now = time.monotonic()
            if now - last > STALL_SECONDS:
                self.stalls += 1
                self.stalled = now
            last = now

    # --- the run ---

    def happen(self, fault):
        self.doing = fault.__name__.replace("_", " ")
        try:
            if fault(self) is None:
                self.happened[self.doing] += 1
        except AssertionError as error:
            self.fault(f"{fault.__name__}: {str(error)[:3000]}")
        except OSError as error:
            self.fault(f"{fault.__name__}: {error!r}")
        self.doing = "sessions"

    def run(self):
        self.begun = time.monotonic()
        self.stage.start()
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(WORKERS)]
        threads += [threading.Thread(target=self.feel_stalls, daemon=True),
                    threading.Thread(target=self.show, daemon=True)]
        for thread in threads:
            thread.start()
        self.gate.set()
        self.events(self.begun + self.options.time)
        self.happen(faults.quiet)
        self.over.set()
        self.gate.set()
        for thread in threads:
            thread.join(60)
        try:
            self.stage.stop()
        except AssertionError as error:
            self.fault(str(error)[-3000:])
        self.stage.read_log()
        self.ledger.settle(everything=True)
        self.judge_burst_lines()
        self.judge_growth()
        for server in self.stage.servers:
            if server.udp is not None:
                server.stop()

    def events(self, end):
        calm_until = self.begun + CALM_SHARE * self.options.time
        quiet_due = time.monotonic() + QUIET_SECONDS
        bag = []
        while not self.over.is_set() and time.monotonic() < end:
            if not bag:
                ends = faults.ENDS if time.monotonic() > calm_until else []
                bag = faults.CALM + ends
                self.rng.shuffle(bag)
            self.happen(bag.pop())
            self.ledger.settle()
            if time.monotonic() > quiet_due:
                self.happen(faults.quiet)
                quiet_due = time.monotonic() + QUIET_SECONDS
            self.over.wait(min(self.rng.uniform(0.1, 2), max(end - time.monotonic(), 0)))

    def judge_burst_lines(self):
        """Each of those sessions has the same sender: they are only counted."""
        if self.ledger.burst_lines > self.burst_sessions:
            self.fault(f"{self.ledger.burst_lines} lines for {self.burst_sessions} sessions of bursts")

    def judge_growth(self):
        memory = not watch.sanitized(daemon.program())
        for uses in watch.by_process(self.uses):
            for said in watch.grown(uses, memory):
                self.fault(f"process {uses[0].pid}: {said}")

    # --- what is shown ---

    def show(self):
        if not sys.stderr.isatty():
            return
        while not self.over.wait(0.5):
            line = (f"{time.monotonic() - self.begun:5.0f} s of {self.options.time}: {self.number:,} sessions, "
                    f"{len(self.faults)} faults; {self.doing}")
            print(f"\r\033[K{line[:shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr)
        print("\r\033[K", end="", file=sys.stderr)

    def summary(self):
        took = time.monotonic() - self.begun
        count = lambda counter: ", ".join(f"{value:,} {key}" for key, value in sorted(counter.items()))
        own = os.times()
        print(f"seed {self.options.seed}, {took:.0f} s")
        print(f"sessions       {self.number + self.burst_sessions:,}, of them {self.burst_sessions:,} in "
              f"bursts; {self.rude:,} left in the middle, {self.cut} cut off by the daemon's end, "
              f"{self.reconnects} connects were tried again")
        print(f"verdicts       {count(self.verdicts)}")
        print(f"clients        {count(self.kinds)}")
        print(f"what happened  {count(self.happened)}")
        print(f"decision log   {self.ledger.lines:,} lines, {self.ledger.lost} may have been lost and "
              f"were, {self.ledger.torn} torn")
        for uses in watch.by_process(self.uses):
            print(f"process        {uses[-1].at - uses[0].at:.0f} s: from {uses[0]} to {uses[-1]}, "
                  f"{watch.slope(uses):+.0f} KiB a minute")
        print(f"processor      daemon {100 * self.stage.cpu / took:.0f} %, driver and name server "
              f"{100 * (own.user + own.system + own.children_user + own.children_system - self.stage.cpu) / took:.0f} %"
              f"; the machine stood still {self.stalls} times")
        for fault in self.faults[:FAULTS_SHOWN]:
            print(f"FAULT {fault}")
        print(f"{len(self.faults)} faults")


def main():
    parser = argparse.ArgumentParser(prog="tests/soak/run", description="See the beginning of soak.py.")
    parser.add_argument("--time", type=int, default=600, help="seconds (default: 600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=30, help="sessions a second (default: 30)")
    parser.add_argument("--burst", type=int, default=1000, help="sessions of a burst")
    parser.add_argument("--build", help="the build directory (default: where you are)")
    parser.add_argument("--stop", action="store_true", help="end at the first fault")
    parser.add_argument("--keep", action="store_true", help="keep the directory with all files")
    options = parser.parse_args()
    if options.build:
        os.environ["top_builddir"] = str(pathlib.Path(options.build).resolve())
    directory = tempfile.mkdtemp(prefix="iprevd-soak-")
    soak = Soak(options, directory)
    try:
        soak.run()
    finally:
        soak.stage.daemon.kill()
        soak.summary()
        if options.keep:
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if soak.faults else 0)


if __name__ == "__main__":
    main()
