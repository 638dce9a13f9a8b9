# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl replay: recorded traffic of every format, compressed or not, whole or hostile."""

import gzip
import json
import lzma
import os
import pty
import re
import subprocess

import pytest

import daemon
import world

CONF = 'mode = enforce\nown-names = {"mx.example.net"}\n'

POSTFIX = """\
Nov 14 10:00:00 mx postfix/smtpd[7]: connect from mail.debian.org[192.0.2.1]
Nov 14 10:00:01 mx postfix/smtpd[7]: 4F1A2B: client=mail.debian.org[192.0.2.1]
Nov 14 10:00:01 mx postfix/qmgr[9]: 4F1A2B: from=<u@debian.org>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:02 mx postfix/smtpd[8]: 4F1A2C: client=unknown[198.51.100.7]
Nov 14 10:00:02 mx postfix/qmgr[9]: 4F1A2C: from=<u@kernel.org>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:03 mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[198.51.100.8]: 550 5.7.25 \
no; from=<a@gnu.org> to=<b@example.net> proto=ESMTP helo=<h.gnu.org>
Nov 14 10:00:04 mx postfix/smtpd[7]: 4F1A2D: client=localhost[127.0.0.1]
Nov 14 10:00:05 mx postfix/smtpd[7]: 4F1A2E: client=a.example[203.0.113.9], sasl_method=PLAIN, \
sasl_username=u
"""

SENDMAIL = """\
Nov 14 10:00:01 mx sm-mta[7]: 3AB1C2D3012345: from=<u@debian.org>, size=10, class=0, nrcpts=1, \
proto=ESMTP, daemon=MTA, relay=mail.debian.org [192.0.2.1]
Nov 14 10:00:02 mx sm-mta[7]: 3AB1C2D3012346: Milter: to=<v@b>, reject=550 5.7.25 no
Nov 14 10:00:02 mx sm-mta[7]: 3AB1C2D3012346: from=<u@gnu.org>, size=0, class=0, nrcpts=0, \
proto=ESMTP, daemon=MTA, relay=[198.51.100.8]
"""

MESSAGE = """\
Return-Path: <u@debian.org>
Received: from lists.debian.org (mail.debian.org [192.0.2.1]) by mx.example.net (Postfix)
\twith ESMTP id 1; Sat, 14 Nov 2026 10:00:00 +0100
Subject: x

body
"""

TRIPLES = """\
# address EHLO PTR
192.0.2.1 lists.debian.org mail.debian.org
198.51.100.7 h.gnu.org -
"""


class Replay:
    """Runs of iprevctl replay in a directory of their own."""

    def __init__(self, directory):
        self.directory = directory
        self.conf = directory / "iprevd.conf"
        self.conf.write_text(CONF)

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *args, status=0, stdin=None):
        done = subprocess.run(
            [str(daemon.program("iprevctl")), "replay", "-c", str(self.conf), *map(str, args)],
            input=stdin, capture_output=True, timeout=120)
        self.stderr = done.stderr.decode()
        assert "Sanitizer" not in self.stderr and "runtime error" not in self.stderr, self.stderr
        assert done.returncode == status, (done.returncode, self.stderr)
        return done.stdout.decode()

    def objects(self, *args, **kw):
        return [json.loads(line) for line in self.run("--json", *args, **kw).splitlines()]

    def sums(self, *args, **kw):
        return json.loads(self.run("--json", "--summary", *args, **kw))


@pytest.fixture
def replay(directory):
    return Replay(directory)


def short(objects):
    return [(o["client"], o["ptr"], o["logged"], o["would"]) for o in objects]


WANT_POSTFIX = [("192.0.2.1", "mail.debian.org", "accepted", "accept"),
                ("198.51.100.7", None, "accepted", "reject"),
                ("198.51.100.8", None, "refused", "reject")]
WANT_SENDMAIL = [("192.0.2.1", "mail.debian.org", "accepted", "accept"),
                 ("198.51.100.8", None, "refused", "reject")]
WANT_MESSAGE = [("192.0.2.1", "mail.debian.org", "accepted", "accept")]
WANT_TRIPLES = [("192.0.2.1", "mail.debian.org", "unknown", "accept"),
                ("198.51.100.7", None, "unknown", "reject")]


