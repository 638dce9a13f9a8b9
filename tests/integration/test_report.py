# SPDX-License-Identifier: BSD-2-Clause
"""iprevctl report: its numbers against the log that it came from, as text and as HTML."""

import base64
import datetime
import gzip
import hashlib
import html.parser
import json
import os
import re
import socket
import subprocess
import time

import pytest

import daemon
import world


def decision(day, client, action, would=None, checks=(), **more):
    """A line as the decision log has it."""
    return dict({"time": f"2026-11-{day:02}T12:00:00Z", "client": client, "ptr": None,
                 "iprev": "permerror", "helo": "h.gnu.org", "checks": list(checks),
                 "action": action, "would": would or action, "mode": "enforce", "dns_ms": 3,
                 "cache": "miss", "policy": "default", "match": None, "sender": "u@debian.org"},
                **more)


LOG = ([decision(10, "192.0.2.1", "accept", dns_ms=0, cache="hit")] * 3 +
       [decision(10, "192.0.2.2", "accept", "reject", ["ptr-missing"], mode="monitor")] * 2 +
       [decision(12, "198.51.100.7", "reject", checks=["ptr-missing", "helo-disagrees"],
                 sender="u@lists.kernel.org")] +
       [decision(12, "2001:db8::1", "tag", checks=["ptr-generic"], iprev="pass", sender="",
                 ptr="dyn.isp.example.net", dns_ms=9000)] +
       [decision(13, "203.0.113.9", "tempfail", checks=["dns-temperror"], sender=None, helo=None)])

SYSLOG = """\
Nov 12 12:00:00 mx iprevd[7]: started
Nov 12 12:00:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.1]
Nov 12 12:00:00 mx iprevd[7]: client=192.0.2.1 ptr=- iprev=permerror helo="a b" agreement=none \
checks=ptr-missing,helo-invalid score=7 action=accept mode=monitor policy=default match=- \
stage=rcpt mta=mx dns_ms=12 cache=miss queue_id=- sender="" recipient=b@example.net \
would=reject reason="192.0.2.1 has no \\"PTR\\" record"
2026-11-13T12:00:00+00:00 mx iprevd[7]: client=192.0.2.2 ptr=mail.debian.org iprev=pass \
helo=mail.debian.org agreement=exact checks=- score=0 action=accept mode=enforce policy=default \
match=- stage=rcpt mta=mx dns_ms=0 cache=hit queue_id=- sender=u@debian.org recipient=-
"""


class Report:
    def __init__(self, directory):
        self.directory = directory

    def file(self, name, content):
        path = self.directory / name
        if isinstance(content, list):
            content = "".join(json.dumps(line) + "\n" for line in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *args, status=0, conf=""):
        (self.directory / "iprevd.conf").write_text(conf)
        done = subprocess.run(
            [str(daemon.program("iprevctl")), "report", "-c", str(self.directory / "iprevd.conf"),
             *map(str, args)], capture_output=True, timeout=120, env={"TZ": "UTC"})
        self.stderr = done.stderr.decode()
        assert "Sanitizer" not in self.stderr and "runtime error" not in self.stderr, self.stderr
        assert done.returncode == status, (done.returncode, self.stderr)
        return done.stdout.decode()


@pytest.fixture
def report(directory):
    return Report(directory)


def rows(text, head):
    """The rows of the table that begins so: first word to the other words."""
    block = text[text.index("\n" + head) + 1:].split("\n\n")[0].splitlines()[1:]
    return {line.split()[0]: line.split()[1:] for line in block}


