# SPDX-License-Identifier: BSD-2-Clause
"""
iprevctl replay without DNS, on logs of a million lines: CPU time and memory.  Where $IPREVD_AGAINST
names the build directory of another version, it reads the same files in the same run.
"""

import os
import pathlib
import random
import subprocess
import sys

from bench.cpu import other_build
from bench.common import Unmeasured, median, note, shown, table

LINES = 1_000_000
CONF = "mode = enforce\nstate-dir = none\ncontrol = none\n"


def stamp(second):
    return f"Nov {9 + second // 86400:2} {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02} mx"


def client(rng):
    """A name, an address and an EHLO name; every third client has no confirmed name."""
    network, host = rng.randrange(256), rng.randrange(1, 255)
    name = f"mail{host}.customer{network}.example"
    return ("unknown" if network % 3 == 0 else name), f"198.{18 + network % 2}.{network}.{host}", name


def postfix_accepted(rng, head):
    ptr, address, helo = client(rng)
    queue_id, pid = f"{rng.getrandbits(44):011X}", rng.randrange(1000, 1060)
    sender = f"user{rng.randrange(5000)}@{helo.partition('.')[2]}"
    return [f"{head} postfix/smtpd[{pid}]: connect from {ptr}[{address}]",
            f"{head} postfix/smtpd[{pid}]: {queue_id}: client={ptr}[{address}]",
            f"{head} postfix/cleanup[61]: {queue_id}: message-id=<{rng.getrandbits(64):x}@{helo}>",
            f"{head} postfix/qmgr[62]: {queue_id}: from=<{sender}>, size=20187, nrcpt=1 (queue active)",
            f"{head} postfix/smtpd[{pid}]: disconnect from {ptr}[{address}] ehlo=2 starttls=1 mail=1 rcpt=1 "
            "data=1 quit=1 commands=7",
            f"{head} postfix/lmtp[63]: {queue_id}: to=<u@example.net>, relay=mx.example.net[private/dovecot], "
            "delay=0.4, delays=0.3/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 <u@example.net> Saved)",
            f"{head} postfix/qmgr[62]: {queue_id}: removed"]


def postfix_refused(rng, head):
    ptr, address, helo = client(rng)
    pid = rng.randrange(1000, 1060)
    return [f"{head} postfix/smtpd[{pid}]: warning: hostname {helo} does not resolve to address {address}: "
            "Name or service not known",
            f"{head} postfix/smtpd[{pid}]: connect from unknown[{address}]",
            f"{head} postfix/smtpd[{pid}]: NOQUEUE: reject: RCPT from unknown[{address}]: 554 5.7.1 Service "
            f"unavailable; Client host [{address}] blocked using dnsbl.example; from=<a@spam.example> "
            f"to=<u@example.net> proto=ESMTP helo=<{helo}>",
            f"{head} postfix/smtpd[{pid}]: disconnect from unknown[{address}] ehlo=1 mail=1 rcpt=0/1 commands=2/3",
            f"{head} dovecot: imap-login: Login: user=<u>, method=PLAIN, rip=192.0.2.77, lip=192.0.2.1, TLS"]


def sendmail(rng, head):
    ptr, address, helo = client(rng)
    queue_id, pid = f"3AB{rng.randrange(36**4):05d}{rng.randrange(10**6):06d}", rng.randrange(1000, 9000)
    relay = f"[{address}]" if ptr == "unknown" else f"{ptr} [{address}]"
    return [f"{head} sm-mta[{pid}]: {queue_id}: from=<user@{helo.partition('.')[2]}>, size=10021, class=0, "
            f"nrcpts=1, msgid=<{rng.getrandbits(64):x}@{helo}>, proto=ESMTP, daemon=MTA-v4, relay={relay}",
            f"{head} sm-mta[{pid}]: STARTTLS=server, relay={relay}, version=TLSv1.3, verify=NO, "
            "cipher=TLS_AES_256_GCM_SHA384, bits=256/256",
            f"{head} sm-mta[{pid + 1}]: {queue_id}: to=<u@example.net>, delay=00:00:01, xdelay=00:00:00, "
            "mailer=local, pri=40501, dsn=2.0.0, stat=Sent",
            f"{head} sm-mta[{pid}]: ruleset=check_relay, arg1={ptr}, arg2={address}, relay={relay}, "
            "reject=421 4.3.2 Connection rate limit exceeded."]


def write(path, lines, makers):
    rng, count = random.Random(1), 0
    with path.open("w") as out:
        while count < lines:
            block = rng.choice(makers)(rng, stamp(count * 600000 // lines))
            out.write("\n".join(block) + "\n")
            count += len(block)


def measure(bench, program, conf, path):
    """CPU seconds and MiB of one run."""
    command = [program, "replay", "--no-dns", "--summary", "-c", conf, path]
    done = subprocess.run([sys.executable, "-c", MEMORY, *map(str, command)],
                          stdout=subprocess.PIPE, stderr=bench.log, text=True, check=False)
    if done.returncode != 0:
        raise Unmeasured(f"{program} replay ended with {done.returncode}")
    cpu, memory = done.stdout.split()[-2:]
    return float(cpu), float(memory)


# One child only, so that what getrusage(2) says of children is its own.
MEMORY = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(status)
"""


def replay(bench):
    conf = bench.directory / "replay.conf"
    conf.write_text(CONF)
    lines = bench.many(LINES)
    other = other_build("iprevctl")
    rows = []
    for name, makers in (("Postfix", (postfix_accepted, postfix_refused)), ("Sendmail", (sendmail,))):
        note(f"replay: {lines} lines of {name}")
        path = bench.directory / "replay.log"
        write(path, lines, makers)
        runs = []
        for _ in range(bench.rounds + 2):
            ours = measure(bench, bench.build / "iprevctl", conf, path)
            theirs = other and measure(bench, other / "iprevctl", conf, path)
            runs.append((ours, theirs))
        path.unlink()
        cpu, memory = (median(run[0][i] for run in runs) for i in (0, 1))
        row = [name, f"{lines:,}", f"{cpu:.2f}", f"{cpu / lines * 1e6:.2f}", f"{memory:.0f}"]
        if other:
            row += [shown([(ours[0], theirs[0]) for ours, theirs in runs]),
                    f"{median(run[1][1] for run in runs):.0f}"]
        rows.append(row)
    head = ["log of", "lines", "CPU s", "µs a line", "MiB"]
    return table(head + (["CPU, ratio to the other version", "its MiB"] if other else []), rows)
