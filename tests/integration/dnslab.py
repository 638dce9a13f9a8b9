#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A small internet in a network namespace: authorities for the root, in-addr.arpa and com (NSD), and the resolvers of
the distribution in front of them, each as an administrator would configure it.  Nothing leaves the namespace.

Run as a program it forwards DNS queries and strips the authority section of every answer, as some routers do:

    dnslab.py 127.0.0.19 127.0.0.11
"""

import ipaddress
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from mta import packages_dir  # noqa: E402

PATIENCE_S = 60  # only ends a test that has failed already
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin"
AUTHORITY = "11.0.0.1"
RESOLVER = "127.0.0.11"  # the unbound that dnsmasq and the stripping forwarder ask

SOA = "@ 300 SOA ns1.infra. host.infra. 1 3600 600 86400 60\n@ NS ns1.infra.\n"
ZONES = {
    ".": "arpa NS ns1.infra.\ncom NS ns1.infra.\ninfra NS ns1.infra.\nns1.infra A 11.0.0.1\n",
    "arpa": "in-addr NS ns1.infra.\nip6 NS ns1.infra.\n",
    "in-addr.arpa": "20 NS ns1.infra.\n",
    # The last is delegated to a server that does not have it: it refers to itself.
    "20.in-addr.arpa": "0.1 NS ns1.infra.\n20 NS ns1.infra.\n",
    "ip6.arpa": f"{ipaddress.ip_address('2a00:1::1').reverse_pointer}. PTR six.good.com.\n",
    "com": "good NS ns1.infra.\nsilent NS ns.silent\nns.silent A 11.66.0.1\n"
           "nobody NS ns.nobody\nns.nobody A 11.0.0.9\n",
    "infra": "ns1 A 11.0.0.1\n",
    "0.1.20.in-addr.arpa": "1 PTR mail.good.com.\n2 PTR none.good.com.\n3 CNAME 3.rev.good.com.\n"
                           "4 CNAME 4.rev.good.com.\n5 TXT there\n"
                           "7 CNAME 7.0/25\n7.0/25 PTR mail.good.com.\n8 PTR MAIL.Good.COM.\n" +
                           "".join(f"6 PTR c{i}.good.com.\n" for i in range(300)),
    "good.com": "mail A 20.1.0.1\n3.rev PTR mail.good.com.\nsix AAAA 2a00:1::1\n"
                "old DNAME new.good.com.\nhost.new A 20.1.0.1\n*.wild A 20.1.0.1\n_under A 20.1.0.1\n"
                "round CNAME about\nabout CNAME round\nalias9 A 20.1.0.1\n" +
                "".join(f"alias{i} CNAME alias{i + 1}\n" for i in range(9)) +
                63 * "l" + " A 20.1.0.1\n",
}


def which(program):
    path = shutil.which(program, path=PATH)
    assert path, f"{program} is not installed: scripts/install-packages check"
    return path


def old_settings():
    """Since 5.2 PowerDNS Recursor reads settings that are no YAML only if it is told so."""
    said = subprocess.run(["pdns_recursor", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"Recursor (\d+)\.(\d+)", said.stdout + said.stderr)
    return ["--enable-old-settings"] if version and tuple(map(int, version.groups())) >= (5, 2) else []


class Lab:
    """The namespace and the authority in it.  Leaving the `with` ends all that was started."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.name = f"iprevd-lab-{os.getpid()}"
        self.prefix = ["ip", "netns", "exec", self.name]
        self.processes, self.started = [], {}

    def ip(self, *arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=PATIENCE_S)

    def __enter__(self):
        self.ip("netns", "add", self.name)
        try:
            self.ip("-n", self.name, "link", "set", "lo", "up")
            self.start_authority()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    def start(self, name, address, *argv, files=None):
        """Start a server and wait until it listens on that address."""
        self.ip("-n", self.name, "addr", "add", f"{address}/32", "dev", "lo")  # BIND wants to see it
        directory = self.directory / name
        directory.mkdir()
        for file, text in (files or {}).items():
            (directory / file).write_text(text.replace("@DIR@", str(directory)))
        argv = [argument.replace("@DIR@", str(directory)) for argument in argv]
        log = open(directory / "log", "w+")
        self.started[name] = [[*self.prefix, which(argv[0]), *argv[1:]], directory, log, None]
        process = self.start_again(name)
        waiter = subprocess.run([*self.prefix, sys.executable, __file__, "wait", address], check=False,
                                capture_output=True, text=True, timeout=2 * PATIENCE_S)
        log.seek(0)
        assert waiter.returncode == 0 and process.poll() is None, f"{name}: {log.read()}"
        return process

    def start_again(self, name):
        argv, directory, log, _ = self.started[name]
        process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=directory,
                                   start_new_session=True)
        self.started[name][-1] = process
        self.processes.append(process)
        return process

    def kill(self, name):
        self.started[name][-1].kill()
        self.started[name][-1].wait()

    def start_authority(self):
        files, zones = {}, ""
        for name, text in ZONES.items():
            file = "zone." + (name.strip(".") or "root")
            files[file] = f"$ORIGIN {name.strip('.')}.\n$TTL 300\n{SOA}{text}"
            zones += f'zone:\n  name: "{name}"\n  zonefile: "{file}"\n'
        files["nsd.conf"] = f"""server:
  ip-address: {AUTHORITY}
  zonesdir: "@DIR@"
  pidfile: "@DIR@/nsd.pid"
  xfrdfile: "@DIR@/xfrd.state"
  zonelistfile: "@DIR@/zone.list"
  xfrdir: "@DIR@"
  database: ""
  username: ""
  chroot: ""
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
{zones}"""
        self.authority = self.start("authority", AUTHORITY, "nsd", "-d", "-c", "@DIR@/nsd.conf",
                                    files=files)

    def authority_changes(self, zone, text):
        """More records for a zone; the authority has them when this returns."""
        path = self.directory / "authority" / ("zone." + (zone.strip(".") or "root"))
        serial = int(path.read_text().split("host.infra. ")[1].split()[0]) + 1
        path.write_text(path.read_text().replace(f"host.infra. {serial - 1} ", f"host.infra. {serial} ")
                        + text)
        os.kill(self.authority.pid, signal.SIGHUP)
        waiter = subprocess.run([*self.prefix, sys.executable, __file__, "serial", AUTHORITY, zone,
                                 str(serial)], check=False, timeout=2 * PATIENCE_S)
        assert waiter.returncode == 0

    def authority_stops(self):
        """The uplink is cut: what is asked there is not answered until it goes on."""
        os.killpg(self.authority.pid, signal.SIGSTOP)

    def authority_goes_on(self):
        os.killpg(self.authority.pid, signal.SIGCONT)

    # -- resolvers: each returns its address --

    def unbound(self, name, address, local=""):
        self.start(name, address, "unbound", "-d", "-p", "-c", "@DIR@/unbound.conf", files={
            "hints": HINTS, "unbound.conf": f"""server:
  interface: {address}
  directory: "@DIR@"
  pidfile: ""
  username: ""
  chroot: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  root-hints: "@DIR@/hints"
  module-config: "iterator"
  do-ip6: no
{local}remote-control:
  control-enable: no
"""})
        return address

    def named(self, name, address, zones='zone "." { type hint; file "hints"; };'):
        self.start(name, address, "named", "-g", "-n", "1", "-c", "@DIR@/named.conf", files={
            "hints": HINTS, "root.zone": f"$TTL 300\n{SOA}ns1.infra. A 127.0.0.1\n",
            "named.conf": f"""options {{
  directory "@DIR@";
  listen-on {{ {address}; }};
  listen-on-v6 {{ none; }};
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  recursion yes;
}};
controls {{ }};
{zones}
"""})
        return address

    def kresd(self, name, address, more=""):
        self.start(name, address, "kresd", "-n", "-c", "@DIR@/conf.lua", "@DIR@", files={
            "conf.lua": f"""net.listen('{address}', 53)
net.ipv6 = false
trust_anchors.remove('.')
modules.load('hints')
hints.root({{['ns1.infra.'] = {{'{AUTHORITY}'}}}})
cache.size = 10 * MB
{more}"""})
        return address

    def pdns(self, name, address, more="", files=None):
        self.start(name, address, "pdns_recursor", "--config-dir=@DIR@", *old_settings(), files={
            "hints": HINTS, "recursor.conf": f"""local-address={address}
hint-file=@DIR@/hints
socket-dir=@DIR@
dnssec=off
threads=1
daemon=no
{more}""", **(files or {})})
        return address

    def dnsmasq(self, name, address, *options):
        self.start(name, address, "dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts",
                   f"--listen-address={address}", "--bind-interfaces", "--user=root", "--pid-file=",
                   "--log-facility=-", *options)
        return address

    def resolved(self, name, address, upstream=RESOLVER):
        """systemd-resolved, with a /run, users and a configuration of its own."""
        program = next((str(path) for root in ("/", packages_dir("resolved"))
                        for path in (pathlib.Path(root) / "lib/systemd/systemd-resolved",
                                     pathlib.Path(root) / "usr/lib/systemd/systemd-resolved")
                        if path.exists()), None)
        assert program, "systemd-resolved is not there: scripts/fetch-mta DIR resolved"
        for words in ("link add up0 type veth peer up1", "addr add 11.99.0.1/24 dev up0",
                      "link set up1 up", "link set up0 up"):
            self.ip("-n", self.name, *words.split())  # without a link it asks nobody
        self.start(name, address, "unshare", "-m", "sh", "-eu", "@DIR@/start", program, files={
            "resolved.conf": f"""[Resolve]
DNS={upstream}
FallbackDNS=
Domains=~.
DNSSEC=no
LLMNR=no
MulticastDNS=no
DNSStubListenerExtra={address}
""", "start": RESOLVED})
        return address

    def stripping_forwarder(self, name, address, upstream=RESOLVER):
        self.start(name, address, "python3", __file__, address, upstream)
        return address


