# SPDX-License-Identifier: BSD-2-Clause
"""iprevd behind a real Sendmail, over SMTP.  Clients come from 127.0.0.0/8, which is foreign here."""

import pathlib

import pytest

import daemon
import world
from mta import LOGIN, PASSWORD
from smtpclient import message

ENFORCE = "mode = enforce\nlocal-networks = {}\n"

needs_ipv6 = pytest.mark.skipif(not pathlib.Path("/proc/net/if_inet6").exists(),
                                reason="no IPv6 on this machine")


def refused(response, code, xcode, *evidence):
    assert response.code == code, response
    assert response.text.startswith(xcode), response
    for words in evidence:
        assert words in response.text, response


def test_good_client_arrives_with_the_result(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    assert smtp.send_message(message("good")).code == 250
    mail = server.mail.wait("good")
    assert mail.all("Authentication-Results") == [
        "mx.example.net; iprev=pass policy.iprev=127.0.0.11 (lo.good.example)"]
    assert mail.field("X-Iprevd") is None
    names = [name for name, _ in mail.fields]
    assert names.index("Authentication-Results") < names.index("Received")


# What follows DATA: messages without a header, or whose first line is none.
HEADERLESS = ["", "text\n", "\ntext\n", " leading space\n", ">From a b\n"]


@pytest.mark.parametrize("data", HEADERLESS)
def test_message_without_header_is_answered(sendmail, data):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    before = len(server.mail.messages())
    assert smtp.send_message(data).code == 250
    mail = daemon.wait_until("the message", lambda: server.mail.messages()[before:])[0]
    assert "iprev=pass" in mail.field("Authentication-Results")


def test_headerless_message_does_not_end_a_refusal(sendmail):
    """A client sends one to an exempt recipient; after it the filter still judges the others."""
    server = sendmail(ENFORCE + 'match "p" { recipient = {"postmaster"} policy = "none" }')
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("lo.good.example")
    refused(smtp.send_message(message("bad")), 550, "5.7.25")
    assert smtp.send_message("text\n", rcpt="postmaster@example.net").code == 250
    refused(smtp.send_message(message("bad")), 550, "5.7.25")


@pytest.mark.parametrize("client, evidence", [
    (world.LO_NO_PTR, ["[127.0.0.12] has no PTR record"]),
    (world.LO_MISMATCH, ["lo.moved.example", "203.0.113.9", "127.0.0.13"]),
], ids=["missing", "mismatch"])
def test_bad_client_is_told_the_evidence(sendmail, client, evidence):
    server = sendmail(ENFORCE)
    smtp = server.smtp(client)
    smtp.ehlo("lo.good.example")
    refused(smtp.send_message(message("bad")), 550, "5.7.25", *evidence)
    server.wait_log(r"reject=550 5\.7\.25")
    server.daemon.wait_log(rf"client={client} .*action=reject.*recipient=user@example\.net")


def test_temporary_failure_is_temporary(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_BROKEN_PTR)
    smtp.ehlo("lo.good.example")
    refused(smtp.send_message(message("temp")), 451, "4.7.25", world.LO_BROKEN_PTR)


def test_generic_name_is_tagged(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GENERIC)
    smtp.ehlo("127-0-0-15.dsl.isp.example")
    assert smtp.send_message(message("generic")).code == 250
    mail = server.mail.wait("generic")
    assert mail.field("X-Iprevd").startswith("tag score="), mail.text
    assert "ptr-generic" in mail.field("X-Iprevd")


def test_quarantine(sendmail):
    server = sendmail(ENFORCE + 'policy "default" { check ptr-missing { action = quarantine } }')
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("lo.good.example")
    before = server.quarantined()
    assert smtp.send_message(message("held")).code == 250
    new = {key: why for key, why in server.quarantined().items() if key not in before}
    assert len(new) == 1
    assert "127.0.0.12 has no PTR record" in next(iter(new.values()))
    assert server.mail.find("held") is None


@pytest.mark.parametrize("client, result", [
    (world.LO_GOOD, "pass"), (world.LO_NO_PTR, "permerror"), (world.LO_MISMATCH, "fail"),
    (world.LO_BROKEN_PTR, "temperror")])
def test_monitor_refuses_nothing(sendmail, client, result):
    server = sendmail("mode = monitor\nlocal-networks = {}\n")
    smtp = server.smtp(client)
    smtp.ehlo("lo.good.example")
    subject = f"monitor {result}"
    assert smtp.send_message(message(subject)).code == 250
    found = server.mail.wait(subject).field("Authentication-Results")
    assert f"iprev={result} policy.iprev={client}" in found


def test_authenticated_client_passes(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("[192.168.1.7]")
    refused(smtp.send_message(message("before login")), 550, "5.7.25")
    assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
    assert smtp.send_message(message("authenticated")).code == 250
    server.mail.wait("authenticated")


def test_postmaster_is_reachable(sendmail):
    server = sendmail(ENFORCE + world.POSTMASTER)
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("lo.good.example")
    assert smtp.mail().code == 250
    refused(smtp.rcpt("other@example.net"), 550, "5.7.25")
    assert smtp.rcpt("postmaster@example.net").code == 250
    assert smtp.data(message("help me")).code == 250
    # Postmaster is an alias of user.
    assert "iprev=permerror" in server.mail.wait("help me").field("Authentication-Results")
    assert server.mail.find("help me", "other") is None


REFUSE_BARE = ENFORCE + 'policy "default" { check helo-bare-ip { action = reject } }\n'


@pytest.mark.parametrize("first, second, code", [
    ("lo.good.example", "127.0.0.11", 550),
    ("127.0.0.11", "lo.good.example", 250),
], ids=["worse", "better"])
def test_ehlo_after_starttls_counts(sendmail, first, second, code):
    server = sendmail(REFUSE_BARE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo(first)
    smtp.starttls()
    smtp.ehlo(second)
    response = smtp.send_message(message("after tls"))
    assert response.code == code
    if code == 550:
        refused(response, 550, "5.7.1", "without brackets")


def test_helo_twice_does_not_evade(sendmail):
    server = sendmail(REFUSE_BARE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    # Sendmail refuses a second one itself unless it is told otherwise; both ways nothing passes.
    response = smtp.command("EHLO 127.0.0.11")
    code = smtp.send_message(message("twice")).code
    assert code == (550 if response.code == 250 else 250)


@needs_ipv6
def test_ipv6(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp("::1")
    smtp.ehlo("lo6.good.example")
    assert smtp.send_message(message("six")).code == 250
    found = server.mail.wait("six").field("Authentication-Results")
    assert "iprev=pass" in found and "(lo6.good.example)" in found


def test_forged_fields_are_removed(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    forged = [("X-Iprevd", "accept score=0"),
              ("Authentication-Results", "mx.example.net; iprev=pass policy.iprev=192.0.2.1"),
              ("Authentication-Results", "mx.example.net; spf=pass smtp.mailfrom=good.example"),
              ("Authentication-Results", "mx.example.net;\n\tspf=pass;\n\tiprev=fail (x)")]
    assert smtp.send_message(message("forged", forged)).code == 250
    mail = server.mail.wait("forged")
    assert mail.all("Authentication-Results") == [
        "mx.example.net; iprev=pass policy.iprev=127.0.0.11 (lo.good.example)",
        "mx.example.net; spf=pass smtp.mailfrom=good.example"]
    assert mail.all("X-Iprevd") == []


@pytest.mark.parametrize("stage", ["rcpt", "mail"])
def test_replies_fit_behind_a_long_recipient(sendmail, stage):
    """Sendmail writes the recipient before a reply's text: RFC 5321 4.5.3.1.5 allows 512 bytes."""
    url = "https://postmaster.example.net/" + "u" * 160
    server = sendmail(ENFORCE + f'stage = {stage}\nhelp-url = "{url}"\n'
                      'policy "default" { check helo-invalid { action = reject } }')
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("x" * 60 + "." + "y" * 60 + "." + "z" * 60 + "_")
    detail = "d" * 200
    response = smtp.mail(f"sender+{detail}@good.example")
    if stage == "rcpt":
        response = smtp.rcpt(f"user+{detail}@example.net")
    assert response.code == 550, response
    assert any(url in line for line in response.lines), response
    assert any("... " in line for line in response.lines), response
    assert all(len(line) + 2 <= 512 for line in response.lines), [len(x) for x in response.lines]


def test_stage_connect(sendmail):
    server = sendmail(ENFORCE + "stage = connect\n")
    smtp = server.smtp(world.LO_NO_PTR)
    assert smtp.banner.code == 554 and "not accepting messages" in smtp.banner.text
    smtp = server.smtp(world.LO_GOOD)
    assert smtp.banner.code == 220
    smtp.ehlo("lo.good.example")
    assert smtp.send_message(message("connect")).code == 250
    assert "iprev=pass" in server.mail.wait("connect").field("Authentication-Results")


@pytest.mark.parametrize("stage", ["helo", "mail"])
def test_stage_before_rcpt(sendmail, stage):
    server = sendmail(ENFORCE + f"stage = {stage}\n")
    smtp = server.smtp(world.LO_NO_PTR)
    smtp.ehlo("lo.good.example")
    refused(smtp.mail(), 550, "5.7.25", "[127.0.0.12] has no PTR record")
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    assert smtp.send_message(message(f"stage {stage}")).code == 250
    assert "iprev=pass" in server.mail.wait(f"stage {stage}").field("Authentication-Results")


def test_pipelining_and_many_messages(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GENERIC)
    smtp.ehlo("127-0-0-15.dsl.isp.example")
    codes = [reply.code for reply in smtp.pipeline([
        "MAIL FROM:<a@good.example>", "RCPT TO:<user@example.net>", "RSET",
        "MAIL FROM:<a@good.example>", "RCPT TO:<user@example.net>"])]
    assert codes == [250] * 5
    assert smtp.data(message("pipelined")).code == 250
    for number in range(3):
        assert smtp.send_message(message(f"series {number}"), sender="").code == 250
        mail = server.mail.wait(f"series {number}")
        assert len(mail.all("Authentication-Results")) == 1
        assert len(mail.all("X-Iprevd")) == 1


def test_restart_between_messages_loses_nothing(sendmail):
    server = sendmail(ENFORCE)
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    assert smtp.send_message(message("before")).code == 250
    server.daemon.kill()
    # F=T: with the filter away, mail waits.
    fresh = server.smtp(world.LO_GOOD)
    fresh.command("EHLO lo.good.example")
    assert 400 <= fresh.send_message(message("away")).code < 500
    server.daemon.start()
    response = smtp.send_message(message("during"))
    assert response.code == 250 or 400 <= response.code < 500, response
    smtp = server.smtp(world.LO_GOOD)
    smtp.ehlo("lo.good.example")
    assert smtp.send_message(message("after")).code == 250
    assert "iprev=pass" in server.mail.wait("after").field("Authentication-Results")
    server.mail.wait("before")
