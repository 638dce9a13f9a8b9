#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every reply that iprevd gives is in doc/why-was-i-refused.md, and nothing else is.

Sessions are played for every check and every way in which it comes true; the page shows exactly
their replies, in blocks of the language `reply` under the check's own heading.  With --print they
are printed as the page shows them.
"""

import ipaddress
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "integration"))
import fenced  # noqa: E402
from daemon import Daemon, program  # noqa: E402
from milterclient import MilterClient  # noqa: E402

PAGE, HTML = "why-was-i-refused.md", "why-was-i-refused.html"
WIDTH = 96
URL = "https://www.example.net/why-was-i-refused.html#%{check}"


def ptr(address, *names):
    owner = ipaddress.ip_address(address).reverse_pointer
    return "".join(f"{owner}. PTR {name}\n" for name in names)


ZONE = "$ORIGIN .\n$TTL 3600\n" + "".join([
    # A good server, for whom only EHLO is wrong.
    ptr("192.0.2.10", "mail.good.example."), "mail.good.example. A 192.0.2.10\n",
    "empty.good.example. TXT nothing\n", "www.good.example. A 192.0.2.80\n",
    "good.example. SOA ns.good.example. root.good.example. 1 3600 600 86400 300\n",
    "mail.other.example. A 203.0.113.25\n", "mx.example.net. A 192.0.2.254\n",
    # Reverse DNS.
    "113.0.203.in-addr.arpa. SOA ns.isp.example. root.isp.example. 1 3600 600 86400 300\n",
    "6.113.0.203.in-addr.arpa. TXT nothing\n",
    ptr("198.51.100.21", "198.51.100.21."), ptr("198.51.100.22", "localhost."),
    ptr("198.51.100.23", "mail,isp.example."), ptr("198.51.100.24", "localhost.", "198.51.100.24."),
    ptr("198.51.100.7", "mail.moved.example."), "mail.moved.example. A 203.0.113.9\n",
    ptr("198.51.100.8", "mail.gone.example."),
    "gone.example. SOA ns.gone.example. root.gone.example. 1 3600 600 86400 300\n",
    ptr("198.51.100.9", "mail.six.example."), "mail.six.example. AAAA 2001:db8::9\n",
    ptr("198.51.100.10", "a.many.example.", "b.many.example."), "a.many.example. A 203.0.113.1\n",
    "b.many.example. A 203.0.113.2\nb.many.example. A 203.0.113.3\n",
    ptr("198.51.100.11", *(f"n{number:02}.crowd.example." for number in range(1, 13))),
    "crowd.example. SOA ns.crowd.example. root.crowd.example. 1 3600 600 86400 300\n",
    ptr("198.51.100.20", "198-51-100-20.dsl.example."),
    "198-51-100-20.dsl.example. A 198.51.100.20\n",
    "30.100.51.198.in-addr.arpa. NS ns.unreachable.example.\n",
    ptr("198.51.100.31", "mail.away.example."), "mail.away.example. NS ns.unreachable.example.\n",
])

GOOD = {"client": "192.0.2.10", "helo": "mail.good.example"}
LINE = {"client": "198.51.100.20", "helo": "198-51-100-20.dsl.example"}

# Check, then what differs from a good session.
SITUATIONS = [
    ("ptr-missing", {"client": "203.0.113.5"}),
    ("ptr-missing", {"client": "203.0.113.6"}),
    ("ptr-invalid", {"client": "198.51.100.21"}),
    ("ptr-invalid", {"client": "198.51.100.22"}),
    ("ptr-invalid", {"client": "198.51.100.23"}),
    ("ptr-invalid", {"client": "198.51.100.24"}),
    ("ptr-mismatch", {"client": "198.51.100.7"}),
    ("ptr-mismatch", {"client": "198.51.100.8"}),
    ("ptr-mismatch", {"client": "198.51.100.9"}),
    ("ptr-mismatch", {"client": "198.51.100.10"}),
    ("ptr-generic", LINE),
    ("ptr-excess", {"client": "198.51.100.11"}),
    ("dns-temperror", {"client": "198.51.100.30"}),
    ("dns-temperror", {"client": "198.51.100.31"}),
    ("helo-missing", {"helo": None}),
    ("helo-invalid", {"helo": "my server"}),
    ("helo-invalid", {"helo": ""}),
    ("helo-bare-ip", {"helo": "192.0.2.10"}),
    ("helo-literal-mismatch", {"helo": "[192.168.1.2]"}),
    ("helo-not-fqdn", {"helo": "mailserver"}),
    ("helo-self", {"helo": "mx.example.net"}),
    ("helo-self", {"helo": "[192.0.2.254]"}),
    ("helo-unresolved", {"helo": "mail2.good.example"}),
    ("helo-unresolved", {"helo": "empty.good.example"}),
    ("helo-mismatch", {"helo": "www.good.example"}),
    ("helo-disagrees", {"helo": "mail.other.example"}),
    ("helo-unstable", {"client": "203.0.113.40",
                       "helo": ["a.other.example", "b.moved.example", "c.third.example"]}),
    ("sender-ptr-mismatch", {"sender": "alice@other.example"}),
    ("mta-disagrees", {"macros": {"client_resolve": "FAIL"}}),
    ("score", dict(LINE, helo="mailserver")),
    ("greylist", LINE),
    ("names", {"helo": [f"mail{number}.good.example" for number in range(11)]}),
    ("url", {"client": "203.0.113.5"}),
]

SECTIONS = {"score": "More than one thing", "greylist": "Greylisted", "url": "What a reply says",
            "names": "Too many EHLO names"}


def check_actions():
    """All checks and what is done about them as shipped, as the program knows them."""
    printed = subprocess.run([program("iprevctl"), "config", "-c", "/dev/null"], check=True,
                             capture_output=True, text=True).stdout
    return dict(re.findall(r"^    check ([\w-]+) \{\n +action = (\w+)$", printed, re.MULTILINE))


def check_names():
    return list(check_actions())


def problem_words():
    """What may stand in the brackets of a temporary failure."""
    source = (TOP / "src" / "dns" / "answer.c").read_text()
    found = re.findall(r'\[PROBLEM_(?!NONE)\w+\] = "([^"]+)"', source)
    assert "SERVFAIL" in found, "answer.c is written differently now"
    return found


def policies(names):
    """For every check a policy that refuses for it alone, chosen by the recipient."""
    text = 'mode = enforce\nlocal-networks = {}\nown-names = {"mx.example.net"}\n'
    for wanted in [*names, "score", "greylist"]:
        limit = 3 if wanted == "score" else 0
        text += f'match "{wanted}" {{\n    recipient = {{"{wanted}@example.net"}}\n'
        text += f'    policy = "{wanted}"\n}}\n'
        text += f'policy "{wanted}" {{\n    tag-score = 0\n    reject-score = {limit}\n'
        for name in names:
            action = "accept"
            if name == wanted:
                action = "tempfail" if name == "dns-temperror" else "reject"
            elif wanted == "greylist" and name == "ptr-generic":
                action = "greylist"
            text += f"    check {name} {{ action = {action} }}\n"
        text += "}\n"
    return text


def play(client, check, given):
    names = {"client_resolve": None, **given.get("macros", {})}
    recipient = "ptr-missing" if check == "url" else check
    session = dict(GOOD, sender="alice@good.example")
    session.update({key: value for key, value in given.items() if key != "macros"})
    result = client.session(rcpts=[f"{recipient}@example.net"], macros=names, **session)
    assert result.refusal, f"{check}: {given} was not refused"
    return re.sub(r"\s+", " ", result.text).strip()


def all_replies(folder, names):
    """[(heading, reply)] in the order of SITUATIONS."""
    found = []
    for url in (False, True):
        config = policies(names) + (f'help-url = "{URL}"\n' if url else "")
        with Daemon(folder / f"iprevd{url:d}", config, zone=ZONE) as daemon:
            client = MilterClient(daemon.spec)
            for check, given in SITUATIONS:
                if (check == "url") == url:
                    found.append((SECTIONS.get(check, check), play(client, check, given)))
    return found


def shown_replies():
    """[(heading, reply)] of the page: a reply begins at the margin, the lines after it do not."""
    found = []
    for block in fenced.blocks((TOP / "doc" / PAGE).read_text()):
        if block.language != "reply":
            continue
        for reply in re.split(r"\n(?=\S)", block.text.rstrip("\n")):
            found.append((block.heading, re.sub(r"\s+", " ", reply).strip()))
    return found


def shipped_actions():
    """What the page says of the shipped policy, where that is wrong."""
    text = re.sub(r"\s+", " ", (TOP / "doc" / PAGE).read_text())
    told = re.search(r"iprevd refuses for (.*?), defers for (.*?), and at most marks", text)
    actions = check_actions()
    return [f"{PAGE} is wrong about who is met by {action}"
            for number, action in ((1, "reject"), (2, "tempfail"))
            if set(re.findall(r"`([\w-]+)`", told[number])) !=
            {name for name in actions if actions[name] == action}]


def main():
    if shutil.which("setpriv") is None:
        print("skipped: no setpriv to start the daemon with")
        return 77
    names = check_names()
    with tempfile.TemporaryDirectory(prefix="iprevd-replies-") as folder:
        replies = all_replies(pathlib.Path(folder), names)
    if "--print" in sys.argv[1:]:
        for heading, reply in replies:
            print(heading)
            print(textwrap.fill(reply, WIDTH, subsequent_indent="    ", break_on_hyphens=False))
        return 0
    shown = shown_replies()
    wrong = [f"not in {PAGE} under \"{heading}\": {reply}" for heading, reply in replies
             if (heading, reply) not in shown]
    wrong += [f"in {PAGE} under \"{heading}\", and iprevd does not say it: {reply}"
              for heading, reply in shown if (heading, reply) not in replies]
    wrong += [f"what \"{words}\" means is not in {PAGE}" for words in problem_words()
              if f"`{words}`" not in (TOP / "doc" / PAGE).read_text()]
    wrong += shipped_actions()
    made = subprocess.run([TOP / "scripts" / "make-page", "--check"], capture_output=True, text=True)
    wrong += [made.stdout.strip()] if made.returncode != 0 else []
    anchors = re.findall(r'<h3 id="([^"]+)"', (TOP / "doc" / HTML).read_text())
    wrong += [f"{HTML} has no anchor {name}" for name in names if name not in anchors]
    played = {heading for heading, _ in replies}
    wrong += [f"no session is played for {name}" for name in names if name not in played]
    print("\n".join(wrong) if wrong else f"{len(replies)} replies of {len(names)} checks are shown")
    return 1 if wrong or len(replies) < len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
