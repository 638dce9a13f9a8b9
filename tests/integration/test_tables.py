# SPDX-License-Identifier: BSD-2-Clause
"""Tables in the style of those that administrators have and share, loaded as they are.

What iprevd finds in them is what they say, and what Postfix's own postmap finds.
"""

import json
import re
import subprocess

import pytest

import daemon
import world
from milterclient import MilterClient
from mta import ROOT, RUN
from test_control import Control
from test_metrics import Exporter

# The daemon looks at its tables every 10 s of its own clock.
LOOK_S = 10

TABLES = {}

TABLES["cidr"] = """\
# postscreen_access.cidr -- who need not prove anything, and who need not try.
#
# Rules are evaluated in the order as specified.

# --- our own and our partners' outbound hosts -------------------------------
198.51.100.16/28	permit
2001:db8:51:100::/56	permit
[2001:db8:25::25]	permit
192.0.2.77		permit	# no comment here: this is part of the value
# one that moved in the middle of their network
203.0.113.129		dunno
203.0.113.128/25
	reject	listed since the spring,
	see the wiki
    # an indented comment does not end the entry
   and ask before you remove it

# --- everything in their old /16 but the office ------------------------------
if 100.64.0.0/10
!100.65.0.0/16		permit
100.65.3.0/24		permit
100.65.0.0/16		reject
endif

if !10.0.0.0/8
172.16.0.0/12	reject
endif
"""

TABLES["pcre"] = r"""
# fqrdns.pcre -- fully qualified reverse DNS names of access lines.
# Put exceptions ABOVE the patterns; the first that matches decides.
#
/^mail[0-9]*\.(dyn|pool)\.northlink\.example$/		DUNNO
/^static-(\d{1,3}-){4}/					DUNNO

# --- providers, by country ---------------------------------------------------
/^(\d{1,3}-){3}\d{1,3}\.dynamic\.northlink\.example$/	REJECT Generic - please relay via ISP (northlink)
/^(?:[0-9a-f]{2}-?){4}\.adsl\.telcoast\.co\.example$/	REJECT Generic - please relay via ISP (telcoast)
/^[a-z]{2,5}(?:\d{1,3}\.){4}(cust|cable)\.
  broadwater\.example$/x	REJECT Generic - please relay via ISP (broadwater)
/^h[0-9]{12}\.altanet\.example$/i
	REJECT Generic - please
	relay via ISP (altanet)
# the whole of it, unless it says that it is a server
if /\.rivercom\.example$/
if !/^(mx|smtp|out)[0-9]*\./
/^/					REJECT Generic - please relay via ISP (rivercom)
endif
/^smtp99\./				REJECT that one, too
endif
!/\./					REJECT single label
|^vpn/dial|				REJECT other delimiters
/\.(?=wireless\.).*\.example$/U		REJECT lookahead, not greedy
"""

TABLES["regexp"] = r"""
# helo_checks.regexp -- names that nobody who means well says.
/^mail[0-9]*\.dyn\./			DUNNO
/^[0-9]{1,3}([-.][0-9]{1,3}){3}\./	REJECT your provider's name for your line
/(^|[-.])(dsl|dial(up|in)?|ppp|pool)[0-9-]*\./!/^(mx|smtp)/	REJECT an access line
/^H[0-9A-F]{8}\./i			REJECT upper case, as it comes
/^host\(plain\)\{1,2\}\./x		REJECT a basic expression
if /\.rivercom\.example$/
!/^mx\./				REJECT only their mail exchangers
endif
/^a[[:digit:]]+[[:alpha:]]*b\.example$/	REJECT classes
/^localhost(\.localdomain)?$/		REJECT you are not me
"""

TABLES["texthash"] = """\
# access -- by name.
dsl.isp.example		REJECT
mail.dsl.isp.example	OK
printer.partner.example	OK
	a note on the next line
Upper.Case.Example	OK
neutral.example		DUNNO
"""

