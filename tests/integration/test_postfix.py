# SPDX-License-Identifier: BSD-2-Clause
"""iprevd behind a real Postfix, over SMTP."""

import re

import pytest

import daemon
import world
from hostile_dns import HostileDNS, reverse
from mta import LOGIN, PASSWORD, Network
from mta_postfix import HAS_IPV6, Postfix
from smtpclient import message

ENFORCE = "mode = enforce\n"

needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 on this machine")


def refused(response, code, xcode, *evidence):
    assert response.code == code, response
    assert response.text.startswith(xcode), response
    for words in evidence:
        assert words in response.text, response


# --- what becomes of one client ---


def test_lookups_begin_with_the_dialogue(postfix):
    """Not with the command that waits for them: Postfix keeps back what is not answered."""
    with HostileDNS() as dns:
        dns.host(world.GOOD, "mail.good.example")
        server = postfix(ENFORCE, dns=f'dns {{ nameservers = {{"{dns.addr}"}} }}')
        smtp = server.smtp(world.GOOD, "mail.good.example")

        def asked(name):
            return lambda: any(entry[1].rstrip(".") == name for entry in list(dns.log))
        daemon.wait_until("the PTR question before EHLO", asked(reverse(world.GOOD)))
        smtp.ehlo("ehlo.good.example")
        daemon.wait_until("the question for EHLO's name before MAIL", asked("ehlo.good.example"))


def test_good_client_arrives_with_the_result(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo("mail.good.example")
    assert smtp.send_message(message("good")).code == 250
    mail = server.mail.wait("good")
    assert mail.all("Authentication-Results") == [
        "mx.example.net; iprev=pass policy.iprev=192.0.2.1 (mail.good.example)"]
    assert mail.field("X-Iprevd") is None
    names = [name for name, _ in mail.fields]
    # RFC 8601 4: above everything that was there before, the trace field included.
    assert names.index("Authentication-Results") < names.index("Received")


# What follows DATA: messages without a header, or whose first line is none.
HEADERLESS = ["", "text\n", "\ntext\n", " leading space\n"]


@pytest.mark.parametrize("data", HEADERLESS)
def test_message_without_header_is_answered(postfix, data):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GOOD)
    smtp.ehlo("mail.good.example")
    before = len(server.mail.messages())
    assert smtp.send_message(data).code == 250
    mail = daemon.wait_until("the message", lambda: server.mail.messages()[before:])[0]
    assert "iprev=pass" in mail.field("Authentication-Results")


def test_headerless_message_does_not_end_a_refusal(postfix):
    """A client sends one to an exempt recipient; after it the filter still judges the others."""
    server = postfix(ENFORCE + 'match "p" { recipient = {"postmaster"} policy = "none" }')
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo("mail.good.example")
    refused(smtp.send_message(message("bad")), 550, "5.7.25")
    assert smtp.send_message("text\n", rcpt="postmaster@example.net").code == 250
    refused(smtp.send_message(message("bad")), 550, "5.7.25")


@pytest.mark.parametrize("client, evidence", [
    (world.NO_PTR, ["[192.0.2.2] has no PTR record"]),
    (world.MISMATCH, ["mail.moved.example", "203.0.113.9", "192.0.2.3"]),
    (world.INVALID, ["192.0.2.6", "localhost"]),
    (world.NO_PTR6, ["[2001:db8::2] has no PTR record"]),
    (world.MISMATCH6, ["mail6.moved.example", "2001:db8:f::9", "2001:db8::3"]),
], ids=["missing", "mismatch", "invalid", "missing6", "mismatch6"])
def test_bad_client_is_told_the_evidence(postfix, client, evidence):
    server = postfix(ENFORCE)
    smtp = server.smtp(client)
    smtp.ehlo("mail.good.example")
    refused(smtp.send_message(message("bad")), 550, "5.7.25", *evidence)
    server.daemon.wait_log(rf"client={re.escape(client)} .*action=reject")
    server.wait_log(r"milter-reject: RCPT .*5\.7\.25.*from=<sender@good\.example> "
                    r"to=<user@example\.net>")


