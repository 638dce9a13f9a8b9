# SPDX-License-Identifier: BSD-2-Clause
"""What the integration tests share."""

import os
import shutil
import sys
import tempfile
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest

import daemon
import guide_sites
import mta
import world
from milterclient import MilterClient
from milterserver import MilterServer
from mta_postfix import Postfix
from mta_sendmail import Sendmail

IN_CI = os.environ.get("CI") == "true"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI nothing is skipped: there a skip is a failure."""
    outcome = yield
    report = outcome.get_result()
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped in CI: {reason}"


def require_mta(name):
    if os.geteuid() != 0:
        pytest.skip("not root: real mail servers run in namespaces of their own")
    if not (mta.packages_dir(name) / ".complete").exists():
        pytest.skip(f"{mta.packages_dir(name)} is not there: scripts/fetch-mta could not fetch it")


@pytest.fixture
def directory():
    """A directory of the test's own, whose path is short enough for a unix socket."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="iprevd-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def start_iprevd(directory):
    """Call it with a configuration to get a running Daemon that knows world.ZONE."""
    started = []

    def start(config="", zone=world.ZONE, listen=None, dns=None, **kw):
        given = daemon.Daemon(directory / f"iprevd{len(started)}", config,
                              zone=zone if dns is None else None, dns=dns, listen=listen, **kw)
        started.append(given)
        return given.start()

    yield start
    try:
        for given in started:
            given.stop()
    finally:
        for given in started:
            given.kill()


@pytest.fixture
def milter(start_iprevd):
    """Call it with a configuration to get a MilterClient; the Daemon is its .daemon."""
    def start(config="", **kw):
        running = start_iprevd(config, **kw)
        client = MilterClient(running.spec)
        client.daemon = running
        return client
    return start


# --- mail servers: one a run of pytest, iprevd behind them anew for every test ---


class MailServer:
    """A mail server and the socket on which it expects iprevd."""

    def __init__(self, server, spec, witness=None):
        self.server = server
        self.spec = spec
        self.witness = witness  # the other filter of the chain


@pytest.fixture(scope="session")
def postfix_server():
    require_mta("postfix")
    spec = f"inet:{daemon.free_port()}@127.0.0.1"
    with MilterServer() as witness, \
            Postfix([spec], chain=[witness.spec, spec]) as server:
        yield MailServer(server, spec, witness)


@pytest.fixture(scope="session")
def sendmail_server():
    require_mta("sendmail")
    spec = f"inet:{daemon.free_port()}@127.0.0.1"
    with MilterServer() as witness, \
            Sendmail([spec], hosts=world.HOSTS, chain=[witness.spec, spec]) as server:
        yield MailServer(server, spec, witness)


def with_iprevd(mail_server, start_iprevd):
    server = mail_server.server
    server.witness = mail_server.witness
    server.witness.reset()

    def start(config="", **kw):
        server.daemon = start_iprevd(config, listen=mail_server.spec, **kw)
        return server

    yield start
    server.close_clients()


@pytest.fixture
def postfix(postfix_server, start_iprevd):
    """Call it with iprevd's configuration to get Postfix with iprevd behind it (.daemon)."""
    yield from with_iprevd(postfix_server, start_iprevd)


@pytest.fixture
def sendmail(sendmail_server, start_iprevd):
    """The same with Sendmail."""
    yield from with_iprevd(sendmail_server, start_iprevd)


# --- what guides show: see guide_sites.py ---


@pytest.fixture(scope="module")
def network():
    """A network of the tests' own for a mail server on its own ports."""
    require_mta("postfix")
    require_mta("sendmail")
    made = guide_sites.make_network()
    yield made
    made.close()
