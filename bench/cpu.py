# SPDX-License-Identifier: BSD-2-Clause
"""
CPU time a session, which is steadier on a busy machine than a rate: against a filter that does
nothing, and cold against warm.  Where $IPREVD_AGAINST names the build directory of another version,
it does the same work in the same run.
"""

import os
import pathlib

from bench.cold import start_nsd
from bench.common import Unmeasured, median, note, shown, table

SESSIONS = 5000


def other_build(program="iprevd"):
    """The build of another version, which has the program; None: there is none to compare with."""
    named = os.environ.get("IPREVD_AGAINST")
    if not named:
        return None
    build = pathlib.Path(named).resolve()
    if not (build / program).exists():
        raise Unmeasured(f"there is no {program} in {build}")
    return build


def spent_us(bench, program, sessions, *options):
    """CPU time of the program a session."""
    before = program.cpu_seconds()
    done = bench.load(program.spec, "-n", sessions, *options)
    if done["broken"]:
        raise Unmeasured(f"{done['broken']} sessions broke")
    return (program.cpu_seconds() - before) / sessions * 1e6


def row(first, ours, against):
    """Our figure, and each other one with the ratio of the two."""
    cells = [*first, f"{median(ours):.1f}"]
    for other in against:
        cells += [f"{median(other):.1f}", shown(list(zip(ours, other)))] if other else ["-", "-"]
    return cells


def warm(bench):
    """Answers that are all cached."""
    other, rows = other_build(), []
    for kind in ("inet", "unix"):
        programs = [bench.iprevd(kind), bench.noop(kind)]
        if other:
            programs.append(bench.iprevd(kind, build=other))
        for program in programs:
            bench.load(program.spec, "-n", 100)
        for at_a_time in (1, 16, 100, 1000):
            note(f"cpu-warm: {kind}, {at_a_time} at a time")
            runs = [[spent_us(bench, program, bench.many(SESSIONS), "-c", at_a_time)
                     for program in programs] for _ in range(bench.rounds)]
            columns = list(zip(*runs))
            rows.append(row([kind, at_a_time], columns[0], columns[1:]))
        for program in programs:
            program.stop()
    head = ["socket", "at a time", "iprevd µs", "no-op µs", "ratio"]
    return table(head + (["other version µs", "ratio"] if other else []), rows)


def cold(bench):
    """Clients that are all new, each with a PTR question of its own, beside warm ones."""
    other = other_build()
    nsd, port = start_nsd(bench)
    section = f'dns {{ nameservers = {{"127.0.0.1:{port}"}} }}'
    builds = {"iprevd": bench.build} | ({"other version": other} if other else {})
    warm_us, cold_us = {name: [] for name in builds}, {name: [] for name in builds}
    try:
        for turn in range(bench.rounds):
            for name, build in builds.items():
                note(f"cpu-cold: {name}, round {turn + 1}")
                program = bench.iprevd("inet", section, build=build)
                bench.load(program.spec, "-n", 100)
                many = bench.many(SESSIONS)
                warm_us[name].append(spent_us(bench, program, many, "-c", 100))
                cold_us[name].append(spent_us(bench, program, many, "-c", 100, "-a", "10.2.0.0/60000"))
                program.stop()
    finally:
        nsd.terminate()
        nsd.wait()
    rows = [[name, f"{median(warm_us[name]):.1f}", f"{median(cold_us[name]):.1f}",
             shown(list(zip(cold_us[name], warm_us[name])))] for name in builds]
    text = table(["", "warm µs", "cold µs", "ratio"], rows)
    if other:
        pairs = list(zip(cold_us["iprevd"], cold_us["other version"]))
        text += f"\ncold, of the other version's: {shown(pairs)}\n"
    return text
