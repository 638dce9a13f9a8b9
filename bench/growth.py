# SPDX-License-Identifier: BSD-2-Clause
"""
How cost grows, as tables and plots.  The cost of a session is the CPU time that the filter itself
used, so that the load generator beside it does not count.
"""

import time

from bench import cold
from bench.common import median, note, run_text, table
from bench.plot import Panel, save

PARALLEL = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)
RULES = (1, 10, 100, 1000, 10000, 100000)
BLOCKS_MAX = 10000  # a configuration may have 1 MiB
PTR_NAMES = (1, 2, 3, 5, 7, 10)
PTR_CLIENTS = 3000
SLOW_SHARES = (0, 25, 50, 75, 90)
FAST_CLIENTS = 100
SLOW_PAUSE_MS = 1000


def cost(bench, program, *options):
    """A run of milterload, with the CPU microseconds a session that the program took."""
    before = program.cpu_seconds()
    result = bench.load(program.spec, *options)
    result["cpu_us"] = (program.cpu_seconds() - before) / result["sessions"] * 1e6
    return result


def points(rows, x, y):
    return [(row[x], row[y]) for row in rows if row[y] is not None]


def sessions(bench):
    """Sessions at a time."""
    ours, floor = bench.iprevd("unix"), bench.noop("unix")
    bench.load(ours.spec, "-n", 100)
    figures = []
    for count in PARALLEL:
        note(f"growth: {count} sessions at a time")
        options = ("-c", count, "-n", bench.many(max(20000, 2 * count)))
        runs = [(cost(bench, ours, *options), cost(bench, floor, *options))
                for _ in range(1 if count > 1000 else bench.rounds)]
        figures.append([count] + [median(run[who][key] for run in runs)
                                  for key in ("per_second", "p99_ms", "cpu_us") for who in (0, 1)])
    ours.stop()
    floor.stop()
    save(bench.plots / "growth-sessions.svg", "Sessions at a time", [
        Panel("Throughput", "sessions at a time", "sessions a second",
              {"iprevd": points(figures, 0, 1), "no-op filter": points(figures, 0, 2)}),
        Panel("99th percentile of a session", "sessions at a time", "ms",
              {"iprevd": points(figures, 0, 3), "no-op filter": points(figures, 0, 4)}, y_log=True),
        Panel("CPU time in the filter", "sessions at a time", "µs a session",
              {"iprevd": points(figures, 0, 5), "no-op filter": points(figures, 0, 6)})])
    return table(["sessions at a time", "iprevd/s", "no-op/s", "iprevd p99 ms", "no-op p99 ms",
                  "iprevd CPU µs", "no-op CPU µs"],
                 [[f"{row[0]:,}", f"{row[1]:.0f}", f"{row[2]:.0f}", f"{row[3]:.2f}",
                   f"{row[4]:.2f}", f"{row[5]:.0f}", f"{row[6]:.0f}"] for row in figures])


def cache(bench):
    """Records in the cache."""
    note("growth: records in the cache")
    most = "500000" if bench.quick else "5000000"
    figures = [[float(word) for word in line.split()]
               for line in run_text(bench, "bench/cache", "-g", most).splitlines()]
    save(bench.plots / "growth-cache.svg", "Records in the cache", [
        Panel("Time", "records", "ns", {"lookup": points(figures, 0, 2),
                                        "store": points(figures, 0, 3)}),
        Panel("Memory", "records", "bytes a record", {"cache": points(figures, 0, 1)})])
    return table(["records", "bytes a record", "lookup ns", "store ns"],
                 [[f"{row[0]:,.0f}", f"{row[1]:.1f}", f"{row[2]:.0f}", f"{row[3]:.0f}"]
                  for row in figures])


def networks(count):
    """So many networks that no client of the load is in."""
    return [f"172.{16 + i // 65536}.{i // 256 % 256}.{i % 256}/32" for i in range(count)]


def with_rules(bench, how, count):
    """[start-up s, MiB, CPU microseconds a session] with so many rules, none of which matches."""
    if how == "blocks":
        more = "".join(f'match "r{i}" {{\n    client = {{"{net}"}}\n    policy = "none"\n}}\n'
                       for i, net in enumerate(networks(count)))
    else:
        path = bench.directory / "rules.cidr"
        path.write_text("".join(f"{net} OK\n" for net in networks(count)))
        more = f'match "table" {{\n    client = {{"cidr:{path}"}}\n    policy = "none"\n}}\n'
    start = time.monotonic()
    ours = bench.iprevd("unix", more=more)
    took = time.monotonic() - start
    bench.load(ours.spec, "-n", 100)
    result = cost(bench, ours, "-c", 16, "-n", bench.many(20000 if count <= 1000 or how == "table"
                                                          else 2000))
    memory = ours.memory_kib() / 1024
    ours.stop()
    return [took, memory, result["cpu_us"]]


