# SPDX-License-Identifier: BSD-2-Clause
"""Hosts of a farm with a real store: what each believes after everything that can happen to it.

Throughout, nobody's mail is refused that would not be refused without a farm: GUEST has no PTR
record and an exemption, STRANGER has none of either, and is deferred where the store does not say
whether it was right before.
"""

import json
import re
import subprocess

import pytest

import clients_file
import daemon
import store
import world
from milterclient import MilterClient
from root import needs_root
from test_nomem import Memory

pytestmark = pytest.mark.skipif(
    "hiredis no" in subprocess.run([daemon.program(), "-V"], capture_output=True, text=True,
                                   check=True).stdout, reason="built without farms")

GUEST, STRANGER = world.NO_PTR, world.MISMATCH
DAY = 86400


class Host:
    """One iprevd of the farm."""

    def __init__(self, directory, name, servers, key=store.KEY, block="", more="", remembered=()):
        self.name = name
        self.directory = directory / name
        self.directory.mkdir()
        self.key_path = store.write_key(self.directory / "farm.key", key)
        self.block, self.more = block, more
        if remembered:
            clients_file.write(self.directory / "clients", remembered)
        zone = directory / "test.zone"
        zone.write_text(world.ZONE)
        self.daemon = daemon.Daemon(self.directory, self.config(servers),
                                    dns=f'dns {{ zone-file = "{zone}" }}')

    def config(self, servers):
        return (f'control = "{self.directory}/control"\nstate-dir = "{self.directory}"\n'
                f'farm {{ servers = {{{", ".join(json.dumps(one) for one in servers)}}} '
                f'name = "{store.NAME}" host = "{self.name}" key-file = "{self.key_path}" '
                f'timeout = 1 {self.block} }}\n{self.more}')

    def ctl(self, *args):
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", self.daemon.config_path],
                              text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)

    def allow(self, subject, reason="ticket", time="24h"):
        done = self.ctl("allow", subject, "--for", time, "--reason", reason)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def unallow(self, subject):
        done = self.ctl("unallow", subject)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def allowed(self):
        """{subject: reason} of all exemptions in effect here."""
        lines = self.ctl("allowed", "--json").stdout.splitlines()
        return {one["subject"]: one["reason"] for one in map(json.loads, lines)}

    def farm(self):
        done = self.ctl("status", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["farm"]

    def connected(self):
        return self.farm()["connected"]

    def kill(self):
        self.daemon.kill()


@pytest.fixture
def farm(directory):
    """
    Call it to get a store and hosts; everything ends with the test.  `remembered`: what each of them
    remembers of clients.
    """
    things = []

    def start(count=3, config="", servers=None, remembered=(), **kw):
        one = store.Store(directory / "store", config).start()
        things.append(one)
        hosts = [Host(directory, f"mx{i + 1}", servers or [one.address], remembered=clients, **kw)
                 for i, clients in enumerate(remembered or count * [()])]
        for host in hosts:
            things.append(host)
            host.daemon.start()
        for host in hosts:
            daemon.wait_until(f"{host.name} is connected", host.connected)
        return [one, *hosts]

    start.things = things
    yield start
    for thing in things:
        thing.close() if hasattr(thing, "close") else thing.kill()


def believe(hosts, want):
    """Wait until every host has exactly these exemptions."""
    for host in hosts:
        daemon.wait_until(f"{host.name} to believe {want}",
                          lambda host=host: set(host.allowed()) == set(want))


def judged(host, away=False):
    """
    The exempt client is let in, the other is refused: (action of GUEST, of STRANGER).  A store that
    serves may still be late where this machine is busy: then again.
    """
    def actions():
        since = len(host.daemon.log)
        for client in (GUEST, STRANGER):
            MilterClient(host.daemon.spec).session(client=client, helo="mail.example.org")
        host.daemon.wait_log(rf"client={STRANGER} ", since)
        log = host.daemon.log[since:]
        if not away and "grace=unknown" in log:
            return None
        return tuple(re.search(rf"client={client} .*?action=(\w+)", log)[1]
                     for client in (GUEST, STRANGER))

    return daemon.wait_until(f"the store answers {host.name}", actions)


def test_allow_and_unallow_on_any_host(farm):
    _, *hosts = farm()
    mx1, mx2, mx3 = hosts
    assert mx1.allow(GUEST, "ticket 4711") == ""
    believe(hosts, [GUEST])
    assert mx3.allowed() == {GUEST: "ticket 4711"}
    assert "(made on mx1)" in mx3.ctl("check", GUEST).stdout
    assert mx2.ctl("allowed").stdout.rstrip().endswith("ticket 4711  by mx1")
    for host in hosts:
        assert judged(host) == ("accept", "reject")
    assert mx2.unallow(GUEST) == ""
    believe(hosts, [])
    for host in hosts:
        assert judged(host) == ("reject", "reject")
    assert mx1.ctl("unallow", GUEST).returncode == 1
    mx2.allow(GUEST)  # in the same second, perhaps
    believe(hosts, [GUEST])


def test_hosts_see_each_other(farm):
    _, *hosts = farm()
    mx1, mx2, _ = hosts
    daemon.wait_until("all three", lambda: len(mx1.farm()["hosts"]) == 3)
    assert not any(one["drifted"] or one["silent"] for one in mx1.farm()["hosts"])
    text = mx1.ctl("status", "--farm").stdout
    assert re.search(r"mx1 \(here\): iprevd \S+, enforce, seen ", text) and "mx3" in text
    assert "farm          mx: 127.0.0.1:" in mx1.ctl("status").stdout
    mx2.daemon.reload(mx2.config([mx2.farm()["server"]]) + "deadline = 5\n")
    daemon.wait_until("mx2 has drifted", lambda: [
        one["host"] for one in mx1.farm()["hosts"] if one["drifted"]] == ["mx2"])
    assert "DRIFTED" in mx1.ctl("status", "--farm").stdout


def test_cache_flush_is_done_on_all(farm):
    _, mx1, mx2, _ = farm()
    MilterClient(mx2.daemon.spec).session(client=world.GOOD, helo="mail.good.example")
    assert mx1.ctl("cache", "flush", "mail.good.example").returncode == 0
    mx2.daemon.wait_log(r"farm: mx1 has flushed mail\.good\.example: ")
    assert mx2.ctl("cache", "get", "mail.good.example").returncode == 1
    mx2.ctl("cache", "flush", "all")
    mx1.daemon.wait_log(r"farm: mx2 has flushed all: ")
    assert "mx2 has flushed" not in mx2.daemon.log


def test_a_flush_of_long_ago_is_not_done(farm):
    one, mx1, *_ = farm(1)
    for made, target in ((store.now() - 301, "old.example"), (store.now() + 400, "later.example"),
                         (store.now(), "now.example")):
        line = store.sign("flush", target, f"1\t{made}\tmx9\t")
        one.ask("XADD", "iprevd:mx:changes", "*", "flush", target, "line", line)
    forged = store.sign("flush", "forged.example", f"1\t{store.now()}\tmx9\t", key=b"x" * 32)
    one.ask("XADD", "iprevd:mx:changes", "*", "flush", "forged.example", "line", forged)
    last = store.sign("flush", "last.example", f"1\t{store.now()}\tmx9\t")
    one.ask("XADD", "iprevd:mx:changes", "*", "flush", "last.example", "line", last)
    mx1.daemon.wait_log(r"mx9 has flushed last\.example")
    flushed = re.findall(r"mx9 has flushed (\S+):", mx1.daemon.log)
    assert flushed == ["now.example", "last.example"]


def test_store_stopped_and_started_empty(farm):
    one, *hosts = farm()
    mx1, mx2, mx3 = hosts
    mx1.allow(GUEST)
    believe(hosts, [GUEST])
    one.kill()
    daemon.wait_until("mx1 notices", lambda: not mx1.connected())
    said = mx1.allow("198.51.100.1")
    assert "warning: other hosts of the farm hear of it later: the store is away: " in said
    assert mx1.farm()["unsent"] == 1
    assert "AWAY" in mx1.ctl("status").stdout
    assert "the farm's store is away" in mx1.ctl("status", "--check").stdout
    assert "hear of it later" in mx2.unallow(GUEST)
    for host, want in ((mx1, "accept"), (mx2, "tempfail"), (mx3, "accept")):
        assert judged(host, away=True) == (want, "tempfail")  # another host may know that it was right
    one.start()  # and has forgotten everything
    believe(hosts, ["198.51.100.1"])
    assert mx1.farm()["unsent"] == 0
    daemon.wait_until("the store has all again", lambda: set(one.hash("exemptions")) ==
                      {GUEST, "198.51.100.1"})


def test_every_daemon_killed_while_the_store_is_away(farm):
    one, *hosts = farm()
    mx1, mx2, _ = hosts
    mx1.allow(GUEST)
    mx1.allow("198.51.100.1")
    believe(hosts, [GUEST, "198.51.100.1"])
    one.kill()
    daemon.wait_until("mx1 notices", lambda: not mx1.connected())
    mx1.allow("198.51.100.2")
    mx2.unallow("198.51.100.1")
    for host in hosts:
        host.daemon.kill()
    for host in hosts:
        host.daemon.start()
    assert judged(hosts[2], away=True) == ("accept", "tempfail")
    one.start()
    believe(hosts, [GUEST, "198.51.100.2"])


def test_store_wiped(farm):
    one, *hosts = farm()
    hosts[0].allow(GUEST)
    hosts[0].allow(".example.org")
    believe(hosts, [GUEST, ".example.org"])
    hosts[1].unallow(".example.org")
    believe(hosts, [GUEST])
    one.ask("FLUSHALL")
    daemon.wait_until("the exemption and the tombstone are back in the store",
                      lambda: {GUEST, ".example.org"} <= set(one.hash("exemptions")))
    believe(hosts, [GUEST])


def test_partition_both_ways(farm, directory):
    one = store.Store(directory / "store").start()
    way = store.Way(one.port)
    farm.things += [one, way]
    mx1 = Host(directory, "mx1", [way.address])
    mx2 = Host(directory, "mx2", [one.address])
    farm.things += [mx1, mx2]
    hosts = [mx1, mx2]
    for host in hosts:
        host.daemon.start()
        daemon.wait_until(f"{host.name} is connected", host.connected)
    mx1.allow(GUEST)
    mx1.allow("198.51.100.1")
    believe(hosts, [GUEST, "198.51.100.1"])
    way.cut()
    daemon.wait_until("mx1 notices", lambda: not mx1.connected())
    mx1.allow("198.51.100.2")
    mx1.unallow("198.51.100.1")
    mx2.allow("198.51.100.3")
    mx2.unallow(GUEST)
    believe([mx1], [GUEST, "198.51.100.2"])
    believe([mx2], ["198.51.100.1", "198.51.100.3"])
    way.heal()
    believe(hosts, ["198.51.100.2", "198.51.100.3"])
    for host in hosts:
        assert judged(host) == ("reject", "reject")


def test_an_end_counts_more_than_an_exemption_of_the_same_second(farm):
    one, *hosts = farm(2)
    made = store.now() - 10
    one.put(GUEST, store.exemption_line(GUEST, made, made + DAY))
    believe(hosts, [GUEST])
    one.put(GUEST, store.exemption_line(GUEST, made, made + 366 * DAY, reason="", ended=True))
    believe(hosts, [])
    one.put(GUEST, store.exemption_line(GUEST, made, made + DAY))
    one.put("198.51.100.1", store.exemption_line("198.51.100.1", made, made + DAY))
    believe(hosts, ["198.51.100.1"])
    daemon.wait_until("hosts put the end back",
                      lambda: "\tunallow\t" in one.hash("exemptions")[GUEST])


def test_a_host_whose_clock_is_ahead(farm):
    one, *hosts = farm(2)
    made = store.now()
    one.put(GUEST, store.exemption_line(GUEST, made + 240, made + DAY))
    one.put("198.51.100.1", store.exemption_line("198.51.100.1", made + 400, made + DAY))
    believe(hosts, [GUEST])
    # What is ended here ends, although the other clock says later.
    hosts[0].unallow(GUEST)
    believe(hosts, [])
    hosts[1].daemon.reload(hosts[1].config([one.address]).replace("timeout = 1", "timeout = 2"))
    daemon.wait_until("it is said", lambda: hosts[1].farm()["lines_ahead"] > 0)
    assert "a clock is wrong" in hosts[1].ctl("status", "--farm").stdout
    hosts[1].daemon.wait_log("warning: .* lines of the store do not count: .*clock is wrong")


def with_clock(host, ahead_s):
    """The host's clock is ahead by so many seconds (behind: fewer than none)."""
    library = next(daemon.pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    host.daemon.env.update(LD_PRELOAD=str(library), FAKETIME=f"{ahead_s:+d}s",
                           FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_DONT_RESET="1")
    host.daemon.stop()
    host.daemon.start()
    daemon.wait_until(f"{host.name} is connected", host.connected)


@pytest.mark.skipif(b"__sanitizer_" in daemon.program().read_bytes(), reason="a sanitizer comes before a library that is preloaded")
def test_clocks_that_differ(farm):
    """Four minutes make no difference; of a clock ten minutes ahead what it says counts later, and it is said."""
    _, mx1, mx2, mx3 = farm()
    with_clock(mx2, 240)
    with_clock(mx3, -240)
    mx1.allow(GUEST)
    believe([mx1, mx2, mx3], [GUEST])
    mx2.allow("198.51.100.1")
    believe([mx1, mx2], [GUEST, "198.51.100.1"])
    mx2.unallow("198.51.100.1")
    believe([mx1, mx2], [GUEST])
    with_clock(mx2, 600)
    believe([mx2], [GUEST])
    mx2.allow("198.51.100.2")
    believe([mx2], [GUEST, "198.51.100.2"])
    mx1.daemon.wait_log("warning: .* lines? of the store do.* not count: .*clock is wrong")
    mx3.allow("198.51.100.3")
    believe([mx2], [GUEST, "198.51.100.2", "198.51.100.3"])
    believe([mx1], [GUEST, "198.51.100.3"])
    assert judged(mx1) == ("accept", "reject") and judged(mx3) == ("accept", "reject")


def test_a_line_that_nobody_signed(farm):
    one, *hosts = farm(2)
    made = store.now()
    sound = store.exemption_line("198.51.100.1", made, made + DAY)
    one.put(GUEST, store.exemption_line(GUEST, made, made + DAY, key=b"y" * 32))
    one.put("198.51.100.9", sound)  # moved from where it was signed for
    one.put("0.0.0.0/0", "1\t1\t9999999999\tallow\tmx1\tall\t")
    one.put("198.51.100.1", sound)
    believe(hosts, ["198.51.100.1"])
    assert judged(hosts[0]) == ("reject", "reject")


def test_another_key(farm, directory):
    one, *hosts = farm(2)
    odd = Host(directory, "odd", [one.address], key=b"z" * 40)
    farm.things.append(odd)
    odd.daemon.start()
    hosts[0].allow(GUEST)
    believe(hosts, [GUEST])
    daemon.wait_until("odd sees hosts of another key",
                      lambda: odd.farm()["hosts_with_another_key"] == 2)
    assert odd.allowed() == {}
    odd.allow("198.51.100.1")
    hosts[1].unallow(GUEST)
    believe(hosts, [])
    assert odd.allowed().keys() == {"198.51.100.1"}


def test_store_full(farm):
    one, *hosts = farm(2)
    mx1, mx2 = hosts
    mx1.allow(GUEST)
    believe(hosts, [GUEST])
    one.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    one.ask("CONFIG", "SET", "maxmemory", "1")
    mx1.allow("198.51.100.1")
    mx1.daemon.wait_log(r"takes nothing new: it says OOM ")
    daemon.wait_until("it is said", lambda: mx1.farm()["unsent"] > 0)
    assert mx1.connected() and "OOM" in mx1.farm()["why"]
    assert "198.51.100.1" in mx1.allowed()
    assert "hear of it later" in mx1.allow("198.51.100.2")
    assert judged(mx1) == ("accept", "reject") and judged(mx2) == ("accept", "reject")
    one.ask("CONFIG", "SET", "maxmemory", "0")
    daemon.wait_until("mx2 hears of it", lambda: set(mx2.allowed()) == {
        GUEST, "198.51.100.1", "198.51.100.2"}, 90)
    daemon.wait_until("all is well", lambda: mx1.farm()["unsent"] == 0 and
                      "why" not in mx1.farm(), 90)


def test_as_many_exemptions_as_there_can_be(farm, directory):
    one = store.Store(directory / "store").start()
    farm.things.append(one)
    hosts = [Host(directory, f"mx{i}", [one.address]) for i in (1, 2, 3)]
    farm.things += hosts
    made = store.now()
    subjects = [f"10.{i >> 8}.{i & 255}.1" for i in range(4096)]
    lines = [{"format": "iprevd-exemptions", "version": 1, "count": len(subjects)}]
    lines += [{"subject": subject, "reason": "r" * 200, "made": made, "until": made + DAY}
              for subject in subjects]
    (hosts[0].directory / "exemptions").write_text(
        "".join(json.dumps(line) + "\n" for line in lines))
    for host in hosts:
        host.daemon.start()
    for host in hosts:
        daemon.wait_until(f"{host.name} has all", lambda host=host: json.loads(
            host.ctl("status", "--json").stdout)["exemptions"] == 4096, 120)
    assert hosts[2].allowed().keys() == set(subjects)
    one.ask("FLUSHALL")
    daemon.wait_until("the store has all again", lambda: one.ask(
        "HLEN", "iprevd:mx:exemptions") == 4096, 120)
    hosts[1].unallow(subjects[0])
    believe(hosts, subjects[1:])


def test_the_guides_acl_is_enough(farm, directory):
    guide = (daemon.pathlib.Path(__file__).resolve().parents[2] / "doc/farm.md").read_text()
    line = re.search(r'echo "(user iprevd on >)\$\(cat [^)]*\)([^"]*)"', guide)
    one = store.Store(directory / "store", f"{line[1]}secret{line[2]}\nuser default off\n")
    one.start()
    farm.things.append(one)
    password = directory / "password"
    password.write_text("secret\n")
    hosts = [Host(directory, f"mx{i}", [one.address],
                  block=f'user = "iprevd" password-file = "{password}"') for i in (1, 2)]
    farm.things += hosts
    for host in hosts:
        host.daemon.start()
        daemon.wait_until(f"{host.name} is connected", host.connected)
    hosts[0].allow(GUEST)
    believe(hosts, [GUEST])
    hosts[1].unallow(GUEST)
    believe(hosts, [])
    for host in hosts:
        assert "NOPERM" not in host.daemon.log and "takes nothing new" not in host.daemon.log
    password.write_text("wrong\n")
    hosts[0].daemon.reload()
    hosts[0].daemon.wait_log("the store is away: .*WRONGPASS")
    assert judged(hosts[0], away=True) == ("tempfail", "tempfail")


HOSTILE = [
    ("garbage", b"\x00\xff\x00garbage\r\n", "it does not speak the protocol"),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak the protocol"),
    ("endless list", b"*2000000000\r\n", "its reply is too large|it does not speak the protocol"),
    ("endless text", b"$2000000000\r\n" + 65536 * b"x", "no reply for|its reply is too large"),
    ("too many replies", b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n" * 3, "it says what nobody asked for"),
    ("a replica", b"*5\r\n$5\r\nslave\r\n$1\r\nx\r\n:1\r\n+connected\r\n:0\r\n", "it is no master"),
    ("loading", b"-LOADING Redis is loading\r\n", "it says LOADING "),
    ("cut off from its master", b"-MASTERDOWN Link with MASTER is down\r\n", "it says MASTERDOWN "),
    ("cluster", b"-MOVED 1234 192.0.2.1:6379\r\n", "it is a cluster"),
    ("an error with a screen's codes", b"-ERR \x1b[2J\x07\r\n", r"it says ERR \\x1b\[2J\\x07"),
    ("silence", None, "no reply for 1000 ms"),
]


def expect_away(host, why):
    """It starts without its store, says why, and serves."""
    host.daemon.start()
    host.daemon.wait_log(rf"warning: farm mx: the store is away: 127\.0\.0\.1:\d+: ({why})")
    host.allow(GUEST)
    assert judged(host, away=True) == ("accept", "tempfail")


@pytest.mark.parametrize("label, answer, why", HOSTILE, ids=[case[0] for case in HOSTILE])
def test_what_is_no_store(farm, directory, label, answer, why):
    impostor = store.Impostor(answer)
    mx1 = Host(directory, "mx1", [impostor.address])
    farm.things += [impostor, mx1]
    expect_away(mx1, why)
    mx1.daemon.stop()


def test_a_master_without_its_replicas(farm, directory):
    """It takes nothing, and another one may have become master: it is away until it takes something again."""
    one = store.Store(directory / "store", "min-replicas-to-write 1\n").start()
    mx1 = Host(directory, "mx1", [one.address])
    farm.things += [one, mx1]
    expect_away(mx1, "it says NOREPLICAS ")
    one.ask("CONFIG", "SET", "min-replicas-to-write", "0")
    daemon.wait_until("it has what was allowed meanwhile", lambda: GUEST in one.hash("exemptions"))
    assert judged(mx1) == ("accept", "reject")


def role(server):
    try:
        return server.ask("ROLE")[0]
    except OSError:  # whoever is connected while it becomes a replica is cut off
        return None


def test_sentinel_switches_masters(farm, directory):
    master = store.Store(directory / "a").start()
    replica = store.Store(directory / "b", f"replicaof 127.0.0.1 {master.port}\n").start()
    watch = store.Store(directory / "s", (
        f"sentinel monitor mx 127.0.0.1 {master.port} 1\nsentinel down-after-milliseconds mx 500\n"
        "sentinel failover-timeout mx 2000\n"), sentinel=True)
    farm.things += [master, replica, watch]
    daemon.wait_until("the replica follows", lambda: replica.ask("ROLE")[3] == "connected")
    watch.start()
    daemon.wait_until("Sentinel knows the replica",
                      lambda: watch.ask("SENTINEL", "REPLICAS", "mx"))
    servers = [master.address, replica.address]
    hosts = [Host(directory, f"mx{i}", servers) for i in (1, 2, 3)]
    farm.things += hosts
    for host in hosts:
        host.daemon.start()
        daemon.wait_until(f"{host.name} is connected", host.connected)
        assert host.farm()["server"] == master.address
    hosts[0].allow(GUEST)
    believe(hosts, [GUEST])
    master.kill()
    for host in hosts:
        daemon.wait_until(f"{host.name} follows",
                          lambda host=host: host.farm()["server"] == replica.address, 90)
        assert judged(host) == ("accept", "reject")
    hosts[1].unallow(GUEST)
    hosts[2].allow("198.51.100.1")
    believe(hosts, ["198.51.100.1"])
    # The old master comes back, and first thinks that it still is one.
    master.start()
    daemon.wait_until("Sentinel has made it a replica", lambda: role(master) == "slave", 90)
    believe(hosts, ["198.51.100.1"])
    # By hand, back: nothing closes the connections but that the role is asked for.
    replica_ask = store.Client(replica.port)
    watch.kill()
    daemon.wait_until("it follows", lambda: master.ask("ROLE")[3] == "connected", 60)
    master.ask("REPLICAOF", "NO", "ONE")
    replica_ask("REPLICAOF", "127.0.0.1", master.port)
    hosts[0].allow("198.51.100.2")
    believe(hosts, ["198.51.100.1", "198.51.100.2"])
    for host in hosts:
        daemon.wait_until(f"{host.name} follows back",
                          lambda host=host: host.farm()["server"] == master.address, 90)
    replica_ask.close()


def test_keys_that_are_missing_or_short(directory):
    host = Host(directory, "mx1", ["unix:/nowhere"], key=b"short")
    status, log = host.daemon.run()
    assert status == 69
    assert "farm.key: found a key of 5 bytes; allowed: at least 32 bytes" in log
    host.key_path.unlink()
    done = subprocess.run([daemon.program(), "-t", "-c", host.daemon.config_path], text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 78
    assert 'key "farm.key-file": ' in done.stderr and "No such file" in done.stderr


@needs_root("nobody else can become another")
def test_a_key_that_the_services_user_cannot_read(directory):
    host = Host(directory, "mx1", ["unix:/nowhere"])
    host.daemon.write_config(host.config(["unix:/nowhere"]) + 'user = "nobody"\n')

    def tried():
        done = subprocess.run([daemon.program(), "-t", "-c", host.daemon.config_path], text=True,
                              capture_output=True, timeout=60)
        return done.returncode, done.stderr

    host.key_path.chmod(0o644)
    assert tried()[0] == 0
    host.key_path.chmod(0o600)
    status, said = tried()
    assert status == 78
    assert "farm.key: Permission denied: user nobody, as which the service runs, cannot read it" in said


def test_a_farm_comes_and_goes_with_a_reload(farm):
    one, mx1, mx2 = farm(2)
    with_farm = mx1.config([one.address])
    without = with_farm.split("farm {")[0]
    mx1.allow(GUEST)
    believe([mx1, mx2], [GUEST])
    mx1.daemon.reload(without)
    mx1.daemon.wait_log(r"read again \(SIGHUP\)")
    assert "farm" not in json.loads(mx1.ctl("status", "--json").stdout)
    assert "no farm" in mx1.ctl("status", "--farm").stdout
    assert mx1.allow("198.51.100.1") == ""
    mx1.key_path.write_text("short")
    since = mx1.daemon.reload(with_farm)
    mx1.daemon.wait_log(r"was not read again", since)
    store.write_key(mx1.key_path)
    mx1.daemon.reload(with_farm)
    believe([mx1, mx2], [GUEST, "198.51.100.1"])


@pytest.mark.parametrize("every", [2, 7, 211])
def test_memory_runs_out(farm, directory, monkeypatch, every):
    """One host's allocations fail in whatever it does; afterwards both believe the same."""
    program = daemon.program().parent / "tests/integration/iprevd-nomem"
    one = store.Store(directory / "store").start()
    memory = Memory(directory / "memory")
    poor, rich = (Host(directory, name, [one.address]) for name in ("mx1", "mx2"))
    farm.things += [one, poor, rich]
    rich.daemon.start()
    poor.daemon.env["IPREVD_NOMEM"] = str(memory.path)
    monkeypatch.setenv("IPREVD", str(program))
    poor.daemon.start()
    monkeypatch.undo()
    for host in (poor, rich):
        daemon.wait_until(f"{host.name} is connected", host.connected)
    memory.fails_every(every)
    for i in range(8):
        rich.allow(f"198.51.100.{i}")
        poor.ctl("allow", f"203.0.113.{i}", "--reason", "x")
        rich.ctl("unallow", f"203.0.113.{i - 1}")
        poor.ctl("unallow", f"198.51.100.{i - 1}")
        poor.ctl("status", "--json")
        if i % 4 == 3:
            one.kill()
            one.start()
        assert poor.daemon.alive(), poor.daemon.log[-3000:]
    memory.fails_every(0)
    assert memory.failed > 0
    daemon.wait_until("mx1 is connected", poor.connected, 90)
    poor.allow("192.0.2.200")
    daemon.wait_until("both believe the same", lambda: poor.allowed() == rich.allowed() and
                      "192.0.2.200" in rich.allowed(), 120)
    assert judged(poor) == ("reject", "reject")