# Its user need not be there, and it reads nothing of this machine's.
RESOLVED = """mount --make-rprivate /
for file in passwd group; do
	grep -v ^systemd-resolve: /etc/$file >@DIR@/$file
	mount --bind @DIR@/$file /etc/$file
done
echo systemd-resolve:x:996:996::/:/bin/false >>/etc/passwd
echo systemd-resolve:x:996: >>/etc/group
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve /run/systemd/resolved.conf.d
chown systemd-resolve:systemd-resolve /run/systemd/resolve
cp @DIR@/resolved.conf /run/systemd/resolved.conf.d/
exec "$1"
"""

HINTS = f". 3600000 NS ns1.infra.\nns1.infra. 3600000 A {AUTHORITY}\n"


def wait_for(address):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            socket.create_connection((address, 53), timeout=PATIENCE_S).close()
            return 0
        except OSError:
            time.sleep(0.02)
    return 1


def wait_for_serial(address, zone, serial):
    import dns.message  # pylint: disable=import-outside-toplevel
    import dns.query  # pylint: disable=import-outside-toplevel
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = dns.query.tcp(dns.message.make_query(zone, "SOA"), address, timeout=PATIENCE_S).answer
        if answer and answer[0][0].serial == int(serial):
            return 0
        time.sleep(0.02)
    return 1


def forward(address, upstream):
    """Over UDP: the authority section is left out of every answer."""
    import dns.message  # pylint: disable=import-outside-toplevel
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    listener = socket.create_server((address, 53))  # says that we are here; nothing is truncated

    def answer_one(query, peer):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((upstream, 53))
            client.send(query)
            answer = dns.message.from_wire(client.recv(65535))
        answer.authority = []
        server.sendto(answer.to_wire(), peer)

    while True:  # nobody waits for the answers of a silent zone
        threading.Thread(target=answer_one, args=server.recvfrom(65535), daemon=True).start()
    return listener


if __name__ == "__main__":
    if sys.argv[1] == "wait":
        sys.exit(wait_for(sys.argv[2]))
    if sys.argv[1] == "serial":
        sys.exit(wait_for_serial(*sys.argv[2:]))
    forward(*sys.argv[1:])
