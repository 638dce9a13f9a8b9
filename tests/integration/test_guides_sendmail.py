# SPDX-License-Identifier: BSD-2-Clause
"""doc/sendmail.md: what it shows is what works; see test_guides.py."""

import contextlib

import pytest

import fenced
import world
from guide_sites import SERVER, hands_on, judged_before, listen_unix, sendmail_site
from milterserver import MilterServer
from mta import LOGIN, PASSWORD, ROOT, RUN
from smtpclient import Smtp, message

AWAY = "When iprevd is away, or slow"

# Were there a filter at the submission port, it would judge those who log in.
JUDGE_ALL = "skip-authenticated = false\nlocal-networks = {}\n"


def sendmail_one_line(network):
    no_macros = "".join(f"define(`confMILTER_MACROS_{place}', `')dnl\n"
                        for place in ("CONNECT", "HELO", "ENVFROM", "ENVRCPT", "EOM"))
    with sendmail_site("One line", network, no_macros) as site:
        site.judges()
        site.filter.wait_log(r"client=192\.0\.2\.1 .* mta=mx\.example\.net .*queue_id=\w{6}")
        smtp = site.server.client(world.NO_PTR)
        assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
        assert site.accepts(smtp, "logged in").field("X-Iprevd") is None
        site.filter.end()
        site.accepts(site.server.client(world.NO_PTR), "iprevd is away")


def sendmail_away(network):
    with sendmail_site(AWAY, network) as site:
        site.judges()
        site.filter.end()
        response = site.server.client(world.GOOD).send_message(message("away"))
        assert 450 <= response.code < 460, response
    for flag, code in [("F=R", 500), ("F=4", 421)]:
        with sendmail_site(AWAY, network, replace=("F=T", flag)) as site:
            site.judges()
            site.filter.end()
            smtp = Smtp(SERVER, 25, sock=network.connect(SERVER, 25, world.GOOD, 1))
            responses = [smtp.banner]
            with contextlib.suppress(ConnectionError):
                responses.append(smtp.command("EHLO mail.good.example"))
                responses.append(smtp.send_message(message("away")))
            assert any(response.code // (100 if code == 500 else 1) == code // (
                100 if code == 500 else 1) for response in responses), (flag, responses)


def sendmail_unix_socket(network):
    quarantine = 'policy "default" { check ptr-generic { action = quarantine } }\n'
    with sendmail_site("A unix socket", network, conf=quarantine) as site:
        site.judges()
        # As the guide says, such mail is seen and let go.
        assert site.server.client(world.GENERIC).send_message(message("held")).code == 250
        command = [f"{ROOT}/usr/libexec/sendmail/sendmail", "-C", f"{RUN}/sendmail.cf"]
        assert "looks like a provider" in site.server.jail.run(*command, "-bp", "-qQ")
        site.server.jail.run(*command, "-qQ", "-Q")
        site.server.jail.run(*command, "-qf")
        site.server.mail.wait("held")
        # A folder that others may write to: Sendmail does without the filter.
        site.filter.folder.chmod(0o777)
        site.accepts(site.server.client(world.NO_PTR), "unsafe")
        site.server.wait_log("unsafe")


def sendmail_other_filters(network):
    with sendmail_site("Beside other filters", network) as site:
        path = site.server.jail.dir / "opendkim" / "opendkim.sock"
        with MilterServer(sock=listen_unix(path)) as second:
            judged_before(site, second)


def sendmail_services(network):
    with sendmail_site("Where mail is submitted", network, conf=JUDGE_ALL) as site:
        site.judges()
        smtp = site.server.client(world.NO_PTR, port=587)
        assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
        assert site.accepts(smtp, "submitted").field("Authentication-Results") is None
        response = site.server.client(world.NO_PTR, port=587).send_message(message("no login"))
        assert 500 <= response.code < 600 and "5.7.25" not in response.text, response


def sendmail_listeners(network):
    with sendmail_site("Different policies for different ports", network) as site:
        site.judges()
        smtp = site.server.client(world.NO_PTR, port=2525)
        assert site.accepts(smtp, "partner").field("X-Iprevd").startswith("tag ")


def sendmail_rules(network):
    with sendmail_site("Instead of Sendmail's own rules", network) as site:
        site.judges()
        for helo, code in [("word", 550), ("mx.example.net", 550), ("mail.good.example", 250)]:
            smtp = site.server.client(world.GOOD)
            smtp.close()
            smtp = Smtp(SERVER, 25, sock=network.connect(SERVER, 25, world.GOOD, 1))
            smtp.ehlo(helo)
            assert smtp.send_message(message(helo)).code == code, helo
        smtp = Smtp(SERVER, 25, sock=network.connect(SERVER, 25, world.GOOD, 1))
        assert smtp.mail().code == 503


def sendmail_delay_checks(network):
    with sendmail_site("With delay_checks", network) as site:
        site.judges()
        smtp = site.server.client(world.NO_PTR)
        smtp.mail()
        assert 500 <= smtp.rcpt("somebody@elsewhere.example").code < 600
        assert "elsewhere.example" not in site.filter.log
        assert smtp.rcpt().text.startswith("5.7.25 ")
        assert smtp.rcpt("postmaster@example.net").code == 250


def sendmail_backup(network):
    with sendmail_site("A primary MX and its backup", network) as site:
        site.judges()
        hands_on(site)


def sendmail_large_fields(network):
    with sendmail_site("Large header fields", network) as site:
        site.judges()
        smtp = site.server.client(world.GOOD)
        large = ("X-Large", "begins" + ("\n " + "x" * 900) * 80)
        response = smtp.send_message(message("large", [large]))
        assert response.code >= 400, response
        assert "filter" not in response.text and site.server.mail.find("large") is None


SENDMAIL_SECTIONS = {
    "One line": sendmail_one_line,
    "When iprevd is away, or slow": sendmail_away,
    "A unix socket": sendmail_unix_socket,
    "Large header fields": sendmail_large_fields,
    "Beside other filters": sendmail_other_filters,
    "Where mail is submitted": sendmail_services,
    "Different policies for different ports": sendmail_listeners,
    "Instead of Sendmail's own rules": sendmail_rules,
    "With delay_checks": sendmail_delay_checks,
    "A primary MX and its backup": sendmail_backup,
}


def test_every_section_of_sendmail_is_played():
    assert list(fenced.installations("sendmail.md")) == list(SENDMAIL_SECTIONS)


@pytest.mark.parametrize("heading", SENDMAIL_SECTIONS)
def test_sendmail(network, heading):
    SENDMAIL_SECTIONS[heading](network)
