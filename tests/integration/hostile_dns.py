#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server that misbehaves on request, over UDP and TCP, for tests.

    with HostileDNS() as server:                  # 127.0.0.1, a free port; HostileDNS("::1") too
        server.host("192.0.2.7", "mail.example.org")            # PTR and A, both good
        server.on("mail.example.org", "A", ["192.0.2.7"], behaviour="wrong_id_first")
        server.on("7.2.0.192.in-addr.arpa", "PTR", ["mail.example.org"], delay_ms=300)
        ... server.addr is "127.0.0.1:PORT" (or "[::1]:PORT")
        server.blackhole = True                   # take everything, say nothing
        server.stop(); server.start()             # gone and back, on the same port

What was not registered is NXDOMAIN with a SOA; names under `hostile.test` need no registration: their first
label says how to behave ("wrong-id-first.hostile.test A" is 192.0.2.1 after a wrong ID).  What was asked is in
server.log: (protocol, name, type).  Run as a program it serves until its standard input ends and takes commands there:
"blackhole on|off", "stop", "start", "on NAME TYPE BEHAVIOUR [RECORD...]", "log".  Tabs between
the words where a record has spaces.
"""

import collections
import heapq
import ipaddress
import itertools
import json
import random
import socket
import struct
import sys
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset

TCP_ESTABLISHED = 1  # linux/tcp_states.h

ZONE = "hostile.test"
RECORDS = {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"], "PTR": ["mail.hostile.test."],
           "MX": ["10 mail.hostile.test."]}
SOA = "ns.{0} hostmaster.{0} 1 3600 600 86400 120"
SOA_TTL = 240  # above the SOA's MINIMUM: the lesser counts


def reverse(ip):
    return ipaddress.ip_address(ip).reverse_pointer


def absolute(text):
    return text if text.endswith(".") else text + "."


def rrset(name, ttl, rdtype, records):
    """An RRset with its records in the given order; any 32-bit TTL."""
    if rdtype in ("PTR", "CNAME", "NS", "DNAME"):
        records = [absolute(record) for record in records]
    elif rdtype == "MX":
        records = [" ".join([*record.split()[:1], absolute(record.split()[1])])
                   for record in records]
    result = dns.rrset.from_text(absolute(name), 0, "IN", rdtype, *records)
    result.ttl = ttl
    return result


class Rule:
    """How to answer one question."""

    def __init__(self, records=(), behaviour="good", rcode="NOERROR", ttl=300, delay_ms=0, ad=False,
                 aa=False, ra=True, soa=None, answer=None, authority=None, drop=0):
        self.records = list(records)
        self.behaviour = behaviour.replace("-", "_")
        self.rcode, self.ttl, self.delay_ms = rcode, ttl, delay_ms
        self.ad, self.aa, self.ra, self.soa = ad, aa, ra, soa
        self.answer, self.authority = answer, authority
        self.drop = drop  # so many queries are not answered at first
        if self.behaviour not in BEHAVIOURS:
            raise ValueError(f"no such behaviour: {behaviour}")


class Exchange:
    """One question that came in, and the means to answer it."""

    def __init__(self, server, rule, query, wire, send, stray=None, close=None):
        self.server, self.rule, self.query, self.wire = server, rule, query, wire
        self.send, self.stray, self.close = send, stray, close
        self.stream = close is not None

    def message(self):
        """The right answer as a message."""
        rule, question = self.rule, self.query.question[0]
        rdtype = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text()
        response = dns.message.make_response(self.query, recursion_available=rule.ra)
        response.set_rcode(dns.rcode.from_text(rule.rcode))
        if rule.ad:
            response.flags |= dns.flags.AD
        if rule.aa:
            response.flags |= dns.flags.AA
        if rule.answer is not None:
            response.answer = [rrset(*entry) for entry in rule.answer]
        elif rule.records:
            response.answer = [rrset(name, rule.ttl, rdtype, rule.records)]
        if rule.authority is not None:
            response.authority = [rrset(*entry) for entry in rule.authority]
        elif not response.answer and rule.rcode in ("NOERROR", "NXDOMAIN") and rule.soa is not False:
            zone = rule.soa or name.split(".", 1)[1] or "."
            below = "" if zone == "." else absolute(zone)
            soa = dns.rrset.from_text(zone, SOA_TTL, "IN", "SOA", SOA.format(below))
            response.authority = [soa]
        return response

    def right(self):
        """The right answer as bytes, truncated when it is too large for UDP."""
        response = self.message()
        wire = response.to_wire(max_size=65535)
        limit = self.query.payload if self.query.edns >= 0 else 512
        return wire if self.stream or len(wire) <= limit else self.truncated()

    def truncated(self):
        response = dns.message.make_response(self.query, recursion_available=True)
        response.flags |= dns.flags.TC
        return response.to_wire()

    def error(self, rcode):
        response = dns.message.make_response(self.query, recursion_available=True)
        response.set_rcode(rcode)
        return response.to_wire()

    def wire_question(self):
        question = self.query.question[0]
        return question.name.to_wire() + struct.pack("!HH", question.rdtype, 1)

    def forged(self):
        """An answer that would be believed if only ID and question were not looked at."""
        response = self.message()
        rdtype = dns.rdatatype.to_text(self.query.question[0].rdtype)
        evil = {"A": ["203.0.113.66"], "AAAA": ["2001:db8:66::66"], "PTR": ["evil.example."],
                "MX": ["1 evil.example."]}[rdtype]
        response.set_rcode(dns.rcode.NOERROR)
        response.answer = [rrset(self.query.question[0].name.to_text(), 600, rdtype, evil)]
        return response


BEHAVIOURS = {}


def behaviour(function):
    BEHAVIOURS[function.__name__] = function
    return function


@behaviour
def good(x):
    x.send(x.right())


@behaviour
def wrong_id_first(x):
    forged = x.forged()
    forged.id ^= 0x5a5a
    x.send(forged.to_wire())
    x.send(x.right())


@behaviour
def wrong_question_first(x):
    forged = x.forged()
    wire = bytearray(forged.to_wire())
    wire[13] ^= 0x01  # first letter of the question's name
    x.send(bytes(wire))
    x.send(x.right())


@behaviour
def wrong_type_first(x):
    wire = bytearray(x.forged().to_wire())
    at = 12 + len(x.query.question[0].name.to_wire())
    wire[at:at + 2] = struct.pack("!H", dns.rdatatype.TXT)
    x.send(bytes(wire))
    x.send(x.right())


@behaviour
def wrong_class_first(x):
    wire = bytearray(x.forged().to_wire())
    at = 12 + len(x.query.question[0].name.to_wire())
    wire[at + 3] = 3  # CHAOS
    x.send(bytes(wire))
    x.send(x.right())


@behaviour
def wrong_port_first(x):
    if x.stray is not None:
        x.stray(x.forged().to_wire())
    x.send(x.right())


@behaviour
def query_first(x):
    forged = x.forged()
    forged.flags &= ~dns.flags.QR
    x.send(forged.to_wire())
    x.send(x.right())


@behaviour
def wrong_opcode_first(x):
    wire = bytearray(x.forged().to_wire())
    wire[2] |= 4 << 3  # NOTIFY
    x.send(bytes(wire))
    x.send(x.right())


@behaviour
def no_question_first(x):
    forged = x.forged()
    forged.question = []
    x.send(forged.to_wire())
    x.send(x.right())


@behaviour
def two_questions_first(x):
    forged = x.forged()
    forged.question = [forged.question[0], rrset_question("other.example.", "A")]
    x.send(forged.to_wire())
    x.send(x.right())


def rrset_question(name, rdtype):
    return dns.rrset.RRset(dns.name.from_text(name), 1, dns.rdatatype.from_text(rdtype))


@behaviour
def garbage_first(x):
    x.send(bytes(random.Random(7).randrange(256) for _ in range(300)))
    x.send(x.right())


@behaviour
def empty_first(x):
    x.send(b"")
    x.send(x.right())


@behaviour
def short_first(x):
    x.send(x.right()[:11])
    x.send(x.right())


@behaviour
def oversized_first(x):
    x.send(x.forged().to_wire() + bytes(3000) if not x.stream else b"")
    x.send(x.right())


@behaviour
def flood_first(x):
    """Someone guesses IDs: many forged answers, and the right one never by UDP."""
    if x.stream:
        x.send(x.right())
        return
    for i in range(150):
        forged = x.forged()
        forged.id = (forged.id + 1 + i) & 0xffff
        x.send(forged.to_wire())


@behaviour
def broken(x):
    """The right header and question, and records that end in the middle."""
    x.send(x.right()[:-2])


@behaviour
def bad_rdata(x):
    """An address record of three bytes, a name that runs out of the message."""
    response = x.message()
    response.answer = []
    response.authority = []
    wire = bytearray(response.to_wire()[:12]) + x.wire_question()
    wire[6:12] = b"\0\1\0\0\0\0"
    wire += b"\xc0\x0c" + struct.pack("!HHIH", x.query.question[0].rdtype, 1, 60, 3) + b"\x3fab"
    x.send(bytes(wire))


@behaviour
def hostile_counts(x):
    """65,535 records announced, none there."""
    wire = bytearray(x.right())
    wire[6:8] = b"\xff\xff"
    x.send(bytes(wire))


@behaviour
def silence(x):
    pass


@behaviour
def hold(x):
    """Nothing until release()."""
    with x.server.lock:
        if x.server.held is not None:
            x.server.held.append(x)
            return
    servfail(x)


@behaviour
def servfail(x):
    x.send(x.error(dns.rcode.SERVFAIL))


@behaviour
def refused(x):
    x.send(x.error(dns.rcode.REFUSED))


@behaviour
def notimp(x):
    x.send(x.error(dns.rcode.NOTIMP))


@behaviour
def notauth(x):
    x.send(x.error(dns.rcode.NOTAUTH))


@behaviour
def formerr_on_edns(x):
    x.send(x.right() if x.query.edns < 0 else x.error(dns.rcode.FORMERR))


@behaviour
def bare_formerr_on_edns(x):
    if x.query.edns < 0:
        x.send(x.right())
    else:
        x.send(x.wire[:2] + b"\x80\x01" + bytes(8))


@behaviour
def badvers_on_edns(x):
    if x.query.edns < 0:
        x.send(x.right())
        return
    response = dns.message.make_response(x.query, recursion_available=True)
    response.set_rcode(dns.rcode.BADVERS)
    x.send(response.to_wire())


@behaviour
def truncate(x):
    x.send(x.right() if x.stream else x.truncated())


@behaviour
def truncate_always(x):
    x.send(x.truncated())


@behaviour
def tcp_close(x):
    if x.stream:
        x.close()
    else:
        x.send(x.truncated())


@behaviour
def tcp_half(x):
    if not x.stream:
        x.send(x.truncated())
        return
    wire = x.right()
    x.send(wire[:len(wire) // 2], announced=len(wire))
    x.close()


@behaviour
def tcp_half_then_silence(x):
    if not x.stream:
        x.send(x.truncated())
        return
    wire = x.right()
    x.send(wire[:len(wire) // 2], announced=len(wire))


@behaviour
def tcp_one_byte(x):
    if x.stream:
        x.send(b"", announced=None, raw=b"\x01")
        x.close()
    else:
        x.send(x.truncated())


@behaviour
def tcp_empty_first(x):
    if x.stream:
        x.send(b"")
        x.send(x.right())
    else:
        x.send(x.truncated())


@behaviour
def tcp_wrong_id_first(x):
    if x.stream:
        wrong_id_first(x)
    else:
        x.send(x.truncated())


@behaviour
def tcp_pieces(x):
    """The right answer, one byte a packet."""
    if not x.stream:
        x.send(x.truncated())
        return
    wire = x.right()
    wire = struct.pack("!H", len(wire)) + wire
    for i in range(len(wire)):
        x.send(b"", raw=wire[i:i + 1])


@behaviour
def tcp_drip(x):
    """One byte of the answer every 50 ms: longer than anyone has time for."""
    if not x.stream:
        x.send(x.truncated())
        return
    wire = x.right()
    wire = struct.pack("!H", 60000) + wire + bytes(60000 - len(wire))
    for i in range(600):
        x.send(b"", raw=wire[i:i + 1], delay_ms=50 * i)


@behaviour
def tcp_big(x):
    """As many bytes as a message can have: records of other names, the right one last."""
    if not x.stream:
        x.send(x.truncated())
        return
    response = x.message()
    wire = bytearray(response.to_wire(max_size=65535))
    head = 12 + len(x.wire_question())
    wire, tail = wire[:head], wire[head:]
    count = struct.unpack("!H", wire[6:8])[0]
    filler = b"\1x\xc0\x0c" + struct.pack("!HHIH", x.query.question[0].rdtype, 1, 60, 4) + b"\1y\xc0\x0c"
    if x.query.question[0].rdtype == dns.rdatatype.A:
        filler = filler[:-4] + b"\xcb\0\x71\x42"
    number = (65535 - len(wire) - len(tail)) // len(filler)
    wire[6:8] = struct.pack("!H", count + number)
    x.send(bytes(wire) + filler * number + bytes(tail))


@behaviour
def mixed_case(x):
    """Question and records in another case than was asked (0x20 without the promise)."""
    wire = bytearray(x.right())
    for i in range(12, len(wire)):
        if 97 <= wire[i] <= 122 and i % 2:
            wire[i] -= 32
    x.send(bytes(wire))


@behaviour
def reordered(x):
    """The records of the answer from the last to the first."""
    response = x.message()
    response.answer.reverse()
    x.send(response.to_wire(max_size=65535))


@behaviour
def duplicates(x):
    wire = x.right()
    x.send(wire)
    x.send(wire)
    x.send(wire, delay_ms=50)


@behaviour
def unrelated(x):
    """The right answer among records that nobody asked for."""
    response = x.message()
    response.answer.insert(0, rrset("other.example", 60, "A", ["203.0.113.66"]))
    response.answer.insert(0, rrset("other.example", 60, "PTR", ["evil.example"]))
    response.answer.append(rrset("other2.example", 60, "CNAME", ["evil.example"]))
    response.answer.append(rrset(x.query.question[0].name.to_text(), 60, "TXT", ["x"]))
    response.additional.append(rrset("evil.example", 60, "A", ["203.0.113.66"]))
    x.send(response.to_wire(max_size=65535))


class Schedule:
    """Calls made later, on a thread of its own."""

    def __init__(self):
        self.heap, self.numbers = [], itertools.count()
        self.condition = threading.Condition()
        threading.Thread(target=self.run, daemon=True).start()

    def at(self, delay_ms, call):
        with self.condition:
            due = time.monotonic() + delay_ms / 1000
            heapq.heappush(self.heap, (due, next(self.numbers), call))
            self.condition.notify()

    def run(self):
        while True:
            with self.condition:
                while not self.heap or self.heap[0][0] > time.monotonic():
                    self.condition.wait(self.heap[0][0] - time.monotonic() if self.heap else None)
                call = heapq.heappop(self.heap)[2]
            call()


def is_open(sock):
    """Has the other side not closed it?  The kernel knows at once, whoever reads however late."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_ESTABLISHED
    except OSError:
        return False  # closed here


