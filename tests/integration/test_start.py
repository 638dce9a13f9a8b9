#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How iprevd starts, whom it becomes, what it leaves behind, and how it says that it cannot."""

import contextlib
import grp
import os
import pathlib
import pwd
import resource
import shlex
import signal
import socket
import stat
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import world
from daemon import free_port, has_ended, program, wait_until
from milterclient import MilterClient, parse_spec
from root import needs_root
from servicemanager import Manager

USAGE, UNAVAILABLE, CONFIG = 64, 69, 78
SECONDS = 60  # only ends a test that has failed already

as_root = needs_root("nobody else can become another")


class Place:
    """A directory with a configuration, and the daemons that were started from it."""

    def __init__(self, directory):
        self.directory = directory
        self.pid_path = directory / "iprevd.pid"
        self.socket_path = directory / "run" / "milter"
        self.socket_path.parent.mkdir()
        self.children = []

    def configure(self, listen=None, name="iprevd.conf", text="", zone=world.ZONE):
        (self.directory / "test.zone").write_text(zone)
        path = self.directory / name
        mode = "" if "mode =" in text else "mode = enforce "
        path.write_text(f'{mode}listen = "{listen or self.unix}"\ncontrol = "none"\nstate-dir = "none"\n'
                        f'dns {{ zone-file = "test.zone" }}\n{text}\n')
        return path

    @property
    def unix(self):
        return f"unix:{self.socket_path}"

    @property
    def with_pid(self):
        return f'pid-file = "{self.pid_path}"\n'

    def run(self, *args, prefix=(), cwd=None, **kw):
        """Start one that ends by itself, or whose first process does: (status, standard error)."""
        # Not a pipe: the one in the background would keep it open until it is ready.
        with (self.directory / "stderr").open("wb") as errors:
            done = subprocess.run([*prefix, program(), *args], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=errors, timeout=SECONDS,
                                  cwd=cwd or self.directory, check=False, **kw)
        # Whoever runs the tests as root is told so, rightly.
        said = [line for line in (self.directory / "stderr").read_text().splitlines(keepends=True)
                if not line.startswith("warning: running as root")]
        return done.returncode, "".join(said)

    def spawn(self, *args, prefix=(), **kw):
        """Start one in the foreground."""
        with (self.directory / f"log{len(self.children)}").open("wb") as log:
            child = subprocess.Popen([*prefix, program(), "-f", *args], stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log, cwd=self.directory, **kw)
        child.log_path = pathlib.Path(log.name)
        self.children.append(child)
        return child

    def serve(self, *args, **kw):
        """The same, and wait until it is ready: its socket is there earlier."""
        child = self.spawn(*args, **kw)
        wait_until("the daemon",
                   lambda: "serves on" in child.log_path.read_text() or child.poll() is not None)
        assert child.poll() is None, child.log_path.read_text()
        return child

    def pid(self):
        return int(self.pid_path.read_text())

    def end_background(self):
        pid = self.pid()
        os.kill(pid, signal.SIGTERM)
        wait_until("the end of the daemon", lambda: has_ended(pid))

    def kill_all(self):
        for child in self.children:
            child.kill()
            child.wait()
        if not self.pid_path.is_file():
            return
        with contextlib.suppress(OSError, ValueError):
            pid = self.pid()
            if os.readlink(f"/proc/{pid}/exe") == str(program()):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def place(directory):
    made = Place(directory)
    yield made
    made.kill_all()


def answers(spec):
    family, address = parse_spec(spec)
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(address) == 0


def status_of(pid):
    """Every thread's /proc/PID/status as dictionaries: capabilities belong to threads."""
    return [dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines()
                 if ":\t" in line)
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def refusal(spec):
    return MilterClient(spec).session(client=world.NO_PTR, helo="mail.example.org").text


# --- in the background ---


def test_background(place):
    conf = place.configure(text=place.with_pid)
    status, said = place.run("-c", str(conf))
    assert (status, said) == (0, "")
    # The program that was started ends when the daemon is ready: nobody has to wait.
    assert answers(place.unix)
    pid = place.pid()
    assert os.getsid(pid) == pid
    assert os.readlink(f"/proc/{pid}/cwd") == "/"
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    assert "Max core file size        0                    0" in \
        pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert refusal(place.unix).startswith("550 5.7.25")
    place.end_background()
    assert not place.pid_path.exists() and not place.socket_path.exists()
    assert list(place.socket_path.parent.iterdir()) == []


