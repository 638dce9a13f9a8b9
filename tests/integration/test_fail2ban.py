# SPDX-License-Identifier: BSD-2-Clause
"""Fail2Ban's filter on what real mail servers log, by the distribution's fail2ban-regex.

It finds clients that were refused for good, by the codes 550 5.7.25 and 5.7.1 of a milter's refusal, and
nobody else, whatever senders write.
"""

import pathlib
import re
import shutil
import subprocess

import pytest

import world
from daemon import wait_until
from smtpclient import message
from test_metrics import require

FILTER = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "fail2ban" / "iprevd-filter.conf"
JAIL = FILTER.parent / "iprevd-jail.conf"
ENFORCE = 'mode = enforce\nlocal-networks = {}\nown-names = {"mx.example.net"}\n'


@pytest.fixture
def banned(directory):
    """Call it with a log: the addresses that the filter finds, in order."""
    require("fail2ban-regex")
    etc = directory / "fail2ban"
    shutil.copytree("/etc/fail2ban", etc)
    shutil.copy(FILTER, etc / "filter.d" / "iprevd.conf")

    def find(text):
        log = directory / "mail.log"
        log.write_text(text.rstrip("\n") + "\n")  # a line without its end is not read yet
        done = subprocess.run(["fail2ban-regex", "-c", etc, "-o", "<ip>", log, "iprevd"],
                              capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout.split()
    find.etc = etc
    return find


class Since:
    """What a server has written since now: it is the server of other tests, too."""

    def __init__(self, server):
        self.server, self.mark = server, len(server.log)

    @property
    def text(self):
        return self.server.log[self.mark:]

    def wait(self, pattern):
        wait_until(f"{pattern!r} in the mail server's log", lambda: re.search(pattern, self.text))


def test_postfix(postfix, banned):
    server = postfix(ENFORCE)
    log = Since(server)
    for client, name in ((world.GOOD, "mail.good.example"), (world.NO_PTR, "mail.good.example"),
                         (world.BROKEN_PTR, "mail.good.example"), (world.NO_PTR6, "x.good.example"),
                         (world.GENERIC, "mx.example.net"), (world.GENERIC, "other.example")):
        smtp = server.smtp(client)
        smtp.ehlo(name)
        smtp.send_message(message("x"))
    log.wait(r"milter-reject: RCPT from [^ ]*\[192\.0\.2\.4\][^ ]*: 451")
    log.wait(r"milter-reject: RCPT from [^ ]*\[192\.0\.2\.5\][^ ]*: 550 5\.7\.1 ")
    assert set(banned(log.text)) & {world.GOOD, world.BROKEN_PTR} == set(), log.text
    assert {world.NO_PTR, world.NO_PTR6, world.GENERIC} <= set(banned(log.text))


def test_sendmail(sendmail, banned):
    server = sendmail(ENFORCE)
    log = Since(server)
    for client in (world.LO_GOOD, world.LO_NO_PTR, world.LO_BROKEN_PTR, world.LO_MISMATCH):
        smtp = server.smtp(client)
        smtp.ehlo("lo.good.example")
        smtp.send_message(message("x"))
        smtp.close()
    log.wait(r"nrcpts=0, .*relay=\S* ?\[127\.0\.0\.13\]")
    found = banned(log.text)
    assert {world.LO_NO_PTR, world.LO_MISMATCH} <= set(found)
    assert set(found) & {world.LO_GOOD, world.LO_BROKEN_PTR} == set(), log.text


# What must not count: deferred, refused by others, and words that senders chose.
INNOCENT = """\
{p} postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[203.0.113.1]: 451 4.7.25 x; from=<a@b>
{p} postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.2]: 550 5.7.25 x; from=<a@b>
{p} postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[203.0.113.3]: 451 4.7.1 x; from=<550 5.7.25 \
@b> to=<c@d> proto=ESMTP helo=<milter-reject: RCPT from unknown[203.0.113.4]: 550 5.7.25 >
{p} postfix/cleanup[1]: 4F1A2D0: warning: header Subject: milter-reject: RCPT from unknown[203.0.113.5]: 550 \
5.7.25 x from unknown[203.0.113.6]; from=<x> to=<y>
{p} postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[unknown]: 550 5.7.25 x; from=<a@b>
{p} postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT from unknown[203.0.113.14]: 550 5.7.0 x; from=<a@b>
{p} sm-mta[2]: 3AB1C2D3012346: Milter: to=<a@b>, reject=451 4.7.25 203.0.113.7 later
{p} sm-mta[2]: 3AB1C2D3012346: from=<s@d>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.7]
{p} sm-mta[3]: 3AB1C2D3012347: Milter: to=<"x>, reject=550 5.7.25 "@b>, reject=451 4.7.1 later
{p} sm-mta[3]: 3AB1C2D3012347: from=<s@d>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, relay=[203.0.113.8]
{p} sm-mta[4]: 3AB1C2D3012348: from=<s@d>, size=9, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=[203.0.113.9]
"""
GUILTY = """\
{p} postfix/submission/smtpd[1]: 4F1A2D0: milter-reject: RCPT from h.example[2001:db8::5]:25252: 550 5.7.1 x
{p} postfix-mx/smtpd[1]: 4ZgLq50xkTz9sbc: milter-reject: MAIL from unknown[203.0.113.66]: 550 5.7.25 x; a
{p} sendmail[5]: 3AB1C2D3012349: Milter: from=<a@b>, reject=550 5.7.1 our own name
{p} sendmail[5]: 3AB1C2D3012349: from=<s, relay=[203.0.113.99]@d>, size=0, class=0, nrcpts=0, proto=SMTP, \
daemon=MTA, relay=[IPv6:2001:db8::7] (may be forged)
"""


@pytest.mark.parametrize("prefix", ["Nov 29 10:00:00 mx", "2026-11-29T10:00:00.123456+01:00 mx"])
def test_only_codes_of_a_refusal(banned, prefix):
    assert banned(INNOCENT.format(p=prefix)) == []
    assert banned(GUILTY.format(p=prefix)) == ["2001:db8::5", "203.0.113.66", "2001:db8::7"]


@pytest.mark.parametrize("changed", [{}, {"enabled  = false": "enabled  = true",
                                          "backend  = systemd": "backend = auto\nlogpath = {log}"}],
                         ids=["off", "on"])
def test_jail(banned, directory, changed):
    """Fail2Ban itself takes the example, as it is and switched on."""
    for other in (banned.etc / "jail.d").iterdir():
        other.unlink()
    jail, log = JAIL.read_text(), directory / "mail.log"
    log.touch()
    for old, new in changed.items():
        assert old in jail
        jail = jail.replace(old, new.format(log=log))
    (banned.etc / "jail.d" / "iprevd.conf").write_text(jail)
    done = subprocess.run(["fail2ban-client", "-c", banned.etc, "--test"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
