# SPDX-License-Identifier: BSD-2-Clause
"""What one host of a farm remembers of a client, another one knows, by a real store; and what becomes
of a client where the store does not say.

NO_PTR was right on the two days before, as one host has seen; MISMATCH nobody has ever seen right."""

import json
import re
import time

import pytest

import clients_file
import daemon
import fenced
import store
import world
from clients_file import DAY, Client
from milterclient import MilterClient
from test_farm import farm as start_farm, pytestmark  # noqa: F401

KNOWN, STRANGER = world.NO_PTR, world.MISMATCH
GREYLIST = ('policy "default" { greylist-delay = 1  check ptr-missing { action = greylist }\n'
            "check ptr-mismatch { action = greylist } }\n")


@pytest.fixture
def farm(start_farm):
    """Call it with what each host remembers to get a store and these hosts, connected."""
    return lambda *remembered, more="": start_farm(remembered=remembered, more=more)


def visit(host, client, helo="mail.good.example", silent=False):
    """The answer to RCPT TO.  A store that serves may still be late where this machine is busy: then again."""
    def reply():
        since = len(host.daemon.log)
        answer = MilterClient(host.daemon.spec).session(client=client, helo=helo).rcpts[0][1]
        host.daemon.wait_log(rf"client={re.escape(client)} ", since)
        unknown = re.search("(grace|greylist)=unknown", host.daemon.log[since:])
        return answer if silent or not unknown else None

    return daemon.wait_until(f"the store answers {host.name}", reply)


def known(host, client):
    """What its file says of the client, after it has ended."""
    host.daemon.stop()
    return clients_file.known(host.directory / "clients", client)


def keys(one, what):
    return one.ask("KEYS", f"iprevd:mx:{what}:*")


def stored(one, what="client", text=""):
    """The key of the only client, when the store has it: what a host has told is on its way for a moment."""
    def key():
        found = keys(one, what)
        return found[0] if len(found) == 1 and text in (one.ask("GET", found[0]) or "") else None

    return daemon.wait_until(f"the store has the {what}", key)


def was_right(until):
    return f"was right until {clients_file.day_text(clients_file.today() - 1)}; refused from {until}"


def test_a_client_that_was_right_elsewhere_gets_its_grace(farm):
    one, mx1, mx2, mx3 = farm({KNOWN: clients_file.was_right()}, {}, {})
    until = clients_file.day_text(clients_file.today() + 3)
    assert was_right(until) in visit(mx1, KNOWN).text
    stored(one)
    for host in (mx2, mx3):
        reply = visit(host, KNOWN)
        assert (reply.code, reply.xcode) == ("451", "4.7.25") and was_right(until) in reply.text
        assert visit(host, STRANGER).code == "550"
    assert mx2.ctl("check", STRANGER).returncode == 77
    assert len(keys(one, "client")) == 1  # of the stranger there is nothing to remember
    one.ask("FLUSHALL")
    assert was_right(until) in visit(mx3, KNOWN).text  # which tells the store again
    key = stored(one)
    assert 34 * DAY < one.ask("TTL", key) <= 36 * DAY
    assert known(mx2, KNOWN) == known(mx1, KNOWN)


def test_check_asks_other_hosts_too(farm):
    one, mx1, mx2 = farm({KNOWN: clients_file.was_right()}, {})
    visit(mx1, KNOWN)
    stored(one)
    done = mx2.ctl("check", KNOWN)
    assert done.returncode == 75 and "was right until" in done.stdout
    assert mx2.ctl("check", STRANGER).returncode == 77
    one.kill()
    daemon.wait_until("mx2 notices", lambda: not mx2.connected())
    done = mx2.ctl("check", STRANGER)
    assert done.returncode == 75
    assert "whether it was right before is not known for now" in " ".join(done.stdout.split())


def test_passes_on_different_hosts_are_days_of_one_client(farm):
    """A pass on each of two hosts, two days apart: grace on a third one, which saw neither."""
    today = clients_file.today()
    one, mx1, mx2, mx3 = farm({KNOWN: Client(last_day=today - 2)}, {KNOWN: Client(last_day=today - 1)}, {})
    assert visit(mx1, KNOWN).code == "550"  # right on one day only, as far as anybody knows
    stored(one)
    assert visit(mx2, KNOWN).code == "451"
    stored(one, text=f"\t{today - 1}\t{today - 2}\t")
    assert visit(mx3, KNOWN).code == "451"


def test_the_earliest_failure_counts(farm):
    """It has failed for four days on one host: there is no grace left on another one."""
    today, now = clients_file.today(), int(time.time())
    used = Client(today - 5, today - 6, failed=now - 4 * DAY)
    one, mx1, mx2 = farm({KNOWN: used}, {KNOWN: Client(today - 5, today - 6)})
    assert visit(mx1, KNOWN).code == "550"
    stored(one)
    # In grace as far as mx2 knows by itself: for the milder action nobody is waited for.
    daemon.wait_until("mx2 has heard", lambda: "refused since" in visit(mx2, KNOWN).text)
    assert visit(mx2, KNOWN).code == "550"
    assert known(mx2, KNOWN).failed == used.failed


def test_a_pass_is_told(farm):
    one, mx1, mx2 = farm({}, {})
    visit(mx1, world.GOOD)
    key = stored(one)
    visit(mx2, world.GOOD)
    assert known(mx2, world.GOOD) == Client(last_day=clients_file.today())
    assert one.ask("GET", key).startswith(f"1\t0\t{clients_file.today()}\t0\twaiting\t")
    assert re.fullmatch(r"iprevd:mx:client:[0-9a-f]{32}", key)