def test_background_reloads_what_was_named_relatively(place):
    place.configure(text=place.with_pid)
    assert place.run("-c", "iprevd.conf") == (0, "")
    assert "see.example" not in refusal(place.unix)
    place.configure(text=place.with_pid + 'help-url = "https://see.example/"')
    os.kill(place.pid(), signal.SIGHUP)
    wait_until("the new configuration", lambda: "https://see.example/" in refusal(place.unix))
    place.end_background()


def test_pid_file_that_cannot_be_removed_is_emptied(place):
    if os.geteuid() != 0:
        pytest.skip("not root")
    os.chown(place.socket_path.parent, pwd.getpwnam("nobody").pw_uid, -1)
    conf = place.configure(text=place.with_pid + 'user = "nobody"\n')
    assert place.run("-c", str(conf)) == (0, "")
    place.end_background()
    assert place.pid_path.read_text() == ""
    assert not place.socket_path.exists()
    # And the next start takes it.
    assert place.run("-c", str(conf)) == (0, "")
    place.end_background()


def test_pid_file_of_a_dead_process_is_taken(place):
    place.pid_path.write_text("1\n")
    conf = place.configure(text=place.with_pid)
    assert place.run("-c", str(conf)) == (0, "")
    assert place.pid() != 1
    place.end_background()


@pytest.mark.parametrize("kind", ["symlink", "hardlink", "fifo"])
def test_pid_file_is_no_way_to_another_file(place, kind):
    precious = place.directory / "precious"
    precious.write_text("precious\n")
    if kind == "symlink":
        place.pid_path.symlink_to(precious)
    elif kind == "hardlink":
        place.pid_path.hardlink_to(precious)
    else:
        os.mkfifo(place.pid_path)
    status, said = place.run("-f", "-c", str(place.configure(text=place.with_pid)))
    assert status == UNAVAILABLE and str(place.pid_path) in said
    assert precious.read_text() == "precious\n"
    assert not place.socket_path.exists()


# --- two of them ---


def test_second_start_never_takes_a_live_socket(place):
    first = place.serve("-c", str(place.configure()))
    before = os.lstat(place.socket_path)
    for mode in ([], ["-f"]):
        status, said = place.run(*mode, "-c", str(place.configure(name="second.conf")))
        assert status == UNAVAILABLE
        assert said == f"error: cannot listen on {place.unix}: Address already in use\n"
    after = os.lstat(place.socket_path)
    assert (before.st_ino, before.st_ctime_ns) == (after.st_ino, after.st_ctime_ns)
    assert refusal(place.unix).startswith("550 5.7.25")
    first.terminate()
    assert first.wait(SECONDS) == 0


def test_second_start_with_the_same_pid_file(place):
    assert place.run("-c", str(place.configure(text=place.with_pid))) == (0, "")
    pid = place.pid()
    other = place.directory / "run" / "other"
    status, said = place.run("-c", str(place.configure(f"unix:{other}", "second.conf",
                                                       place.with_pid)))
    assert status == UNAVAILABLE
    assert said == f"error: pid file {place.pid_path}: another iprevd runs\n"
    assert not other.exists() and place.pid() == pid and answers(place.unix)
    place.end_background()


def test_stale_socket_is_replaced(place):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(place.socket_path))
        sock.listen(1)
    assert place.socket_path.is_socket()
    place.serve("-c", str(place.configure()))


def test_socket_of_a_killed_daemon_is_replaced(place):
    conf = place.configure()
    first = place.serve("-c", str(conf))
    first.kill()
    first.wait()
    assert place.socket_path.exists()
    place.serve("-c", str(conf))


@pytest.mark.parametrize("kind", ["file", "directory", "symlink", "datagram", "busy"])
def test_what_is_not_ours_is_never_replaced(place, kind):
    path = place.socket_path
    with contextlib.ExitStack() as stack:
        if kind == "file":
            path.write_text("precious\n")
        elif kind == "directory":
            path.mkdir()
        elif kind == "symlink":
            path.symlink_to(place.directory / "elsewhere")
        elif kind == "datagram":
            stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(str(path))
        else:
            # Somebody who does not accept, with no room for another to wait.
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(str(path))
            server.listen(0)
            for _ in range(8):
                waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
                waiting.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    waiting.connect(str(path))
        before = os.lstat(path).st_ino
        status, said = place.run("-f", "-c", str(place.configure()))
        assert status == UNAVAILABLE and f"\nerror: cannot listen on {place.unix}: " in "\n" + said
        assert os.lstat(path).st_ino == before
    assert [entry.name for entry in path.parent.iterdir()] == ["milter"]