# Key, and whether it is listed: OK and REJECT are both entries, DUNNO is none.
KEYS = {
    "cidr": [
        ("198.51.100.16", True), ("198.51.100.31", True), ("198.51.100.32", False),
        ("2001:db8:51:100::1", True), ("2001:db8:51:1ff::1", True), ("2001:db8:51:200::1", False),
        ("2001:db8:25::25", True), ("2001:db8:25::26", False), ("192.0.2.77", True),
        ("203.0.113.129", False), ("203.0.113.130", True), ("203.0.113.127", False),
        ("100.65.3.9", True), ("100.65.4.9", True), ("100.127.255.255", True),
        ("100.128.0.1", False), ("172.31.1.1", True), ("172.32.1.1", False),
        ("203.0.113.1", False), ("2001:db9::1", False)],
    "pcre": [
        ("mail7.dyn.northlink.example", False), ("static-1-2-3-4.dynamic.northlink.example", False),
        ("10-20-30-40.dynamic.northlink.example", True),
        ("10-20-30-40.dynamic.northlink.example.org", False),
        ("10-20-30.dynamic.northlink.example", False),
        ("0a-14-1e-28.adsl.telcoast.co.example", True), ("0a141e28.adsl.telcoast.co.example", True),
        ("0a141e2.adsl.telcoast.co.example", False),
        ("host10.20.30.40.cust.broadwater.example", True),
        ("host10.20.30.40.corp.broadwater.example", False),
        ("h010020030040.altanet.example", True), ("h01002003004.altanet.example", False),
        ("dsl-9.rivercom.example", True), ("mx2.rivercom.example", False),
        ("smtp99.rivercom.example", True), ("mx2.rivercom.example.net", False),
        ("alone", True), ("a.wireless.example", True), ("wireless.example", False)],
    "regexp": [
        ("mail1.dyn.isp.example", False), ("192-0-2-7.isp.example", True),
        ("192.0.2.7.isp.example", True), ("192-0-2.isp.example", False),
        ("dsl-9.isp.example", True), ("x.dialup3.isp.example", True), ("mx.pool.example", False),
        ("adsl-9.isp.example", False), ("hc0a80101.isp.example", False),
        ("hostplain.isp.example", True), ("hostplainplain.isp.example", True),
        ("host.isp.example", False), ("mx.rivercom.example", False),
        ("web.rivercom.example", True), ("a12xb.example", True), ("a-b.example", False),
        ("localhost", True), ("localhost.localdomain", True), ("localhost.example", False)],
    "texthash": [
        ("mail.dsl.isp.example", True), ("dsl.isp.example", True),
        ("printer.partner.example", True), ("upper.case.example", True),
        ("neutral.example", False), ("isp.example", False)],
}