def test_what_would_be_done_is_explained(replay):
    """Not what is done now: a monitored check is told before one that only tags."""
    replay.conf.write_text(CONF + 'policy "default" { check ptr-missing { monitor = true } }\n')
    path = replay.file("recorded", "198.51.100.7 no_name -\n")
    assert "reject     unknown  198.51.100.7    ptr-missing: 198.51.100.7 has no PTR" in replay.run(
        "--no-dns", path)
    sums = replay.sums("--no-dns", path)
    assert sums["checks"]["ptr-missing"]["decides"] == 1
    assert sums["checks"]["helo-invalid"]["decides"] == 0
    assert "    198.51.100.7 has no PTR record" in replay.run("--no-dns", "--summary", path)


@pytest.mark.parametrize("form, content, want", [
    ("postfix", POSTFIX, WANT_POSTFIX),
    ("sendmail", SENDMAIL, WANT_SENDMAIL),
    ("mbox", "From u@debian.org Sat Nov 14 10:00:00 2026\n" + MESSAGE, WANT_MESSAGE),
    ("mbox", MESSAGE, WANT_MESSAGE),
    ("triples", TRIPLES, WANT_TRIPLES),
], ids=["postfix", "sendmail", "mbox", "message", "triples"])
def test_formats(replay, form, content, want):
    path = replay.file("recorded", content)
    assert short(replay.objects("--no-dns", path)) == want
    assert short(replay.objects("--no-dns", "--format", form, path)) == want
    assert short(replay.objects("--no-dns", "-", stdin=content.encode())) == want


def test_maildir(replay):
    for folder in ("cur", "new", "tmp"):
        (replay.directory / "Maildir" / folder).mkdir(parents=True)
    replay.file("Maildir/cur/1.a:2,S", MESSAGE)
    replay.file("Maildir/new/2.b", MESSAGE.replace("192.0.2.1", "192.0.2.2"))
    replay.file("Maildir/tmp/3.c", MESSAGE)
    for extra in ([], ["--format", "maildir"]):
        got = replay.objects("--no-dns", *extra, replay.directory / "Maildir")
        assert [o["client"] for o in got] == ["192.0.2.1", "192.0.2.2"]
        assert got[0]["file"].endswith("Maildir/cur/1.a:2,S")


def test_one_of_each_is_not_many(replay):
    text = replay.run("--no-dns", replay.file("log", "".join(POSTFIX.splitlines(True)[1:3]) + "nothing known\n"))
    assert text.splitlines()[3].startswith("1 attempt in 3 lines of 1 file, ")
    assert "Passed over: 1 line of no known form." in text and "1 of 3 lines is in no form" in replay.stderr


def test_a_directory_that_is_no_maildir(replay):
    (replay.directory / "other").mkdir()
    replay.run("--no-dns", replay.directory / "other", status=65)
    assert "not a Maildir" in replay.stderr


def compress(tool, content):
    if tool == "gzip":
        return gzip.compress(content)
    if tool == "xz":
        return lzma.compress(content)
    return subprocess.run(["zstd", "-c"], input=content, capture_output=True, check=True).stdout


@pytest.mark.parametrize("tool", ["gzip", "xz", "zstd"])
def test_compressed(replay, tool):
    path = replay.file("mail.log.1", compress(tool, POSTFIX.encode()))
    assert short(replay.objects("--no-dns", path)) == WANT_POSTFIX


def journal(fields):
    out = b""
    for key, value in fields.items():
        if isinstance(value, bytes):
            out += key.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
        else:
            out += f"{key}={value}\n".encode()
    return out + b"\n"


def test_journal_export(replay):
    records = journal({"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1794650400000000",
                       "SYSLOG_IDENTIFIER": "postfix/smtpd", "_PID": "7",
                       "MESSAGE": "4F1A2B: client=mail.debian.org[192.0.2.1]"})
    records += journal({"__CURSOR": "s=2", "SYSLOG_IDENTIFIER": "postfix/qmgr",
                        "MESSAGE": b"4F1A2B: from=<u@debian.org>, size=1\nMESSAGE=odd"})
    [got] = replay.objects("--no-dns", replay.file("export", records))
    assert got["client"] == "192.0.2.1" and got["logged"] == "accepted"
    assert got["time"] == "2026-11-14T10:00:00Z"


