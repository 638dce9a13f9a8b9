#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# systemd finds the unit well-formed and its exposure is no more than what the design allows.
set -eu

limit=15 # tenths
unit=systemd/iprevd.service

if ! command -v systemd-analyze >/dev/null 2>&1; then
    echo "skipped: systemd-analyze is not there"
    exit 77
fi

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# The unit as it is installed, with programs that exist and without manual pages that may not.
sed -e 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' -e 's|^ExecStartPre=[^ ]*|ExecStartPre=/bin/true|' \
    -e '/^Documentation=/d' "$unit" >"$directory/iprevd.service"
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
for line in Type=notify User=iprevd 'ExecReload=/bin/kill -HUP $MAINPID' RuntimeDirectory=iprevd \
    StateDirectory=iprevd; do
    grep -qxF -- "$line" "$unit" || {
        echo "$unit does not say $line"
        exit 1
    }
done
if grep -n '@[a-z]*@' "$unit" systemd/tmpfiles.d/iprevd.conf; then
    echo "something was not substituted"
    exit 1
fi
