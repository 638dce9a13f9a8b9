#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reply, header, log and iprevctl check give the same reason in the same words, for every check.

The sessions of replies.py are played twice, to a recipient whose policy refuses for the check and to
one whose policy tags for it, and iprevctl is asked about both.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from replies import GOOD, SITUATIONS, ZONE, check_names, policies  # noqa: E402
from daemon import Daemon, program  # noqa: E402
from milterclient import MilterClient  # noqa: E402

SENDER = "alice@good.example"
WRONG = []


def same(label, what, got, want):
    if got != want:
        WRONG.append(f"{label}: {what} is\n    {got}\nnot\n    {want}")


def tag_policies(names):
    """As replies.policies(), but tagging, for recipients in tag.example.net."""
    text = ""
    for wanted in [*names, "score"]:
        text += (f'match "tag-{wanted}" {{ recipient = {{"{wanted}@tag.example.net"}} '
                 f'policy = "tag-{wanted}" }}\n'
                 f'policy "tag-{wanted}" {{ tag-score = {3 if wanted == "score" else 0}\n')
        text += "".join(f'    check {name} {{ action = {"tag" if name == wanted else "accept"} }}\n'
                        for name in names)
        text += "}\n"
    return text


def unquoted(text):
    """The value of reason="..." in a log line or header field."""
    found = re.search(r'\breason="((?:[^"\\]|\\.)*)"', text)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None


def play(daemon, given, recipient):
    """
    A verdict waits for nothing that cannot change it, but who can fix it may be said better with all
    answers, as `iprevctl check` has them: so it is played until they come from the cache.
    """
    session = dict(GOOD, sender=SENDER)
    session.update({key: value for key, value in given.items() if key != "macros"})
    for _ in range(20):
        seen = len(daemon.log)
        result = MilterClient(daemon.spec).session(
            rcpts=[recipient], macros={"client_resolve": None, **given.get("macros", {})}, **session)
        line = daemon.wait_log(
            rf"client={re.escape(session['client'])} .*recipient={recipient}.*\n", since=seen)[0]
        if " cache=hit " in line:
            break
    return result, line


def ask(daemon, given, recipient, *more):
    session = dict(GOOD, sender=SENDER)
    session.update(given)
    done = subprocess.run([program("iprevctl"), "check", "-c", daemon.config_path,
                           session["client"], "--helo", session["helo"], "--sender",
                           session["sender"], "--rcpt", recipient, *more],
                          capture_output=True, text=True, check=False)
    assert "error" not in done.stderr, done.stderr  # warnings of such policies are right
    return done.stdout


def session_client(given):
    return {**GOOD, **given}["client"]


def only_an_mta_knows(check, given):
    """Nobody tells iprevctl that MAIL came without EHLO, what an MTA found, or its address."""
    return check in ("helo-missing", "mta-disagrees") or (
        check == "helo-self" and given["helo"].startswith("["))


def check_situation(daemon, number, check, given):
    label = f"{check} ({number})"
    refused, line = play(daemon, given, f"{check}@example.net")
    reason = unquoted(line)
    reply = re.sub(r"\s+", " ", refused.text or "").strip()
    # Code, enhanced code, the client, the reason, who can fix it, perhaps a record, and the check.
    address = session_client(given)
    said = (reason or "").removeprefix(f"{address} ")
    told = re.fullmatch(r"\d{3} \d\.\d+\.\d+ \[(\S+)\] " + re.escape(said) +
                        r'; (.*?)(?:: "[^"]*")? \(([\w-]+)\)', reply)
    if not reason or told is None or told[1] != address or check not in (told[3], "score"):
        WRONG.append(f"{label}: the log says\n    {reason}\nthe reply\n    {reply}")
        return
    mend = told[2]
    tagged, tag_line = play(daemon, given, f"{check}@tag.example.net")
    header = [edit.value for edit in tagged.edits if edit.name == "X-Iprevd"]
    same(label, "the reason in the header", [unquoted(value) for value in header], [reason])
    same(label, "the reason in the log of what is tagged", unquoted(tag_line), reason)
    if only_an_mta_knows(check, given):
        return
    for recipient in (f"{check}@example.net", f"{check}@tag.example.net"):
        found = json.loads(ask(daemon, given, recipient, "--json"))
        same(label, "the reason of iprevctl check --json", found["reason"], reason)
        same(label, "its mend", found["mend"], mend)
        page = " ".join(ask(daemon, given, recipient).split())
        if reason not in page:
            WRONG.append(f"{label}: iprevctl check says it otherwise than\n    {reason}\n{page}")
        if recipient == f"{check}@example.net" and reply not in page:
            WRONG.append(f"{label}: iprevctl check has another reply than\n    {reply}\n{page}")


def main():
    if shutil.which("setpriv") is None:
        print("skipped: no setpriv to start the daemon with")
        return 77
    names = check_names()
    played = [(number, check, given) for number, (check, given) in enumerate(SITUATIONS)
              # Another has them; not a sentence of its own; only the daemon knows of earlier ones.
              if check not in ("url", "names", "greylist", "helo-unstable")]
    with tempfile.TemporaryDirectory(prefix="iprevd-reasons-") as folder:
        for number, check, given in played:
            # One log a situation.
            config = policies(names) + tag_policies(names)
            with Daemon(pathlib.Path(folder) / f"iprevd{number}", config, zone=ZONE) as daemon:
                check_situation(daemon, number, check, given)
    missing = set(names) - {check for _, check, _ in played} - {"helo-unstable"}
    WRONG.extend(f"no session is played for {name}" for name in sorted(missing))
    print("\n".join(WRONG) if WRONG else f"{len(played)} reasons are the same everywhere")
    return 1 if WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
