#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The configuration that is installed does to labelled clients what doc/policy.md promises:
# tests/policy-rate.sh [FILE], lines of address, EHLO name, confirmed PTR name and label.
set -eu

top=${srcdir:-.}
clients=${1:-$top/tests/data/clients-sample.tsv}
triples=$(mktemp)
trap 'rm -f "$triples"' EXIT
failed=0

# label test: 1 when the awk expression about t (tagged), r (refused), p (refused in spite of a
# confirmed PTR name) and n (all), in counts, does not hold.
aim() {
    awk -F '\t' -v label="$1" '!/^#/ && $4 == label {
        gsub(/ /, "?", $2)
        print $1, ($2 == "" ? "-" : $2), ($3 == "" ? "-" : $3) }' "$clients" >"$triples"
    # The file is installed in monitor mode: what it would have done is what counts.
    ./iprevctl replay -c "$top/conf/iprevd.conf" --no-dns --format triples --json "$triples" |
        awk -v label="$1" '
        !/"line":/ { next }
        { n++ }
        /"would":"(tag|quarantine)"/ { t++ }
        /"would":"(tempfail|reject)"/ { r++; if (/"iprev":"pass"/) p++ }
        END {
            if (n == 0) { print label ": no clients"; exit 1 }
            printf "%s: %d clients, %.1f %% tagged, %.1f %% refused, %d of them with a confirmed PTR\n",
                label, n, 100 * t / n, 100 * r / n, p
            if (!('"$2"')) { print "missed: '"$2"'"; exit 1 }
        }' || failed=1
}

aim ham 'p == 0 && t <= 0.05 * n'
aim spam 't + r >= 0.75 * n'
exit "$failed"
