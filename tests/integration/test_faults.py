# SPDX-License-Identifier: BSD-2-Clause
"""
The daemon against DNS servers that lie, break and vanish while sessions run: what a client is told,
and that it recovers.  The engine alone is in test_dns_engine.py.
"""

import json
import selectors
import subprocess
import threading
import time

import pytest

import daemon
from hostile_dns import HostileDNS, Rule, reverse
from milterclient import MilterClient, MilterConnection, MilterError
from root import needs_root

# Where an answer comes there is time for it on any machine; where none comes the deadline is what ends the wait.
ENFORCE = 'mode = enforce\ndeadline = 25\ncache { failure-ttl = 1  stale = 0 }\n'
IMPATIENT = ENFORCE.replace("25", "3")


def servers(*given, more="", timeout=20):
    """`timeout` is short where a server is silent: nobody else is to be taken for one that is."""
    names = ", ".join(f'"{server.addr}"' for server in given)
    return f"dns {{ nameservers = {{{names}}}\n timeout = {timeout}\n attempts = 1\n {more} }}"


@pytest.fixture
def dns():
    with HostileDNS() as server:
        yield server


@pytest.fixture
def two():
    with HostileDNS() as first, HostileDNS() as second:
        yield first, second


def ask(running, client="192.0.2.7", helo="[192.0.2.7]"):
    """The result of one session."""
    return MilterClient(running.spec).session(client=client, helo=helo)


def iprev(result):
    value = result.field("Authentication-Results") or ""
    return value.split("iprev=")[1].split()[0] if "iprev=" in value else ""


# label, behaviour, other settings of the PTR's rule, and what must come of it.
HARMLESS = [
    "wrong_id_first", "wrong_question_first", "wrong_type_first", "wrong_class_first",
    "wrong_port_first", "query_first", "wrong_opcode_first", "no_question_first",
    "two_questions_first", "garbage_first", "empty_first", "short_first", "oversized_first",
    "flood_first", "truncate", "formerr_on_edns", "tcp_pieces",
]
TEMPORARY = ["silence", "servfail", "refused", "notimp", "broken", "bad_rdata", "hostile_counts",
             "truncate_always", "tcp_close", "tcp_half"]


@pytest.mark.parametrize("behaviour", HARMLESS)
def test_lies_do_not_matter(start_iprevd, dns, behaviour):
    """The right answer counts, whatever comes before it: the client gets in."""
    dns.on(reverse("192.0.2.7"), "PTR", ["mail.example.org"], behaviour=behaviour)
    dns.on("mail.example.org", "A", ["192.0.2.7"], behaviour=behaviour)
    running = start_iprevd(ENFORCE, dns=servers(dns))
    assert iprev(ask(running)) == "pass"


@pytest.mark.parametrize("behaviour", TEMPORARY)
def test_failures_are_temporary(start_iprevd, dns, behaviour):
    """No answer is no reason to refuse for good, at the PTR as at its name."""
    dns.on(reverse("192.0.2.7"), "PTR", ["mail.example.org"], behaviour=behaviour)
    dns.on("mail.example.org", "A", ["192.0.2.7"])
    dns.on(reverse("192.0.2.8"), "PTR", ["other.example.org"])
    dns.on("other.example.org", "A", ["192.0.2.8"], behaviour=behaviour)
    silent = behaviour == "silence"
    running = start_iprevd(IMPATIENT if silent else ENFORCE, dns=servers(dns, timeout=1 if silent else 20))
    for client in ("192.0.2.7", "192.0.2.8"):
        result = ask(running, client, f"[{client}]")
        assert result.verdict == "tempfail", client
        # Whom our resolver refuses is not the sender.
        code = "451 4.4.3" if behaviour == "refused" else "451 4.7.25"
        assert result.text.startswith(code), result.text


def guesses(server):
    server.host("192.0.2.7", "mail.example.org")
    server.on(reverse("192.0.2.7"), "PTR", ["mail.example.org"], behaviour="flood_first")


def denies_without_proof(server):
    server.default = Rule(rcode="NXDOMAIN", soa=False)


def invents(server):
    """Names that do not exist have an address; broken zones make the daemon ask for one."""
    rule = server.rule
    server.rule = lambda name, rdtype: Rule(["198.51.100.80"]) \
        if rdtype == "A" and rule(name, rdtype) is server.default else rule(name, rdtype)
    for i in range(1, 5):
        server.on(reverse(f"192.{i}.2.7"), "PTR", behaviour="servfail")


def aliases(server):
    names = [reverse("192.0.2.7")] + [f"alias{i}.example.org" for i in range(4)]
    for name, target in zip(names, names[1:]):
        server.on(name, "PTR", answer=[(name, 60, "CNAME", [target])])


def too_many_records(server):
    server.on(reverse("192.0.2.7"), "PTR", behaviour="servfail")


