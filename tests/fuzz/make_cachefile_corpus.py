#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the corpus of fuzz_cachefile: records of a block, sound and broken, and whole files."""
import os
import struct
import sys

A, PTR, MX, AAAA = 1, 12, 15, 28
FOUND, NODATA, NXDOMAIN, TEMPERROR = 1, 2, 3, 4


def name(text):
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner, rrtype, outcome=FOUND, payload=b"", count=1, flags=0, expires_ms=3600000,
           ttl=3600, dropped=0, owner_length=None, payload_length=None, length=None):
    rest = struct.pack(">HBBqIIHHII", rrtype, outcome, flags, expires_ms, ttl, 20, count, dropped,
                       len(payload) if payload_length is None else payload_length,
                       len(owner) if owner_length is None else owner_length) + owner + payload
    return struct.pack(">I", len(rest) if length is None else length) + rest


def fnv(data, total=0xcbf29ce484222325):
    for byte in data:
        total = (total ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return total


def whole(records, version=1, magic=b"\x8ciprevd\n", wall=1700000000):
    out = magic + struct.pack(">IIq", version, 0, wall)
    total = fnv(out)
    out += struct.pack(">Q", total)
    for block in ([records] if records else []) + [b""]:
        total = fnv(struct.pack(">I", len(block)) + block, total)
        out += struct.pack(">IQ", len(block), total) + block
    return out


MAIL, REVERSE = name("mail.example"), name("7.113.0.203.in-addr.arpa")
GOOD = (record(MAIL, A, payload=bytes([203, 0, 113, 7, 203, 0, 113, 8]), count=2, flags=3)
        + record(MAIL, AAAA, payload=bytes(15) + b"\1")
        + record(REVERSE, PTR, payload=MAIL + name("") + name("z.example"), count=3, dropped=9)
        + record(name("example"), MX, payload=MAIL)
        + record(name("gone.example"), A, NXDOMAIN, count=0)
        + record(name("empty.example"), AAAA, NODATA, count=0, expires_ms=-5000))

BLOCKS = {
    "good": GOOD,
    "nothing": b"",
    "root": record(name(""), A, payload=bytes(4)),
    "longest-name": record(b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x3d"
                           + b"d" * 61 + b"\0", A, payload=bytes(4)),
    "name-too-long": record((b"\x3f" + b"a" * 63) * 4 + b"\0", A, payload=bytes(4),
                            owner_length=255),
    "name-unfinished": record(b"\4mail", A, payload=bytes(4)),
    "name-pointer": record(b"\xc0\x0c", A, payload=bytes(4)),
    "name-upper-case": record(name("MAIL"), A, payload=bytes(4)),
    "name-empty": record(b"", A, payload=bytes(4)),
    "a-odd": record(MAIL, A, payload=bytes(5)),
    "a-none": record(MAIL, A, count=0),
    "a-more-counted": record(MAIL, A, payload=bytes(4), count=65535),
    "ptr-fewer": record(REVERSE, PTR, payload=MAIL, count=2),
    "ptr-more": record(REVERSE, PTR, payload=MAIL + MAIL, count=1),
    "ptr-unfinished": record(REVERSE, PTR, payload=MAIL[:-1]),
    "nxdomain-with-payload": record(MAIL, A, NXDOMAIN, payload=bytes(4)),
    "temperror": record(MAIL, A, TEMPERROR, count=0),
    "type-unknown": record(MAIL, 99, payload=MAIL),
    "flags-unknown": record(MAIL, A, payload=bytes(4), flags=0xff),
    "expires-never": record(MAIL, A, payload=bytes(4), expires_ms=2**63 - 1),
    "expired-ever": record(MAIL, A, payload=bytes(4), expires_ms=-2**63),
    "length-short": record(MAIL, A, payload=bytes(4), length=3),
    "length-long": record(MAIL, A, payload=bytes(4), length=2**32 - 1),
    "payload-long": record(MAIL, A, payload=bytes(4), payload_length=2**32 - 1),
    "twice": record(MAIL, A, payload=bytes(4)) * 2,
    "good-then-broken": GOOD + b"\0\0",
}

FILES = {
    "file-good": whole(GOOD),
    "file-empty": b"",
    "file-no-records": whole(b""),
    "file-version": whole(GOOD, version=2),
    "file-foreign": whole(GOOD, magic=b"#!/bin/s"),
    "file-cut": whole(GOOD)[:100],
    "file-from-the-future": whole(GOOD, wall=1800000000),
    "file-huge-block": whole(b"")[:32] + b"\xff" * 12,
}


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    for mode, inputs in ((b"\1", BLOCKS), (b"\0", FILES)):
        for label, data in inputs.items():
            with open(os.path.join(directory, label), "wb") as file:
                file.write(mode + data)


main()
