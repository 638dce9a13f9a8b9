# SPDX-License-Identifier: BSD-2-Clause
"""A client that was right before, across restarts of the real daemon and behind real mail servers.

The days before are in the file of remembered clients, which the tests write themselves."""

import json
import subprocess
import time

import pytest

import clients_file
import daemon
import world
from clients_file import DAY, Client
from milterclient import MilterClient
from smtpclient import message


class Site:
    """A state-dir that the daemons of a test have one after the other."""

    def __init__(self, directory, start):
        self.directory = directory
        self.state = directory / "state"
        self.state.mkdir()
        self.clients = self.state / "clients"
        self.start_iprevd = start
        self.running = None

    def start(self, more=""):
        self.running = self.start_iprevd(
            f'state-dir = "{self.state}"\ncontrol = "{self.directory}/control"\n'
            f'decision-log = "{self.directory}/decisions.json"\n{more}')
        return self.running

    def stop(self):
        self.running.stop()

    def remember(self, clients, **kw):
        clients_file.write(self.clients, clients, **kw)

    def known(self, client):
        return clients_file.known(self.clients, client)

    def visit(self, client, helo="mail.good.example"):
        return MilterClient(self.running.spec).session(client=client, helo=helo).rcpts[0][1]

    def ctl(self, *args):
        return subprocess.run([daemon.program("iprevctl"), *args, "-c", self.running.config_path],
                              text=True, capture_output=True, timeout=60)


@pytest.fixture
def site(directory, start_iprevd):
    return Site(directory, start_iprevd)


def days(grace=3, right=1):
    return (f"was right until {clients_file.day_text(clients_file.today() - right)}; refused from "
            f"{clients_file.day_text(clients_file.today() + grace)}")


def test_a_life(site):
    """Right, wrong, restarted, wrong for too long, right again."""
    site.remember({world.NO_PTR: clients_file.was_right()})
    site.start()
    site.running.wait_log("1 clients? .*remembered")
    reply = site.visit(world.NO_PTR)
    assert (reply.code, reply.xcode) == ("451", "4.7.25"), reply
    assert days() in reply.text
    assert site.visit(world.GOOD).verdict == "continue"
    assert site.visit(world.MISMATCH).code == "550"
    site.stop()
    now = int(time.time())
    failing, good = site.known(world.NO_PTR), site.known(world.GOOD)
    assert now - 60 < failing.failed <= now
    assert good == Client(last_day=clients_file.today())
    assert site.known(world.MISMATCH) is None

    site.start()
    assert days() in site.visit(world.NO_PTR).text
    site.stop()
    assert site.known(world.NO_PTR) == failing

    site.remember({world.NO_PTR: Client(clients_file.today() - 5, clients_file.today() - 6,
                                        failed=now - 4 * DAY)})
    site.start()
    reply = site.visit(world.NO_PTR)
    assert (reply.code, reply.xcode) == ("550", "5.7.25"), reply
    assert "refused since" in reply.text
    site.stop()

    site.remember({world.GOOD: Client(clients_file.today() - 1, clients_file.today() - 8,
                                      failed=now - 4 * DAY, passed_since=True)})
    site.start()
    assert site.visit(world.GOOD).verdict == "continue"
    site.stop()
    assert site.known(world.GOOD) == Client(clients_file.today(), clients_file.today() - 1)


def test_the_key_is_kept(site):
    site.start()
    site.visit(world.GOOD)
    site.stop()
    key, _ = clients_file.read(site.clients)
    assert key not in (bytes(16), clients_file.KEY)
    site.start()
    site.stop()
    assert clients_file.read(site.clients)[0] == key
    assert site.clients.stat().st_mode & 0o777 == 0o600
    assert site.known(world.GOOD).last_day == clients_file.today()


@pytest.mark.parametrize("content", [b"", b"\x8diprevd\n", b"x" * 5000, None],
                         ids=["empty", "cut", "nonsense", "damaged"])
