#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages and the programs know the same things: neither has what the other lacks.

iprevd(8): options, signals, keys of a log line, metrics with their labels and descriptions;
iprevctl(1): commands, their options and arguments, exit statuses; iprevd.conf(5): ranges of
options, keys of log line and JSON, and what checks mean (that all options are there is for
tests/unit/test_conf).
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "integration"))
from daemon import Daemon, free_port, program  # noqa: E402
from milterclient import MilterClient  # noqa: E402
from replies import ZONE, check_names  # noqa: E402

WRONG = []

# Signals that are handled, but for the daemon's own ends: broken connections and its own threads.
INTERNAL_SIGNALS = {"SIGPIPE"}

# Keys that are there only when there is something to say; a first session shows the last two.
OPTIONAL_KEYS = ["relay", "secure", "lists", "greylist", "undecided", "grace", "right_until",
                 "refused_from", "would", "reason"]


def same(what, page, program_has):
    """Two sets of names."""
    for name in sorted(set(program_has) - set(page)):
        WRONG.append(f"{what}: the manual lacks {name}")
    for name in sorted(set(page) - set(program_has)):
        WRONG.append(f"{what}: only the manual has {name}")
    if not page or not program_has:
        WRONG.append(f"{what}: nothing was found")


def manual(name):
    return (TOP / "doc" / name).read_text()


def source(pattern):
    return "".join(path.read_text() for path in sorted((TOP / "src").glob(pattern)))


def section(text, heading, ends=(".Sh ",)):
    """Between the line `heading` and the next one that begins with one of `ends`."""
    lines = text.splitlines()
    if heading not in lines:
        WRONG.append(f"a manual has no \"{heading}\"")
        return ""
    begin = lines.index(heading) + 1
    end = next((i for i in range(begin, len(lines)) if lines[i].startswith(tuple(ends))),
               len(lines))
    return "\n".join(lines[begin:end])


def words(text):
    """Names of a line of mdoc: `.It Cm client , ptr` has two."""
    return [word for word in re.split(r"[\s,]+", text) if word]


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


# --- iprevd(8) ---


def check_daemon_options(page):
    main = source("daemon/main.c")
    short = set(re.search(r'getopt_long\(argc, argv, "([\w:]+)"', main)[1]) - {":"}
    longs = set(re.findall(r'\{"(\w+)", no_argument', main))
    shown = set(re.findall(r"^  -(\w)\b", said(program(), "-h"), re.MULTILINE))
    listed = [words(line) for line in re.findall(r"^\.It Fl (.*)$", section(
        page, ".Sh DESCRIPTION"), re.MULTILINE)]
    names = {word for line in listed for word in line if len(word) == 1}
    same("iprevd's options", names, short)
    same("iprevd -h", shown, short)
    same("iprevd's long options", {word.lstrip("-") for line in listed for word in line
                                   if word.startswith("-")}, longs)
    synopsis = section(page, ".Sh SYNOPSIS")
    same("iprevd's synopsis", "".join("".join(pair) for pair in re.findall(
        r"Fl (\w+)(?: \| (\w))?", synopsis)), short)


def check_signals(page):
    handled = set(re.findall(r"\bSIG(?!NAL)[A-Z0-9]{2,}\b", source("daemon/management.c")))
    listed = {word for line in re.findall(r"^\.It Dv (.*)$", section(page, ".Sh SIGNALS"),
                                          re.MULTILINE) for word in words(line)}
    same("signals", listed, handled - INTERNAL_SIGNALS)


def log_keys(line):
    return re.findall(r'(\w+)=(?:"(?:[^"\\]|\\.)*"|\S*)', line)


def check_log(page, conf_page, line):
    found = log_keys(line)
    if found[-2:] != OPTIONAL_KEYS[-2:]:
        WRONG.append(f"a line of the log without {OPTIONAL_KEYS[-2:]}: {line}")
    keys = [key for key in found if key not in OPTIONAL_KEYS]
    listed = [word for given in re.findall(r"^\.It Cm (.*)$", section(page, ".Sh LOGGING"),
                                           re.MULTILINE) for word in words(given)]
    same("keys of the log", listed, keys + OPTIONAL_KEYS)
    log = section(conf_page, ".Sh THE LOG")
    ordered = words(" ".join(re.findall(r"^\.Cm (.*)$", log.split(".Ql -")[0], re.MULTILINE)))
    ordered = [word for word in ordered if word != "."]
    if ordered != keys:
        WRONG.append(f"iprevd.conf(5) has the keys of the log as {ordered}, the log has {keys}")
    return keys + OPTIONAL_KEYS


