# SPDX-License-Identifier: BSD-2-Clause
"""A real Postfix on free loopback ports; see mta.py for where it runs.

Ports: .port (XCLIENT allowed, STARTTLS, AUTH), .proxy_port (HAProxy protocol first), .chain_port
(with filters of its own), .reverse_port (the same in reverse order) and .lenient_port (takes mail while
its filters are away).
Mail for example.net arrives in .mail, a Maildir a user.
"""

import os
import pathlib
import re

from daemon import free_port, wait_until
from mta import HOSTNAME, ROOT, RUN, USERS, Jail, Mailboxes
from smtpclient import Smtp

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {run}/queue
data_directory = {run}/data
command_directory = {root}/usr/sbin
daemon_directory = {root}/usr/lib/postfix/sbin
shlib_directory = {root}/usr/lib/postfix
meta_directory = {run}/config
mail_owner = postfix
setgid_group = postdrop
default_privs = nobody
maillog_file_prefixes = {run}
maillog_file = {run}/data/mail.log
inet_interfaces = {interfaces}
inet_protocols = {protocols}
myhostname = {hostname}
mydestination =
mynetworks = 127.0.0.1/32
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
virtual_mailbox_domains = example.net
virtual_mailbox_base = {run}/mail
virtual_mailbox_maps = texthash:{run}/config/mailboxes
virtual_uid_maps = static:62010
virtual_gid_maps = static:62010
default_transport = discard
# The tests refuse a lot; nothing is to be slowed down for it.
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
smtpd_timeout = 60s
in_flow_delay = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
# What is tested.
smtpd_milters = {milters}
milter_default_action = {default_action}
milter_connect_timeout = 10s
milter_command_timeout = 30s
smtpd_authorized_xclient_hosts = 127.0.0.0/8, [::1], 192.0.2.0/24, [2001:db8::]/32
smtpd_tls_security_level = may
smtpd_tls_key_file = {key}
smtpd_tls_cert_file = {cert}
smtpd_tls_auth_only = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {run}/config/sasl
smtpd_sasl_security_options = noanonymous
smtpd_sasl_local_domain = {hostname}
{extra}
"""

MASTER_CF = """
{listeners}
127.0.0.1:{proxy_port} inet n - n - - smtpd
  -o smtpd_upstream_proxy_protocol=haproxy -o smtpd_authorized_xclient_hosts=
127.0.0.1:{chain_port} inet n - n - - smtpd
  -o {{ smtpd_milters = {chain} }}
127.0.0.1:{reverse_port} inet n - n - - smtpd
  -o {{ smtpd_milters = {reverse} }}
127.0.0.1:{lenient_port} inet n - n - - smtpd
  -o milter_default_action=accept
{services}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

