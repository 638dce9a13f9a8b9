# SPDX-License-Identifier: BSD-2-Clause
"""A real Sendmail on a free loopback port; see mta.py for where it runs.

It has no XCLIENT: clients come from 127.0.0.0/8 and ::1.  Names are those of its private
/etc/hosts.  Mail for example.net arrives in .mail, a Maildir a user.

Ports: .port, .chain_port (with filters of its own) and .reverse_port (the same in reverse order).
"""

import re
import subprocess

from daemon import free_port, wait_until
from mta import HOSTNAME, ROOT, RUN, Jail, Mailboxes
from smtpclient import Smtp

CONFIG_MC = """divert(-1)
divert(0)dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{hostname}')dnl
define(`QUEUE_DIR', `{run}/queue')dnl
define(`STATUS_FILE', `{run}/statistics')dnl
define(`HELP_FILE', `{run}/helpfile')dnl
define(`confPID_FILE', `{run}/sendmail.pid')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confSERVICE_SWITCH_FILE', `{run}/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`ALIAS_FILE', `{run}/aliases')dnl
define(`confCW_FILE', `-o {run}/local-host-names')dnl
define(`confDEF_USER_ID', `user:user')dnl
define(`confDELIVERY_MODE', `interactive')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
define(`confTO_IDENT', `0s')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confPRIVACY_FLAGS', `noetrn')dnl
define(`confBAD_RCPT_THROTTLE', `0')dnl
define(`confMAX_DAEMON_CHILDREN', `0')dnl
define(`confQUEUE_LA', `1000000')dnl
define(`confREFUSE_LA', `1000000')dnl
define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl
define(`confAUTH_OPTIONS', `')dnl
TRUST_AUTH_MECH(`PLAIN LOGIN')dnl
define(`confAUTH_REALM', `{hostname}')dnl
define(`confSERVER_CERT', `{cert}')dnl
define(`confSERVER_KEY', `{key}')dnl
define(`confCACERT', `{cert}')dnl
define(`confCACERT_PATH', `{run}/certs')dnl
define(`confTLS_SRV_OPTIONS', `V')dnl
define(`confMILTER_LOG_LEVEL', `14')dnl
{milters}
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={port}')dnl
DAEMON_OPTIONS(`Name=MTA6, Family=inet6, Addr=::1, Port={port}')dnl
{chain}
define(`LOCAL_MAILER_PATH', `/bin/sh')dnl
define(`LOCAL_MAILER_ARGS', `sh {run}/deliver $u')dnl
define(`LOCAL_MAILER_FLAGS', `lsDFMAw5:/|@qPn')dnl
define(`LOCAL_SHELL_PATH', `/bin/sh')dnl
{extra}
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cwexample.net
"""

# One file a message, moved into place whole.
DELIVER = """set -eu
umask 077
box=%(run)s/mail/$1
mkdir -p "$box/tmp" "$box/new"
name=$(date +%%s%%N).$$
cat >"$box/tmp/$name"
mv "$box/tmp/$name" "$box/new/$name"
"""

