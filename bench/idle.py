# SPDX-License-Identifier: BSD-2-Clause
"""Memory of sessions that wait after EHLO."""

import subprocess
import time

from bench.common import note, table

COUNTS = (1000, 2000, 5000, 10000)
SETTLE_S = 1  # until the last of them has been read


def one(bench, count):
    """(sessions under way, why no more, KiB before, KiB with them, threads)"""
    ours = bench.iprevd("unix")
    before = ours.memory_kib()
    load = subprocess.Popen([bench.build / "bench/milterload", "-s", ours.spec, "-c", str(count),
                             "-n", str(count), "-a", "10.0.0.1/10000", "-i"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _, reached, why = load.stdout.readline().split(maxsplit=2)
    time.sleep(SETTLE_S)
    after, threads = ours.memory_kib(), ours.memory_kib("Threads")
    load.communicate("")
    ours.stop()
    return int(reached), why.strip(), before, after, threads


def idle(bench):
    rows = []
    for count in COUNTS:
        note(f"idle: {count} sessions")
        reached, why, before, after, threads = one(bench, count)
        rows.append([f"{reached:,}" + ("" if reached == count else f" of {count:,}: {why}"),
                     f"{before / 1024:.1f}", f"{after / 1024:.1f}",
                     f"{(after - before) / max(reached, 1):.2f}", threads])
    return table(["sessions after EHLO", "MiB before", "MiB with them", "KiB a session",
                  "threads"], rows)
