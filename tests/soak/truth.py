# SPDX-License-Identifier: BSD-2-Clause
"""What may have been the case at any moment.

While a configuration is being read again, two are possible; while a server is away, "down" and "up"
are (what is cached does not feel it).  A session is judged by all that was possible while it ran.
"""

import threading
import time

REMEMBERED_SECONDS = 300


class Truth:
    def __init__(self, **aspects):
        self.lock = threading.Lock()
        self.history = {}
        for aspect, value in aspects.items():
            self.set(aspect, value)

    def set(self, aspect, *values):
        """From now on one of these is the case."""
        now = time.monotonic()
        with self.lock:
            history = self.history.setdefault(aspect, [])
            history.append((now, frozenset(values)))
            while len(history) > 1 and history[1][0] < now - REMEMBERED_SECONDS:
                history.pop(0)

    def possible(self, aspect, since, until):
        """Everything that may have been the case between two moments."""
        with self.lock:
            history = list(self.history.get(aspect, ()))
        values = set()
        for i, (begun, possible) in enumerate(history):
            ended = history[i + 1][0] if i + 1 < len(history) else until
            if begun <= until and ended >= since:
                values |= possible
        return values

    def now(self, aspect):
        now = time.monotonic()
        return self.possible(aspect, now, now)