SASL_CONF = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {sasldb}
mech_list: PLAIN LOGIN
"""


class Sendmail:
    """
    milters, chain: sockets in libmilter's syntax, in the order of the chain; timeouts: of
    INPUT_MAIL_FILTER.
    """

    def __init__(self, milters=(), flags="F=T", timeouts="S:30s;R:30s;E:2m", extra="", chain=(),
                 **jail):
        self.jail = Jail("sendmail", **jail)
        self.port, self.chain_port, self.reverse_port = free_port(), free_port(), free_port()
        self.mail = Mailboxes(self.jail.dir / "mail")
        self.clients = []
        lines = [f"INPUT_MAIL_FILTER(`filter{number}', `S={spec}, {flags}, T={timeouts}')dnl"
                 for number, spec in enumerate(milters)]
        self.chain = self._chain_lines(chain, f"{flags}, T={timeouts}") if chain else ""
        try:
            self._write_files()
            self._write_config("\n".join(lines), extra)
        except BaseException:
            self.jail.end()
            raise

    def _chain_lines(self, chain, settings):
        names = [f"chain{number}" for number in range(len(chain))]
        lines = [f"MAIL_FILTER(`{name}', `S={spec}, {settings}')dnl"
                 for name, spec in zip(names, chain)]
        for port, order in [(self.chain_port, names), (self.reverse_port, names[::-1])]:
            lines.append(f"DAEMON_OPTIONS(`Name=MTA{port}, Family=inet, Addr=127.0.0.1, "
                         f"Port={port}, InputMailFilters={';'.join(order)}')dnl")
        return "\n".join(lines)

    def _write_files(self):
        base = self.jail.dir
        for name, mode in [("queue", 0o700), ("certs", 0o755), ("mail", 0o1777)]:
            (base / name).mkdir()
            (base / name).chmod(mode)
        files = {"service.switch": "hosts files\naliases files\n", "local-host-names": "",
                 "aliases": "postmaster: user\nabuse: user\nmailer-daemon: user\n",
                 "helpfile": "", "statistics": "", "deliver": DELIVER % {"run": RUN}}
        for name, text in files.items():
            (base / name).write_text(text)
        sasldb = self.jail.make_login()
        (base / "etc" / "mail" / "sasl").mkdir(parents=True)
        (base / "etc" / "sasl2").mkdir()
        # Debian looks here; Sendmail wants nobody else to read it.
        for place in ("mail/sasl/Sendmail.conf", "sasl2/Sendmail.conf", "mail/Sendmail.conf"):
            path = base / "etc" / place
            path.write_text(SASL_CONF.format(sasldb=sasldb))
            path.chmod(0o600)
        (base / "sasldb2").chmod(0o600)

    def _write_config(self, milters, extra):
        key, cert = self.jail.make_certificate()
        text = CONFIG_MC.format(run=RUN, hostname=HOSTNAME, port=self.port, key=key, cert=cert,
                                milters=milters, chain=self.chain, extra=extra)
        cf = self.jail.packages / "usr/share/sendmail/cf"
        made = subprocess.run(["m4", f"-D_CF_DIR_={cf}/", f"{cf}/m4/cf.m4", "-"],
                              input=self._macro_text(text), text=True, capture_output=True,
                              check=True)
        assert "ERROR" not in made.stderr, made.stderr
        (self.jail.dir / "sendmail.cf").write_text(made.stdout)
        self.jail.run(f"{ROOT}/usr/libexec/sendmail/sendmail", "-C", f"{RUN}/sendmail.cf", "-bi")

    def _macro_text(self, text):
        """What goes through m4: for those who want another one."""
        return text

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
        # -bD: in the foreground.
        self.jail.spawn(f"{ROOT}/usr/libexec/sendmail/sendmail", "-C", f"{RUN}/sendmail.cf", "-bD")
        wait_until("Sendmail to answer", self._answers)

    def _answers(self):
        assert self.jail.process.poll() is None, f"Sendmail ended:\n{self.jail.output}\n{self.log}"
        try:
            with Smtp("127.0.0.1", self.port) as smtp:
                return bool(smtp.banner)
        except OSError:
            return False

    def smtp(self, client="127.0.0.1", port=None):
        """A connection from an address of 127.0.0.0/8 or ::1."""
        port = port or self.port
        smtp = Smtp("::1", port) if ":" in client else Smtp("127.0.0.1", port, client)
        self.clients.append(smtp)
        return smtp

    def close_clients(self):
        """Hang up on all connections that were made."""
        for smtp in self.clients:
            smtp.close()
        self.clients = []

    # --- looking at it ---

    @property
    def log(self):
        return self.jail.syslog.text

    def wait_log(self, pattern):
        compiled = re.compile(pattern)
        return wait_until(f"{pattern!r} in Sendmail's log", lambda: compiled.search(self.log))

    def quarantined(self):
        """Reasons of quarantined messages, by queue id."""
        found = {}
        for path in (self.jail.dir / "queue").glob("hf*"):
            reason = re.search(r"^q(.*)$", path.read_text(errors="backslashreplace"), re.MULTILINE)
            found[path.name[2:]] = reason[1] if reason else ""
        return found

    def mailq_quarantined(self):
        """What the administrator is shown of them."""
        return self.jail.run(f"{ROOT}/usr/libexec/sendmail/sendmail", "-C", f"{RUN}/sendmail.cf",
                             "-bp", "-qQ")

    def queued(self):
        return sorted(path.name for path in (self.jail.dir / "queue").glob("[qh]f*"))