def rules(bench):
    """Match rules, as blocks of the configuration and as lines of one table."""
    figures = []
    for count in RULES:
        note(f"growth: {count} match rules")
        blocks = with_rules(bench, "blocks", count) if count <= BLOCKS_MAX else [None] * 3
        figures.append([count, *blocks, *with_rules(bench, "table", count)])
    save(bench.plots / "growth-rules.svg", "Match rules", [
        Panel("CPU time in the filter", "rules", "µs a session",
              {"match blocks": points(figures, 0, 3), "lines of a table": points(figures, 0, 6)},
              y_log=True),
        Panel("Start", "rules", "s", {"match blocks": points(figures, 0, 1),
                                      "lines of a table": points(figures, 0, 4)}, y_log=True),
        Panel("Memory", "rules", "MiB", {"match blocks": points(figures, 0, 2),
                                         "lines of a table": points(figures, 0, 5)}, y_log=True)])
    return table(["rules", "blocks: CPU µs a session", "start s", "MiB",
                  "table: CPU µs a session", "start s", "MiB"],
                 [[f"{row[0]:,}", *(["-"] * 3 if row[1] is None else
                                    [f"{row[3]:.0f}", f"{row[1]:.2f}", f"{row[2]:.1f}"]),
                   f"{row[6]:.0f}", f"{row[4]:.2f}", f"{row[5]:.1f}"] for row in figures])


def ptr_zones():
    """Clients 10.K.x.y with K names, of which the last leads back."""
    reverse, forward = [], []
    for count in PTR_NAMES:
        for i in range(PTR_CLIENTS):
            high, low = i // 250, i % 250 + 1
            for name in range(1, count + 1):
                label = f"n{name}-{count}-{i}"
                reverse.append(f"{low}.{high}.{count} 3600 PTR {label}.example.org.\n")
                address = (f"10.{count}.{high}.{low}" if name == count else "192.0.2.1")
                forward.append(f"{label} 3600 A {address}\n")
    return "".join(reverse), "".join(forward)


def ptr(bench):
    """PTR names a client."""
    reverse, forward = ptr_zones()
    nsd, port = cold.start_nsd(bench, reverse, forward)
    figures = []
    try:
        for count in PTR_NAMES:
            note(f"growth: {count} PTR names")
            ours = bench.iprevd("unix", f'dns {{ nameservers = {{"127.0.0.1:{port}"}} }}')
            options = ("-c", 50, "-n", PTR_CLIENTS // 250 * 250, "-a",
                       f"10.{count}.0.0/{PTR_CLIENTS // 250 * 256}")
            first = cost(bench, ours, *options)
            again = [cost(bench, ours, *options) for _ in range(bench.rounds)]
            ours.stop()
            figures.append([count, first["per_second"], first["cpu_us"],
                            median(run["per_second"] for run in again),
                            median(run["cpu_us"] for run in again)])
    finally:
        nsd.terminate()
        nsd.wait()
    save(bench.plots / "growth-ptr.svg", "PTR names a client", [
        Panel("CPU time in the filter", "PTR names", "µs a session",
              {"asked for the first time": points(figures, 0, 2),
               "from the cache": points(figures, 0, 4)}, x_log=False),
        Panel("Throughput", "PTR names", "sessions a second",
              {"asked for the first time": points(figures, 0, 1),
               "from the cache": points(figures, 0, 3)}, x_log=False)])
    return table(["PTR names", "first time: sessions/s", "CPU µs a session",
                  "from the cache: sessions/s", "CPU µs a session"],
                 [[row[0], f"{row[1]:.0f}", f"{row[2]:.0f}", f"{row[3]:.0f}", f"{row[4]:.0f}"]
                  for row in figures])


def slow(bench):
    """Slow clients beside others."""
    ours, floor = bench.iprevd("unix"), bench.noop("unix")
    bench.load(ours.spec, "-n", 100)
    figures = []
    for share in SLOW_SHARES:
        count = FAST_CLIENTS * share // (100 - share)
        note(f"growth: {share} % of clients are slow")
        options = ["-c", FAST_CLIENTS, "-n", bench.many(20000)]
        if count > 0:
            options += ["-w", count, "-d", SLOW_PAUSE_MS]
        runs = [(bench.load(ours.spec, *options), bench.load(floor.spec, *options))
                for _ in range(bench.rounds)]
        figures.append([share, count] + [median(run[who][key] for run in runs)
                                         for key in ("per_second", "p99_ms") for who in (0, 1)])
    ours.stop()
    floor.stop()
    save(bench.plots / "growth-slow.svg", "Slow clients", [
        Panel("Throughput of the others", "slow clients (%)", "sessions a second",
              {"iprevd": points(figures, 0, 2), "no-op filter": points(figures, 0, 3)},
              x_log=False),
        Panel("99th percentile of the others", "slow clients (%)", "ms",
              {"iprevd": points(figures, 0, 4), "no-op filter": points(figures, 0, 5)},
              x_log=False)])
    return table(["slow clients", "beside 100 others", "iprevd/s", "no-op/s", "iprevd p99 ms",
                  "no-op p99 ms"],
                 [[f"{row[0]} %", row[1], f"{row[2]:.0f}", f"{row[3]:.0f}", f"{row[4]:.2f}",
                   f"{row[5]:.2f}"] for row in figures])