def test_text(report):
    text = report.run(report.file("decisions.json", LOG))
    assert text.startswith("8 decisions, 2026-11-10 12:00 to 2026-11-13 12:00, times in UTC (+0000)\n"
                           f"of {socket.gethostname()}, out of {report.directory}/decisions.json\n2 of them")
    assert "2 more would have been deferred or refused" in text
    assert max(map(len, text.splitlines())) <= 80
    actions = rows(text, "Action ")
    assert [actions[a][0] for a in ("accept", "tag", "tempfail", "reject")] == ["5", "1", "1", "1"]
    assert [actions[a][3] for a in ("accept", "tag", "tempfail", "reject")] == ["3", "1", "1", "3"]
    days = rows(text, "Day ")
    assert days == {"2026-11-10": ["5", "-", "-", "-", "-", "2"],
                    "2026-11-12": ["-", "1", "-", "-", "1", "1"],
                    "2026-11-13": ["-", "-", "-", "1", "-", "1"]}
    assert rows(text, "Check ")["ptr-missing"] == ["3", "37.5", "%", "2", "3", "2026-11-10",
                                                     "2026-11-12"]
    networks = rows(text, "Network ")
    assert networks["192.0.2.0/24"][:3] == ["5", "-", "2"]
    assert "2001:db8::/64" in networks
    domains = rows(text, "Domain ")
    assert set(domains) == {"debian.org", "kernel.org", "203.0.113.0/24", "example.net"}
    assert "under 1 ms                        3   37.5 %" in text
    assert "8000 ms and more                  1   12.5 %" in text
    assert "From the cache alone: 37.5 %" in text