class HostileDNS:
    def __init__(self, host="127.0.0.1", port=0, tcp=True):
        self.ip, self.port, self.tcp = host, port, tcp
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.rules, self.dropped = {}, collections.Counter()
        self.lock = threading.Lock()
        self.log = []  # (protocol, name, type)
        self.ports = []  # of the askers, by UDP
        self.connections = self.most_streams = 0  # TCP: since the beginning; at the same time
        self.blackhole = False
        self.answers_nothing_for = set()  # names that are black holes
        self.held = []  # by behaviour "hold"; None once they are released
        self.default = Rule(rcode="NXDOMAIN")
        self.schedule = Schedule()
        self.udp = self.listener = self.other = None
        self.streams, self.threads = set(), []

    # -- what to answer --

    def on(self, name, rdtype, records=(), **keywords):
        """Answer this question so: see Rule."""
        self.rules[name.lower().rstrip("."), rdtype.upper()] = Rule(records, **keywords)
        return self

    def host(self, ip, *names, **keywords):
        """PTR records of an address, and each name's address."""
        self.on(reverse(ip), "PTR", [absolute(name) for name in names], **keywords)
        rdtype = "AAAA" if ":" in ip else "A"
        for name in names:
            self.on(name, rdtype, [ip])
        return self

    def release(self):
        """What behaviour "hold" has not answered fails, as does what it is asked from now on."""
        with self.lock:
            held, self.held = self.held, None
        for exchange in held:
            servfail(exchange)

    def rule(self, name, rdtype):
        """The registered rule; a name that has other types is NODATA."""
        found = self.rules.get((name, rdtype))
        if found is None and name.endswith("." + ZONE):
            label = name.split(".", 1)[0].replace("-", "_")
            if label in BEHAVIOURS:
                found = Rule(RECORDS.get(rdtype, ()), behaviour=label)
        if found is None and any(known == name for known, _ in self.rules):
            found = Rule()
        return found or self.default

    def asked(self, name=None, protocol=None):
        """How many questions came in (for that name, over that protocol)."""
        with self.lock:
            return sum(1 for entry in self.log if (name is None or entry[1] == name.lower()) and
                       (protocol is None or entry[0] == protocol))

    # -- life --

    @property
    def addr(self):
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def bind(self):
        """One port for UDP and TCP; a free one, the first time."""
        for _ in range(100):
            udp = socket.socket(self.family, socket.SOCK_DGRAM)
            listener = socket.socket(self.family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                udp.bind((self.ip, self.port))
                listener.bind(udp.getsockname()[:2])
            except OSError:
                udp.close()
                listener.close()
                if self.port:
                    raise
                continue
            return udp, listener
        raise OSError("no free port")

    def start(self):
        udp, listener = self.bind()
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.port = udp.getsockname()[1]
        self.udp = udp
        self.other = socket.socket(self.family, socket.SOCK_DGRAM)
        self.other.bind((self.ip, 0))
        self.threads = [threading.Thread(target=self.serve_udp, args=(udp,), daemon=True)]
        if self.tcp:
            listener.listen(512)
            self.listener = listener
            self.threads.append(
                threading.Thread(target=self.serve_tcp, args=(listener,), daemon=True))
        else:
            listener.close()  # the port refuses connections
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        """Close everything: the port refuses from now on."""
        for sock in [self.udp, self.listener, *list(self.streams)]:
            if sock is None:
                continue
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # wakes a thread that reads, all the same
        for thread in self.threads:
            thread.join()
        for sock in [self.udp, self.other, self.listener, *list(self.streams)]:
            if sock is not None:
                sock.close()
        self.udp = self.listener = self.other = None
        self.streams, self.threads = set(), []

    # -- serving --

    def parse(self, wire, protocol):
        """(rule, query), or (None, None) when nothing is to be said."""
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text().rstrip(".").lower()
        rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        rule = self.rule(name, rdtype)
        with self.lock:
            self.log.append((protocol, name, rdtype))
            self.dropped[name, rdtype] += 1
            drop = self.dropped[name, rdtype] <= rule.drop
        if self.blackhole or drop or name in self.answers_nothing_for:
            return None, None
        return rule, query

    def answer(self, exchange):
        call = BEHAVIOURS[exchange.rule.behaviour]
        if exchange.rule.delay_ms:
            self.schedule.at(exchange.rule.delay_ms, lambda: call(exchange))
        else:
            call(exchange)

    def serve_udp(self, sock):
        other = self.other
        while True:
            try:
                wire, peer = sock.recvfrom(65535)
            except OSError:
                return
            if self.udp is not sock or not wire:
                if not wire:
                    return
                continue
            self.ports.append(peer[1])

            def send(data, delay_ms=0, peer=peer):
                def now():
                    try:
                        sock.sendto(data, peer)
                    except OSError:
                        pass  # the server was stopped, or nobody is there any more
                if delay_ms:
                    self.schedule.at(delay_ms, now)
                else:
                    now()

            try:
                rule, query = self.parse(wire, "udp")
            except dns.exception.DNSException:
                continue
            if rule is not None:
                self.answer(Exchange(self, rule, query, wire, send,
                                     stray=lambda data, peer=peer: other.sendto(data, peer)))

    def serve_tcp(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.streams.add(sock)
                self.most_streams = max(self.most_streams, sum(map(is_open, self.streams)))
            threading.Thread(target=self.serve_stream, args=(sock,), daemon=True).start()

    def serve_stream(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def send(data, announced=None, raw=None, delay_ms=0):
            def now():
                try:
                    if raw is not None:
                        sock.sendall(raw)
                    else:
                        length = len(data) if announced is None else announced
                        sock.sendall(struct.pack("!H", length) + data)
                except OSError:
                    pass  # the asker has gone
            if delay_ms:
                self.schedule.at(delay_ms, now)
            else:
                now()

        def close():
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        try:
            while True:
                prefix = sock.recv(2, socket.MSG_WAITALL)
                if len(prefix) < 2:
                    break
                wire = sock.recv(struct.unpack("!H", prefix)[0], socket.MSG_WAITALL)
                rule, query = self.parse(wire, "tcp")
                if rule is not None:
                    self.answer(Exchange(self, rule, query, wire, send, close=close))
        except (OSError, dns.exception.DNSException):
            pass
        finally:
            with self.lock:
                self.streams.discard(sock)
            sock.close()


def main():
    server = HostileDNS(*sys.argv[1:2], port=int(sys.argv[2]) if len(sys.argv) > 2 else 0).start()
    print(server.addr, flush=True)
    for line in sys.stdin:
        words = line.rstrip("\n").split("\t") if "\t" in line else line.split()
        if words[:1] == ["blackhole"]:
            server.blackhole = words[1] == "on"
        elif words == ["stop"]:
            server.stop()
        elif words == ["start"]:
            server.start()
        elif words[:1] == ["on"]:
            server.on(words[1], words[2], words[4:], behaviour=words[3])
        elif words == ["log"]:
            print(json.dumps(server.log), flush=True)
    if server.udp is not None:
        server.stop()


if __name__ == "__main__":
    main()
