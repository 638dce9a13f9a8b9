#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The steps of contrib/container/Containerfile, done as an engine does them, and the container run.

Started by scripts/test-container in a clean Debian of its own with the tree in /work, which is the
first image; the second one is made below /image.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

TREE = pathlib.Path("/work")
sys.path.insert(0, str(TREE / "tests/integration"))

from milterclient import MilterClient  # noqa: E402

IMAGE = pathlib.Path("/image")
CONTEXT = ("contrib/container/Containerfile",)
SECONDS = 60
ZONE = """\
10.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.
mail.example.org. 3600 IN A 192.0.2.10
2.0.192.in-addr.arpa. 3600 IN SOA ns.example.org. admin.example.org. 1 3600 600 86400 300
"""
ENFORCE = """\
mode = enforce
decision-log = "/dev/stdout"
local-networks = {}
dns { zone-file = "/etc/iprevd/conf.d/test.zone" }
"""


def instructions(suite):
    """Each as (word, rest), lines that go on joined, comments gone."""
    text = (TREE / CONTEXT[0]).read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, map(str.strip, text.splitlines())):
        word, rest = line.split(None, 1)
        yield word, rest.replace("${SUITE}", suite)


class Stage:
    """An image that is being made: its root, its environment, its directory."""

    def __init__(self, root):
        self.root, self.environment, self.directory = root, {}, "/"
        self.user, self.volumes, self.health, self.entry = "0", [], None, None

    def run(self, command):
        print(f"   RUN {' '.join(command.split())[:90]}", flush=True)
        # `cd` after chroot: the directory is the image's.
        script = f"cd {shlex.quote(self.directory)} && {command}"
        argv = ["sh", "-c", script] if self.root == pathlib.Path("/") else \
            ["chroot", self.root, "sh", "-c", script]
        done = subprocess.run(argv, env={**os.environ, **self.environment}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stdout[-4000:] + f"\nfailed: RUN {command}")

    def copy(self, source_root, sources, target):
        to = self.root / target.lstrip("/")
        if target.endswith("/"):
            to.mkdir(parents=True, exist_ok=True)
        for pattern in sources:
            found = [source_root] if pattern == "." else \
                sorted(source_root.glob(pattern.lstrip("/")))
            assert found, f"COPY {pattern}: nothing is there"
            for path in found:
                if path.is_dir():
                    shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True)
                else:
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, to)


def build(suite):
    stages, stage = {}, None
    for word, rest in instructions(suite):
        words = shlex.split(rest)
        if word == "ARG":
            continue
        if word == "FROM":
            assert words[0] == f"debian:{suite}-slim", rest
            print(f"   FROM {rest}", flush=True)
            if stages:
                subprocess.run(["debootstrap", "--variant=minbase", suite, IMAGE, archive()],
                               stdout=subprocess.DEVNULL, check=True)
                shutil.copy("/etc/apt/sources.list", IMAGE / "etc/apt/sources.list")
                shutil.copy("/usr/sbin/policy-rc.d", IMAGE / "usr/sbin/policy-rc.d")
                subprocess.run(["mount", "-t", "proc", "proc", IMAGE / "proc"], check=True)
            stage = Stage(IMAGE if stages else pathlib.Path("/"))
            stages[words[2] if len(words) > 1 else "final"] = stage
        elif word == "COPY":
            of = pathlib.Path(TREE)
            if words[0].startswith("--from="):
                of = stages[words.pop(0)[len("--from="):]].root
            stage.copy(of, words[:-1], words[-1])
        elif word == "WORKDIR":
            stage.directory = rest
        elif word == "ENV":
            stage.environment.update(word.split("=", 1) for word in words)
        elif word == "RUN":
            stage.run(rest)
        elif word == "USER":
            stage.user = rest
        elif word == "VOLUME":
            stage.volumes.append(rest)
        elif word == "HEALTHCHECK":
            assert words[0] == "CMD"
            stage.health = rest[len("CMD"):].strip()
        elif word == "ENTRYPOINT":
            stage.entry = json.loads(rest)
        else:
            assert word == "EXPOSE" and rest == "8896", f"{word} {rest}"
    return stage