class Document(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "wbr" and self.text:
            self.text[-1] += data
        else:
            self.text.append(data)


def test_html(report):
    path = report.directory / "report.html"
    log = LOG + [decision(13, "203.0.113.8", "reject", sender=None,
                          helo="<script>alert(1)</script>.example")]
    assert report.run("--html", path, report.file("decisions.json", log)) == ""
    content = path.read_text()
    document = Document(content)
    assert document.tags.count("script") == 1 and document.tags.count("svg") == 2
    assert not {"link", "img", "iframe", "object"} & set(document.tags)
    assert not {name for name, _ in document.attributes} & {"src", "href", "srcset", "onload"}
    script = re.search(r"<script>(.*?)</script>", content)[1]  # the only one that the page allows
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in content
    assert "url(" not in content and "http:" not in content and "https:" not in content
    titles = [t for t in document.text if re.match(r"2026-11-\d\d \w+: \d+$", t)]
    assert "2026-11-10 accept: 5" in titles and "2026-11-10 reject: 2" in titles
    text = " ".join(document.text)
    assert "9 decisions from 2026-11-10 12:00" in text and "debian.org" in text


def test_syslog(report):
    text = report.run(report.file("mail.log", SYSLOG))
    assert text.startswith("2 decisions")
    assert rows(text, "Action ")["reject"][3] == "1"
    assert set(rows(text, "Check ")) == {"ptr-missing", "helo-invalid"}
    assert "From the cache alone: 50.0 %" in text


def forms(message, at=1795262400):
    """One decision in every form in which a log may have it."""
    day = time.strftime("%b %e %H:%M:%S", time.gmtime(at))
    iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    escaped = json.dumps(message)
    docker = json.dumps({"log": message + "\n", "stream": "stderr", "time": iso + ".123456789Z"})
    export = (f"__CURSOR=s=1\n__REALTIME_TIMESTAMP={at}000000\n_HOSTNAME=mx\nSYSLOG_IDENTIFIER=iprevd\n"
              f"_PID=7\nMESSAGE={message}\n\n")
    return {
        "syslog": f"{day} mx iprevd[7]: {message}\n", "short-iso": f"{iso}+0000 mx iprevd[7]: {message}\n",
        "RFC 5424": f"<22>1 {iso}Z mx iprevd 7 - - {message}\n",
        "FreeBSD -v": f"{day} <mail.info> mx iprevd[7]: {message}\n",
        "busybox": f"{day} mx mail.info iprevd[7]: {message}\n", "no host": f"{day} iprevd[7]: {message}\n",
        "short-full": f"Sat {iso.replace('T', ' ')} UTC mx iprevd[7]: {message}\n",
        "short-unix": f"{at}.123456 mx iprevd[7]: {message}\n",
        "json": f'{{"MESSAGE":{escaped},"SYSLOG_IDENTIFIER":"iprevd","__REALTIME_TIMESTAMP":"{at}000000"}}\n',
        "json-sse": f'data: {{"MESSAGE":{escaped},"SYSLOG_IDENTIFIER":"iprevd","__REALTIME_TIMESTAMP":"{at}000000"}}\n\n',
        "export": export, "compose": f"mx-1  | {day} mx iprevd[7]: {message}\n",
        "standard error in docker": docker + "\n", "docker logs -t": f"{iso}.123456789Z {message}\n",
        "Kubernetes": f"{iso}.123456789Z stderr F {message}\n",
        "compose -t": f"mx-1  | {iso}.123456789Z {message}\n",
        "with-unit": f"Sat {iso.replace('T', ' ')} UTC mx iprevd.service[7]: {message}\n",
        "Docker's syslog driver": f"{day} host 3f2a1b0c9d8e[99]: {message}\n",
        "Docker's syslog driver, named": f"{day} host docker/iprevd-1[99]: <6>{message}\n",
    }


MESSAGE = SYSLOG[SYSLOG.index("client="):].split("\n", 1)[0]


@pytest.mark.parametrize("form", list(forms("")))
def test_every_form_of_a_log(report, form):
    now = int(time.time()) // 60 * 60
    path = report.file("log", forms(MESSAGE, now)[form] * 2)
    line = json.loads(report.run(path, "--since", "1h", "--json"))
    assert line["decisions"] == 2 and line["checks"]["ptr-missing"]["true"] == 2 and report.stderr == ""
    assert report.run(path).startswith(
        "2 decisions, " + time.strftime("%Y-%m-%d %H:%M to %Y-%m-%d %H:%M,", time.gmtime(now)))


def test_forms_may_be_mixed_and_compressed(report):
    content = "".join(forms(MESSAGE).values())
    assert report.run(report.file("a.gz", gzip.compress(content.encode()))).startswith(
        f"{len(forms(''))} decisions")


@pytest.mark.parametrize("repeated", ["{day} mx iprevd[7]: message repeated 2 times: [ {message}]",
                                      "{day} mx last message repeated 2 times",
                                      "{day} --- last message repeated 2 times ---"])
def test_repeated_lines_count(report, repeated):
    """rsyslog on Ubuntu, the BSDs' syslogd and macOS write identical lines once."""
    first = forms(MESSAGE)["syslog"]
    again = repeated.format(day=first[:15], message=MESSAGE)
    other = first[:15] + " mx sshd[7]: something else\n"
    text = report.run(report.file("log", first + again + "\n" + other + first[:15] +
                                  " mx last message repeated 5 times\n"))
    assert text.startswith("3 decisions") and rows(text, "Check ")["ptr-missing"][0] == "3"


def test_standard_error_of_the_daemon_itself(report, milter):
    """What iprevd -f writes, read as it is."""
    client = milter("mode = enforce\n")
    client.session(client=world.NO_PTR)
    client.daemon.wait_log("client=" + world.NO_PTR)
    text = report.run(report.file("stderr", client.daemon.log))
    assert text.startswith("1 decision"), text
    assert rows(text, "Check ")["ptr-missing"][0] == "1" and report.stderr == ""


def test_what_is_not_understood_is_said(report):
    path = report.file("log", "Wat 12 mx iprevd[7]: " + MESSAGE + "\nmore\n")
    report.run(path, status=65)
    assert 'no decision of iprevd in 2 lines' in report.stderr and 'it begins: "Wat 12 mx' in report.stderr
    path = report.file("log", "Nov 12 12:00:00 mx postfix/smtpd[7]: connect from unknown[192.0.2.1]\n")
    report.run(path, status=65)
    assert 'the first is of "postfix/smtpd"' in report.stderr
    path = report.file("log", SYSLOG + "Wat 12 mx iprevd[7]: " + MESSAGE + "\n")
    report.run(path)
    assert f"{path}:5: 1 of 5 lines is in no form that is known" in report.stderr


def test_stamps_without_a_year_are_from_before_the_last_change_of_the_file(report):
    day = 86400
    when, changed = time.time() - 410 * day, time.time() - 400 * day
    line = SYSLOG[SYSLOG.index("Nov 12 12:00:00 mx iprevd[7]: client"):].split("\n")[0] + "\n"
    path = report.file("mail.log", line.replace("Nov 12", time.strftime("%b %e", time.gmtime(when)), 1))
    os.utime(path, (changed, changed))
    date = time.strftime("%Y-%m-%d", time.gmtime(when))
    assert report.run(path).startswith(f"1 decision, {date} 12:00 to {date} 12:00")


def test_compressed_and_configured(report):
    content = "".join(json.dumps(line) + "\n" for line in LOG).encode()
    path = report.file("old.json.gz", gzip.compress(content))
    assert report.run(path).startswith("8 decisions")
    plain = report.file("decisions.json", content)
    assert report.run(conf=f'decision-log = "{plain}"\n').startswith("8 decisions")
    report.run(status=64)
    assert "decision-log is not set" in report.stderr
    # In a container: nobody waits for what nothing comes from.
    report.run(conf='decision-log = "/dev/stdout"\n', status=64)
    assert "decision-log is /dev/stdout, which cannot be read again" in report.stderr


def test_since(report):
    path = report.file("decisions.json", [decision(10, "192.0.2.1", "accept", time=time) for time in
                                          ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z")])
    assert report.run("--since", "7d", path).startswith("1 decision,")
    for wrong in ("7", "d", "-1d", "7x", "0d", "7dd", ""):
        report.run("--since", wrong, path, status=64)


def test_what_logrotate_left_is_read(report):
    """logrotate itself moves and compresses; then the report has the days before, too."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = lambda days: (now - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = report.directory / "decisions.json"
    conf = f'decision-log = "{path}"\n'
    rotate = report.file("rotate.conf", f"{path} {{\n rotate 5\n compress\n delaycompress\n"
                         " create 0640\n missingok\n}\n")
    for days in (20, 5, 3, 1):
        report.file("decisions.json", [decision(10, "192.0.2.1", "accept", time=stamp(days))] * 10)
        os.utime(path, (time.time() - 86400 * days,) * 2)
        subprocess.run(["logrotate", "-f", "-s", report.directory / "state", rotate], check=True)
    report.file("decisions.json", [decision(10, "192.0.2.1", "accept", time=stamp(0))])
    assert sorted(p.name for p in report.directory.glob("decisions*")) == [
        "decisions.json", "decisions.json.1", "decisions.json.2.gz", "decisions.json.3.gz",
        "decisions.json.4.gz"]
    assert report.run(conf=conf).startswith("41 decisions")
    text = report.run("--since", "7d", conf=conf)
    assert text.startswith("31 decisions,") and "The log begins" in text
    text = report.run("--since", "2d", conf=conf)
    assert text.startswith("11 decisions") and "The log begins at" in text
    os.utime(report.directory / "decisions.json.4.gz")
    assert "The log begins" not in report.run("--since", "7d", conf=conf)
    assert report.run(path).startswith("1 decision")  # a file that is named is that file
    (report.directory / "decisions.json.2.gz").write_bytes(b"no gzip\n")
    assert report.run("--since", "7d", conf=conf).startswith("21 decisions")


def test_hostile_lines(report):
    good = json.dumps(LOG[0]).encode() + b"\n"
    content = (good + b'{"client":\n' + b'{"action":1}\n' + b'{"client":"x","action":"accept"}\n' +
               b'{"client":"192.0.2.1","action":"explode"}\n' + b"\0\n" + b"x" * 100000 + b"\n" +
               b"Nov 12 12:00:00 mx iprevd[7]: client=192.0.2.1 action=\n" + good)
    text = report.run(report.file("d", content), status=65)
    assert text.startswith("2 decisions") and "7 lines could not be read" in text
    assert [int(line.split(":")[2]) for line in report.stderr.splitlines()] == [2, 3, 4, 5, 6, 7, 8]
    whole = gzip.compress(good * 5000)
    report.run(report.file("cut.gz", whole[:len(whole) - 20]), status=65)
    assert "cut.gz:" in report.stderr


def test_truncated_gzip(report):
    """What could be read counts, and where it ended is said."""
    whole = gzip.compress("".join(json.dumps(line) + "\n" for line in LOG * 500).encode())
    path = report.file("cut.gz", whole[:len(whole) // 2])
    text = report.run(path, status=65)
    assert 0 < int(text.split()[0].replace(",", "")) < 4000 and f"{path}:" in report.stderr


def test_lines_about_relays_are_no_decisions(report):
    text = report.run(report.file("mail.log", SYSLOG +
                                  "Nov 14 12:00:00 mx iprevd[7]: relay=192.0.2.9 wrote no Received "
                                  "field: its client is not judged\n"))
    assert text.startswith("2 decisions") and report.stderr == ""


def test_an_empty_log(report):
    assert report.run(report.file("empty", "")).startswith("0 decisions")
    report.run("--html", report.directory / "r.html", report.directory / "empty")
    assert "0 decisions" in (report.directory / "r.html").read_text()
    report.run("--html", "/nowhere/r.html", report.directory / "empty", status=73)


def test_what_the_daemon_wrote(report):
    """The keys of the log and of the report are the same ones."""
    path = report.file("triples", "192.0.2.1 lists.debian.org mail.debian.org\n198.51.100.7 h -\n")
    conf = report.file("enforce.conf", "mode = enforce\n")
    done = subprocess.run([str(daemon.program("iprevctl")), "replay", "--no-dns", "--json", "-c",
                           str(conf), str(path)], capture_output=True, check=True)
    text = report.run(report.file("decisions.json", done.stdout))
    assert rows(text, "Action ")["reject"][0] == "1"
    assert "ptr-missing" in rows(text, "Check ")


def test_nothing_of_it_was_understood(report):
    """A report of nothing is no answer to somebody who named the wrong file."""
    page = report.directory / "r.html"
    assert report.run("--html", page, "/etc/passwd", status=65) == ""
    assert "iprevctl report: /etc/passwd: no decision of iprevd in " in report.stderr
    assert report.run("--html", page, "/nonexistent", status=65) == ""
    assert "/nonexistent: " in report.stderr and not page.exists()


KNOWN = [decision(10, "192.0.2.1", "accept", "reject", ["ptr-missing"], mta="mx1.example.net",
                  helo="mail.gnu.org", reason="192.0.2.1 has no PTR record (NXDOMAIN)",
                  check_details=[{"check": "ptr-missing", "action": "reject"}]),
         decision(11, "192.0.2.2", "accept", "reject", ["ptr-missing", "helo-disagrees"],
                  helo="mail2.gnu.org", sender="", mta="mx2.example.net",
                  check_details=[{"check": "ptr-missing", "action": "reject"},
                                 {"check": "helo-disagrees", "action": "tag"}]),
         decision(11, "203.0.113.1", "accept", "tempfail", ["dns-temperror"], helo="x.debian.org",
                  ptr="m.kernel.org", check_details=[{"check": "dns-temperror", "action": "tempfail"}]),
         decision(12, "203.0.113.2", "accept", "tag", ["ptr-generic"], helo="y.debian.org"),
         decision(12, "198.51.100.1", "accept", match="partners", policy="none")]


def test_who_would_be_refused(report):
    path = report.file("decisions.json", KNOWN)
    text = report.run(path)
    assert "of mx1.example.net, mx2.example.net, out of " in text
    clients = text[text.index("Who would be"):].split("\n\n")[0].splitlines()[3:]
    assert clients == [
        "gnu.org                                     -          2  2026-11-10  2026-11-11",
        "  192.0.2.2 and 1 more, EHLO mail2.gnu.org, from u@debian.org", "  ptr-missing",
        "kernel.org                                  1          -  2026-11-11  2026-11-11",
        "  203.0.113.1, EHLO x.debian.org, from u@debian.org", "  dns-temperror"]
    checks = rows(text, "Check ")
    assert [checks["ptr-missing"][i] for i in (0, 3, 4)] == ["2", "1", "2"]
    assert [checks["helo-disagrees"][i] for i in (0, 3, 4)] == ["1", "-", "-"]
    assert [checks["ptr-generic"][i] for i in (0, 3, 4)] == ["1", "1", "1"]
    one = report.run("--top", "1", path)
    assert "and 1 more (--top N, --all)" in one and "kernel.org  " not in one.split("Network")[0]
    for wrong in ("0", "-1", "x", "1x", "", "99999999999"):
        report.run("--top", wrong, path, status=64)


MAIL_LOG = """\
Nov 12 09:00:00 mx postfix/smtp[7]: 4F1A2D0: to=<partner@friends.debian.org>, relay=mx.debian.org[198.51.100.1]:25, \
delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
Nov 12 09:00:01 mx postfix/smtp[7]: 4F1A2D1: to=<x@gone.example>, relay=none, delay=1, delays=0/0/0/1, dsn=5.1.2, \
status=bounced (Host not found)
"""


def test_correspondents_come_first(report):
    """Refused most is not known best: those to whom own users wrote stand first."""
    lines = ([decision(12, "203.0.113.5", "reject", checks=["ptr-missing"], helo="mx.stranger.example",
                       sender="s@stranger.example")] * 5 +
             [decision(12, "203.0.113.6", "reject", checks=["ptr-missing"], helo="mx.gone.example",
                       sender="s@gone.example")] * 4 +
             [decision(12, "203.0.113.7", "reject", checks=["ptr-missing"], helo="relay.provider.example",
                       sender="news@debian.org")] * 2 +
             [decision(12, "203.0.113.8", "reject", checks=["ptr-missing"], helo="mail.debian.org",
                       sender="a@elsewhere.example")])
    log, mail = report.file("log", lines), report.file("mail.log", MAIL_LOG)

    def names(*args):
        return [(row["name"], row["correspondent"])
                for row in json.loads(report.run("--json", *args, log))["clients"]]

    assert names("--mail-log", mail) == [("provider.example", True), ("debian.org", True),
                                         ("stranger.example", False), ("gone.example", False)]
    assert names("--mail-log", mail, "--top", "1") == [("provider.example", True)]
    assert {known for _, known in names()} == {None}
    text = report.run("--mail-log", mail, log)
    assert "* your users wrote to it" in text
    assert text.index("* provider.example") < text.index("stranger.example")
    assert "Who of them you write to is not known (--mail-log FILE)" in report.run(log)
    page = report.directory / "page.html"
    report.run("--mail-log", mail, "--html", page, log)
    assert "<b>* debian.<wbr>org</b>" in page.read_text()
    report.run("--mail-log", report.directory / "nothing", log, status=65)


def test_only_some_decisions(report):
    path = report.file("decisions.json", KNOWN)
    text = report.run("--check", "ptr-missing", path)
    assert text.startswith("2 decisions") and "\nOnly decisions with ptr-missing.\n" in text
    text = report.run("--would", "tempfail", path)
    assert text.startswith("1 decision,") and "\nOnly decisions that would be tempfail.\n" in text
    text = report.run("--check", "helo-disagrees", "--would", "reject", path)
    assert text.startswith("1 decision,")
    assert "Only decisions with helo-disagrees that would be reject." in text
    report.run("--check", "no-such", path, status=64)
    report.run("--would", "burn", path, status=64)


def test_which_host_said_what(report):
    """Decision logs of a farm's hosts, as one report."""
    logs = [report.file(f"mx{i}.json",
                        [decision(10, "192.0.2.1", "accept", mta=f"mx{i}.example.net")] * i +
                        [decision(11, "192.0.2.2", "accept", "reject", ["ptr-missing"],
                                  mode="monitor", mta=f"mx{i}.example.net"),
                         decision(12, "192.0.2.3", "reject", checks=["ptr-missing"],
                                  mta=f"mx{i}.example.net")]) for i in range(1, 7)]
    text = report.run(*logs)
    assert "of mx1.example.net, mx2.example.net, mx3.example.net, mx4.example.net and 2 more" in text
    assert max(map(len, text.splitlines())) <= 80 or "out of" in text.splitlines()[1]
    servers = rows(text, "Mail server ")
    assert servers == {f"mx{i}.example.net": [str(i + 2), "-", "-", "1", "2"] for i in range(1, 7)}
    got = json.loads(report.run("--json", *logs))["by_server"]
    assert [row["server"] for row in got] == [f"mx{i}.example.net" for i in range(1, 7)]
    assert got[5]["decisions"] == 8 and got[5]["done"]["reject"] == 1 and got[5]["would"]["reject"] == 2
    assert got[5]["last"] == "2026-11-12T12:00:00Z"
    page = report.directory / "report.html"
    report.run("--html", page, *logs)
    assert "<h2>Mail servers</h2>" in page.read_text()
    assert "Mail server" not in report.run(logs[0])


def test_greylisted_clients_are_among_the_deferred(report):
    logs = [report.file(f"grey{i}.log", [decision(12, "192.0.2.3", "greylist", checks=["ptr-generic"],
                                                  mta=f"mx{i}.example.net"),
                                         decision(12, "192.0.2.4", "tempfail", checks=["dns-temperror"],
                                                  mta=f"mx{i}.example.net")]) for i in range(1, 3)]
    servers = rows(report.run(*logs), "Mail server ")
    assert servers == {f"mx{i}.example.net": ["2", "-", "2", "-", "2"] for i in range(1, 3)}


def test_json(report):
    conf = 'match "partners" { client = {"198.51.100.1"} policy = "none" reason = "ticket 4711" }\n'
    got = json.loads(report.run("--json", report.file("decisions.json", KNOWN), conf=conf))
    assert got["servers"] == ["mx1.example.net", "mx2.example.net"] and got["decisions"] == 5
    assert got["files"] == [f"{report.directory}/decisions.json"]
    assert got["first"] == "2026-11-10T12:00:00Z" and got["would"]["reject"] == 2
    gnu = got["clients"][0]
    assert gnu["name"] == "gnu.org" and gnu["addresses"] == ["192.0.2.2", "192.0.2.1"]
    assert gnu["check"] == "ptr-missing" and gnu["sender"] == "u@debian.org"
    assert got["checks"]["ptr-missing"]["alone"] == 1 and got["clients_in_all"] == 2
    assert got["matches"] == [{"name": "partners", "reason": "ticket 4711", "decided": 1,
                               "last": "2026-11-12T12:00:00Z"}]
    assert sum(row["decisions"] for row in got["waits"]) == 5


def test_what_is_not_used(report):
    """Match blocks, and exemptions that were made while the daemon ran."""
    state = report.directory / "state"
    state.mkdir()
    conf = (f'state-dir = "{state}"\nmatch "partners" {{ client = {{"198.51.100.1"}} '
            'policy = "none" }\nmatch "gone" { client = {"198.51.100.2"} policy = "none" }\n')
    now = int(time.time())
    (state / "exemptions").write_text(
        '{"format":"iprevd-exemptions","version":1,"count":3}\n' +
        "".join(json.dumps({"subject": subject, "reason": "r", "made": now, "until": now + 9000}) + "\n"
                for subject in ("203.0.113.0/24", ".kernel.org", "192.0.2.77")))
    log = KNOWN + [decision(13, "203.0.113.7", "accept", policy="none", reason="exempt for now: r"),
                   decision(13, "192.0.2.9", "accept", policy="none", reason="exempt for now: r",
                            iprev="pass", ptr="lists.kernel.org")]
    text = report.run(report.file("decisions.json", log), conf=conf)
    assert report.stderr == ""
    blocks, exemptions = rows(text, "Match block"), rows(text, "Exemption")
    assert blocks["partners"][0] == "1" and blocks["partners"][1] == "2026-11-12"
    assert blocks["gone"][:2] == ["-", "-"] and "not" in blocks["gone"]
    assert {name: words[0] for name, words in exemptions.items()} == {
        "203.0.113.0/24": "1", ".kernel.org": "1", "192.0.2.77": "-"}


def test_standard_input_is_one_file(report):
    report.run("-", "--mail-log", "-", status=64)
    assert "standard input is one file" in report.stderr
    text = report.run(report.file("empty", ""))
    assert text.startswith("0 decisions, times in ")


def test_page_in_a_browser(report):
    """On a telephone nothing is wider than the window and no table is cut; the search works."""
    path, page = report.file("decisions.json", KNOWN * 20), report.directory / "r.html"
    report.run("--html", page, path)
    frame = report.file("frame.html", """<iframe id=f src=r.html style="width:390px;height:900px">
        </iframe><p id=out></p><script>onload=function(){var d=document.getElementById('f').contentDocument,
        w=d.documentElement,q=d.getElementById('q'),s=function(){return [...d.querySelectorAll(
        'table.s tbody tr')].filter(r=>r.getClientRects().length).length},all=s(),
        cut=[...d.querySelectorAll('body>.wide')].filter(t=>t.scrollWidth>t.clientWidth).length;q.value='gnu.org';
        q.dispatchEvent(new Event('input'));document.getElementById('out').textContent=
        ['RESULT',w.scrollWidth<=390,cut,all>s()&&s()>0,d.getElementById('n').textContent].join(' ')}</script>""")
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                           "--allow-file-access-from-files", f"--user-data-dir={report.directory}/c",
                           "--virtual-time-budget=20000", "--dump-dom", f"file://{frame}"],
                          capture_output=True, text=True, timeout=120)
    assert re.search(r"RESULT true 0 true \d+ rows", done.stdout), done.stdout + done.stderr[-2000:]
