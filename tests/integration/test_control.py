# SPDX-License-Identifier: BSD-2-Clause
"""The control socket and the commands of iprevctl that use it."""

import json
import os
import pty
import pwd
import re
import socket
import stat
import subprocess
import threading

import pytest

import daemon
import world
from daemon import wait_until
from milterclient import MilterClient
from root import needs_root

REQUEST_MAX = 4096
PEERS_MAX = 32


class Control:
    """A daemon with a control socket, and iprevctl for it."""

    def __init__(self, running, path):
        self.daemon = running
        self.path = path

    def ctl(self, *args, check=True):
        done = subprocess.run([daemon.program("iprevctl"), *args, "-c", self.daemon.config_path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="backslashreplace", timeout=120)
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def json(self, *args):
        return [json.loads(line) for line in self.ctl(*args, "--json").stdout.splitlines()]

    def status(self):
        return self.json("status")[0]

    def connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(str(self.path))  # waits while the queue is full
        sock.settimeout(60)
        return sock

    def listens(self):
        try:
            return self.raw(b"{}\n")
        except (FileNotFoundError, ConnectionRefusedError):
            return False  # the socket has its name before it listens

    def raw(self, data, end=True):
        """All that is answered to these bytes."""
        with self.connect() as sock:
            try:
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it hung up already: what it said before counts
            return read_all(sock)

    def ask(self, **request):
        return [json.loads(line) for line in self.raw(json.dumps(request).encode() + b"\n",
                                                      end=False).splitlines()]


def read_all(sock):
    data = b""
    while True:
        try:
            chunk = sock.recv(65536)
        except ConnectionError:
            chunk = b""
        if not chunk:
            return data
        data += chunk


@pytest.fixture
def control(start_iprevd, directory):
    path, state = directory / "control", directory / "state"
    state.mkdir(exist_ok=True)

    def start(config="", **kw):
        text = f'control = "{path}"\nstate-dir = "{state}"\n{config}'
        given = Control(start_iprevd(text, **kw), path)
        wait_until("the control socket", given.listens)
        given.state = state
        given.config = text
        return given

    return start


def session(given, client, helo="mail.example.org", **kw):
    return daemon_client(given).session(client=client, helo=helo, **kw)


def daemon_client(given):
    from milterclient import MilterClient
    return MilterClient(given.daemon.spec)


# --- the socket ---


def test_socket_mode_and_end(control):
    given = control()
    assert stat.S_IMODE(given.path.stat().st_mode) == 0o660
    given.daemon.stop()
    assert not given.path.exists()


def test_stale_socket_is_replaced_a_live_one_never(control, start_iprevd):
    given = control()
    given.daemon.kill()
    assert given.path.exists()
    given.daemon.start()
    assert given.status()["ok"]
    # Another daemon with the same path serves mail, says why it has no control socket, and leaves
    # the first one's alone.
    other = start_iprevd(f'control = "{given.path}"')
    other.wait_log(r"control socket .*: Address already in use")
    assert given.status()["pid"] == given.daemon.process.pid
    other.stop()
    assert given.status()["ok"]


def test_what_is_no_socket_is_left_alone(start_iprevd, directory):
    path = directory / "control"
    path.write_text("precious")
    started = start_iprevd(f'control = "{path}"')
    started.wait_log(r"control socket .*: File exists")
    assert path.read_text() == "precious"


def test_group(control):
    if os.geteuid() != 0:
        pytest.skip("not root: groups cannot be given away")
    import grp
    given = control('control-group = "adm"')
    assert given.path.stat().st_gid == grp.getgrnam("adm").gr_gid


REQUESTS = [
    ("nothing", b"", None),
    ("an empty line", b"\n", "not JSON"),
    ("binary", bytes(range(256)) + b"\n", "not JSON"),
    ("nul", b"\0" * 100 + b"\n", "not JSON"),
    ("half a request", b'{"command":"sta', "not JSON"),
    ("a whole one without line feed", b'{"command":"allowed"}', None),
    ("a list", b"[1,2,3]\n", "an object is wanted"),
    ("two objects", b'{"command":"status"} {"command":"status"}\n', "not JSON"),
    ("a key twice", b'{"command":"status","command":"reload"}\n', "not JSON"),
    ("no command", b"{}\n", "command is missing"),
    ("command of another kind", b'{"command":17}\n', "command is missing"),
    ("unknown", b'{"command":"halt \\u001b[2J"}\n', "there is no such command"),
    ("deep", b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}\n", "command is missing"),
    ("name missing", b'{"command":"cache-get"}\n', "name is missing"),
    ("bad name", b'{"command":"cache-get","name":"a b"}\n', "neither an address"),
    ("no reason", b'{"command":"allow","subject":"192.0.2.1","seconds":60}\n', "reason"),
    ("for ever", b'{"command":"allow","subject":"192.0.2.1","seconds":99999999999,"reason":"x"}\n',
     "366 days"),
    ("negative", b'{"command":"allow","subject":"192.0.2.1","seconds":-5,"reason":"x"}\n',
     "366 days"),
    ("a fraction", b'{"command":"allow","subject":"192.0.2.1","seconds":1e3,"reason":"x"}\n',
     "366 days"),
    ("long reason", b'{"command":"allow","subject":"192.0.2.1","seconds":60,"reason":"'
     + b"x" * 201 + b'"}\n', "200 bytes"),
    ("bits after the prefix", b'{"command":"unallow","subject":"10.1.2.3/8"}\n', "neither"),
    ("not UTF-8", b'{"command":"allow","subject":"192.0.2.1","seconds":60,"reason":"\xff"}\n',
     "not JSON"),
    ("too long", b'{"command":"' + b"x" * REQUEST_MAX + b'"}\n', "too long"),
    ("endless", b"x" * 1_000_000, "too long"),
]


@pytest.mark.parametrize("label,data,want", REQUESTS, ids=[case[0] for case in REQUESTS])
def test_requests(control, label, data, want):
    given = control()
    answer = given.raw(data)
    if data == b"":
        assert answer == b""
    elif want is None:
        assert json.loads(answer)["ok"] is True
    else:
        parsed = json.loads(answer)
        assert parsed["ok"] is False and parsed["kind"] == "usage" and want in parsed["error"]
        assert all(0x20 <= byte < 0x7F for byte in answer[:-1])
    assert given.status()["ok"]  # nobody else is the worse for it


def test_longest_request(control):
    given = control()
    request = b'{"command":"allowed"' + b" " * (REQUEST_MAX - 22) + b"}\n"
    assert len(request) == REQUEST_MAX
    assert json.loads(given.raw(request))["ok"]
    assert not json.loads(given.raw(b" " + request))["ok"]


def test_many_who_say_nothing_lock_out_nobody(control):
    given = control()
    silent = [given.connect() for _ in range(4 * PEERS_MAX)]
    for sock in silent[::3]:
        try:
            sock.sendall(b'{"command":')
        except OSError:
            pass
    assert given.status()["ok"]
    assert session(given, world.GOOD, helo="mail.good.example").verdict == "accept"
    for sock in silent:
        sock.close()
    assert given.status()["ok"]


def test_silence_ends(control):
    given = control()
    with given.connect() as sock:
        sock.sendall(b"{")
        assert read_all(sock) == b""  # the daemon hung up, not we


def test_asker_who_goes_before_the_answer(control):
    given = control()
    for command in (b"reload", b"status", b"cache-dump"):
        for _ in range(5):
            with given.connect() as sock:
                sock.sendall(b'{"command":"' + command + b'"}\n')
    assert given.status()["ok"]


def test_at_the_same_time(control):
    given = control()
    answers = []

    def ask(i):
        answers.append(given.ask(command=("status", "reload", "allowed", "cache-dump")[i % 4])[-1])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 24
    assert all(answer["ok"] or answer["kind"] == "busy" for answer in answers)


# --- status ---


def test_status_counts(control):
    given = control()
    assert session(given, world.GOOD, helo="mail.good.example").verdict == "accept"
    assert session(given, world.NO_PTR).verdict == "reject"
    wait_until("sessions to end", lambda: given.status()["sessions"]["now"] == 0)
    status = given.status()
    assert status["mode"] == "enforce" and status["pid"] == given.daemon.process.pid
    assert status["sessions"]["total"] == 2
    assert status["verdicts"]["reject"] == 1
    assert status["verdicts"]["accept"] + status["verdicts"]["tag"] == 1
    assert status["checks"]["ptr-missing"] == {"true": 1, "enforced": 1}
    assert status["iprev"]["pass"] == 1 and status["iprev"]["permerror"] == 1
    assert status["cache"]["records"] > 0 and status["cache"]["bytes"] > 0
    assert status["dns"]["outage"] is False


def test_status_for_people(control):
    given = control(dns='dns { nameservers = {"127.0.0.1:1", "[2001:db8:1234:5678:9abc:def0:1234'
                        ':5678]:5353"} }')
    text = given.ctl("status").stdout
    assert "mode enforce" in text and "127.0.0.1:1 up" in text and "hit rate" in text
    assert all(len(line) <= 80 for line in text.splitlines() if str(given.path.parent) not in line)


DATA = re.compile(r"[a-z_]+=\d+(\.\d+)?[c%]?(;\d*){0,4}")


def test_check_for_supervisors(control, directory):
    given = control("mode = monitor\n")
    session(given, world.NO_PTR)
    done = given.ctl("status", "--check")
    line, data = done.stdout.rstrip("\n").split(" | ")
    assert line == "IPREVD OK - mode monitor, no DNS outage" and done.stdout.count("\n") == 1
    assert all(DATA.fullmatch(word) for word in data.split(" ")), data
    assert {"accept=1c", "reject=0c", "would_reject=1c", "dns_outage=0"} <= set(data.split(" "))
    given.daemon.stop()
    done = given.ctl("status", "--check", check=False)
    assert done.returncode == 2 and done.stdout == "IPREVD CRITICAL - the daemon does not answer\n"
    (directory / "bad.conf").write_text("nonsense = 1\n")
    done = subprocess.run([daemon.program("iprevctl"), "status", "--check", "-c",
                           directory / "bad.conf"], capture_output=True, text=True)
    assert done.returncode == 3 and done.stdout.startswith("IPREVD UNKNOWN - ")


def test_watch_has_rates(control):
    given = control()
    process = subprocess.Popen([daemon.program("iprevctl"), "status", "--watch", "-c",
                                given.daemon.config_path], stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(process.stdout.readline, "")
        assert any(re.match(r"at +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$", line) for line in lines)
        row = next(line for line in lines if line.startswith("a second"))
        assert re.match(r"a second +accept \d+\.\d  tag \d+\.\d  ", row)
        assert next(lines).startswith("if enforced   accept ")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_watch_redraws(control):
    given = control()
    ours, theirs = pty.openpty()
    process = subprocess.Popen([daemon.program("iprevctl"), "status", "--watch", "-c",
                                given.daemon.config_path], stdout=theirs,
                               stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    os.close(theirs)
    seen = b""
    try:
        while seen.count(b"\x1b[H\x1b[2J") < 2:
            seen += os.read(ours, 65536)
        given.daemon.stop()
        assert process.wait(60) == 69
    finally:
        process.kill()
        process.wait()
        os.close(ours)


# --- the cache ---


def test_cache_get_flush_dump(control):
    # Without its SOA an answer that there is nothing would not be kept (RFC 2308).
    given = control(zone=world.ZONE + "2.0.192.in-addr.arpa. SOA ns.good.example. "
                                      "root.good.example. 1 3600 600 86400 300\n")
    session(given, world.GOOD, helo="mail.good.example")
    session(given, world.NO_PTR)
    records = given.json("cache", "get", world.GOOD)
    assert [(r["type"], r["values"]) for r in records] == [
        ("PTR", ["mail.good.example"]), ("A", [world.GOOD])]
    assert all(0 < r["ttl"] <= 3600 and not r["stale"] for r in records)
    assert given.json("cache", "get", "MAIL.good.example.")[0]["values"] == [world.GOOD]
    assert given.json("cache", "get", world.NO_PTR)[0]["outcome"] == "nxdomain"
    assert "mail.good.example A 192.0.2.1  [ttl" in given.ctl("cache", "get",
                                                               "mail.good.example").stdout
    dumped = given.json("cache", "dump")
    assert len(dumped) == given.status()["cache"]["records"]
    assert {r["name"] for r in dumped} >= {"mail.good.example", "1.2.0.192.in-addr.arpa",
                                           "2.2.0.192.in-addr.arpa"}
    # An address goes with the names to which it leads, and nothing else does.
    assert given.json("cache", "flush", world.GOOD) == [{"records": 2}]
    assert given.ctl("cache", "get", world.GOOD, check=False).returncode == 1
    assert given.json("cache", "get", world.NO_PTR)
    assert given.json("cache", "flush", "all")[0]["records"] == len(dumped) - 2
    assert given.json("cache", "dump") == []


def test_hostile_names_in_the_cache(control):
    given = control()
    session(given, world.HOSTILE)
    text = given.raw(b'{"command":"cache-dump"}\n')
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in text)
    assert "hostile.example" in given.ctl("cache", "dump").stdout


def test_a_dump_larger_than_a_socket(control):
    """A slow reader gets all of it, and mail goes on meanwhile."""
    hosts = {f"198.18.{i // 250}.{i % 250}": f"host{i}.many.example" for i in range(1000)}
    zone = world.ZONE + "".join(world.ptr(address, f"{name}.") + f"{name}. A {address}\n"
                                for address, name in hosts.items())
    given = control(zone=zone)
    for address, name in hosts.items():
        session(given, address, helo=name)
    assert given.status()["cache"]["records"] >= 2000
    with given.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(b'{"command":"cache-dump"}\n')
        first = sock.recv(1000)
        assert session(given, world.GOOD).verdict in ("accept", "tag")
        busy = given.ask(command="cache-dump")[-1]
        assert busy["ok"] is False and busy["kind"] == "busy"
        lines = (first + read_all(sock)).splitlines()
    assert json.loads(lines[-1])["ok"] and json.loads(lines[-1])["records"] == len(lines) - 1
    assert len({(json.loads(line)["name"], json.loads(line)["type"]) for line in lines[:-1]}) \
        == len(lines) - 1
    assert given.ask(command="cache-dump")[-1]["ok"]


# --- exemptions ---


def test_allow_is_in_effect_at_once(control):
    given = control()
    assert session(given, world.NO_PTR).verdict == "reject"
    given.ctl("allow", world.NO_PTR, "--for", "1h", "--reason", "ticket 4711")
    result = session(given, world.NO_PTR)
    assert result.verdict == "accept"
    given.daemon.wait_log(r'action=accept .*reason="exempt for now: ticket 4711"')
    listed = given.json("allowed")
    assert [(e["subject"], e["reason"]) for e in listed] == [(world.NO_PTR, "ticket 4711")]
    assert listed[0]["until"] - listed[0]["made"] == 3600
    assert "ticket 4711" in given.ctl("allowed").stdout
    given.ctl("unallow", world.NO_PTR)
    assert session(given, world.NO_PTR).verdict == "reject"
    assert given.ctl("unallow", world.NO_PTR, check=False).returncode == 1


def test_what_the_site_wrote_is_in_its_own_letters(control):
    given = control(f'match "m\u00fcller" {{ client = {{"{world.GENERIC}"}} policy = "none" '
                    'reason = "f\u00fcr M\u00fcller" }\n')
    given.ctl("allow", world.NO_PTR, "--reason", "f\u00fcr M\u00fcller")
    assert "f\u00fcr M\u00fcller" in given.ctl("allowed").stdout
    for client, words in ((world.NO_PTR, ': f\u00fcr M\u00fcller (iprevctl allowed)'),
                          (world.GENERIC, 'match      "m\u00fcller" (')):
        assert session(given, client).verdict == "accept"
        shown = given.ctl("check", client).stdout
        assert words in shown and "f\u00fcr M\u00fcller" in shown
    given.daemon.wait_log('match=m\u00fcller .*reason="exempt by match m\u00fcller: f\u00fcr M\u00fcller"')
    given.daemon.wait_log('reason="exempt for now: f\u00fcr M\u00fcller"')
    assert "\\xc3" not in given.daemon.log


@pytest.mark.parametrize("given_reason, kept, shown", [
    ("CORP\\anna asked", "CORP\\anna asked", "CORP\\x5canna asked"),
    ("a\tb\nc", "a b c", "a b c"),
], ids=["a backslash", "control characters"])
def test_a_reason_is_kept_as_it_was_given(control, given_reason, kept, shown):
    given = control()
    given.ctl("allow", world.NO_PTR, "--reason", given_reason)
    assert [entry["reason"] for entry in given.json("allowed")] == [kept]
    assert given.ctl("allowed").stdout.rstrip().endswith("  " + shown)
    assert f": {shown} (iprevctl allowed)" in given.ctl("check", world.NO_PTR).stdout
    given.daemon.restart()
    assert [entry["reason"] for entry in given.json("allowed")] == [kept]


@pytest.mark.parametrize("reason, said", [
    (" \t", "a reason is required"), (b"f\xfcr M.", "the reason is not in UTF-8"),
    ("x" * 201, "the reason is longer than 200 bytes")])
def test_a_reason_that_says_nothing_is_refused(control, reason, said):
    refused = control().ctl("allow", world.NO_PTR, "--reason", reason, check=False)
    assert refused.returncode == 64 and said in refused.stderr


def test_allow_network_and_domain(control):
    given = control('policy "default" { check ptr-generic { action = reject } }')
    assert session(given, world.GENERIC).verdict == "reject"
    given.ctl("allow", ".isp.example", "--reason", "x")
    assert session(given, world.GENERIC).verdict != "reject"
    # A PTR that leads nowhere proves nothing.
    given.ctl("allow", ".moved.example", "--reason", "x")
    assert session(given, world.MISMATCH).verdict == "reject"
    given.ctl("allow", "2001:db8::/64", "--reason", "x")
    assert session(given, world.NO_PTR6).verdict == "accept"


def test_allow_survives_a_restart(control):
    given = control()
    given.ctl("allow", world.NO_PTR, "--reason", 'quotes " and \\ and \x1b[2J')
    before = given.json("allowed")
    given.daemon.restart()
    assert given.json("allowed") == before
    assert session(given, world.NO_PTR).verdict == "accept"
    given.daemon.kill()
    given.daemon.start()
    assert given.json("allowed") == before
    assert "\x1b" not in given.ctl("allowed").stdout


@needs_root("nothing to give away")
def test_what_root_saves_belongs_to_the_owner_of_the_directory(control):
    given = control()
    nobody = pwd.getpwnam("nobody")
    os.chown(given.state, nobody.pw_uid, nobody.pw_gid)
    given.ctl("allow", world.NO_PTR, "--reason", "x")
    given.daemon.stop()
    assert {(path.name, path.stat().st_uid, path.stat().st_gid) for path in given.state.iterdir()} == \
        {(name, nobody.pw_uid, nobody.pw_gid)
         for name in ("cache", "clients", "exemptions", "greylist")}


def test_damaged_file_is_set_aside(control):
    given = control()
    given.ctl("allow", world.NO_PTR, "--reason", "good")
    given.ctl("allow", "198.51.100.0/24", "--reason", "to be damaged")
    given.daemon.stop()
    path = given.state / "exemptions"
    damaged = path.read_text()[:-20]
    path.write_text(damaged)
    given.daemon.start()
    given.daemon.wait_log(r"exemptions:3: damaged: 1 exemptions that are whole are in effect")
    assert (given.state / "exemptions.bad").read_text() == damaged
    assert [e["reason"] for e in given.json("allowed")] == ["good"]
    given.daemon.restart()
    assert [e["reason"] for e in given.json("allowed")] == ["good"]


@pytest.mark.parametrize("config", ['state-dir = "none"\n', None])
def test_allow_without_a_place_to_keep_it(start_iprevd, directory, config):
    path = directory / "control"
    config = config or f'state-dir = "{directory}/missing"\n'
    given = Control(start_iprevd(f'control = "{path}"\n{config}'), path)
    done = given.ctl("allow", world.NO_PTR, "--reason", "x")
    assert "will not survive a restart" in done.stderr
    assert session(given, world.NO_PTR).verdict == "accept"


@pytest.mark.parametrize("args,want", [
    (["allow", "192.0.2.1"], "--reason is required"),
    (["allow", "--reason", "x"], "one address"),
    (["allow", "192.0.2.1", "--reason", "x", "--for", "soon"], "is no time"),
    (["allow", "192.0.2.1", "--reason", "x", "--for", "400d"], "366 days"),
    (["allow", "example.org", "--reason", "x"], "neither"),
    (["cache"], "get, flush or dump"),
    (["cache", "burn"], "there is no"),
    (["cache", "get"], "takes one"),
    (["cache", "dump", "x"], "takes no argument"),
    (["status", "x"], "unexpected"),
    (["reload", "x"], "unexpected"),
])
def test_usage(control, args, want):
    done = control().ctl(*args, check=False)
    assert done.returncode == 64 and want in done.stderr


# --- reload ---


def test_reload(control):
    given = control()
    given.daemon.write_config(given.config + "mode = monitor\n")
    given.ctl("reload")
    assert given.status()["mode"] == "monitor"
    assert session(given, world.NO_PTR).verdict != "reject"


def test_reload_with_an_error(control, directory):
    given = control()
    (directory / "ask.conf").write_text(f'control = "{given.path}"\n')

    def ctl(*args):  # by a configuration that has no error
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", directory / "ask.conf"],
                              capture_output=True, text=True, timeout=60)

    given.daemon.write_config(given.config + "stage = never\n")
    answer = given.ask(command="reload")[-1]
    assert answer["ok"] is False and answer["kind"] == "failed"
    assert "iprevd.conf:" in answer["error"] and "stage" in answer["error"]
    done = given.ctl("reload", check=False)
    assert done.returncode == 78 and "stage" in done.stderr
    assert re.search(r"^reload +FAILED .*stage", ctl("status").stdout, re.M)
    done = ctl("status", "--check")
    assert done.returncode == 1 and "IPREVD WARNING - the last reload failed | " in done.stdout
    given.daemon.write_config(given.config)
    given.ctl("reload")
    # Then it is history.
    assert given.status()["configuration"]["failed_reloads"] == 1
    text = given.ctl("status").stdout
    assert "after 1 that failed" in text and "FAILED" not in text
    assert given.ctl("status", "--check").stdout.startswith("IPREVD OK")


# --- no daemon ---


@pytest.mark.parametrize("args", [["status"], ["cache", "dump"], ["allowed"], ["reload"],
                                  ["allow", "192.0.2.1", "--reason", "x"], ["unallow", "192.0.2.1"]])
def test_unreachable(control, args):
    given = control()
    given.daemon.stop()
    done = given.ctl(*args, check=False)
    assert done.returncode == 69
    assert f"the daemon cannot be reached at {given.path}" in done.stderr


def test_switched_off(start_iprevd, directory):
    given = Control(start_iprevd('control = "none"'), directory / "control")
    done = given.ctl("status", check=False)
    assert done.returncode == 69 and "switched off" in done.stderr


def test_a_server_that_hangs_up(start_iprevd, directory):
    path = directory / "control"
    given = Control(start_iprevd('control = "none"'), path)
    given.daemon.write_config(f'control = "{path}"')
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()

        def serve():
            with server.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(b'{"subject":"192.0.2.1"')

        thread = threading.Thread(target=serve)
        thread.start()
        done = given.ctl("allowed", check=False)
        thread.join()
    assert done.returncode == 69 and "hung up" in done.stderr


# --- the cache across a restart ---


GREYLIST = ('policy "default" {{ check ptr-generic {{ action = greylist }}  check helo-disagrees {{ action = accept }}'
            '  greylist-delay = {delay} }}\n')


def greylisted(given):
    """What the log says of one more try of a generic client."""
    before = len(given.daemon.decisions(0))
    session(given, world.GENERIC, helo="192-0-2-5.dsl.isp.example")
    return given.daemon.decisions(before + 1)[-1]["greylist"]


def test_greylist_survives_a_restart(control):
    """A network that waits goes on waiting, and one that passed has passed; status shows them."""
    given = control(GREYLIST.format(delay=3600))
    assert greylisted(given) == "first"
    given.daemon.restart()
    wait_until("the control socket", given.listens)
    assert greylisted(given) == "early"
    assert given.status()["greylist"] == {"first": 0, "early": 1, "passed": 0, "no-room": 0, "unknown": 0, "networks": 1,
                                          "size": 174760}
    assert re.search(r"^greylist +first 0  early 1  passed 0  no-room 0  unknown 0  networks 1\s+size 174760$",
                     given.ctl("status").stdout, re.MULTILINE)
    given.daemon.restart(given.config.replace("3600", "1"))
    wait_until("the network may come in", lambda: greylisted(given) == "passed")
    given.daemon.restart(given.config)
    assert greylisted(given) == "passed"


def test_a_greylist_that_is_damaged_costs_nothing(control):
    """It begins empty: the network is deferred once more, and never refused."""
    given = control(GREYLIST.format(delay=3600))
    assert greylisted(given) == "first"
    given.daemon.stop()
    (given.state / "greylist").write_bytes(b"\0" * 64)
    given.daemon.start()
    given.daemon.wait_log("greylist is not a file of greylisted networks: 0 networks of the greylist")
    assert greylisted(given) == "first"


def test_check_exits_75_for_greylist(control):
    given = control(GREYLIST.format(delay=300))
    done = given.ctl("check", world.GENERIC, "--helo", "192-0-2-5.dsl.isp.example", check=False)
    assert done.returncode == 75
    assert "451 4.7.1 [192.0.2.5] PTR 192-0-2-5.dsl.isp.example looks like" in done.stdout
    assert "greylisted for now, come again in 300 seconds (ptr-generic)" in re.sub(r"\s+", " ", done.stdout)
    record = json.loads(given.ctl("check", world.GENERIC, "--json", check=False).stdout)
    assert (record["action"], record["greylist"]) == ("greylist", None)


def test_cache_survives(control):
    given = control()
    session(given, world.GOOD)
    given.daemon.stop()
    assert (given.state / "cache").exists()
    given.daemon.start()
    given.daemon.wait_log(r"records of the cache are known again")


def test_damaged_cache_file_is_ignored(control):
    given = control()
    given.daemon.stop()
    (given.state / "cache").write_bytes(os.urandom(5000))
    given.daemon.start()
    given.daemon.wait_log(r"warning: .*/cache .*: 0 records of the cache are known again")
    assert given.status()["ok"]


# --- what the tools know of the running daemon ---


def test_check_and_replay_know_what_the_mail_server_is_called(control, directory):
    """helo-self is found by them as by the daemon, without own-names."""
    given = control()
    before = given.ctl("check", world.GOOD, "--helo", "mx.example.net", check=False)
    assert "own names are not known" in before.stderr and "helo-self" not in before.stdout
    live = MilterClient(given.daemon.spec).session(client=world.GOOD, helo="mx.example.net",
                                                   hostname="mx.example.net")
    assert live.verdict == "reject"
    assert given.ask(command="status")[-1]["own_names"] == ["mx.example.net"]
    after = given.ctl("check", world.GOOD, "--helo", "MX.Example.NET", check=False)
    assert after.returncode == 77 and "helo-self" in after.stdout and after.stderr == ""
    recorded = directory / "recorded"
    recorded.write_text(f"{world.GOOD} mx.example.net mail.good.example\n")
    replayed = given.ctl("replay", "--json", str(recorded))
    assert json.loads(replayed.stdout)["would"] == "reject" and "own names" not in replayed.stderr


def test_an_exemption_that_would_fit_but_for_confirmation_is_told(control):
    given = control('match "by name" { ptr = {".moved.example"} policy = "none" }\n')
    done = given.ctl("check", world.MISMATCH, check=False)
    assert done.returncode == 77
    text = " ".join(done.stdout.split())
    assert ('match "by name" would fit if PTR mail.moved.example were confirmed. It does not lead back to '
            'the client') in text
    given.ctl("allow", ".moved.example", "--reason", "x")
    got = json.loads(given.ctl("check", world.MISMATCH, "--json", check=False).stdout)
    assert got["unconfirmed"] == {"ptr": "mail.moved.example", "exemption": ".moved.example", "match": None}
    assert "the exemption of .moved.example would fit" in " ".join(
        given.ctl("check", world.MISMATCH, check=False).stdout.split())
    assert json.loads(given.ctl("check", world.NO_PTR, "--json", check=False).stdout)["unconfirmed"] is None


def test_an_exemption_of_everybody_is_warned_of(control):
    given = control()
    done = given.ctl("allow", "0.0.0.0/0", "--reason", "x")
    assert "warning: 0.0.0.0/0 is every IPv4 client: nothing is checked for them" in done.stderr
    assert "large part" in given.ctl("allow", "2000::/3", "--reason", "x").stderr
    assert given.ctl("allow", "192.0.2.0/24", "--reason", "x").stderr == ""
    given.daemon.wait_log(rf"control: 0\.0\.0\.0/0 is allowed for 86400 s by uid {os.geteuid()}: x")
    given.ctl("unallow", "0.0.0.0/0")
    given.daemon.wait_log(rf"control: 0\.0\.0\.0/0 is not allowed any more, by uid {os.geteuid()}")


def test_a_resolver_of_ours_that_is_down_is_not_the_senders_fault(start_iprevd):
    dead = daemon.free_port()
    running = start_iprevd("deadline = 2\n", dns=f'dns {{ nameservers = {{"127.0.0.1:{dead}"}} '
                           'outage-action = tempfail }')
    got = MilterClient(running.spec).session(client=world.GOOD)
    assert got.verdict == "tempfail"
    assert "our resolver or the name servers of the zone did not answer in time" in got.text
