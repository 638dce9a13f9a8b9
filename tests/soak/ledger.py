# SPDX-License-Identifier: BSD-2-Clause
"""The decision log against what the clients were told: one line a decision, with the same action."""

import collections
import json
import os
import threading
import time

SETTLE_SECONDS = 15  # then a line that is not there is missing
LAG_SECONDS = 2      # between a decision and its line
BURST_SENDER = "a@example.org"  # bench/milterload's


class Ledger:
    def __init__(self, path, truth, fault):
        self.path, self.truth, self.fault = path, truth, fault
        self.lock = threading.RLock()
        self.stream, self.rest = None, b""
        self.told = collections.defaultdict(list)  # sender: (action, when it was read)
        self.visits = collections.deque()          # (ended, sender, began, verdict, wanted)
        self.lines = self.torn = self.lost = self.burst_lines = 0

    def visited(self, sender, began, verdict, wanted):
        """wanted: how many lines may be there."""
        with self.lock:
            self.visits.append((time.monotonic(), sender, began, verdict, wanted))

    # --- reading ---

    def read(self):
        """What was written since; follows the file when it was moved away and opened anew."""
        with self.lock:
            if self.stream is None:
                self.stream = self.open()
            if self.stream is None:
                return
            if os.fstat(self.stream.fileno()).st_size < self.stream.tell():
                self.stream.seek(0)
            new = self.open()
            moved = new is not None and not os.path.samestat(os.fstat(new.fileno()),
                                                             os.fstat(self.stream.fileno()))
            self.take(self.stream.read())  # the daemon writes no more to one that was moved
            if moved:
                self.stream.close()
                self.stream, new = new, None
                self.take(b"\n" if self.rest else b"")
                self.take(self.stream.read())
            if new is not None:
                new.close()

    def open(self):
        try:
            return open(self.path, "rb")
        except FileNotFoundError:
            return None

    def truncate(self):
        """As logrotate's copytruncate, between two looks of ours."""
        with self.lock:
            self.read()
            os.truncate(self.path, 0)
            self.stream.seek(0)

    def take(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        now = time.monotonic()
        for line in filter(None, lines):
            try:
                said = json.loads(line)
                sender, action = said["sender"] or "", said["action"]
            except (ValueError, KeyError, TypeError):
                self.torn += 1
                if "lost" not in self.truth.possible("lines", now - LAG_SECONDS, now):
                    self.fault(f"a line of the decision log that is none: {line[:200]!r}")
                continue
            self.lines += 1
            sender = sender.strip("<>")
            if sender == BURST_SENDER:
                self.burst_lines += 1
            else:
                self.told[sender].append((action, now))

    # --- judging ---

    def settle(self, everything=False):
        self.read()
        with self.lock:
            while self.visits and (everything or
                                   self.visits[0][0] < time.monotonic() - SETTLE_SECONDS):
                self.compare(*self.visits.popleft())
            known = {visit[1] for visit in self.visits}
            late = time.monotonic() - 4 * SETTLE_SECONDS
            for sender, lines in list(self.told.items()):
                if sender not in known and (everything or lines[0][1] < late):
                    self.fault(f"the decision log has lines about nobody: {sender} {lines}")
                    del self.told[sender]

    def compare(self, ended, sender, began, verdict, wanted):
        actions = [action for action, _ in self.told.pop(sender, ())]
        if len(actions) not in wanted:
            if not actions and "lost" in self.truth.possible("lines", began, ended + LAG_SECONDS):
                self.lost += 1
            else:
                self.fault(f"{sender}: {len(actions)} lines in the decision log, not "
                           f"{' or '.join(map(str, sorted(wanted)))}: {actions}, verdict {verdict}")
        elif actions and verdict is not None and actions[0] != verdict:
            self.fault(f"{sender} was told {verdict}, the decision log has {actions}")