def test_refusals_leave_the_log_complete(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.MISMATCH, "mail.moved.example")
    smtp.ehlo("mail.moved.example")
    smtp.send_message(message("bad"))
    line = server.daemon.wait_log(r".*action=reject.*")[0]
    for words in ("client=192.0.2.3", "iprev=fail", "helo=mail.moved.example", "checks=ptr-mismatch",
                  "mode=enforce", "stage=rcpt", "sender=sender@good.example",
                  "recipient=user@example.net"):
        assert words in line, line


@pytest.mark.parametrize("client", [world.BROKEN_PTR, world.BROKEN_NAME], ids=["ptr", "name"])
def test_temporary_failure_is_temporary(postfix, client):
    server = postfix(ENFORCE)
    smtp = server.smtp(client)
    smtp.ehlo("mail.good.example")
    refused(smtp.send_message(message("temp")), 451, "4.7.25", client)


def test_any_of_several_names_may_confirm(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.MANY, "a.many.example")
    smtp.ehlo("b.many.example")
    assert smtp.send_message(message("many")).code == 250
    assert "iprev=pass" in server.mail.wait("many").field("Authentication-Results")
    assert "b.many.example" in server.mail.wait("many").field("Authentication-Results")


def test_generic_name_is_tagged(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GENERIC, "192-0-2-5.dsl.isp.example")
    smtp.ehlo("192-0-2-5.dsl.isp.example")
    assert smtp.send_message(message("generic")).code == 250
    mail = server.mail.wait("generic")
    assert "iprev=pass" in mail.field("Authentication-Results")
    assert mail.field("X-Iprevd").startswith("tag score="), mail.text
    assert "checks=ptr-generic" in mail.field("X-Iprevd")


def test_quarantine_holds_the_message(postfix):
    server = postfix(ENFORCE + 'policy "default" { check ptr-missing { action = quarantine } }')
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo("mail.good.example")
    before = set(server.held())
    response = smtp.send_message(message("held"))
    assert response.code == 250
    held = set(server.held()) - before
    assert len(held) == 1
    assert held.pop() in response.text
    server.wait_log(r"milter-hold: END-OF-MESSAGE from unknown\[192\.0\.2\.2\]")
    server.daemon.wait_log(r'action=quarantine .*reason="192\.0\.2\.2 has no PTR record')
    assert server.mail.find("held") is None


@pytest.mark.parametrize("client, ptr, result", [
    (world.GOOD, "mail.good.example", "pass"),
    (world.NO_PTR, None, "permerror"),
    (world.MISMATCH, None, "fail"),
    (world.BROKEN_PTR, None, "temperror"),
])
def test_monitor_refuses_nothing(postfix, client, ptr, result):
    server = postfix("mode = monitor\n")
    smtp = server.smtp(client, ptr)
    smtp.ehlo("192.0.2.77")
    subject = f"monitor {result}"
    assert smtp.send_message(message(subject)).code == 250
    mail = server.mail.wait(subject)
    assert f"iprev={result} policy.iprev={client}" in mail.field("Authentication-Results")
    line = server.daemon.wait_log(r".*mode=monitor.*")[0]
    assert "action=accept" in line
    if result != "pass":
        assert re.search(r"would=(reject|tempfail)", line), line


# --- who is left alone ---


