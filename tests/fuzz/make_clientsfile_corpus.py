#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of fuzz_clientsfile: entries of a block, sound and odd, and whole files."""
import os
import struct
import sys

TODAY, DAY = 20000, 86400
NOW = TODAY * DAY


def entry(number, last=TODAY - 1, previous=TODAY - 2, failed=0, passed_since=False):
    return struct.pack(">QIHH", number << 32 | number << 1 | passed_since, failed, last, previous)


def fnv(data, total=0xcbf29ce484222325):
    for byte in data:
        total = (total ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return total


def whole(entries, key=bytes(16), version=1, magic=b"\x8diprevd\n", wall=NOW, end=True):
    out = magic + struct.pack(">IIq", version, 0, wall)
    total = fnv(out)
    out += struct.pack(">Q", total)
    for block in [key, *entries] + ([b""] if end else []):
        total = fnv(struct.pack(">I", len(block)) + block, total)
        out += struct.pack(">IQ", len(block), total) + block
    return out


ALL = (entry(1) + entry(2, failed=NOW - DAY) + entry(3, failed=NOW - 9 * DAY)
       + entry(4, previous=0) + entry(5, failed=NOW, passed_since=True))
BLOCKS = {
    "given": entry(1),
    "over": entry(1, failed=NOW - 9 * DAY, passed_since=True),
    "all": ALL,
    "nothing": b"",
    "twice": entry(1) + entry(1, failed=5),
    "free": struct.pack(">QIHH", 0, 0, 1, 1),
    "free-but-a-bit": struct.pack(">QIHH", 1, 0, 1, 1),
    "good-then-free": ALL + bytes(16),
    "cut": ALL[:-1],
    "future": entry(1, last=65535, previous=65534, failed=2**32 - 1),
    "days-swapped": entry(1, last=TODAY - 9, previous=TODAY),
    "never-passed": entry(1, last=0, previous=0, failed=1),
    "one-bucket": b"".join(struct.pack(">QIHH", i << 1, 0, TODAY, TODAY - 1) for i in range(1, 40)),
    "full": b"".join(entry(i * 999983 % 2**31 + 1, last=TODAY - i % 50) for i in range(6000)),
}
FILES = {
    "file": whole([ALL]),
    "file-two-blocks": whole([entry(1), entry(2)]),
    "file-key-short": whole([ALL], key=bytes(15)),
    "file-no-end": whole([ALL], end=False),
    "file-other-version": whole([ALL], version=2),
    "file-other-magic": whole([ALL], magic=b"\x8ciprevd\n"),
    "file-goes-on": whole([ALL]) + b"\0",
    "file-empty": b"",
    "file-cut": whole([ALL])[:-20],
    "file-long-block": whole([])[:-12] + struct.pack(">IQ", 2**32 - 1, 0),
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for first, inputs in ((b"\1", BLOCKS), (b"\0", FILES)):
        for title, data in inputs.items():
            with open(os.path.join(folder, title), "wb") as file:
                file.write(first + data)


if __name__ == "__main__":
    main(sys.argv[1])
