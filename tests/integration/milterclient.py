# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, version 6, as Postfix and Sendmail speak it.

    client = MilterClient("inet:8896@127.0.0.1")
    result = client.session(client="192.0.2.1", ptr="mail.example", helo="mail.example",
                            sender="a@example.org", rcpts=["b@example.net"])
    assert result.verdict == "accept"

MilterConnection is the same one event at a time, and sends raw bytes for those who misbehave.
The negotiated flags are honoured exactly: an event that the filter does not want is not sent
(the reply is SKIPPED), and after one to which it said it would not answer nothing is read
(NOREPLY).
"""

import dataclasses
import socket
import struct

VERSION = 6

# Actions (SMFIF_*).
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS = 0x1, 0x2, 0x4, 0x8, 0x10
QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = 0x20, 0x40, 0x80, 0x100
ALL_ACTIONS = 0x1FF

# Protocol (SMFIP_*).
NOCONNECT, NOHELO, NOMAIL, NORCPT, NOBODY, NOHDRS, NOEOH = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40
NR_HDR, NOUNKNOWN, NODATA, SKIP, RCPT_REJ = 0x80, 0x100, 0x200, 0x400, 0x800
NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA = 0x1000, 0x2000, 0x4000, 0x8000, 0x10000
NR_UNKN, NR_EOH, NR_BODY, HDR_LEADSPC = 0x20000, 0x40000, 0x80000, 0x100000
ALL_STEPS = 0x1FFFFF

# What the filter may wish not to get, and not to answer, by command.
SKIP_FLAG = {"C": NOCONNECT, "H": NOHELO, "M": NOMAIL, "R": NORCPT, "T": NODATA, "L": NOHDRS,
             "N": NOEOH, "B": NOBODY, "U": NOUNKNOWN}
NOREPLY_FLAG = {"C": NR_CONN, "H": NR_HELO, "M": NR_MAIL, "R": NR_RCPT, "T": NR_DATA, "L": NR_HDR,
                "N": NR_EOH, "B": NR_BODY, "U": NR_UNKN}

# Places of macro lists (SMFIM_*) by the command before which their macros go.
MACRO_PLACE = {"C": 0, "H": 1, "M": 2, "R": 3, "T": 4, "E": 5, "N": 6}

REPLY_KINDS = {"c": "continue", "a": "accept", "r": "reject", "t": "tempfail", "d": "discard",
               "y": "replycode", "f": "connfail", "4": "shutdown", "s": "skip"}
EDIT_KINDS = {"h": "add", "i": "insert", "m": "change", "q": "quarantine", "+": "addrcpt",
              "2": "addrcpt", "-": "delrcpt", "b": "body", "e": "chgfrom"}

PACKET_MAX = 1 << 24  # no filter has reason to send more
BODY_CHUNK = 65535


class MilterError(Exception):
    """The filter broke the protocol or hung up where it must not."""


@dataclasses.dataclass
class Edit:
    """A change that the filter asked for at end of message."""
    kind: str  # add, insert, change, quarantine, ...
    name: str = ""
    value: str = ""
    index: int = 0


@dataclasses.dataclass
class Reply:
    """One answer.  kind: a value of REPLY_KINDS, or noreply (none is due), skipped (not sent)."""
    kind: str
    text: str = ""  # replycode: the whole of it, "550 5.7.25 ..."
    edits: list = dataclasses.field(default_factory=list)

    @property
    def code(self):
        return self.text[:3] if self.kind == "replycode" else ""

    @property
    def xcode(self):
        words = self.text.split()
        return words[1] if self.kind == "replycode" and len(words) > 1 else ""

    @property
    def verdict(self):
        """continue, accept, tempfail, reject or discard, whatever way it was said."""
        if self.kind == "replycode":
            return "tempfail" if self.text[:1] == "4" else "reject"
        if self.kind in ("connfail", "shutdown"):
            return "tempfail"
        return "continue" if self.kind in ("noreply", "skipped", "skip") else self.kind

    @property
    def refused(self):
        return self.verdict in ("tempfail", "reject")


SKIPPED = Reply("skipped")
NOREPLY = Reply("noreply")


def text_bytes(text):
    """Strings may hold any byte as U+0000 to U+00FF."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def parse_spec(spec):
    """A libmilter socket specification: (family, address)."""
    kind, _, rest = spec.partition(":")
    if kind in ("unix", "local"):
        return socket.AF_UNIX, rest
    port, _, host = rest.partition("@")
    if kind == "inet6":
        return socket.AF_INET6, (host or "::1", int(port))
    return socket.AF_INET, (host or "127.0.0.1", int(port))


