# SPDX-License-Identifier: BSD-2-Clause
"""The order of filters that doc/postfix.md shows, with real rspamd, OpenDKIM and OpenDMARC.

Each adds an Authentication-Results field of its own name, and all are there in the end; rspamd behind
iprevd takes ours away, which is why the guide puts it first.
"""

import contextlib
import re
import subprocess
import sys

import pytest

import daemon
import fenced
import hostile_dns
import world
from conftest import require_mta
from guide_sites import postfix_site
from mta import Jail

SECTION = "Beside other filters"
OURS = "iprev=pass policy.iprev=192.0.2.1"

# A package's /usr over the machine's.
IN_PLACE = ("mount -t overlay overlay -o lowerdir=/mnt/mta/usr:/usr /usr && "
            'if [ -e /mnt/run/etc/ld.so.cache ]; then ldconfig -X; fi; exec "$@"')

RSPAMD = """
options {{
    filters = "";
    pidfile = "{dir}/rspamd.pid";
    control_socket = "{dir}/rspamd.control mode=0600";
    url_tld = "{dir}/tld";
    tempdir = "{dir}";
    local_addrs = ["127.0.0.0/8"];
    dns {{ nameserver = ["127.0.0.1:53:1"]; }}
}}
logging {{ type = "file"; filename = "{dir}/rspamd.log"; level = "info"; }}
lua = "/usr/share/rspamd/rules/rspamd.lua";
modules {{ path = "/usr/share/rspamd/plugins/milter_headers.lua"; }}
milter_headers {{ use = ["authentication-results"]; }}

actions {{ reject = 1000; add_header = 999; }}
worker "rspamd_proxy" {{
    bind_socket = "127.0.0.1:11332";
    milter = yes;
    timeout = 30s;
    count = 1;
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
"""

OPENDKIM = """
Mode v
AuthservID mx.example.net
AlwaysAddARHeader yes
Nameservers 127.0.0.1
Socket local:{socket}
UMask 000
"""

OPENDMARC = """
AuthservID mx.example.net
TrustedAuthservIDs mx.example.net
Socket inet:8893@127.0.0.1
SPFSelfValidate false
"""


class Program:
    """A filter of the distribution's package in the network of a mail server."""

    def __init__(self, name, network, config, command):
        require_mta(name)
        self.jail = Jail(name, nameserver="127.0.0.1", network=network)
        path = self.jail.dir / "filter.conf"
        path.write_text(config.format(dir=self.jail.dir))
        # rspamd compiles thousands of them at start.
        (self.jail.dir / "tld").write_text("example\norg\n")
        self.jail.spawn("sh", "-c", IN_PLACE, name, *command, str(path))

    def wait(self, answers):
        def ready():
            assert self.jail.process.poll() is None, self.jail.output
            return answers()
        daemon.wait_until(f"an answer of {self.jail.packages.name}", ready)

    def end(self):
        self.jail.end()


def accepts(network, port):
    try:
        network.connect("127.0.0.1", port).close()
        return True
    except OSError:
        return False


@contextlib.contextmanager
def dns_server(network):
    """Nothing exists, and that is said at once."""
    process = subprocess.Popen(
        network.argv([sys.executable, hostile_dns.__file__, "127.0.0.1", "53"]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("127.0.0.1:53")
        yield
    finally:
        process.stdin.close()
        process.wait()


@contextlib.contextmanager
def filters(network, reverse=False):
    """The guide's section, OpenDMARC as the last; in `reverse` rspamd comes behind iprevd."""
    blocks = dict(fenced.installations("postfix.md")[SECTION])
    first, *others = re.findall(r"^  \{.*\}\n", blocks["main.cf"], re.MULTILINE)
    assert ":11332," in first and ":8896," in others[0] and "opendkim" in others[1]
    others.append("  { inet:127.0.0.1:8893, default_action=tempfail }\n")
    order = [*others, first] if reverse else [first, *others]
    main = re.sub(r"^smtpd_milters =\n(  \{.*\}\n)+", "smtpd_milters =\n" + "".join(order),
                  blocks["main.cf"], flags=re.MULTILINE)
    blocks["main.cf"] = main.replace("default_action=accept", "default_action=tempfail")
    started = []
    with dns_server(network), postfix_site(blocks, network) as site:
        folder = site.server.jail.dir / "queue" / "opendkim"
        folder.mkdir(mode=0o755)
        socket = folder / "opendkim.sock"
        try:
            started.append(Program("rspamd", network, RSPAMD, ["rspamd", "-f", "-i", "-c"]))
            started[-1].wait(lambda: accepts(network, 11332))
            started.append(Program("opendkim", network, OPENDKIM.replace("{socket}", str(socket)),
                                   ["opendkim", "-f", "-x"]))
            started[-1].wait(socket.exists)
            started.append(Program("opendmarc", network, OPENDMARC, ["opendmarc", "-f", "-c"]))
            started[-1].wait(lambda: accepts(network, 8893))
            yield site
        finally:
            for program in started:
                program.end()


def results(site, subject):
    """The Authentication-Results fields of a message that is accepted, from the top."""
    return site.accepts(site.server.client(world.GOOD), subject).all("Authentication-Results")


def test_in_the_order_of_the_guide(network):
    with filters(network) as site:
        found = results(site, "all of them")
        # What comes last stands on top: OpenDMARC, OpenDKIM, iprevd, rspamd, which found nothing.
        for value, method in zip(found, ("dmarc=", "dkim=", OURS, "none"), strict=True):
            assert value.startswith("mx.example.net; ") and method in value, found
        site.refuses(site.server.client(world.NO_PTR))


def test_rspamd_behind_iprevd_removes_its_result(network):
    with filters(network, reverse=True) as site:
        found = results(site, "reverse")
        assert found and not any("iprev=" in value for value in found), found
