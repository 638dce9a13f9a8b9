#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The scripts for systems without systemd, and logrotate's file, have the paths of configure.
set -eu

srcdir=${srcdir-.}
logrotate_config=contrib/iprevd.logrotate
variable() { # as make expands it
    printf 'include Makefile\nprint-it:\n\t@echo "$(%s)"\n' "$1" | "${MAKE-make}" -s -f - print-it
}
sbindir=$(variable sbindir)
sysconfdir=$(variable sysconfdir)
state=$(variable localstatedir)
run=$(variable runstatedir)

status=0
wants() { # file, text
    grep -qF -- "$2" "$1" || {
        echo "$1 does not have $2"
        status=1
    }
}
for script in contrib/iprevd.openrc contrib/iprevd.rc; do
    sh -n "$script" || status=1
    wants "$script" "command=$sbindir/iprevd"
    wants "$script" "$sysconfdir/iprevd/iprevd.conf"
    wants "$script" "$run/iprevd"
    wants "$script" "$state/lib/iprevd $state/log/iprevd"
done
wants "$logrotate_config" "$state/log/iprevd/*.json {"
if grep -n '@[a-z]*@' contrib/iprevd.openrc contrib/iprevd.rc "$logrotate_config"; then
    echo "something was not substituted"
    status=1
fi
exit "$status"
