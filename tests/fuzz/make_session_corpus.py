#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes seeds of fuzz_session from scenario files: make_session_corpus.py DIRECTORY FILE.scn ...

The events of a story, under one of the target's configurations; what only a scenario has
(expectations, configuration, zone) is left out.
"""
import os
import re
import sys

CONFIGURATIONS = 7
BEHIND_RELAYS = 5  # the one with trusted relays
EVENTS = {"connect": "c", "ehlo": "h", "helo": "h", "mail": "m", "rcpt": "r", "header": "H",
          "end": "e", "reset": "R", "quit": "q", "macro": "M"}


def unescape(text):
    text = re.sub(r"(.)\\\*(\d+)", lambda found: found[1] * min(int(found[2]), 300), text)
    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)


def event(line):
    word, _, rest = line.partition(" ")
    if word in EVENTS:
        text = unescape(rest.strip()).replace("\n", "\v").replace("\0", "")
        return (EVENTS[word] + " " + text).rstrip(" ")
    if word == "wait":
        return "w " + (re.sub(r"[^0-9]", "", rest) + ("" if rest.endswith("ms") else "000"))[:5]
    if word == "dns":
        name, fate = rest.split()[:2]
        return "d " + name + " " + fate
    if word == "allow" and rest:
        return "x " + rest.split()[0]
    return None


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    for number, path in enumerate(sys.argv[2:]):
        with open(path, encoding="utf-8") as file:
            lines = [event(line.rstrip("\n")) for line in file if line[:1].isalpha()]
        lines = [line for line in lines if line is not None]
        name = os.path.basename(path).removesuffix(".scn")
        which = BEHIND_RELAYS if name.startswith("relay") else number % CONFIGURATIONS
        text = "\n".join([str(which)] + lines) + "\n"
        with open(os.path.join(directory, name), "wb") as file:
            file.write(text.encode("latin-1", "replace"))


main()
