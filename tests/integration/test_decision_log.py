# SPDX-License-Identifier: BSD-2-Clause
"""The decision log: one JSON object a decision, rotated safely, and never at the cost of mail."""

import json
import os
import shutil
import signal
import stat

import pytest

import world
from daemon import wait_until
from milterclient import MilterClient
from test_control import Control

KEYS = {"client", "ptr", "iprev", "helo", "agreement", "checks", "score", "action", "mode", "policy",
        "match", "stage", "mta", "dns_ms", "cache", "queue_id", "sender", "recipient"}


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_lines(path, count):
    wait_until(f"{count} lines in {path}", lambda: len(read(path)) >= count)
    return read(path)


@pytest.fixture
def logged(start_iprevd, directory):
    """Call it to get (daemon, milter client, path of the log)."""
    def start(path=None, config="", **kw):
        path = path or directory / "decisions.json"
        running = start_iprevd(f'decision-log = "{path}"\n{config}', **kw)
        return running, MilterClient(running.spec), path
    return start



def test_one_object_a_decision(logged):
    running, client, path = logged()
    client.session(client=world.NO_PTR, helo="x.example", sender="a@example.org",
                   rcpts=["b@example.net"])
    client.session(client=world.GOOD, helo="mail.good.example", queue_id="4QUEUE")
    client.session(client=world.HOSTILE, helo='a"b\\c\x07é')
    lines = wait_lines(path, 3)
    assert all(KEYS <= line.keys() for line in lines)
    assert all(isinstance(line["checks"], list) for line in lines)
    assert (lines[0]["client"], lines[0]["action"]) == (world.NO_PTR, "reject")
    assert "ptr-missing" in lines[0]["checks"]
    assert lines[0]["sender"] == "a@example.org" and lines[0]["recipient"] == "b@example.net"
    assert lines[1]["queue_id"] == "4QUEUE" and lines[1]["ptr"] == "mail.good.example"
    assert "\x07" not in lines[2]["helo"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0  # nobody else reads who mails whom
    assert len(running.decisions(3)) == 3


def test_off_by_default(start_iprevd, directory):
    running = start_iprevd("")
    MilterClient(running.spec).session(client=world.NO_PTR)
    running.stop()
    assert not list(directory.glob("**/*.json"))


def test_rotated_by_rename(logged):
    running, client, path = logged()
    client.session(client=world.NO_PTR)
    wait_lines(path, 1)
    moved = path.with_suffix(".1")
    path.rename(moved)
    client.session(client=world.NO_PTR)
    wait_lines(moved, 2)  # nothing is lost before it is told
    assert not path.exists()
    running.process.send_signal(signal.SIGUSR1)
    wait_until("the new file", path.exists)
    client.session(client=world.NO_PTR)
    wait_lines(path, 1)
    assert len(read(moved)) == 2


def test_rotated_by_copytruncate(logged):
    running, client, path = logged()
    client.session(client=world.NO_PTR)
    wait_lines(path, 1)
    shutil.copy(path, path.with_suffix(".1"))
    os.truncate(path, 0)
    client.session(client=world.GOOD)
    assert len(wait_lines(path, 1)) == 1  # at the beginning: no hole before it
    assert b"\0" not in path.read_bytes()


def test_written_at_the_end(logged):
    running, client, path = logged()
    for _ in range(50):
        client.session(client=world.NO_PTR)
    running.stop()
    assert len(read(path)) == 50


@pytest.mark.parametrize("path", ["/dev/full", "/nonexistent/decisions.json"])
def test_disk_trouble_costs_lines_and_no_mail(start_iprevd, directory, path):
    control = directory / "control"
    running = start_iprevd(f'decision-log = "{path}"\ncontrol = "{control}"')
    client = MilterClient(running.spec)
    for _ in range(5):
        assert client.session(client=world.GOOD, helo="mail.good.example").verdict == "accept"
        assert client.session(client=world.NO_PTR).verdict == "reject"
    running.wait_log(f"decision log {path}: .*: lines are lost, mail is not")
    given = Control(running, control)
    wait_until("ten lost lines", lambda: given.status()["decision_log"]["lost"] == 10)
    assert given.status()["decision_log"]["written"] == 0
    assert running.log.count("lines are lost") == 1  # said once, not with every line


def test_disk_has_room_again(start_iprevd, directory):
    path, control = directory / "later" / "decisions.json", directory / "control"
    running = start_iprevd(f'decision-log = "{path}"\ncontrol = "{control}"')
    given = Control(running, control)
    client = MilterClient(running.spec)
    client.session(client=world.NO_PTR)
    wait_until("a lost line", lambda: given.status()["decision_log"]["lost"] == 1)
    path.parent.mkdir()
    path.parent.chmod(0o777)
    client.session(client=world.NO_PTR)
    assert len(wait_lines(path, 1)) == 1
    running.wait_log("written again, 1 line was lost")


def test_a_pipe_without_reader_holds_up_nobody(logged, directory):
    path = directory / "pipe"
    os.mkfifo(path)
    running, client, _ = logged(path)
    assert client.session(client=world.NO_PTR).verdict == "reject"
    running.wait_log("lines are lost")
    path.unlink()


def test_switched_by_reload(start_iprevd, directory):
    running = start_iprevd("")
    client = MilterClient(running.spec)
    path = directory / "decisions.json"
    mark = running.reload(f'decision-log = "{path}"')
    running.wait_log("read again", since=mark)
    client.session(client=world.NO_PTR)
    wait_lines(path, 1)
    mark = running.reload("")
    running.wait_log("read again", since=mark)
    client.session(client=world.NO_PTR)
    running.stop()
    assert len(read(path)) == 1


def test_exempt_client_says_why(start_iprevd, directory):
    path, control = directory / "decisions.json", directory / "control"
    running = start_iprevd(f'decision-log = "{path}"\ncontrol = "{control}"')
    given = Control(running, control)
    given.ctl("allow", world.NO_PTR, "--reason", "ticket 4711")
    MilterClient(running.spec).session(client=world.NO_PTR)
    line = wait_lines(path, 1)[0]
    assert line["action"] == "accept" and "ticket 4711" in line["reason"]