def test_authenticated_client_passes(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo("[192.168.1.7]")
    assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
    assert smtp.send_message(message("authenticated")).code == 250
    mail = server.mail.wait("authenticated")
    assert mail.field("X-Iprevd") is None


def test_authenticated_client_is_judged_where_that_is_wished(postfix):
    server = postfix(ENFORCE + "skip-authenticated = false\n")
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo("laptop.good.example")
    assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
    refused(smtp.send_message(message("judged")), 550, "5.7.25")


def test_failed_login_is_no_login(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    assert smtp.auth_plain(LOGIN, "wrong").code == 535
    refused(smtp.send_message(message("no login")), 550, "5.7.25")


def test_local_network_is_left_alone(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp()  # 127.0.0.1
    smtp.ehlo("localhost")
    assert smtp.send_message(message("local")).code == 250
    assert server.mail.wait("local").field("Authentication-Results") is None


def test_postmaster_is_reachable(postfix):
    server = postfix(ENFORCE + world.POSTMASTER)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    assert smtp.mail().code == 250
    refused(smtp.rcpt("user@example.net"), 550, "5.7.25")
    assert smtp.rcpt("postmaster@example.net").code == 250
    refused(smtp.rcpt("other@example.net"), 550, "5.7.25")
    assert smtp.data(message("help me")).code == 250
    mail = server.mail.wait("help me", "postmaster")
    assert "iprev=permerror" in mail.field("Authentication-Results")
    assert server.mail.find("help me", "user") is None
    assert server.mail.find("help me", "other") is None


@pytest.mark.parametrize("path", [
    '<"postmaster"@example.net>', "<@relay.example:postmaster@example.net>",
    "< postmaster@example.net >", "<post\\master@EXAMPLE.net>", "<Postmaster@example.net.>"])
def test_postmaster_is_reachable_however_it_is_written(postfix, path):
    server = postfix(ENFORCE + world.POSTMASTER)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    assert smtp.mail().code == 250
    assert smtp.command(f"RCPT TO:{path}").code == 250, path
    refused(smtp.rcpt("user@example.net"), 550, "5.7.25")


def test_sender_with_u_labels_is_compared(postfix):
    server = postfix(ENFORCE + 'policy "default" { check sender-ptr-mismatch { action = reject } }')
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo("mail.good.example")
    smtp.send("MAIL FROM:<a@m\u00fcller.com> SMTPUTF8".encode())
    assert smtp.read().code == 250
    refused(smtp.rcpt(), 550, "5.7.1", "xn--mller-kva.com")


# --- HELO and EHLO ---

REFUSE_BARE = ENFORCE + 'policy "default" { check helo-bare-ip { action = reject } }\n'


def test_helo_is_refused_with_its_own_code(postfix):
    server = postfix(REFUSE_BARE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo("192.0.2.1")
    refused(smtp.send_message(message("bare")), 550, "5.7.1", "192.0.2.1", "without brackets")


@pytest.mark.parametrize("first, second, code", [
    ("mail.good.example", "192.0.2.1", 550),
    ("192.0.2.1", "mail.good.example", 250),
], ids=["worse", "better"])
def test_ehlo_after_starttls_counts(postfix, first, second, code):
    server = postfix(REFUSE_BARE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo(first)
    smtp.starttls()
    smtp.ehlo(second)
    assert smtp.send_message(message("after tls")).code == code


@pytest.mark.parametrize("verbs, code", [
    (["EHLO mail.good.example", "EHLO 192.0.2.1"], 550),
    (["EHLO mail.good.example", "HELO 192.0.2.1"], 550),
    (["EHLO 192.0.2.1", "EHLO mail.good.example"], 250),
    (["EHLO mail.good.example", "EHLO 192.0.2.1", "RSET"], 550),
], ids=["ehlo", "helo", "mended", "rset"])
def test_helo_twice_does_not_evade(postfix, verbs, code):
    server = postfix(REFUSE_BARE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    for verb in verbs:
        smtp.ok(verb)
    assert smtp.send_message(message("twice")).code == code


def test_helo_twice_does_not_evade_reverse_dns(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR)
    for _ in range(3):
        smtp.ehlo("mail.good.example")
        refused(smtp.send_message(message("again")), 550, "5.7.25")


def test_no_helo_at_all(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp()
    smtp.ehlo("xclient.test")
    smtp.xclient_as(world.GOOD, "mail.good.example")
    assert smtp.send_message(message("no helo")).code == 250
    assert "helo-missing" in server.mail.wait("no helo").field("X-Iprevd")


def test_hostile_helo_is_harmless(postfix):
    server = postfix('mode = enforce\npolicy "default" { check helo-invalid { action = reject } }')
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ok('EHLO a%s%n"\x01\x7f\\action=accept')
    response = smtp.send_message(message("hostile"))
    refused(response, 550, "5.7.1", "%s%n")
    assert all(32 <= ord(c) < 127 for c in response.text)
    line = server.daemon.wait_log(r".*action=reject.*")[0]
    assert all(32 <= ord(c) < 127 for c in line)
    assert line.count(" action=") == 1


# --- where the client's address comes from ---


def test_xclient_begins_anew(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo("mail.good.example")
    assert smtp.send_message(message("xclient first")).code == 250
    smtp.xclient_as(world.NO_PTR)
    smtp.ehlo("mail.good.example")
    refused(smtp.send_message(message("xclient second")), 550, "5.7.25", world.NO_PTR)
    smtp.xclient_as(world.MANY, "b.many.example")
    smtp.ehlo("b.many.example")
    assert smtp.send_message(message("xclient third")).code == 250
    assert "policy.iprev=192.0.2.7" in server.mail.wait("xclient third").field("Authentication-Results")


def test_xclient_login_is_a_login(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR, login="alice")
    smtp.ehlo()
    assert smtp.send_message(message("xclient login")).code == 250


def test_login_ends_with_its_client(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR, login="alice")
    smtp.ehlo()
    assert smtp.send_message(message("alice's")).code == 250
    smtp.xclient_as(world.MISMATCH, login="[UNAVAILABLE]")
    smtp.ehlo()
    refused(smtp.send_message(message("nobody's")), 550, "5.7.25", world.MISMATCH)


@pytest.mark.parametrize("client, code", [(world.GOOD, 250), (world.NO_PTR, 550),
                                          (world.GOOD6, 250), (world.NO_PTR6, 550)])
def test_proxy_protocol(postfix, client, code):
    server = postfix(ENFORCE)
    smtp = server.smtp_proxied(client)
    smtp.ehlo("mail.good.example")
    assert smtp.send_message(message("proxied")).code == code


def test_ipv6_client(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GOOD6, "mail6.good.example")
    smtp.ehlo("mail6.good.example")
    assert smtp.send_message(message("six")).code == 250
    found = server.mail.wait("six").field("Authentication-Results")
    assert re.fullmatch(r'mx\.example\.net; iprev=pass policy\.iprev="?2001:db8::1"? '
                        r"\(mail6\.good\.example\)", found), found


@needs_ipv6
def test_real_ipv6_connection(postfix):
    server = postfix(ENFORCE + "local-networks = {}\n")
    smtp = server.smtp(host="::1")
    smtp.ehlo("lo6.good.example")
    assert smtp.send_message(message("loopback six")).code == 250
    found = server.mail.wait("loopback six").field("Authentication-Results")
    assert "iprev=pass" in found and "(lo6.good.example)" in found


def test_real_foreign_addresses(start_iprevd, directory):
    """No XCLIENT: clients in a network of their own; iprevd by a unix socket."""
    from conftest import require_mta
    require_mta("postfix")
    start_iprevd(ENFORCE, listen=f"unix:{directory}/socket")
    (directory / "socket").chmod(0o666)
    network = Network(["192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64", "2001:db8::2/64"])
    try:
        with Postfix([f"unix:{directory}/socket"], network=network) as server:
            for client, host, code in [("192.0.2.1", "192.0.2.254", 250),
                                       ("192.0.2.2", "192.0.2.254", 550),
                                       ("2001:db8::1", "2001:db8::254", 250),
                                       ("2001:db8::2", "2001:db8::254", 550)]:
                smtp = server.smtp_from(client, host)
                smtp.ehlo("mail.good.example")
                response = smtp.send_message(message(f"from {client}"))
                assert response.code == code, response
                assert code == 250 or client in response.text
            server.close_clients()
    finally:
        network.close()


# --- header fields that others wrote ---


def test_forged_fields_are_removed(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GENERIC, "192-0-2-5.dsl.isp.example")
    smtp.ehlo("192-0-2-5.dsl.isp.example")
    forged = [("X-Iprevd", "accept score=0"),
              ("Authentication-Results", "mx.example.net; iprev=pass policy.iprev=192.0.2.1"),
              ("Authentication-Results", "other.example.org; iprev=pass policy.iprev=192.0.2.9"),
              ("authentication-results", "MX.EXAMPLE.NET;\n\tspf=pass;\n\tiprev=fail (x)"),
              ("Authentication-Results", "mx.example.net; spf=pass smtp.mailfrom=good.example"),
              ("x-iprevd", "tag checks=none")]
    assert smtp.send_message(message("forged", forged)).code == 250
    mail = server.mail.wait("forged")
    assert mail.all("Authentication-Results") == [
        "mx.example.net; iprev=pass policy.iprev=192.0.2.5 (192-0-2-5.dsl.isp.example)",
        "other.example.org; iprev=pass policy.iprev=192.0.2.9",
        "mx.example.net; spf=pass smtp.mailfrom=good.example"]
    assert len(mail.all("X-Iprevd")) == 1
    assert "ptr-generic" in mail.field("X-Iprevd")


def test_other_filters_results_stay(postfix):
    server = postfix(ENFORCE)
    server.witness.reset()
    server.witness.fields = [
        ("Authentication-Results", "mx.example.net; dkim=pass header.d=good.example"),
        ("X-Other", "was here")]
    smtp = server.smtp(world.GOOD, "mail.good.example", port=server.chain_port)
    smtp.ehlo("mail.good.example")
    assert smtp.send_message(message("chain")).code == 250
    mail = server.mail.wait("chain")
    assert mail.all("Authentication-Results") == [
        "mx.example.net; iprev=pass policy.iprev=192.0.2.1 (mail.good.example)",
        "mx.example.net; dkim=pass header.d=good.example"]
    assert mail.field("X-Other") == "was here"


def test_configured_authserv_id(postfix):
    server = postfix(ENFORCE + 'authserv-id = "farm.example.net"\n')
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    forged = [("Authentication-Results", "farm.example.net; iprev=fail"),
              ("Authentication-Results", "mx.example.net; iprev=pass policy.iprev=192.0.2.7")]
    assert smtp.send_message(message("farm", forged)).code == 250
    assert server.mail.wait("farm").all("Authentication-Results") == [
        "farm.example.net; iprev=pass policy.iprev=192.0.2.1 (mail.good.example)",
        "mx.example.net; iprev=pass policy.iprev=192.0.2.7"]


# --- stages ---


def test_stage_connect(postfix):
    """Postfix turns it into its own banner, and the text is lost."""
    server = postfix(ENFORCE + "stage = connect\n")
    smtp = server.smtp()
    smtp.ehlo("xclient.test")
    banner = smtp.xclient_as(world.NO_PTR)
    assert banner.code == 554 and "not accepting connections" in banner.text
    smtp = server.smtp(world.GOOD, "mail.good.example")
    assert smtp.banner.code == 220
    smtp.ehlo("nobody.knows.example")
    assert smtp.send_message(message("connect")).code == 250
    mail = server.mail.wait("connect")
    assert "iprev=pass" in mail.field("Authentication-Results")


def test_stage_connect_tempfail(postfix):
    server = postfix(ENFORCE + "stage = connect\n")
    smtp = server.smtp(world.BROKEN_PTR)
    assert smtp.banner.code == 220
    smtp.ehlo()
    assert smtp.mail().code // 100 == 4


def test_stage_helo(postfix):
    """Postfix still answers 250 to EHLO, then refuses MAIL (and STARTTLS) with the text."""
    server = postfix(ENFORCE + "stage = helo\n")
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    refused(smtp.mail(), 550, "5.7.25", "[192.0.2.2] has no PTR record")
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    assert smtp.send_message(message("helo")).code == 250
    assert "iprev=pass" in server.mail.wait("helo").field("Authentication-Results")


def test_stage_helo_without_helo(postfix):
    server = postfix(ENFORCE + "stage = helo\n")
    smtp = server.smtp()
    smtp.ehlo("xclient.test")
    smtp.xclient_as(world.NO_PTR)
    response = smtp.send_message(message("none"))
    refused(response, 550, "5.7.25", world.NO_PTR)


def test_stage_mail(postfix):
    server = postfix(ENFORCE + "stage = mail\n")
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    refused(smtp.mail(), 550, "5.7.25", "[192.0.2.2] has no PTR record")
    assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
    assert smtp.send_message(message("mail authenticated")).code == 250
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    assert smtp.send_message(message("mail")).code == 250
    assert "iprev=pass" in server.mail.wait("mail").field("Authentication-Results")


def test_stage_rcpt_answers_every_recipient(postfix):
    server = postfix(ENFORCE + "stage = rcpt\n")
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    assert smtp.mail().code == 250
    for user in ("user", "other", "alice"):
        refused(smtp.rcpt(f"{user}@example.net"), 550, "5.7.25")
    assert smtp.command("DATA").code == 554


# --- many in one connection ---


def test_pipelining(postfix):
    server = postfix(ENFORCE + world.POSTMASTER)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    codes = [reply.code for reply in smtp.pipeline([
        "MAIL FROM:<a@good.example>", "RCPT TO:<user@example.net>",
        "RCPT TO:<postmaster@example.net>", "RSET",
        "MAIL FROM:<b@good.example>", "RCPT TO:<other@example.net>", "DATA"])]
    assert codes == [250, 550, 250, 250, 250, 550, 554]
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    codes = [reply.code for reply in smtp.pipeline([
        "MAIL FROM:<a@good.example>", "RCPT TO:<user@example.net>",
        "RCPT TO:<other@example.net>", "DATA"])]
    assert codes == [250, 250, 250, 354]
    smtp.send_raw(b"Subject: pipelined\r\n\r\nhello\r\n.\r\n")
    assert smtp.read().code == 250
    for user in ("user", "other"):
        assert "iprev=pass" in server.mail.wait("pipelined", user).field("Authentication-Results")


def test_many_messages_a_connection(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GENERIC, "192-0-2-5.dsl.isp.example")
    smtp.ehlo("192-0-2-5.dsl.isp.example")
    for number in range(5):
        assert smtp.send_message(message(f"series {number}"), sender="").code == 250
    for number in range(5):
        mail = server.mail.wait(f"series {number}")
        assert len(mail.all("Authentication-Results")) == 1
        assert len(mail.all("X-Iprevd")) == 1


def test_null_sender(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.NO_PTR)
    smtp.ehlo()
    refused(smtp.send_message(message("bounce"), sender=""), 550, "5.7.25")


# --- comings and goings ---


def test_restart_between_messages_loses_nothing(postfix):
    server = postfix(ENFORCE)
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    assert smtp.send_message(message("before")).code == 250
    server.daemon.kill()
    server.daemon.start()
    response = smtp.send_message(message("during"))
    assert response.code == 250 or 400 <= response.code < 500, response
    if response.code == 250:
        server.mail.wait("during")
    smtp = server.smtp(world.GOOD, "mail.good.example")
    smtp.ehlo()
    assert smtp.send_message(message("after")).code == 250
    assert "iprev=pass" in server.mail.wait("after").field("Authentication-Results")
    server.mail.wait("before")


def test_without_iprevd_mail_waits(postfix):
    """milter_default_action = tempfail: nothing is lost, and nothing slips through."""
    server = postfix(ENFORCE)
    server.daemon.stop()
    smtp = server.smtp(host="127.0.0.1")
    smtp.ehlo()
    assert 400 <= smtp.send_message(message("away")).code < 500
    smtp = server.smtp(port=server.lenient_port)
    smtp.ehlo()
    assert smtp.send_message(message("lenient")).code == 250
    server.mail.wait("lenient")


def test_reload_counts_for_new_sessions(postfix):
    server = postfix("mode = monitor\n")
    old = server.smtp(world.NO_PTR)
    old.ehlo()
    mark = server.daemon.reload(ENFORCE)

    def enforced():
        smtp = server.smtp(world.NO_PTR)
        smtp.ehlo()
        return smtp.send_message(message("reload")).code == 550

    daemon.wait_until("the new configuration to count", enforced)
    assert old.send_message(message("old session")).code == 250
    mark = server.daemon.reload("mode = sometimes\n")
    server.daemon.wait_log(r"sometimes", since=mark)
    assert enforced()
