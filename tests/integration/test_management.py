# SPDX-License-Identifier: BSD-2-Clause
"""The threads beside mail: what is fed, answered and read while one of them hangs or all are busy."""

import re
import signal
import threading
import urllib.request

import pytest

import world
from daemon import free_port, wait_until
from milterclient import MilterClient
from servicemanager import Manager, hanging
from test_control import Control

# Two ticks of the daemon's own are more than a quarter of it.
WATCHDOG_S = 0.4
FEEDINGS = 10


class Managed(Control):
    """A daemon with a control socket under a service manager."""

    def __init__(self, running, path, manager):
        super().__init__(running, path)
        self.manager = manager

    @property
    def pid(self):
        return self.daemon.process.pid

    def hanging(self, name):
        return hanging(self.pid, name)

    def fed(self, times=FEEDINGS):
        for _ in range(times):
            self.manager.next("WATCHDOG")

    def session(self, client, **kw):
        return MilterClient(self.daemon.spec).session(client=client, **kw)


@pytest.fixture
def managed(start_iprevd, directory):
    manager = Manager(directory / "notify")

    def start(config="", watchdog_s=WATCHDOG_S, **kw):
        path, state = directory / "control", directory / "state"
        state.mkdir(exist_ok=True)
        text = f'control = "{path}"\nstate-dir = "{state}"\n{config}'
        running = start_iprevd(text, env={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC":
                                          str(int(watchdog_s * 1e6))}, **kw)
        given = Managed(running, path, manager)
        given.config = text
        if "READY" not in manager.next("READY"):
            pytest.skip("built without systemd")
        wait_until("the control socket", given.listens)
        return given

    yield start
    manager.close()


class Repeated:
    """Threads that do something again and again until the block ends; what they raise is raised."""

    def __init__(self, *calls):
        self.ended, self.errors, self.counts = threading.Event(), [], [0] * len(calls)
        self.threads = [threading.Thread(target=self.repeat, args=(i, call))
                        for i, call in enumerate(calls)]

    def repeat(self, i, call):
        while not self.ended.is_set():
            try:
                call()
                self.counts[i] += 1
            except Exception as error:  # noqa: BLE001  raised below
                self.errors.append(error)
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        if self.errors and kind is None:
            raise self.errors[0]


def in_background(call):
    """A thread that calls, and the list in which its result will be."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


# --- the watchdog ---


def test_fed_while_operators_are_busy(managed):
    """As long as they go on, at 1.0's tick none would ever come."""
    given = managed(watchdog_s=30)

    def allow():
        assert given.ask(command="allow", subject="198.51.100.7", seconds=60, reason="x")[-1]["ok"]

    with Repeated(allow, allow, lambda: given.daemon.process.send_signal(signal.SIGUSR1)) as busy:
        given.manager.forget()
        before = busy.counts[0]
        given.fed(3)
        assert busy.counts[0] > before


def test_not_fed_when_dns_hangs(managed):
    given = managed()
    given.fed(2)
    with given.hanging("iprevd-dns"):
        given.daemon.wait_log("the DNS thread does not answer: the watchdog is not fed")
        given.manager.forget()
        assert given.status()["ok"]  # the other loop lives, and does not feed
        assert not given.manager.fed_within(WATCHDOG_S)
    given.daemon.wait_log("the DNS thread answers again")
    given.fed()


def test_not_fed_when_management_hangs(managed):
    given = managed()
    with given.hanging("iprevd-manage"):
        given.manager.forget()
        assert given.session(world.GOOD).verdict in ("accept", "tag")
        assert not given.manager.fed_within(WATCHDOG_S)
    given.fed()


def test_a_disk_that_hangs_stops_neither(managed):
    given = managed()
    with given.hanging("iprevd-files"):
        asked = [in_background(lambda command=command: given.ask(**command)[-1])
                 for command in ({"command": "reload"},
                                 {"command": "allow", "subject": world.NO_PTR, "seconds": 60,
                                  "reason": "x"})]
        wait_until("the exemption", lambda: given.status()["exemptions"] == 1)
        given.manager.forget()
        given.fed()
        assert given.session(world.NO_PTR).verdict == "accept"
        assert given.session(world.NO_PTR6).verdict == "reject"
        assert not any(results for _, results in asked)  # they are told when it is done
    for thread, results in asked:
        thread.join()
        assert results[0]["ok"] is True and "warning" not in results[0]


