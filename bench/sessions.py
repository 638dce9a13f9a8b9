# SPDX-License-Identifier: BSD-2-Clause
"""Warm sessions against a filter that does nothing, and sessions whose DNS never answers."""

import json
import socket
import subprocess
import threading
import time

from bench.common import median, note, shown, table

import dns.flags
import dns.message
import dns.rrset

SESSIONS = 10000


def warm(bench):
    rows = []
    for kind in ("inet", "unix"):
        floor, ours = bench.noop(kind), bench.iprevd(kind)
        bench.load(ours.spec, "-n", 100)
        for concurrency in (1, 16, 100, 1000):
            note(f"warm: {kind}, {concurrency} at a time")
            options = ("-c", concurrency, "-n", bench.many(SESSIONS))
            runs = [(bench.load(ours.spec, *options), bench.load(floor.spec, *options))
                    for _ in range(bench.rounds)]
            pairs = [(a["per_second"], b["per_second"]) for a, b in runs]
            rows.append([kind, concurrency, f"{median(a for a, _ in pairs):.0f}",
                         f"{median(b for _, b in pairs):.0f}", shown(pairs),
                         f"{median(a['p50_ms'] for a, _ in runs):.2f} / "
                         f"{median(a['p99_ms'] for a, _ in runs):.2f}",
                         f"{median(b['p50_ms'] for _, b in runs):.2f} / "
                         f"{median(b['p99_ms'] for _, b in runs):.2f}"])
        floor.stop()
        ours.stop()
    return table(["socket", "at a time", "iprevd/s", "no-op/s", "ratio", "iprevd p50 / p99 ms",
                  "no-op p50 / p99 ms"], rows)


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
    """Healthy clients while many hang."""
    count = bench.many(count)
    note(f"hanging: {count} sessions without an answer")
    server = SomeSilent()
    server.start()
    ours = bench.iprevd("inet", f'dns {{ nameservers = {{"127.0.0.1:{server.port}"}} }}')
    bench.load(ours.spec, "-n", 50)
    quiet = [bench.load(ours.spec, "-c", 4, "-n", 2000)["p99_ms"] for _ in range(3)]
    hang = subprocess.Popen([bench.build / "bench/milterload", "-s", ours.spec, "-c", str(count),
                             "-n", str(count), "-a", "198.18.0.1/60000"],
                            stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    busy = [bench.load(ours.spec, "-c", 4, "-n", 2000)["p99_ms"] for _ in range(3)]
    still = hang.poll() is None
    memory = ours.memory_kib("VmHWM")
    result = json.loads(hang.communicate()[0])
    ours.stop()
    text = table(["", "p99 of healthy sessions"],
                 [["quiet", f"{median(quiet):.2f} ms"],
                  [f"while {count} hang", f"{median(busy):.2f} ms"]])
    return text + (f"\nratio {shown(list(zip(busy, quiet)))}; of the hanging sessions "
                   f"{result['refused']} were deferred, {result['accepted']} accepted, "
                   f"{result['broken']} broken; most memory {memory / 1024:.0f} MiB"
                   + ("" if still else " (they ended before the last round)") + "\n")