def test_a_network_that_waits_may_come_to_another_host(farm):
    one, mx1, mx2, mx3 = farm({}, {}, {}, more=GREYLIST)
    assert visit(mx1, KNOWN).code == "451"
    stored(one, "greylist")
    one.ask("FLUSHALL")
    visit(mx1, KNOWN)  # too early, perhaps; and what the store has lost is told again
    stored(one, "greylist")
    daemon.wait_until("it is let in elsewhere", lambda: visit(mx2, KNOWN).verdict == "continue")
    stored(one, "greylist", "\tpassed\t")
    assert visit(mx3, KNOWN).verdict == "continue"  # at once
    for host in (mx2, mx3):
        host.daemon.wait_log("greylist=passed")
        assert "greylist=first" not in host.daemon.log


def test_nobody_is_refused_by_silence(farm):
    """The store is there and says nothing, then it is away: deferred, not refused, and not let in."""
    one, mx1, mx2 = farm({KNOWN: clients_file.was_right()}, {})
    visit(mx1, KNOWN)
    stored(one)
    one.pause()
    for _ in range(2):  # connected, and then no longer
        reply = visit(mx2, KNOWN, silent=True)
        assert reply.code == "451" and "whether it was right before is not known for now" in reply.text
        assert visit(mx2, STRANGER, silent=True).code == "451"
        assert was_right(clients_file.day_text(clients_file.today() + 3)) in visit(mx1, KNOWN).text
        assert visit(mx2, world.GOOD).verdict == "continue"
        daemon.wait_until("mx2 notices", lambda: not mx2.connected())
    mx2.daemon.wait_log(rf"client={KNOWN} .*action=tempfail .*grace=unknown reason=")
    assert json.loads(mx2.ctl("status", "--json").stdout)["memory"]["grace_unknown"] >= 4
    assert re.search(r"^memory .*, not known \d+ times$", mx2.ctl("status").stdout, re.MULTILINE)
    one.resume()
    daemon.wait_until("mx2 is connected", mx2.connected)
    assert was_right(clients_file.day_text(clients_file.today() + 3)) in visit(mx2, KNOWN).text
    assert visit(mx2, STRANGER).code == "550"


def test_nobody_is_greylisted_by_silence(farm):
    one, mx1 = farm({}, more=GREYLIST)
    one.kill()
    daemon.wait_until("mx1 notices", lambda: not mx1.connected())
    assert visit(mx1, KNOWN, silent=True).verdict == "continue"
    mx1.daemon.wait_log(rf"client={KNOWN} .*action=tag .*greylist=unknown ")


def test_a_full_store_drops_clients_and_no_exemptions(farm):
    """By the policy that doc/farm.md gives it."""
    one, mx1, mx2 = farm({KNOWN: clients_file.was_right()}, {})
    mx1.allow("198.51.100.1")
    daemon.wait_until("mx2 has heard of it", mx2.allowed)
    guide = (fenced.TOP / "doc/farm.md").read_text()
    used = int(re.search(r"used_memory:(\d+)", one.ask("INFO", "memory"))[1])
    one.ask("CONFIG", "SET", "maxmemory-policy", re.search(r"maxmemory-policy (\S+?)\\n", guide)[1])
    one.ask("CONFIG", "SET", "maxmemory", used + 400000)
    client = store.Client(one.port)
    for i in range(4000):
        client("SET", f"iprevd:mx:client:{i:032x}", "x" * 90, "EX", 35 * DAY)
    client.close()
    assert int(re.search(r"evicted_keys:(\d+)", one.ask("INFO", "stats"))[1]) > 1000
    mx1.allow("198.51.100.2")
    daemon.wait_until("mx2 has heard of both", lambda: mx2.allowed().keys() == {
        "198.51.100.1", "198.51.100.2"})
    assert visit(mx1, KNOWN).code == visit(mx2, KNOWN).code == "451"
    for host in (mx1, mx2):
        assert "takes nothing new" not in host.daemon.log


def test_nobody_invents_a_grace(farm):
    """Whoever can write to the store has no key: what he writes, or moves, does not count."""
    one, mx1, mx2 = farm({KNOWN: clients_file.was_right()}, {})
    visit(mx1, KNOWN)
    key = stored(one)
    line = one.ask("GET", key)
    one.ask("FLUSHALL")
    visit(mx2, STRANGER)
    today = clients_file.today()
    forged = store.sign("client", key.rsplit(":", 1)[1], f"1\t0\t{today - 1}\t{today - 2}\twaiting",
                        key=b"x" * 32)
    for text in (line.replace(f"\t{today - 1}\t", f"\t{today}\t"), forged, "", "x" * 60000,
                 "1\t0\t0\t0\twaiting", "\x00"):
        one.ask("SET", key, text)
        assert visit(mx2, KNOWN).code == "550", text[:80]
    for write in (("LPUSH", key, "of another kind"), ("SET", key, "x" * 70000)):
        one.ask("DEL", key)
        one.ask(*write)
        assert visit(mx2, KNOWN, silent=True).code == "451"  # an error is no answer
        one.ask("FLUSHALL")
        daemon.wait_until("it is refused again", lambda: visit(mx2, KNOWN, silent=True).code == "550")
