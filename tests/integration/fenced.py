# SPDX-License-Identifier: BSD-2-Clause
"""The fenced blocks of a guide in doc/: what it tells people to write, by heading.

A block's language says what it is: `main.cf`, `master.cf`, `sendmail.mc`, `iprevd.conf`, `sh`,
`console`; one without is for reading.  The blocks under one heading make one installation.
"""

import dataclasses
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Block:
    heading: str
    language: str
    text: str
    line: int  # in the file, of the first line of text


def blocks(text):
    """Every fenced block in order."""
    found, heading, opened, where = [], "", None, 0
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        fence = re.match(r"```([^`]*)$", line)
        if opened is not None and line == "```":
            found.append(Block(heading, opened, "\n".join(lines[where:number - 1]) + "\n",
                               where + 1))
            opened = None
        elif opened is None and fence:
            opened, where = fence[1], number
        elif opened is None and line.startswith("#"):
            heading = line.lstrip("#").strip()
    assert opened is None, f"the block that begins in line {where} does not end"
    return found


def installations(name):
    """{heading: {language: text}} of doc/NAME, blocks of one language one after the other."""
    found = {}
    for block in blocks((TOP / "doc" / name).read_text()):
        if block.language:
            made = found.setdefault(block.heading, {})
            made[block.language] = made.get(block.language, "") + block.text
    return found