def test_of_several_at_once_one_serves(place):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(place.socket_path))
    conf = place.configure()
    children = [place.spawn("-c", str(conf)) for _ in range(6)]
    wait_until("all but one to give up",
               lambda: sum(child.poll() is None for child in children) <= 1)
    wait_until("the one", lambda: answers(place.unix))
    ended = [child.returncode for child in children if child.poll() is not None]
    assert ended == [UNAVAILABLE] * 5
    assert [entry.name for entry in place.socket_path.parent.iterdir()] == ["milter"]
    assert refusal(place.unix).startswith("550 5.7.25")


# --- becoming somebody else ---


@as_root
@pytest.mark.parametrize("background", [True, False])
def test_privileges_are_dropped(place, background):
    nobody = pwd.getpwnam("nobody")
    conf = place.configure(text=place.with_pid + 'user = "nobody"\n')
    if background:
        assert place.run("-c", str(conf)) == (0, "")
    else:
        place.serve("-c", str(conf))
    threads = status_of(place.pid())
    assert len(threads) > 1
    for thread in threads:
        assert thread["Uid"].split() == [str(nobody.pw_uid)] * 4
        assert thread["Gid"].split() == [str(nobody.pw_gid)] * 4
        assert set(thread["Groups"].split()) <= {str(nobody.pw_gid)}
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(thread[capabilities], 16) == 0, capabilities
        assert thread["NoNewPrivs"] == "1"
    entry = os.lstat(place.socket_path)
    assert (entry.st_uid, entry.st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert refusal(place.unix).startswith("550 5.7.25")


@as_root
def test_group_is_taken(place):
    group = grp.getgrnam("daemon")
    place.serve("-c", str(place.configure(text=place.with_pid +
                                          'user = "nobody"\ngroup = "daemon"\n')))
    for thread in status_of(place.pid()):
        assert thread["Gid"].split() == [str(group.gr_gid)] * 4
    assert os.lstat(place.socket_path).st_gid == group.gr_gid


@as_root
def test_root_is_warned(place):
    child = place.serve("-c", str(place.configure()))
    assert "warning: running as root" in child.log_path.read_text()
    assert {thread["NoNewPrivs"] for thread in status_of(child.pid)} == {"1"}


@as_root
def test_configuration_that_only_root_can_read_is_warned_of(place):
    conf = place.configure(text='user = "nobody"\n')
    conf.chmod(0o600)
    child = place.serve("-c", str(conf))
    assert f"warning: {conf}: Permission denied: a reload will fail" in child.log_path.read_text()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("mode", [None, 0o600, 0o660, 0o666])
def test_modes_do_not_depend_on_the_umask(place, umask, mode):
    text = place.with_pid + (f"socket-mode = {mode:#o}".replace("0o", "0") if mode else "")
    place.serve("-c", str(place.configure(text=text)), umask=umask)
    assert mode_of(place.socket_path) == (mode or 0o660)
    assert mode_of(place.pid_path) == 0o644


@as_root
def test_socket_group(place):
    place.serve("-c", str(place.configure(text='user = "nobody"\nsocket-group = "mail"\n')))
    entry = os.lstat(place.socket_path)
    assert (entry.st_uid, entry.st_gid) == (pwd.getpwnam("nobody").pw_uid,
                                            grp.getgrnam("mail").gr_gid)
    assert mode_of(place.socket_path) == 0o660


@as_root
def test_socket_group_by_the_folder(place):
    """A folder with the set-group-id bit shares the socket with no group membership at all."""
    nobody, mail = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("mail").gr_gid
    os.chown(place.socket_path.parent, nobody, mail)
    place.socket_path.parent.chmod(0o2710)
    conf = place.configure()
    place.serve("-c", str(conf), prefix=["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                                         "--clear-groups"])
    assert os.lstat(place.socket_path).st_gid == mail


# --- limits ---


def test_descriptors_are_raised(place):
    text = place.with_pid + "max-sessions = 300\n"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    place.serve("-c", str(place.configure(text=text)), prefix=["prlimit", f"--nofile=64:{hard}"])
    limits = pathlib.Path(f"/proc/{place.pid()}/limits").read_text()
    soft = next(int(line.split()[3]) for line in limits.splitlines() if "open files" in line)
    assert soft >= 300
    assert "file descriptors" not in place.children[0].log_path.read_text()


@as_root
def test_descriptors_that_do_not_suffice_are_told(place):
    nobody = pwd.getpwnam("nobody")
    os.chown(place.socket_path.parent, nobody.pw_uid, nobody.pw_gid)
    child = place.serve("-c", str(place.configure(text="max-sessions = 3000\n")),
                        prefix=["prlimit", "--nofile=200:200", "setpriv", "--reuid", "nobody",
                                "--regid", "nogroup", "--clear-groups"])
    said = child.log_path.read_text()
    assert "warning: only 200 file descriptors are allowed, but max-sessions = 3000" in said
    assert "raise LimitNOFILE or lower max-sessions" in said
    place.configure(text="max-sessions = 5000\n")
    child.send_signal(signal.SIGHUP)
    wait_until("the same of what was read again",
               lambda: "max-sessions = 5000" in child.log_path.read_text())


# --- what cannot be ---


@pytest.mark.parametrize("args, status, words", [
    (["-x"], USAGE, "invalid option"),
    (["-c"], USAGE, "requires an argument"),
    (["-f", "surplus"], USAGE, 'unexpected argument "surplus"'),
    (["-c", "/nowhere/iprevd.conf"], CONFIG, "/nowhere/iprevd.conf"),
    (["-t", "-c", "/nowhere/iprevd.conf"], CONFIG, "/nowhere/iprevd.conf"),
])
def test_options(place, args, status, words):
    result, said = place.run(*args)
    assert result == status and words in said


@pytest.mark.parametrize("mode", [[], ["-f"], ["-t"]])
def test_configuration_error(place, mode):
    status, said = place.run(*mode, "-c", str(place.configure(text="deadline = 400\n")))
    assert status == CONFIG
    assert 'iprevd.conf:5: key "deadline"' in said
    assert not place.socket_path.exists()


@pytest.mark.parametrize("mode", [[], ["-f"]])
@pytest.mark.parametrize("family, host, word", [(socket.AF_INET, "127.0.0.1", "inet"),
                                                (socket.AF_INET6, "::1", "inet6")])
def test_port_that_is_taken(place, mode, family, host, word):
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        sock.listen()
        spec = f"{word}:{sock.getsockname()[1]}@{host}"
        status, said = place.run(*mode, "-c", str(place.configure(spec, text=place.with_pid)))
    assert status == UNAVAILABLE
    assert said == f"error: cannot listen on {spec}: Address already in use\n"
    assert not place.pid_path.exists()


def failing_starts():
    yield "unix socket in no folder", "unix:{0}/absent/milter", "", "No such file or directory"
    # Names that no resolver is asked for.
    yield "no IPv4 address", "inet:8902@a..b", "", "the IPv4 address of a..b was not found ("
    yield "no IPv6 address", "inet6:8902@a..b", "", "the IPv6 address of a..b was not found ("
    yield "unknown user", None, 'user = "iprevd-nobody-x"', "user iprevd-nobody-x: no such name"
    yield ("unknown group", None, 'user = "nobody"\ngroup = "iprevd-none-x"',
           "group iprevd-none-x: no such name")
    yield ("unknown socket group", None, 'socket-group = "iprevd-none-x"',
           "socket-group iprevd-none-x: no such group")
    yield "pid file in no folder", None, 'pid-file = "{0}/absent/pid"', "No such file or directory"


@pytest.mark.parametrize("mode", [[], ["-f"]])
@pytest.mark.parametrize("listen, text, words", [case[1:] for case in failing_starts()],
                         ids=[case[0] for case in failing_starts()])
def test_failed_start_leaves_nothing(place, mode, listen, text, words):
    own = "" if "pid-file" in text else place.with_pid
    conf = place.configure(listen and listen.format(place.directory),
                           text=own + text.format(place.directory))
    before = sorted(place.directory.rglob("*"))
    status, said = place.run(*mode, "-c", str(conf))
    *warnings, error = said.splitlines()  # a place that is not there draws one, too
    assert status == UNAVAILABLE and error.startswith("error: ") and words in error
    assert all(line.startswith("warning: ") for line in warnings), said
    assert sorted(place.directory.rglob("*")) == sorted([*before, place.directory / "stderr"])


@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_failure_after_the_socket_was_opened_leaves_nothing(place, mode):
    conf = place.configure(text=place.with_pid, zone="this is no zone\n")
    status, said = place.run(*mode, "-c", str(conf))
    assert status == UNAVAILABLE
    assert said.startswith("error: ") and "test.zone:1: " in said
    assert not place.socket_path.exists() and not place.pid_path.exists()


@as_root
@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_without_the_right_to_become_the_user(place, mode):
    nobody = pwd.getpwnam("nobody")
    os.chown(place.socket_path.parent, nobody.pw_uid, nobody.pw_gid)
    conf = place.configure(text='user = "daemon"\n')
    status, said = place.run(*mode, "-c", str(conf), prefix=[
        "setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"])
    assert status == UNAVAILABLE and said.startswith("error: ") and "Operation not permitted" in said
    assert not place.socket_path.exists()


# --- odd surroundings ---


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors(place, closed):
    """No socket of ours gets the number of standard error."""
    command = f"{shlex.quote(str(program()))} -c {shlex.quote(str(place.configure(text=place.with_pid)))}"
    assert subprocess.run(["sh", "-c", f"{command} {closed}"], check=False,
                          timeout=SECONDS).returncode == 0
    assert {os.readlink(f"/proc/{place.pid()}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
    assert refusal(place.unix).startswith("550 5.7.25")
    place.end_background()


def test_inherited_listening_socket_is_left_alone(place):
    spec = f"inet:{free_port()}@127.0.0.1"
    with socket.socket() as inherited:
        inherited.bind(("127.0.0.1", 0))
        inherited.listen()
        child = place.serve("-c", str(place.configure(spec)), pass_fds=[inherited.fileno()])
        child.terminate()
        assert child.wait(SECONDS) == 0
        with socket.create_connection(inherited.getsockname()):
            inherited.accept()[0].close()


def test_service_manager(place):
    if b"systemd yes" not in subprocess.run([program(), "-V"], capture_output=True,
                                            check=True).stdout:
        pytest.skip("built without systemd")
    manager = Manager(place.directory / "notify")
    conf = place.configure()
    child = place.spawn("-c", str(conf), env={**os.environ, "NOTIFY_SOCKET": str(manager.path),
                                              "WATCHDOG_USEC": "30000000"})
    told = ("READY", "RELOADING", "STOPPING")
    assert manager.next(*told)["READY"] == "1"
    assert answers(place.unix)
    assert manager.next("WATCHDOG")["WATCHDOG"] == "1"
    for text, state in (("", "running"), ("deadline = 400", "running with an earlier configuration")):
        place.configure(text=text)
        child.send_signal(signal.SIGHUP)
        message = manager.next(*told)
        assert message["RELOADING"] == "1" and int(message["MONOTONIC_USEC"]) > 0
        message = manager.next(*told)
        assert message["READY"] == "1" and message["STATUS"] == state
    child.terminate()
    assert manager.next(*told)["STOPPING"] == "1"
    assert child.wait(SECONDS) == 0
    manager.close()


def test_a_zone_file_with_a_mistake_is_not_good(place):
    conf = place.configure(zone="a.example. A 192.0.2.1\na.example. A 192.0.2.999\n")
    status, said = place.run("-t", "-c", str(conf))
    assert status == 78 and "test.zone:2: " in said


def test_failed_start_is_never_called_ready(place):
    manager = Manager(place.directory / "notify")
    status, _ = place.run("-f", "-c", str(place.configure(zone="this is no zone\n")),
                          env={**os.environ, "NOTIFY_SOCKET": str(manager.path)})
    assert status == UNAVAILABLE
    manager.close()
    manager.thread.join(SECONDS)
    assert manager.messages.empty()


# --- with the eyes of the service's user ---


@as_root
def test_root_tests_with_the_eyes_of_the_user(place):
    """`iprevd -t && reload` said "good" of what only root can read."""
    place.directory.chmod(0o755)
    table, log = place.directory / "partners.cidr", place.directory / "log"
    table.write_text("192.0.2.1 OK\n")
    log.mkdir(mode=0o755)
    config = place.directory / "eyes.conf"
    text = (f'state-dir = "none"\ncontrol = "none"\ndecision-log = "{log}/x.json"\n'
            f'match "p" {{ client = {{"cidr:{table}"}} policy = "none" }}\n')
    for user, mode, status, said in (
            ("", 0o600, 0, "good"), ('user = "nobody"\n', 0o644, 0, "make the decision log there"),
            ('user = "nobody"\n', 0o600, 78, f"{table}: Permission denied: user nobody, as which the "
                                             "service runs, cannot read it")):
        config.write_text(user + text)
        table.chmod(mode)
        done = subprocess.run([program(), "-t", "-c", config], capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == status and said in done.stdout + done.stderr
    # A drop-in of the unit may make the service a member of the file's group.
    table.chmod(0o640)
    os.chown(table, -1, grp.getgrnam("adm").gr_gid)
    done = subprocess.run([program(), "-t", "-c", config], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0 and "unless the unit's SupplementaryGroups= names" in done.stderr


@pytest.mark.parametrize("line, said", [
    ('control-group = "nonesuch"', 'key "control-group": there is no group "nonesuch": iprevctl is for root '
                                   "and the service's user"),
    ('socket-group = "nonesuch"', 'key "socket-group": there is no group "nonesuch": the service does not '
                                  "start"),
    ('socket-group = "nonesuch"\nlisten = "inet:8896@localhost"', None)])
def test_groups_that_do_not_exist_are_named_by_the_test(place, line, said):
    config = place.directory / "group.conf"
    listen = "" if "listen" in line else 'listen = "unix:/tmp/iprevd.sock"\n'
    config.write_text(f'state-dir = "none"\ncontrol = "none"\n{listen}{line}\n')
    done = subprocess.run([program(), "-t", "-c", config], capture_output=True, text=True, timeout=SECONDS,
                          check=False)
    assert done.returncode == 0
    assert f"warning: {config}: {said}\n" in done.stderr if said else "no group" not in done.stderr


@pytest.mark.parametrize("text, said", [
    ('user = "iprevd-nobody-x"\n', ['key "user": there is no user "iprevd-nobody-x"']),
    ('user = "nobody"\ngroup = "iprevd-none-x"\n', ['key "group": there is no group "iprevd-none-x"']),
    ('user = "4711"\ngroup = "4711"\n', ['key "user": there is no user "4711"',
                                        'key "group": there is no group "4711"'])])
def test_a_user_that_does_not_exist_is_an_error_of_the_file(place, text, said):
    config = place.directory / "user.conf"
    config.write_text(text)
    done = subprocess.run([program(), "-t", "-c", config], capture_output=True, text=True, timeout=SECONDS,
                          check=False)
    assert done.returncode == 78
    assert done.stderr == "".join(f"error: {config}: {line}: the service does not start\n" for line in said)


@as_root
def test_the_user_is_the_owner_of_the_control_socket(place):
    place.directory.chmod(0o755)
    control, config = place.directory / "control", place.directory / "owner.conf"
    config.write_text(f'control = "{control}"\nstate-dir = "none"\n')
    config.chmod(0o600)
    test = [program(), "-t", "-c", config]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(control))
        assert subprocess.run(test, capture_output=True, timeout=SECONDS, check=False).returncode == 0
        os.chown(control, pwd.getpwnam("nobody").pw_uid, -1)
        done = subprocess.run(test, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == CONFIG and f"{config}: Permission denied: user nobody" in done.stderr


@as_root
@pytest.mark.parametrize("group, said", [
    ("adm", "Operation not permitted: only root and iprevd's user reach the control socket; iprevd's user "
            "has to be a member (SupplementaryGroups=adm in the unit)"),
    ("nonesuch", "there is no such group: only root and iprevd's user reach the control socket")])
def test_control_group_that_cannot_be_given(place, group, said):
    """The socket is there all the same: root can ask."""
    for path in (place.directory, place.directory / "run"):
        path.chmod(0o777)
    control = place.directory / "run" / "control"
    conf = place.configure(text="").read_text().replace('control = "none"', f'control = "{control}"')
    (place.directory / "group.conf").write_text(conf + f'control-group = "{group}"\n')
    log = place.directory / "group.log"
    with log.open("wb") as errors:
        running = subprocess.Popen(["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
                                    program(), "-f", "-c", place.directory / "group.conf"], stderr=errors)
    try:
        wait_until("the daemon", lambda: "serves on" in log.read_text())
        done = subprocess.run([program("iprevctl"), "status", "-c", place.directory / "group.conf"],
                              capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        assert f'control-group = "{group}": {said}' in log.read_text()
    finally:
        running.terminate()
        assert running.wait(SECONDS) == 0


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
