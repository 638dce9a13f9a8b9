# SPDX-License-Identifier: BSD-2-Clause
"""doc/monitor-first.md walked through, and what doc/why-was-i-refused.md tells senders to set."""

import os

import pytest

import fenced
import world
from daemon import wait_until
from guide_sites import (IPREVD_UID, RECEIVER, SERVER, GuideSendmail, Receiver, postfix_site)
from mta import RUN
from smtpclient import message


# --- doc/monitor-first.md: one installation, one step after the other ---


def test_monitor_first(network):
    steps = fenced.installations("monitor-first.md")
    assert list(steps) == ["2. Install it", "3. Put it in front of the mail server",
                           "5. Exempt the clients that need it", "6. Enforce what only tags",
                           "7. Refuse a share, then more", "8. Enforce", "In a DNS outage"]
    mail_server = steps.pop("3. Put it in front of the mail server")
    assert mail_server["main.cf"] == fenced.installations("postfix.md")["One line"]["main.cf"]
    assert mail_server["sendmail.mc"] == \
        fenced.installations("sendmail.md")["One line"]["sendmail.mc"]
    with postfix_site({"main.cf": mail_server["main.cf"]}, network) as site:
        folder, fields = site.filter.folder, []
        (folder / "access.cidr").write_text("192.0.2.4 permit\n")

        def refused(step, client=world.NO_PTR, rcpt="user@example.net"):
            """The reply under that step's configuration: '' when the message is taken."""
            site.filter.end()
            site.filter.configure(steps[step]["iprevd.conf"].replace(
                "/etc/postfix/postscreen_access.cidr", f"{RUN}/iprevd/access.cidr").replace(
                "/var/log/iprevd/", f"{RUN}/iprevd/"))
            site.filter.start()
            smtp = site.server.client(client)
            response = smtp.send_message(message(f"{step} {client}"), rcpt=rcpt)
            if response.code == 250:
                mail = site.server.mail.wait(f"{step} {client}", rcpt.split("@")[0])
                fields.append(mail.field("X-Iprevd"))
            return "" if response.code == 250 else f"{response.code} {response.text}"

        os.chown(folder, IPREVD_UID, IPREVD_UID)
        assert refused("2. Install it") == ""
        assert fields == [None]
        assert '"would":"reject"' in wait_until(
            "the decision log", (folder / "decisions.json").read_text)
        site.filter.wait_log(r"action=accept .*would=reject")
        assert refused("5. Exempt the clients that need it", "192.0.2.4") == ""
        site.filter.wait_log(r"client=192\.0\.2\.4 .*match=partners .*contract 17")
        assert refused("5. Exempt the clients that need it", rcpt="abuse@example.net") == ""
        site.filter.wait_log(r"policy=none match=postmaster")
        assert refused("6. Enforce what only tags") == ""
        assert refused("6. Enforce what only tags", world.GENERIC) == ""
        assert "checks=ptr-generic" in fields[-1]
        # Which side of the ten percent the client is on is not ours to choose.
        percent = refused("7. Refuse a share, then more")
        assert percent == "" or percent.startswith("550 5.7.25 "), percent
        # What step 6 watches and has no share goes on being watched.
        assert refused("7. Refuse a share, then more", world.BROKEN_PTR) == ""
        for step in ("8. Enforce", "In a DNS outage"):
            assert refused(step).startswith("550 5.7.25 [192.0.2.2] has no PTR record")
            assert refused(step, world.BROKEN_PTR).startswith("451 4.7.25 ")
            assert refused(step, world.GOOD) == ""
        # And back.
        assert refused("2. Install it") == ""


# --- doc/why-was-i-refused.md: a sender's EHLO name and address ---


PAGE = "why-was-i-refused.md"
SENT = (SERVER, "EHLO mail.good.example")


@pytest.fixture
def receiver(network):
    made = Receiver(network)
    yield made
    made.close()


def test_ehlo_name_of_postfix(network, receiver):
    text = fenced.installations(PAGE)["Postfix"]["main.cf"].replace("192.0.2.10", SERVER)
    # The second way is shown beside the first: it must do alone.
    text = text.replace("myhostname = mail.good.example", "myhostname = other.example")
    extra = (f"relayhost = [{RECEIVER}]\nmynetworks = 192.0.2.0/24\ndefault_transport = smtp\n"
             "smtpd_relay_restrictions = permit_mynetworks, reject\n")
    blocks = {"main.cf": text, "master.cf": "smtp unix - - y - - smtp\n"}
    with postfix_site(blocks, network, extra) as site:
        smtp = site.server.client(world.GOOD)
        smtp.mail()
        assert smtp.rcpt("somebody@elsewhere.example").code == 250
        assert smtp.data(message("out")).code == 250
        assert receiver.wait() == SENT


def test_relay_of_postfix(network):
    """Postfix knows all that the page sets, and runs with it."""
    blocks = {"main.cf": fenced.installations(PAGE)["Through a relay"]["main.cf"]}
    with postfix_site(blocks, network) as site:
        assert site.server.client(world.GOOD).mail().code == 250


def test_ehlo_name_of_sendmail(network, receiver):
    blocks = fenced.installations(PAGE)["Sendmail"]
    lines = blocks["sendmail.mc"].replace("192.0.2.10", SERVER) + (
        f"define(`SMART_HOST', `relay:[{RECEIVER}]')dnl\nFEATURE(`promiscuous_relay')dnl\n")
    server = GuideSendmail({"sendmail.mc": lines}, network)
    try:
        server.start()
        smtp = server.client(world.GOOD)
        smtp.mail()
        assert smtp.rcpt("somebody@elsewhere.example").code == 250
        smtp.data(message("out"))
        assert receiver.wait() == SENT
    finally:
        server.close_clients()
        server.jail.end()
