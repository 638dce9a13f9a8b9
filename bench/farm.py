# SPDX-License-Identifier: BSD-2-Clause
"""What sessions wait for the hosts of a farm, and what they cost the store: new clients that are refused
for their reverse DNS, some thousand a second, with a store that serves, is stopped, and is away."""

import re
import secrets
import shutil
import signal
import socket

from bench.common import Program, Unmeasured, free_port, median, note, table, wait_for

SESSIONS = 10000
# Between two commands of the dialogue: with so many sessions at a time some 1,000 begin a second.
DIALOGUE = ("-c", 75, "-d", 10)
STRICT = """policy "strict" {{ check ptr-mismatch {{ action = reject }} }}
match "all" {{ client = {{"10.0.0.0/8"}}  policy = "strict" }}
{farm}
"""


class Store:
    """A server of Valkey or Redis."""

    def __init__(self, bench):
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        if program is None:
            raise Unmeasured("there is no valkey-server and no redis-server")
        self.port = free_port()
        self.program = Program([program, "--port", self.port, "--bind", "127.0.0.1", "--save", ""],
                               f"inet:{self.port}@127.0.0.1", bench.log)

    def ask(self, *words):
        """The answer as text."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
            sock.sendall(b"*%d\r\n" % len(words) + b"".join(
                b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words))
            with sock.makefile("rb") as file:
                first = file.readline()
                return file.read(int(first[1:])).decode() if first[:1] == b"$" else first.decode()

    def figure(self, section, name):
        return int(re.search(rf"(?m)^{name}:(\d+)", self.ask("INFO", section))[1])


def farm_block(bench, store):
    key = bench.directory / "farm.key"
    key.write_bytes(secrets.token_bytes(32))
    key.chmod(0o600)
    return (f'farm {{ servers = {{"127.0.0.1:{store.port}"}} name = "bench" host = "here" '
            f'key-file = "{key}" timeout = 1 }}')


def measure(bench, program, first):
    """One run with clients that nobody has seen: its figures, and CPU of the program a session."""
    count = bench.many(SESSIONS)
    before = program.cpu_seconds()
    result = bench.load(program.spec, "-n", count, "-a", f"10.{first}.0.0/{count}", *DIALOGUE)
    return result, (program.cpu_seconds() - before) / count * 1e6


def farm(bench):
    rows, store = [], Store(bench)
    alone = bench.iprevd(more=STRICT.format(farm=""))
    ours = bench.iprevd(more=STRICT.format(farm=farm_block(bench, store)))
    wait_for(lambda: store.ask("EXISTS", "iprevd:bench:hosts").startswith(":1"), "the farm")
    number = 0

    def figures(label, program, begin=None, end=None):
        nonlocal number
        runs, spent = [], []
        for _ in range(bench.rounds):
            note(f"farm: {label}")
            number += 1
            if begin is not None:
                begin()
            result, us = measure(bench, program, number)
            if end is not None:
                end()
            runs.append(result)
            spent.append(us)
        rows.append([label, *(f"{median(run[key] for run in runs):.{places}f}" for key, places in (
            ("per_second", 0), ("p50_ms", 1), ("p99_ms", 1), ("max_ms", 0))), f"{median(spent):.0f}"])

    def stop():
        store.program.process.send_signal(signal.SIGSTOP)

    def go_on():
        store.program.process.send_signal(signal.SIGCONT)
        wait_for(lambda: store.figure("clients", "connected_clients") >= 3, "the farm", 90)

    figures("without a farm", alone)
    commands, cpu = store.figure("stats", "total_commands_processed"), store.program.cpu_seconds()
    before = [store.figure("stats", f"total_net_{way}_bytes") for way in ("input", "output")]
    figures("the store serves", ours)
    sessions = bench.rounds * bench.many(SESSIONS)
    cost = [(store.figure("stats", "total_commands_processed") - commands) / sessions,
            *((store.figure("stats", f"total_net_{way}_bytes") - old) / sessions
              for way, old in zip(("input", "output"), before)),
            (store.program.cpu_seconds() - cpu) / sessions * 1e6]
    figures("it is stopped as the run begins", ours, stop, go_on)
    store.program.stop()
    figures("it is away", ours)
    figures("without a farm, again", alone)
    for program in (alone, ours):
        program.stop()
    return (table(["", "sessions/s", "p50 ms", "p99 ms", "longest ms", "iprevd's CPU a session, us"], rows)
            + f"\n\nA session costs the store {cost[0]:.1f} commands, {cost[1]:.0f} bytes in, "
              f"{cost[2]:.0f} out and {cost[3]:.0f} us of CPU.")
