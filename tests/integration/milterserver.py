# SPDX-License-Identifier: BSD-2-Clause
"""A small filter: the second one in a chain, and the witness of what an MTA really sends.

It adds the fields that it is given to every message, answers what it is told to answer, and
keeps what it saw: events as (command, data) with the macros that came before them.
"""

import socket
import socketserver
import struct
import threading

from milterclient import MilterConnection

ACTIONS = 0x1 | 0x10 | 0x20  # add and change header fields, quarantine
NOREPLY_COMMANDS = "DAQK"


class MilterServer:
    """
    answers: command letter to packet (as bytes after the length), such as {"H": b"r"}.
    sock: a listening socket, when it is not to be a free port.
    """

    def __init__(self, fields=(), answers=None, macros=None, sock=None):
        self.fields = list(fields)
        self.answers = answers or {}
        self.macro_lists = macros or {}  # place: "names", asked for at negotiation
        self.events = []
        self.macros = {}  # command: all macros that came with it, the latest value
        self.lock = threading.Lock()
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                outer.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        if sock is None:
            self.server = Server(("127.0.0.1", 0), Handler)
            self.port = self.server.server_address[1]
            self.spec = f"inet:{self.port}@127.0.0.1"
        else:
            self.server = Server(None, Handler, bind_and_activate=False)
            self.server.socket.close()
            self.server.socket = sock
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def reset(self):
        """Forget what was seen and told."""
        with self.lock:
            self.fields, self.answers, self.events, self.macros = [], {}, [], {}

    def serve(self, sock):
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = sock.makefile("rb")
        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            data = stream.read(struct.unpack("!I", head)[0])
            command, data = chr(data[0]), data[1:]
            self.remember(command, data)
            if command == "Q":
                return
            if command not in NOREPLY_COMMANDS:
                sock.sendall(self.answer(command, data))

    def remember(self, command, data):
        with self.lock:
            self.events.append((command, data))
            if command == "D":
                words = [word.decode("latin-1") for word in data[1:].split(b"\0")[:-1]]
                self.macros.setdefault(chr(data[0]), {}).update(zip(words[::2], words[1::2]))

    def answer(self, command, data):
        if command == "O":
            version, actions, _ = struct.unpack("!III", data[:12])
            wanted = ACTIONS | (0x100 if self.macro_lists else 0)
            out = struct.pack("!III", min(version, 6), actions & wanted, 0)
            for place, names in self.macro_lists.items():
                out += struct.pack("!I", place) + names.encode() + b"\0"
            return MilterConnection.packet("O", out)
        out = b""
        if command == "E":
            for name, value in self.fields:
                out += MilterConnection.packet(
                    "i", struct.pack("!I", 0) + name.encode() + b"\0" + value.encode() + b"\0")
        told = self.answers.get(command, b"c")
        return out + struct.pack("!I", len(told)) + told
