# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl's commands that need no daemon: what check shows, config, and how it is misused."""

import json
import re
import subprocess

import pytest

import daemon
import world


@pytest.fixture
def ctl(directory):
    (directory / "test.zone").write_text(world.ZONE)
    path = directory / "iprevd.conf"

    def run(*args, config="", stdout=subprocess.PIPE):
        path.write_text(f'dns {{ zone-file = "{directory}/test.zone" }}\n{config}'
                        + ("" if "mode =" in config else "\nmode = enforce\n"))
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", path], text=True,
                              stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
                              errors="backslashreplace", timeout=120)
    return run


def bare(*args):
    return subprocess.run([daemon.program("iprevctl"), *args], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120)


# label, arguments, status, and what the report must have, in this order.
REPORTS = [
    ("good", [world.GOOD, "--helo", "mail.good.example"], 0,
     ["1.2.0.192.in-addr.arpa 1 name", "mail.good.example A 192.0.2.1 (the client)", "zone file",
      "EHLO       mail.good.example", "iprev      pass (mail.good.example), agreement exact",
      "verdict    accept"]),
    ("IPv6", [world.GOOD6], 0,
     ["mail6.good.example AAAA 2001:db8::1 (the client)", "EHLO       not given",
      "agreement none", "verdict    accept"]),
    ("no PTR", [world.NO_PTR], 77,
     ["no such name (NXDOMAIN)", "check      ptr-missing: reject, score 5.0",
      "verdict    reject", "reply      550 5.7.25 "]),
    ("mismatch", [world.MISMATCH], 77,
     ["mail.moved.example A 203.0.113.9  [", "check      ptr-mismatch", "verdict    reject"]),
    ("temporary", [world.BROKEN_PTR], 75,
     ["temporary failure", "check      dns-temperror", "verdict    tempfail", "reply      451 4.7.25"]),
    ("a name that fails", [world.BROKEN_NAME], 75,
     ["mail.broken.example A temporary failure", "verdict    tempfail"]),
    ("several names", [world.MANY], 0,
     ["3 names", "a.many.example A 203.0.113.1", "b.many.example A 192.0.2.7 (the client)",
      "c.many.example A no such name"]),
    ("localhost", [world.INVALID], 77, ["localhost is ", "check      ptr-invalid"]),
    ("computed", [world.GENERIC, "--helo", "192-0-2-5.dsl.isp.example"], 1,
     ["check      ptr-generic: tag", "verdict    tag"]),
    ("EHLO leads elsewhere", [world.GOOD, "--helo", "elsewhere.other.example"], 1,
     ["EHLO       elsewhere.other.example A 203.0.113.77  [", "check      helo-mismatch"]),
    ("EHLO is no name", [world.GOOD, "--helo", "a b\x1b[2J"], 1,
     [r"EHLO       a b\x1b[2J", "check      helo-invalid"]),
    ("EHLO has no address", [world.GOOD, "--helo", "nowhere.good.example"], 1,
     ["EHLO       nowhere.good.example A no such name", "check      helo-unresolved"]),
    ("hostile PTR", [world.HOSTILE], 77, [r"a\x5c" + "\"b%s", r"\x5c000c.hostile", "check      ptr-invalid"]),
]


@pytest.mark.parametrize("label, args, status, want", REPORTS, ids=[case[0] for case in REPORTS])
def test_report(ctl, label, args, status, want):
    done = ctl("check", *args, config='own-names = {"mx.example.net"}\n')
    assert (done.returncode, done.stderr) == (status, "")
    at = 0
    for words in want:
        assert words in done.stdout[at:], done.stdout
        at = done.stdout.index(words, at)
    assert all(char.isprintable() or char == "\n" for char in done.stdout)


def test_several_clients_the_worst_counts(ctl):
    done = ctl("check", world.GOOD, world.BROKEN_PTR, world.NO_PTR, world.GENERIC)
    assert done.returncode == 77
    assert re.findall(r"^client +(\S+)", done.stdout, re.MULTILINE) == [
        world.GOOD, world.BROKEN_PTR, world.NO_PTR, world.GENERIC]


def test_names_over_max_ptr(ctl):
    done = ctl("check", world.MANY, config="max-ptr = 2\n")
    assert "1 more name was not looked up (max-ptr)" in done.stdout


def test_match_and_monitor_are_shown(ctl):
    config = ('mode = monitor\nmatch "friends" { client = {"192.0.2.2"} policy = "none" '
              'reason = "ticket 4711" }\n')
    done = ctl("check", world.NO_PTR, config=config)
    assert done.returncode == 0
    assert re.search(r'match +"friends" \(\S+/iprevd\.conf:3\b', done.stdout)
    assert "ticket 4711" in done.stdout
    done = ctl("check", world.MISMATCH, config=config)
    assert done.returncode == 77
    assert "verdict    reject" in done.stdout and "mode is monitor" in done.stdout


def test_sender_and_recipient_choose(ctl):
    config = 'match "a" { recipient = {"postmaster"} policy = "none" }\n'
    args = ("check", world.NO_PTR, "--helo", "x.example", "--sender", "a@example.org")
    assert ctl(*args, "--rcpt", "postmaster@example.net", config=config).returncode == 0
    assert ctl(*args, "--rcpt", "user@example.net", config=config).returncode == 77


