# SPDX-License-Identifier: BSD-2-Clause
"""Driving tests/tools/dnsask: the network source alone, fed with questions."""

import json
import os
import pathlib
import subprocess


def program():
    """The built tool: $DNSASK, else in the build directory."""
    if os.environ.get("DNSASK"):
        return os.environ["DNSASK"]
    here = pathlib.Path(__file__).resolve().parents[2]
    for folder in (os.environ.get("top_builddir") or ".", here, here / "build"):
        path = pathlib.Path(folder) / "tests/tools/dnsask"
        if os.access(path, os.X_OK):
            return str(path.resolve())
    raise FileNotFoundError("tests/tools/dnsask: not built, and neither $DNSASK nor "
                            "$top_builddir says where")


class Dnsask:
    """A running dnsask.  Leaving the `with` ends it and asserts that it ended well and that no sanitizer spoke."""

    def __init__(self, *servers, options=(), prefix=()):
        arguments = [*prefix, program(), *options]
        for server in servers:
            arguments += ["-s", getattr(server, "addr", server)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, bufsize=1)
        self.errors = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        _, self.errors = self.process.communicate(timeout=120)
        if kind is None:
            assert self.process.returncode == 0, self.errors
            assert "Sanitizer" not in self.errors and "runtime error" not in self.errors, self.errors

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def line(self):
        text = self.process.stdout.readline()
        assert text, "dnsask ended"
        return json.loads(text)

    def ask(self, name, rdtype="A", deadline_ms=10000):
        return self.ask_all([(name, rdtype)], deadline_ms)[0]

    def ask_all(self, questions, deadline_ms=10000):
        """All at the same time; the answers in the order of the questions."""
        for name, rdtype in questions:
            self.command(f"ask {name} {rdtype} {deadline_ms}")
        answers = [self.line() for _ in questions]
        return sorted(answers, key=lambda answer: answer["id"])

    def health(self):
        self.command("health")
        return {entry["server"]: entry for entry in self.line()["health"]}

    def metrics(self):
        """Values by name, without labels."""
        self.command("metrics")
        values = {}
        while (text := self.process.stdout.readline().strip()) != "# end":
            if text and not text.startswith("#"):
                name, value = text.rsplit(" ", 1)
                values[name] = float(value)
        return values
