# SPDX-License-Identifier: BSD-2-Clause
"""iprevd over the milter protocol itself: what no well-behaved mail server would send, too."""

import concurrent.futures
import random
import re
import statistics
import struct
import time

import pytest

import milterclient as mc
import world
from milterclient import MilterClient, MilterError, finish, play

ENFORCE = "mode = enforce\n"
REFUSE_HELO = ENFORCE + 'policy "default" { check helo-invalid { action = reject } }\n'

GOOD = {"client": world.GOOD, "ptr": "mail.good.example", "helo": "mail.good.example"}
BAD = {"client": world.NO_PTR, "helo": "mail.good.example"}

# What RFC 5321 4.5.3.1.5 allows a reply line, with code and CRLF.
REPLY_LINE_MAX = 512


def printable(text):
    return all(32 <= ord(c) < 127 for c in text)


def assert_clean_reply(reply):
    assert printable(reply.text), reply
    assert len(reply.text) <= REPLY_LINE_MAX - 2, reply
    assert re.match(r"[45]\d\d [45]\.7\.\d+ ", reply.text), reply


def assert_well(client):
    """It still judges as it should."""
    assert client.session(**GOOD).verdict == "accept"
    bad = client.session(**BAD)
    assert bad.verdict == "reject" and bad.text.startswith("550 5.7.25 "), bad
    assert client.daemon.alive()


# --- negotiation ---

NEEDED_ACTIONS = mc.ADDHDRS | mc.CHGHDRS | mc.QUARANTINE | mc.SETSYMLIST
NEVER_NEEDED = mc.NOBODY | mc.NOUNKNOWN
# Connect and EHLO never are: Postfix keeps what is not answered back until something is.
SILENT = mc.NR_MAIL | mc.NR_HDR | mc.NR_EOH

TAG_ONLY = ENFORCE + """policy "default" {
    check ptr-missing { action = tag } check ptr-invalid { action = tag }
    check ptr-mismatch { action = tag } check helo-self { action = quarantine }
    check dns-temperror { action = reject percent = 0 } }
"""
RELAYS = 'trusted-relays = {"192.0.2.128/25"}\n'
LISTENER = 'match "partners" { listener = {"partners"} policy = "none" }\n'

AT_CONNECT = "j {client_name} {client_resolve}"
OWN_ADDRESS = " {daemon_addr} {if_addr}"
AT_MAIL = "i {auth_authen} {mail_addr}"