def test_own_name_in_ehlo(ctl):
    done = ctl("check", world.GOOD, "--helo", "mx.example.net",
               config='own-names = {"mx.example.net"}\n')
    assert done.returncode == 77
    assert "check      helo-self" in done.stdout


def test_config_prints_what_is_a_configuration_again(ctl, directory):
    config = 'mode = monitor\nmax-ptr = 7\nmatch "a" { client = {"192.0.2.2"} policy = "none" }\n'
    first = ctl("config", config=config)
    assert first.returncode == 0
    assert re.search(r"^mode +(= +)?monitor", first.stdout, re.MULTILINE)
    again = directory / "again.conf"
    again.write_text(first.stdout)
    second = bare("config", "-c", str(again))
    assert (second.returncode, second.stdout) == (0, first.stdout)


def test_config_with_a_mistake(ctl):
    done = ctl("config", config="moed = enforce\n")
    assert done.returncode == 78 and done.stdout == ""
    assert re.search(r"^error: .*iprevd\.conf:2: .*moed", done.stderr)
    done = ctl("config", config='match "a" { client = {"192.0.2.2"} policy = "none" '
                                'until = "2001-01-01" }\n')
    assert done.returncode == 0 and done.stderr.startswith("warning: ")


@pytest.mark.parametrize("command", [["config"], ["check", world.GOOD, "--json"], ["replay", "TRIPLES"],
                                     ["replay", "--json", "--summary", "TRIPLES"]])
def test_output_that_cannot_be_written(ctl, directory, command):
    (directory / "triples").write_text(f"{world.GOOD} mail.good.example -\n")
    command = [str(directory / "triples") if word == "TRIPLES" else word for word in command]
    with open("/dev/full", "w") as full:
        done = ctl(*command, stdout=full)
    assert done.returncode == 74
    assert f"iprevctl {command[0]}: the output cannot be written: " in done.stderr


# What stands before the command is the same as behind it.
EARLY = [["-c", "FILE", "check", world.NO_PTR, "--json"], ["--json", "-c", "FILE", "check", world.NO_PTR],
         ["-cFILE", "--json", "check", world.NO_PTR], ["--json", "check", world.NO_PTR, "-c", "FILE"],
         ["--sender", "a@b.example", "--json", "-c", "FILE", "check", world.NO_PTR],
         ["--sender=a@b.example", "--json", "-c", "FILE", "check", world.NO_PTR]]


@pytest.mark.parametrize("args", EARLY, ids=[" ".join(args) for args in EARLY])
def test_options_before_the_command(ctl, directory, args):
    ctl("config")  # which writes the file
    done = bare(*(arg.replace("FILE", str(directory / "iprevd.conf")) for arg in args))
    assert done.returncode == 77 and json.loads(done.stdout)["action"] == "reject", done.stderr


def test_a_flag_before_the_command_that_takes_an_argument_in_another(ctl, directory):
    """--check is a flag of status, and takes a check's name in find and report."""
    conf = ["-c", str(directory / "iprevd.conf")]
    ctl("config")
    behind = bare("status", "--check", *conf)
    early = bare("--check", "status", *conf)
    assert early.returncode == behind.returncode != 64 and early.stderr == behind.stderr
    assert early.stdout == behind.stdout != ""
    early = bare("--check", "ptr-missing", "find", *conf)
    assert early.returncode == 64 and "decision-log is not set" in early.stderr
    early = bare("--top", "5", "check", *conf)
    assert early.returncode == 64 and "iprevctl check: unrecognized option '--top'" in early.stderr


def test_output_that_cannot_be_written_is_said(ctl):
    with open("/dev/full", "w") as full:
        done = ctl("config", stdout=full)
    assert "iprevctl config: the output cannot be written: No space left on device" in done.stderr


MISUSES = [
    ([], "Usage: iprevctl"), (["halt"], 'there is no command "halt"'),
    (["check"], "give an address"), (["check", "mail"], '"mail" is a single label'),
    (["check", "--no-such"], "--no-such"), (["config", "x"], 'unexpected argument "x"'),
    (["status", "x"], "iprevctl status"), (["allow"], "iprevctl allow"),
    (["unallow"], "iprevctl unallow"), (["allowed", "x"], "iprevctl allowed"),
    (["cache"], "iprevctl cache"), (["cache", "melt", "x"], "iprevctl cache"),
    (["cache", "flush"], "iprevctl cache"), (["reload", "x"], "iprevctl reload"),
    (["-c"], "which command?"), (["--json"], "which command?"),
    (["-c", "/dev/null", "halt"], 'there is no command "halt"'),
    (["--summary", "check", world.GOOD], "--summary"),
]


@pytest.mark.parametrize("args, want", MISUSES, ids=[" ".join(case[0]) for case in MISUSES])
def test_misused(args, want):
    done = bare(*args)
    assert done.returncode == 64 and done.stdout == ""
    assert want in done.stderr


def test_help_and_version():
    commands = re.findall(r"^  (\w+) +\S", bare("--help").stdout, re.MULTILINE)
    assert {"check", "config", "replay", "report", "status", "cache", "allow", "unallow", "allowed",
            "reload"} <= set(commands)
    for command in commands:
        done = bare(command, "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"Usage: iprevctl {command} ")
    assert re.fullmatch(r"iprevctl [\d.]+( \(commit [0-9a-f]{12,}(-changed)?\))?\n", bare("--version").stdout)
