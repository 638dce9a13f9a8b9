# SPDX-License-Identifier: BSD-2-Clause
"""
The benchmarks of sessions and lookups, as ratios in one run:

    scripts/bench [BUILDDIR]          or: python3 bench/run.py BUILDDIR > tables.md

Every pair is measured interleaved, ROUNDS times; tables show medians, and in brackets the lowest and
the highest ratio of a round.
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
import threading
import time

import dns.flags
import dns.message
import dns.rrset

ROUNDS = 3
SESSIONS = 10000
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
"""
# What iprevd negotiates at stage rcpt, for the floor.
NOOP_STEPS = {"inet": "nobody,noeoh,nounknown,nr_mail,nr_hdr",
              "unix": "nobody,noeoh,nodata,nounknown,nr_mail,nr_hdr"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def note(text):
    print(text, file=sys.stderr, flush=True)


class Program:
    """A program that serves on a milter socket."""

    def __init__(self, command, spec, log):
        self.spec = spec
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 15
        while time.monotonic() < end and self.process.poll() is None:
            if self.answers():
                return
            time.sleep(0.02)
        raise SystemExit(f"{command[0]} does not serve on {spec}")

    def answers(self):
        if self.spec.startswith("unix:"):
            with socket.socket(socket.AF_UNIX) as sock:
                return sock.connect_ex(self.spec[5:]) == 0
        port, host = re.fullmatch(r"inet:(\d+)@(.*)", self.spec).groups()
        with socket.socket() as sock:
            return sock.connect_ex((host, int(port))) == 0

    def memory_kib(self, key="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{key}:\s+(\d+)", status, re.MULTILINE).group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Bench:
    def __init__(self, build, directory):
        self.build = pathlib.Path(build).resolve()
        self.directory = pathlib.Path(directory)
        self.log = open(self.directory / "log", "wb")
        self.count = 0

    def spec(self, kind):
        self.count += 1
        return (f"unix:{self.directory}/s{self.count}" if kind == "unix"
                else f"inet:{free_port()}@127.0.0.1")

    def iprevd(self, kind="inet", dns=None):
        zone = self.directory / "zone"
        zone.write_text(ZONE)
        spec = self.spec(kind)
        config = self.directory / f"conf{self.count}"
        config.write_text(CONFIG.format(spec=spec, dns=dns or f'dns {{ zone-file = "{zone}" }}'))
        return Program([self.build / "iprevd", "-f", "-c", config], spec, self.log)

    def noop(self, kind="inet"):
        spec = self.spec(kind)
        nodelay = ["-n"] if kind == "inet" else []
        return Program([self.build / "bench/noop", "-p", spec, "-s", NOOP_STEPS[kind], "-a", *nodelay],
                       spec, self.log)

    def load(self, program, *options):
        output = subprocess.run([self.build / "bench/milterload", "-s", program.spec, *options],
                                stdout=subprocess.PIPE, check=False).stdout
        result = json.loads(output)
        if result["broken"]:
            note(f"{result['broken']} sessions broke")
        return result


def ratios(pairs):
    """median, lowest and highest of a/b."""
    each = [a / b for a, b in pairs]
    return statistics.median(each), min(each), max(each)


def shown(pairs):
    return "{:.2f} [{:.2f} .. {:.2f}]".format(*ratios(pairs))


def warm(bench):
    """DESIGN: warm sessions a second against a filter that does nothing."""
    print("## Warm sessions against a filter that does nothing\n")
    print("| socket | at a time | iprevd/s | no-op/s | ratio |\n|---|---|---|---|---|")
    for kind in ("inet", "unix"):
        floor, ours = bench.noop(kind), bench.iprevd(kind)
        bench.load(ours, "-n", "100")
        for concurrency in (1, 16, 100, 1000):
            note(f"warm {kind} {concurrency}")
            options = ("-c", str(concurrency), "-n", str(SESSIONS))
            pairs = [(bench.load(ours, *options)["per_second"],
                      bench.load(floor, *options)["per_second"]) for _ in range(ROUNDS)]
            print(f"| {kind} | {concurrency} | {statistics.median(a for a, _ in pairs):.0f} | "
                  f"{statistics.median(b for _, b in pairs):.0f} | {shown(pairs)} |")
        floor.stop()
        ours.stop()
    print()


def idle(bench, count=2000):
    note(f"idle {count}")
    ours = bench.iprevd("unix")
    before = ours.memory_kib()
    load = subprocess.Popen([bench.build / "bench/milterload", "-s", ours.spec, "-c", str(count),
                             "-n", str(count), "-a", "10.0.0.1/10000", "-i"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    load.stdout.readline()
    time.sleep(1)
    after = ours.memory_kib()
    load.communicate("")
    ours.stop()
    print(f"## Memory\n\n{count} idle sessions after EHLO: {after / 1024:.1f} MiB resident "
          f"({before / 1024:.1f} MiB before), {(after - before) / count:.2f} KiB a session\n")


class SomeSilent(threading.Thread):
    """A DNS server that knows 10.in-addr.arpa and says nothing about any other reverse name."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]

    def run(self):
        while True:
            wire, peer = self.sock.recvfrom(4096)
            if b"\x0210\x07in-addr" not in wire and b"in-addr" in wire:
                continue
            query = dns.message.from_wire(wire)
            name = query.question[0].name.to_text()
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            records = ("PTR", "mail.example.org.") if "arpa" in name else ("A", "10.0.0.1")
            answer.answer = [dns.rrset.from_text(name, 3600, "IN", *records)]
            self.sock.sendto(answer.to_wire(), peer)


def hanging(bench, count=2000):
    """DESIGN: healthy clients while many hang."""
    note(f"{count} hang")
    server = SomeSilent()
    server.start()
    ours = bench.iprevd("inet", f'dns {{ nameservers = {{"127.0.0.1:{server.port}"}} }}')
    bench.load(ours, "-n", "50")
    quiet = [bench.load(ours, "-c", "4", "-n", "2000")["p99_ms"] for _ in range(ROUNDS)]
    hang = subprocess.Popen([bench.build / "bench/milterload", "-s", ours.spec, "-c", str(count),
                             "-n", str(count), "-a", "198.18.0.1/60000"],
                            stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    busy = [bench.load(ours, "-c", "4", "-n", "2000")["p99_ms"] for _ in range(ROUNDS)]
    memory = ours.memory_kib("VmHWM")
    result = json.loads(hang.communicate()[0])
    ours.stop()
    print(f"## {count} sessions whose DNS never answers\n")
    print("| | p99 of healthy sessions |\n|---|---|")
    print(f"| quiet | {statistics.median(quiet):.2f} ms |\n"
          f"| while they hang | {statistics.median(busy):.2f} ms |")
    print(f"\nratio {shown(list(zip(busy, quiet)))}; of the hanging sessions {result['refused']} "
          f"were deferred, {result['accepted']} accepted, {result['broken']} broken; "
          f"most memory {memory / 1024:.0f} MiB\n")


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
remote-control:
  control-enable: no
zone:
  name: 10.in-addr.arpa
  zonefile: reverse
zone:
  name: example.org
  zonefile: forward
"""
SOA = "@ 3600 SOA ns.example.org. root.example.org. 1 3600 600 86400 300\n@ 3600 NS ns.example.org.\n"


def start_nsd(directory):
    port = free_port()
    (directory / "reverse").write_text("$ORIGIN 10.in-addr.arpa.\n" + SOA +
                                       "* 3600 PTR mail.example.org.\n")
    (directory / "forward").write_text("$ORIGIN example.org.\n" + SOA + "mail 3600 A 10.0.0.1\n"
                                       "ns 3600 A 127.0.0.1\n")
    (directory / "nsd.conf").write_text(NSD_CONF.format(port=port, directory=directory))
    process = subprocess.Popen(["nsd", "-d", "-c", directory / "nsd.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    return process, port


def cold(bench):
    """DESIGN: cold lookups a second against dnsperf from the same server."""
    note("cold lookups")
    nsd, port = start_nsd(bench.directory)
    queries = bench.directory / "queries"
    queries.write_text("".join(f"{i % 256}.{i // 256 % 256}.1.10.in-addr.arpa PTR\n"
                               for i in range(60000)))
    pairs = []
    for _ in range(ROUNDS):
        ours = bench.iprevd("inet", f'dns {{ nameservers = {{"127.0.0.1:{port}"}} }}')
        mine = bench.load(ours, "-c", "100", "-n", "20000", "-a", "10.2.0.0/60000")["per_second"]
        ours.stop()
        output = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-n",
                                 "1"], stdout=subprocess.PIPE, text=True, check=True).stdout
        pairs.append((mine, float(re.search(r"Queries per second:\s+([\d.]+)", output).group(1))))
    nsd.terminate()
    nsd.wait()
    print("## Cold lookups against dnsperf, from the same NSD\n")
    print("Every session is a new client: one PTR question goes to the server.\n")
    print("| sessions/s, each one lookup | dnsperf queries/s | ratio |\n|---|---|---|")
    print(f"| {statistics.median(a for a, _ in pairs):.0f} | "
          f"{statistics.median(b for _, b in pairs):.0f} | {shown(pairs)} |\n")


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "."
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = tempfile.mkdtemp(prefix="iprevd-bench-")
    os.chmod(directory, 0o755)
    bench = Bench(build, directory)
    try:
        print(f"<!-- made by scripts/bench; {os.cpu_count()} cores, medians of {ROUNDS} rounds -->\n")
        warm(bench)
        hanging(bench)
        idle(bench)
        cold(bench)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