FOUND = [
    ("guessing", guesses, ["192.0.2.7"], "somebody guesses"),
    ("unproved-denial", denies_without_proof, ["192.0.2.7"], "without an SOA record that proves it"),
    ("invents", invents, [f"192.{i}.2.7" for i in range(1, 5)], "invent addresses"),
    ("alias-limit", aliases, ["192.0.2.7"], "(dns.max-cname-hops)"),
    ("record-limit", too_many_records, ["192.0.2.7"], "max-rrset-size"),
]


@pytest.mark.parametrize("finding, prepare, clients, words", FOUND, ids=[row[0] for row in FOUND])
def test_what_is_wrong_with_servers_is_reported(start_iprevd, directory, dns, finding, prepare, clients,
                                                words):
    """In the log, once; in status as text and JSON.  Whose DNS is in order does not notice."""
    prepare(dns)
    dns.host("192.9.2.7", "mail.good.example")
    running = start_iprevd(ENFORCE + f'control = "{directory}/control"\n',
                           dns=servers(dns, more="max-cname-hops = 2"))

    def status(*options):
        return subprocess.run([daemon.program("iprevctl"), "status", *options, "-c",
                               running.config_path], capture_output=True, text=True, check=True).stdout

    def found():
        return {entry["finding"]: entry for entry in json.loads(status("--json"))["dns"]["findings"]}

    assert found() == {} and "last 2" not in status()
    before = int(time.time())
    for client in clients:
        assert ask(running, client, f"[{client}]").verdict in ("accept", "tempfail")
    daemon.wait_until("the finding", lambda: finding in found())
    entry = found()[finding]
    assert entry["count"] >= 1 and before <= entry["last"] <= time.time()
    assert entry["text"] in status()
    assert running.log.count(words) == 1
    assert "DNS outage" not in running.log
    assert iprev(ask(running, "192.9.2.7", "[192.9.2.7]")) == "pass"
    if finding == "invents":
        assert ask(running, "192.8.2.7", "[192.8.2.7]").verdict == "reject"


