# SPDX-License-Identifier: BSD-2-Clause
"""
The benchmarks: builds, measures, and puts the tables where doc/benchmarks.md has a place for them.

    scripts/bench [--quick] [--print] [NAME ...]

Without a NAME everything is measured.  A table's place is between the lines <!-- bench NAME --> and
<!-- end NAME -->.  Figures that cannot be had on this machine leave their reason in its place.
"""

import argparse
import datetime
import os
import pathlib
import platform
import re
import resource
import signal
import subprocess
import sys
import time
import traceback

from bench import cold, cpu, endtoend, farm, growth, idle, micro, peers, replay, sessions
from bench.common import TOP, Bench, Unmeasured, note, table

BENCHMARKS = {
    "warm": (sessions.warm, "warm sessions against a filter that does nothing"),
    "cpu-warm": (cpu.warm, "CPU time of warm sessions against a filter that does nothing"),
    "cpu-cold": (cpu.cold, "CPU time of new clients' sessions against warm ones"),
    "hanging": (sessions.hanging, "healthy clients beside 2,000 whose DNS never answers"),
    "idle": (idle.idle, "memory of up to 10,000 idle sessions"),
    "cold": (cold.cold, "sessions of new clients against dnsperf"),
    "dns-latency": (micro.dns_latency, "latency that DNS adds to a session"),
    "dns-cold": (micro.dns_cold, "lookups of the engine alone against dnsperf"),
    "peers": (peers.peers, "other filters that do the same work"),
    "endtoend": (endtoend.endtoend, "messages a second through a real Postfix"),
    "endtoend-latency": (endtoend.latency, "what an SMTP client waits for"),
    "farm": (farm.farm, "what sessions wait for the hosts of a farm"),
    "cache": (micro.cache, "the cache by itself"),
    "clients": (micro.clients, "the memory of clients by itself"),
    "tables": (micro.tables, "large tables by themselves"),
    "replay": (replay.replay, "iprevctl replay, without DNS"),
    "growth-sessions": (growth.sessions, "1 to 10,000 sessions at a time"),
    "growth-cache": (growth.cache, "1,000 to 5,000,000 records in the cache"),
    "growth-rules": (growth.rules, "1 to 100,000 match rules"),
    "growth-ptr": (growth.ptr, "1 to 10 PTR names a client"),
    "growth-slow": (growth.slow, "0 to 90 % slow clients"),
}
DOCUMENT = TOP / "doc" / "benchmarks.md"


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "not there"


def package_version(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def machine(bench):
    """The machine, the versions and the day."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    commit = first_line("git", "-C", str(TOP), "log", "-1", "--format=%h of %cs")
    return table(["", ""], [
        ["measured", f"{datetime.date.today()}, commit {commit}, {bench.rounds} rounds"],
        ["processor", f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores"],
        ["memory", f"{int(memory.group(1)) / 2**20:.1f} GiB"],
        ["system", f"{system.group(1) if system else '?'}, Linux {platform.release()}"],
        ["iprevd", first_line(bench.build / "iprevd", "-V")],
        ["libmilter, ldns, libevent", ", ".join(map(package_version, (
            "libmilter1.0.1", "libldns3", "libevent-2.1-7")))],
        ["compiler", first_line("gcc", "--version")],
    ])


def replace(text, name, body):
    """The document with another table between its markers; None: it has no such place."""
    pattern = re.compile(rf"(<!-- bench {re.escape(name)} -->\n).*?(<!-- end {re.escape(name)} -->)",
                         re.DOTALL)
    if not pattern.search(text):
        return None
    return pattern.sub(lambda found: f"{found[1]}\n{body}\n{found[2]}", text, count=1)


def publish(name, body, to_document):
    if to_document:
        text = replace(DOCUMENT.read_text(), name, body)
        if text is not None:
            DOCUMENT.write_text(text)
            return
    print(f"## {name}\n\n{body}", flush=True)


def measure(bench, name, log):
    """The table of one benchmark, or why there is none; and whether it went well."""
    begin = time.monotonic()
    try:
        body, well = BENCHMARKS[name][0](bench), True
    except Unmeasured as reason:
        body, well = f"Not measured: {reason}.\n", False
    except Exception as error:  # the others are still to be measured
        log.append(traceback.format_exc())
        body, well = f"Not measured: {type(error).__name__}.\n", False
    note(f"{name}: {'measured' if well else body.strip()} ({time.monotonic() - begin:.0f} s)")
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return f"`scripts/bench {name}`\n\n" + body, well


def arguments():
    names = "\n".join(f"  {name:18}{what}" for name, (_, what) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Build, measure, and put the tables into doc/benchmarks.md.",
        epilog=f"what can be measured:\n{names}\n\nEverything takes about ten minutes on two cores.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (everything)")
    parser.add_argument("--quick", action="store_true",
                        help="one round and a tenth of the load: to see that all of it works; prints")
    parser.add_argument("--print", action="store_true", dest="to_output",
                        help="print the tables, change no document")
    parser.add_argument("--build", default=str(TOP / "build-bench"), metavar="DIR",
                        help="where it is built (build-bench)")
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; --help names all")
    return given


def main():
    given = arguments()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    to_document = not (given.to_output or given.quick)
    bench = Bench(given.build, given.quick)
    bench.plots = TOP / "doc" if to_document else bench.build
    log, failed = [], []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # namespaces are taken away
    try:
        publish("machine", machine(bench), to_document)
        for name in given.names or BENCHMARKS:
            body, well = measure(bench, name, log)
            publish(name, body, to_document)
            if not well:
                failed.append(name)
    finally:
        bench.close()
    for text in log:
        print(text, file=sys.stderr)
    if failed:
        raise SystemExit("not measured: " + ", ".join(failed))


if __name__ == "__main__":
    main()
