# SPDX-License-Identifier: BSD-2-Clause
"""iprevd with everything around it: name servers, resolv.conf, tables, control, metrics, logs."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import urllib.request

import daemon
from clients import RELAY, SoakDNS, address, kind_named

COMMON = """deadline = 8
max-sessions = 500
control = "{directory}/control"
state-dir = "{directory}/state"
metrics = "127.0.0.1:{metrics}"
decision-log = "{directory}/decisions.json"
trusted-relays = {{"{relay}"}}
cache {{ size = "1M"  max-ttl = 15  negative-max-ttl = 5  failure-ttl = 1  stale = 60 }}
match "partners" {{ client = {{"cidr:{directory}/partners.cidr"}}  policy = "none" }}
"""
POSTMASTER = 'match "postmaster" { recipient = {"postmaster"}  policy = "none" }\n'
OUTAGE_DEFERS = "    outage-action = tempfail\n"

# Which have which verdicts: clients.Plan.by_policy().
CONFIGS = {
    "enforce": ("mode = enforce\n" + POSTMASTER, ""),
    "defer": ("mode = enforce\n" + POSTMASTER, OUTAGE_DEFERS),
    "monitor": ("mode = monitor\n" + POSTMASTER, ""),
    "mail": ("mode = enforce\nstage = mail\n", ""),
    "lenient": ('mode = enforce\npolicy "default" { check ptr-missing { action = tag } }\n'
                + POSTMASTER, ""),
}
BROKEN = {
    "no such key": "moed = enforce\n",
    "cut off": 'policy "default" { check ptr-missing {',
    "no such policy": 'match "x" { client = {"192.0.2.1"} policy = "there is none" }\n',
    "no such table": 'match "x" { client = {"cidr:/nonexistent"} policy = "none" }\n',
    "a number too large": "deadline = 99999999999999999999\n",
    "binary": "\x01\x02\x7f\x00\n",
    "a string without end": 'mode = "enforce\n',
    "contradiction": 'stage = mail\nmatch "x" { recipient = {"a"} policy = "none" }\n',
}
ALARM = re.compile(r"is set aside|: damaged|assert|Segmentation|stack smashing|gave up|"
                   r"double free|malloc\(\)|lines are lost")
LOG_BYTES_MAX = 8 << 20  # hours of it would fill the disk


def port_53_is_free(ip):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            try:
                sock.bind((ip, 53))
            except OSError:
                return False
    return True


class Stage:
    def __init__(self, directory, truth, fault):
        self.directory, self.truth, self.fault = pathlib.Path(directory), truth, fault
        (self.directory / "state").mkdir()
        self.metrics = daemon.free_port()
        self.control = self.directory / "control"
        self.resolv_conf = self.directory / "resolv.conf"
        # With resolv.conf the servers' port is 53: addresses of our own in 127.0.0.0/8.
        ours = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
        self.own_53 = all(port_53_is_free(f"{ours}.{i}") for i in (1, 2))
        self.servers = [SoakDNS(f"{ours}.{i}", 53) if self.own_53 else SoakDNS("127.0.0.1")
                        for i in (1, 2)]
        self.server = self.servers[0]
        self.server.start()
        self.partners(())
        self.point_at(self.server)
        self.daemon = daemon.Daemon(self.directory, dns=" ")
        self.daemon.config_path.unlink()
        self.config("enforce")
        self.log_position = 0
        self.cpu = 0.0

    # --- files ---

    def config(self, name):
        text, dns = CONFIGS[name]
        servers = (f'resolv-conf = "{self.resolv_conf}"' if self.own_53
                   else f'nameservers = {{"{self.server.addr}"}}')
        self.write(self.daemon.config_path, self.common() + text +
                   f"dns {{\n    {servers}\n    timeout = 2\n    attempts = 2\n{dns}}}\n")

    def common(self):
        return f'listen = "{self.daemon.spec}"\n' + COMMON.format(
            directory=self.directory, metrics=self.metrics, relay=RELAY)

    def broken(self, label):
        self.write(self.daemon.config_path, self.common() + BROKEN[label])

    def partners(self, networks):
        self.write(self.directory / "partners.cidr",
                   "".join(f"{network}\tOK\n" for network in networks))

    def point_at(self, server):
        self.write(self.resolv_conf, f"nameserver {server.ip}\noptions timeout:2 attempts:2\n")

    @staticmethod
    def write(path, text):
        new = path.with_name(path.name + ".tmp")
        new.write_text(text)
        new.rename(path)

    # --- the daemon ---

    def start(self):
        self.daemon.start()
        daemon.wait_until("the control socket", lambda: self.ctl("allowed").returncode == 0)

    def signal(self, number):
        self.daemon.process.send_signal(number)

    def kill(self):
        self.count_cpu()
        self.daemon.kill()

    def stop(self):
        self.count_cpu()
        self.daemon.stop()

    def count_cpu(self):
        fields = pathlib.Path(f"/proc/{self.daemon.pid()}/stat").read_text().rsplit(")", 1)[1].split()
        self.cpu += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ctl(self, *args):
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", self.daemon.config_path],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="backslashreplace", timeout=120)

    def ask(self, *args):
        """What iprevctl prints as JSON, or None and a fault."""
        done = self.ctl(*args, "--json")
        if done.returncode != 0:
            self.fault(f"iprevctl {' '.join(args)}: {done.returncode}: {done.stderr[:300]}")
            return None
        return [json.loads(line) for line in done.stdout.splitlines()]

    def request(self, **request):
        """Without iprevctl, which costs a process and reads the configuration file."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(60)
            sock.connect(str(self.control))
            sock.sendall(json.dumps(request).encode() + b"\n")
            answer = b""
            while chunk := sock.recv(65536):
                answer += chunk
        return [json.loads(line) for line in answer.splitlines()]

    def status(self):
        return self.request(command="status")[-1]

    def scrape(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics", timeout=60) as got:
            return dict(re.findall(r"^([a-z][^ ]*) (\S+)$", got.read().decode(), re.MULTILINE))

    # --- the log on standard error ---

    def read_log(self):
        """What was logged since the last call, looked through for what must not be there."""
        path = self.daemon.log_path
        with path.open("rb") as log:
            log.seek(self.log_position)
            data = log.read()
            self.log_position = log.tell()
        text = data.decode("utf-8", "backslashreplace")
        for pattern in (daemon.SANITIZER, ALARM):
            found = pattern.search(text)
            if found:
                self.fault(f"in the log: {text[max(found.start() - 200, 0):found.end() + 3000]}")
        if self.log_position > LOG_BYTES_MAX:
            os.truncate(path, 0)  # the daemon appends
            self.log_position = 0
        return text

    def logged(self, pattern, seconds=30):
        """Wait for a line that was logged since the last read_log()."""
        seen = []

        def look():
            seen.append(self.read_log())
            return re.search(pattern, "".join(seen))

        return daemon.wait_until(f"{pattern!r} in the log", look, seconds)

    def partner_network(self):
        return str(address(kind_named("partner"), 0)) + "/24"
