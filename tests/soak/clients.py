# SPDX-License-Identifier: BSD-2-Clause
"""Who the clients are, what the DNS says about them, and what must become of them.

Every kind has addresses of its own, so that an address tells what its client is due.
"""

import ipaddress
import random
import time

from hostile_dns import HostileDNS, Rule, absolute, reverse
from milterclient import MilterConnection

NUMBER = 256  # clients of a kind
TTL = 20      # seconds: most of what is asked for has to be asked anew
RELAY = "198.19.255.1"
BURST = "198.19.0.1"  # and the BURST_NUMBER addresses from it on: see faults.burst()
BURST_NUMBER = 200
PROBE = "198.20.0.0"  # good clients of which each comes only once: nothing about them is cached


class Kind:
    def __init__(self, name, share, verdict, lenient=None, number=NUMBER):
        self.name, self.share, self.verdict, self.number = name, share, verdict, number
        self.lenient = lenient or verdict  # with the configuration of that name

    def __repr__(self):
        return self.name


KINDS = [
    Kind("good", 40, "accept"),
    Kind("good6", 8, "accept"),
    Kind("several", 6, "accept"),     # three PTR names, one of which confirms
    Kind("classless", 4, "accept"),   # RFC 2317: a CNAME in the reverse zone
    Kind("missing", 12, "reject", lenient="tag"),
    Kind("mismatch", 6, "reject"),
    Kind("generic", 6, "tag"),
    Kind("failing", 3, "tempfail"),   # the reverse zone answers SERVFAIL
    Kind("halfway", 2, "tempfail"),   # the PTR's name answers SERVFAIL
    Kind("silent", 1, "tempfail", number=32),  # ... nothing at all
    Kind("partner", 4, "reject", lenient="tag"),  # no PTR; let in while the table has them
    Kind("user", 4, "accept"),        # no PTR, but logged in
    Kind("postmaster", 3, "accept"),  # no PTR, but RFC 5321 4.5.1
    Kind("nohelo", 2, "tag"),
    Kind("behind", 2, "tag"),         # no PTR, behind a trusted relay
]
INDEX = {kind.name: i for i, kind in enumerate(KINDS)}


def kind_named(name):
    return KINDS[INDEX[name]]


def address(kind, n):
    i = INDEX[kind.name]
    return f"2001:db8:{i:x}::{n + 1:x}" if kind.name == "good6" else f"198.18.{i}.{n}"


