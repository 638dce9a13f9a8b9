# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl find: a decision of the log again, while the sender is on the phone."""

import gzip
import json
import os
import re
import subprocess
import time

import pytest

import daemon
import world

SYSLOG = ('Nov 12 12:00:00 mx iprevd[7]: client=192.0.2.9 ptr=a.example.org,b.example.net iprev=pass '
          'helo=h.syslog.example agreement=none checks=ptr-generic score=2 action=tag mode=enforce '
          'policy=default match=- stage=rcpt mta=mx dns_ms=12 cache=miss queue_id=4XYZ sender="" '
          'recipient=b@example.net reason="192.0.2.9 \\"looks\\" computed"\n')


class Log:
    """A decision log of what iprevctl check itself decided, an older part of it compressed."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "test.zone").write_text(world.ZONE)
        self.conf = directory / "iprevd.conf"
        self.conf.write_text(f'dns {{ zone-file = "{directory}/test.zone" }}\n'
                             f'mode = monitor\ndecision-log = "{directory}/decisions.json"\n')
        old = [self.decide(world.NO_PTR, "mail.nowhere.example", "Old@Sub.Partner.example", "a@here.example"),
               self.decide(world.MISMATCH, "mail.moved.example", "", "b@here.example")]
        new = [self.decide(world.GOOD, "mail.good.example", "u@good.example", "A@here.example")]
        (directory / "decisions.json.1.gz").write_bytes(gzip.compress("".join(old).encode()))
        (directory / "decisions.json").write_text("".join(new) + SYSLOG)

    def decide(self, client, helo, sender, rcpt):
        """As the daemon writes it in monitor mode; check judges as if enforced."""
        line = subprocess.run([daemon.program("iprevctl"), "check", client, "--helo", helo, "--sender",
                               sender, "--rcpt", rcpt, "--json", "-c", self.conf], text=True,
                              capture_output=True).stdout
        record = dict(json.loads(line), action="accept", enforced=[])
        for detail in record["check_details"]:
            detail["enforced"] = False
        return json.dumps(record) + "\n"

    def find(self, *args):
        return subprocess.run([daemon.program("iprevctl"), "find", *map(str, args), "-c", self.conf],
                              text=True, capture_output=True, timeout=60, errors="backslashreplace")


@pytest.fixture
def log(directory):
    return Log(directory)


def test_dns_lists_are_shown(log):
    """What check, find and replay say of DNS lists; replay asks none."""
    with open(log.conf, "a") as conf:
        conf.write('match "known" { listed = {"allow.example", "other.example"}  policy = "none" }\n')
    with open(log.directory / "test.zone", "a") as zone:
        zone.write("2.2.0.192.allow.example. A 127.0.0.3\n")
    (log.directory / "decisions.json").write_text(
        log.decide(world.NO_PTR, "mail.nowhere.example", "", "a@here.example"))
    done = subprocess.run([daemon.program("iprevctl"), "check", world.NO_PTR, "-c", log.conf], text=True,
                          capture_output=True)
    assert done.returncode == 0
    assert re.search(r"^lists +allow.example: listed 127.0.0.3  \[zone file, ttl 3600, \d+ ms\]\n"
                     r" +other.example: not-listed  \[zone file, ", done.stdout, re.MULTILINE), done.stdout
    found = log.find("--client", world.NO_PTR, "--top", "1").stdout
    assert re.search(r"^lists +allow.example: listed 127.0.0.3  \[found, zone, ttl 3600\]\n"
                     r" +other.example: not-listed  \[nxdomain, zone, ttl \d+\]$", found, re.MULTILINE), found
    (log.directory / "triples").write_text(f"{world.NO_PTR} mail.nowhere.example -\n")
    done = subprocess.run([daemon.program("iprevctl"), "replay", "--format", "triples", "--summary",
                           log.directory / "triples", "-c", log.conf], text=True, capture_output=True)
    assert "DNS lists are not asked: " in done.stdout
    assert re.search(r"^ptr-missing ", done.stdout, re.MULTILINE), done.stdout


CONDITIONS = [
    (["--client", world.NO_PTR], [world.NO_PTR]),
    (["--client", "192.0.2.0/24"], [world.NO_PTR, world.MISMATCH, world.GOOD, "192.0.2.9"]),
    (["--client", "198.18.0.0/15"], []),
    (["--sender", "partner.example"], [world.NO_PTR]), (["--sender", "@partner.example"], [world.NO_PTR]),
    (["--sender", "old@sub.partner.example"], [world.NO_PTR]),
    (["--sender", "<old@sub.partner.example>"], [world.NO_PTR]),
    (["--sender", "ner.example"], []), (["--sender", "old@partner.example"], []),
    (["--sender", "<>"], [world.MISMATCH, "192.0.2.9"]),
    (["--rcpt", "a@here.example"], [world.NO_PTR, world.GOOD]),
    (["--helo", "MAIL.moved.example"], [world.MISMATCH]),
    (["--helo", ".example"], [world.NO_PTR, world.MISMATCH, world.GOOD, "192.0.2.9"]),
    (["--helo", "mail.*.example"], [world.NO_PTR, world.MISMATCH, world.GOOD]),
    (["--helo", "moved.example"], []),
    (["--ptr", "mail.good.example"], [world.GOOD]), (["--ptr", "b.example.net"], ["192.0.2.9"]),
    (["--queue-id", "4XYZ"], ["192.0.2.9"]), (["--queue-id", "4xyz"], []),
    (["--check", "ptr-missing"], [world.NO_PTR]),
    (["--check", "ptr-missing", "--client", world.GOOD], []),
    (["--client", "192.0.2.0/24", "--top", "1"], ["192.0.2.9"]),
]


@pytest.mark.parametrize("args, want", CONDITIONS, ids=[" ".join(case[0]) for case in CONDITIONS])
def test_conditions(log, args, want):
    done = log.find(*args)
    assert re.findall(r"^client +(\S+)$", done.stdout, re.MULTILINE) == want, done.stderr
    assert done.returncode == (0 if want else 1)
    lines = [json.loads(line) for line in log.find(*args, "--json").stdout.splitlines()]
    assert [line["client"] for line in lines] == want


def test_the_whole_explanation(log):
    text = log.find("--client", world.MISMATCH).stdout
    for wanted in (r"^time +20\d\d-\d\d-\d\d ", r"^EHLO +mail\.moved\.example$", r"^from +<>$",
                   r"^to +b@here\.example$", r"mail\.moved\.example 203\.0\.113\.9  \[found, ",
                   r"^check +ptr-mismatch: reject, score 5\.0 \(not enforced\)$",
                   r"^ +PTR mail\.moved\.example resolves to 203\.0\.113\.9, not to ",
                   r"to change the PTR record",
                   r"^verdict +accept \(enforced it would have been reject\), mode monitor$"):
        assert re.search(wanted, text, re.MULTILINE), (wanted, text)
    text = log.find("--queue-id", "4XYZ").stdout
    assert re.search(r"^check +ptr-generic: ", text, re.MULTILINE)
    assert re.search(r'^reason +192\.0\.2\.9 "looks" computed$', text, re.MULTILINE)


def test_what_the_client_gets_now(log):
    """The record was fixed since: the log has the refusal, and the DNS of now has none."""
    (log.directory / "test.zone").write_text(
        world.ZONE.replace("mail.moved.example. A 203.0.113.9", f"mail.moved.example. A {world.MISMATCH}"))
    done = log.find("--client", world.MISMATCH, "--recheck")
    before, now = done.stdout.split("\nNow:\n")
    assert done.returncode == 0 and "would have been reject" in before
    assert re.search(r"^verdict +accept, ", now, re.MULTILINE), now


def test_stamps_without_a_year_are_from_before_the_last_change_of_the_file(log):
    """A log that was put away more than a year ago is not of this year."""
    path, day = log.directory / "mail.log.1", 86400
    when, changed = time.time() - 410 * day, time.time() - 400 * day
    path.write_text(SYSLOG.replace("Nov 12", time.strftime("%b %e", time.localtime(when)), 1))
    os.utime(path, (changed, changed))
    date = time.strftime("%Y-%m-%d", time.localtime(when))
    text = log.find(path, "--client", "192.0.2.9").stdout
    assert re.search(rf"^time +{date} ", text, re.MULTILINE), text
    line = json.loads(log.find(path, "--client", "192.0.2.9", "--json").stdout)
    assert time.strftime("%Y-%m-%d", time.localtime(line["time_s"])) == date
    done = log.find(path, "--client", "192.0.2.9", "--since", "60d")
    assert done.returncode == 1 and "nothing is found" in done.stderr


def test_hostile_text(log):
    path = log.directory / "hostile.json"
    path.write_text(json.dumps({"client": "192.0.2.1", "action": "reject", "helo": "\x1b[2J",
                                "reason": "\x1b[2J", "sender": "a@\x1b]0;x\x07", "checks": []}) + "\n")
    done = log.find(path, "--client", "192.0.2.1")
    assert done.returncode == 0 and all(char.isprintable() or char == "\n" for char in done.stdout)


MISUSES = [([], "what is to be found?"), (["--client", "x"], "--client: an address or a network"),
           (["--check", "x"], "there is no such check"), (["--since", "7"], "--since"),
           (["--client", "192.0.2.1", "--top", "0"], "--top")]


@pytest.mark.parametrize("args, want", MISUSES, ids=[" ".join(case[0]) for case in MISUSES])
def test_misused(log, args, want):
    done = log.find(*args)
    assert done.returncode == 64 and want in done.stderr and done.stdout == ""


def test_unreadable(log):
    done = log.find("/nonexistent", "--client", "192.0.2.1")
    assert done.returncode == 65 and "/nonexistent" in done.stderr
    done = log.find("/etc/passwd", "--client", "192.0.2.1")
    assert done.returncode == 65 and "no decision of iprevd" in done.stderr
