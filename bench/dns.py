# SPDX-License-Identifier: BSD-2-Clause
"""
The benchmarks of the DNS engine, as ratios and differences in one run:

    python3 bench/dns.py BUILDDIR [latency] [cold] [hanging] > tables.md

Pairs are measured interleaved, ROUNDS times; tables show medians, and in brackets the lowest and the
highest round.  bench/delaydns is the server with a settable delay; nsd, unbound and dnsperf are the
distribution's, and what is not installed is left out.
"""

import json
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
LOOKUPS = 30000
DELAY_MS = 20
CONFIG = """listen = "{spec}"
mode = enforce
local-networks = {{"127.0.0.0/8"}}
control = "none"
state-dir = "none"
max-sessions = 20000
cache {{ size = "256M" }}
dns {{ nameservers = {{"127.0.0.1:{port}"}} }}
"""
SOA = "@ 3600 SOA ns.example.org. root.example.org. 1 3600 600 86400 300\n@ 3600 NS ns.example.org.\n"
# As shipped NSD answers 200 questions a second of one kind and leaves the rest: RRL is for the world.
NSD_CONF = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd"
  zonelistfile: "{directory}/zonelist"
  cookie-secret-file: "{directory}/cookie"
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: 10.in-addr.arpa
  zonefile: reverse
"""
UNBOUND_CONF = """server:
  interface: 127.0.0.1@{port}
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: "{directory}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "10.in-addr.arpa" redirect
  local-data: "10.in-addr.arpa 3600 IN PTR mail.example.org."
remote-control:
  control-enable: no
"""


def note(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spread(values, form="{:.2f}"):
    return f"{form} [{form} .. {form}]".format(statistics.median(values), min(values), max(values))


class Child:
    """A process that ends with its block."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, text=True, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


class Bench:
    def __init__(self, build, directory):
        self.build = pathlib.Path(build).resolve()
        self.directory = pathlib.Path(directory)

    def delaydns(self, *options):
        child = Child([self.build / "bench/delaydns", *options], stdout=subprocess.PIPE)
        child.port = int(child.process.stdout.readline().split()[1])
        return child

    def iprevd(self, port):
        path = self.directory / "iprevd.sock"
        path.unlink(missing_ok=True)
        config = self.directory / "iprevd.conf"
        config.write_text(CONFIG.format(spec=f"unix:{path}", port=port))
        child = Child([self.build / "iprevd", "-f", "-c", config], stdout=subprocess.DEVNULL)
        child.spec = f"unix:{path}"
        end = time.monotonic() + 15
        while time.monotonic() < end and child.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as sock:
                if sock.connect_ex(str(path)) == 0:
                    return child
            time.sleep(0.02)
        raise SystemExit("iprevd does not serve")

    def sessions(self, daemon, *options):
        output = subprocess.run([self.build / "bench/milterload", "-s", daemon.spec, *options],
                                stdout=subprocess.PIPE, check=False).stdout
        return json.loads(output)

    def lookups(self, port, first, *options):
        output = subprocess.run([self.build / "bench/dnsload", "-s", f"127.0.0.1:{port}", "-n",
                                 str(LOOKUPS), "-a", first, *options],
                                stdout=subprocess.PIPE, check=True).stdout
        return json.loads(output)


# ---- latency ----

def latency(bench):
    """What DNS adds to a session: cold clients less the same sessions of a client in the cache."""
    print(f"## Latency that DNS adds to a session, each answer after {DELAY_MS} ms\n")
    print("| dialogue | cold p50 | warm p50 | round trips waited for | added beyond them |\n"
          "|---|---|---|---|---|")
    with bench.delaydns("--delay", str(DELAY_MS)) as server, bench.iprevd(server.port) as ours:
        bench.sessions(ours, "-n", "50", "-a", "203.0.113.1/1")
        net = 0
        for label, pause, trips, count in (("back to back", "0", 2, "200"),
                                           ("30 ms between commands", "30", 0, "8")):
            cold, warm, added = [], [], []
            for _ in range(ROUNDS):
                net += 1
                note(f"latency, {label}")
                options = ("-c", "1", "-n", count, "-d", pause)
                cold.append(bench.sessions(ours, *options, "-a", f"198.{net}.0.1/60000")["p50_ms"])
                warm.append(bench.sessions(ours, *options, "-a", "203.0.113.1/1")["p50_ms"])
                added.append(cold[-1] - warm[-1] - trips * DELAY_MS)
            print(f"| {label} | {statistics.median(cold):.2f} ms | "
                  f"{statistics.median(warm):.2f} ms | {trips} | {spread(added)} ms |")
    print()