SASL_CONF = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {sasldb}
mech_list: PLAIN LOGIN
"""

SETTLED = 1_000_000_000  # long ago
POSTFIX_UID, POSTDROP_GID, MAILBOX_UID = 62003, 62004, 62010
# Some containers have no IPv6 on loopback; tests of it say so themselves.
HAS_IPV6 = pathlib.Path("/proc/net/if_inet6").exists()
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved",
          "trace", "private")


def postfix_spec(spec):
    """libmilter writes inet:PORT@HOST, Postfix inet:HOST:PORT."""
    found = re.fullmatch(r"inet6?:(\d+)@(.*)", spec)
    return f"inet:{found[2]}:{found[1]}" if found else spec


class Postfix:
    """
    milters, chain: sockets in libmilter's syntax, in the order of the chain.  With a Network it
    listens on all addresses of the network's server side.  services: more lines of master.cf.
    """

    def __init__(self, milters=(), chain=(), default_action="tempfail", extra="", ipv6=HAS_IPV6,
                 network=None, services="", **jail):
        self.jail = Jail("postfix", network=network, **jail)
        self.port, self.proxy_port = free_port(), free_port()
        self.chain_port, self.reverse_port = free_port(), free_port()
        self.lenient_port = free_port()
        self.mail = Mailboxes(self.jail.dir / "mail")
        self.clients = []
        self.addresses = [""] if network else ["127.0.0.1:"] + (["[::1]:"] if ipv6 else [])
        self.settings = {"default_action": default_action, "extra": extra,
                         "protocols": "all" if ipv6 else "ipv4",
                         "interfaces": "all" if network else "loopback-only",
                         "milters": ", ".join(map(postfix_spec, milters))}
        self.chain = list(map(postfix_spec, chain))
        self.services = services
        try:
            self._make_directories()
            self._write_config()
        except BaseException:
            self.jail.end()
            raise

    def _make_directories(self):
        base = self.jail.dir
        for name in ("config", "config/sasl", "queue", "queue/pid"):
            (base / name).mkdir()
        for name, uid in [("data", POSTFIX_UID), ("mail", MAILBOX_UID)]:
            (base / name).mkdir()
            _own(base / name, uid)
        for name in QUEUES:
            (base / "queue" / name).mkdir(mode=0o700)
            _own(base / "queue" / name, POSTFIX_UID)
        for name, mode in [("public", 0o710), ("maildrop", 0o730)]:
            (base / "queue" / name).mkdir()
            _own(base / "queue" / name, POSTFIX_UID, POSTDROP_GID)
            (base / "queue" / name).chmod(mode)

    def _write_config(self):
        config = self.jail.dir / "config"
        key, cert = self.jail.make_certificate()
        sasldb = self.jail.make_login()
        (config / "sasl" / "smtpd.conf").write_text(SASL_CONF.format(sasldb=sasldb))
        (config / "mailboxes").write_text(
            "".join(f"{user}@example.net {user}/\n" for user in USERS))
        dynamic = self.jail.packages / "usr/share/postfix/dynamicmaps.cf"
        (config / "dynamicmaps.cf").write_text(dynamic.read_text() if dynamic.exists() else "")
        (config / "main.cf").write_text(MAIN_CF.format(
            run=RUN, root=ROOT, hostname=HOSTNAME, key=key, cert=cert, **self.settings))
        listeners = "\n".join(f"{address}{self.port} inet n - n - - smtpd"
                              for address in self.addresses)
        (config / "master.cf").write_text(MASTER_CF.format(
            listeners=listeners, proxy_port=self.proxy_port, chain_port=self.chain_port,
            reverse_port=self.reverse_port, lenient_port=self.lenient_port,
            services=self.services,
            chain=", ".join(self.chain), reverse=", ".join(reversed(self.chain))))
        # Postfix waits until a file is settled; these are.
        for path in config.iterdir():
            os.utime(path, (SETTLED, SETTLED))

    # --- life ---

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.jail.end()
            raise
        return self

    def __exit__(self, *_):
        self.jail.end()

    def start(self):
        self.jail.spawn(f"{ROOT}/usr/lib/postfix/sbin/master", "-c", f"{RUN}/config", "-s")
        wait_until("Postfix to answer", self._answers)

    def _answers(self):
        assert self.jail.process.poll() is None, f"Postfix ended:\n{self.jail.output}\n{self.log}"
        try:
            with self._connect("127.0.0.1", self.port) as smtp:
                return bool(smtp.banner)
        except OSError:
            return False

    def _connect(self, host, port, source=None, proxy=None, side=0):
        if self.jail.network is None:
            return Smtp(host, port, source, proxy=proxy)
        return Smtp(host, port, proxy=proxy,
                    sock=self.jail.network.connect(host, port, source, side))

    # --- talking to it ---

    def _client(self, *where, **kw):
        smtp = self._connect(*where, **kw)
        self.clients.append(smtp)
        return smtp

    def close_clients(self):
        """Hang up on all connections that were made."""
        for smtp in self.clients:
            smtp.close()
        self.clients = []

    def smtp(self, client=None, ptr=None, host="127.0.0.1", port=None, **attributes):
        """
        A connection after its banner.  client: an address to be taken for, by XCLIENT, with the
        name ptr (None: Postfix found none).
        """
        smtp = self._client(host, port or self.port)
        if client is not None:
            smtp.ok("EHLO xclient.test")
            smtp.banner = smtp.xclient_as(client, ptr, **attributes)
        return smtp

    def smtp_proxied(self, client, port=25252):
        """A connection whose client address is told by the HAProxy protocol."""
        family, local = ("TCP6", "2001:db8::fe") if ":" in client else ("TCP4", "192.0.2.254")
        return self._client("127.0.0.1", self.proxy_port,
                            proxy=f"PROXY {family} {client} {local} {port} 25")

    def smtp_from(self, source, host):
        """A connection from a real address of the network's client side to one of the server's."""
        return self._client(host, self.port, source, side=1)

    # --- looking at it ---

    @property
    def log(self):
        path = self.jail.dir / "data" / "mail.log"
        return path.read_text(errors="backslashreplace") if path.exists() else ""

    def wait_log(self, pattern):
        compiled = re.compile(pattern)
        return wait_until(f"{pattern!r} in Postfix's log", lambda: compiled.search(self.log))

    def held(self):
        """Queue ids of messages on hold: where milters' quarantine puts them."""
        return sorted(path.name for path in (self.jail.dir / "queue" / "hold").iterdir())

    def postqueue(self):
        """What the administrator is shown of the queue."""
        return self.jail.run(f"{ROOT}/usr/sbin/postqueue", "-c", f"{RUN}/config", "-p")


def _own(path, uid, gid=0):
    os.chown(path, uid, gid)
