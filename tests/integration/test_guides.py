# SPDX-License-Identifier: BSD-2-Clause
"""doc/postfix.md: what it shows is what works.

Every section that shows configuration is installed as it stands and mail is sent through it: one
message is accepted and one client refused, and what the section says besides is looked at.
"""

import re

import pytest

import fenced
import mta_postfix
import world
from guide_sites import (IPREVD_UID, PROXY, hands_on, judged_before, listen_unix, postfix_site)
from milterserver import MilterServer
from mta import LOGIN, PASSWORD
from smtpclient import message


def one_line(network):
    # Whatever the lists of macros say, iprevd gets what it asks for.
    no_macros = "".join(f"milter_{place}_macros =\n"
                        for place in ("connect", "helo", "mail", "rcpt", "end_of_data"))
    with postfix_site("One line", network,
                      no_macros + "smtpd_sasl_auth_enable = yes\n") as site:
        site.judges()
        site.filter.wait_log(r"client=192\.0\.2\.1 .* mta=mx\.example\.net .*queue_id=\w{6}")
        smtp = site.server.client(world.NO_PTR)
        assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
        assert site.accepts(smtp, "logged in").field("X-Iprevd") is None
        site.filter.end()
        site.accepts(site.server.client(world.NO_PTR), "iprevd is away")
        site.server.wait_log(r"warning: connect to Milter service inet:127\.0\.0\.1:8896")


def unix_socket(network):
    with postfix_site("A unix socket inside the chroot", network) as site:
        site.judges()
        socket = site.server.jail.dir / "queue" / "iprevd" / "milter"
        # The group's number is that of the user.
        assert socket.stat().st_uid == IPREVD_UID
        assert socket.stat().st_gid == mta_postfix.POSTFIX_UID
        assert socket.stat().st_mode & 0o7777 == 0o660


AWAY = "When iprevd is away, or slow"


def away(network):
    with postfix_site(AWAY, network) as site:
        site.judges()
        site.filter.end()
        site.refuses(site.server.client(world.GOOD), 451,
                     "4.7.1 Service unavailable - try again later")
        site.filter.start()
        site.judges()
    for action, code in [("reject", 550), ("quarantine", 250)]:
        blocks = {name: text.replace("default_action=tempfail", f"default_action={action}")
                  for name, text in fenced.installations("postfix.md")[AWAY].items()}
        with postfix_site(blocks, network) as site:
            site.judges()
            site.filter.end()
            response = site.server.client(world.GOOD).send_message(message("away"))
            assert response.code == code, response
            assert len(site.server.held()) == (1 if code == 250 else 0)


def way_back(network):
    section = "The way back"
    blocks = fenced.installations("postfix.md")[section]
    with postfix_site(section, network) as site:
        mail = site.accepts(site.server.client(world.NO_PTR), "no filter")
        assert mail.field("Authentication-Results") is None
    main = "".join(line for line in blocks["main.cf"].splitlines(True) if "milter_maps" not in line)
    assert main != blocks["main.cf"]
    with postfix_site(dict(blocks, **{"main.cf": main}), network) as site:
        site.judges()


# Were there a filter at the submission port, it would judge those who log in.
JUDGE_ALL = "skip-authenticated = false\nlocal-networks = {}\n"


def services(network):
    with postfix_site("Where mail comes in, and where it is submitted", network,
                      conf=JUDGE_ALL) as site:
        site.judges()
        smtp = site.server.client(world.NO_PTR, port=587)
        smtp.starttls()
        smtp.ehlo("laptop")
        assert smtp.auth_plain(LOGIN, PASSWORD).code == 235
        assert site.accepts(smtp, "submitted").field("Authentication-Results") is None
        smtp = site.server.client(world.NO_PTR, port=587)
        smtp.starttls()
        smtp.ehlo("laptop")
        response = smtp.send_message(message("not logged in"))
        assert 500 <= response.code < 600 and "5.7.25" not in response.text, response
        smtp = site.server._connect("127.0.0.1", 10025)
        smtp.ehlo("localhost")
        assert site.accepts(smtp, "given back").field("Authentication-Results") is None


def listeners(network):
    with postfix_site("Different policies for different services", network) as site:
        site.judges()
        smtp = site.server.client(world.NO_PTR, port=2525)
        assert site.accepts(smtp, "partner").field("X-Iprevd").startswith("tag ")
        site.filter.wait_log(r'policy=partners match="?partners\' port')


def postscreen(network):
    # Who has passed once is not made to wait: the wait is not what is tested.
    with postfix_site("Behind postscreen", network, "postscreen_greet_wait = 1s\n") as site:
        site.judges()
        assert "postfix/postscreen" in site.server.log and "PASS NEW" in site.server.log


def proxy(network):
    with postfix_site("Behind a load balancer: the PROXY protocol", network) as site:
        site.accepts(site.server.client(PROXY, proxied=world.GOOD))
        site.refuses(site.server.client(PROXY, proxied=world.NO_PTR))


def proxy_postscreen(network):
    with postfix_site("The PROXY protocol with postscreen", network,
                      "postscreen_greet_wait = 1s\n") as site:
        site.accepts(site.server.client(PROXY, proxied=world.GOOD))
        site.refuses(site.server.client(PROXY, proxied=world.NO_PTR))


