# SPDX-License-Identifier: BSD-2-Clause
"""What the daemon uses, at moments when it has nothing to do, and whether that grows."""

import dataclasses
import os
import pathlib
import re
import time

MORE_DESCRIPTORS = 2  # a TCP connection to a name server that is kept for a while
MORE_THREADS = 4      # libmilter's pool keeps some workers
MORE_KIB = 3072       # resident, over the measured part of a run
POINTS = 4            # fewer say nothing about growth


@dataclasses.dataclass
class Use:
    pid: int
    at: float
    descriptors: int
    threads: int
    rss_kib: int

    def __str__(self):
        return (f"{self.descriptors} descriptors, {self.threads} threads, "
                f"{self.rss_kib / 1024:.1f} MiB")


def measure(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return Use(pid, time.monotonic(), len(os.listdir(f"/proc/{pid}/fd")),
               int(re.search(r"Threads:\s+(\d+)", status).group(1)),
               int(re.search(r"VmRSS:\s+(\d+)", status).group(1)))


def sanitized(program):
    data = pathlib.Path(program).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


def slope(uses):
    """KiB a minute by least squares."""
    mean_at = sum(use.at for use in uses) / len(uses)
    mean = sum(use.rss_kib for use in uses) / len(uses)
    spread = sum((use.at - mean_at) ** 2 for use in uses)
    return 60 * sum((use.at - mean_at) * (use.rss_kib - mean) for use in uses) / spread if spread else 0


def grown(uses, memory=True):
    """[what has grown] from the first to the last of `uses`, the first being after warm-up."""
    first, last = uses[0], uses[-1]
    said = []
    if last.descriptors > first.descriptors + MORE_DESCRIPTORS:
        said.append(f"descriptors grew from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads + MORE_THREADS:
        said.append(f"threads grew from {first.threads} to {last.threads}")
    if memory and last.rss_kib > first.rss_kib + MORE_KIB:
        said.append(f"memory grew from {first.rss_kib} to {last.rss_kib} KiB")
    return said


def by_process(uses):
    """Those of each process that say something: its first one is warm-up."""
    processes = {}
    for use in uses:
        processes.setdefault(use.pid, []).append(use)
    return [given[1:] for given in processes.values() if len(given) > POINTS]
