#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What operators install beside iprevd: AppArmor takes the profile, systemd the timer, and the daily report
# reaches sendmail as a mail.
set -eu

srcdir=${srcdir-.}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
PATH="$PATH:/usr/sbin:/sbin"
status=0
fail() {
    echo "$*"
    status=1
}

if grep -n '@[a-z]*@' contrib/iprevd.apparmor contrib/iprevd-report systemd/iprevd-report.service; then
    fail "something was not substituted"
fi

# Skipped only where it is not installed; CI has it.
if command -v apparmor_parser >/dev/null 2>&1; then
    apparmor_parser --skip-kernel-load --skip-cache contrib/iprevd.apparmor 2>"$directory/said" ||
        fail "apparmor_parser: $(cat "$directory/said")"
elif [ "${CI-}" = true ]; then
    fail "apparmor_parser is not there: scripts/install-packages check"
fi

# A program that is confined reaches no terminal by itself.
grep -q 'include <abstractions/consoles>' contrib/iprevd.apparmor || fail "iprevd -t is mute under AppArmor"

if command -v systemd-analyze >/dev/null 2>&1; then
    sed -e 's|^ExecStart=.*|ExecStart=/bin/true|' -e '/^Documentation=/d' systemd/iprevd-report.service \
        >"$directory/iprevd-report.service"
    sed '/^Documentation=/d' "$srcdir/systemd/iprevd-report.timer" >"$directory/iprevd-report.timer"
    said=$(systemd-analyze verify --man=no "$directory/iprevd-report.timer" 2>&1 | grep iprevd-report || true)
    [ -z "$said" ] || fail "systemd-analyze verify: $said"
fi

# The report as a mail, by programs that stand in for the mail server's.
cat >"$directory/sendmail" <<END
#!/bin/sh
echo "\$*" >"$directory/arguments"
cat >"$directory/mail"
END
chmod +x "$directory/sendmail"
cat >"$directory/iprevctl" <<END
#!/bin/sh
echo "asked: \$*"
exit \${REPORT_STATUS:-0}
END
chmod +x "$directory/iprevctl"
sed "s|^PATH=|PATH=$directory:|" contrib/iprevd-report >"$directory/report"
mail_has() {
    grep -qxF -- "$1" "$directory/mail" || fail "the mail lacks \"$1\": $(cat "$directory/mail")"
}
IPREVD_REPORT_ARGS='--top 3' sh "$directory/report" || fail "the report failed"
[ "$(cat "$directory/arguments")" = "-oi -t" ] || fail "sendmail was called otherwise"
mail_has "To: root"
mail_has "Subject: iprevd on $(uname -n): report of 1d"
mail_has "asked: report --since 1d --top 3"
cat >"$directory/journalctl" <<END
#!/bin/sh
echo "journalctl \$*"
END
chmod +x "$directory/journalctl"
sed -i 's/^echo "asked.*/& ; case "$*" in *"--mail-log -") cat ;; esac/' "$directory/iprevctl"
IPREVD_REPORT_MAIL_LOG=journal sh "$directory/report" || fail "the report with the journal failed"
mail_has "asked: report --since 1d --mail-log -"
mail_has "journalctl -q -o short-iso --since -7d SYSLOG_FACILITY=2"
IPREVD_REPORT_MAIL_LOG='/var/log/mail log' IPREVD_REPORT_ARGS=--all sh "$directory/report" || fail "no report with a file"
mail_has "asked: report --since 1d --all --mail-log /var/log/mail log"
REPORT_STATUS=1 IPREVD_REPORT_TO=a@example.net,b@example.net sh "$directory/report" || fail "no mail of a failure"
mail_has "To: a@example.net,b@example.net"
mail_has "Subject: iprevd on $(uname -n): no report of 1d"
rm "$directory/mail"
! IPREVD_REPORT_TO='-be x' sh "$directory/report" 2>/dev/null || fail "options for an address were taken"
[ ! -e "$directory/mail" ] || fail "mail to no address"
exit "$status"
