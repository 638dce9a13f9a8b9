# SPDX-License-Identifier: BSD-2-Clause
"""
Filters of others that find out the same about a client: packages of the distribution, unpacked and
run in private, with the configurations in bench/peers/.  All are asked the same by the same load,
over unix sockets, with the same DNS server, which answers at once.
"""

import contextlib
import pathlib

from bench.common import Unmeasured, connects, median, note, shown, table, wait_for
from bench.place import Place, mta, require

HERE = pathlib.Path(__file__).resolve().parent / "peers"
CLIENTS = "10.1.0.0/100"
CONCURRENCY = 16
SESSIONS = {"iprevd": 10000, "no-op": 10000, "MIMEDefang": 300}  # of others
OTHERS = 2000

# The packages' own files where they expect them, over the machine's.
IN_PLACE = ("mount -t overlay overlay -o lowerdir=/mnt/mta/usr:/usr /usr && "
            "if [ -e /mnt/run/etc/ld.so.cache ]; then ldconfig -X; fi; exec \"$@\"")


class Peer:
    """name: of its packages; version: of which package; command(directory, socket) in the jail."""

    def __init__(self, name, package, command):
        self.name, self.package, self.command = name, package, command


def mailfromd(directory, socket):
    (directory / "conf").write_text("database cache { enable no; };\n")
    return ["mailfromd", "--config-file", directory / "conf", "--foreground", "--stderr",
            "--no-preprocessor", "--user", "mail", "--state-directory", directory, "--pidfile",
            directory / "mailfromd.pid", "--milter-socket", f"unix:{socket}",
            HERE / "mailfromd.mfl"]


def pymilter(directory, socket):
    return ["/usr/bin/python3", "-B", HERE / "pymilter.py", f"unix:{socket}"]


def mimedefang(directory, socket):
    """The daemon, and the multiplexor with its workers; both want a spool of their own."""
    return ["sh", "-c", f"""
        mount -t tmpfs tmpfs /var/spool
        mkdir -m 777 /var/spool/MIMEDefang /var/spool/MD-Quarantine
        mkdir -p /etc/mail
        cp /mnt/mta/etc/mail/mimedefang.pl.conf {HERE}/mimedefang-filter /etc/mail
        mx=/var/spool/MIMEDefang/mx.sock
        mimedefang-multiplexor -D -m 8 -x 16 -W 0 -w 0 -r 100000 -q 100 -U nobody \\
            -f /usr/bin/mimedefang.pl -s $mx &
        until [ -S $mx ] || ! kill -0 $!; do sleep 0.1; done
        exec mimedefang -D -t -q -X -U nobody -m $mx -p {socket}"""]


def rspamd(directory, socket):
    text = (HERE / "rspamd.conf").read_text()
    for name, value in (("@SOCKET@", socket), ("@DIR@", directory)):
        text = text.replace(name, str(value))
    (directory / "rspamd.conf").write_text(text)
    (directory / "tld").write_text("example\norg\n")  # it compiles thousands of them at start
    return ["rspamd", "-f", "-i", "-c", directory / "rspamd.conf"]


PEERS = {
    "mailfromd": Peer("mailfromd", "mailfromd", mailfromd),
    "pymilter": Peer("pymilter", "python3-milter", pymilter),
    "MIMEDefang": Peer("mimedefang", "mimedefang", mimedefang),
    "rspamd": Peer("rspamd", "rspamd", rspamd),
}


def version(peer):
    listed = sorted((mta.packages_dir(peer.name).parent / "debs").glob(f"{peer.package}_*.deb"))
    return listed[-1].name.split("_")[1].replace("%3a", ":") if listed else "?"


@contextlib.contextmanager
def running(bench, place, peer):
    """The peer's milter socket."""
    require(peer.name)
    jail = mta.Jail(peer.name, nameserver="127.0.0.1", network=place.network)
    try:
        directory = bench.directory / f"peer-{peer.name}"
        directory.mkdir()
        directory.chmod(0o777)
        socket = directory / "socket"
        jail.spawn("sh", "-c", IN_PLACE, "peer", *map(str, peer.command(directory, socket)))
        wait_for_socket(jail, socket)
        yield f"unix:{socket}"
    finally:
        jail.end()


def wait_for_socket(jail, socket):
    def ready():
        if jail.process.poll() is not None:
            last = (jail.output.strip().splitlines() or ["it said nothing"])[-1]
            raise Unmeasured(f"it ended at once: {last}")
        try:
            return connects(f"unix:{socket}")
        except OSError:
            return False
    wait_for(ready, str(socket))


def peers(bench):
    rows, failures = [], []
    with Place(bench) as place:
        place.start_dns()
        ours = bench.iprevd("unix", 'dns { nameservers = {"127.0.0.1"} }', inside=place.inside)
        floor = bench.noop("unix", inside=place.inside)
        try:
            for name, peer in PEERS.items():
                note(f"peers: {name}")
                try:
                    rows += against(bench, place, name, peer, ours, floor)
                except Unmeasured as reason:
                    failures.append(f"{name}: not measured, {reason}.\n")
        finally:
            ours.stop()
            floor.stop()
    text = table(["filter", "sessions/s", "of no-op's", "p50 / p99 ms", "iprevd beside it",
                  "of no-op's"], rows)
    return text + ("\n" + "\n".join(failures) if failures else "")


def load(bench, spec, count):
    result = bench.load(spec, "-c", CONCURRENCY, "-n", count, "-a", CLIENTS)
    if result["accepted"] < result["sessions"]:
        raise Unmeasured(f"of {result['sessions']} sessions it accepted {result['accepted']}, "
                         f"refused {result['refused']} and broke {result['broken']}")
    return result


def against(bench, place, name, peer, ours, floor):
    """One peer's row, interleaved with iprevd and the no-op filter."""
    with running(bench, place, peer) as spec:
        count = bench.many(SESSIONS.get(name, OTHERS))
        for warm_up in (spec, ours.spec):
            load(bench, warm_up, 200)
        runs = []
        for turn in range(bench.rounds):
            note(f"peers: {name}, round {turn + 1}")
            runs.append((load(bench, spec, count), load(bench, ours.spec, bench.many(10000)),
                         load(bench, floor.spec, bench.many(10000))))
    theirs = [(a["per_second"], c["per_second"]) for a, _, c in runs]
    mine = [(b["per_second"], c["per_second"]) for _, b, c in runs]
    return [[f"{name} {version(peer)}", f"{median(a for a, _ in theirs):.0f}", shown(theirs),
             f"{median(a['p50_ms'] for a, _, _ in runs):.2f} / "
             f"{median(a['p99_ms'] for a, _, _ in runs):.2f}",
             f"{median(b for b, _ in mine):.0f}", shown(mine)]]
