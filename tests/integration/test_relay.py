# SPDX-License-Identifier: BSD-2-Clause
"""Mail that comes through a trusted relay: over the milter protocol, Postfix and Sendmail."""

import socket

import pytest

import world
from smtpclient import message

RELAY, LO_RELAY = "203.0.113.25", "127.0.0.25"
TRUSTED = f'mode = enforce\ntrusted-relays = {{"{RELAY}"}}\n'
LO_TRUSTED = f'mode = enforce\nlocal-networks = {{}}\ntrusted-relays = {{"{LO_RELAY}"}}\n'
REJECT = "relay-action = reject\n"


def received(client, helo="mail.good.example", ptr="unknown"):
    return ("Received", f"from {helo} ({ptr} [{client}])\n"
                        "\tby mx2.example.net (Postfix) with ESMTP id 4711\n"
                        "\tfor <user@example.net>; Mon, 21 Sep 2026 14:00:00 +0000")


FORGED = received(world.GOOD, ptr="mail.good.example")


def session(client, headers, **kw):
    return client.session(client=RELAY, helo="mx2.example.net", headers=headers, **kw)


# --- over the milter protocol ---


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt"])
def test_who_is_behind_it_is_judged_at_every_stage(milter, stage):
    client = milter(TRUSTED + f"stage = {stage}\n")
    result = session(client, [received(world.NO_PTR), FORGED])
    assert result.verdict == "tag"
    assert "checks=ptr-missing" in result.field("X-Iprevd")
    assert "iprev=permerror policy.iprev=192.0.2.2 " in result.field("Authentication-Results")
    client.daemon.wait_log(rf"client=192\.0\.2\.2 .*stage=end .*relay={RELAY}")
    assert session(client, [FORGED]).verdict == "accept"


def test_refused_at_the_end(milter):
    client = milter(TRUSTED + REJECT)
    result = session(client, [received(world.NO_PTR), FORGED])
    assert not any(reply.refused for _, reply in result.rcpts)
    assert result.end_of_message.text.startswith("550 5.7.25 [192.0.2.2] has no PTR record")
    assert result.edits == []
    result = session(client, [received(world.BROKEN_PTR)])
    assert result.end_of_message.text.startswith("451 4.7.25 ")


def test_some_recipient_is_exempt(milter):
    client = milter(TRUSTED + REJECT + world.POSTMASTER)
    result = session(client, [received(world.NO_PTR)],
                     rcpts=["user@example.net", "postmaster@example.net"])
    assert result.verdict == "tag"


def test_a_silent_server_is_waited_for(milter):
    """The end of the message waits for a server that says nothing, and then tags at most."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        client = milter(TRUSTED + "deadline = 1\n", dns=f'dns {{ nameservers = {{"{server}"}} }}')
        result = session(client, [received(world.NO_PTR)])
        assert result.verdict == "tag"
        assert "iprev=temperror" in result.field("Authentication-Results")
        client.daemon.wait_log(r"checks=dns-temperror .*would=tempfail")


def test_nobody_is_found(milter):
    client = milter(TRUSTED)
    result = session(client, [("Received", "(" * 5000), FORGED])
    assert result.verdict == "accept" and result.edits == []
    client.daemon.wait_log(rf'relay={RELAY} action=accept .*reason="a Received field')


@pytest.mark.parametrize("field", [
    "by mx2.example.net (Postfix) id 4711\n\tfor <user@example.net>; date",
    "\n\tby mx2.example.net (OpenSMTPD) with ESMTP id 4711;\n\tdate",
])
def test_a_relay_that_hides_its_clients(milter, field):
    """What stands below such a field may be by anybody."""
    client = milter(TRUSTED)
    result = session(client, [("Received", field), received(world.NO_PTR)])
    assert result.verdict == "accept" and result.edits == []
    client.daemon.wait_log(rf'relay={RELAY} action=accept .*reason="a Received field')


# --- real mail servers: what they show of the header ---


def test_postfix(postfix):
    server = postfix(TRUSTED)
    smtp = server.smtp(RELAY, "mx2.example.net")
    smtp.ehlo("mx2.example.net")
    assert smtp.send_message(message("behind", [received(world.NO_PTR), FORGED])).code == 250
    mail = server.mail.wait("behind")
    assert mail.field("X-Iprevd").startswith("tag ")
    assert "policy.iprev=192.0.2.2 " in mail.field("Authentication-Results")
    # The next one in the same connection is somebody else.
    assert smtp.send_message(message("behind-good", [FORGED])).code == 250
    mail = server.mail.wait("behind-good")
    assert mail.field("X-Iprevd") is None
    assert "iprev=pass policy.iprev=192.0.2.1 " in mail.field("Authentication-Results")


def test_postfix_refuses(postfix):
    server = postfix(TRUSTED + REJECT)
    smtp = server.smtp(RELAY, "mx2.example.net")
    smtp.ehlo("mx2.example.net")
    response = smtp.send_message(message("refused", [received(world.NO_PTR)]))
    assert response.code == 550 and response.text.startswith("5.7.25 [192.0.2.2] has no PTR record")
    server.wait_log(r"milter-reject: END-OF-MESSAGE .*5\.7\.25")


def test_sendmail(sendmail):
    server = sendmail(LO_TRUSTED)
    smtp = server.smtp(LO_RELAY)
    smtp.ehlo("mx2.example.net")
    assert smtp.send_message(message("behind", [received(world.LO_NO_PTR), FORGED])).code == 250
    mail = server.mail.wait("behind")
    assert mail.field("X-Iprevd").startswith("tag ")
    assert "policy.iprev=127.0.0.12 " in mail.field("Authentication-Results")


def test_sendmail_refuses(sendmail):
    server = sendmail(LO_TRUSTED + REJECT)
    smtp = server.smtp(LO_RELAY)
    smtp.ehlo("mx2.example.net")
    response = smtp.send_message(message("refused", [received(world.LO_NO_PTR)]))
    assert response.code == 550 and response.text.startswith("5.7.25 [127.0.0.12] has no PTR record")
