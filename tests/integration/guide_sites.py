# SPDX-License-Identifier: BSD-2-Clause
"""A mail server with iprevd in front, set up by the blocks of a guide in doc/.

What is shown is installed as it stands, but for the folders, with its own ports, in a network of
its own.  iprevd runs as its unit runs it: as its own user, in the mail server's jail.
"""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import threading

import fenced
import mta_postfix
import world
from daemon import START_SECONDS, has_ended, program, wait_until
from mta import GROUP, PASSWD, ROOT, RUN, Network
from mta_postfix import Postfix
from mta_sendmail import Sendmail
from smtpclient import Smtp, message

IPREVD_UID = 62020
USER = f"iprevd:x:{IPREVD_UID}:{IPREVD_UID}::/nonexistent:/usr/sbin/nologin\n"
SERVER = "192.0.2.254"
PROXY = "192.0.2.3"  # whom the guides trust: a backup MX, a proxy
RECEIVER = "192.0.2.5"  # where mail goes that leaves


def make_network():
    return Network([f"{address}/24" for address in ("192.0.2.1", "192.0.2.2", PROXY, "192.0.2.4",
                                                    RECEIVER)])


class Filter:
    """iprevd as its unit runs it, in a mail server's jail, with the configuration of a guide."""

    def __init__(self, jail, text):
        self.jail = jail
        self.process = None
        self.folder = folder = jail.dir / "iprevd"
        folder.mkdir()
        (folder / "zone").write_text(world.ZONE)
        self.log_path = folder / "log"
        group = GROUP + f"iprevd:x:{IPREVD_UID}:\n"
        for name, line in [("passwd", PASSWD + USER), ("group", group)]:
            (jail.dir / "etc" / name).write_text(line)
        self.configure(text)

    def configure(self, text):
        for key, value in [("mode", "enforce"), ("control", '"none"'), ("state-dir", '"none"')]:
            if not re.search(rf"^\s*{key}\s*=", text, re.MULTILINE):
                text += f"{key} = {value}\n"
        zone = f'zone-file = "{RUN}/iprevd/zone"'
        if "dns {" in text:
            text = text.replace("dns {", f"dns {{ {zone} ")
        else:
            text += f"dns {{ {zone} }}\n"
        (self.folder / "iprevd.conf").write_text(text)

    def start(self):
        with self.log_path.open("ab") as log:
            mark = log.tell()
            self.process = subprocess.Popen(
                self.jail._argv(["setpriv", "--reuid", "iprevd", "--regid", "iprevd",
                                 "--init-groups", program(), "-f", "-c",
                                 f"{RUN}/iprevd/iprevd.conf"]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("iprevd", lambda: self._serves(mark), START_SECONDS)

    def _serves(self, mark):
        assert self.process.poll() is None, self.log
        return "serves on" in self.log[mark:]

    def end(self):
        if self.process is None:
            return
        # The jail's init outlives unshare by a moment, and until it is gone iprevd may listen.
        inits = [int(pid) for pid in pathlib.Path(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]
        self.process.kill()
        self.process.wait()
        self.process = None
        wait_until("the end of iprevd", lambda: all(map(has_ended, inits)))

    @property
    def log(self):
        return self.log_path.read_text(errors="backslashreplace")

    def wait_log(self, pattern):
        return wait_until(f"{pattern!r} in {self.log_path}",
                          lambda: re.search(pattern, self.log))


class Site:
    """A mail server with iprevd in front, as one section of a guide sets it up."""

    def __init__(self, server, given):
        self.server, self.filter = server, given

    def accepts(self, smtp, subject="good"):
        response = smtp.send_message(message(subject))
        assert response.code == 250, response
        return self.server.mail.wait(subject)

    def judges(self, **kw):
        """The usual two: one accepted with the result in its header, one refused."""
        mail = self.accepts(self.server.client(world.GOOD, **kw))
        assert "iprev=pass policy.iprev=192.0.2.1 (mail.good.example)" in \
            mail.field("Authentication-Results")
        self.refuses(self.server.client(world.NO_PTR, **kw))

    def refuses(self, smtp, code=550, text="5.7.25 [192.0.2.2] has no PTR record"):
        response = smtp.send_message(message("bad"))
        # Sendmail puts the recipient in front of the text.
        said = response.text.replace("<user@example.net>... ", "")
        assert response.code == code and said.startswith(text), response


RECEIVED = ("Received", "from mail.nowhere.example (unknown [192.0.2.2])\n\tby mx2.example.net "
            "(Postfix) with ESMTP id 4711; Mon, 21 Sep 2026 14:00:00 +0000")


def hands_on(site):
    """What the backup MX took from a client without PTR."""
    smtp = site.server.client(PROXY)
    assert smtp.send_message(message("handed on", [RECEIVED])).code == 250
    mail = site.server.mail.wait("handed on")
    assert "checks=ptr-missing" in mail.field("X-Iprevd")
    assert "policy.iprev=192.0.2.2" in mail.field("Authentication-Results")


def listen_unix(path):
    path.parent.mkdir()
    path.parent.chmod(0o755)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    path.chmod(0o666)
    sock.listen()
    return sock


def judged_before(site, *others):
    """What iprevd refuses is not read by the others; what it accepts has its result already."""
    site.judges()
    for other in others:
        assert [command for command, _ in other.events].count("E") == 1
        fields = [data.split(b"\0")[0] for command, data in other.events if command == "L"]
        assert b"Authentication-Results" in fields


# --- Postfix ---


def service_key(line):
    words = line.split()
    return tuple(words[:2])


def merge_services(base, added):
    """master.cf with services replaced by those that a guide shows."""
    entries = {}
    for text in (base, added):
        key = None
        for line in text.splitlines():
            if line.startswith((" ", "\t")):
                entries[key].append(line)
            elif line.strip():
                key = service_key(line)
                entries[key] = [line]
    return "\n".join(line for lines in entries.values() for line in lines) + "\n"


def parameter_names(text):
    return set(re.findall(r"^(\w+)\s*=", text, re.MULTILINE))


class GuidePostfix(Postfix):
    """Postfix as Debian ships it, smtpd on port 25 in its chroot, and a section of the guide."""

    def __init__(self, blocks, network, extra=""):
        self.blocks = blocks
        self.extra = extra
        # Does the service on port 25 speak the PROXY protocol?
        self.behind_proxy = re.search("proxy_protocol *= *haproxy", "".join(blocks.values()))
        super().__init__(network=network)
        self.port = 25

    def _write_config(self):
        super()._write_config()
        config = self.jail.dir / "config"
        added = self.extra + self.blocks.get("main.cf", "")
        names = parameter_names(added) | {"smtpd_milters", "milter_default_action",
                                          "milter_connect_timeout", "milter_command_timeout"}
        base = "".join(line for line in (config / "main.cf").read_text().splitlines(keepends=True)
                       if not re.match(r"(\w+)\s*=", line) or
                       re.match(r"(\w+)", line)[1] not in names)
        (config / "main.cf").write_text(base + added)
        services = re.sub(r"(?m)^(\S+ inet|127\.0\.0\.1:\S+ inet).*\n(  .*\n)*", "",
                          mta_postfix.MASTER_CF.format(listeners="", proxy_port=1, chain_port=2,
                                                       reverse_port=3, lenient_port=4, chain="",
                                                       reverse="", services=""))
        (config / "master.cf").write_text(merge_services(
            services + "smtp inet n - y - - smtpd\n", self.blocks.get("master.cf", "")))
        # Where smtpd looks for logins from inside of its chroot.
        inside = self.jail.dir / "queue" / RUN.lstrip("/")
        inside.mkdir(parents=True)
        for name in ("sasldb2",):
            (inside / name).write_bytes((self.jail.dir / name).read_bytes())
            (inside / name).chmod(0o644)
        for path in config.iterdir():
            os.utime(path, (mta_postfix.SETTLED, mta_postfix.SETTLED))

    def _connect(self, host, port, source=None, proxy=None, side=0):
        if self.behind_proxy and proxy is None:
            proxy = f"PROXY TCP4 {host} {host} 25252 {port}"
        return super()._connect(host, port, source, proxy, side)

    def assert_settings_are_known(self):
        said = self.jail.run(f"{ROOT}/usr/sbin/postconf", "-c", f"{RUN}/config", "-n")
        assert "warning" not in said and "fatal" not in said, said
        for name in parameter_names(self.blocks.get("main.cf", "")):
            assert re.search(rf"^{name} =", said, re.MULTILINE), f"{name} is not set:\n{said}"
        said = self.jail.run(f"{ROOT}/usr/sbin/postconf", "-c", f"{RUN}/config", "-M")
        assert "warning" not in said and "fatal" not in said, said

    def client(self, address, port=25, proxied=None):
        """A connection to port; proxied: the client of whom the PROXY protocol tells."""
        proxy = proxied and f"PROXY TCP4 {proxied} {SERVER} 25252 {port}"
        smtp = self._client(SERVER, port, source=address, proxy=proxy, side=1)
        smtp.ehlo("mail.good.example")
        return smtp


@contextlib.contextmanager
def postfix_site(section, network, extra="", conf=""):
    """section: a heading of doc/postfix.md, or blocks by language; conf: more for iprevd.conf."""
    blocks = fenced.installations("postfix.md")[section] if isinstance(section, str) else section
    server = GuidePostfix(blocks, network, extra)
    given = Filter(server.jail, conf + blocks.get("iprevd.conf", "").replace(
        "/var/spool/postfix", f"{RUN}/queue"))
    try:
        if "sh" in blocks:
            commands = blocks["sh"].replace("/var/spool/postfix", f"{RUN}/queue")
            server.jail.run("sh", "-euc", commands)
        given.start()
        server.assert_settings_are_known()
        server.start()
        yield Site(server, given)
        assert not re.search(r"(warning|error|fatal|panic): (?!.*(Milter service|queue file))",
                             server.log), server.log
    finally:
        given.end()
        server.close_clients()
        server.jail.end()


# --- Sendmail ---


class GuideSendmail(Sendmail):
    """Sendmail on port 25 with a section of the guide in its sendmail.mc."""

    def __init__(self, blocks, network, extra=""):
        lines = blocks["sendmail.mc"].replace("/run/iprevd", f"{RUN}/iprevd")
        self.lines = lines.replace("/run/opendkim", f"{RUN}/opendkim") + extra
        super().__init__(network=network, hosts="192.0.2.1 mail.good.example\n")
        self.port = 25

    def _write_config(self, milters, extra):
        self.port = 25
        super()._write_config(self.lines, extra)

    def _macro_text(self, text):
        """The base configuration without what the section sets itself."""
        kept = []
        for line in text.splitlines(keepends=True):
            begin = re.match(r"define\(`\w+'|FEATURE\(`no_default_msa'", line)
            if begin and line not in self.lines and begin[0] in self.lines:
                continue
            if line.startswith("DAEMON_OPTIONS") and line not in self.lines:
                continue
            kept.append(line)
        if "DAEMON_OPTIONS" not in self.lines:
            kept.insert(0, "DAEMON_OPTIONS(`Name=MTA, Port=smtp')dnl\n")
        return "".join(kept)

    def _answers(self):
        assert self.jail.process.poll() is None, f"Sendmail ended:\n{self.jail.output}\n{self.log}"
        try:
            with self.client("127.0.0.1", side=0):
                return True
        except OSError:
            return False

    def client(self, address, port=25, side=1):
        host = "127.0.0.1" if side == 0 else SERVER
        smtp = Smtp(host, port, sock=self.jail.network.connect(host, port, address, side))
        self.clients.append(smtp)
        smtp.ehlo("mail.good.example")
        return smtp


@contextlib.contextmanager
def sendmail_site(heading, network, extra="", replace=("", ""), conf=""):
    blocks = fenced.installations("sendmail.md")[heading]
    blocks["sendmail.mc"] = blocks["sendmail.mc"].replace(*replace)
    server = GuideSendmail(blocks, network, extra)
    given = Filter(server.jail,
                   conf + blocks.get("iprevd.conf", "").replace("/run/", f"{RUN}/"))
    os.chown(given.folder, IPREVD_UID, IPREVD_UID)
    try:
        given.start()
        server.start()
        yield Site(server, given)
    finally:
        given.end()
        server.close_clients()
        server.jail.end()


# --- where mail goes ---


class Receiver:
    """What the next server is told: the sender's address and EHLO line, once."""

    def __init__(self, network):
        self.sock = network.listen(RECEIVER, 25, side=1)
        self.said = None
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            connection, peer = self.sock.accept()
        except OSError:
            return  # nobody came
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"220 receiver.example ESMTP\r\n")
            self.said = peer[0], stream.readline().decode().strip()
            connection.sendall(b"421 receiver.example has seen enough\r\n")

    def wait(self):
        return wait_until("the sender's EHLO", lambda: self.said)

    def close(self):
        """The address is free then: while a thread waits for a connection the kernel goes on listening."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join()
        self.sock.close()