def test_a_bad_file_costs_only_the_grace(site, content):
    site.remember({world.NO_PTR: clients_file.was_right()})
    if content is None:
        content = bytearray(site.clients.read_bytes())
        content[70] ^= 1
    site.clients.write_bytes(content)
    site.start()
    assert site.visit(world.NO_PTR).code == "550"
    assert site.visit(world.GOOD).verdict == "continue"
    site.stop()
    assert "WARNING" in site.running.log.upper() and "clients" in site.running.log
    assert site.known(world.GOOD).last_day == clients_file.today()


def test_a_reload_takes_size_and_grace(site):
    site.remember({world.NO_PTR: clients_file.was_right()})
    running = site.start()
    assert site.visit(world.NO_PTR).code == "451"
    config = running.config_path.read_text()
    running.config_path.write_text(config + 'memory { size = 1M }\npolicy "default" { grace = 0 }\n')
    assert site.ctl("reload").returncode == 0
    assert site.visit(world.NO_PTR).code == "550"
    assert json.loads(site.ctl("status", "--json").stdout)["memory"]["size"] == 1 << 20
    running.config_path.write_text(config)
    assert site.ctl("reload").returncode == 0
    assert site.visit(world.NO_PTR).code == "451"


def test_iprevctl_says_it(site):
    site.remember({world.NO_PTR: clients_file.was_right()})
    site.start()
    checked = site.ctl("check", world.NO_PTR, "--helo", "mail.good.example")
    assert checked.returncode == 75, checked
    assert "was right until" in checked.stdout
    given = json.loads(site.ctl("check", world.NO_PTR, "--json").stdout)
    assert (given["grace"], given["action"]) == ("given", "tempfail")
    assert given["right_until"] == clients_file.day_text(clients_file.today() - 1)
    assert days() in given["reason"]
    # Nothing was noted by that.
    assert site.visit(world.NO_PTR).code == "451"
    status = json.loads(site.ctl("status", "--json").stdout)
    assert status["memory"]["clients"] == 1
    assert status["memory"]["grace_given"] == 1
    assert "memory        1 client, 0.0 of 16.0 MiB, grace given 1 time" in site.ctl("status").stdout
    log = site.directory / "decisions.json"
    daemon.wait_until("the decision", lambda: log.exists() and log.read_text().endswith("\n"))
    found = site.ctl("find", "--client", world.NO_PTR)
    assert "grace      given, right until" in found.stdout, found
    report = site.ctl("report")
    assert "In grace: 1 decision about clients that were right before." in report.stdout, report
    assert json.loads(site.ctl("report", "--json").stdout)["grace"] == 1


def test_with_grace_action_tag(site):
    site.remember({world.NO_PTR: clients_file.was_right()})
    site.start('policy "default" { grace-action = tag }')
    assert site.visit(world.NO_PTR).verdict == "continue"
    checked = site.ctl("check", world.NO_PTR)
    assert checked.returncode == 1
    assert "was right until" in checked.stdout


# --- behind real mail servers ---


def test_behind_postfix(directory, postfix):
    clients_file.write(directory / "clients", {world.NO_PTR: clients_file.was_right()})
    server = postfix(f'mode = enforce\nstate-dir = "{directory}"\n')
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo("mail.good.example")
    response = smtp.send_message(message("grace"))
    assert response.code == 451, response
    assert response.text.startswith("4.7.25")
    assert days() in response.text


def test_behind_sendmail(directory, sendmail):
    clients_file.write(directory / "clients", {world.LO_NO_PTR: clients_file.was_right()})
    server = sendmail(f'mode = enforce\nlocal-networks = {{}}\nstate-dir = "{directory}"\n')
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("lo.good.example")
    response = smtp.send_message(message("grace"))
    assert response.code == 451, response
    assert response.text.startswith("4.7.25")
    assert days() in response.text
