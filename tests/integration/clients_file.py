# SPDX-License-Identifier: BSD-2-Clause
"""The daemon's file of remembered clients, read and written by another hand than the daemon's."""

import dataclasses
import ipaddress
import pathlib
import struct
import time

MAGIC = b"\x8diprevd\n"
KEY = bytes(range(16))
DAY = 86400
MASK = (1 << 64) - 1


def today():
    return int(time.time()) // DAY


def fnv(total, data):
    for byte in data:
        total = ((total ^ byte) * 0x100000001b3) & MASK
    return total


def siphash(key, data):
    """SipHash-2-4."""
    def rotl(word, bits):
        return ((word << bits) | (word >> (64 - bits))) & MASK

    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
         k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotl(v[1], 13) ^ v[0]
            v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotl(v[1], 17) ^ v[2]
            v[2] = rotl(v[2], 32)

    whole = len(data) - len(data) % 8
    words = [int.from_bytes(data[i:i + 8], "little") for i in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | len(data) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xff
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def hash_of(key, client):
    packed = ipaddress.ip_address(client).packed
    return (siphash(key, packed[:8] if len(packed) == 16 else packed) & ~1) or 2


@dataclasses.dataclass
class Client:
    """Days count from 1970; failed is a time."""
    last_day: int = 0
    previous_day: int = 0
    failed: int = 0
    passed_since: bool = False


def write(path, clients, key=KEY):
    """`clients`: address to Client."""
    header = MAGIC + struct.pack(">IIq", 1, 0, int(time.time()))
    total = fnv(0xcbf29ce484222325, header)
    out = header + struct.pack(">Q", total)
    entries = b"".join(
        struct.pack(">QIHH", hash_of(key, address) | client.passed_since, client.failed,
                    client.last_day, client.previous_day)
        for address, client in clients.items())
    for block in (key, entries, b""):
        total = fnv(fnv(total, struct.pack(">I", len(block))), block)
        out += struct.pack(">IQ", len(block), total) + block
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out)


def read(path):
    """The key, and a dictionary of hashes to Client."""
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == MAGIC and data[8:12] == b"\0\0\0\1"
    total = fnv(0xcbf29ce484222325, data[:24])
    assert struct.unpack(">Q", data[24:32]) == (total,)
    blocks, at = [], 32
    while not blocks or blocks[-1]:
        length, check = struct.unpack(">IQ", data[at:at + 12])
        block = data[at + 12:at + 12 + length]
        total = fnv(fnv(total, data[at:at + 4]), block)
        assert check == total
        blocks.append(block)
        at += 12 + length
    assert at == len(data)
    clients = {}
    for block in blocks[1:]:
        for entry in struct.iter_unpack(">QIHH", block):
            clients[entry[0] & ~1] = Client(entry[2], entry[3], entry[1], bool(entry[0] & 1))
    return blocks[0], clients


def known(path, client):
    """What the file says of that client, or None."""
    key, clients = read(path)
    return clients.get(hash_of(key, client))


def day_text(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY))


def was_right(days_ago=1):
    """A client that passed on two days, the last of them so many days ago."""
    return Client(last_day=today() - days_ago, previous_day=today() - days_ago - 1)