class MilterConnection:
    """One milter connection.  Usable as a context manager, which quits."""

    def __init__(self, spec, timeout=60, actions=ALL_ACTIONS, steps=ALL_STEPS, version=VERSION,
                 negotiate=True):
        family, address = parse_spec(spec)
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(address)
        if family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version = self.actions = self.steps = 0
        self.macro_lists = {}  # place: list of names that the filter asked for
        self.pending = bytearray()
        if negotiate:
            self.negotiate(version, actions, steps)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()

    # --- packets ---

    def send_raw(self, data):
        self.sock.sendall(data)

    @staticmethod
    def packet(command, data=b""):
        return struct.pack("!I", len(data) + 1) + command.encode() + data

    def send_packet(self, command, data=b""):
        self.send_raw(self.packet(command, data))

    def _read(self, size):
        while len(self.pending) < size:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise MilterError("the filter closed the connection")
            self.pending += chunk
        data = bytes(self.pending[:size])
        del self.pending[:size]
        return data

    def read_packet(self):
        size = struct.unpack("!I", self._read(4))[0]
        if not 1 <= size <= PACKET_MAX:
            raise MilterError(f"packet of {size} bytes")
        data = self._read(size)
        return chr(data[0]), data[1:]

    # --- negotiation and macros ---

    def negotiate(self, version=VERSION, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.send_packet("O", struct.pack("!III", version, actions, steps))
        command, data = self.read_packet()
        if command != "O" or len(data) < 12:
            raise MilterError(f"negotiation answered with {command!r} {data!r}")
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        if self.actions & ~actions or self.steps & ~steps:
            raise MilterError(f"the filter wants more than was offered: {self}")
        rest = data[12:]
        while rest:
            if len(rest) < 5:
                raise MilterError("torn macro list")
            place = struct.unpack("!I", rest[:4])[0]
            names, _, rest = rest[4:].partition(b"\0")
            self.macro_lists[place] = names.decode("ascii").split()

    def __repr__(self):
        return f"version {self.version} actions {self.actions:#x} steps {self.steps:#x}"

    def wanted_macros(self, command, macros):
        """Those of macros that an MTA sends before command."""
        wanted = self.macro_lists.get(MACRO_PLACE.get(command))
        if wanted is None:
            return macros
        bare = {name.strip("{}") for name in wanted}
        return {name: value for name, value in macros.items() if name.strip("{}") in bare}

    def macros_packet(self, command, macros):
        data = command.encode()
        for name, value in macros.items():
            if len(name) > 1 and not name.startswith("{"):
                name = "{" + name + "}"
            data += text_bytes(name) + b"\0" + text_bytes(value) + b"\0"
        return self.packet("D", data)

    # --- events ---

    def event(self, command, data=b"", macros=None):
        """Send an event with its macros, as negotiated, and return the Reply."""
        if self.steps & SKIP_FLAG.get(command, 0):
            return SKIPPED
        out = b""
        if macros:
            wanted = self.wanted_macros(command, macros)
            if wanted:
                out += self.macros_packet(command, wanted)
        self.send_raw(out + self.packet(command, data))
        if self.steps & NOREPLY_FLAG.get(command, 0):
            return NOREPLY
        return self.read_reply()

    def read_reply(self):
        """Read up to the answer that ends an event; changes on the way are collected."""
        edits = []
        while True:
            command, data = self.read_packet()
            if command == "p":
                continue
            if command in EDIT_KINDS:
                edits.append(parse_edit(command, data))
            elif command in REPLY_KINDS:
                text = ""
                if command == "y":
                    if not data.endswith(b"\0"):
                        raise MilterError(f"reply without its end: {data!r}")
                    # An MTA reads the text as a format: a percent sign stands doubled.
                    text = data[:-1].decode("latin-1").replace("%%", "%")
                return Reply(REPLY_KINDS[command], text, edits)
            else:
                raise MilterError(f"unknown answer {command!r} {data!r}")

    def connect(self, client, ptr=None, port=25252, macros=None):
        """client: an address, None (unknown family), or "unix:PATH" (local submission)."""
        host = text_bytes(ptr if ptr is not None else f"[{client}]" if client else "localhost")
        if client is None:
            data = host + b"\0U"
        elif client.startswith("unix:"):
            data = host + b"\0L" + struct.pack("!H", 0) + client[5:].encode() + b"\0"
        else:
            family = b"6" if ":" in client else b"4"
            # Sendmail writes "IPv6:" before the address, Postfix does not; both are understood.
            data = host + b"\0" + family + struct.pack("!H", port) + client.encode() + b"\0"
        return self.event("C", data, macros)

    def helo(self, name, macros=None):
        return self.event("H", text_bytes(name) + b"\0", macros)

    def mail(self, sender, args=(), macros=None):
        words = [path(sender), *map(text_bytes, args)]
        return self.event("M", b"".join(word + b"\0" for word in words), macros)

    def rcpt(self, recipient, args=(), macros=None):
        words = [path(recipient), *map(text_bytes, args)]
        return self.event("R", b"".join(word + b"\0" for word in words), macros)

    def data(self, macros=None):
        return self.event("T", b"", macros)

    def header(self, name, value):
        return self.event("L", text_bytes(name) + b"\0" + text_bytes(value) + b"\0")

    def end_of_header(self, macros=None):
        return self.event("N", b"", macros)

    def body(self, chunk):
        return self.event("B", text_bytes(chunk))

    def end_of_message(self, macros=None):
        return self.event("E", b"", macros)

    def unknown(self, line):
        return self.event("U", text_bytes(line) + b"\0")

    def abort(self):
        self.send_packet("A")

    def quit_new_connection(self):
        """QUIT_NC: the next SMTP client uses the same connection."""
        self.send_packet("K")

    def quit(self):
        try:
            self.send_packet("Q")
        except OSError:
            pass
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Hang up so that the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def path(address):
    data = text_bytes(address)
    return data if data.startswith(b"<") else b"<" + data + b">"


def parse_edit(command, data):
    kind = EDIT_KINDS[command]
    index = 0
    if command in "im":
        index = struct.unpack("!I", data[:4])[0]
        data = data[4:]
    if command == "b":
        return Edit(kind, value=data.decode("latin-1"))
    words = data.split(b"\0")
    if words[-1] != b"":
        raise MilterError(f"torn change {command!r} {data!r}")
    words = [word.decode("latin-1") for word in words[:-1]]
    if command in "him":
        if len(words) != 2:
            raise MilterError(f"torn change {command!r} {data!r}")
        return Edit(kind, words[0], words[1], index)
    return Edit(kind, value=words[0] if words else "")


@dataclasses.dataclass
class Result:
    """One session: the Reply of every stage; None for those never reached."""
    connect: Reply = None
    helo: Reply = None
    mail: Reply = None
    rcpts: list = dataclasses.field(default_factory=list)  # (recipient, Reply)
    data: Reply = None
    end_of_message: Reply = None

    @property
    def replies(self):
        given = [self.connect, self.helo, self.mail, *[reply for _, reply in self.rcpts],
                 self.data, self.end_of_message]
        return [reply for reply in given if reply is not None]

    @property
    def refusal(self):
        """The first refusing Reply, or None."""
        return next((reply for reply in self.replies if reply.refused), None)

    @property
    def text(self):
        return self.refusal.text if self.refusal else ""

    @property
    def edits(self):
        return self.end_of_message.edits if self.end_of_message else []

    @property
    def added(self):
        """Fields added or inserted: (name, value), topmost first."""
        added = []
        for edit in self.edits:
            if edit.kind == "insert":
                added.insert(edit.index, (edit.name, edit.value))
            elif edit.kind == "add":
                added.append((edit.name, edit.value))
        return added

    @property
    def removed(self):
        """Fields removed: (name, index from 1), in the order asked for."""
        return [(edit.name, edit.index) for edit in self.edits
                if edit.kind == "change" and edit.value == ""]

    @property
    def quarantined(self):
        return next((edit.value for edit in self.edits if edit.kind == "quarantine"), None)

    def field(self, name):
        """The value of the first field of that name that was added, or None."""
        return next((value for given, value in self.added if given.lower() == name.lower()), None)

    @property
    def verdict(self):
        """reject, tempfail, quarantine, tag or accept: what became of the message."""
        if self.refusal:
            return self.refusal.verdict
        if self.quarantined is not None:
            return "quarantine"
        return "tag" if self.field("X-Iprevd") else "accept"


class MilterClient:
    """Plays whole sessions against the filter at `spec`."""

    def __init__(self, spec, timeout=60):
        self.spec = spec
        self.timeout = timeout

    def open(self, **kw):
        return MilterConnection(self.spec, timeout=self.timeout, **kw)

    def session(self, **kw):
        with self.open() as connection:
            return play(connection, **kw)


def play(connection, client="192.0.2.1", ptr=None, helo="mail.example.org",
         sender="sender@example.org", rcpts=("user@example.net",), headers=None, body="hello\r\n",
         macros=None, login=None, queue_id="4Abc123", hostname="mx.example.net"):
    """
    One SMTP session with one message, as an MTA runs it.  helo None: none is sent; or several in a
    list.  macros are
    added to (or, where None, taken from) those that Postfix would have; the queue id is known at
    MAIL already, as with Sendmail.
    """
    result = Result()
    known = {"j": hostname, "daemon_name": "smtp", "daemon_addr": "192.0.2.254", "v": "Postfix",
             "_": f"{ptr or 'unknown'} [{client}]", "client_addr": client or "",
             "client_name": ptr or "unknown", "client_ptr": ptr or "unknown",
             "client_port": "25252", "i": queue_id, "client_resolve": "OK" if ptr else "FAIL"}
    known.update(macros or {})
    known = {name: value for name, value in known.items() if value is not None}
    result.connect = connection.connect(client, ptr, macros=known)
    if result.connect.verdict != "continue":
        return result
    for name in [helo] if isinstance(helo, str) else helo or []:
        result.helo = connection.helo(name, macros=known)
        if result.helo.verdict != "continue":
            return result
    if login is not None:
        known.update({"auth_authen": login, "auth_type": "PLAIN"})
    known["mail_addr"] = sender
    result.mail = connection.mail(sender, macros=known)
    if result.mail.verdict != "continue":
        connection.abort()
        return result
    for rcpt in rcpts:
        reply = connection.rcpt(rcpt, macros=known)
        result.rcpts.append((rcpt, reply))
        if reply.verdict in ("accept", "discard"):
            connection.abort()
            return result
    if all(reply.refused for _, reply in result.rcpts):
        connection.abort()
        return result
    finish(connection, result, known, headers, body)
    return result


def finish(connection, result, known, headers=None, body="hello\r\n"):
    """DATA to end of message; earlier accepts end it early as an MTA would."""
    result.data = connection.data(macros=known)
    if result.data.verdict != "continue":
        return
    fields = headers if headers is not None else [("From", "sender@example.org"),
                                                  ("Subject", "test")]
    for name, value in fields:
        if connection.header(name, value).verdict != "continue":
            return
    connection.end_of_header(macros=known)
    data = text_bytes(body)
    for start in range(0, len(data), BODY_CHUNK):
        if connection.body(data[start:start + BODY_CHUNK]).kind == "skip":
            break
    result.end_of_message = connection.end_of_message(macros=known)
