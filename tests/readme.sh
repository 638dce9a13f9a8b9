#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The output of scripts/quickstart that README shows is what it prints.
set -eu
top=${srcdir:-.}
[ -n "${PYTHON3-}" ] || PYTHON3=python3
output=$(COLUMNS=100 NO_COLOR=1 "$PYTHON3" -B "$top/scripts/quickstart.py" .)
missing=0
while IFS= read -r line; do
    case "$output" in
    *"$line"*) ;;
    *)
        echo "README shows, and quickstart does not print: $line"
        missing=1
        ;;
    esac
done <<EOF
$(sed -n '/client  *PTR  *EHLO/,/^$/s/^    //p' "$top/README")
EOF
[ "$(sed -n '/client  *PTR  *EHLO/,/^$/p' "$top/README" | wc -l)" -gt 10 ] || {
    echo "README shows no output of quickstart"
    missing=1
}
exit "$missing"
