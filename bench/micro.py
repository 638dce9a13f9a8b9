# SPDX-License-Identifier: BSD-2-Clause
"""The cache, the tables and the DNS engine by themselves: programs of their own."""

import subprocess
import sys

from bench.common import TOP, Unmeasured, note, run_text


def fenced(text):
    return "```\n" + text.rstrip("\n") + "\n```\n"


def cache(bench):
    note("cache: bytes, hit rates, speed")
    return fenced(run_text(bench, "bench/cache", "0.5" if bench.quick else "2"))


def clients(bench):
    note("clients: bytes, speed, a scan")
    return fenced(run_text(bench, "bench/clients"))


def tables(bench):
    note("tables: cidr and pcre")
    return fenced(run_text(bench, "bench/tables"))


def of_dns(bench, part):
    """A table of bench/dns.py, which is a program of its own."""
    note(f"dns: {part}")
    done = subprocess.run([sys.executable, "-B", TOP / "bench" / "dns.py", bench.build, part],
                          stdout=subprocess.PIPE, stderr=bench.log, text=True, check=False,
                          timeout=300)
    if done.returncode != 0:
        raise Unmeasured(f"bench/dns.py {part} ended with {done.returncode}")
    return "\n".join(line for line in done.stdout.splitlines()
                     if line.startswith("|") or line.startswith("ratio")) + "\n"


def dns_latency(bench):
    return of_dns(bench, "latency")


def dns_cold(bench):
    return of_dns(bench, "cold")