CHECK_ONLY = {"host", "mx_of", "passed_over", "exemption", "unconfirmed", "ptr_aliases", "advice", "source",
              "smtp", "authority"}


def test_keys_are_those_of_check(replay):
    path = replay.file("triples", TRIPLES)
    checked = json.loads(subprocess.run(
        [str(daemon.program("iprevctl")), "check", "--json", "-c", str(world_conf(replay)), "192.0.2.1"],
        capture_output=True, check=False).stdout)
    for got in replay.objects("--no-dns", path):
        assert set(got) == set(checked) - CHECK_ONLY | {"file", "line", "logged"}


def world_conf(replay):
    zone = replay.file("zone", world.ZONE)
    path = replay.directory / "zone.conf"
    path.write_text(CONF + f'dns {{ zone-file = "{zone}" }}\n')
    return path


def test_with_lookups(replay):
    """The recorded PTR does not count when the DNS is asked; order and number stay."""
    zone = replay.file("zone", "$ORIGIN .\n"
                       "1.2.0.192.in-addr.arpa. 60 IN PTR mail.debian.org.\n"
                       "mail.debian.org. 60 IN A 192.0.2.1\n"
                       "lists.debian.org. 60 IN A 192.0.2.1\n")
    replay.conf.write_text(CONF + f'dns {{ zone-file = "{zone}" }}\n')
    lines = "".join(f"192.0.2.{1 + i % 200} lists.debian.org wrong.example\n" for i in range(1000))
    got = replay.objects(replay.file("triples", lines), "--rate", "100000")
    assert [o["line"] for o in got] == list(range(1, 1001))
    assert {o["ptr"] for o in got if o["client"] == "192.0.2.1"} == {"mail.debian.org"}
    assert {o["would"] for o in got if o["client"] == "192.0.2.1"} == {"accept"}
    assert {o["would"] for o in got if o["client"] != "192.0.2.1"} == {"reject"}


def test_summary(replay):
    path = replay.file("mail.log", POSTFIX)
    sums = replay.sums("--no-dns", path)
    assert sums["attempts"] == 3
    assert sums["enforced"]["reject"] == {"attempts": 2, "accepted": 1, "deferred": 0, "refused": 1,
                                          "unknown": 0}
    assert sums["not_judged"] == {"local": 1, "authenticated": 1, "relay": 0, "unrecorded": 0,
                                  "failed": 0}
    assert sums["checks"]["ptr-missing"] == {"true": 2, "alone": 1, "decides": 2}
    assert [d["domain"] for d in sums["domains"]] == ["gnu.org", "kernel.org"]
    text = replay.run("--no-dns", "--summary", path)
    assert max(map(len, text.splitlines())) <= 80
    assert "Not judged: 1 authenticated." in text
    table = replay.run("--no-dns", path)
    assert "reject     accepted 198.51.100.7    ptr-missing: 198.51.100.7 has no PTR" in table


