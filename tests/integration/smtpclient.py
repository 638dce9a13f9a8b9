# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP client that does what it is told, line by line."""

import base64
import socket
import ssl


class Response:
    """One reply, of one line or many."""

    def __init__(self, lines):
        self.lines = lines

    @property
    def code(self):
        return int(self.lines[-1][:3])

    @property
    def text(self):
        return "\n".join(line[4:] for line in self.lines)

    def __repr__(self):
        return "\n".join(self.lines)


class Smtp:
    """A connection; the banner is in .banner."""

    def __init__(self, host, port, source=None, timeout=60, proxy=None, sock=None):
        where = (source, 0) if source else None
        self.sock = sock or socket.create_connection((host, port), timeout, where)
        self.stream = self.sock.makefile("rb")
        if proxy:
            self.send_raw(proxy.encode() + b"\r\n")
        self.banner = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.sock.close()

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, line):
        data = line if isinstance(line, bytes) else line.encode("latin-1")
        self.send_raw(data + b"\r\n")

    def read(self):
        lines = []
        while True:
            line = self.stream.readline()
            if not line:
                raise ConnectionError(f"the server hung up after {lines}")
            line = line.decode("latin-1").rstrip("\r\n")
            lines.append(line)
            if line[3:4] != "-":
                return Response(lines)

    def command(self, line):
        self.send(line)
        return self.read()

    def pipeline(self, lines):
        """All at once, then all replies."""
        self.send_raw(b"".join(line.encode("latin-1") + b"\r\n" for line in lines))
        return [self.read() for _ in lines]

    def ok(self, line):
        response = self.command(line)
        assert 200 <= response.code < 400, f"{line!r} was answered with {response!r}"
        return response

    # --- verbs ---

    def ehlo(self, name="mail.good.example"):
        return self.ok(f"EHLO {name}")

    def mail(self, sender="sender@good.example"):
        return self.command(f"MAIL FROM:<{sender}>")

    def rcpt(self, recipient="user@example.net"):
        return self.command(f"RCPT TO:<{recipient}>")

    def data(self, message):
        response = self.command("DATA")
        if response.code != 354:
            return response
        data = message if isinstance(message, bytes) else message.encode("latin-1")
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
        self.send_raw(data + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        return self.read()

    def quit(self):
        response = self.command("QUIT")
        self.close()
        return response

    def starttls(self):
        self.ok("STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.stream.close()
        self.sock = context.wrap_socket(self.sock)
        self.stream = self.sock.makefile("rb")

    def auth_plain(self, user, password):
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")

    def xclient(self, **attributes):
        """xclient(addr="192.0.2.1", name="mail.good.example"): the new banner."""
        words = " ".join(f"{key.upper()}={value}" for key, value in attributes.items())
        return self.command(f"XCLIENT {words}")

    def xclient_as(self, client, ptr=None, **attributes):
        """Be taken for an address, with a name or (None) without."""
        shown = f"IPV6:{client}" if ":" in client else client
        return self.xclient(addr=shown, name=ptr or "[UNAVAILABLE]", **attributes)

    def send_message(self, message, sender="sender@good.example", rcpt="user@example.net"):
        """MAIL, RCPT and DATA: the first refusal, or the last reply."""
        for response in (self.mail(sender), self.rcpt(rcpt)):
            if response.code >= 400:
                self.command("RSET")
                return response
        return self.data(message)


def message(subject="test", headers=(), body="hello\n"):
    fields = [("From", "sender@good.example"), ("To", "user@example.net"), ("Subject", subject),
              *headers]
    return "".join(f"{name}: {value}\n" for name, value in fields) + "\n" + body