def check_metrics(page, text):
    rows = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    labels = {name: [] for name in rows}
    for name, given in re.findall(r"^(\w+)\{([^}]*)\}", text, re.MULTILINE):
        name = name if name in rows else re.sub(r"_(bucket|sum|count)$", "", name)
        labels[name] += [label for label in re.findall(r'(\w+)="', given)
                         if label != "le" and label not in labels[name]]
    entries = re.findall(r"^\.It Li (\w+)\n(.*)\n(?:\.Pq Va (.*)\n)?",
                         section(page, ".Sh METRICS") + "\n", re.MULTILINE)
    if os.environ.get("FARM") == "no":
        entries = [entry for entry in entries if not entry[0].startswith("iprevd_farm")]
    same("metrics", [name for name, _, _ in entries], rows)
    for name, description, given in entries:
        if name not in rows:
            continue
        if description.lower() != rows[name].rstrip(".").lower():
            WRONG.append(f"{name}: the manual says \"{description}\", the help \"{rows[name]}\"")
        same(f"labels of {name}", ["-", *words(given)], ["-", *labels[name]])


# --- iprevctl(1) ---


def check_commands(page):
    tool = program("iprevctl")
    commands = re.findall(r"^  (\w+) {2,}", said(tool, "--help").split("Options of")[0],
                          re.MULTILINE)
    description = section(page, ".Sh DESCRIPTION")
    same("iprevctl's commands", re.findall(r"^\.Ss (\w+)$", description, re.MULTILINE), commands)
    synopsis = section(page, ".Sh SYNOPSIS")
    same("iprevctl's synopsis", re.findall(r"^\.Nm\n\.Cm (\w+)", synopsis, re.MULTILINE), commands)
    every = set()
    for name in commands:
        every |= check_command(name, description, synopsis, said(tool, name, "--help"))
    longs = set(re.findall(r'^    \{"([\w-]+)",\s+(?:NULL|"[^"]+"),\s+offsetof', source("ctl/**/*.c"),
                           re.MULTILINE))
    same("long options of iprevctl", every, longs)


def check_command(name, description, synopsis, helped):
    """One command's --help, synopsis and section have the same options; returns the long ones."""
    options = set(re.findall(r"^  --([\w-]+)", helped, re.MULTILINE))
    options |= {"c"} & set(re.findall(r"^  -(c) FILE", helped, re.MULTILINE))
    usage = helped.split("\n\n")[0]
    same(f"iprevctl {name}'s usage line", re.findall(r"(?<!\w)--?([\w-]+)", usage), options)
    given = "\n".join(part for part in synopsis.split(".Nm\n")
                      if re.match(rf"\.Cm {name}\b", part))
    same(f"iprevctl {name}'s synopsis", [word.lstrip("-") for word in
                                         re.findall(r"Fl (-?[\w-]+)", given)], options)
    body = section(description, f".Ss {name}", ends=(".Ss ", ".Sh "))
    listed = re.findall(r"^\.It Fl -([\w-]+)", body, re.MULTILINE)
    if "json" in options and name in ("cache", "allowed"):
        listed.append("json")  # said once, under status
    same(f"iprevctl {name}'s options", ["c", *listed], options)
    verbs = set(re.findall(r"^  (\w+)(?: \S+)? {2,}", helped, re.MULTILINE))
    if verbs:
        same(f"iprevctl {name}'s verbs", re.findall(r"^\.It Cm (\w+)", body, re.MULTILINE), verbs)
    return options - {"c"}


def check_exit_statuses(page):
    """What --help of a command says of its exit statuses is in the manual."""
    listed = set(re.findall(r"\b\d+\b", section(page, ".Sh EXIT STATUS")))
    for name in re.findall(r"^\.Ss (\w+)$", section(page, ".Sh DESCRIPTION"), re.MULTILINE):
        told = said(program("iprevctl"), name, "--help").partition("Exit status:")[2]
        missing = set(re.findall(r"(?<![-\w])(\d+)(?= )", told)) - listed
        if missing:
            WRONG.append(f"exit statuses of iprevctl {name}: the manual lacks {sorted(missing)}")


# --- iprevd.conf(5) ---


def check_checks(page):
    block = section(page, ".Ss Block check", ends=(".Ss ", ".Sh "))
    names = check_names()
    listed = re.findall(r"^\.It Sy ([\w-]+) Ta", block, re.MULTILINE)
    same("checks of iprevd.conf(5)", listed, names)
    meanings = dict(re.findall(r"^\.It ([a-z-]+)\n(.*)\.$", block, re.MULTILINE))
    same("what checks mean", meanings, names)
    sample = (TOP / "conf" / "iprevd.conf").read_text()
    for name, when in re.findall(r"^# ([a-z]+-[a-z-]+) +\w+ +[\d.]+ +(.*)$", sample, re.MULTILINE):
        if meanings.get(name) != when:
            WRONG.append(f"{name}: iprevd.conf(5) and the sample differ: {meanings.get(name)}")


# How an option is reached, by the manual's heading.
BLOCKS = {"The file": "{} = zzz", "Block dns": "dns {{ {} = zzz }}",
          "Block cache": "cache {{ {} = zzz }}",
          "Block memory": "memory {{ {} = zzz }}",
          "Block policy": 'policy "default" {{ {} = zzz }}',
          "Block check": 'policy "default" {{ check ptr-missing {{ {} = zzz }}\n}}'}