@pytest.mark.parametrize("count, want", [(5, "pass"), (12, "temperror"), (300, "temperror")])
def test_many_names(start_iprevd, dns, count, want):
    """max-ptr names are tried in an order of their own: the packet's order changes nothing."""
    names = [f"n{i:03}.example.org" for i in range(count)]
    for name in names:
        dns.on(name, "A", ["203.0.113.1"])
    dns.on(names[-1], "A", ["192.0.2.7"])  # the last in canonical order
    verdicts = set()
    for order in (names, names[::-1], names[count // 2:] + names[:count // 2]):
        dns.on(reverse("192.0.2.7"), "PTR", order)
        running = start_iprevd(ENFORCE, dns=servers(dns))
        result = ask(running)
        verdicts.add(iprev(result) if not result.refusal else result.verdict)
        running.stop()
    assert verdicts == {want}


def test_second_server_serves(start_iprevd, two):
    """The first server says nothing: sessions do not feel it, and it is taken back when it answers."""
    first, second = two
    for server in two:
        server.host("192.0.2.7", "mail.example.org")
        server.host("192.0.2.8", "mail8.example.org")
    first.blackhole = True
    running = start_iprevd(ENFORCE, dns=servers(first, second, timeout=1))
    assert iprev(ask(running)) == "pass"
    assert iprev(ask(running, "192.0.2.8", "[192.0.2.8]")) == "pass"


def test_reload_keeps_what_is_known_of_servers(start_iprevd, directory, two):
    """With a dead first server only its first clients wait, however often there is a reload."""
    first, second = two
    clients = [f"192.0.2.{i}" for i in range(1, 13)]
    for number, client in enumerate(clients):
        second.host(client, f"mail{number}.example.org")
    first.blackhole = True
    config = ENFORCE + f'control = "{directory}/control"\n'
    running = start_iprevd(config, dns=servers(first, second, timeout=1))

    def seen():
        done = subprocess.run([daemon.program("iprevctl"), "status", "--json", "-c",
                               running.config_path], capture_output=True, text=True, check=True)
        return {server["server"]: server for server in json.loads(done.stdout)["dns"]["servers"]}

    while "does not answer" not in running.log:
        assert clients, "the first server was never found to be silent"
        assert iprev(ask(running, clients[0], f"[{clients.pop(0)}]")) == "pass"
    before = seen()
    assert before[first.addr]["timeouts"] > 0
    for change in ("", "stage = mail\n", "max-ptr = 5\n"):
        mark = running.reload(config + change)
        daemon.wait_until("the reload", lambda: "read again" in running.log[mark:])
        after = seen()
        for name, server in before.items():
            for key in ("queries", "answers", "timeouts"):
                assert after[name][key] >= server[key], (name, key)
        assert not after[first.addr]["up"]
    more = running.reload(config.replace("deadline = 25", "deadline = 24"))
    daemon.wait_until("the reload", lambda: "read again" in running.log[more:])
    assert iprev(ask(running, "192.0.2.12", "[192.0.2.12]")) == "pass"
    assert running.log.count("does not answer") == 1


def test_limits_change_by_reload(start_iprevd, dns):
    """max-cname-hops: each of these aliases is a message of its own."""
    names = [reverse("192.0.2.7")] + [f"alias{i}.example.org" for i in range(4)]
    for name, target in zip(names, names[1:]):
        dns.on(name, "PTR", answer=[(name, 60, "CNAME", [target])])
    dns.on(names[-1], "PTR", ["mail.example.org"])
    dns.on("mail.example.org", "A", ["192.0.2.7"])
    few = servers(dns, more="max-cname-hops = 1")
    running = start_iprevd(ENFORCE, dns=few)
    assert ask(running).verdict == "tempfail"
    running.dns = servers(dns, more="max-cname-hops = 8")
    mark = running.reload(ENFORCE)
    daemon.wait_until("the reload", lambda: "read again" in running.log[mark:])
    daemon.wait_until("the failure to be forgotten", lambda: iprev(ask(running)) == "pass")


def test_servers_die_and_come_back(start_iprevd, dns):
    dns.host("192.0.2.7", "mail.example.org")
    dns.host("192.0.2.8", "mail8.example.org")
    running = start_iprevd(IMPATIENT, dns=servers(dns, timeout=1))
    daemon.wait_until("an answer", lambda: iprev(ask(running)) == "pass")
    dns.stop()
    assert ask(running, "192.0.2.8", "[192.0.2.8]").verdict == "tempfail"
    assert iprev(ask(running)) == "pass", "what is cached does not need the server"
    dns.start()
    daemon.wait_until("the server to be used again", lambda: iprev(
        ask(running, "192.0.2.8", "[192.0.2.8]")) == "pass")


def test_all_black_holed_while_many_wait(start_iprevd, dns):
    """Forty clients whose DNS says nothing hold up nobody whose answers are there."""
    dns.host("192.0.2.7", "mail.example.org")
    running = start_iprevd(IMPATIENT, dns=servers(dns, timeout=1))
    daemon.wait_until("an answer", lambda: iprev(ask(running)) == "pass")
    dns.blackhole = True
    results = {}

    def hang(i):
        client = f"198.51.100.{i}"
        results[client] = ask(running, client, f"[{client}]").verdict

    threads = [threading.Thread(target=hang, args=(i,)) for i in range(1, 41)]
    for thread in threads:
        thread.start()
    assert iprev(ask(running)) == "pass"
    for thread in threads:
        thread.join()
    assert set(results.values()) == {"tempfail"}


@pytest.mark.parametrize("kind", ["inet", "unix"])
def test_nobody_waits_for_the_lookups_of_others(start_iprevd, dns, directory, kind):
    """
    libmilter wakes a worker for each session that has something, by a count of idle ones that may
    be out of date: of those that come in one moment, some wait until another's callback returns.
    All of these RCPT TO arrive in one moment; whose answers are there must not wait for the others'.
    """
    dns.host("192.0.2.7", "mail.example.org")
    clients = [f"198.51.100.{n}" if n % 2 else "192.0.2.7" for n in range(48)]
    for client in set(clients) - {"192.0.2.7"}:
        dns.on(reverse(client), "PTR", behaviour="hold")
    listen = f"unix:{directory}/milter" if kind == "unix" else None
    running = start_iprevd(ENFORCE, dns=servers(dns), listen=listen)
    assert iprev(ask(running)) == "pass"
    sessions = {}
    for client in clients:
        connection = MilterConnection(running.spec)
        connection.connect(client)
        connection.helo(f"[{client}]")
        connection.mail("sender@example.org")
        sessions[connection] = client
    for connection in sessions:
        connection.send_raw(connection.packet("R", b"<rcpt@example.net>\0"))
    good = clients.count("192.0.2.7")
    order = []
    with selectors.DefaultSelector() as selector:
        for connection in sessions:
            selector.register(connection.sock, selectors.EVENT_READ, connection)
        while len(order) < len(sessions):
            ready = selector.select(60)
            assert ready, order
            for key, _ in ready:
                selector.unregister(key.fileobj)
                order.append((sessions[key.data], key.data.read_reply().verdict))
            if len(order) >= good and dns.held is not None:
                assert order == [("192.0.2.7", "continue")] * good, running.log
                dns.release()
    for connection in sessions:
        connection.close()
    assert {verdict for _, verdict in order[good:]} == {"tempfail"}


def test_broken_zones_are_no_outage(start_iprevd, dns):
    """However many zones fail: the server resolves what we choose, and each client is deferred."""
    clients = [f"203.{i}.0.7" for i in range(1, 21)]
    for client in clients:
        dns.on(reverse(client), "PTR", behaviour="servfail")
    running = start_iprevd(ENFORCE, dns=servers(dns))
    for _ in range(2):
        assert {ask(running, client, f"[{client}]").verdict for client in clients} == {"tempfail"}
    probes = [name for _, name, kind in dns.log if name.rstrip(".").endswith(".com")]
    assert 1 <= len(probes) < 10 and len(set(probes)) == len(probes)
    assert "DNS outage" not in running.log


def test_outage_and_its_end(start_iprevd, dns):
    """The servers fall silent: clients are let in, marked; they answer again: it is over."""
    dns.host("203.99.0.7", "mail.example.org")
    running = start_iprevd(IMPATIENT, dns=servers(dns, timeout=1))
    dns.blackhole = True
    clients = [f"203.{i}.0.7" for i in range(1, 7)]
    threads = [threading.Thread(target=ask, args=(running, client, f"[{client}]"))
               for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    daemon.wait_until("the outage to be noticed", lambda: "DNS outage:" in running.log)
    result = ask(running, "203.50.0.7", "[203.50.0.7]")
    assert not result.refusal and result.field("X-Iprevd").startswith("tag")
    dns.blackhole = False
    daemon.wait_until("its end", lambda: iprev(ask(running, "203.99.0.7", "[203.99.0.7]")) == "pass"
                      and "DNS outage over" in running.log)
    dns.on(reverse("203.51.0.7"), "PTR", behaviour="servfail")
    assert ask(running, "203.51.0.7", "[203.51.0.7]").verdict == "tempfail"


@needs_root("servers of resolv.conf have port 53")
def test_resolv_conf_replaced(start_iprevd, directory):
    """A new resolv.conf is noticed while running, without a reload."""
    with HostileDNS("127.0.71.1", 53) as first, HostileDNS("127.0.71.2", 53) as second:
        first.host("192.0.2.7", "first.example.org")
        second.host("192.0.2.8", "second.example.org")
        path = directory / "resolv.conf"
        path.write_text("nameserver 127.0.71.1\noptions timeout:1 attempts:1\n")
        running = start_iprevd(IMPATIENT, dns=f'dns {{ resolv-conf = "{path}" }}')
        daemon.wait_until("an answer", lambda: iprev(ask(running)) == "pass")
        new = directory / "resolv.conf.new"
        new.write_text("nameserver 127.0.71.2\noptions timeout:1 attempts:1\n")
        new.rename(path)
        first.stop()
        # What failed is remembered for failure-ttl; each try is a client of its own.
        daemon.wait_until("the new server to be asked", lambda: iprev(
            ask(running, "192.0.2.8", "[192.0.2.8]")) == "pass")


def test_reload_changes_servers(start_iprevd, two):
    first, second = two
    first.host("192.0.2.7", "first.example.org")
    second.host("192.0.2.8", "second.example.org")
    running = start_iprevd(ENFORCE, dns=servers(first))
    assert iprev(ask(running)) == "pass"
    running.dns = servers(second)
    mark = running.reload(ENFORCE)
    running.wait_log("read again", since=mark)
    assert iprev(ask(running, "192.0.2.8", "[192.0.2.8]")) == "pass"


def test_few_descriptors(start_iprevd, dns):
    """With hardly any file descriptors sessions are deferred or answered, none is refused wrongly."""
    for i in range(1, 60):
        dns.host(f"192.0.2.{i}", f"m{i}.example.org")
    running = start_iprevd(IMPATIENT, dns=servers(dns, timeout=1))
    assert iprev(ask(running)) == "pass"  # libmilter has begun, and has its own
    limit = len(list(running.process_fds())) + 12
    running.limit_descriptors(limit)
    verdicts = []

    def visit(i):
        client = f"192.0.2.{i}"
        try:
            verdicts.append(ask(running, client, f"[{client}]").verdict)
        except (OSError, MilterError) as error:  # the connection itself may be refused
            verdicts.append(type(error).__name__)

    threads = [threading.Thread(target=visit, args=(i,)) for i in range(1, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "reject" not in verdicts
    running.limit_descriptors(4096)
    daemon.wait_until("sessions to be served again", lambda: iprev(ask(running)) == "pass")


def test_helo_lookups_fail_alone(start_iprevd, dns):
    """The EHLO name's DNS is down: the client, whose own DNS is in order, gets in untagged."""
    dns.host("192.0.2.7", "mail.example.org")
    dns.on("helo.example.net", "A", behaviour="servfail")
    running = start_iprevd(ENFORCE, dns=servers(dns))
    result = ask(running, helo="helo.example.net")
    assert result.verdict == "accept"
    assert running.decisions(1)[-1]["agreement"] == "unknown"