# What each kind of configuration asks of the server: steps left out, steps without an answer, and
# the macros at connect and at MAIL.
NEGOTIATIONS = {
    "rcpt": (ENFORCE, 0, SILENT, AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "mail": (ENFORCE + "stage = mail\n", mc.NORCPT, SILENT & ~mc.NR_MAIL,
             AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "helo": (ENFORCE + "stage = helo\n", mc.NORCPT, SILENT & ~mc.NR_MAIL,
             AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    # EHLO comes too late.
    "connect": (ENFORCE + "stage = connect\n", mc.NOHELO | mc.NORCPT, SILENT,
                AT_CONNECT, AT_MAIL),
    "connect, relays": (ENFORCE + "stage = connect\n" + RELAYS, mc.NOHELO | mc.NORCPT,
                        SILENT, AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "relays": (ENFORCE + RELAYS, 0, SILENT, AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "listener": (ENFORCE + LISTENER, 0, SILENT,
                 AT_CONNECT + " {daemon_name}" + OWN_ADDRESS, AT_MAIL),
    "logins judged": (ENFORCE + "skip-authenticated = false\n", 0, SILENT,
                      AT_CONNECT + OWN_ADDRESS, "i {mail_addr}"),
    # Nobody is refused: nobody waits.
    "monitor": ("mode = monitor\n", 0, SILENT | mc.NR_RCPT, AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "monitor, mail": ("mode = monitor\nstage = mail\n", mc.NORCPT, SILENT | mc.NR_RCPT,
                      AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "tags only": (TAG_ONLY, 0, SILENT | mc.NR_RCPT, AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "tags, and a score refuses": (TAG_ONLY + 'policy "strict" { reject-score = 5.0 }\n', 0, SILENT,
                                  AT_CONNECT + OWN_ADDRESS, AT_MAIL),
    "tags, and an outage defers": (TAG_ONLY + "dns { outage-action = tempfail }\n", 0, SILENT,
                                   AT_CONNECT + OWN_ADDRESS, AT_MAIL),
}


@pytest.mark.parametrize("config, left_out, unanswered, at_connect, at_mail",
                         NEGOTIATIONS.values(), ids=NEGOTIATIONS.keys())
def test_negotiation_asks_only_for_what_is_needed(milter, config, left_out, unanswered, at_connect,
                                                  at_mail):
    own_dns = {"dns": ""} if "dns {" in config else {}
    with milter(config, **own_dns).open() as connection:
        assert connection.version == 6
        assert connection.actions == NEEDED_ACTIONS
        assert connection.steps == NEVER_NEEDED | left_out | unanswered
        asked = {place: connection.macro_lists.get(number)
                 for place, number in mc.MACRO_PLACE.items()}
        # Of steps that are left out nothing is said, and no macro comes with EHLO.
        assert asked == {"C": at_connect.split(), "H": [], "M": at_mail.split(), "R": ["i"],
                         "E": ["i"], "T": None, "N": None}


@pytest.mark.parametrize("config", ["mode = monitor\n", TAG_ONLY], ids=["monitor", "tags only"])
def test_nobody_refused_nobody_waits(milter, config):
    """The recipient is not answered, and what was found out is in the header all the same."""
    client = milter(config)
    with client.open() as connection:
        for who, iprev in ((GOOD, "pass"), (BAD, "permerror"), (GOOD, "pass")):
            result = play(connection, **who)
            assert [reply.kind for _, reply in result.rcpts] == ["noreply"]
            assert not result.refusal
            assert f"iprev={iprev}" in result.field("Authentication-Results")
            connection.quit_new_connection()
        result = play(connection, client="10.1.2.3", rcpts=("a@example.net", "b@example.net"))
        assert not result.refusal and not result.added
    assert client.session(login="alice", **BAD).added == []


def test_session_limit_defers_where_nobody_is_refused(milter):
    client = milter("mode = monitor\nmax-sessions = 1\n")
    with client.open() as first:
        first.connect(world.GOOD)
        result = client.session(**GOOD)
        assert [reply.kind for _, reply in result.rcpts] == ["noreply"]
        assert result.end_of_message.verdict == "tempfail"


@pytest.mark.parametrize("before, after", [("mode = monitor\n", ENFORCE),
                                           (ENFORCE, "mode = monitor\n")],
                         ids=["refuses now", "refuses no more"])
def test_next_client_after_a_reload(milter, before, after):
    """
    QUIT_NC keeps what was negotiated under another configuration: what cannot be said at RCPT then
    is said at the message's end, and nothing is said twice.
    """
    client = milter(before)
    with client.open() as connection:
        play(connection, **GOOD)
        connection.quit_new_connection()
        mark = client.daemon.reload(after)
        client.daemon.wait_log("configuration .* read again", mark)
        client.session(**GOOD)  # a server that negotiates anew
        result = play(connection, **BAD)
        if before == ENFORCE:
            assert result.verdict in ("accept", "tag"), result
        else:
            assert [reply.kind for _, reply in result.rcpts] == ["noreply"]
            assert result.end_of_message.verdict == "tempfail"


@pytest.mark.parametrize("ending", ["Q", "AQ", ""], ids=["quit", "abort and quit", "hang up"])
@pytest.mark.parametrize("stage", ["helo", "mail", "rcpt"])
@pytest.mark.parametrize("kind", ["inet", "unix"])
def test_transaction_without_a_message_is_logged(milter, directory, kind, stage, ending):
    """
    A mail server may send what is not answered together with its end; of that libmilter reads
    nothing over a unix socket, where the end is seen at once.
    """
    listen = f"unix:{directory}/milter" if kind == "unix" else None
    client = milter(f"mode = monitor\nstage = {stage}\n", listen=listen)
    connection = client.open()
    connection.connect(world.NO_PTR)
    if stage != "helo":
        connection.helo("mail.good.example")
    waiting, send = [], connection.send_raw

    def send_late(packet):
        waiting.append(packet)
        if not connection.steps & mc.NOREPLY_FLAG.get(chr(packet[4]), 0):
            send(b"".join(waiting))
            waiting.clear()

    connection.send_raw = send_late
    connection.mail("sender@good.example")
    connection.rcpt("user@example.net")
    send(b"".join(waiting) + b"".join(connection.packet(command) for command in ending))
    connection.close()
    client.daemon.wait_log(r"client=192\.0\.2\.2 .*(checks|undecided)=\S*ptr-missing")


def test_data_is_answered_over_tcp_only(milter, directory):
    """Over TCP the answer is what acknowledges the macros that Postfix sends before it."""
    for listen, skipped in ((None, 0), (f"unix:{directory}/milter", mc.NODATA)):
        with milter(ENFORCE, listen=listen).open() as connection:
            assert connection.steps & (mc.NODATA | mc.NR_DATA) == skipped


@pytest.mark.parametrize("steps", [mc.ALL_STEPS, mc.ALL_STEPS & ~mc.NR_EOH,
                                   mc.ALL_STEPS & ~mc.NODATA, mc.ALL_STEPS & ~mc.NOEOH, 0x7F])
@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt"])
@pytest.mark.parametrize("kind", ["inet", "unix"])
def test_message_without_fields_is_answered(milter, directory, kind, stage, steps):
    """
    libmilter drops the end of a message in silence where it does not expect one: straight after
    DATA, for one.  And a client that is refused stays refused on that connection.
    """
    listen = f"unix:{directory}/milter" if kind == "unix" else None
    client = milter(ENFORCE + f"stage = {stage}\n" +
                    'match "postmaster" { recipient = {"postmaster"} policy = "none" }\n'
                    * (stage == "rcpt"), listen=listen)
    for body in ("text\r\n", ""):
        with client.open(steps=steps) as connection:
            result = play(connection, headers=[], body=body, **GOOD)
            assert result.verdict == "accept"
            assert "iprev=pass" in result.field("Authentication-Results")
        with client.open(steps=steps) as connection:
            assert play(connection, headers=[], body=body, **BAD).verdict == "reject"
            if stage != "rcpt":
                continue
            for recipient, verdict in (("postmaster", "continue"), ("user", "reject")):
                connection.mail("sender@example.org")
                reply = connection.rcpt(f"{recipient}@example.net")
                assert reply.verdict == verdict, reply
                if verdict == "continue":
                    finish(connection, result := mc.Result(), {}, [], body)
                    assert result.verdict == "accept"



@pytest.mark.parametrize("version, actions, steps", [
    (6, mc.ALL_ACTIONS, mc.ALL_STEPS),
    (6, mc.ALL_ACTIONS & ~mc.SETSYMLIST, mc.ALL_STEPS),
    (6, mc.ALL_ACTIONS, 0x7F),
    (2, 0x3F, 0x7F),
], ids=["new", "no lists", "no flags", "version 2"])
@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt"])
def test_older_servers_get_the_same_verdicts(milter, stage, version, actions, steps):
    client = milter(ENFORCE + f"stage = {stage}\n")
    offer = {"version": version, "actions": actions, "steps": steps}
    with client.open(**offer) as connection:
        result = play(connection, **GOOD)
        assert result.verdict == "accept"
        assert "iprev=pass policy.iprev=192.0.2.1" in result.field("Authentication-Results")
    with client.open(**offer) as connection:
        assert play(connection, **BAD).verdict == "reject"


def test_server_that_lets_no_field_be_changed(milter):
    client = milter(ENFORCE)
    with client.open(actions=mc.CHGBODY) as connection:
        result = play(connection, headers=[("X-Iprevd", "forged")], **GOOD)
        assert result.verdict == "accept" and not result.edits
    with client.open(actions=mc.CHGBODY) as connection:
        assert play(connection, **BAD).verdict == "reject"


# --- verdicts ---


def test_own_hosts_are_no_impostors(milter):
    """This machine's own address may use our name; the unit forbids netlink, by which others ask."""
    client = milter(ENFORCE + """local-networks = {}
        policy "default" { check ptr-missing { action = accept } check ptr-mismatch { action = accept }
                           check ptr-invalid { action = accept }
                           check dns-temperror { action = accept } }
        """)
    own = client.session(client="127.0.0.1", helo="mx.example.net")
    assert own.refusal is None, own
    stranger = client.session(client=world.MISMATCH, helo="mx.example.net")
    assert stranger.text.startswith("550 5.7.1 "), stranger


@pytest.mark.parametrize("client, verdict, reply", [
    (world.GOOD, "tag", ""),  # for EHLO is another's
    (world.NO_PTR, "reject", "550 5.7.25 "),
    (world.MISMATCH, "reject", "550 5.7.25 "),
    (world.INVALID, "reject", "550 5.7.25 "),
    (world.BROKEN_PTR, "tempfail", "451 4.7.25 "),
    (world.BROKEN_NAME, "tempfail", "451 4.7.25 "),
    (world.NO_PTR6, "reject", "550 5.7.25 "),
    ("::ffff:192.0.2.2", "reject", "550 5.7.25 "),
    ("127.0.0.1", "accept", ""),
    ("10.1.2.3", "accept", ""),
    ("::ffff:127.0.0.1", "accept", ""),
    ("::1", "accept", ""),
    (None, "accept", ""),
    ("unix:/run/local", "accept", ""),
])
def test_verdicts(milter, client, verdict, reply):
    result = milter(ENFORCE).session(client=client, helo="elsewhere.other.example")
    assert result.verdict == verdict
    assert result.text.startswith(reply)


@pytest.mark.parametrize("shown, value", [
    ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("IPv6:::ffff:192.0.2.1", "192.0.2.1"),
    ("2001:db8::1", "2001:db8::1"), ("IPv6:2001:db8::1", "2001:db8::1"),
    ("IPv6:2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
])
def test_spellings_of_an_address(milter, shown, value):
    result = milter(ENFORCE).session(client=shown, helo="mail.good.example")
    found = result.field("Authentication-Results")
    assert re.search(rf'iprev=pass policy\.iprev="?{re.escape(value)}"? ', found), found


@pytest.mark.parametrize("stage, at", [("connect", "connect"), ("helo", "helo"), ("mail", "mail")])
def test_stage_is_where_the_verdict_is(milter, stage, at):
    result = milter(ENFORCE + f"stage = {stage}\n").session(**BAD)
    assert getattr(result, at).verdict == "reject"
    assert [reply.verdict for reply in result.replies[:-1]] == ["continue"] * (
        len(result.replies) - 1)
    assert result.text.startswith("550 5.7.25 ") or stage == "connect"


def test_stage_rcpt_judges_recipients_one_by_one(milter):
    client = milter(ENFORCE + world.POSTMASTER)
    result = client.session(rcpts=["a@example.net", "postmaster@example.net", "b@example.net"],
                            **BAD)
    assert [reply.verdict for _, reply in result.rcpts] == ["reject", "continue", "reject"]
    assert "iprev=permerror" in result.field("Authentication-Results")


def test_login_counts_for_its_message_only(milter):
    client = milter(ENFORCE)
    assert client.session(login="alice", **BAD).verdict == "accept"
    with client.open() as connection:
        known = {"j": "mx.example.net"}
        connection.connect(world.NO_PTR, macros=known)
        connection.helo("mail.good.example")
        reply = connection.mail("a@good.example", macros={"auth_authen": "alice"})
        assert not reply.refused
        connection.abort()
        connection.mail("a@good.example", macros={"i": "4Abc124"})
        assert connection.rcpt("user@example.net").verdict == "reject"


def test_next_client_on_the_same_connection(milter):
    """
    QUIT_NC: a server may keep a connection for its next client.  (After an early accept libmilter
    itself ignores it, so that is not asked for here.)
    """
    with milter(ENFORCE).open() as connection:
        for _ in range(3):
            result = play(connection, **GOOD)
            assert result.verdict == "accept" and "iprev=pass" in result.field(
                "Authentication-Results")
            connection.quit_new_connection()
            assert play(connection, **BAD).verdict == "reject"
            connection.quit_new_connection()


def test_session_limit_defers(milter):
    client = milter(ENFORCE + "max-sessions = 1\n")
    with client.open() as first:
        first.connect(world.GOOD)
        first.helo("mail.good.example")
        first.mail("a@good.example")
        assert first.rcpt("user@example.net").verdict == "continue"
        second = client.session(**GOOD)
        assert second.verdict == "tempfail"


# --- header fields ---


def test_forged_fields_are_removed_by_their_index(milter):
    fields = [("X-Iprevd", "accept"), ("From", "a@good.example"),
              ("Authentication-Results", "other.example; iprev=pass policy.iprev=192.0.2.9"),
              ("Authentication-Results", "mx.example.net; iprev=pass"),
              ("authentication-results", "mx.example.net; spf=pass"),
              ("AUTHENTICATION-RESULTS", "mx.example.net (comment; x=y) 1; iprev = fail"),
              ("x-IPREVD", "tag")]
    result = milter(ENFORCE).session(headers=fields, **GOOD)
    removed = [(name.lower(), index) for name, index in result.removed]
    assert [index for name, index in removed if name == "x-iprevd"] == [2, 1]
    assert [index for name, index in removed if name == "authentication-results"] == [4, 2]
    # Removed before anything is inserted, or the indices would mean others.
    kinds = [edit.kind for edit in result.edits]
    assert kinds == sorted(kinds, key=["change", "insert", "quarantine"].index)


def test_fields_of_one_message_are_not_the_next_ones(milter):
    client = milter(ENFORCE)
    with client.open() as connection:
        play(connection, headers=[("X-Iprevd", "x")] * 3, **GOOD)
        known = {"j": "mx.example.net"}
        connection.mail("b@good.example", macros=known)
        connection.rcpt("user@example.net", macros=known)
        connection.header("X-Iprevd", "never finished")
        connection.abort()
        connection.mail("c@good.example", macros=known)
        connection.rcpt("user@example.net", macros=known)
        connection.header("Subject", "clean")
        connection.end_of_header()
        reply = connection.end_of_message(macros=known)
        assert [edit.kind for edit in reply.edits] == ["insert"]


def test_thousands_of_forged_fields(milter):
    fields = [("Authentication-Results", "mx.example.net; iprev=pass")] * 3000
    result = milter(ENFORCE).session(headers=fields, **GOOD)
    assert result.verdict == "accept"
    assert sorted(index for _, index in result.removed) == list(range(1, 3001))
    assert len(result.added) == 1


def test_without_macros(milter):
    client = milter(ENFORCE)
    nothing = dict.fromkeys(["j", "daemon_name", "daemon_addr", "v", "_", "client_addr",
                             "client_name", "client_ptr", "client_port", "client_resolve", "i"])
    with client.open() as connection:
        connection.wanted_macros = lambda command, macros: {}
        result = play(connection, macros=nothing, **GOOD)
        assert result.verdict == "accept"
        assert "iprev=pass" in result.field("Authentication-Results")
    with client.open() as connection:
        connection.wanted_macros = lambda command, macros: {}
        assert play(connection, macros=nothing, **BAD).verdict == "reject"


# --- hostile text ---

TEXTS = {
    "control": "a\x01\x02\x1b[31m\x7f.example",
    "crlf": "a.example\r\nRCPT TO:<x@y>\r\nX: y",
    "8-bit": "m\xfcll\xff\xfe.example",
    "utf-8 overlong": "\xc0\xaf\xed\xa0\x80.example",
    "long": "a" * 5000,
    "long labels": ".".join(["a" * 63] * 80),
    "many dots": "." * 5000,
    "quotes": 'a"b\\"c\'d`e" action=accept x="',
    "percent": "%s%n%d%%%{client}%x.example",
    "comment": "(((((((" + ")" * 3,
    "header": "x\n\tfolded: yes",
    "spaces": " a b  c ",
    "empty": "",
    "literal": "[IPv6:::::::::::]",
    "literal open": "[192.0.2.1",
    "literal long": "[" + "1." * 3000 + "]",
    "tag": "[x-unknown-tag:" + "%" * 600 + "]",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_hostile_helo(milter, text):
    client = milter(REFUSE_HELO)
    result = client.session(client=world.NO_PTR, helo=text)
    assert result.verdict == "reject"
    assert_clean_reply(result.refusal)
    refusal = client.session(client=world.GOOD, ptr="mail.good.example", helo=text)
    if refusal.refusal:
        assert_clean_reply(refusal.refusal)
        assert refusal.text.startswith("550 5.7.1 ")
    else:
        assert all(printable(value.replace("\n", " ").replace("\t", " "))
                   for _, value in refusal.added)
    assert_log_is_clean(client.daemon, 2)


def assert_log_is_clean(daemon, decisions):
    daemon.wait_log(rf"(?s)(client=.*?\n){{{decisions}}}")
    lines = [line for line in daemon.log.split("\n") if line.startswith("client=")
             or " client=" in line]
    assert len(lines) == decisions, daemon.log
    for line in lines:
        assert printable(line), line
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
        assert len(re.findall(r"(?:^| )action=", bare)) == 1, line


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_hostile_envelope(milter, text):
    client = milter(ENFORCE)
    for who in (GOOD, BAD):
        result = client.session(sender=f"{text}@{text}", rcpts=[f"{text}@example.net"], **who)
        assert result.verdict == ("accept" if who is GOOD else "reject")
        if result.refusal:
            assert_clean_reply(result.refusal)
    assert_log_is_clean(client.daemon, 2)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_hostile_macros(milter, text):
    client = milter(ENFORCE)
    macros = {name: text for name in ("j", "i", "daemon_name", "daemon_addr", "if_addr",
                                      "client_name", "client_ptr", "client_resolve")}
    result = client.session(macros=macros, **GOOD)
    assert result.verdict == "accept"
    for name, value in result.added:
        assert printable(value.replace("\n", " ").replace("\t", " ")), (name, value)
        assert len(value) < 998
    assert client.session(macros=macros, **BAD).verdict == "reject"
    assert_log_is_clean(client.daemon, 2)


def test_hostile_ptr(milter):
    client = milter(ENFORCE)
    result = client.session(client=world.HOSTILE, helo="mail.good.example")
    assert result.verdict == "reject"
    assert_clean_reply(result.refusal)
    assert_log_is_clean(client.daemon, 1)
    client = milter("mode = monitor\n")
    result = client.session(client=world.HOSTILE, helo="mail.good.example")
    assert result.verdict == "accept"
    assert all(printable(value.replace("\n", " ").replace("\t", " "))
               for _, value in result.added), result.added


def test_percent_signs_arrive_as_they_are(milter):
    client = milter(REFUSE_HELO)
    result = client.session(client=world.GOOD, helo="100%s%.example")
    assert "100%s%.example" in result.text, result


def test_hostile_header_fields(milter):
    fields = [("Authentication-Results", text) for text in TEXTS.values()]
    fields += [(text.replace("\0", "") or "x", "mx.example.net; iprev=pass") for text in
               TEXTS.values()]
    fields += [("Authentication-Results", "mx.example.net;" + "(" * 60000 + "iprev=pass")]
    result = milter(ENFORCE).session(headers=fields, **GOOD)
    assert result.verdict == "accept"
    # What names us and speaks of iprev, however broken, does not stay.
    assert ("Authentication-Results", len(TEXTS) + 1) in result.removed


# --- hostile order, hostile bytes ---


def random_session(connection, rng):
    """Events in no order: libmilter may hang up on them, iprevd may not mind."""
    events = {
        "connect": lambda: connection.connect(rng.choice([world.GOOD, world.NO_PTR, None])),
        "helo": lambda: connection.helo(rng.choice(["mail.good.example", "", "\xff"])),
        "mail": lambda: connection.mail("a@good.example"),
        "rcpt": lambda: connection.rcpt("user@example.net"),
        "data": connection.data,
        "header": lambda: connection.header("Authentication-Results", "mx.example.net; iprev=pass"),
        "eoh": connection.end_of_header,
        "body": lambda: connection.body("x"),
        "eom": connection.end_of_message,
        "unknown": lambda: connection.unknown("XYZZY"),
        "abort": connection.abort,
        "next": connection.quit_new_connection,
    }
    for name in rng.choices(list(events), k=rng.randint(1, 25)):
        events[name]()


@pytest.mark.parametrize("stage", ["connect", "helo", "mail", "rcpt"])
def test_events_in_any_order(milter, stage):
    client = milter(ENFORCE + f"stage = {stage}\n")
    rng = random.Random(stage)
    for _ in range(60):
        # An old server sends every event; no answer is waited for.
        connection = client.open(steps=rng.choice([mc.NOBODY, mc.ALL_STEPS]))
        connection.read_reply = lambda: mc.NOREPLY
        try:
            random_session(connection, rng)
        except OSError:
            pass  # hung up
        finally:
            connection.close()
    assert client.daemon.alive()
    assert client.session(**GOOD).verdict == "accept"
    assert client.session(**BAD).verdict == "reject"


def test_hanging_up_anywhere(milter):
    """Every prefix of a session, ended properly, abruptly and with a reset."""
    client = milter(ENFORCE)
    steps = [lambda c: c.connect(world.GOOD, "mail.good.example", macros={"j": "mx"}),
             lambda c: c.helo("mail.good.example"), lambda c: c.mail("a@good.example"),
             lambda c: c.rcpt("user@example.net"), lambda c: c.data(),
             lambda c: c.header("X-Iprevd", "x"), lambda c: c.end_of_header(),
             lambda c: c.send_packet("E")]
    for length in range(len(steps) + 1):
        for end in ("quit", "close", "reset"):
            connection = client.open()
            for step in steps[:length]:
                step(connection)
            getattr(connection, end)()
    assert_well(client)


def test_hanging_up_inside_packets(milter):
    client = milter(ENFORCE)
    negotiation = mc.MilterConnection.packet(
        "O", struct.pack("!III", 6, mc.ALL_ACTIONS, mc.ALL_STEPS))
    for length in range(len(negotiation)):
        connection = client.open(negotiate=False)
        connection.send_raw(negotiation[:length])
        connection.close()
    connect = mc.MilterConnection.packet("C", b"mail\x004\x00\x19192.0.2.1\x00")
    for length in range(len(connect)):
        connection = client.open()
        connection.send_raw(connect[:length])
        connection.close()
    assert_well(client)


RAW = {
    "huge length": b"\xff\xff\xff\xffC",
    "large length": b"\x7f\xff\xff\xffO",
    "length zero": b"\0\0\0\0" * 10,
    "unknown command": b"\0\0\0\x01?\0\0\0\x05zabcd",
    "http": b"GET / HTTP/1.1\r\nHost: iprevd\r\n\r\n",
    "no NUL": b"\0\0\0\x05Cabcd",
    "connect cut": b"\0\0\0\x06C\x004\0\x19\0",
    "connect without address": b"\0\0\0\x05Cx\x004\0",
    "connect bad family": b"\0\0\0\x0cCx\0Z\0\x191.2.3\0",
    "connect bad address": b"\0\0\0\x0eCx\x004\0\x199.9.9.999\0",
    "connect long address": b"\0\0\x04\x09Cx\x006\0\x19" + b"1:" * 512 + b"\0\0\0",
    "macros cut": b"\0\0\0\x06DCj\0xx",
    "macros odd": b"\0\0\0\x09DCj\0a\0{b\0",
    "macros empty": b"\0\0\0\x01D",
    "mail empty": b"\0\0\0\x01M",
    "mail no NUL": b"\0\0\0\x03Mab",
    "rcpt NULs": b"\0\0\0\x06R\0\0\0\0\0",
    "helo empty": b"\0\0\0\x01H",
    "header cut": b"\0\0\0\x03La\0",
    "header empty": b"\0\0\0\x03L\0\0",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW.keys())
@pytest.mark.parametrize("negotiate", [True, False], ids=["negotiated", "first"])
def test_raw_bytes(milter, raw, negotiate):
    client = milter(ENFORCE)
    connection = client.open(negotiate=negotiate)
    connection.send_raw(raw)
    connection.close()
    for before in ([], ["connect"], ["connect", "helo", "mail"]):
        connection = client.open()
        arguments = {"connect": [world.NO_PTR], "helo": ["x.example"], "mail": ["a@x.example"]}
        try:
            for event in before:
                getattr(connection, event)(*arguments[event])
            connection.send_raw(raw)
            connection.quit()
        except (OSError, MilterError):
            connection.close()
    assert_well(client)


@pytest.mark.parametrize("data", [b"", b"\0" * 3, struct.pack("!III", 0, 0, 0),
                                  struct.pack("!III", 1, 1, 1),
                                  struct.pack("!III", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
                                  struct.pack("!III", 6, 0, 0) + b"x" * 1000])
def test_odd_negotiation(milter, data):
    client = milter(ENFORCE)
    connection = client.open(negotiate=False)
    connection.send_packet("O", data)
    connection.send_packet("Q")
    connection.close()
    assert_well(client)


def test_random_bytes(milter):
    client = milter(ENFORCE)
    rng = random.Random(8601)
    for _ in range(100):
        connection = client.open(negotiate=rng.random() < 0.8)
        try:
            for _ in range(rng.randint(1, 6)):
                body = rng.randbytes(rng.randint(0, 40))
                connection.send_packet(rng.choice("OCHMRTLNBEADUKQ?"), body)
        except OSError:
            pass
        connection.close()
    assert_well(client)


# --- many at once, and how fast ---


def test_many_sessions_side_by_side(milter):
    client = milter(ENFORCE)
    expected = [(GOOD, "accept"), (BAD, "reject"),
                ({"client": world.BROKEN_PTR, "helo": "mail.good.example"}, "tempfail"),
                ({"client": world.GENERIC, "helo": "192-0-2-5.dsl.isp.example"}, "tag"),
                ({"client": world.GOOD6, "helo": "mail6.good.example"}, "accept")]

    def one(number):
        who, verdict = expected[number % len(expected)]
        return client.session(**who).verdict == verdict

    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        assert all(pool.map(one, range(600)))


def test_many_open_sessions(milter):
    client = milter(ENFORCE)
    connections = [client.open() for _ in range(300)]
    for connection in connections:
        connection.connect(world.NO_PTR)
        connection.helo("mail.good.example")
    for connection in reversed(connections):
        connection.mail("a@good.example")
        assert connection.rcpt("user@example.net").verdict == "reject"
    for connection in connections:
        connection.quit()
    assert_well(client)


# Nagle's algorithm against delayed acknowledgements costs 40 ms, some hundred times a session.
STALL_RATIO = 10
TIMED_MESSAGES = 101


def message_seconds(spec):
    """Median time from end of message to the answer that inserts a field."""
    taken = []
    with MilterClient(spec).open() as connection:
        for _ in range(TIMED_MESSAGES):
            begun = time.perf_counter()
            result = play(connection, **GOOD)
            taken.append(time.perf_counter() - begun)
            assert result.field("Authentication-Results")
            connection.quit_new_connection()
    return statistics.median(taken)


def test_no_nagle_stall_on_inet(start_iprevd, directory):
    inet = start_iprevd(ENFORCE)
    unix = start_iprevd(ENFORCE, listen=f"unix:{directory}/socket")
    ratio = message_seconds(inet.spec) / message_seconds(unix.spec)
    assert ratio < STALL_RATIO, f"inet takes {ratio:.1f} times as long as unix"


def test_all_clients_local_is_worth_a_word(milter):
    """As behind a proxy or NAT that hides their addresses: once, and not where there is another."""
    words = "all of the first 200 clients are in local-networks"
    client = milter("mode = monitor\n")
    for _ in range(250):
        with client.open() as connection:
            connection.connect("192.168.176.1")
    client.daemon.wait_log(words)
    assert client.daemon.log.count(words) == 1
    client = milter("mode = monitor\n")
    client.session(client="192.0.2.1")
    for _ in range(250):
        with client.open() as connection:
            connection.connect("192.168.176.1")
    assert words not in client.daemon.log
