# SPDX-License-Identifier: BSD-2-Clause
"""
What the daemon holds after many sessions and reloads, compared with what it held near their
beginning: resident memory, descriptors, threads.  With --valgrind the same with fewer of both under
memcheck, which also tells what is unreachable at the end.

Half of the sessions are of clients whose answers are in the cache, half of such as must be asked for:
more addresses than the cache may hold.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent / "integration")]

import daemon
import watch

PARTS = 20  # the first one is warm-up
ZONE = "$ORIGIN .\n$TTL 3600\n*.10.in-addr.arpa. PTR mail.example.org.\nmail.example.org. A 10.0.0.1\n"
CONFIG = """mode = {mode}
local-networks = {{"127.0.0.0/8"}}
control = "{directory}/control"
state-dir = "{directory}"
decision-log = "/dev/null"
max-sessions = 1000
cache {{ size = "4M" }}
policy "default" {{ check ptr-mismatch {{ action = tag }} }}
match "partners" {{ client = {{"cidr:{directory}/partners.cidr"}}  policy = "none" }}
"""


def load(running, sessions, addresses):
    done = subprocess.run([daemon.program("bench/milterload"), "-s", running.spec, "-c", "16",
                           "-n", str(sessions), "-a", f"10.1.0.0/{addresses}"],
                          capture_output=True, text=True, check=True)
    got = json.loads(done.stdout)
    assert got["accepted"] == sessions, got


def reload(running, config, times):
    for i in range(times):
        running.write_config(config.replace("{mode}", ("enforce", "monitor")[i % 2]))
        mark = running.log_path.stat().st_size
        running.process.send_signal(signal.SIGHUP)
        daemon.wait_until("the reload", lambda: b"read again (" in running.log_path.read_bytes()[mark:])
    os.truncate(running.log_path, 0)  # a million lines


def part(running, config, sessions, reloads):
    load(running, sessions - sessions // 2, 1)
    load(running, max(sessions // 2, 1), 200000)
    reload(running, config, reloads)


def shown(label, use):
    print(f"{label:>12}  {use.rss_kib:8} KiB  {use.descriptors:4} descriptors  {use.threads:4} threads",
          flush=True)


def run(options, directory):
    (directory / "partners.cidr").write_text("192.0.2.0/24 OK\n2001:db8::/32 OK\n")
    config = CONFIG.replace("{{", "{").replace("}}", "}").replace("{directory}", str(directory))
    running = daemon.Daemon(directory, config.replace("{mode}", "enforce"), zone=ZONE)
    uses, sessions, reloads = [], options.sessions // PARTS, -(-options.reloads // PARTS)
    print(f"{sessions * PARTS:,} sessions, {reloads * PARTS} reloads")
    with running:
        shown("start", watch.measure(running.pid()))
        for i in range(PARTS):
            begun = time.monotonic()
            part(running, config, sessions, reloads)
            uses.append(watch.measure(running.pid()))
            shown(f"{sessions * (i + 1):,}", uses[-1])
    faults = watch.grown(uses, memory=not watch.sanitized(daemon.program()))
    print(f"{watch.slope(uses[1:]):+.0f} KiB a minute after the first part")
    return faults


def under_valgrind(directory):
    """A program that stands in iprevd's place."""
    path = directory / "iprevd"
    path.write_text(f"#!/bin/sh\nexec valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,"
                    f"indirect,possible --track-fds=no --error-exitcode=99 "
                    f"--suppressions={here.parent}/valgrind.supp {daemon.program()} \"$@\"\n")
    path.chmod(0o755)
    os.environ["IPREVD"] = str(path)


def main():
    parser = argparse.ArgumentParser(prog="tests/soak/run --leaks")
    parser.add_argument("--leaks", action="store_true")
    parser.add_argument("--sessions", type=int, help="default: 1,000,000; 2,000 with --valgrind")
    parser.add_argument("--reloads", type=int, help="default: 100; 20 with --valgrind")
    parser.add_argument("--valgrind", action="store_true", help="a build without sanitizers")
    parser.add_argument("--build", help="the build directory (default: where you are)")
    options = parser.parse_args()
    options.sessions = options.sessions or (2000 if options.valgrind else 1000000)
    options.reloads = options.reloads or (20 if options.valgrind else 100)
    if options.build:
        os.environ["top_builddir"] = str(pathlib.Path(options.build).resolve())
    directory = pathlib.Path(tempfile.mkdtemp(prefix="iprevd-leaks-"))
    try:
        if options.valgrind:
            under_valgrind(directory)
        faults = run(options, directory)
    except AssertionError as error:
        faults = [str(error)[-3000:]]
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
