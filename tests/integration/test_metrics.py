# SPDX-License-Identifier: BSD-2-Clause
"""The counters for Prometheus: what is exported, by whom it is read, and what strangers can do."""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest

import daemon
import store
import world
from daemon import free_port, wait_until
from milterclient import MilterClient

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
REQUEST_MAX = 4096
PEERS_MAX = 16


class Exporter:
    def __init__(self, running, port):
        self.daemon, self.port = running, port
        self.client = MilterClient(running.spec)

    def raw(self, data, end=False):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
            try:
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = b""
            while True:
                try:
                    chunk = sock.recv(65536)
                except ConnectionError:
                    chunk = b""
                if not chunk:
                    return answer
                answer += chunk

    def scrape(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            return answer.read().decode()

    def values(self):
        """{'name{label="x"}': value}"""
        return {name: float(value) for name, value in
                re.findall(r"^([a-z][^ ]*) (\S+)$", self.scrape(), re.MULTILINE)}


@pytest.fixture
def exporter(start_iprevd):
    def start(config="", **kw):
        port = free_port()
        given = Exporter(start_iprevd(f'metrics = "127.0.0.1:{port}"\n{config}', **kw), port)
        wait_until("the exporter", lambda: can_connect(port))
        return given
    return start


def can_connect(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def require(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed (Debian: prometheus)")


# --- what is exported ---


@pytest.mark.parametrize("dns", [None, 'dns { nameservers = {"127.0.0.1:1", "[::1]:1"} }'])
def test_promtool_finds_nothing_wrong(exporter, dns):
    require("promtool")
    given = exporter(dns=dns)
    given.client.session(client=world.NO_PTR)
    # A reload builds the DNS part anew, which declares its metrics again.
    mark = given.daemon.reload()
    given.daemon.wait_log("read again", since=mark)
    done = subprocess.run(["promtool", "check", "metrics"], input=given.scrape(), text=True,
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_answers_of_dns_lists(exporter, directory):
    """Counted by what became of them, and shown by iprevctl status."""
    zone = world.ZONE + "".join(f"{n}.2.0.192.allow.example. A {answer}\n" for n, answer in [
        (1, "127.0.0.2"), (2, "127.0.0.9"), (3, "127.255.255.254")]) + world.broken("4.2.0.192.allow.example")
    given = exporter(f'control = "{directory}/control"\n'
                     'match "known" { listed = {"allow.example=127.0.0.2"}  policy = "none" }\n', zone=zone)
    for client in (world.GOOD, world.NO_PTR, world.MISMATCH, world.BROKEN_PTR, world.GENERIC):
        given.client.session(client=client)
    wait_until("the sessions' end", lambda: given.values()["iprevd_sessions"] == 0)
    values = given.values()
    assert {answer: values[f'iprevd_dns_list_answers_total{{answer="{answer}"}}'] for answer in (
        "fits", "outside", "not-listed", "refuses", "fails")} == {
            "fits": 1, "outside": 1, "not-listed": 1, "refuses": 1, "fails": 1}
    shown = subprocess.run([daemon.program("iprevctl"), "status", "-c", given.daemon.config_path],
                           capture_output=True, text=True, check=True).stdout
    assert re.search(r"^DNS lists +fits 1  outside 1  not-listed 1  refuses 1  fails 1$", shown,
                     re.MULTILINE), shown


def test_counts(exporter):
    given = exporter('cache { size = "8M" }')
    before = given.values()
    assert before['iprevd_verdicts_total{action="reject",mode="enforce"}'] == 0
    given.client.session(client=world.NO_PTR)
    given.client.session(client=world.GOOD, helo="mail.good.example")
    wait_until("the sessions' end", lambda: given.values()["iprevd_sessions"] == 0)
    after = given.values()
    assert after['iprevd_verdicts_total{action="reject",mode="enforce"}'] == 1
    assert after['iprevd_checks_total{check="ptr-missing",enforced="yes"}'] == 1
    assert after['iprevd_iprev_total{result="pass"}'] == 1
    assert after["iprevd_sessions_total"] == 2
    assert after["iprevd_cache_records"] > 0
    assert after["iprevd_cache_size_bytes"] == 8 << 20
    assert after["iprevd_lookup_seconds_count"] == 2
    assert before["process_start_time_seconds"] == after["process_start_time_seconds"] > 1e9


def test_what_would_be_done_is_counted(start_iprevd):
    """In monitor mode the numbers of the enforced world are there."""
    port = free_port()
    running = start_iprevd(f'mode = monitor\nmetrics = "127.0.0.1:{port}"\n')
    given = Exporter(running, port)
    given.client.session(client=world.NO_PTR, helo="x.good.example")
    given.client.session(client=world.GOOD, helo="mail.good.example")
    values = wait_until("the counters", lambda: (lambda v: v if v[
        'iprevd_would_total{action="reject"}'] == 1 and v[
        'iprevd_would_total{action="accept"}'] == 1 else None)(given.values()))
    assert values['iprevd_verdicts_total{action="accept",mode="monitor"}'] == 2
    assert values['iprevd_last_reload_successful'] == 1


def test_patterns_given_up_at_a_limit(exporter, directory):
    """A name may be as hostile to a pattern as it likes: it costs a limit, and that shows."""
    table = directory / "slow.pcre"
    table.write_text("/^((a+)+)+$/ x\n")
    given = exporter(f'match "slow" {{ helo = {{"pcre:{table}"}} policy = "none" reason = "x" }}\n')
    assert given.values()["iprevd_table_limit_hits_total"] == 0
    given.client.session(client=world.NO_PTR, helo="a" * 50 + ".b" + "a" * 50)
    wait_until("the count", lambda: given.values()["iprevd_table_limit_hits_total"] > 0)
    assert given.values()["iprevd_log_lines_lost_total"] == 0


def test_servers(exporter):
    given = exporter(dns='dns { nameservers = {"127.0.0.1:1"} }')
    given.client.session(client=world.GOOD)
    values = given.values()
    assert values['iprevd_dns_server_queries_total{server="127.0.0.1:1"}'] > 0
    assert 'iprevd_dns_server_up{server="127.0.0.1:1"}' in values
    assert values["iprevd_resolver_outage"] == 0


def test_off_by_default(start_iprevd):
    started = start_iprevd("")
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True).stdout
    assert listening.count(f"pid={started.process.pid},") == 1


def test_port_in_use_costs_no_mail(exporter, start_iprevd):
    given = exporter()
    other = start_iprevd(f'metrics = "127.0.0.1:{given.port}"')
    other.wait_log("metrics .*: Address already in use: nothing is exported")
    assert MilterClient(other.spec).session(client=world.NO_PTR).verdict == "reject"


# --- strangers ---


REQUESTS = [
    ("GET", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    ("old", b"GET /metrics HTTP/1.0\n\n", 200),
    ("with a query", b"GET /metrics?x=1 HTTP/1.1\r\n\r\n", 200),
    ("another page", b"GET / HTTP/1.1\r\n\r\n", 404),
    ("a longer name", b"GET /metricsx HTTP/1.1\r\n\r\n", 404),
    ("up and away", b"GET /metrics/../../etc/passwd HTTP/1.1\r\n\r\n", 404),
    ("POST", b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405),
    ("HEAD", b"HEAD /metrics HTTP/1.1\r\n\r\n", 405),
    ("a method that begins so", b"GETX /metrics HTTP/1.1\r\n\r\n", 405),
    ("no version", b"GET /metrics\r\n\r\n", 400),
    ("another protocol", b"EHLO mail.example.org\r\n\r\n", 400),
    ("no method", b" /metrics HTTP/1.1\r\n\r\n", 400),
    ("binary", bytes(range(256)) + b"\r\n\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("only line feeds", b"\n\n", 400),
    ("too long", b"GET /metrics HTTP/1.1\r\nX: " + b"x" * REQUEST_MAX + b"\r\n\r\n", 431),
    ("endless", b"x" * 1_000_000, 431),
    ("nothing", b"", None),
    ("half a request", b"GET /metrics HTTP/1.1\r\n", None),
]


@pytest.mark.parametrize("label,data,want", REQUESTS, ids=[case[0] for case in REQUESTS])
def test_requests(exporter, label, data, want):
    given = exporter()
    answer = given.raw(data, end=want is None)
    if want is None or (want == 431 and answer == b""):
        assert answer == b""  # a peer that goes on sending may miss the answer
    else:
        assert answer.startswith(b"HTTP/1.1 %d " % want)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert len(body) == int(re.search(rb"Content-Length: (\d+)", head).group(1))
    assert "iprevd_build_info" in given.scrape()


def test_many_who_say_nothing_lock_out_nobody(exporter):
    given = exporter()
    silent = [socket.create_connection(("127.0.0.1", given.port)) for _ in range(8 * PEERS_MAX)]
    assert "iprevd_build_info" in given.scrape()
    assert given.client.session(client=world.NO_PTR).verdict == "reject"
    for sock in silent:
        sock.close()


def test_at_the_same_time(exporter):
    given = exporter()
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(given.scrape())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12 and all("process_start_time_seconds" in text for text in seen)


# --- Prometheus, dashboard and rules ---


@pytest.fixture
def prometheus(directory):
    require("prometheus")
    started = []

    def start(targets):
        port = free_port()
        home = directory / "prometheus"
        home.mkdir()
        (home / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(CONTRIB / "prometheus" / "iprevd.rules.yml")],
            "scrape_configs": [{"job_name": "iprevd", "static_configs": [{"targets": targets}]}],
        }))
        with (home / "log").open("wb") as log:
            started.append(subprocess.Popen(
                ["prometheus", f"--config.file={home}/prometheus.yml",
                 f"--storage.tsdb.path={home}/data", f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return Prometheus(port)

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


class Prometheus:
    def __init__(self, port):
        self.base = f"http://127.0.0.1:{port}/api/v1/"

    def get(self, what, **query):
        url = self.base + what + ("?" + urllib.parse.urlencode(query) if query else "")
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None  # it is starting
            raise AssertionError(f"{query}: {error.read().decode()}") from None
        except OSError:
            return None

    def query(self, expression):
        data = self.get("query", query=expression)
        return data["result"] if data else []


def dashboard_expressions():
    dashboard = json.loads((CONTRIB / "grafana" / "iprevd.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(found) > 20
    return found


def rule_expressions():
    """Without a YAML reader: an expression runs to the next key of its rule."""
    text = (CONTRIB / "prometheus" / "iprevd.rules.yml").read_text()
    found = re.findall(r"expr: (?:>-\n)?((?:.|\n)*?)\n *(?:for|labels):", text)
    assert len(found) == text.count("- alert:") > 5
    return found


def names_in(expression):
    """Names of metrics: what histograms are made of counts as the histogram."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\b(?:by|without)\s*\([^)]*\)', " ", expression)
    return {re.sub(r"_(?:bucket|sum|count)$", "", name)
            for name in re.findall(r"\b(?:iprevd|process)_[a-z0-9_]+", bare)}


def exported_names(text):
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))


@pytest.fixture
def everything(exporter, directory):
    """All metrics that there can be: those of a farm, too, whose store is not there."""
    key = store.write_key(directory / "farm.key")
    return exporter(f'farm {{ servers = {{"unix:{directory}/none"}} name = "mx" '
                    f'key-file = "{key}" }}\n',
                    dns='dns { nameservers = {"127.0.0.1:1"} }').scrape()


def test_contrib_uses_only_names_that_exist(everything):
    names = exported_names(everything)
    used = set().union(*map(names_in, dashboard_expressions() + rule_expressions()))
    assert len(used) > 20
    assert used - names == set()


def test_contrib_uses_only_labels_that_exist(everything):
    """Label values that are written out are among those that are exported."""
    text = everything
    for expression in dashboard_expressions() + rule_expressions():
        for name, labels in re.findall(r"(iprevd_\w+)\{([^}]*)\}", expression):
            for label, values in re.findall(r'(\w+)=~?"([^"$]+)"', labels):
                for value in values.split("|"):
                    assert re.search(rf'^{name}\{{[^}}]*{label}="{value}"', text, re.MULTILINE), \
                        (name, label, value)


def test_a_name_that_does_not_exist_would_be_noticed():
    assert names_in('rate(iprevd_nonsense_total{a="iprevd_b"}[5m])') == {"iprevd_nonsense_total"}


def test_rules():
    require("promtool")
    for command in (["check", "rules", "iprevd.rules.yml"],
                    ["test", "rules", "iprevd.rules.test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=CONTRIB / "prometheus",
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_scraped_by_prometheus(exporter, prometheus):
    given = exporter(dns='dns { nameservers = {"127.0.0.1:1"} }')
    given.client.session(client=world.NO_PTR)
    server = prometheus([f"127.0.0.1:{given.port}"])
    wait_until("a scrape", lambda: server.query('iprevd_sessions_total{job="iprevd"} == 1'),
               seconds=120)
    assert server.query("up")[0]["value"][1] == "1"
    target = server.get("targets")["activeTargets"][0]
    assert target["health"] == "up" and target["lastError"] == ""
    # Every question of the dashboard is one that Prometheus understands, and most have answers at
    # once: rates need two scrapes.
    answered = 0
    for expression in dashboard_expressions():
        for variable, value in (("$__rate_interval", "1m"), ("$instance", ".*"), ("$job", ".*")):
            expression = expression.replace(variable, value)
        answered += bool(server.query(expression))
    assert answered > 0
    groups = server.get("rules")["groups"]
    assert all(rule["health"] in ("ok", "unknown") for rule in groups[0]["rules"])
    given.daemon.stop()
    wait_until("the loss to be seen", lambda: server.query('up{job="iprevd"} == 0'), seconds=120)
