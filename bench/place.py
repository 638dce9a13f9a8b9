# SPDX-License-Identifier: BSD-2-Clause
"""
A network namespace in which every address of 10/8 is the machine's own, so that clients can come
from as many addresses as one likes, with a DNS server of settable delay at 127.0.0.1, port 53.
"""

import os
import subprocess
import sys

from bench.common import TOP, Unmeasured

sys.path.insert(0, str(TOP / "tests" / "integration"))

import mta  # noqa: E402  where real mail servers run in private


def require(name):
    """The unpacked packages of a server; fetched when they are not there."""
    if os.geteuid() != 0:
        raise Unmeasured("it takes root to make namespaces")
    if not (mta.packages_dir(name) / ".complete").exists():
        done = subprocess.run([TOP / "scripts" / "fetch-mta", mta.packages_dir(name).parent, name],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            last = (done.stdout.strip().splitlines() or ["no message"])[-1]
            raise Unmeasured(f"its packages cannot be had: {last}")


class Place:
    """Use it with `with`: it leaves nothing behind."""

    def __init__(self, bench):
        self.bench = bench
        self.dns = None
        self.clients = 0
        try:
            self.network = mta.Network([])
        except subprocess.CalledProcessError as error:
            raise Unmeasured("network namespaces cannot be made here: "
                             f"{error.stderr.decode().strip()}") from None
        self.inside = self.network.argv([])
        subprocess.run(["ip", "-n", self.network.names[0], "route", "add", "local", "10.0.0.0/8",
                        "dev", "lo"], check=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_dns()
        self.network.close()

    def start_dns(self, delay_ms=0):
        """Another DNS server in place of the one there is."""
        self.stop_dns()
        self.dns = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *self.inside, self.bench.build / "bench/delaydns",
             "--port", "53", "--delay", str(delay_ms)], stdout=subprocess.PIPE,
            stderr=self.bench.log, text=True)
        if not self.dns.stdout.readline().startswith("port"):
            raise Unmeasured("the DNS server did not start")

    def stop_dns(self):
        if self.dns is not None:
            self.dns.terminate()
            self.dns.wait()
            self.dns.stdout.close()
            self.dns = None

    def serves(self, spec):
        """Does something listen on a milter socket in here?"""
        port, host = spec.removeprefix("inet:").split("@")
        try:
            self.network.connect(host, int(port)).close()
            return True
        except OSError:
            return False

    def new_clients(self, count):
        """The first of so many addresses that nobody has come from yet."""
        first = self.clients
        self.clients += count
        return f"10.{1 + first // 65536}.{first // 256 % 256}.{first % 256}/{count}"
