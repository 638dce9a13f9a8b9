# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl check: clients, hosts, domains, standard input; as an administrator types it."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

import daemon
import world

ZONE = world.ZONE + "".join([
    "good.example. MX 20 mx2.good.example.\ngood.example. MX 10 mail.good.example.\n",
    "mail.good.example. AAAA 2001:db8::1\n",
    "mx2.good.example. A 192.0.2.3\n",
    "null.example. MX 0 .\n",
    "implicit.example. A 192.0.2.1\n",
    "address.example. MX 10 192.0.2.1.\n",
    "label.example. MX 10 localhost.\n",
    "alias.example. MX 10 cname.example.\ncname.example. CNAME mail.good.example.\n",
    "nohost.example. MX 10 gone.good.example.\n",
    world.broken("broken.example"),
    "halfmx.example. MX 10 mx.broken.example.\nhalfmx.example. MX 20 mail.good.example.\n",
    "empty.good.example. TXT \"no address\"\n",
])


class Check:
    def __init__(self, directory):
        self.conf = directory / "check.conf"
        self.zone = directory / "check.zone"
        self.state = directory / "state"
        self.state.mkdir()
        self.configure("")

    def configure(self, text, zone=ZONE):
        self.zone.write_text(zone)
        mode = "" if "mode =" in text else "mode = enforce\n"
        mode += "" if "own-names" in text else 'own-names = {"mx.own.example"}\n'
        self.conf.write_text(f'dns {{ zone-file = "{self.zone}" }}\ncontrol = "none"\n'
                             f'state-dir = "{self.state}"\n{mode}{text}')

    def run(self, *args, stdin=""):
        return subprocess.run([daemon.program("iprevctl"), "check", *args, "-c", self.conf],
                              input=stdin, capture_output=True, text=True, timeout=120,
                              errors="backslashreplace")

    def json(self, *args, stdin="", status=None):
        done = self.run(*args, "--json", stdin=stdin)
        if status is not None:
            assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def terminal(self, *args, columns=80):
        """What a terminal of so many columns gets."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen([daemon.program("iprevctl"), "check", *args, "-c", self.conf],
                                   stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                   env={k: v for k, v in os.environ.items() if k != "NO_COLOR"})
        os.close(slave)
        data = b""
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            data += chunk
        os.close(master)
        process.wait(60)
        return re.sub(r"\r[^\r\n]*\r\x1b\[K", "", data.decode())  # the bar, and its end


@pytest.fixture
def check(directory):
    return Check(directory)


# --- addresses ---


@pytest.mark.parametrize("args, status", [
    ((world.GOOD,), 0),
    ((world.GENERIC,), 1),
    ((world.BROKEN_PTR,), 75),
    ((world.NO_PTR,), 77),
    ((world.GOOD, world.BROKEN_PTR, world.GENERIC), 75),
    ((world.NO_PTR, world.GOOD), 77),
])
def test_status_is_the_worst(check, args, status):
    assert check.run(*args).returncode == status


@pytest.mark.parametrize("args, words", [
    ((), "give an address, a host name, or --mx DOMAIN"),
    (("mail good.example",), '"mail good.example" is neither an IP address nor a host name'),
    (("192.0.2.999",), '"192.0.2.999" is neither an IP address nor a host name'),
    (("192.0.2.1/24",), '"192.0.2.1/24" is neither an IP address nor a host name'),
    (("localhost",), '"localhost" is a single label'),
    ((world.GOOD, "--host", "a.example"), "one of them"),
    (("--host", "a.example", "--mx", "a.example"), "one of them"),
    (("--host", "localhost"), "is a single label"),
    (("--host", "192.0.2.1"), "is an IP address"),
    (("--mx", "bad name.example"), "a domain is wanted"),
    (("--nonsense",), "Try 'iprevctl check --help'"),
])
def test_wrong_usage(check, args, words):
    done = check.run(*args)
    assert done.returncode == 64 and words in done.stderr and done.stdout == ""
    assert "iprevctl check: " in done.stderr and len(done.stderr.splitlines()) <= 3


def test_nothing_is_looked_up_before_all_arguments_are_sound(check):
    done = check.run(world.GOOD, "nonsense")
    assert done.returncode == 64 and done.stdout == ""


def test_name_is_a_host(check):
    got = check.json("Mail.Good.Example.", status=0)
    assert [(o["client"], o["host"], o["helo"]) for o in got] == [
        ("192.0.2.1", "mail.good.example", "mail.good.example"),
        ("2001:db8::1", "mail.good.example", "mail.good.example")]
    assert [o["client"] for o in check.json(world.NO_PTR, "mail.good.example", status=77)] == [
        world.NO_PTR, "192.0.2.1", "2001:db8::1"]
    assert "gone.good.example has no address" in check.run("gone.good.example").stderr


@pytest.mark.parametrize("client, status, action", [
    (world.GOOD, 0, "accept"), (world.GENERIC, 1, "tag"), (world.BROKEN_PTR, 75, "tempfail"),
    (world.NO_PTR, 77, "reject"),
])
def test_monitor_mode_is_judged_as_if_enforced(check, client, status, action):
    check.configure("mode = monitor\n")
    [got] = check.json(client, status=status)
    assert (got["action"], got["would"], got["mode"]) == (action, action, "monitor")
    done = check.run(client, client)
    out = " ".join(done.stdout.split())
    assert done.returncode == status and f"verdict {action}, score" in out
    assert f"2 clients: accept {2 if action == 'accept' else 0}," in out and f"{action} 2" in out
    assert ("reply " in out) == (status >= 75)
    assert out.count("mode is monitor: at present nothing is done") == (0 if status == 0 else 3)


def test_default_configuration_is_judged_as_if_enforced(check):
    check.conf.write_text(check.conf.read_text().replace("mode = enforce\n", ""))
    assert check.json(world.NO_PTR, status=77)[0]["mode"] == "monitor"


def test_enforced_mode_has_no_note(check):
    assert "mode is" not in check.run(world.NO_PTR, world.GENERIC).stdout


@pytest.mark.parametrize("setting, words", [
    ("monitor = true", "(not enforced: monitor = true)"),
    ("percent = 0", "(not enforced: percent = 0 leaves this client out)"),
])
@pytest.mark.parametrize("mode", ["monitor", "enforce"])
def test_monitor_and_percent_of_checks_stay(check, mode, setting, words):
    check.configure(f'mode = {mode}\n'
                    f'policy "default" {{ check ptr-missing {{ {setting} }} }}\n')
    [got] = check.json(world.NO_PTR, status=0)
    assert (got["action"], got["would"], got["enforced"]) == ("accept", "reject", [])
    out = check.run(world.NO_PTR).stdout
    assert f"ptr-missing: reject, score 5.0 {words}\n" in out and "reply " not in out
    assert "accept (reject if all checks were enforced)" in out


def test_several_end_with_a_summary(check):
    out = check.run(world.GOOD, world.NO_PTR, world.GOOD6).stdout
    assert out.count("client     ") == 3
    assert "3 clients: accept 2, tag 0, quarantine 0, greylist 0, tempfail 0, reject 1" in out
    assert "reject (ptr-missing)" in out.splitlines()[-2]
    assert "clients:" not in check.run(world.GOOD).stdout


def test_match_block_with_its_line(check):
    check.configure(f'match "partner" {{\n  client = {{"{world.NO_PTR}"}}\n  policy = "none"\n'
                    '  reason = "ticket 4711"\n}\n')
    line = check.conf.read_text().splitlines().index('match "partner" {') + 1
    assert f'match      "partner" ({check.conf}:{line}: ticket 4711)' in check.run(world.NO_PTR).stdout
    [got] = check.json(world.NO_PTR, status=0)
    assert (got["match"], got["match_line"], got["match_reason"]) == ("partner", line, "ticket 4711")
    assert got["match_file"].endswith(".conf")


def test_client_that_the_daemon_does_not_judge(check):
    check.configure('local-networks = {"192.0.2.2"}\ntrusted-relays = {"192.0.2.3"}\n')
    [local, relay] = check.json(world.NO_PTR, world.MISMATCH)
    assert (local["passed_over"], relay["passed_over"]) == ("local-networks", "trusted-relays")
    out = " ".join(check.run(world.NO_PTR).stdout.split())
    assert "in local-networks: the daemon does not judge it" in out
    assert check.json(world.GOOD)[0]["passed_over"] is None


# --- standard input ---


def test_standard_input(check):
    text = (f"# who\n\n{world.GOOD}\tmail.good.example\r\n  {world.NO_PTR}  \n"
            f"{world.GOOD6} other.example")
    got = check.json("-", stdin=text, status=77)
    assert [(o["client"], o["helo"]) for o in got] == [
        (world.GOOD, "mail.good.example"), (world.NO_PTR, None), (world.GOOD6, "other.example")]
    assert got[0]["agreement"] == "exact"


def test_helo_is_that_of_lines_without_one(check):
    got = check.json("-", "--helo", "other.example", stdin=f"{world.GOOD}\n{world.GOOD} x.example\n")
    assert [o["helo"] for o in got] == ["other.example", "x.example"]


@pytest.mark.parametrize("line, words", [
    ("nonsense", "the first word is not an IP address"),
    ("192.0.2.1 a b", "there is more"),
    ("192.0.2.1 " + "a" * 256, "longer than 255 bytes"),
    ("192.0.2.1 " + "a" * 5000, "longer than 1024 bytes"),
    ("192.0.2.1\0", "NUL"),
])
def test_bad_line_names_its_number(check, line, words):
    done = check.run("-", stdin=f"# one\n{world.GOOD}\n{line}\n{world.GOOD}\n")
    assert done.returncode == 65
    assert f"standard input, line 3: " in done.stderr and words in done.stderr
    assert done.stdout.count("client     ") == 2
    assert "\n2 clients: " in done.stdout and "1 could not be checked" in done.stdout


def test_one_client_and_a_bad_line(check):
    assert "\n1 client: accept 1, " in check.run("-", stdin=f"{world.GOOD}\nnonsense\n").stdout


def test_empty_standard_input(check):
    done = check.run("-", stdin="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- hosts and domains ---


def test_host(check):
    got = check.json("--host", "Mail.Good.Example.", status=0)
    assert [o["client"] for o in got] == ["192.0.2.1", "2001:db8::1"]
    assert {o["helo"] for o in got} == {"mail.good.example"}
    assert {o["host"] for o in got} == {"mail.good.example"}
    assert check.json("--host", "mail.good.example", "--helo", "x.example")[0]["helo"] == "x.example"


def test_own_host_is_not_somebody_who_claims_to_be_us(check):
    check.configure('own-names = {"mail.good.example"}\n')
    assert "helo-self" not in check.json("--host", "mail.good.example", status=0)[0]["checks"]
    assert "helo-self" in check.json(world.NO_PTR, "--helo", "mail.good.example")[0]["checks"]


def test_mx_in_order_of_preference(check):
    got = check.json("--mx", "good.example", status=77)
    assert [(o["host"], o["client"]) for o in got] == [
        ("mail.good.example", "192.0.2.1"), ("mail.good.example", "2001:db8::1"),
        ("mx2.good.example", "192.0.2.3")]
    assert {o["mx_of"] for o in got} == {"good.example"}
    out = check.run("--mx", "good.example").stdout
    assert "1. mail.good.example\n" in out and "2. mx2.good.example\n" in out


@pytest.mark.parametrize("args, status, words, clients", [
    (("--host", "gone.good.example"), 68, "gone.good.example has no address (A: NXDOMAIN", 0),
    (("--host", "empty.good.example"), 68, "has no address (A: no record, AAAA: no record)", 0),
    (("--host", "mail.broken.example"), 75, "failed temporarily (SERVFAIL)", 0),
    (("--mx", "null.example"), 68, "null MX, RFC 7505", 0),
    (("--mx", "address.example"), 68, "is an address, 192.0.2.1", 0),
    (("--mx", "label.example"), 68, '"localhost", which is no host name', 0),
    (("--mx", "gone.good.example"), 68, "there is no domain", 0),
    (("--mx", "nohost.example"), 68, "gone.good.example has no address", 0),
    (("--mx", "broken.example"), 75, "looking up the MX of broken.example failed temporarily", 0),
    (("--mx", "halfmx.example"), 75, "looking up the A of mx.broken.example failed", 2),
    (("--mx", "alias.example"), 0, "cname.example of alias.example is an alias (CNAME)", 2),
    (("--mx", "implicit.example"), 0, "", 1),
])
def test_hosts_and_domains(check, args, status, words, clients):
    done = check.run(*args)
    assert done.returncode == status, done.stderr
    assert words in done.stderr and done.stdout.count("client     ") == clients
    assert len(check.json(*args, status=status)) == clients


def test_implicit_mx_is_said(check):
    assert "no MX: mail goes to the domain's own addresses" in check.run(
        "--mx", "implicit.example").stdout


# --- exceptions ---


def exceptions(check, *entries):
    head = {"format": "iprevd-exemptions", "version": 1, "count": len(entries)}
    (check.state / "exemptions").write_text(
        "".join(json.dumps(line) + "\n" for line in (head, *entries)))


def entry(subject, until=4102444800, reason="ticket 4711"):
    return {"subject": subject, "reason": reason, "made": 1, "until": until}


def test_exceptions_of_the_file(check):
    exceptions(check, entry("192.0.2.0/30"), entry(".many.example", reason="b"),
               entry(world.MISMATCH, until=2))
    [got] = check.json(world.NO_PTR, status=0)
    assert got["exemption"] == {"subject": "192.0.2.0/30", "reason": "ticket 4711",
                                "until": 4102444800}
    assert got["policy"] == "none" and got["reason"] == "exempt for now: ticket 4711"
    out = check.run(world.NO_PTR).stdout
    assert "exemption  allowed until " in out and " by 192.0.2.0/30: ticket 4711" in out
    assert check.json(world.MANY)[0]["exemption"]["subject"] == ".many.example"
    assert check.json(world.GENERIC)[0]["exemption"] is None
    exceptions(check, entry(world.NO_PTR, until=2))
    assert check.run(world.NO_PTR).returncode == 77


def test_damaged_file_of_exceptions(check):
    exceptions(check, entry(world.NO_PTR))
    path = check.state / "exemptions"
    path.write_text(path.read_text() + "rubbish\n")
    done = check.run(world.NO_PTR)
    assert done.returncode == 0 and f"{path}:3: damaged" in done.stderr
    assert path.exists(), "who only looks changes nothing"


def test_exceptions_of_the_running_daemon(start_iprevd, directory, check):
    control = directory / "control"
    conf = f'control = "{control}"\nstate-dir = "none"\n'
    running = start_iprevd(conf)
    daemon.wait_until("the control socket", control.exists)
    check.configure("", ZONE)
    check.conf.write_text(check.conf.read_text().replace('control = "none"', f'control = "{control}"'))

    def ctl(*args):
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", running.config_path],
                              capture_output=True, text=True, check=False)
    daemon.wait_until("an answer", lambda: ctl("status").returncode == 0)
    assert check.run(world.NO_PTR).returncode == 77
    assert ctl("allow", world.NO_PTR, "--reason", "asked \x1b[31m").returncode == 0
    done = check.run(world.NO_PTR)
    assert done.returncode == 0 and done.stderr == "" and "\x1b" not in done.stdout
    assert f"by {world.NO_PTR}: asked " in done.stdout
    ctl("unallow", world.NO_PTR)
    assert check.run(world.NO_PTR).returncode == 77


# --- advice and terminal ---


@pytest.mark.parametrize("args, words", [
    ((world.NO_PTR,), ["2.2.0.192.in-addr.arpa. PTR NAME.", "hosting or Internet provider",
                       "Please set the reverse DNS (PTR record) of 192.0.2.2 to NAME."]),
    ((world.MISMATCH,), ["The PTR record of 192.0.2.3 says mail.moved.example, whose A record says "
                         "203.0.113.9.", "mail.moved.example. A 192.0.2.3"]),
    ((world.GOOD, "--helo", "localhost"), [
        "Set the EHLO name to mail.good.example", "smtp_helo_name = mail.good.example",
        "define(`confHELO_NAME', `mail.good.example')dnl", "helo_data = mail.good.example",
        "Set-SendConnector CONNECTOR -Fqdn mail.good.example"]),
    ((world.GENERIC,), ["looks like a provider's default name"]),
    ((world.BROKEN_PTR,), ["do not answer as they should (SERVFAIL)"]),
])
def test_advice(check, args, words):
    out = " ".join(check.run(*args).stdout.split())
    [got] = check.json(*args)
    for word in words:
        assert word in out and word in " ".join(got["advice"])


def test_what_is_to_be_copied_is_unbroken(check):
    assert "\n               2.2.0.192.in-addr.arpa. PTR NAME.\n" in check.terminal(
        world.NO_PTR, columns=40).replace("\r", "")


def test_good_client_needs_no_advice(check):
    assert "advice" not in check.run(world.GOOD, "--helo", "mail.good.example").stdout
    assert check.json(world.GOOD, "--helo", "mail.good.example")[0]["advice"] == []


def test_terminal_of_80_columns(check):
    out = check.terminal(world.MISMATCH, world.NO_PTR6, "--helo", "localhost")
    assert "\x1b[1;31mreject\x1b[0m" in out
    for line in out.replace("\x1b[0m", "").replace("\r", "").splitlines():
        while "\x1b[" in line:
            start = line.index("\x1b[")
            line = line[:start] + line[line.index("m", start) + 1:]
        assert len(line) <= 80 or "ip6.arpa" in line, line


def test_no_colour_elsewhere(check):
    assert "\x1b" not in check.run(world.NO_PTR).stdout


def test_hostile_names(check):
    out = check.run(world.HOSTILE, "--helo", "\x1b[2J%s").stdout
    assert "\x1b" not in out and "\\x1b[2J%s" in out


# --- every command ---


def iprevctl(*args):
    return subprocess.run([daemon.program("iprevctl"), *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def test_help_of_every_command_fits_a_terminal():
    listed = iprevctl("--help").stdout
    commands = [line.split()[0] for line in
                listed.split("Commands:\n")[1].split("\n\n")[0].splitlines()]
    assert len(commands) == 11
    for command in commands:
        done = iprevctl(command, "--help")
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout.startswith(f"Usage: iprevctl {command} ") and "-c FILE" in done.stdout
        assert "Exit status: 0" in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 79, command
        wrong = iprevctl(command, "--nonsense")
        assert (wrong.returncode, wrong.stdout) == (64, "")
        assert wrong.stderr == (f"iprevctl {command}: unrecognized option '--nonsense'\n"
                                f"Try 'iprevctl {command} --help'.\n")


def test_no_such_command():
    done = iprevctl("chekc")
    assert done.returncode == 64 and 'no command "chekc"' in done.stderr


@pytest.mark.parametrize("command", ["check 192.0.2.1", "config", "replay x", "report x", "status"])
def test_configuration_with_an_error(directory, command):
    conf = directory / "bad.conf"
    conf.write_text("mode = enforce\nmod = monitor\n")
    done = iprevctl(*command.split(), "-c", str(conf))
    assert done.returncode == 78 and f"{conf}:2:" in done.stderr and done.stdout == ""


def test_output_that_cannot_be_written(check):
    with open("/dev/full", "w") as full:
        done = subprocess.run([daemon.program("iprevctl"), "check", "-c", check.conf, world.GOOD],
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 74
