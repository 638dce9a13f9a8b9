#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a sender whose server is set up in one of many wrong ways is advised, word for word.

Each file of tests/advice is a set-up: comment lines, records, then commands of iprevctl check and
what they print: the reply and the advice, whole.  With --record BUILD the outputs are written anew.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "integration"))
from daemon import program  # noqa: E402

CASES = TOP / "tests" / "advice"

# Zones that every set-up has.
COMMON = "$ORIGIN .\n$TTL 3600\n" + "".join(
    f"{zone}. SOA ns.{zone}. root.{zone}. 1 3600 600 86400 300\n" for zone in (
        "113.0.203.in-addr.arpa", "100.51.198.in-addr.arpa", "2.0.192.in-addr.arpa",
        "8.b.d.0.1.0.0.2.ip6.arpa", "acme.example", "shop.example", "isp.example",
        "bigmail.example"))


def said(directory, zone, arguments):
    """The reply and the advice of a command."""
    (directory / "zone").write_text(COMMON + zone)
    (directory / "conf").write_text(f'mode = enforce\nlocal-networks = {{}}\ncontrol = "none"\n'
                                    'own-names = {"mx.site.example"}\n'
                                    f'state-dir = "none"\ndns {{ zone-file = "{directory}/zone" }}\n')
    done = subprocess.run([program("iprevctl"), "check", "-c", directory / "conf", *arguments],
                          capture_output=True, text=True, timeout=60)
    lines, shown = [], False
    for line in done.stdout.splitlines():
        if line[:1] != " ":
            shown = line.startswith(("reply ", "advice ", "verdict "))
        if shown:
            lines.append(line)
    return "\n".join(lines) + done.stderr


def split(text):
    """The zone, and [(command, output)] of a set-up."""
    head, *parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    return head, list(zip(parts[::2], parts[1::2]))


def main():
    record = "--record" in sys.argv
    wrong, count = [], 0
    with tempfile.TemporaryDirectory(prefix="iprevd-advice-") as name:
        for path in sorted(CASES.iterdir()):
            head, commands = split(path.read_text())
            zone = "".join(line + "\n" for line in head.splitlines() if not line.startswith("#"))
            text = head
            for command, output in commands:
                got = said(pathlib.Path(name), zone, command.split()[1:])
                text += f"$ {command}\n{got}\n\n"
                count += 1
                if got != output.strip("\n"):
                    wrong.append(f"{path.name}: {command} prints\n{got}\nnot\n{output}")
            if record:
                path.write_text(text.rstrip("\n") + "\n")
    print("\n".join(wrong) if wrong else f"{count} commands of {len(list(CASES.iterdir()))} set-ups")
    return 1 if (wrong and not record) or count < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
