# SPDX-License-Identifier: BSD-2-Clause
"""Where a real mail server runs in private: a jail of namespaces around unpacked packages.

A jail has its own mount, PID and host name: /etc is a private one with the users that the mail
server wants, /mnt/mta holds the unpacked packages and /mnt/run the server's own files.  The
network is the host's loopback (or a Network, below).  The host sees nothing of it but listening
ports on loopback, and when the jail's first process ends, so do all others.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from daemon import wait_until

HOSTNAME = "mx.example.net"
ROOT = "/mnt/mta"  # inside the jail: the packages
RUN = "/mnt/run"  # inside the jail: the server's own directory
CLONE_NEWNET = 0x40000000  # <sched.h>
LOGIN, PASSWORD = "alice", "correct horse"
USERS = ("user", "other", "alice", "postmaster", "abuse")  # who has a mailbox

# Users of both mail servers' packages and of the tests; ids that no host has a use for.
PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1::/nonexistent:/usr/sbin/nologin
mail:x:8:8::/nonexistent:/usr/sbin/nologin
smmta:x:62001:62001::/nonexistent:/usr/sbin/nologin
smmsp:x:62002:62002::/nonexistent:/usr/sbin/nologin
postfix:x:62003:62003::/nonexistent:/usr/sbin/nologin
user:x:62010:62010::/nonexistent:/usr/sbin/nologin
other:x:62011:62010::/nonexistent:/usr/sbin/nologin
alice:x:62012:62010::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
"""
GROUP = """root:x:0:
daemon:x:1:
tty:x:5:
mail:x:8:
smmta:x:62001:
smmsp:x:62002:
postfix:x:62003:
postdrop:x:62004:
sasl:x:62005:
user:x:62010:
nogroup:x:65534:
"""
SERVICES = "smtp 25/tcp mail\nsubmission 587/tcp\ndomain 53/tcp\ndomain 53/udp\n"
PROTOCOLS = "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6 41 IPv6\n"
HOSTS = f"127.0.0.1 {HOSTNAME} mx localhost\n::1 localhost\n"

# Names come from /etc/hosts only, unless a test brings a DNS server of its own.
NSSWITCH = "passwd: files\ngroup: files\nservices: files\nprotocols: files\nhosts: {}\n"

# A DNS server of a test answers everything, at whatever speed the machine has: to give up after a
# second makes a failure of a pause.  (Sendmail makes of two times 20 s one.)
RESOLV_CONF = "nameserver {}\noptions timeout:20 attempts:2\n"

ENTER = r"""set -eu
packages=$1 private=$2
shift 2
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/mta /mnt/run
mount --bind "$packages" /mnt/mta
mount --bind "$private" /mnt/run
hostname %(hostname)s
# A /dev of what servers need, so that /dev/log is ours and not the machine's.
mkdir /mnt/dev
for node in null zero random urandom; do
	: >/mnt/dev/$node
	mount --bind /dev/$node /mnt/dev/$node
done
ln -s /proc/self/fd /mnt/dev/fd
ln -s /mnt/run/syslog /mnt/dev/log
mount --rbind /mnt/dev /dev
# Libraries: the packages' own before the machine's, without a variable that servers drop.
if [ -d /var/cache/ldconfig ]; then mount -t tmpfs tmpfs /var/cache/ldconfig; fi
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
if [ ! -e /mnt/run/etc/ld.so.cache ]; then
	ldconfig -X -C /mnt/run/etc/ld.so.cache -f /mnt/run/ld.so.conf
fi
for plugins in /usr/lib/*/sasl2; do
	if [ -d "/mnt/mta$plugins" ] && [ ! -e "$plugins/libplain.so" ]; then
		mount --bind "/mnt/mta$plugins" "$plugins"
	fi
done
mount --bind /mnt/run/etc /etc
# Not exec: the jail's first process must be one that keeps its identity, for a change of it would
# take from it the signal that it gets when its parent dies.
status=0
"$@" || status=$?
exit $status
""" % {"hostname": HOSTNAME}


def packages_dir(name):
    """Where scripts/fetch-mta has put the packages of "postfix" or "sendmail"."""
    base = os.environ.get("IPREVD_MTA_DIR")
    if not base:
        build = os.environ.get("top_builddir") or os.environ.get("builddir") or "build"
        base = pathlib.Path(build) / "mta"
    return pathlib.Path(base).resolve() / f"root-{name}"


class Syslog:
    """Takes what is sent to /dev/log of a jail."""

    def __init__(self, path):
        self.lines = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        path.chmod(0o666)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            data = self.sock.recv(65536)
            if not data:
                return
            self.lines.append(re.sub(r"^<\d+>", "", data.decode("utf-8", "backslashreplace")))

    @property
    def text(self):
        return "\n".join(self.lines)

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()


