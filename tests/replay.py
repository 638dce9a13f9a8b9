#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Recorded traffic and what iprevctl replay has to find in it: tests/replay/cases.

NAME.maillog, NAME.mbox: the input.  NAME.json: `why` it is here, `options` of replay, `dns` (answers from
an empty zone file instead of --no-dns), `left_out` (local networks, authenticated clients), the
attempts `expected`, all of them in that order with the values given, the exit `status` if it is not
0, and what is to be `said` on standard error.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests" / "integration"))
from daemon import program  # noqa: E402

CASES = TOP / "tests" / "replay" / "cases"


def configuration(case, directory):
    zone = directory / "empty.zone"
    zone.write_text(". 3600 IN SOA . . 1 3600 3600 3600 300\n")
    text = "mode = enforce\nstate-dir = none\ncontrol = none\n"
    if "local" not in case["left_out"]:
        text += "local-networks = {}\n"
    if "authenticated" not in case["left_out"]:
        text += "skip-authenticated = false\n"
    if case["dns"]:
        text += f'dns {{ zone-file = "{zone}" }}\n'
    path = directory / "iprevd.conf"
    path.write_text(text)
    return path


def play(spec, directory):
    """The problems of a case, as text."""
    case = json.loads(spec.read_text())
    [source] = [p for p in CASES.glob(spec.stem + ".*") if p.suffix in (".maillog", ".mbox")]
    options = case["options"] + ([] if case["dns"] else ["--no-dns"])
    run = subprocess.run(
        [str(program("iprevctl")), "replay", str(source), "--json", "-c",
         str(configuration(case, directory)), *options],
        capture_output=True, text=True, errors="replace", timeout=60, check=False,
        env=dict(os.environ, TZ="UTC", LC_ALL="C"))
    got = [json.loads(line) for line in run.stdout.splitlines()]
    want = case["expected"]
    problems = ""
    keys = sorted({key for attempt in want for key in attempt} | {"client", "logged"})
    if len(got) != len(want) or any(
            g.get(key) != value for g, w in zip(got, want) for key, value in w.items()):
        problems += f"    want {want}\n    got  {[{k: g.get(k) for k in keys} for g in got]}\n"
    if run.returncode != case.get("status", 0):
        problems += f"    exit status {run.returncode}\n"
    for text in case.get("said", []):
        if text not in run.stderr:
            problems += f"    does not say {text!r}\n"
    return problems and f"{spec.stem}: {case['why']}\n{problems}{run.stderr[:300]}"


def main():
    specs = sorted(CASES.glob("*.json"))
    assert specs and len({p.stem for p in CASES.iterdir()}) == len(specs)
    with tempfile.TemporaryDirectory(prefix="iprevd-replay-") as directory:
        bad = [text for text in (play(s, pathlib.Path(directory)) for s in specs) if text]
    print("\n".join(bad))
    print(f"{len(specs) - len(bad)} passed, {len(bad)} failed")
    return bool(bad)


sys.exit(main())
