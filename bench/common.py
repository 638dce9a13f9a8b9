# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: programs that serve, the load against them, ratios and tables."""

import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
START_SECONDS = 20

# Every client of 10/8 has the same name, which leads to one of them only: the policy below lets all
# of them pass with a tag or without.
ZONE = "$ORIGIN .\n$TTL 3600\n*.10.in-addr.arpa. PTR mail.example.org.\nmail.example.org. A 10.0.0.1\n"
CONFIG = """listen = "{spec}"
mode = enforce
local-networks = {{"127.0.0.0/8"}}
control = "none"
state-dir = "none"
max-sessions = 20000
cache {{ size = "256M" }}
policy "default" {{
    check ptr-mismatch {{ action = tag }}
    check ptr-missing {{ action = tag }}
    check helo-mismatch {{ action = accept }}
}}
{dns}
{more}
"""
# What iprevd negotiates at stage rcpt, for the floor.
NOOP_STEPS = {"inet": "nobody,noeoh,nounknown,nr_mail,nr_hdr",
              "unix": "nobody,noeoh,nounknown,nr_mail,nr_hdr,nodata"}


class Unmeasured(Exception):
    """A figure that cannot be had on this machine, and why."""


def note(text):
    """Progress, for whoever watches."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        print("\r\033[K" + text[:width - 1], end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=START_SECONDS):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Unmeasured(f"gave up waiting for {what}")
        time.sleep(0.02)


def connects(spec):
    """Does something listen on a socket in libmilter's syntax?"""
    if spec.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(spec[5:]) == 0
    port, host = re.fullmatch(r"inet:(\d+)@(.*)", spec).groups()
    with socket.socket() as sock:
        return sock.connect_ex((host, int(port))) == 0


class Program:
    """A program that serves on a milter socket.  It ends with this one, however that ends."""

    def __init__(self, command, spec, log, serves=connects):
        self.spec = spec
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def ready():
            if self.process.poll() is not None:
                raise Unmeasured(f"{command[0]} ended with {self.process.returncode}")
            return serves(spec)
        try:
            wait_for(ready, f"{command[0]} on {spec}")
        except Unmeasured:
            self.stop()
            raise

    def memory_kib(self, key="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", status, re.MULTILINE).group(1))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Bench:
    """Where things are built and kept, and how much is to be measured."""

    def __init__(self, build, quick=False):
        self.build = pathlib.Path(build).resolve()
        self.rounds = 1 if quick else 3
        self.quick = quick
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="iprevd-bench-"))
        self.directory.chmod(0o755)
        self.log = open(self.directory / "log", "wb")
        self.count = 0

    def close(self):
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def many(self, count):
        """So many, or a tenth where haste is asked for."""
        return max(count // 10, 1) if self.quick else count

    def spec(self, kind):
        self.count += 1
        return (f"unix:{self.directory}/s{self.count}" if kind == "unix"
                else f"inet:{free_port()}@127.0.0.1")

    def iprevd(self, kind="inet", dns=None, more="", zone=ZONE, inside=(), serves=connects,
               spec=None, build=None):
        """
        A running iprevd that knows `zone`, or asks what the dns section says; `inside`: a command
        that runs it elsewhere; `build`: the one of another version.
        """
        spec = spec or self.spec(kind)
        self.count += 1
        if dns is None:
            path = self.directory / f"zone{self.count}"
            path.write_text(zone)
            dns = f'dns {{ zone-file = "{path}" }}'
        config = self.directory / f"conf{self.count}"
        config.write_text(CONFIG.format(spec=spec, dns=dns, more=more))
        return Program([*inside, (build or self.build) / "iprevd", "-f", "-c", config], spec, self.log, serves)

    def noop(self, kind="inet", inside=(), serves=connects):
        spec = self.spec(kind)
        nodelay = ["-n"] if kind == "inet" else []
        return Program([*inside, self.build / "bench/noop", "-p", spec, "-s", NOOP_STEPS[kind],
                        "-a", *nodelay], spec, self.log, serves)

    def load(self, spec, *options, inside=()):
        """The figures of one run of milterload."""
        done = subprocess.run([*inside, self.build / "bench/milterload", "-s", spec,
                               *map(str, options)], stdout=subprocess.PIPE, check=False,
                              timeout=180)
        if not done.stdout:
            raise Unmeasured(f"milterload ended with {done.returncode} against {spec}")
        result = json.loads(done.stdout)
        if result["broken"]:
            note(f"{result['broken']} of {result['sessions']} sessions broke")
        return result


def ratios(pairs):
    """median, lowest and highest of a/b."""
    each = [a / b for a, b in pairs]
    return statistics.median(each), min(each), max(each)


def shown(pairs):
    return "{:.2f} [{:.2f} .. {:.2f}]".format(*ratios(pairs))


def median(values):
    return statistics.median(list(values))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def run_text(bench, *command):
    """Standard output of a program of the build directory."""
    return subprocess.run([bench.build / command[0], *command[1:]], stdout=subprocess.PIPE,
                          stderr=bench.log, text=True, check=True, timeout=300).stdout