# --- reload ---


def reloads(given):
    return len(re.findall(r"^configuration .* read again", given.daemon.log, re.MULTILINE))


def test_who_asks_during_a_reload_gets_the_next_one(managed):
    given = managed()
    with given.hanging("iprevd-files"):
        first = in_background(lambda: given.ask(command="reload")[-1])
        wait_until("the first", lambda: given.manager.next("RELOADING"))
        others = [in_background(lambda: given.ask(command="reload")[-1]) for _ in range(20)]
        for _ in range(20):
            given.daemon.process.send_signal(signal.SIGHUP)
        wait_until("the others", lambda: given.status()["ok"])
        given.daemon.write_config(given.config + "mode = monitor\n")
    for thread, results in [first, *others]:
        thread.join()
        assert results[0]["ok"], results
    assert given.status()["mode"] == "monitor"
    assert reloads(given) <= 23


def test_a_reload_under_way_is_answered_by_its_own_end(managed):
    """It has not failed because the daemon stops; one that would begin now has."""
    given = managed()
    session = MilterClient(given.daemon.spec).open()  # so that the stop takes its time
    session.connect(world.GOOD)
    with given.hanging("iprevd-files"):
        first = in_background(lambda: given.ask(command="reload")[-1])
        given.manager.next("RELOADING")
        given.daemon.process.send_signal(signal.SIGTERM)
        given.manager.next("STOPPING")
        second = in_background(lambda: given.ask(command="reload")[-1])
        wait_until("the second", lambda: given.status()["stopping"])
        given.manager.forget()
    for thread, _ in (first, second):
        thread.join()
    session.quit()
    assert first[1][0]["ok"] is True
    assert second[1][0]["error"] == "the daemon is stopping"
    given.daemon.wait_log("(?m)^configuration .* read again")


def test_signals_in_a_storm(managed):
    given = managed()
    for _ in range(2000):
        given.daemon.process.send_signal(signal.SIGHUP)
        given.daemon.process.send_signal(signal.SIGUSR1)
    given.daemon.write_config(given.config + "mode = monitor\n")
    given.daemon.process.send_signal(signal.SIGHUP)
    wait_until("the last one", lambda: given.status()["mode"] == "monitor")
    given.manager.forget()
    given.fed(3)
    assert given.session(world.NO_PTR).verdict != "reject"


def test_reload_while_metrics_are_read(managed):
    port = free_port()
    given = managed(f'metrics = "127.0.0.1:{port}"\n')

    def scrape():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        assert "iprevd_reloads_total" in text and text.endswith("\n")

    def reload():
        assert given.ask(command="reload")[-1]["ok"]

    with Repeated(scrape, scrape, reload, given.status) as busy:
        wait_until("some of each", lambda: busy.errors or min(busy.counts) >= 20)


def test_a_reload_that_failed_is_history_after_a_good_one(managed):
    given = managed()
    good = given.status()["configuration"]
    assert good["failed_since"] == 0 and "error" not in good
    given.daemon.write_config(given.config + "stage = never\n")
    assert not given.ask(command="reload")[-1]["ok"]  # iprevctl would not even ask
    failed = given.ask(command="status")[-1]["configuration"]
    assert failed["failed_since"] >= failed["loaded"] and "stage" in failed["error"]
    given.daemon.write_config(given.config)
    given.ctl("reload")
    again = given.status()["configuration"]
    assert (again["failed_since"], again["failed_reloads"]) == (0, 1) and "error" not in again


def test_what_waits_for_a_restart_is_in_the_answer(managed):
    given = managed()
    given.daemon.write_config(given.config + 'metrics = "127.0.0.1:1"\nsyslog-facility = "local3"\n'
                              "socket-mode = 0600\n")
    said = given.ctl("reload").stderr
    assert "metrics, socket-mode, syslog-facility: the change takes effect at the next start" in said
    # It still waits at another reload, and nothing does when the file is what it was.
    assert given.ctl("reload").stderr == said
    given.daemon.write_config(given.config)
    assert given.ctl("reload").stderr == ""


# --- the end ---


def test_ends_while_everybody_asks(managed):
    given = managed()

    def ask(command):
        try:
            given.ask(command=command)
        except (OSError, ValueError):
            pass  # it has ended

    with Repeated(*(lambda command=command: ask(command)
                    for command in ("status", "reload", "allowed", "cache-dump"))):
        given.fed(2)
        given.daemon.stop()
