#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of fuzz_clientsfile: entries of a block, sound and odd, and whole files, of clients and networks."""
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


def network(number, when=NOW - 600, passed=False):
    return struct.pack(">QI", number << 32 | number << 1 | passed, when)


MANY = network(1) + network(2, passed=True) + network(3, NOW - 9 * DAY) + network(4, NOW - 90 * DAY, True)
NETWORK_BLOCKS = {
    "networks-all": MANY,
    "networks-nothing": b"",
    "networks-twice": network(1) + network(1, passed=True),
    "networks-free": struct.pack(">QI", 1, 1),
    "networks-good-then-free": MANY + bytes(12),
    "networks-cut": MANY[:-1],
    "networks-future": network(1, 2**32 - 1) + network(2, 2**32 - 1, True) + network(3, 0),
    "networks-one-bucket": b"".join(struct.pack(">QI", 1 << 32 | i << 1, NOW) for i in range(1, 40)),
    "networks-full": b"".join(network(i * 999983 % 2**31 + 1, NOW - i % 50) for i in range(2000)),
}
NETWORK_FILES = {
    "networks-file": whole([MANY], magic=b"\x8diprevg\n"),
    "networks-file-of-clients": whole([ALL]),
    "networks-file-two-blocks": whole([network(1), network(2)], magic=b"\x8diprevg\n"),
    "networks-file-cut": whole([MANY, MANY], magic=b"\x8diprevg\n")[:-20],
    "networks-file-other-version": whole([MANY], version=2, magic=b"\x8diprevg\n"),
}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for first, inputs in ((b"\1", BLOCKS), (b"\0", FILES), (b"\3", NETWORK_BLOCKS), (b"\2", NETWORK_FILES)):
        for title, data in inputs.items():
            with open(os.path.join(folder, title), "wb") as file:
                file.write(first + data)


if __name__ == "__main__":
    main(sys.argv[1])
