# SPDX-License-Identifier: BSD-2-Clause
"""The DNS of the tests as a zone file, and who is who in it.

    GOOD           one PTR that leads back                  mail.good.example
    NO_PTR         NXDOMAIN
    MISMATCH       the PTR's name leads elsewhere           mail.moved.example -> 203.0.113.9
    BROKEN_PTR     the PTR lookup fails temporarily
    GENERIC        a name computed from the address
    INVALID        PTR localhost
    MANY           three names, one of which confirms       b.many.example
    BROKEN_NAME    the PTR's name cannot be looked up
    HOSTILE        a PTR of quotes, control characters, percent signs and 8-bit bytes
"""

import ipaddress

GOOD, NO_PTR, MISMATCH, BROKEN_PTR = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"
GENERIC, INVALID, MANY, BROKEN_NAME = "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"
HOSTILE = "192.0.2.9"
GOOD6, NO_PTR6, MISMATCH6 = "2001:db8::1", "2001:db8::2", "2001:db8::3"

# The same on loopback, where Sendmail's clients come from.
LO_GOOD, LO_NO_PTR, LO_MISMATCH, LO_BROKEN_PTR, LO_GENERIC = (
    "127.0.0.11", "127.0.0.12", "127.0.0.13", "127.0.0.14", "127.0.0.15")

# Sendmail's own idea of names: its clients' and those of senders.
HOSTS = f"{LO_GOOD} lo.good.example\n{LO_MISMATCH} lo.moved.example\n"

HOSTILE_LABEL = r"a\"b%s\010\013\200\255\000c"


def ptr(address, *names):
    owner = ipaddress.ip_address(address).reverse_pointer
    return "".join(f"{owner}. PTR {name}\n" for name in names)


def broken(name):
    """A delegation: what is below cannot be answered."""
    return f"{name}. NS ns.unreachable.example.\n"


def reverse(address):
    return ipaddress.ip_address(address).reverse_pointer


ZONE = "$ORIGIN .\n$TTL 3600\n" + "".join([
    "good.example. SOA ns.good.example. root.good.example. 1 3600 600 86400 300\n",
    ptr(GOOD, "mail.good.example."), "mail.good.example. A 192.0.2.1\n",
    ptr(MISMATCH, "mail.moved.example."), "mail.moved.example. A 203.0.113.9\n",
    broken(reverse(BROKEN_PTR)),
    ptr(GENERIC, "192-0-2-5.dsl.isp.example."), "192-0-2-5.dsl.isp.example. A 192.0.2.5\n",
    ptr(INVALID, "localhost."),
    ptr(MANY, "c.many.example.", "b.many.example.", "a.many.example."),
    "b.many.example. A 192.0.2.7\na.many.example. A 203.0.113.1\n",
    ptr(BROKEN_NAME, "mail.broken.example."), broken("mail.broken.example"),
    ptr(HOSTILE, HOSTILE_LABEL + ".hostile.example."),
    ptr(GOOD6, "mail6.good.example."), "mail6.good.example. AAAA 2001:db8::1\n",
    ptr(MISMATCH6, "mail6.moved.example."), "mail6.moved.example. AAAA 2001:db8:f::9\n",
    ptr(LO_GOOD, "lo.good.example."), f"lo.good.example. A {LO_GOOD}\n",
    ptr(LO_MISMATCH, "lo.moved.example."), "lo.moved.example. A 203.0.113.9\n",
    broken(reverse(LO_BROKEN_PTR)),
    ptr(LO_GENERIC, "127-0-0-15.dsl.isp.example."), f"127-0-0-15.dsl.isp.example. A {LO_GENERIC}\n",
    ptr("::1", "lo6.good.example."), "lo6.good.example. AAAA ::1\n",
    # EHLO names that are nobody's.
    "other.example. SOA ns.other.example. root.other.example. 1 3600 600 86400 300\n",
    "elsewhere.other.example. A 203.0.113.77\n",
    "mx.example.net. A 192.0.2.254\n",
])

POSTMASTER = """match "postmaster" {
    recipient = {"postmaster", "abuse"}
    policy = "none"
    reason = "RFC 5321 4.5.1"
}
"""
