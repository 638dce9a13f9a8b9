#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reverse DNS by pymilter and dnspython, as a site would write it: pymilter.py SOCKET"""

import sys

import dns.exception
import dns.resolver
import dns.reversename
import Milter

RESOLVER = dns.resolver.Resolver()
RESOLVER.cache = dns.resolver.LRUCache(100000)


def confirmed(address):
    """A PTR name that leads back; None: there is none."""
    for ptr in RESOLVER.resolve(dns.reversename.from_address(address), "PTR"):
        try:
            if any(a.address == address for a in RESOLVER.resolve(ptr.target, "A")):
                return ptr.target
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            pass
    return None


class Filter(Milter.Base):
    def __init__(self):
        self.address = None

    @Milter.noreply
    def connect(self, name, family, hostaddr):
        self.address = hostaddr[0]
        return Milter.CONTINUE

    @Milter.noreply
    def envfrom(self, sender, *words):
        return Milter.CONTINUE

    @Milter.nocallback
    def header(self, name, value):
        return Milter.CONTINUE

    def envrcpt(self, recipient, *words):
        try:
            name = confirmed(self.address)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            name = None
        except dns.exception.DNSException:
            self.setreply("451", "4.7.25", "DNS failed for the time being")
            return Milter.TEMPFAIL
        if name is None:
            self.setreply("550", "5.7.25", "no confirmed reverse DNS")
            return Milter.REJECT
        return Milter.CONTINUE

    def eom(self):
        self.addheader("X-Reverse-Dns", "pass")
        return Milter.CONTINUE


Milter.factory = Filter
Milter.set_flags(Milter.ADDHDRS)
Milter.runmilter("pymilter", sys.argv[1], 60)
