# SPDX-License-Identifier: BSD-2-Clause
"""
Messages through a real Postfix, which takes them from bench/smtpload and discards them.  Every
client address is new, so that every session needs DNS; a Postfix has one listener a setup, so that
all setups are measured in turn with the same Postfix.
"""

import contextlib
import json
import os
import subprocess

from bench.common import Unmeasured, median, note, table
from bench.place import Place, require

AT_A_TIME = 20
MESSAGES = {0: 1500, 20: 1000, 100: 400}  # by the delay of DNS: some seconds a run
DELAYS_MS = tuple(MESSAGES)
NEAR, FAR_MS = 0, 60  # a client's own delay before each command
SETTLED = 1_000_000_000  # Postfix waits until a configuration file is not new

# Setups: what Postfix is told beside main.cf; {iprevd} and {noop} are their sockets.
ALONE = "no filter, no lookups"
NOOP = "no-op filter"
IPREVD = "iprevd"
OWN = "`reject_unknown_client_hostname`"
BOTH = "iprevd beside Postfix's own lookups"
SETUPS = {
    ALONE: (2501, "-o smtpd_milters="),
    NOOP: (2502, "-o smtpd_milters={noop}"),
    IPREVD: (2503, "-o smtpd_milters={iprevd}"),
    OWN: (2504, "-o smtpd_milters= -o smtpd_peername_lookup=yes "
                "-o smtpd_client_restrictions=reject_unknown_client_hostname"),
    BOTH: (2505, "-o smtpd_milters={iprevd} -o smtpd_peername_lookup=yes"),
}
EXTRA = "virtual_transport = discard\nsmtpd_client_port_logging = no\n"


class Fixed:
    """iprevd's socket, which stays while iprevd is started anew."""
    IPREVD = "inet:2600@127.0.0.1"


def for_postfix(spec):
    port, host = spec.removeprefix("inet:").split("@")
    return f"inet:{host}:{port}"


@contextlib.contextmanager
def postfix(place, noop):
    """A Postfix with a listener for each setup."""
    require("postfix")
    from mta_postfix import Postfix  # only now: it may have been fetched by this
    server = Postfix(network=place.network, nameserver="127.0.0.1", extra=EXTRA)
    sockets = {"noop": for_postfix(noop.spec), "iprevd": for_postfix(Fixed.IPREVD)}
    path = server.jail.dir / "config" / "master.cf"
    with path.open("a") as master:
        for port, options in SETUPS.values():
            master.write(f"127.0.0.1:{port} inet n - n - - smtpd {options.format(**sockets)}\n")
    os.utime(path, (SETTLED, SETTLED))
    with server:
        yield server


def send(place, setup, count, at_a_time, client_ms=0):
    """The figures of smtpload; all messages have to be taken."""
    done = subprocess.run([*place.inside, place.bench.build / "bench/smtpload", "-p",
                           str(SETUPS[setup][0]), "-c", str(at_a_time), "-n", str(count), "-a",
                           place.new_clients(count), "-d", str(client_ms)],
                          stdout=subprocess.PIPE, check=False, timeout=300)
    if not done.stdout:
        raise Unmeasured(f"smtpload ended with {done.returncode}")
    result = json.loads(done.stdout)
    if result["accepted"] != count:
        raise Unmeasured(f"{setup}: {result['accepted']} of {count} messages were taken, "
                         f"{result['refused']} refused, {result['broken']} broken")
    return result


@contextlib.contextmanager
def everything(bench):
    """A place with Postfix and the no-op filter, and a function that sets DNS and iprevd anew."""
    with Place(bench) as place, contextlib.ExitStack() as stack:
        noop = bench.noop("inet", place.inside, place.serves)
        stack.callback(noop.stop)
        running = []

        def renew(delay_ms):
            while running:
                running.pop().stop()
            place.start_dns(delay_ms)
            running.append(bench.iprevd("inet", 'dns { nameservers = {"127.0.0.1"} }',
                                        inside=place.inside, serves=place.serves,
                                        spec=Fixed.IPREVD))
        stack.callback(lambda: running and running.pop().stop())
        place.start_dns()
        stack.enter_context(postfix(place, noop))
        yield place, renew


def endtoend(bench):
    """Messages a second, with many clients at a time."""
    rows, alone = [], []
    with everything(bench) as (place, renew):
        for delay_ms in DELAYS_MS:
            renew(delay_ms)
            setups = list(SETUPS) if delay_ms == 0 else [IPREVD, OWN, BOTH]
            for setup in setups:  # its processes are started before the clock
                send(place, setup, 2 * AT_A_TIME, AT_A_TIME)
            runs = {setup: [] for setup in setups}
            for turn in range(bench.rounds):
                for setup in setups:
                    note(f"endtoend: DNS {delay_ms} ms, round {turn + 1}: {setup}")
                    runs[setup].append(send(place, setup, bench.many(MESSAGES[delay_ms]), AT_A_TIME))
            if delay_ms == 0:
                alone = [run["per_second"] for run in runs[ALONE]]
            for setup in setups:
                rates = [run["per_second"] for run in runs[setup]]
                ratio = [a / b for a, b in zip(rates, alone)]
                rows.append([f"{delay_ms} ms", setup, f"{median(rates):.0f}",
                             f"{median(ratio):.2f} [{min(ratio):.2f} .. {max(ratio):.2f}]",
                             *(f"{median(run[key] for run in runs[setup]):.1f}"
                               for key in ("whole_p50_ms", "whole_p99_ms"))])
    return table(["DNS", "Postfix with", "messages/s", "of Postfix alone", "session p50 ms",
                  "p99 ms"], rows)


def latency(bench):
    """One client at a time: what it waits for."""
    rows = []
    with everything(bench) as (place, renew):
        for delay_ms in DELAYS_MS:
            renew(delay_ms)
            setups = list(SETUPS) if delay_ms == 0 else [ALONE, IPREVD, OWN, BOTH]
            for setup in setups:
                send(place, setup, 2, 1)
            for client_ms in (NEAR, FAR_MS):
                for setup in setups:
                    note(f"endtoend-latency: DNS {delay_ms} ms, client {client_ms} ms: {setup}")
                    count = 100 if client_ms == 0 and delay_ms < 100 else 16
                    run = send(place, setup, bench.many(2 * count) if bench.quick else count, 1
                               if client_ms == 0 else 4, client_ms)
                    rows.append([f"{delay_ms} ms", f"{client_ms} ms", setup,
                                 *(f"{run[key]:.1f}" for key in (
                                     "banner_p50_ms", "rcpt_p50_ms", "whole_p50_ms",
                                     "whole_p99_ms"))])
    return table(["DNS", "client's pause", "Postfix with", "to the banner ms",
                  "to RCPT's answer ms", "whole session ms", "p99 ms"], rows)
