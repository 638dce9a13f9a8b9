# SPDX-License-Identifier: BSD-2-Clause
"""The cache and the tables by themselves: programs of their own."""

from bench.common import note, run_text


def fenced(text):
    return "```\n" + text.rstrip("\n") + "\n```\n"


def cache(bench):
    note("cache: bytes, hit rates, speed")
    return fenced(run_text(bench, "bench/cache", "0.5" if bench.quick else "2"))


def tables(bench):
    note("tables: cidr and pcre")
    return fenced(run_text(bench, "bench/tables"))