SENT = """\
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B01: to=<x@lists.kernel.org>, relay=mx.kernel.org[192.0.2.99]:25, \
delay=1, dsn=2.0.0, status=sent (250 Ok)
Nov 14 10:00:06 mx postfix/qmgr[9]: 4F1B02: from=<>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B02: to=<a@gnu.org>, relay=mx.gnu.org[192.0.2.98]:25, delay=1, \
dsn=2.0.0, status=sent (250 Ok)
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B03: to=<b@gnu.org>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, \
dsn=2.0.0, status=sent (250 Ok)
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B04: to=<c@gnu.org>, relay=mx.gnu.org[192.0.2.98]:25, delay=1, \
dsn=4.0.0, status=deferred (host mx.gnu.org said: 451 later, status=sent (250 Ok))
"""
FORWARDED = """\
Nov 14 10:00:06 mx postfix/smtpd[8]: 4F1B05: client=mail.gnu.org[192.0.2.97]
Nov 14 10:00:06 mx postfix/qmgr[9]: 4F1B05: from=<u@gnu.org>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:06 mx postfix/qmgr[9]: 4F1B05: from=<u@gnu.org>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B05: to=<u@gnu.org>, orig_to=<u@example.net>, \
relay=mx.gnu.org[192.0.2.98]:25, delay=1, dsn=2.0.0, status=sent (250 Ok)
Nov 14 10:00:06 mx postfix/qmgr[9]: 4F1B05: removed
"""
FORWARDED_SENDMAIL = """\
Nov 14 10:00:06 mx sm-mta[5]: 3AB1C2D3012351: from=<u@gnu.org>, size=1, class=0, nrcpts=1, proto=ESMTP, \
daemon=MTA, relay=mail.gnu.org [192.0.2.97]
Nov 14 10:00:06 mx sm-mta[5]: 3AB1C2D3012351: to=<u@gnu.org>, delay=00:00:01, mailer=esmtp, pri=1, \
relay=mx.gnu.org. [192.0.2.98], dsn=2.0.0, stat=Sent (Ok)
"""
LOGGED_IN = """\
Nov 14 10:00:06 mx postfix/smtpd[8]: 4F1B06: client=dsl.isp.example[192.0.2.96], sasl_method=PLAIN, sasl_username=u
Nov 14 10:00:06 mx postfix/qmgr[9]: 4F1B06: from=<u@example.net>, size=100, nrcpt=1 (queue active)
Nov 14 10:00:06 mx postfix/smtp[5]: 4F1B06: to=<x@lists.kernel.org>, relay=mx.kernel.org[192.0.2.99]:25, \
delay=1, dsn=2.0.0, status=sent (250 Ok)
"""
SENT_SENDMAIL = """\
Nov 14 10:00:06 mx sm-mta[5]: 3AB1C2D3012350: to=<y@example.com>,<x@lists.kernel.org>, ctladdr=<u@example.net>, \
delay=00:00:01, mailer=esmtp, pri=1, relay=mx.kernel.org. [192.0.2.99], dsn=2.0.0, stat=Sent (Ok)
"""


@pytest.mark.parametrize("sent", [SENT + FORWARDED, SENT_SENDMAIL + FORWARDED_SENDMAIL, LOGGED_IN],
                         ids=["postfix", "sendmail", "logged in"])
def test_correspondents_come_first(replay, sent):
    """
    Own users wrote to kernel.org.  A bounce, a filter, a deferred message and a stranger's mail that
    is forwarded make no correspondent.
    """
    path = replay.file("mail.log", POSTFIX + sent)
    sums = replay.sums("--no-dns", path)
    assert [(d["domain"], d["correspondent"]) for d in sums["domains"]] == [
        ("kernel.org", True), ("gnu.org", False)]
    assert sums["correspondents"] == 1
    text = replay.run("--no-dns", "--summary", path)
    assert re.search(r"^\* kernel\.org .*\n.*\n^gnu\.org ", text, re.M)
    assert "Users of this site wrote to 1 of these domains" in text


def test_monitor_shows_what_would_be(replay):
    replay.conf.write_text(CONF.replace("enforce", "monitor"))
    sums = replay.sums("--no-dns", replay.file("mail.log", POSTFIX))
    assert sums["enforced"]["reject"]["attempts"] == 2
    assert sums["now"]["accept"] == 3
    assert "As configured now" in replay.run("--no-dns", "--summary", replay.directory / "mail.log")


def test_policy(replay):
    replay.conf.write_text(CONF + 'policy "lenient" { check ptr-missing { action = tag } }\n'
                           'match "all" { client = {"198.51.100.0/24"}  policy = "none" }\n')
    path = replay.file("triples", TRIPLES)
    assert [o["would"] for o in replay.objects("--no-dns", path)] == ["accept", "accept"]
    got = replay.objects("--no-dns", "--policy", "lenient", path)
    assert [(o["policy"], o["would"]) for o in got] == [("lenient", "accept"), ("lenient", "tag")]
    got = replay.objects("--no-dns", "--policy", "default", path)
    assert [o["would"] for o in got] == ["accept", "reject"]
    replay.run("--no-dns", "--policy", "nope", path, status=64)
    assert 'no policy "nope"' in replay.stderr


