# SPDX-License-Identifier: BSD-2-Clause
"""What a site can ask for, through a real Postfix and a real Sendmail: the same tests for both."""

import time

import pytest

import world
from daemon import wait_until
from smtpclient import message

def in_mode(mode, config=""):
    return f"mode = {mode}\nlocal-networks = {{}}\n{config}"


@pytest.fixture(params=["postfix", "sendmail"])
def mta(request):
    """Call it with iprevd's configuration to get the mail server; clients are of 127.0.0.0/8."""
    start = request.getfixturevalue(request.param)
    return lambda config="", mode="enforce", **kw: start(in_mode(mode, config), **kw)


def client_of(server, address, helo=None, port=None):
    """A client that has said EHLO: its own literal, with which nothing is wrong."""
    smtp = server.smtp(address, port=port)
    smtp.ehlo(helo or f"[{address}]")
    return smtp


def told(response, recipient="user@example.net"):
    """The lines of a reply without what Sendmail puts before iprevd's words."""
    return [line.replace(f"<{recipient}>... ", "") for line in response.lines]


# --- what is done, and to whom ---


def test_recipients_of_one_message_have_their_own_policies(mta):
    server = mta(world.POSTMASTER + 'policy "lists" { check ptr-missing { action = tag } }\n'
                 'match "lists" { recipient = {"alice@example.net"}  policy = "lists" }\n')
    smtp = client_of(server, world.LO_NO_PTR)
    assert smtp.mail().code == 250
    for recipient, code in [("user", 550), ("alice", 250), ("other", 550), ("postmaster", 250)]:
        response = smtp.rcpt(f"{recipient}@example.net")
        assert response.code == code, (recipient, response)
        if code == 550:
            assert told(response, f"{recipient}@example.net")[0].startswith(
                "550 5.7.25 [127.0.0.12] has no PTR record")
    assert smtp.data(message("several")).code == 250
    mail = server.mail.wait("several", "alice")
    # One header for all: of the worst that was done to those who get it.
    assert mail.field("X-Iprevd").startswith("tag score=5 checks=ptr-missing")
    assert server.mail.find("several", "other") is None
    logged = {line["recipient"]: (line["action"], line["match"])
              for line in server.daemon.decisions(4)}
    assert logged == {"user@example.net": ("reject", "-"), "other@example.net": ("reject", "-"),
                      "alice@example.net": ("tag", "lists"),
                      "postmaster@example.net": ("accept", "postmaster")}


def test_a_dns_list_chooses_the_policy(mta):
    """A client without PTR record that an allow list names is tagged; another one is refused, and one
    whose list refuses to say is deferred."""
    zone = world.ZONE + "".join(
        f"{'.'.join(reversed(address.split('.')))}.allow.example. A {answer}\n" for address, answer in [
            (world.LO_NO_PTR, "127.0.10.2"), ("127.0.0.22", "127.0.0.255")])
    server = mta('policy "lenient" { check ptr-missing { action = tag } }\n'
                 'match "known" { listed = {"allow.example=127.0.[0..255].[1..3]"}  policy = "lenient" }\n',
                 zone=zone)
    smtp = client_of(server, world.LO_NO_PTR)
    assert smtp.send_message(message("by the list")).code == 250
    assert server.mail.wait("by the list").field("X-Iprevd").startswith("tag score=5 checks=ptr-missing")
    for address, code in [("127.0.0.21", 550), ("127.0.0.22", 450)]:
        smtp = client_of(server, address)
        smtp.mail()
        assert smtp.rcpt("user@example.net").code == code, address
    assert [line["lists"] for line in server.daemon.decisions(3)] == [
        f"allow.example:{says}" for says in ("listed", "not-listed", "refuses")]


def test_greylist_defers_until_the_network_comes_again(mta):
    """451 at first, whatever is tried; a second later another host of the network is let in, tagged."""
    zone = world.ZONE + world.ptr("127.0.0.16", "127-0-0-16.dsl.isp.example.") + \
        "127-0-0-16.dsl.isp.example. A 127.0.0.16\n"
    server = mta('policy "default" { check ptr-generic { action = greylist }  greylist-delay = 1 }\n',
                 zone=zone)
    smtp = client_of(server, world.LO_GENERIC)
    smtp.mail()
    response = smtp.rcpt("user@example.net")
    assert response.code == 451
    assert told(response)[0].startswith("451 4.7.1 [127.0.0.15] PTR 127-0-0-15.dsl.isp.example looks like")
    assert "greylisted for now, come again in 1 seconds (ptr-generic)" in "".join(told(response))

    def is_let_in():
        other = client_of(server, "127.0.0.16")
        code = other.send_message(message("come again"), sender="another@good.example").code
        other.close()
        return code == 250

    wait_until("the network may come in", is_let_in)
    mail = server.mail.wait("come again")
    assert mail.field("X-Iprevd").startswith("tag score=2 checks=ptr-generic")
    assert " greylist=passed " in mail.field("X-Iprevd")
    server.daemon.wait_log(r" greylist=passed ")
    lines = server.daemon.decisions(2)
    assert (lines[0]["action"], lines[0]["greylist"]) == ("greylist", "first")
    assert (lines[-1]["action"], lines[-1]["greylist"]) == ("tag", "passed")
    assert {line["greylist"] for line in lines[1:-1]} <= {"early"}