class Site:
    """A configuration whose match block `listed` asks one table, and iprevctl check."""

    def __init__(self, directory, kind, text=None):
        self.kind = kind
        self.warnings = 0  # that iprevctl may show
        self.table = directory / f"table.{kind}"
        self.table.write_text(text if text is not None else TABLES[kind])
        self.conf = directory / "iprevd.conf"
        (directory / "z").write_text(world.ZONE)
        condition = "client" if kind == "cidr" else "helo"
        self.match = (f'match "listed" {{ {condition} = {{"{kind}:{self.table}"}} '
                      'policy = "seen" }\n'  # under "none" lines that refuse exempt nobody
                      'policy "seen" { }\n')
        self.conf.write_text(
            'own-names = {"mx.example.net"}\n'
            f'mode = enforce\nlocal-networks = {{}}\ndns {{ zone-file = "{directory}/z" }}\n{self.match}')

    def listed(self, key):
        client = [key] if self.kind == "cidr" else [world.GOOD, "--helo", key]
        done = subprocess.run([daemon.program("iprevctl"), "check", "-c", self.conf, "--json", *client],
                              capture_output=True, text=True, check=False)
        assert done.stderr.count("\n") == done.stderr.count("warning: ") <= self.warnings, done.stderr
        return json.loads(done.stdout)["match"] == "listed"

    def test(self):
        return subprocess.run([daemon.program("iprevd"), "-t", "-c", self.conf],
                              capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", TABLES)
def test_public_style_tables_load_unchanged(directory, kind):
    site = Site(directory, kind)
    done = site.test()
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    wrong = [(key, want) for key, want in KEYS[kind] if site.listed(key) != want]
    assert wrong == []


@pytest.mark.parametrize("kind", TABLES)
def test_tables_under_policy_none(directory, kind):
    """Lines that refuse exempt nobody there; -t counts them."""
    site = Site(directory, kind)
    site.conf.write_text(site.conf.read_text().replace('policy = "seen"', 'policy = "none"')
                         .replace('policy "seen" { }\n', ""))
    done = site.test()
    assert done.returncode == 0, done.stderr
    assert "of its tables refuse" in done.stderr
    permitted = {key for key, want in KEYS[kind] if site.listed(key)}
    assert permitted <= {key for key, want in KEYS[kind] if want}


def test_texthash_parents(directory):
    """As access(5) does: a name's entry holds for what is below it.  postmap -q looks up one key."""
    site = Site(directory, "texthash")
    assert site.listed("198-51-100-7.dsl.isp.example")
    assert not site.listed("www.isp.example")
    assert not site.listed("sub.neutral.example")


@pytest.mark.parametrize("kind", TABLES)
def test_postfix_finds_the_same(postfix_server, kind):
    """The expectations above are Postfix's own answers, for every kind that this Postfix has."""
    jail = postfix_server.server.jail
    (jail.dir / f"table.{kind}").write_text(TABLES[kind])
    if kind == "pcre":
        (jail.dir / "config" / "dynamicmaps.cf").write_text(
            "pcre\tpostfix-pcre.so\tdict_pcre_open\n")
    said = jail.run(f"{ROOT}/usr/sbin/postmap", "-c", f"{RUN}/config", "-q", "-",
                    f"{kind}:{RUN}/table.{kind}", check=False,
                    stdin="".join(f"{key}\n" for key, _ in KEYS[kind]))
    assert "warning" not in said and "fatal" not in said, said
    found = dict(line.split("\t", 1) for line in said.splitlines())
    listed = {key for key, value in found.items() if not re.match(r"(?i)dunno\b", value)}
    assert listed == {key for key, want in KEYS[kind] if want}


# --- mistakes ---


MISTAKES = {
    "cidr": "192.0.2.7/24 reject\nif 192.0.2.0/24\n192.0.2.1 permit\nendif\nendif\nnonsense\n192.0.2.2 permit\n"
            "if 192.0.2.0/24\n192.0.2.3 permit\n",
    "pcre": "/^a(b/ REJECT\n/^ab REJECT\n/^ok/ OK\nif /(/\n/^in/ OK\nendif\n/^out/ OK\n",
    "regexp": "/^ab/q REJECT\nendif\n/^ok/ OK\nif /(/\n/^in/ OK\nendif\n/^out/!/b(/ OK\n/^out/ OK\n",
    "texthash": "lonely\nok.example OK\n",
}
ASKED = {"cidr": ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.7"],
         "pcre": ["ok.example", "in.example", "out.example", "a(b.example", "ab.example"],
         "texthash": ["lonely", "ok.example"]}
ASKED["regexp"] = ASKED["pcre"]


@pytest.mark.parametrize("kind", MISTAKES)
def test_postfix_goes_on_behind_the_same_mistakes(postfix_server, directory, kind):
    """And finds what iprevd finds in what is left."""
    jail = postfix_server.server.jail
    (jail.dir / f"mistakes.{kind}").write_text(MISTAKES[kind])
    if kind == "pcre":
        (jail.dir / "config" / "dynamicmaps.cf").write_text("pcre\tpostfix-pcre.so\tdict_pcre_open\n")
    said = jail.run(f"{ROOT}/usr/sbin/postmap", "-c", f"{RUN}/config", "-q", "-", f"{kind}:{RUN}/mistakes.{kind}",
                    check=False, stdin="".join(f"{key}\n" for key in ASKED[kind]))
    assert "warning" in said and "fatal" not in said, said
    found = {line.split("\t")[0] for line in said.splitlines() if "\t" in line}
    site = Site(directory, kind, MISTAKES[kind])
    site.warnings = said.count("warning: ")
    assert found == {key for key in ASKED[kind] if site.listed(key)}


@pytest.mark.parametrize("kind, bad, line, words", [
    ("cidr", "192.0.2.7/24\treject\n", 1, 'found "192.0.2.7/24"'),
    ("cidr", "if 192.0.2.0/24\n192.0.2.1 permit\n", 1, "if without endif"),
    ("pcre", "/^a(b/ REJECT\n", 1, "missing closing parenthesis"),
    ("pcre", "/^ab REJECT\n", 1, "no closing delimiter"),
    ("regexp", "/^ab/q REJECT\n", 1, 'found flag "q"'),
    ("regexp", "endif\n", 1, "endif without if"),
    ("texthash", "lonely\n", 1, 'found "lonely"'),
])
def test_mistakes_name_file_and_line(directory, kind, bad, line, words):
    # Before them stands a good table: comments, blank and continued lines count.
    text = TABLES[kind] + bad
    where = TABLES[kind].count("\n") + line
    done = Site(directory, kind, text).test()
    assert done.returncode == 0, "a table that Postfix takes stops no start"
    assert f"table.{kind}:{where}: " in done.stderr and words in done.stderr, done.stderr


# --- a new version ---


def test_broken_version_never_replaces_a_working_one(directory, start_iprevd):
    table = directory / "partners.cidr"
    table.write_text("192.0.2.2 permit\n")
    running = start_iprevd("mode = enforce\nlocal-networks = {}\n"
                           f'match "partners" {{ client = {{"cidr:{table}"}} policy = "none" }}\n')

    def exempt(client):
        result = MilterClient(running.spec).session(client=client, helo=f"[{client}]")
        return not result.refusal

    assert exempt(world.NO_PTR) and not exempt(world.MISMATCH)
    # It is read again by itself when it changes ...
    table.write_text("192.0.2.2 permit\n192.0.2.3 permit\n")
    running.wait_log("read again")
    assert exempt(world.NO_PTR) and exempt(world.MISMATCH)
    # ... and not when there is a mistake in it, which is told with its place ...
    mark = len(running.log)
    table.write_text("192.0.2.3 permit\n\n192.0.2.2/8 permit\n")
    told = rf'{re.escape(str(table))}:3: found "192\.0\.2\.2/8".*; the line is passed over'
    running.wait_log("error: .*" + told, since=mark)
    running.wait_log("the tables were not read again: the running ones stay", since=mark)
    assert exempt(world.NO_PTR) and exempt(world.MISMATCH)
    # ... but for a reload, or a start, which go on behind the line as Postfix does ...
    mark = len(running.log)
    running.reload()
    running.wait_log("warning: .*" + told, since=mark)
    running.wait_log("configuration .*read", since=mark)
    assert not exempt(world.NO_PTR) and exempt(world.MISMATCH)
    table.write_text("192.0.2.2 permit\n192.0.2.3 permit\n")
    running.wait_log("tables .*read again", since=mark)
    # ... and not when it is no text ...
    mark = len(running.log)
    table.write_bytes(b"192.0.2.2 permit\n\0\n")
    running.reload()
    running.wait_log(rf'{re.escape(str(table))}:2: a NUL byte', since=mark)
    running.wait_log("the running one stays", since=mark)
    assert exempt(world.NO_PTR) and exempt(world.MISMATCH)
    # ... nor when it is gone.
    mark = len(running.log)
    table.unlink()
    running.reload()
    running.wait_log(rf"{re.escape(str(table))}.*No such file", since=mark)
    assert exempt(world.NO_PTR) and exempt(world.MISMATCH)
    mark = len(running.log)
    table.write_text("192.0.2.3 permit\n")
    running.reload()
    running.wait_log("read again", since=mark)
    assert not exempt(world.NO_PTR) and exempt(world.MISMATCH)


@pytest.mark.parametrize("edit", ["max-ptr = lots", "mode = monitor"], ids=["broken", "other"])
def test_new_version_of_a_table_reads_no_configuration(directory, start_iprevd, edit):
    table = directory / "partners.cidr"
    table.write_text("192.0.2.2 permit\n")
    running = start_iprevd("mode = enforce\nlocal-networks = {}\n"
                           f'match "partners" {{ client = {{"cidr:{table}"}} policy = "none" }}\n')
    # Somebody is writing on the configuration while the table changes: that waits for a reload.
    text = running.config_path.read_text()
    running.config_path.write_text(text.replace("mode = enforce", "") + edit + "\n")
    table.write_text("192.0.2.3 permit\n")
    running.wait_log("(?m)^tables .* read again")
    client = MilterClient(running.spec)
    assert client.session(client=world.NO_PTR, helo=f"[{world.NO_PTR}]").refusal
    assert not client.session(client=world.MISMATCH, helo=f"[{world.MISMATCH}]").refusal
    assert "lots" not in running.log


def test_what_is_wrong_with_a_table_is_logged_once_and_in_the_status(directory, start_iprevd):
    table = directory / "partners.cidr"
    table.write_text("192.0.2.2 permit\n")
    path = directory / "control"
    given = Control(start_iprevd(f'mode = enforce\ncontrol = "{path}"\nlocal-networks = {{}}\n'
                                 f'match "p" {{ client = {{"cidr:{table}"}} policy = "none" }}\n'), path)
    table.write_text("192.0.2.2/8 permit\n")
    given.daemon.wait_log("the tables were not read again: the running ones stay")
    state = given.ask(command="status")[-1]["configuration"]
    assert "192.0.2.2/8" in state["tables_error"] and state["tables_failed_since"] > 0
    assert "error" not in state

    def status(*args):  # by a configuration that has no error
        (directory / "ask.conf").write_text(f'control = "{path}"\n')
        return subprocess.run([daemon.program("iprevctl"), "status", *args, "-c", directory / "ask.conf"],
                              capture_output=True, text=True, timeout=60)

    assert re.search(r"^tables +FAILED .*192\.0\.2\.2/8", status().stdout, re.M), status().stdout
    done = status("--check")
    assert done.stdout.startswith("IPREVD WARNING - tables cannot be read | ") and done.returncode == 1, done
    table.write_text("192.0.2.3 permit\n")
    given.daemon.wait_log("(?m)^tables .* read again")
    assert given.ask(command="status")[-1]["configuration"]["tables_failed_since"] == 0
    assert given.daemon.log.count("the running ones stay") == 1


def test_a_table_that_stays_broken_stays_an_alert(directory, start_iprevd):
    table, port = directory / "partners.cidr", daemon.free_port()
    table.write_text("192.0.2.2 permit\n")
    running = start_iprevd(f'mode = enforce\nmetrics = "127.0.0.1:{port}"\n'
                           f'match "p" {{ client = {{"cidr:{table}"}} policy = "none" }}\n')
    exporter = Exporter(running, port)
    name = "iprevd_last_table_read_successful"
    assert exporter.values()[name] == 1
    table.write_text("192.0.2.2/8 permit\n")
    daemon.wait_until("the failure", lambda: exporter.values()[name] == 0)
    table.write_text("192.0.2.3 permit\n")
    running.reload()  # which reads the tables, too
    daemon.wait_until("its end", lambda: exporter.values()[name] == 1)


@pytest.fixture
def broken(directory, start_iprevd):
    """A running daemon of whose table a broken version is there; the good one is PATH.bak."""
    table, path = directory / "partners.cidr", directory / "control"
    table.write_text("192.0.2.2 permit\n")
    given = Control(start_iprevd(f'mode = enforce\ncontrol = "{path}"\nlocal-networks = {{}}\n'
                                 f'match "p" {{ client = {{"cidr:{table}"}} policy = "none" }}\n'), path)
    given.table, given.backup = table, directory / "partners.cidr.bak"
    given.state = lambda: given.ask(command="status")[-1]["configuration"]
    given.uptime = lambda: given.ask(command="status")[-1]["uptime_s"]
    table.rename(given.backup)
    table.write_text("192.0.2.2/8 permit\n")
    given.daemon.wait_log("the running ones stay")
    daemon.wait_until("the failure", lambda: given.state()["tables_failed_since"])
    return given


def test_a_table_that_is_put_back_has_not_failed(broken):
    mark, seen = len(broken.daemon.log), broken.state()
    uptime = broken.uptime()
    broken.table.unlink()
    daemon.wait_until("a look at it", lambda: broken.uptime() > uptime + LOOK_S)
    assert broken.state()["tables_error"] == seen["tables_error"]  # it may be on its way
    assert broken.state()["tables_failed_since"] == seen["tables_failed_since"]
    assert broken.daemon.log[mark:] == ""
    broken.backup.rename(broken.table)  # the very file that was read, which nobody has changed
    broken.daemon.wait_log("(?m)^the tables are again those in force", since=mark)
    daemon.wait_until("its end", lambda: not broken.state()["tables_failed_since"])
    assert "tables_error" not in broken.state()
    mark = len(broken.daemon.log)
    broken.table.write_text("192.0.2.2/8 permit\n")
    broken.daemon.wait_log(r"192\.0\.2\.2/8", since=mark)  # a failure of its own
