#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Access lines are found, mail servers are left alone: the rates over a sample of invented names.
set -eu

sample=${srcdir:-.}/tests/data/ptr-names-sample.tsv
output=$(tests/tools/generic_rate "$sample")
printf '%s\n' "$output"
printf '%s\n' "$output" | awk '
    { rate = 100 * $2 / $4; seen[$1] = 1 }
    $1 == "generic" && rate < 95 { print "too few access lines found"; bad = 1 }
    $1 == "named" && rate > 0.3 { print "too many mail servers taken for access lines"; bad = 1 }
    $1 == "named-embeds-address" && rate > 15 { print "too many computed mail server names"; bad = 1 }
    END {
        if (!("generic" in seen && "named" in seen && "named-embeds-address" in seen)) {
            print "a label is missing"
            bad = 1
        }
        exit bad
    }'
