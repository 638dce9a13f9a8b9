#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# systemd finds the unit well-formed and its exposure is no more than what the design allows.
set -eu

limit=15 # tenths
srcdir=${srcdir-.}
unit=systemd/iprevd.service

if ! command -v systemd-analyze >/dev/null 2>&1; then
    echo "skipped: systemd-analyze is not there"
    exit 77
fi

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# The unit as it is installed, with programs that exist and without manual pages that may not.
sed -e 's|^\(Exec[A-Za-z]*\)=[^ ]*/iprevd|\1=/bin/true|' -e '/^Documentation=/d' "$unit" \
    >"$directory/iprevd.service"
said=$(systemd-analyze verify --man=no "$directory/iprevd.service" 2>&1 | grep 'iprevd\.service' || true)
if [ -n "$said" ]; then
    echo "systemd-analyze verify: $said"
    exit 1
fi

table=$(systemd-analyze security --no-pager --offline=true "$unit")
exposure=$(printf '%s\n' "$table" | sed -n 's/.*exposure level for iprevd\.service: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
if [ -z "$exposure" ]; then
    echo "systemd-analyze security told no exposure level"
    exit 1
fi
echo "exposure ${exposure%?}.${exposure#"${exposure%?}"}, at most ${limit%?}.${limit#"${limit%?}"} is allowed"
if [ "$exposure" -gt "$limit" ]; then
    printf '%s\n' "$table" | grep -v '✓'
    exit 1
fi

# What a start as a service of systemd relies on.
# shellcheck disable=SC2016  # $MAINPID is for systemd to expand
for line in Type=notify User=iprevd RuntimeDirectory=iprevd StateDirectory=iprevd UMask=0027 \
    'Before=postfix.service postfix@-.service sendmail.service' \
    StartLimitIntervalSec=0 Restart=on-failure RestartSec=5 'RestartPreventExitStatus=64 78' \
    'ExecReload=/bin/kill -HUP $MAINPID'; do
    grep -qxF -- "$line" "$unit" || {
        echo "$unit does not say $line"
        exit 1
    }
done

fail() {
    echo "$unit: $*"
    exit 1
}

# A reload of a broken configuration fails: the test stands before the signal.
grep '^ExecReload=' "$unit" | head -n 1 | grep -q '/iprevd -t$' ||
    fail "a reload does not test the configuration first"

# A command before the start that fails is repeated for ever, and one that waits holds the mail server.
if grep -n '^ExecStartPre=' "$unit"; then
    fail "RestartPreventExitStatus does not hold for ExecStartPre"
fi

# What the daemon may take to end, and what it is given.
takes=$(sed -n 's/^#define SERVICE_STOP_MAX_S \([0-9]*\)$/\1/p' "$srcdir/src/daemon/service.h")
stop=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)$/\1/p' "$unit")
[ -n "$takes" ] && [ "${stop:-0}" -gt "$takes" ] ||
    fail "TimeoutStopSec=${stop:-} is too short: the end may take ${takes:-an unknown number of} seconds"

if grep -n '@[a-z]*@' "$unit" systemd/tmpfiles.d/iprevd.conf; then
    echo "something was not substituted"
    exit 1
fi
