# SPDX-License-Identifier: BSD-2-Clause
"""Every message ends in an answer: mail server x milter protocol x socket x shape of the message.

An answer has to come within SILENCE seconds; what is accepted has our result in its header.
"""

import pytest

import daemon
import world
from conftest import require_mta
from mta import RUN
from mta_postfix import Postfix
from mta_sendmail import Sendmail

SILENCE = 120  # longer than either mail server waits for a filter: then it answers itself, and otherwise
CONFIG = "mode = enforce\nlocal-networks = {}\n"
PROTOCOLS = (2, 3, 4, 6)  # of Postfix's milter_protocol; Sendmail has its own
SOCKETS = ("inet", "unix")
MIB = 1 << 20


def folded(name, size):
    """A field of about `size` bytes in lines that are not too long."""
    line = b" " + b"x" * 900 + b"\r\n"
    return name + b": begins\r\n" + line * (size // len(line)) + b" ends\r\n"


HEADER = b"From: sender@good.example\r\nSubject: shape\r\n"
SHAPES = {
    "nothing": b"",
    "no header": b"text\r\n",
    "blank line first": b"\r\ntext\r\n",
    "only a blank line": b"\r\n",
    "space first": b" text\r\n",
    "tab first": b"\ttext\r\n",
    "from line": b">From sender@good.example\r\ntext\r\n",
    "from line and header": b">From x\r\n" + HEADER + b"\r\ntext\r\n",
    "several blank lines": b"\r\n\r\n\r\n",
    "only blanks": b"  \r\n",
    "no colon": b"this is no field\r\ntext\r\n",
    "colon first": b": nothing\r\n\r\ntext\r\n",
    "no colon behind fields": HEADER + b"this is no field\r\n\r\ntext\r\n",
    "blank before the colon": HEADER + b"X-Blank : x\r\n\r\ntext\r\n",
    "field without a value": HEADER + b"X-Empty:\r\n\r\ntext\r\n",
    "field of folds": HEADER + b"X-Folds:\r\n \r\n\t\r\n x\r\n\r\ntext\r\n",
    "header that ends in a fold": HEADER + b"X-Fold: x\r\n y\r\n",
    "dots": b"..\r\n...text\r\n",
    "dots in the body": HEADER + b"\r\n..\r\n..text\r\n",
    "8-bit": HEADER + b"X-Eight: \xff\xfe\r\n\r\n\x80\xff\r\n",
    "8-bit without a header": b"\xff\xfe\r\n",
    "a line of 100 KB": HEADER + b"\r\n" + b"x" * 100000 + b"\r\n",
    "header only": HEADER,
    "empty body": HEADER + b"\r\n",
    "header and body": HEADER + b"\r\ntext\r\n",
    "NUL in the header": HEADER + b"X-Nul: a\0b\r\n\r\ntext\r\n",
    "NUL in the body": HEADER + b"\r\na\0b\r\n",
    "bare CR": HEADER + b"X-Cr: a\rb\r\n\r\na\rb\r\n",
    "bare LF": HEADER + b"X-Lf: a\n\nb\r\n",
    "1,000 fields": HEADER + b"X-Many: x\r\n" * 1000 + b"\r\ntext\r\n",
    "a field of 64 KiB": HEADER + folded(b"X-Big", 65536 + 2000) + b"\r\ntext\r\n",
    "a field of 1 MiB": HEADER + folded(b"X-Big", MIB) + b"\r\ntext\r\n",
}
CHUNKS = ("nothing", "no header", "blank line first", "space first", "only blanks", "no colon",
          "header only", "header and body", "1,000 fields")


class Door:
    """One way into a mail server: a port, whose filter speaks one protocol over one socket."""

    def __init__(self, server, port, takes_chunks):
        self.server, self.port, self.takes_chunks = server, port, takes_chunks

    def client(self):
        smtp = self.server.smtp(port=self.port) if self.takes_chunks else \
            self.server.smtp(world.LO_GOOD, port=self.port)
        if self.takes_chunks:
            smtp.ok("EHLO xclient.test")
            smtp.xclient_as(world.LO_GOOD, "lo.good.example")
        smtp.sock.settimeout(SILENCE)
        smtp.ehlo("lo.good.example")
        return smtp


def send(smtp, data, chunks=False):
    for line in ("MAIL FROM:<sender@good.example>", "RCPT TO:<user@example.net>"):
        smtp.ok(line)
    if chunks:
        smtp.send_raw(b"BDAT %d LAST\r\n" % len(data) + data)
    else:
        smtp.ok("DATA")
        smtp.send_raw(data + (b"" if data[-2:] in (b"", b"\r\n") else b"\r\n") + b".\r\n")
    return smtp.read()


def start_daemons(server, directory):
    """iprevd at the two sockets of a mail server's jail."""
    started = []
    for name, spec in [("inet", server.inet_spec),
                       ("unix", f"unix:{server.jail.dir}/filter/socket")]:
        given = daemon.Daemon(directory / name, CONFIG, zone=world.ZONE, listen=spec)
        started.append(given.start())
    (server.jail.dir / "filter" / "socket").chmod(0o666)
    return started


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    require_mta("postfix")
    require_mta("sendmail")
    ports = {(protocol, kind): daemon.free_port() for protocol in PROTOCOLS for kind in SOCKETS}
    inet = {name: daemon.free_port() for name in ("postfix", "sendmail")}
    filters = {"inet": f"inet:127.0.0.1:{inet['postfix']}", "unix": f"unix:{RUN}/filter/socket"}
    services = "\n".join(
        f"127.0.0.1:{port} inet n - n - - smtpd\n"
        f"  -o milter_protocol={protocol} -o smtpd_milters={filters[kind]}"
        for (protocol, kind), port in ports.items())
    postfix = Postfix(services=services)
    filters["inet"] = f"inet:{inet['sendmail']}@127.0.0.1"
    # The largest header that a site may allow: see doc/sendmail.md.
    sendmail_ports = {kind: daemon.free_port() for kind in SOCKETS}
    sendmail = Sendmail(hosts=world.HOSTS, extra="define(`confMAX_HEADERS_LENGTH', `4194304')dnl\n" +
                        "".join(f"MAIL_FILTER(`{kind}', `S={filters[kind]}, F=T, T=R:30s;E:2m')dnl\n"
                                f"DAEMON_OPTIONS(`Name=M{kind}, Family=inet, Addr=127.0.0.1, "
                                f"Port={port}, InputMailFilters={kind}')dnl\n"
                                for kind, port in sendmail_ports.items()))
    daemons = []
    try:
        for name, server in [("postfix", postfix), ("sendmail", sendmail)]:
            (server.jail.dir / "filter").mkdir()
            server.inet_spec = f"inet:{inet[name]}@127.0.0.1"
            daemons += start_daemons(server, tmp_path_factory.mktemp(name))
        with postfix, sendmail:
            found = {f"Postfix, protocol {protocol}, {kind}": Door(postfix, port, True)
                     for (protocol, kind), port in ports.items()}
            found.update({f"Sendmail, {kind}": Door(sendmail, port, False)
                          for kind, port in sendmail_ports.items()})
            yield found
            for given in daemons:
                given.stop()
    finally:
        for given in daemons:
            given.kill()


DOORS = [f"Postfix, protocol {protocol}, {kind}" for protocol in PROTOCOLS for kind in SOCKETS] + \
    [f"Sendmail, {kind}" for kind in SOCKETS]


def play(door, data, chunks):
    """What is answered; a message that is accepted is looked at."""
    before = len(door.server.mail.messages())
    smtp = door.client()
    try:
        response = send(smtp, data, chunks)
    finally:
        smtp.close()
    if response.code == 250:
        mail = daemon.wait_until("the message", lambda: door.server.mail.messages()[before:])[0]
        assert "iprev=pass" in (mail.field("Authentication-Results") or ""), mail.text[:500]
    return response.code


@pytest.mark.parametrize("name", DOORS)
def test_every_shape_is_answered(doors, name):
    door = doors[name]
    codes = {label: play(door, data, False) for label, data in SHAPES.items()}
    if door.takes_chunks:
        codes.update({f"BDAT {label}": play(door, SHAPES[label], True) for label in CHUNKS})
    # What a mail server itself may refuse is its affair; never for good because of a filter.
    may_refuse = {"NUL in the header", "NUL in the body", "bare CR", "bare LF", "a field of 64 KiB",
                  "a field of 1 MiB"}
    for label, code in codes.items():
        assert code == 250 or label in may_refuse, (label, code)
    if not door.takes_chunks:
        # libmilter closes the connection: with F=T the message waits, and is not taken unchecked.
        for label in ("a field of 64 KiB", "a field of 1 MiB"):
            assert 400 <= codes[label] < 500, codes


def refused_recipient(smtp):
    smtp.ok("MAIL FROM:<sender@good.example>")
    assert smtp.rcpt("user@elsewhere.example").code >= 400
    smtp.ok("RSET")


def reset_after_recipient(smtp):
    smtp.ok("MAIL FROM:<sender@good.example>")
    smtp.ok("RCPT TO:<user@example.net>")
    smtp.ok("RSET")


def ehlo_after_recipient(smtp):
    smtp.ok("MAIL FROM:<sender@good.example>")
    smtp.ok("RCPT TO:<user@example.net>")
    smtp.ehlo("lo.good.example")


def refused_and_accepted(smtp):
    smtp.ok("MAIL FROM:<sender@good.example>")
    assert smtp.rcpt("user@elsewhere.example").code >= 400
    smtp.ok("RCPT TO:<user@example.net>")
    smtp.ok("DATA")
    smtp.send_raw(b"text\r\n.\r\n")
    assert smtp.read().code == 250


def pipelined(smtp):
    smtp.send_raw(b"MAIL FROM:<sender@good.example>\r\nRCPT TO:<user@example.net>\r\nDATA\r\n")
    assert [smtp.read().code for _ in range(3)] == [250, 250, 354]
    smtp.send_raw(b"text\r\n.\r\nNOOP\r\n")
    assert [smtp.read().code for _ in range(2)] == [250, 250]


def data_without_recipient(smtp):
    smtp.ok("MAIL FROM:<sender@good.example>")
    assert smtp.command("DATA").code >= 500
    smtp.ok("RSET")


BETWEEN = (refused_recipient, reset_after_recipient, ehlo_after_recipient, refused_and_accepted,
           pipelined, data_without_recipient)


@pytest.mark.parametrize("name", DOORS)
def test_every_message_of_a_session_is_answered(doors, name):
    """Whatever came before it in the same connection."""
    door = doors[name]
    before = len(door.server.mail.messages())
    sent = 0
    smtp = door.client()
    try:
        for between in BETWEEN:
            between(smtp)
            sent += between in (refused_and_accepted, pipelined)
            for label in ("no header", "header and body", "header only"):
                assert send(smtp, SHAPES[label]).code == 250, (between.__name__, label)
                sent += 1
            if door.takes_chunks:
                for line in ("MAIL FROM:<sender@good.example>", "RCPT TO:<user@example.net>"):
                    smtp.ok(line)
                smtp.send_raw(b"BDAT 3\r\ntexBDAT 3\r\nt\r\nBDAT 0 LAST\r\n")
                assert [smtp.read().code for _ in range(3)] == [250] * 3, between.__name__
                sent += 1
    finally:
        smtp.close()
    daemon.wait_until("the messages", lambda: len(door.server.mail.messages()) == before + sent)
    for mail in door.server.mail.messages()[before:]:
        assert "iprev=pass" in (mail.field("Authentication-Results") or ""), mail.text[:500]
