# SPDX-License-Identifier: BSD-2-Clause
"""Postfix in front of Postfix: a relay whose Received fields are read, and smtpd_proxy_filter."""

import contextlib

import pytest

import daemon
import world
from conftest import require_mta
from mta_postfix import Postfix
from smtpclient import message

FORGED = ("X-Iprevd", "tag forged")


@contextlib.contextmanager
def chain(tmp_path, config, services):
    """services: of master.cf, with {front} and {back} ports; Postfix, and iprevd behind it."""
    require_mta("postfix")
    ports = {"front": daemon.free_port(), "back": daemon.free_port(), "filter": daemon.free_port()}
    server = Postfix(services=services.format(**ports))
    given = daemon.Daemon(tmp_path / "iprevd", f"mode = enforce\n{config}", zone=world.ZONE,
                          listen=f"inet:{ports['filter']}@127.0.0.1")
    with given, server:
        server.front, server.given = ports["front"], given
        yield server


def client(server, address, ehlo):
    smtp = server.smtp(port=server.front)
    smtp.ok("EHLO xclient.test")
    smtp.xclient_as(address)
    smtp.send_raw(b"EHLO " + ehlo + b"\r\n")
    assert smtp.read().code == 250
    return smtp


RELAY = """127.0.0.1:{front} inet n - n - - smtpd
  -o smtpd_milters= -o content_filter=smtp:[127.0.0.1]:{back}
127.0.0.1:{back} inet n - n - - smtpd
  -o {{ smtpd_milters = inet:127.0.0.1:{filter} }}
smtp unix - - n - - smtp
"""


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    config = 'local-networks = {}\ntrusted-relays = {"127.0.0.1"}\n'
    with chain(tmp_path_factory.mktemp("relay"), config, RELAY) as server:
        yield server


@pytest.mark.parametrize("ehlo", [
    b"mail.good.example", b"[192.0.2.1]", b"[192.0.2.1]:25", b"[192.0.2.1]:", b"192.0.2.1", b"by",
    b"x ([192.0.2.1])", b"([192.0.2.1] helo=x)", b"x (HELO [192.0.2.1]) (192.0.2.1)", b"unknown",
    b"x\t([192.0.2.1])", b"[192.0.2.1] by mx with ESMTPA", "\u00fc([192.0.2.1])".encode(), b"(", b"\\"])
def test_who_is_behind_a_real_relay(relay, ehlo):
    """The relay writes down what the client said, as it does; the client is the relay's peer."""
    subject = f"relay {ehlo!r}"
    mark = len(relay.given.log)
    smtp = client(relay, world.NO_PTR, ehlo)
    assert smtp.send_message(message(subject)).code == 250
    mail = relay.mail.wait(subject)
    assert "iprev=permerror policy.iprev=192.0.2.2 " in mail.field("Authentication-Results")
    line = relay.given.wait_log(r"client=192\.0\.2\.2 .*checks=(\S+).*relay=127\.0\.0\.1", mark)
    assert "helo-missing" not in line[1]
    if ehlo == b"unknown":  # what Postfix writes where nothing was said
        assert "helo-" not in line[1]


PROXY = """127.0.0.1:{front} inet n - n - - smtpd
  -o {{ smtpd_milters = inet:127.0.0.1:{filter} }} -o smtpd_proxy_filter=127.0.0.1:{back}
127.0.0.1:{back} inet n - n - - smtpd
  -o smtpd_milters= -o smtpd_authorized_xforward_hosts=127.0.0.0/8
"""


def test_in_front_of_smtpd_proxy_filter(tmp_path):
    """Refusals as everywhere; fields are lost and forged ones stay, as doc/postfix.md says."""
    tags = 'policy "default" { check ptr-missing { action = tag } }\n'
    with chain(tmp_path, tags, PROXY) as server:
        smtp = client(server, world.NO_PTR, b"mail.good.example")
        assert smtp.send_message(message("proxied", [FORGED])).code == 250
        mail = server.mail.wait("proxied")
        smtp.quit()  # iprevd is shown no message, so it logs at the end
        server.given.wait_log(r"client=192\.0\.2\.2 .*action=tag")
        assert mail.all("X-Iprevd") == [FORGED[1]]
        assert mail.field("Authentication-Results") is None
    with chain(tmp_path / "again", "", PROXY) as server:
        smtp = client(server, world.NO_PTR, b"mail.good.example")
        response = smtp.send_message(message("refused"))
        assert response.code == 550 and response.text.startswith("5.7.25 [192.0.2.2] has no PTR")