OTHER = CONF + """policy "default" {
    check ptr-missing { action = tag }
    check helo-disagrees { action = reject }
    check dns-temperror { monitor = true }
}
match "partner" { ptr = {".kernel.org"}  policy = "none" }
"""
COMPARED = """\
192.0.2.1 lists.debian.org mail.debian.org
192.0.2.2 lists.gnu.org mail.debian.org
198.51.100.7 h.gnu.org -
198.51.100.8 -  -
192.0.2.3 host-192-0-2-3.kernel.org host-192-0-2-3.kernel.org
"""


@pytest.fixture
def compare(replay):
    """Call it with the second configuration, files and options."""
    def run(other, *args, **kw):
        path = replay.directory / "other.conf"
        path.write_text(other)
        return replay.run("--no-dns", "--compare", path, *args, **kw)
    return run


def test_compare(replay, compare):
    """Who is on another side with the other configuration, by check and domain."""
    path = replay.file("triples", COMPARED)
    rows = [line.split()[:4] for line in compare(OTHER, path).splitlines()[:5]]
    assert rows == [["POLICY", "OTHER", "LOGGED", "CLIENT"], ["tag", "reject", "unknown", "192.0.2.2"],
                    ["reject", "tag", "unknown", "198.51.100.8"], ["tag", "accept", "unknown", "192.0.2.3"], []]
    lines = [json.loads(line) for line in compare(OTHER, "--json", path).splitlines()]
    assert [(o["client"], o["before"]["would"], o["after"]["would"]) for o in lines] == [
        ("192.0.2.2", "tag", "reject"), ("198.51.100.8", "reject", "tag"), ("192.0.2.3", "tag", "accept")]
    assert lines[0]["checks"] == lines[0]["after"]["checks"] == ["helo-disagrees"]
    assert lines[2]["after"]["match"] == "partner" and lines[2]["after"]["policy"] == "none"
    sums = json.loads(compare(OTHER, "--summary", "--json", path))["compared"]
    assert (sums["attempts"], sums["changes"], sums["changes_now"]) == (5, 3, 3)
    assert (sums["stopped"], sums["passed"], sums["stricter"], sums["milder"]) == (1, 1, 0, 1)
    assert sums["actions"]["tag"]["reject"] == 1 and sums["actions"]["reject"]["tag"] == 1
    assert sums["checks"]["helo-disagrees"]["stopped"] == 1
    assert sums["checks"]["ptr-missing"]["passed"] == 1 and sums["checks"]["ptr-generic"]["milder"] == 1
    assert [d["domain"] for d in sums["domains"]] == ["debian.org", "198.51.100.0/24", "kernel.org"]
    assert sums["domains"][0]["example_after"] == "reject"
    text = compare(OTHER, "--summary", path)
    assert all(len(line) <= 80 or line.startswith("Compared with /") for line in text.splitlines())
    assert "1 more would be deferred or refused, 1 no longer." in text
    assert re.search(r"^helo-disagrees +1 +- +- +-$", text, re.M)
    assert re.search(r"^debian.org +1 +- +- +-\n    tag to reject: EHLO lists.gnu.org does not fit 192", text, re.M)


def test_compare_with_itself(replay, compare):
    path = replay.file("triples", COMPARED)
    assert compare(CONF, "--json", path) == ""
    assert "0 of 5 attempts change" in compare(CONF, "--summary", path)


def test_compare_by_what_is_enforced(replay, compare):
    """Monitor mode changes what is done, and not what would be."""
    path = replay.file("triples", COMPARED)
    sums = json.loads(compare(CONF.replace("enforce", "monitor"), "--summary", "--json", path))["compared"]
    assert (sums["changes"], sums["changes_now"]) == (0, 4)


def test_compare_who_is_left_alone(replay, compare):
    """Clients that only one of the two judges."""
    path = replay.file("triples", COMPARED)
    network = CONF + 'local-networks = {"198.51.100.0/24"}\n'
    [one, two] = [json.loads(line) for line in compare(network, "--json", path).splitlines()]
    assert one["client"] == "198.51.100.7" and one["after"] is None and one["before"]["would"] == "reject"
    replay.conf.write_text(network)
    [one, two] = [json.loads(line) for line in compare(CONF, "--json", path).splitlines()]
    assert two["client"] == "198.51.100.8" and two["before"] is None and two["after"]["would"] == "reject"


