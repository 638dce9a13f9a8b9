# SPDX-License-Identifier: BSD-2-Clause
"""Lookups and sessions of clients that are all new, against dnsperf, from the same NSD."""

import json
import re
import subprocess

from bench.common import free_port, median, note, run_text, shown, table, wait_for

import dns.exception
import dns.message
import dns.query

NSD_CONF = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{directory}"
  database: ""
  pidfile: "{directory}/nsd.pid"
  xfrdfile: "{directory}/xfrd"
  zonelistfile: "{directory}/zonelist"
  cookie-secret-file: "{directory}/cookie"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: 10.in-addr.arpa
  zonefile: reverse
zone:
  name: example.org
  zonefile: forward
"""
SOA = "@ 3600 SOA ns.example.org. root.example.org. 1 3600 600 86400 300\n@ 3600 NS ns.example.org.\n"


def answers(port):
    try:
        dns.query.udp(dns.message.make_query("mail.example.org", "A"), "127.0.0.1", 0.2, port)
        return True
    except (dns.exception.DNSException, OSError):
        return False


def start_nsd(bench, reverse="* 3600 PTR mail.example.org.\n", forward=""):
    """NSD that knows 10.in-addr.arpa and example.org: (process, port)."""
    port, directory = free_port(), bench.directory
    (directory / "reverse").write_text("$ORIGIN 10.in-addr.arpa.\n" + SOA + reverse)
    (directory / "forward").write_text("$ORIGIN example.org.\n" + SOA + "mail 3600 A 10.0.0.1\n"
                                       "ns 3600 A 127.0.0.1\n" + forward)
    (directory / "nsd.conf").write_text(NSD_CONF.format(port=port, directory=directory))
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "nsd", "-d", "-c",
                                directory / "nsd.conf"], stdout=bench.log, stderr=bench.log)
    wait_for(lambda: answers(port), "NSD")
    return process, port


def cold(bench):
    nsd, port = start_nsd(bench)
    queries = bench.directory / "queries"
    queries.write_text("".join(f"{i % 256}.{i // 256 % 256}.1.10.in-addr.arpa PTR\n"
                               for i in range(60000)))
    runs = []
    try:
        for turn in range(bench.rounds):
            note(f"cold: round {turn + 1}")
            ours = bench.iprevd("inet", f'dns {{ nameservers = {{"127.0.0.1:{port}"}} }}')
            mine = bench.load(ours.spec, "-c", 100, "-n", bench.many(20000), "-a",
                              "10.2.0.0/60000")["per_second"]
            ours.stop()
            output = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries,
                                     "-n", "1"], stdout=subprocess.PIPE, text=True,
                                    check=True).stdout
            rate = re.search(r"Queries per second:\s+([\d.]+)", output).group(1)
            alone = json.loads(run_text(bench, "bench/dnsload", "-s", f"127.0.0.1:{port}", "-c",
                                        "100", "-n", str(bench.many(20000))))["per_second"]
            runs.append((alone, mine, float(rate)))
    finally:
        nsd.terminate()
        nsd.wait()
    return table(["", "a second", "of dnsperf's"],
                 [["lookups, the engine alone", f"{median(run[0] for run in runs):.0f}",
                   shown([(run[0], run[2]) for run in runs])],
                  ["sessions, each one lookup", f"{median(run[1] for run in runs):.0f}",
                   shown([(run[1], run[2]) for run in runs])],
                  ["dnsperf's queries", f"{median(run[2] for run in runs):.0f}", ""]])