# ---- cold lookups ----

def start_nsd(bench):
    port, directory = free_port(), bench.directory
    (directory / "reverse").write_text("$ORIGIN 10.in-addr.arpa.\n" + SOA +
                                       "* 3600 PTR mail.example.org.\n")
    (directory / "nsd.conf").write_text(NSD_CONF.format(port=port, directory=directory))
    child = Child(["nsd", "-d", "-c", directory / "nsd.conf"], stdout=subprocess.DEVNULL)
    child.port = port
    return child


def start_unbound(bench):
    port, directory = free_port(), bench.directory
    (directory / "unbound.conf").write_text(UNBOUND_CONF.format(port=port, directory=directory))
    child = Child(["unbound", "-d", "-c", directory / "unbound.conf"], stdout=subprocess.DEVNULL)
    child.port = port
    return child


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cold_against(bench, name, port):
    queries = bench.directory / "queries"
    queries.write_text("".join(f"{i % 256}.{i // 256 % 256}.1.10.in-addr.arpa PTR\n"
                               for i in range(2 * LOOKUPS)))
    pairs, cpu, one = [], [], []
    for i in range(ROUNDS):
        note(f"cold lookups, {name}")
        before = cpu_s()
        mine = bench.lookups(port, f"10.{i}.0.0")
        cpu.append((cpu_s() - before) / LOOKUPS * 1e6)
        one.append(bench.lookups(port, f"10.{100 + i}.0.0", "-c", "1")["p50_us"])
        output = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-n",
                                 "1"], stdout=subprocess.PIPE, text=True, check=True).stdout
        pairs.append((mine["per_second"],
                      float(re.search(r"Queries per second:\s+([\d.]+)", output).group(1))))
    print(f"| {name} | {statistics.median(a for a, _ in pairs):.0f} | "
          f"{statistics.median(b for _, b in pairs):.0f} | {spread([a / b for a, b in pairs])} | "
          f"{statistics.median(cpu):.1f} us | {statistics.median(one):.0f} us |")


def cold(bench):
    print("## Cold lookups against dnsperf, from the same server, 100 in flight\n")
    print("| server | lookups/s | dnsperf queries/s | ratio | CPU a lookup | p50, one in flight |\n"
          "|---|---|---|---|---|---|")
    if shutil.which("dnsperf") is None:
        raise SystemExit("dnsperf is not installed")
    for name, start in (("nsd", start_nsd), ("unbound", start_unbound)):
        if shutil.which(name) is None:
            note(f"{name} is not installed: left out")
            continue
        with start(bench) as server:
            time.sleep(1)
            cold_against(bench, name, server.port)
    print()


# ---- clients whose DNS never answers ----

def hanging(bench, count=2000):
    with bench.delaydns("--silent", "198.18") as server, bench.iprevd(server.port) as ours:
        bench.sessions(ours, "-n", "50", "-a", "203.0.113.1/1")
        options = ("-c", "4", "-n", "2000", "-a", "203.0.113.1/1")
        note(f"{count} hang")
        quiet = [bench.sessions(ours, *options)["p99_ms"] for _ in range(ROUNDS)]
        with Child([bench.build / "bench/milterload", "-s", ours.spec, "-c", str(count), "-n",
                    str(count), "-a", "198.18.0.1/60000"], stdout=subprocess.PIPE) as hang:
            time.sleep(2)
            busy = [bench.sessions(ours, *options)["p99_ms"] for _ in range(ROUNDS)]
            result = json.loads(hang.process.communicate()[0])
    print(f"## Healthy sessions while {count} hang\n\n| | p99 |\n|---|---|")
    print(f"| quiet | {spread(quiet)} ms |\n| while they hang | {spread(busy)} ms |\n")
    print(f"ratio {statistics.median(busy) / statistics.median(quiet):.2f}; of the hanging sessions "
          f"{result['refused']} were deferred, {result['accepted']} accepted, {result['broken']} "
          "broken\n")


PARTS = {"latency": latency, "cold": cold, "hanging": hanging}


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "."
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = tempfile.mkdtemp(prefix="iprevd-bench-dns-")
    os.chmod(directory, 0o755)
    try:
        for part in sys.argv[2:] or PARTS:
            PARTS[part](Bench(build, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