class Jail:
    """A private directory and the means to run commands of unpacked packages in it."""

    def __init__(self, name, hosts="", nameserver=None, network=None):
        self.packages = packages_dir(name)
        # Not below a directory of mode 0700: the servers' users have to get there.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"iprevd-{name}-"))
        self.dir.chmod(0o755)
        self.network = network
        self.process = None
        self.output_path = self.dir / "output.log"
        self._write_etc(hosts, nameserver)
        self.syslog = Syslog(self.dir / "syslog")

    def _write_etc(self, hosts, nameserver):
        etc = self.dir / "etc"
        etc.mkdir()
        lookups = "files dns" if nameserver else "files"
        files = {"passwd": PASSWD, "group": GROUP, "services": SERVICES, "protocols": PROTOCOLS,
                 "hosts": HOSTS + hosts, "nsswitch.conf": NSSWITCH.format(lookups),
                 "resolv.conf": RESOLV_CONF.format(nameserver or "127.0.0.1"),
                 "hostname": HOSTNAME + "\n", "mailname": HOSTNAME + "\n"}
        for name, text in files.items():
            (etc / name).write_text(text)
        machine = pathlib.Path("/etc/ld.so.conf")
        lines = [machine.read_text()] if machine.exists() else []
        for place in self._library_dirs():
            lines.insert(0, f"{ROOT}/{place.relative_to(self.packages)}\n")
        (self.dir / "ld.so.conf").write_text("".join(lines))

    def _library_dirs(self):
        found = {path.parent for pattern in ("usr/lib/**/*.so*", "lib/**/*.so*")
                 for path in self.packages.glob(pattern)}
        return sorted(path for path in found if path.name not in ("sasl2", "engines-3"))

    def _argv(self, command):
        # Should the tests be killed, their servers go with them.
        argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc",
                "sh", "-c", ENTER, "jail", str(self.packages), str(self.dir), *command]
        return self.network.argv(argv) if self.network else argv

    def run(self, *command, stdin=None, check=True):
        """Run a command of the jail to its end; its output."""
        done = subprocess.run(self._argv(command), input=stdin, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def spawn(self, *command):
        with self.output_path.open("ab") as output:
            self.process = subprocess.Popen(self._argv(command), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output)

    @property
    def output(self):
        return self.output_path.read_text(errors="backslashreplace")

    def end(self):
        """End whatever runs in the jail and take the directory away."""
        if self.process is not None and self.process.poll() is None:
            # Everything goes with the jail's init, for which unshare waits: then its ports are free.
            pid = self.process.pid
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for child in children or [pid]:
                os.kill(int(child), signal.SIGKILL)
            self.process.wait()
        self.process = None
        self.syslog.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def make_certificate(self):
        """A self-signed certificate; the paths inside the jail."""
        key, cert = self.dir / "key.pem", self.dir / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        f"/CN={HOSTNAME}", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        key.chmod(0o600)
        return f"{RUN}/key.pem", f"{RUN}/cert.pem"

    def make_login(self):
        """The user LOGIN with PASSWORD in a sasldb; its path inside the jail."""
        self.run(f"{ROOT}/usr/sbin/saslpasswd2", "-f", f"{RUN}/sasldb2", "-p", "-c", "-u",
                 HOSTNAME, LOGIN, stdin=PASSWORD)
        (self.dir / "sasldb2").chmod(0o644)
        return f"{RUN}/sasldb2"


class Mail:
    """A delivered message."""

    def __init__(self, data):
        self.text = data.decode("utf-8", "backslashreplace")
        head = self.text.partition("\n\n")[0]
        self.fields = []
        for line in head.split("\n"):
            if line[:1] in (" ", "\t") and self.fields:
                self.fields[-1][1] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                self.fields.append([name, value.strip()])

    def all(self, name):
        return [value for given, value in self.fields if given.lower() == name.lower()]

    def field(self, name):
        """The first value, or None."""
        return next(iter(self.all(name)), None)

    @property
    def subject(self):
        return self.field("Subject")


class Mailboxes:
    """Maildirs below a directory, one a recipient."""

    def __init__(self, directory):
        self.directory = directory

    def messages(self, user="user"):
        found = []
        for path in sorted((self.directory / user / "new").glob("*")):
            found.append(Mail(path.read_bytes()))
        return found

    def find(self, subject, user="user"):
        return next((mail for mail in self.messages(user) if mail.subject == subject), None)

    def wait(self, subject, user="user"):
        return wait_until(f"mail {subject!r} for {user}", lambda: self.find(subject, user))


class Network:
    """
    Two network namespaces of our own, joined by a veth pair: `server` for a mail server and what
    it talks to, `client` for clients with real foreign addresses.
    """

    def __init__(self, addresses, server="192.0.2.254/24", server6="2001:db8::254/64"):
        self.tag = f"ipv{os.getpid()}"
        self.names = [f"{self.tag}s", f"{self.tag}c"]
        for name in self.names:
            self._ip("netns", "add", name)
            self._ip("-n", name, "link", "set", "lo", "up")
        self._ip("-n", self.names[0], "link", "add", "v0", "type", "veth", "peer", "name", "v0",
                 "netns", self.names[1])
        self._assign(self.names[0], [server, server6])
        self._assign(self.names[1], addresses)
        for name in self.names:
            self._ip("-n", name, "link", "set", "v0", "up")

    @staticmethod
    def _ip(*words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _assign(self, name, addresses):
        for address in addresses:
            # nodad: an address is of use at once.
            extra = ["nodad"] if ":" in address else []
            self._ip("-n", name, "addr", "add", address, "dev", "v0", *extra)

    def argv(self, command, side=0):
        return ["ip", "netns", "exec", self.names[side], *command]

    def _make_socket(self, side, make):
        """What make() returns, on one side: 0 the server's, 1 the client's."""
        made = []

        def run():
            # A thread's network namespace is its own affair; a socket stays where it was made.
            with open(f"/run/netns/{self.names[side]}", "rb") as namespace:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    made.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                made.append(make())
            except OSError as error:
                made.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]

    def connect(self, host, port, source=None, side=0, timeout=60):
        """A connected socket that lives on one side."""
        where = (source, 0) if source else None
        return self._make_socket(
            side, lambda: socket.create_connection((host, port), timeout, where))

    def listen(self, host, port, side=0):
        """A listening socket that lives on one side."""
        return self._make_socket(side, lambda: socket.create_server((host, port)))

    def close(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
