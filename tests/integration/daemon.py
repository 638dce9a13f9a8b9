# SPDX-License-Identifier: BSD-2-Clause
"""The real iprevd under test: started with a configuration of its own, watched, ended, judged.

    with Daemon(directory, 'mode = enforce', zone=ZONE) as daemon:
        MilterClient(daemon.spec).session(...)

Ending it asserts that it ended as it was asked to and that no sanitizer had anything to say.
"""

import itertools
import os
import pathlib
import random
import re
import resource
import signal
import socket
import subprocess
import time

from milterclient import parse_spec

START_SECONDS = 120  # a daemon under valgrind or rspamd on a machine that does a lot else
STOP_SECONDS = 120
POLL_SECONDS = 0.01

SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                       r"LeakSanitizer|AddressSanitizer)")


def program(name="iprevd"):
    """The built binary: $IPREVD (or $IPREVCTL), else in the build directory."""
    named = os.environ.get(name.upper())
    if named:
        return pathlib.Path(named).resolve()
    build = os.environ.get("top_builddir") or os.environ.get("builddir") or "."
    here = pathlib.Path(__file__).resolve().parents[2]
    for folder in (pathlib.Path(build), here, here / "build"):
        if os.access(folder / name, os.X_OK):
            return (folder / name).resolve()
    raise FileNotFoundError(f"{name}: not built, and neither ${name.upper()} nor $top_builddir "
                            "says where")


# Below the ports that the kernel gives to connections: one that is free now is not taken by any
# connection before it is bound.  Each process begins elsewhere and gives no port twice.
_PORTS = itertools.cycle(range(10000, 32000))
for _ in range(random.randrange(22000)):
    next(_PORTS)


def free_port(host="127.0.0.1", family=socket.AF_INET):
    """A port that is free for TCP and UDP."""
    for port in itertools.islice(_PORTS, 22000):
        with socket.socket(family, socket.SOCK_STREAM) as tcp, \
             socket.socket(family, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")


def has_ended(pid):
    """Has it, although nobody may have asked for its status yet?"""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(what, condition, seconds=START_SECONDS):
    """Poll; the time limit only ends a test that has failed already."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"gave up waiting: {what}")
        time.sleep(POLL_SECONDS)


class Daemon:
    """One iprevd.  `config` is the text of its configuration without `listen` and `dns`."""

    def __init__(self, directory, config="", zone=None, dns=None, listen=None, args=(), env=None,
                 prefix=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.spec = listen or f"inet:{free_port()}@127.0.0.1"
        self.config_path = self.directory / "iprevd.conf"
        self.log_path = self.directory / "iprevd.log"
        self.args = list(args)
        self.prefix = list(prefix)  # a command that runs it elsewhere, as in a namespace
        self.env = dict(os.environ, **(env or {}))
        self.process = None
        self.dns = dns
        if zone is not None:
            self.zone_path = self.directory / "test.zone"
            self.zone_path.write_text(zone)
            self.dns = f'dns {{ zone-file = "{self.zone_path}" }}'
        self.write_config(config)

    def write_config(self, config):
        # Nothing of this machine's own is to be touched: no control socket, no state.
        private = "".join(f'{key} = "none"\n' for key in ("control", "state-dir")
                          if not re.search(rf"^\s*{key}\s*=", config, re.MULTILINE))
        text = f'listen = "{self.spec}"\n{private}{config}\n{self.dns or ""}\n'
        if not re.search(r"^\s*mode\s*=", config, re.MULTILINE):
            text += "mode = enforce\n"
        self.config_path.write_text(text)

    # --- life ---

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def start(self, wait=True):
        with self.log_path.open("ab") as log:
            self.begun_at = len(self.log)
            self.process = subprocess.Popen(
                [*self.prefix, "setpriv", "--pdeathsig", "KILL", program(), "-f", "-c", self.config_path, *self.args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
                cwd=self.directory)
        if wait:
            wait_until(f"iprevd on {self.spec}", self._answers)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"iprevd ended with {self.process.returncode}:\n{self.log}")
        if " serves on " not in self.log[self.begun_at:]:
            return False  # the control socket comes a moment after the milter's
        family, address = parse_spec(self.spec)
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            return sock.connect_ex(address) == 0

    def run(self):
        """Start one that is expected to end by itself: (exit status, log)."""
        self.start(wait=False)
        status = self.process.wait(START_SECONDS)
        self.assert_no_sanitizer_report()
        return status, self.log

    def reload(self, config=None):
        """SIGHUP, with a new configuration if one is given.  Returns where its log begins."""
        if config is not None:
            self.write_config(config)
        mark = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        return mark

    def stop(self):
        """SIGTERM; it must end cleanly."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError(f"iprevd did not end on SIGTERM:\n{self.log}") from None
        self.process = None
        self.assert_no_sanitizer_report()
        assert status == 0, f"iprevd ended with {status}:\n{self.log}"

    def kill(self):
        """SIGKILL, whatever state it is in."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self, config=None):
        self.stop()
        if config is not None:
            self.write_config(config)
        return self.start()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    # --- what it may use ---

    def process_fds(self):
        return os.listdir(f"/proc/{self.pid()}/fd")

    def pid(self):
        return self.process.pid

    def limit_descriptors(self, count):
        _, most = resource.prlimit(self.pid(), resource.RLIMIT_NOFILE)
        resource.prlimit(self.pid(), resource.RLIMIT_NOFILE, (min(count, most), most))

    # --- what it says ---

    @property
    def log(self):
        return self.log_path.read_bytes().decode("utf-8", "backslashreplace")

    def wait_log(self, pattern, since=0, seconds=START_SECONDS):
        """The first match of the regular expression in the log after `since`."""
        compiled = re.compile(pattern)
        return wait_until(f"{pattern!r} in the log of iprevd",
                          lambda: compiled.search(self.log, since), seconds)

    def decisions(self, count):
        """The decision lines, when there are `count`, as dictionaries of their key=value pairs."""
        self.wait_log(rf"(?sm)(^client=.*?\n){{{count}}}")
        return [dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line))
                for line in self.log.splitlines() if re.search(r"\bclient=", line) and " action=" in line]

    def assert_no_sanitizer_report(self):
        found = SANITIZER.search(self.log)
        assert not found, f"a sanitizer reported:\n{self.log[max(found.start() - 500, 0):]}"
