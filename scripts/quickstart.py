# SPDX-License-Identifier: BSD-2-Clause
"""Plays a dozen SMTP sessions against iprevd over the milter protocol and shows the verdicts."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "integration"))
from milterclient import MilterClient  # noqa: E402

START_SECONDS = 10

# What is shown, client, EHLO, recipient, login.
SESSIONS = [
    ("a good server", "192.0.2.10", "mail.good.example", "bob", None),
    ("the same over IPv6", "2001:db8::25", "mx6.good.example", "bob", None),
    ("no PTR", "203.0.113.5", "mail.nowhere.example", "bob", None),
    ("PTR leads elsewhere", "198.51.100.7", "mail.moved.example", "bob", None),
    ("PTR is an address", "198.51.100.21", "mail.odd.example", "bob", None),
    ("an access line", "198.51.100.20", "198-51-100-20.dsl.example", "bob", None),
    ("its DNS is down", "198.51.100.30", "mail.away.example", "bob", None),
    ("EHLO is no host name", "192.0.2.11", "my computer", "bob", None),
    ("EHLO is one word", "192.0.2.11", "mailserver", "bob", None),
    ("EHLO is its literal", "192.0.2.11", "[192.0.2.11]", "bob", None),
    ("EHLO claims to be us", "192.0.2.11", "mx.example.net", "bob", None),
    ("logged in, a laptop", "203.0.113.5", "LAPTOP", "bob", "alice"),
    ("one of our networks", "10.1.2.3", "printer", "bob", None),
    ("no PTR, to postmaster", "203.0.113.5", "mail.nowhere.example", "postmaster", None),
]

MTA_LINES = """\
To use it for real:

  Postfix, in /etc/postfix/main.cf:
      smtpd_milters = { inet:127.0.0.1:8896, default_action=accept }

  Sendmail, in sendmail.mc:
      INPUT_MAIL_FILTER(`iprevd', `S=inet:8896@127.0.0.1, T=S:30s;R:30s;E:60s')

  iprevd starts in monitor mode: it refuses nothing until /etc/iprevd/iprevd.conf says so.
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(build, directory, port):
    """Start iprevd on loopback; returns the process, its log going to a file."""
    config = (TOP / "scripts" / "quickstart.conf").read_text()
    config = config.replace("LISTEN", f"inet:{port}@127.0.0.1")
    config = config.replace("ZONE", str(TOP / "scripts" / "quickstart.zone"))
    path = directory / "iprevd.conf"
    path.write_text(config)
    log = open(directory / "log", "wb")
    daemon = subprocess.Popen([build / "iprevd", "-f", "-c", path], stderr=log, stdout=log)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and daemon.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return daemon
        except OSError:
            time.sleep(0.02)
    daemon.kill()
    sys.exit("iprevd did not start:\n" + (directory / "log").read_text())


def stop(daemon):
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()


def play(port, recipient=None):
    """The sessions' results, in order; all to one recipient if there is one."""
    client = MilterClient(f"inet:{port}@127.0.0.1")
    return [client.session(client=address, helo=ehlo, sender="alice@sender.example",
                           rcpts=[f"{recipient or own}@example.net"], login=login,
                           macros={"client_resolve": None}, headers=[("Subject", "hello")])
            for _, address, ehlo, own, login in SESSIONS]


def decisions(directory):
    """The log's decisions as dictionaries, in order."""
    lines = (directory / "log").read_text().splitlines()
    field = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')
    return [{key: value.strip('"') for key, value in field.findall(line)}
            for line in lines if line.startswith("client=")]


def is_judged(address, login):
    """The other sessions are left alone and have no decision in the log."""
    return login is None and not address.startswith("10.")


def rows(results, logged):
    """One row a session."""
    judged = [is_judged(address, login) for _, address, _, _, login in SESSIONS]
    logged = iter(logged[-sum(judged):])
    for (what, address, ehlo, _, _), result, has_decision in zip(SESSIONS, results, judged):
        decision = next(logged, {}) if has_decision else {}
        verdict = decision.get("action", "left alone")
        if result.refusal:
            reply = result.text
        elif verdict == "tag":
            reply = "X-Iprevd: " + (result.field("X-Iprevd") or "")
        elif has_decision:
            reply = (result.field("Authentication-Results") or "").split("; ", 1)[-1]
        else:
            reply = ""
        yield (what, address, decision.get("ptr", "") or "-", ehlo,
               decision.get("agreement", "-"), verdict, reply)


COLOURS = {"accept": "32", "left alone": "32", "tag": "33", "quarantine": "33", "tempfail": "35",
           "reject": "31"}


def show(table):
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    heads = ("", "client", "PTR", "EHLO", "agrees", "verdict")
    table = list(table)
    widths = [max(len(row[i]) for row in [heads, *table]) for i in range(len(heads))]
    columns = max(shutil.get_terminal_size((110, 24)).columns, 60)
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths)).rstrip())
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        if colour:
            cells[5] = f"\033[1;{COLOURS[row[5]]}m{cells[5]}\033[0m"
        print("  ".join(cells).rstrip())
        if row[6]:
            print(textwrap.fill(row[6], columns, initial_indent="    ", subsequent_indent="    "))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(dir=build) as name:
        directory = pathlib.Path(name)
        port = free_port()
        daemon = start(build, directory, port)
        try:
            # Mail to postmaster is let in, which waits for all answers: a refusal may come before
            # those that it does not need, and what is shown would hang on which came first.
            play(port, "postmaster")
            results = play(port)
        finally:
            stop(daemon)
        print(f"\n{len(results)} SMTP sessions through iprevd, answers from "
              f"scripts/quickstart.zone:\n")
        show(rows(results, decisions(directory)))
    print()
    print(MTA_LINES, end="")


if __name__ == "__main__":
    main()
