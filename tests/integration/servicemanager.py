# SPDX-License-Identifier: BSD-2-Clause
"""What systemd is to a service of Type=notify, and a thread of it that hangs."""

import contextlib
import ctypes
import os
import pathlib
import queue
import socket
import threading
import time

SECONDS = 60  # only ends a test that has failed already

WALL = 0x40000000
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


class Manager:
    """The socket that NOTIFY_SOCKET names.  It is always read, as systemd does: a sender would wait."""

    def __init__(self, path):
        self.path = path
        self.messages = queue.Queue()
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while (message := self.sock.recv(4096)) != b"the end":
            self.messages.put(dict(line.split("=", 1) for line in message.decode().splitlines()))
        self.sock.close()

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"the end", str(self.path))

    def next(self, *wanted, seconds=SECONDS):
        """The next message with one of the words, as a dictionary."""
        end = time.monotonic() + seconds
        while True:
            message = self.messages.get(timeout=max(0, end - time.monotonic()))
            if message.keys() & set(wanted):
                return message

    def forget(self):
        """What was said so far."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.messages.get_nowait()

    def fed_within(self, seconds):
        """As a manager whose service has WatchdogSec: was it fed in time?"""
        try:
            self.next("WATCHDOG", seconds=seconds)
            return True
        except queue.Empty:
            return False


def ptrace(request, tid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, tid, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"ptrace: {os.strerror(error)}")


@contextlib.contextmanager
def hanging(pid, name):
    """The thread of that name stands still, as in a system call that does not return."""
    tid = next(int(task.name) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
               if (task / "comm").read_text().strip() == name)
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            ptrace(PTRACE_DETACH, tid)
