# SPDX-License-Identifier: BSD-2-Clause
"""doc/farm.md: its ten commands, played as they stand, make a farm of three hosts.

A shell runs them.  What is not of this machine alone is told to mean something here: a package is
installed already, a service is a real server with Debian's own configuration, another host is a folder,
192.0.2.1 is an address of the loopback interface.
"""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import daemon
import fenced
import store
import world
from root import needs_root
from test_farm import Host, believe, judged, pytestmark  # noqa: F401

GUEST = world.NO_PTR
ADDRESS = "127.0.0.2"


def shims(directory, port):
    """Commands that stand before the machine's own."""
    programs = {
        "apt": 'test "$*" = "install valkey-server"\n',
        # Debian's unit runs it in the foreground.
        "systemctl": (f'test "$*" = "restart valkey-server"\n'
                      f'printf "port {port}\\ndir {directory}\\nlogfile {directory}/store.log\\n'
                      f'pidfile {directory}/store.pid\\n" >>{directory}/valkey.conf\n'
                      f"{store.server_program()} {directory}/valkey.conf --supervised no --daemonize yes\n"),
        "scp": (f'test "$1" = -p && shift\nfor last; do :; done\nhost=${{last%%:*}}\n'
                f'while [ $# -gt 1 ]; do cp -p "$1" {directory}/$host/; shift; done\n'),
        "iprevd": f'exec {daemon.program()} "$@" -c "$IPREVD_CONF"\n',
        "iprevctl": f'exec {daemon.program("iprevctl")} "$@" -c "$IPREVD_CONF"\n',
    }
    folder = directory / "bin"
    folder.mkdir()
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\nset -eu\n{text}")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def guide(directory):
    """(commands of the first host, its block farm, commands of every host), for this machine."""
    blocks = [block.text for block in fenced.blocks((fenced.TOP / "doc/farm.md").read_text())
              if block.heading == "Three hosts in ten commands"]
    assert len(blocks) == 3
    port = daemon.free_port()

    def here(text, host="mx1"):
        return (text.replace("/etc/valkey/", f"{directory}/")
                .replace("/etc/iprevd/", f"{directory}/{host}/")
                .replace("-g iprevd", "-g daemon")
                .replace("192.0.2.1:6379", f"{ADDRESS}:{port}").replace("192.0.2.1", ADDRESS))

    return blocks, here, port


def play(directory, commands, folder, conf):
    env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}", IPREVD_CONF=str(conf))
    done = subprocess.run(["sh", "-euxc", commands], env=env, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, cwd=directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_root("/etc/redis/redis.conf is not for everybody")
def test_three_hosts_in_ten_commands(guide, directory):
    (first, block, every), here, port = guide
    assert len(re.findall(r"(?m)^\S", first)) + len(re.findall(r"(?m)^\S", every)) == 10
    folder = shims(directory, port)
    shipped = pathlib.Path("/etc/valkey/valkey.conf")
    if not shipped.exists():
        shipped = pathlib.Path("/etc/redis/redis.conf")
    (directory / "valkey.conf").write_text(shipped.read_text())
    hosts = [Host(directory, f"mx{i}", ["127.0.0.1:1"]) for i in (1, 2, 3)]
    for host in hosts:
        host.key_path.unlink()
    try:
        play(directory, here(first), folder, hosts[0].daemon.config_path)
        for host in hosts:
            config = (f'control = "{host.directory}/control"\nstate-dir = "{host.directory}"\n'
                      + here(block, host.name).replace("farm {", f'farm {{\n    host = "{host.name}"'))
            host.daemon.write_config("mode = enforce\ncontrol = " + f'"{host.directory}/control"\n')
            host.daemon.start()  # without a farm, as it was before
            host.daemon.write_config(config)
        for host in hosts:
            said = play(directory, every, folder, host.daemon.config_path)
            assert host.name in said, said
        for host in hosts:
            daemon.wait_until(f"{host.name} is connected", host.connected)
            assert (host.directory / "farm.key").stat().st_mode & 0o777 == 0o640
        hosts[0].allow(GUEST)
        believe(hosts, [GUEST])
        daemon.wait_until("each sees all", lambda: all(
            len(host.farm()["hosts"]) == 3 for host in hosts))
        for host in hosts:
            assert judged(host) == ("accept", "reject")
            assert "NOPERM" not in host.daemon.log and "takes nothing new" not in host.daemon.log
        assert not any(one["drifted"] for one in hosts[0].farm()["hosts"]), json.dumps(hosts[0].farm())
    finally:
        for host in hosts:
            host.kill()
        pid = directory / "store.pid"
        if pid.exists():
            # Told to end, it saves first, and stays where it cannot: this directory is gone by then.
            os.kill(int(pid.read_text()), signal.SIGKILL)