def test_percent_is_the_same_fate_for_a_network_always(mta):
    server = mta('policy "default" { check ptr-missing { percent = 50 } }\n')
    fates = {}
    for visit in range(2):
        for network in range(1, 9):
            for host in (1, 77, 254):
                smtp = client_of(server, f"127.0.{network}.{host}")
                smtp.mail()
                fates.setdefault(network, set()).add(smtp.rcpt().code)
                smtp.quit()
    assert all(len(codes) == 1 for codes in fates.values()), fates
    assert {code for codes in fates.values() for code in codes} == {250, 550}, fates


def test_one_check_is_only_watched(mta):
    server = mta('policy "default" { check ptr-missing { monitor = true }\n'
                 "check helo-bare-ip { action = reject } }\n")
    smtp = client_of(server, world.LO_NO_PTR)
    assert smtp.send_message(message("watched")).code == 250
    mail = server.mail.wait("watched")
    assert "iprev=permerror" in mail.field("Authentication-Results")
    server.daemon.wait_log(r"client=127\.0\.0\.12 .*action=accept mode=enforce .*would=reject")
    smtp = client_of(server, world.LO_NO_PTR, helo="127.0.0.12")
    response = smtp.send_message(message("refused"))
    assert (response.code, response.text[:6]) == (550, "5.7.1 "), response
    assert "EHLO 127.0.0.12 is an IP address without brackets" in response.text


def logged_pairs(server, count):
    """Who was judged for whom, and what it would have been."""
    return [(line["client"], line["recipient"], line["action"], line.get("would", "-"))
            for line in server.daemon.decisions(count)]


@pytest.mark.parametrize("end", ["QUIT", "RSET", None])
def test_monitor_logs_whoever_sends_no_message(mta, end):
    """The mail server waits for no answer then, and may keep the events back: they must come."""
    server = mta(mode="monitor")
    smtp = client_of(server, world.LO_NO_PTR)
    for line in ("MAIL FROM:<sender@good.example>", "RCPT TO:<user@example.net>"):
        smtp.ok(line)
    time.sleep(0.5)  # who hangs up before the DNS has answered is judged by what is known
    if end == "RSET":
        smtp.ok("RSET")
        smtp.ok("NOOP")
    if end is None:
        smtp.close()
    else:
        smtp.quit()
    assert logged_pairs(server, 1) == [(world.LO_NO_PTR, "user@example.net", "accept", "reject")]


def test_monitor_judges_pipelined_recipients(mta):
    server = mta(world.POSTMASTER, mode="monitor")
    smtp = client_of(server, world.LO_NO_PTR)
    recipients = [f"{name}@example.net" for name in ("user", "postmaster", *["alice"] * 60)]
    for subject in ("pipelined first", "pipelined second"):
        smtp.send_raw(b"MAIL FROM:<sender@good.example>\r\n" +
                      b"".join(f"RCPT TO:<{to}>\r\n".encode() for to in recipients) +
                      b"DATA\r\n")
        codes = [smtp.read().code for _ in range(len(recipients) + 2)]
        assert codes == [250] * (len(recipients) + 1) + [354]
        smtp.send_raw(message(subject).replace("\n", "\r\n").encode() + b".\r\n")
        assert smtp.read().code == 250
        assert "iprev=permerror" in server.mail.wait(subject).field("Authentication-Results")
    assert logged_pairs(server, 4) == [
        (world.LO_NO_PTR, "user@example.net", "accept", "reject"),
        (world.LO_NO_PTR, "postmaster@example.net", "accept", "-")] * 2
    assert [line["queue_id"] != "-" for line in server.daemon.decisions(4)] == [True] * 4


def reload(iprevd, config):
    iprevd.wait_log("read again", since=iprevd.reload(config))


def test_session_keeps_the_mode_with_which_it_began(mta):
    """What is answered was agreed then: a reload counts from the next connection on."""
    server = mta(mode="monitor")
    early = client_of(server, world.LO_NO_PTR)
    assert early.send_message(message("monitored")).code == 250
    reload(server.daemon, in_mode("enforce"))
    late = client_of(server, world.LO_NO_PTR)
    assert late.send_message(message("refused")).code == 550
    assert early.send_message(message("still monitored")).code == 250
    assert [want for *_, want in logged_pairs(server, 3)] == ["reject", "-", "reject"]
    reload(server.daemon, in_mode("monitor"))
    assert late.send_message(message("still refused")).code == 550
    assert client_of(server, world.LO_NO_PTR).send_message(message("let in")).code == 250