def xclient(network):
    with postfix_site("Behind an SMTP proxy: XCLIENT", network) as site:
        for client, ptr, play in [(world.GOOD, "mail.good.example", site.accepts),
                                  (world.NO_PTR, None, site.refuses)]:
            smtp = site.server.client(PROXY)
            smtp.xclient_as(client, ptr)
            smtp.ehlo("mail.good.example")
            play(smtp)
        assert site.server.client("192.0.2.4").command("XCLIENT ADDR=192.0.2.1").code >= 500
        # A name that comes with XCLIENT is not told to filters, a new EHLO is.
        smtp = site.server.client(PROXY)
        smtp.xclient_as(world.GOOD, "mail.good.example", helo="mail.good.example")
        site.accepts(smtp, "name by XCLIENT")
        site.filter.wait_log("helo=- agreement=none checks=helo-missing")


def other_filters(network):
    with postfix_site("Beside other filters", network) as site:
        folder = site.server.jail.dir / "queue" / "opendkim"
        with MilterServer(sock=listen_unix(folder / "opendkim.sock")) as second, \
                MilterServer(sock=network.listen("127.0.0.1", 11332)) as third:
            judged_before(site, second)
            # rspamd stands before iprevd: it reads no more, and no fields of iprevd.
            assert [command for command, _ in third.events].count("E") == 1
            assert not any(data.startswith(b"Authentication-Results\0")
                           for command, data in third.events if command == "L")


def restrictions(network):
    with postfix_site("Instead of Postfix's own restrictions", network,
                      "smtpd_helo_required = no\n") as site:
        site.judges()
        for helo, code, check in [("192.0.2.1", 550, "helo-bare-ip"),
                                  ("word", 550, "helo-not-fqdn"),
                                  ("no_good.example", 550, "helo-invalid"),
                                  ("nowhere.good.example", 550, "helo-unresolved"),
                                  # Without its lookup Postfix knows nobody by name.
                                  ("mail.good.example", 250, "mta-disagrees")]:
            smtp = site.server.client(world.GOOD)
            smtp.ehlo(helo)
            assert smtp.send_message(message(helo)).code == code, helo
            site.filter.wait_log(rf"helo={re.escape(helo)} .*checks={check}")
        # Postfix's restrictions come first: what they refuse is not shown to filters.
        smtp = site.server.client(world.NO_PTR)
        smtp.mail()
        assert smtp.rcpt("somebody@elsewhere.example").code == 554
        assert "elsewhere.example" not in site.filter.log


def backup(network):
    with postfix_site("A primary MX and its backup", network) as site:
        site.judges()
        hands_on(site)


def farm(network):
    with postfix_site("A farm", network) as site:
        site.judges()
        smtp = site.server.client(world.GOOD)
        smtp.ehlo("mx2.example.net")
        site.refuses(smtp, 550, "5.7.1 [192.0.2.1] says EHLO mx2.example.net")


# What Postfix refuses by these the checks of the same row of the guide's table find, too.
HELO_RESTRICTIONS = {2501: "reject_invalid_helo_hostname", 2502: "reject_non_fqdn_helo_hostname"}
HELO_NAMES = ["mail.good.example", "word", "192.0.2.1", "[192.0.2.1]", "[192.0.2.300]", "[word]",
              "a..example", "-a.example", "a-.example", "a.example-", "a_b.example", "a+b.example",
              "a.example.", "1.2.3", "2001:db8::1", "[IPv6:2001:db8::1]", "[IPv6:::::]", "x" * 64 +
              ".example"]


def test_what_the_table_of_restrictions_says(network):
    services = "smtp inet n - y - - smtpd\n" + "".join(
        f"{port} inet n - y - - smtpd\n  -o smtpd_helo_restrictions={name}\n  -o smtpd_milters=\n"
        for port, name in HELO_RESTRICTIONS.items())
    table = dict(re.findall(r"^\| `(reject_\w+)` \| (.*) \|$",
                            (fenced.TOP / "doc" / "postfix.md").read_text(), re.MULTILINE))
    blocks = dict(fenced.installations("postfix.md")["One line"], **{"master.cf": services})
    with postfix_site(blocks, network) as site:
        refused = {}
        for name in HELO_NAMES:
            smtp = site.server.client(world.GOOD)
            smtp.ehlo(name)
            assert smtp.send_message(message(name)).code == 250
            line = site.filter.wait_log(rf"helo={re.escape(name)} .* checks=(\S+)")
            for port, restriction in HELO_RESTRICTIONS.items():
                smtp = site.server.client(world.GOOD, port=port)
                smtp.ehlo(name)
                if smtp.send_message(message(name)).code >= 400:
                    refused.setdefault(restriction, []).append(name)
                    found = set(line[1].split(","))
                    assert found & set(re.findall(r"`([\w-]+)`", table[restriction])), \
                        (restriction, name, found)
        assert all(len(refused[name]) > 2 for name in HELO_RESTRICTIONS.values()), refused
        assert "a_b.example" not in refused["reject_invalid_helo_hostname"]


POSTFIX_SECTIONS = {
    "One line": one_line,
    "A unix socket inside the chroot": unix_socket,
    "When iprevd is away, or slow": away,
    "The way back": way_back,
    "Where mail comes in, and where it is submitted": services,
    "Different policies for different services": listeners,
    "Behind postscreen": postscreen,
    "Behind a load balancer: the PROXY protocol": proxy,
    "The PROXY protocol with postscreen": proxy_postscreen,
    "Behind an SMTP proxy: XCLIENT": xclient,
    "Beside other filters": other_filters,
    "Instead of Postfix's own restrictions": restrictions,
    "A primary MX and its backup": backup,
    "A farm": farm,
}


def test_every_section_of_postfix_is_played():
    assert list(fenced.installations("postfix.md")) == list(POSTFIX_SECTIONS)


@pytest.mark.parametrize("heading", POSTFIX_SECTIONS)
def test_postfix(network, heading):
    POSTFIX_SECTIONS[heading](network)
