#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds of fuzz_dnsmsg: one byte of switches, then a message.  Usage: make_dnsmsg_corpus.py DIRECTORY"""

import pathlib
import struct
import sys

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

EDNS, STREAM, TRUSTED, OTHER = 1, 2, 4, 0x80
NAME = "www.example.org."
SOA = ("example.org.", 300, "SOA", ["ns.example.org. h.example.org. 1 2 3 4 60"])


def message(answer=(), authority=(), rdtype="A", name=NAME, rcode="NOERROR", flags=0, edns=False):
    query = dns.message.make_query(name, rdtype, use_edns=0 if edns else False)
    query.id = 0x1234
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= flags
    response.set_rcode(dns.rcode.from_text(rcode))
    for section, entries in ((response.answer, answer), (response.authority, authority)):
        for owner, ttl, kind, records in entries:
            section.append(dns.rrset.from_text(owner, 0, "IN", kind, *records))
            section[-1].ttl = ttl
    return response.to_wire(max_size=65535)


def chain(*names):
    return [(one, 60, "CNAME", [two]) for one, two in zip(names, names[1:])]


def raw(answers, counts, name=b"\3www\7example\3org\0", rdtype=1):
    header = struct.pack("!HHHHHH", 0x1234, 0x8180, 1, *counts)
    return header + name + struct.pack("!HH", rdtype, 1) + answers


def record(owner, rdtype, data, ttl=60, length=None):
    return owner + struct.pack("!HHIH", rdtype, 1, ttl, len(data) if length is None else length) + data