def archive():
    """Where apt-get is told to have packages from."""
    return pathlib.Path("/etc/apt/sources.list").read_text().split()[1]


class Container:
    """The image, read-only but for its volumes, with a directory of ours as conf.d."""

    def __init__(self, stage, snippets):
        self.stage = stage
        conf = pathlib.Path("/conf.d")
        shutil.rmtree(conf, ignore_errors=True)
        conf.mkdir(mode=0o755)
        for name, text in snippets.items():
            (conf / name).write_text(text)
        # In namespaces of its own, whose mounts end with it; its first process is the entry point.
        (IMAGE / "etc/iprevd/conf.d").mkdir(exist_ok=True)
        volumes = " && ".join(
            f"{{ mkdir -p /volume{path} && chown 8896:8896 /volume{path} && "
            f"mount --bind /volume{path} {IMAGE}{path}; }}" for path in stage.volumes)
        script = (f"mount --bind {IMAGE} {IMAGE} && mount -o remount,ro,bind {IMAGE} && {volumes} && "
                  f"mount --bind -o ro /conf.d {IMAGE}/etc/iprevd/conf.d && "
                  f"mount -t proc proc {IMAGE}/proc && "
                  f"mount --rbind /dev {IMAGE}/dev && "
                  f"exec chroot --userspec={stage.user}:{stage.user} {IMAGE} {shlex.join(stage.entry)}")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until("the entry point to be there", self.first_process)
        until("the container to be healthy", lambda: self.health() == 0)

    def first_process(self):
        assert self.process.poll() is None, (self.process.returncode, self.process.communicate())
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            return None
        name = pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip()
        return int(children[0]) if name == "iprevd" else None

    def health(self):
        # As `exec` of an engine: in the namespaces of the first process, as the image's user.
        return subprocess.run(
            ["nsenter", "--target", str(self.first_process()), "--mount", "--pid", "--root",
             f"--setuid={self.stage.user}", f"--setgid={self.stage.user}", "sh", "-c",
             self.stage.health], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            check=False).returncode

    def end(self):
        """The exit status, standard output, standard error."""
        os.kill(self.first_process(), signal.SIGTERM)
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


def until(what, condition):
    end = time.monotonic() + SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)
    return value


def session(address):
    client = MilterClient("inet:8896@127.0.0.1")
    return client.session(client=address, ptr=None, helo="mail.example.org",
                          sender="a@example.org", rcpts=["b@example.net"])


def main():
    suite = sys.argv[1]
    stage = build(suite)
    assert stage.user not in ("0", "root") and stage.volumes and stage.health and stage.entry

    print("== without snippets: it monitors", flush=True)
    container = Container(stage, {})
    uid = os.stat(f"/proc/{container.first_process()}").st_uid
    assert uid == int(stage.user), uid
    assert session("192.0.2.10").verdict == "accept"
    status, out, err = container.end()
    assert status == 0 and out == "", (status, out, err)
    assert "mode monitor" in err, err

    print("== with snippets: it enforces, and decisions are lines of JSON", flush=True)
    container = Container(stage, {"site.conf": ENFORCE, "test.zone": ZONE})
    assert session("192.0.2.10").verdict == "accept"
    refused = session("192.0.2.11")
    assert refused.verdict != "accept", refused
    status, out, err = container.end()
    assert status == 0, (status, err)
    decisions = [json.loads(line) for line in out.splitlines()]
    assert [d["client"] for d in decisions] == ["192.0.2.10", "192.0.2.11"], out
    assert decisions[1]["action"] == "reject", out
    state = sorted(path.name for path in pathlib.Path("/volume/var/lib/iprevd").iterdir())
    assert any("cache" in name for name in state), state
    print("passed")


if __name__ == "__main__":
    main()