UNIT = r"(?: (?:second|minute|hour|day)s?)?"


def check_ranges(page, folder):
    """What `iprevd -t` says is allowed for a number, a time or a size is in the manual."""
    found = 0
    for heading, block in BLOCKS.items():
        body = section(page, f".Ss {heading}", ends=(".Ss ", ".Sh "))
        for name, entry in re.findall(r"^\.It Cm (\S+) No = .*\n((?:(?!\.It|\.El).*\n?)*)",
                                      body, re.MULTILINE):
            (folder / "range.conf").write_text(block.format(name) + "\n")
            allowed = said(program(), "-t", "-c", folder / "range.conf").partition("allowed: ")[2]
            span = re.search(rf"(\d\w*){UNIT} (?:\(off\) )?to (\d\w*{UNIT})", allowed)
            upper = re.search(rf"up to (\d+{UNIT})", allowed)
            if not span and not upper:
                continue
            found += 1
            wanted = upper[0] if upper else span[0]
            if "(off)" in allowed:
                wanted = f"up to {span[2]}"
            if wanted.lower() not in re.sub(r"\s+", " ", entry).lower():
                WRONG.append(f"{name}: iprevd.conf(5) does not say \"{wanted}\"")
    if found < 15:
        WRONG.append(f"ranges of only {found} options were found")


def check_json(page, line_keys, objects):
    log = section(page, ".Sh THE LOG")
    more = log.partition("More keys:")[2]
    flowing = more.replace("\n", " ")
    nested = words(" ".join(re.findall(r"\(of each true check: ([^)]*)\)", flowing)))
    listed = set(line_keys) | {word for line in re.findall(r"^\.Cm (.*)$", more, re.MULTILINE)
                               for word in words(line)} - {";", "."}
    same("keys of JSON", listed, objects[0])
    same("keys of check_details", nested, objects[0]["check_details"][0])
    lookup = re.search(r"every question with ([^)]*)\band the addresses", flowing)
    asked = set(objects[0]["ptr_lookup"])
    same("keys of a question", words(lookup[1]), asked)


# --- all ---


def check_rendering():
    """The pages are what mandoc and groff take without a warning, where there are these."""
    for tool in (["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-mandoc", "-ww", "-Tutf8", "-z"]):
        if shutil.which(tool[0]) is None:
            if tool[0] == "mandoc" and os.environ.get("CI") == "true":
                WRONG.append("mandoc is not there: scripts/install-packages check")
            continue
        for page in sorted((TOP / "doc").glob("*.[158]")):
            done = subprocess.run([*tool, page], capture_output=True, text=True, check=False)
            WRONG.extend((done.stdout + done.stderr).splitlines())


def play(folder):
    """(a line of the log with would and reason, the metrics)."""
    port = free_port()
    farm = ""
    if os.environ.get("FARM") != "no":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "farm.key").write_text(32 * "k")
        farm = (f'farm {{ servers = {{"unix:{folder}/store"}} name = "mx" '
                f'key-file = "{folder}/farm.key" }}\n')
    dns = f'nameservers = {{"127.0.0.1:{free_port()}"}} timeout = 50ms attempts = 1'
    with Daemon(folder, f'mode = monitor\ndeadline = 1\nmetrics = "127.0.0.1:{port}"\n{farm}',
                dns=f"dns {{ {dns} }}") as daemon:
        MilterClient(daemon.spec).session(client="203.0.113.5", helo="mail.nowhere.example")
        line = daemon.wait_log(r"client=.*")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return line, answer.read().decode()


def decide(folder):
    """iprevctl check --json of a client without PTR."""
    (folder / "zone").write_text(ZONE)
    (folder / "check.conf").write_text(
        'own-names = {"mx.example.net"}\ndns { zone-file = "zone" }\n')
    out = said(program("iprevctl"), "check", "203.0.113.5", "--helo", "mail.nowhere.example",
               "--json", "-c", folder / "check.conf")
    return [json.loads(line) for line in out.splitlines()]


def main():
    if shutil.which("setpriv") is None:
        print("skipped: no setpriv to start the daemon with")
        return 77
    daemon_page, tool_page, conf_page = map(manual, ("iprevd.8", "iprevctl.1", "iprevd.conf.5"))
    with tempfile.TemporaryDirectory(prefix="iprevd-manuals-") as name:
        folder = pathlib.Path(name)
        line, metrics = play(folder / "iprevd")
        objects = decide(folder)
        check_ranges(conf_page, folder)
    check_rendering()
    check_daemon_options(daemon_page)
    check_signals(daemon_page)
    keys = check_log(daemon_page, conf_page, line)
    check_metrics(daemon_page, metrics)
    check_commands(tool_page)
    check_exit_statuses(tool_page)
    check_checks(conf_page)
    check_json(conf_page, keys, objects)
    print("\n".join(WRONG) if WRONG else "manuals and programs know the same")
    return 1 if WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