HERE = b"\xc0\x0c"
SEEDS = {
    "a": (EDNS, message([(NAME, 60, "A", ["192.0.2.1"])], edns=True)),
    "a-many": (EDNS, message([(NAME, 60, "A", [f"192.0.2.{i}" for i in range(40)])])),
    "a-ad": (EDNS | TRUSTED, message([(NAME, 60, "A", ["192.0.2.1"])], flags=dns.flags.AD)),
    "a-ad-untrusted": (EDNS, message([(NAME, 60, "A", ["192.0.2.1"])], flags=dns.flags.AD)),
    "aaaa": (0, message([(NAME, 60, "AAAA", ["2001:db8::1", "::ffff:192.0.2.1"])], rdtype="AAAA")),
    "txt": (0, message([(NAME, 60, "TXT", ['"v=spf1 ip4:192.0.2.1" " -all"', '"x"'])], rdtype="TXT")),
    "mx": (0, message([(NAME, 60, "MX", ["10 mail.example.org.", "0 ."])], rdtype="MX")),
    "ptr": (0, message([("7.2.0.192.in-addr.arpa.", 60, "PTR", ["mail.example.org."])],
                       rdtype="PTR", name="7.2.0.192.in-addr.arpa.")),
    "ptr-odd": (0, message([("7.2.0.192.in-addr.arpa.", 60, "PTR",
                             [".", "localhost.", "a\\.b\\000\\255.example.", "UPPER.Case."])],
                           rdtype="PTR", name="7.2.0.192.in-addr.arpa.")),
    "ptr-300": (STREAM, message([("7.2.0.192.in-addr.arpa.", 60, "PTR",
                                  [f"n{i}.example.org." for i in range(300)])],
                                rdtype="PTR", name="7.2.0.192.in-addr.arpa.")),
    "ptr-600": (STREAM, message([("7.2.0.192.in-addr.arpa.", 60, "PTR",
                                  [f"n{i}.example.org." for i in range(600)])],
                                rdtype="PTR", name="7.2.0.192.in-addr.arpa.")),
    "rfc2317": (0, message(chain("7.2.0.192.in-addr.arpa.", "7.0-31.2.0.192.in-addr.arpa."),
                           rdtype="PTR", name="7.2.0.192.in-addr.arpa.")),
    "chain": (0, message(chain(NAME, "b.example.", "c.example.") +
                         [("c.example.", 9, "A", ["192.0.2.1"])])),
    "chain-reversed": (0, message([("c.example.", 9, "A", ["192.0.2.1"])] +
                                  chain(NAME, "b.example.", "c.example.")[::-1])),
    "chain-16": (0, message(chain(NAME, *[f"n{i}.example." for i in range(16)]))),
    "chain-17": (0, message(chain(NAME, *[f"n{i}.example." for i in range(17)]))),
    "chain-70": (STREAM, message(chain(NAME, *[f"n{i}.example." for i in range(70)]))),
    "chain-nodata": (0, message(chain(NAME, "b.example.org."), [SOA])),
    "chain-nxdomain": (0, message(chain(NAME, "b.example.org."), [SOA], rcode="NXDOMAIN")),
    "loop-self": (0, message(chain(NAME, NAME))),
    "loop": (0, message(chain(NAME, "b.example.", "c.example.", "b.example."))),
    "two-cnames": (0, raw(record(HERE, 5, b"\1b\0") + record(HERE, 5, b"\1a\0"), (2, 0, 0))),
    "dname": (0, message([("example.org.", 60, "DNAME", ["example.net."]),
                          (NAME, 0, "CNAME", ["www.example.net."]),
                          ("www.example.net.", 60, "A", ["192.0.2.1"])])),
    "nxdomain": (EDNS, message([], [SOA], rcode="NXDOMAIN", edns=True)),
    "nxdomain-no-soa": (0, message(rcode="NXDOMAIN")),
    "nxdomain-records": (0, message([(NAME, 60, "A", ["192.0.2.1"])], rcode="NXDOMAIN")),
    "nodata": (0, message([], [SOA])),
    "nodata-foreign-soa": (0, message([], [("other.example.", *SOA[1:])])),
    "referral": (0, message([], [("example.org.", 60, "NS", ["ns.example.org."])])),
    "ttl-huge": (0, message([(NAME, 2**32 - 1, "A", ["192.0.2.1"])])),
    "ttl-max": (0, message([(NAME, 2**31 - 1, "A", ["192.0.2.1"])])),
    "unrelated": (0, message([("x.example.", 60, "A", ["192.0.2.1"]), (NAME, 60, "TXT", ["x"]),
                              (NAME, 60, "A", ["192.0.2.2"])])),
    "servfail": (0, message(rcode="SERVFAIL")),
    "refused": (0, message(rcode="REFUSED")),
    "formerr": (EDNS, message(rcode="FORMERR")),
    "badvers": (EDNS, message(rcode="BADVERS", edns=True)),
    "bare-formerr": (EDNS | OTHER, struct.pack("!HHHHHH", 0x1234, 0x8001, 0, 0, 0, 0)),
    "truncated": (EDNS, message(flags=dns.flags.TC)),
    "truncated-stream": (STREAM, message(flags=dns.flags.TC)),
    "counts": (0, raw(b"", (65535, 65535, 65535))),
    "rdata-short": (0, raw(record(HERE, 1, b"abc"), (1, 0, 0))),
    "rdata-long": (0, raw(record(HERE, 1, b"abcde"), (1, 0, 0))),
    "rdata-empty": (0, raw(record(HERE, 1, b""), (1, 0, 0))),
    "rdata-outside": (0, raw(record(HERE, 1, b"abcd", length=500), (1, 0, 0))),
    "ptr-trailing": (0, raw(record(HERE, 12, b"\1a\0junk"), (1, 0, 0), rdtype=12)),
    "cname-empty": (0, raw(record(HERE, 5, b""), (1, 0, 0))),
    "soa-short": (0, raw(record(HERE, 6, b"\0\0\0\0"), (0, 1, 0))),
    "pointer-self": (0, raw(record(b"\xc0\x21", 1, b"abcd"), (1, 0, 0))),
    "pointer-forward": (0, raw(record(b"\xc0\x2f", 1, b"abcd") + b"\0", (1, 0, 0))),
    "pointer-chain": (STREAM, raw(record(b"\0", 16, HERE + b"".join(
        struct.pack("!H", 0xc000 | (44 + 2 * i)) for i in range(200))) +
        record(struct.pack("!H", 0xc000 | 444), 1, b"abcd"), (2, 0, 0))),
    "rdata-pointer-loop": (0, raw(record(HERE, 12, b"\xc0\x2d"), (1, 0, 0), rdtype=12)),
    "wrong-question": (OTHER, message([("other.example.", 60, "A", ["192.0.2.1"])],
                                      name="other.example.")),
    "not-a-response": (0, message(flags=0)[:2] + b"\x01\x00" + message()[4:]),
    "root": (0, message([(".", 60, "A", ["192.0.2.1"])], name=".")),
    "mixed-case": (0, message([(NAME, 60, "A", ["192.0.2.1"])]).replace(b"www", b"wWw")),
    "long-name": (0, message([(("a" * 63 + ".") * 3 + "b" * 61 + ".", 60, "A", ["192.0.2.1"])],
                             name=("a" * 63 + ".") * 3 + "b" * 61 + ".")),
}


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    for name, (switches, wire) in SEEDS.items():
        (directory / name).write_bytes(bytes([switches]) + wire)


main()