def test_quarantine_is_seen_by_the_administrator(mta):
    server = mta('policy "default" { check ptr-missing { action = quarantine } }\n')
    queued = server.held if hasattr(server, "held") else server.quarantined
    before = set(queued())
    assert client_of(server, world.LO_NO_PTR).send_message(message("kept back")).code == 250
    new = set(queued()) - before
    assert len(new) == 1
    assert server.mail.find("kept back") is None
    if hasattr(server, "mailq_quarantined"):
        shown = server.mailq_quarantined()
        assert new.pop() in shown and "QUARANTINE: 127.0.0.12 has no PTR record" in shown, shown
    else:
        shown = server.postqueue()
        assert new.pop() + "!" in shown, shown


# --- what the client reads ---


def test_reply_of_several_lines(mta):
    server = mta('help-url = "https://postmaster.example.net/rdns"\npolicy "default" { '
                 'check ptr-missing { reply = "550 5.7.25 We refuse %{client}:\\n%{reason}\\n'
                 '100%% sure, %%s %%n %%d%%\\nSee %{url}" } }\n')
    smtp = client_of(server, world.LO_NO_PTR)
    response = smtp.send_message(message("refused"))
    assert told(response) == [
        "550-5.7.25 We refuse 127.0.0.12:",
        "550-5.7.25 127.0.0.12 has no PTR record (NXDOMAIN)",
        "550-5.7.25 100% sure, %s %n %d%",
        "550 5.7.25 See https://postmaster.example.net/rdns"]
    # And the dialogue goes on.
    assert smtp.command("RSET").code == 250


def test_own_code(mta):
    server = mta('policy "default" { check ptr-missing { reply = "554 5.7.9 Not here" }\n'
                 'check dns-temperror { reply = "421 4.7.9 Later" } }\n')
    response = client_of(server, world.LO_NO_PTR).send_message(message("refused"))
    assert told(response) == ["554 5.7.9 Not here"]
    smtp = client_of(server, world.LO_BROKEN_PTR)
    assert smtp.mail().code == 250
    # 421 says goodbye, too (RFC 5321 3.8): the mail server hangs up.
    assert told(smtp.rcpt()) == ["421 4.7.9 Later"]
    with pytest.raises(ConnectionError):
        smtp.rcpt()


def test_percent_signs_of_the_client_arrive_as_they_are(mta):
    server = mta('policy "default" { check helo-invalid { action = reject } }\n')
    smtp = server.smtp(world.LO_GOOD)
    greeting = smtp.command("EHLO %s%n%d%%x_%1$s")
    if greeting.code == 501:
        # Sendmail takes no such name from anybody.
        assert smtp.send_message(message("not hostile")).code == 250
        return
    response = smtp.send_message(message("hostile"))
    assert response.code == 550
    assert response.text.startswith("5.7.1 [127.0.0.11] EHLO %s%n%d%%x_%1$s "), response


# --- header fields of others ---


@pytest.mark.parametrize("order", ["before", "after"])
def test_results_of_another_filter_stay(mta, order):
    """The other filter has our authserv-id: what it adds stays, what came from outside goes."""
    server = mta()
    results = "mx.example.net; dkim=pass header.d=good.example"
    server.witness.fields = [("Authentication-Results", results), ("X-Other", "was here")]
    port = server.chain_port if order == "before" else server.reverse_port
    smtp = client_of(server, world.LO_GENERIC, "127-0-0-15.dsl.isp.example", port=port)
    forged = [("Authentication-Results", "mx.example.net; iprev=pass policy.iprev=192.0.2.1"),
              ("Authentication-Results", "other.example.org; iprev=pass policy.iprev=192.0.2.9"),
              ("X-Iprevd", "accept score=0"),
              ("Authentication-Results", "mx.example.net; spf=fail;\n\tiprev=pass")]
    subject = f"another filter {order}"
    assert smtp.send_message(message(subject, forged)).code == 250
    mail = server.mail.wait(subject)
    ours = "mx.example.net; iprev=pass policy.iprev=127.0.0.15 (127-0-0-15.dsl.isp.example)"
    added = [ours, results] if order == "before" else [results, ours]
    assert mail.all("Authentication-Results") == [
        *added, "other.example.org; iprev=pass policy.iprev=192.0.2.9"]
    assert mail.field("X-Other") == "was here"
    assert len(mail.all("X-Iprevd")) == 1
    assert "checks=ptr-generic" in mail.field("X-Iprevd")