def test_compare_own_names(replay, compare):
    path = replay.file("triples", "192.0.2.1 mx.example.net mail.debian.org\n")
    other = CONF.replace('"mx.example.net"', '"mx2.example.net"')
    [line] = compare(other, "--json", path).splitlines()
    assert json.loads(line)["checks"][0] == "helo-self" and "helo-self" not in json.loads(line)["after"]["checks"]


def test_compare_correspondents_come_first(replay, compare):
    path = replay.file("mail.log", POSTFIX + SENT)
    lenient = CONF + 'policy "default" { check ptr-missing { action = tag } }\n'
    sums = json.loads(compare(lenient, "--summary", "--json", path))["compared"]
    assert [(d["domain"], d["correspondent"]) for d in sums["domains"]] == [
        ("kernel.org", True), ("gnu.org", False)]
    assert re.search(r"^\* kernel\.org ", compare(lenient, "--summary", path), re.M)


def test_compare_with_lookups(replay, compare):
    text = world_conf(replay).read_text()
    replay.conf.write_text(text)
    other = text + 'policy "default" { check ptr-missing { action = tag } }\n'
    path = replay.directory / "other.conf"
    path.write_text(other)
    log = replay.file("triples", f"{world.NO_PTR} mail.good.example -\n")
    [line] = replay.run("--compare", path, "--json", log).splitlines()
    assert json.loads(line)["before"]["would"] == "reject" and json.loads(line)["after"]["would"] == "tag"


def test_compare_that_cannot_be(replay, compare):
    path = replay.file("triples", COMPARED)
    compare("mode = soft\n", path, status=78)
    assert "other.conf:1" in replay.stderr
    compare(CONF, "--policy", "nope", path, status=64)
    replay.conf.write_text(CONF + 'policy "lenient" { check ptr-missing { action = tag } }\n')
    compare(CONF, "--policy", "lenient", path, status=64)
    assert 'no policy "lenient" in ' in replay.stderr and "other.conf" in replay.stderr
    got = compare(CONF + 'policy "lenient" { check ptr-missing { action = reject } }\n', "--policy",
                  "lenient", "--json", path).splitlines()
    assert [json.loads(line)["client"] for line in got] == ["198.51.100.7", "198.51.100.8"]


def test_own_names_count(replay):
    path = replay.file("triples", "192.0.2.1 mx.example.net mail.debian.org\n")
    [got] = replay.objects("--no-dns", path)
    assert got["would"] == "reject" and "helo-self" in got["checks"]


# --- hostile files: the place is named, what came before is not lost -----------------------------