def word_of(n):
    return "".join(chr(ord("a") + n // 26 ** i % 26) for i in range(4))


def name_of(kind, n):
    """A name that does not look as if it was computed from the address."""
    return f"mx.{word_of(n)}{kind.name}.example"


class SoakDNS(HostileDNS):
    """Knows every client.  servfail: it says so to everything."""

    def __init__(self, *args):
        super().__init__(*args)
        self.servfail = False
        for kind in KINDS:
            for n in range(kind.number):
                self.add(kind, n)
        for n in range(BURST_NUMBER):
            ip = str(ipaddress.ip_address(BURST) + n)
            self.on(reverse(ip), "PTR", ["mail.example.org"], ttl=TTL)
        self.on("mail.example.org", "A",
                [str(ipaddress.ip_address(BURST) + n) for n in range(BURST_NUMBER)], ttl=TTL)
        self.names = {name for name, _ in self.rules}
        self.nodata, self.failure = Rule(), Rule(behaviour="servfail")

    def add(self, kind, n):
        ip, name = address(kind, n), name_of(kind, n)
        if kind.name in ("good", "good6", "nohelo"):
            self.host(ip, name, ttl=TTL)
        elif kind.name == "several":
            self.on(reverse(ip), "PTR", [f"a{name}", name, f"b{name}"], ttl=TTL)
            self.on(name, "A", [ip], ttl=TTL)
            self.on(f"a{name}", "A", ["203.0.113.1"], ttl=TTL)
        elif kind.name == "classless":
            alias = f"{n}.0-255.{INDEX[kind.name]}.18.198.in-addr.arpa"
            self.on(reverse(ip), "PTR", answer=[(reverse(ip), TTL, "CNAME", [absolute(alias)]),
                                                (alias, TTL, "PTR", [absolute(name)])])
            self.on(name, "A", [ip], ttl=TTL)
        elif kind.name == "mismatch":
            self.on(reverse(ip), "PTR", [name], ttl=TTL)
            self.on(name, "A", ["203.0.113.9"], ttl=TTL)
        elif kind.name == "generic":
            generic = ip.replace(".", "-") + ".dsl.isp.example"
            self.host(ip, generic, ttl=TTL)
        elif kind.name in ("failing", "silent"):
            behaviour = "servfail" if kind.name == "failing" else "silence"
            self.on(reverse(ip), "PTR", behaviour=behaviour)
        elif kind.name == "halfway":
            self.on(reverse(ip), "PTR", [name], ttl=TTL)
            self.on(name, "A", behaviour="servfail")
        if (name, "A") not in self.rules and kind.name != "good6":
            self.on(name, "A", [ip], ttl=TTL)  # for EHLO

    def probe(self, n):
        """(address, name) of the n-th probe, which is known from now on."""
        ip = str(ipaddress.ip_address(PROBE) + n % 65536)
        name = f"mx.{word_of(n)}.probe.example"
        self.rules[reverse(ip), "PTR"] = Rule([absolute(name)], ttl=1)
        self.rules[name, "A"] = Rule([ip], ttl=1)
        return ip, name

    def rule(self, name, rdtype):
        if self.servfail:
            return self.failure
        found = self.rules.get((name, rdtype))
        if found is None:
            found = self.nodata if name in self.names else self.default
        return found

    def parse(self, wire, protocol):
        self.log.clear()  # hours of it would be many
        self.dropped.clear()
        return super().parse(wire, protocol)


class HungUp(Exception):
    """This client has left, as it meant to."""


class Visitor(MilterConnection):
    """An MTA's connection whose client may be slow, and may leave in the middle."""

    def __init__(self, spec, plan):
        self.plan, self.events, self.answered = plan, 0, False
        super().__init__(spec, timeout=plan.patience)

    def event(self, command, data=b"", macros=None):
        self.events += 1
        if self.events == self.plan.leave_at:
            self.leave(command, data)
        if self.plan.pause:
            time.sleep(self.plan.pause)
        return super().event(command, data, macros)

    def leave(self, command, data):
        packet = self.packet(command, data)
        how = self.plan.leave_how
        try:
            if how == "half":
                self.send_raw(packet[:len(packet) // 2])
            elif how == "garbage":
                self.send_raw(b"\xff\xff\xff\xff" + packet)
            elif how == "unread":
                self.send_raw(packet)
            if how == "reset":
                self.reset()
        except OSError:
            pass  # it may have gone first
        raise HungUp


class Plan:
    """The n-th session, the same for the same seed."""

    patience = 40  # seconds for one answer: more than any deadline

    def __init__(self, seed, n):
        rng = random.Random(f"{seed}/{n}")
        self.kind = rng.choices(KINDS, [kind.share for kind in KINDS])[0]
        self.n = int(self.kind.number * rng.random() ** 2)  # some come often
        self.client = address(self.kind, self.n)
        self.name = name_of(self.kind, self.n)
        self.sender = f"s{n}@soak.example"
        self.pause = rng.choice((0.02, 0.1, 0.4)) if rng.random() < 0.1 else 0
        rude = rng.random() < 0.08
        self.leave_at = rng.randrange(1, 11) if rude else 0
        self.leave_how = rng.choice(("close", "reset", "half", "garbage", "unread"))

    def session(self):
        """The arguments of milterclient.play()."""
        given = {"client": self.client, "helo": self.name, "sender": self.sender,
                 "ptr": None, "rcpts": ["user@example.net"]}
        if self.kind.name == "generic":
            given["helo"] = self.client.replace(".", "-") + ".dsl.isp.example"
        elif self.kind.name == "user":
            given["login"] = "user"
        elif self.kind.name == "postmaster":
            given["rcpts"] = ["postmaster@example.net"]
        elif self.kind.name == "nohelo":
            given["helo"] = None
        elif self.kind.name == "behind":
            given.update(client=RELAY, helo="relay.example.net", headers=[
                ("Received", f"from {self.name} (unknown [{self.client}]) by relay.example.net "
                             "(Postfix) with ESMTP id 4Abc; Sat, 21 Nov 2026 10:00:00 +0000"),
                ("Subject", "test")])
        return given

    def verdicts(self, truth, since, until):
        """Every verdict that is right for this client, whatever of the possible was the case."""
        right = set()
        partners = truth.possible("partners", since, until)
        allowed = truth.possible(self.client, since, until) or {"judged"}
        dns = truth.possible("dns", since, until)
        for config in truth.possible("config", since, until):
            if "exempt" in allowed:
                right.add("accept")
            if "judged" in allowed:
                right |= self.by_policy(config, partners, dns)
        return right

    def by_policy(self, config, partners, dns):
        kind = self.kind
        if config == "monitor" or kind.name == "user":
            return {"accept"}
        right = {kind.lenient if config == "lenient" else kind.verdict}
        if kind.name == "partner":
            out = right if "out" in partners else set()
            right = out | ({"accept"} if "in" in partners else set())
        elif kind.name == "postmaster" and config == "mail":
            right = {"reject"}  # stage mail: nothing is known yet of recipients
        let_in = kind.name in ("partner", "postmaster") and right == {"accept"}
        if "down" in dns and not let_in:
            # What dns-temperror does, or outage-action; behind a relay at most a tag.
            right |= {"tag"} if kind.name == "behind" else {"tempfail", "tag"}
            # An expired answer confirms a client, and nothing is held against it for its name.
            right |= {"accept"} if kind.name == "generic" else set()
        return right
