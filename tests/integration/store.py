# SPDX-License-Identifier: BSD-2-Clause
"""A farm's store under test: real servers of Valkey or Redis, Sentinel, and a way that can be cut."""

import hashlib
import hmac
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

from daemon import free_port, wait_until

KEY = b"0123456789abcdef0123456789abcdef"
NAME = "mx"


def server_program():
    return shutil.which("valkey-server") or shutil.which("redis-server")


def sign(place, field, line, key=KEY, name=NAME):
    """`line` as a host of the farm signs it."""
    message = b"\0".join([name.encode(), place.encode(), field.encode(), line.encode()])
    return f"{line}\t{hmac.new(key, message, hashlib.sha256).hexdigest()}"


def exemption_line(subject, made, until, by="mx9", reason="by hand", ended=False, key=KEY):
    deed = "unallow" if ended else "allow"
    return sign("exemptions", subject, f"1\t{made}\t{until}\t{deed}\t{by}\t{reason}", key)


class Client:
    """RESP by hand, for the test's own questions."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.file = self.sock.makefile("rb")

    def __call__(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.sock.sendall(b"*%d\r\n" % len(words) +
                          b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return self._read()

    def _read(self):
        line = self.file.readline().rstrip(b"\r\n")
        if not line:
            raise ConnectionError("the store has closed the connection")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if rest == b"-1":
            return None
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2].decode("utf-8", "backslashreplace")
        return [self._read() for _ in range(int(rest))]

    def close(self):
        self.file.close()
        self.sock.close()


class Store:
    """One server.  `config` is added to its configuration; sentinel: it watches others."""

    def __init__(self, directory, config="", port=None, sentinel=False):
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.sentinel = sentinel
        self.process = None
        self.path = directory / "store.conf"
        base = f'port {self.port}\nbind 127.0.0.1\ndir {directory}\nprotected-mode no\n'
        if not sentinel:
            base += 'save ""\nrepl-diskless-sync-delay 0\nrepl-diskless-sync yes\n'
        self.path.write_text(base + config)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, wait=True):
        with (self.directory / "store.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", server_program(), self.path,
                 *(["--sentinel"] if self.sentinel else [])],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            wait_until(f"the store on {self.port}", self._answers)
        return self

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "store.log").read_text()
        try:
            Client(self.port).close()
            return True
        except OSError:
            return False

    def ask(self, *words):
        client = Client(self.port)
        try:
            return client(*words)
        finally:
            client.close()

    def hash(self, what):
        words = self.ask("HGETALL", f"iprevd:{NAME}:{what}")
        return dict(zip(words[::2], words[1::2]))

    def put(self, subject, line):
        """As another host does."""
        self.ask("HSET", f"iprevd:{NAME}:exemptions", subject, line)
        self.ask("XADD", f"iprevd:{NAME}:changes", "*", "subject", subject, "line", line)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Way:
    """A port that leads to another one, until it is cut."""

    def __init__(self, to):
        self.to = to
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        self.open = True
        self.socks = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.open:
                    raise OSError
                far = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:
                near.close()
                continue
            self.socks += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for sock in (one, other):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.open = False
        for sock in self.socks:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.socks = []

    def heal(self):
        self.open = True

    def close(self):
        self.cut()
        self.listener.close()


class Impostor:
    """A server that answers everything with the same bytes, or (None) with nothing."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def _serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock):
        self.asked += 1
        try:
            with sock:
                while sock.recv(65536):
                    if self.answer is not None:
                        sock.sendall(self.answer)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def now():
    return int(time.time())


def write_key(path, key=KEY):
    path.write_bytes(key + b"\n")
    os.chmod(path, 0o640)
    return path