def test_truncated_gzip(replay):
    lines = "".join(f"192.0.2.{i % 250} h{i}.example ptr{i * 7919}.example\n" for i in range(50000))
    whole = gzip.compress(lines.encode())
    path = replay.file("cut.gz", whole[:len(whole) // 2])
    got = replay.objects("--no-dns", path, status=65)
    assert 10000 < len(got) < 50000
    assert f"cut.gz:{len(got) + 1}: " in replay.stderr


def test_broken_gzip(replay):
    whole = bytearray(gzip.compress(POSTFIX.encode() * 1000))
    whole[len(whole) // 2:] = bytes(len(whole) - len(whole) // 2)
    replay.objects("--no-dns", replay.file("broken.gz", bytes(whole)), status=65)
    assert "broken.gz:" in replay.stderr


def test_binary(replay):
    replay.run("--no-dns", replay.file("x.bin", bytes(range(256)) * 4000), status=65)
    assert "x.bin:" in replay.stderr
    lines = replay.stderr.splitlines()
    assert len(lines) <= 21 and all(line.isprintable() for line in lines)


def test_binary_line_between(replay):
    content = b"192.0.2.1 h p.example\n\0\0\n192.0.2.2 h p.example\n"
    got = replay.objects("--no-dns", replay.file("mixed", content), status=65)
    assert [o["line"] for o in got] == [1, 3]
    assert "mixed:2: holds a NUL byte" in replay.stderr


def test_endless_line(replay):
    """64 MiB without a line end cost no memory."""
    content = b"192.0.2.1 h p.example\n" + b"x" * (64 << 20) + b"\n192.0.2.2 h p.example\n"
    path = replay.file("endless", content)
    code = ("import resource, subprocess, sys\n"
            "done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)\n"
            "print(done.returncode, done.stdout.count(b'\\n'),"
            " resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
    done = subprocess.run(["/usr/bin/python3", "-c", code, str(daemon.program("iprevctl")), "replay", "-c",
                           str(replay.conf), "--no-dns", "--json", str(path)],
                          capture_output=True, check=True, text=True)
    status, lines, peak_kib = map(int, done.stdout.split())
    assert (status, lines) == (65, 2)
    assert "endless:2: longer than any line" in done.stderr
    assert peak_kib < 256 << 10  # with a sanitizer; 20 MiB without


def test_a_compressed_bomb(replay):
    """What a small file unpacks to is not kept."""
    path = replay.file("bomb.gz", gzip.compress(bytes(64 << 20)))
    replay.run("--no-dns", path, status=65)
    assert "bomb.gz:1: " in replay.stderr


def test_not_a_log(replay):
    replay.run("--no-dns", replay.file("notes", "hello\nworld\n"), status=65)
    assert "notes: nothing in it is of the expected form" in replay.stderr


def test_bad_triples(replay):
    content = "192.0.2.1 h p.example\nhost h p.example\n192.0.2.1 h\n192.0.2.3 h p.example\n"
    got = replay.objects("--no-dns", replay.file("t", content), status=65)
    assert [o["line"] for o in got] == [1, 4]
    assert "t:2: the first field is not an IP address" in replay.stderr
    assert "t:3: three fields are wanted" in replay.stderr


def test_missing_file_does_not_stop_the_others(replay):
    path = replay.file("t", TRIPLES)
    got = replay.objects("--no-dns", replay.directory / "missing", path, status=65)
    assert len(got) == 2 and "/missing: No such file or directory\n" in replay.stderr


def test_journal_with_an_endless_value(replay):
    records = b"__CURSOR=s=1\nMESSAGE\n" + (1 << 62).to_bytes(8, "little") + b"x" * 100000
    replay.run("--no-dns", replay.file("export", records), status=65)
    assert "export:" in replay.stderr


def test_progress_on_a_terminal_only(replay):
    path = replay.file("triples", "".join(f"192.0.2.{i % 250} a.example -\n" for i in range(50000)))
    master, slave = pty.openpty()
    done = subprocess.Popen([str(daemon.program("iprevctl")), "replay", "--no-dns", "--summary",
                             "-c", str(replay.conf), str(path)], stdout=subprocess.PIPE,
                            stderr=slave)
    os.close(slave)
    out = done.communicate(timeout=120)[0].decode()
    drawn = b""
    try:
        while chunk := os.read(master, 65536):
            drawn += chunk
    except OSError:
        pass
    os.close(master)
    assert re.search(rb"\r\[#*\s*\] +\d+ %  \d+ attempts", drawn)
    assert drawn.endswith(b"\r\x1b[K")
    assert "\r" not in out and "\x1b" not in out


def test_foreign_text_cannot_reach_the_terminal(replay):
    path = replay.file("t", "192.0.2.1\t\x1b[31mevil\tp\x1b.example\n")
    for extra in ([], ["--summary"], ["--json"]):
        assert "\x1b" not in replay.run("--no-dns", *extra, path)


def test_empty_files(replay):
    assert replay.sums("--no-dns", replay.file("empty", ""))["attempts"] == 0
    assert replay.sums("--no-dns", replay.file("empty.gz", gzip.compress(b"")))["attempts"] == 0


@pytest.mark.parametrize("args", [[], ["--format", "elf", "x"], ["--rate", "0", "x"],
                                  ["--rate", "-1", "x"], ["--rate", "1x", "x"]])
def test_usage(replay, args):
    replay.run(*args, status=64)
