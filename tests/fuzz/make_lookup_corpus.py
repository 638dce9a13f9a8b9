#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes seeds of fuzz_lookup: make_lookup_corpus.py DIRECTORY"""
import os
import struct
import sys

QUESTION = b"\xc0\x0c"  # a pointer to the name that was asked for
A, CNAME, SOA, PTR, MX, AAAA = 1, 5, 6, 12, 15, 28
CLIENT_V6 = bytes.fromhex("20010db8000000000000000000000001")


def name(text):
    labels = [label.encode("latin-1") for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(rrtype, data, owner=QUESTION, ttl=3600):
    return owner + struct.pack(">HHIH", rrtype, 1, ttl, len(data)) + data


def message(*answers, flags=0x0080, authority=()):
    """What fuzz_lookup puts behind the question."""
    records = b"".join([*answers, *authority])
    return struct.pack(">HBBH", flags, len(answers), len(authority), len(records)) + records


def ptr(*names):
    return message(*(record(PTR, name(text)) for text in names))


def a(*addresses):
    return message(*(record(A, bytes(map(int, text.split(".")))) for text in addresses))


def negative(zone, flags=0x0080):
    soa = name("ns") + name("h") + struct.pack(">IIIII", 1, 1, 1, 1, 300)
    return message(flags=flags, authority=[record(SOA, soa, owner=name(zone))])


def nxdomain(zone):
    return negative(zone, flags=0x0083)


AAAA_V6 = message(record(AAAA, CLIENT_V6))
SERVFAIL = message(flags=0x0082)

SEEDS = {
    "pass": b"\0mail.example\n" + ptr("mail.example") + a("192.0.2.1") * 2,
    "pass-v6": b"\1mail.example\n" + ptr("mail.example") + AAAA_V6 * 2,
    "fail": b"\0other.example\n" + ptr("mail.example") + a("192.0.2.9") + a("192.0.2.1"),
    "missing": b"\0mail.example\n" + nxdomain("in-addr.arpa") + nxdomain("example") * 3,
    "nodata": b"\0mail.example\n" + negative("example") * 4,
    "servfail": b"\0mail.example\n" + SERVFAIL * 4,
    "nothing": b"\0mail.example\n",
    "several": b"\0c.example\n"
               + ptr("a.example", "b.example", "c.example", "d.example", "localhost", "192.0.2.1",
                     "x\x00y\xff\"(.example", "")
               + a("192.0.2.7") + a("192.0.2.1", "192.0.2.2") + SERVFAIL,
    "cname": b"\0m.example\n" + message(record(CNAME, name("1.0-15.2.0.192.in-addr.arpa")))
             + ptr("m.example")
             + message(record(CNAME, name("w.example")),
                       record(A, b"\xc0\0\2\1", owner=name("w.example"))),
    "cname-loop": b"\0m.example\n" + message(record(CNAME, QUESTION)) * 9,
    "helo-literal": b"\0[192.0.2.1]\n" + ptr("dsl-192-0-2-1.isp.example") + a("192.0.2.1"),
    "helo-mx": b"\0example.org\n" + ptr("mail.example") + a("192.0.2.1")
               + negative("example") * 2 + message(record(MX, b"\0\n" + name("mail.example"))),
    "long-name": b"\0x\n" + ptr(".".join(["a" * 63] * 3 + ["b" * 61])),
    "short-ttl": b"\0x.example\n" + message(record(PTR, name("mail.example"), ttl=0))
                 + a("192.0.2.1") * 2 + ptr("other.example") + a("192.0.2.1"),
    "odd-flags": b"\0x.example\n" + message(record(PTR, name("mail.example")), flags=0x0780)
                 + message(flags=0x0283) + b"\4\xa0\xff\xff\0\x28" + b"\xff" * 40,
}


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    for label, data in SEEDS.items():
        with open(os.path.join(directory, label), "wb") as file:
            file.write(data)


main()
