#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What one decision costs: instructions of our own code, calls into libraries, and allocations, counted
# by callgrind over sessions whose answers are all cached.  None may grow by more than 5 % unnoticed.
#     tests/instructions.sh BUILDDIR             compare with tests/data/instructions
#     tests/instructions.sh BUILDDIR --accept    write them there
# Exit status: 0 when none grew by more, or there is nothing to compare with; its last line counts as
# pytest's do.
# Instructions inside libraries are not counted: they differ with the processor, for libc chooses its
# string functions by it, and with the libraries' versions.  Ours differ with the compiler and its
# options alone, so the figures stand below those that they hold for; with others nothing is compared.
set -eu

build=${1:?usage: tests/instructions.sh BUILDDIR [--accept]}
top=$(cd "$(dirname "$0")/.." && pwd)
figures=$top/tests/data/instructions
program=tests/tools/decisions
sessions=100
percent=5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$build"
make -s "$program"
setting() { sed -n "s/^$1 = //p" Makefile | head -n 1; }
compiler=$(setting CC)
if "$compiler" --version 2>/dev/null | head -n 1 | grep -q clang; then name=clang; else name=gcc; fi
built_with="$name $("$compiler" -dumpfullversion 2>/dev/null || "$compiler" -dumpversion) $(uname -m) $(setting CFLAGS)"

# kind -> "kind instructions calls allocations", each a session
count() {
    # Early binding, or the first call of each function would be searched for.
    LD_BIND_NOW=1 valgrind --tool=callgrind --toggle-collect=play_session --compress-strings=no \
        --compress-pos=no --callgrind-out-file="$work/out" "$program" "$1" "$sessions" \
        >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
    awk -v kind="$1" -v sessions="$sessions" -v program="/$program" '
        function ours(object) { return substr(object, length(object) - length(program) + 1) == program }
        /^ob=/ { object = substr($0, 4) }
        /^cob=/ { called = substr($0, 5) }
        /^cfn=/ { name = substr($0, 5) }
        /^calls=/ {
            if (ours(object) && called != "" && !ours(called)) {
                calls += substr($1, 7)
                if (name ~ /^(malloc|calloc|realloc|strdup|strndup|__strdup|__strndup)(@.*)?$/)
                    allocations += substr($1, 7)
            }
            called = ""
            of_a_call = 1 # the next line is what the callee cost
            next
        }
        /^[0-9]/ {
            if (!of_a_call && ours(object))
                instructions += $2
            of_a_call = 0
        }
        END {
            printf "%s %.0f %.1f %.1f\n", kind, instructions / sessions, calls / sessions,
                allocations / sessions
        }' "$work/out"
}

for kind in good tagged refused; do
    count "$kind"
done >"$work/now"
echo "kind instructions calls allocations"
cat "$work/now"

# The figures' blocks: those of this build (same=1), or all others.
blocks() {
    awk -v same="$1" -v built_with="$built_with" '
        /^# built with: / { ours = substr($0, 15) == built_with }
        /^# built with: /, 0 { if (ours == same) print }' "$figures"
}
if [ "${2-}" = --accept ]; then
    {
        echo "# What a decision costs: kind, instructions, calls, allocations."
        echo "# Written by tests/instructions.sh BUILDDIR --accept"
        blocks 0
        echo "# built with: $built_with"
        cat "$work/now"
    } >"$work/figures"
    cat "$work/figures" >"$figures"
    exit 0
fi
blocks 1 >"$work/wanted"
if [ ! -s "$work/wanted" ]; then
    echo "there are no figures of a build with $built_with: nothing to compare"
    echo "1 skipped in 0s"
    exit 0
fi
status=0
awk -v percent="$percent" '
    /^#/ { next }
    FNR == NR { for (i = 2; i <= 4; i++) want[$1, i] = $i; next }
    {
        split("kind instructions calls allocations", word, " ")
        for (i = 2; i <= 4; i++) {
            if (!(($1, i) in want) || $i > want[$1, i] * (1 + percent / 100)) {
                printf "%s: %s grew from %s to %s\n", $1, word[i], want[$1, i], $i
                bad = 1
            } else if ($i < want[$1, i] * (1 - percent / 100)) {
                printf "%s: %s fell from %s to %s\n", $1, word[i], want[$1, i], $i
                less = 1
            }
        }
    }
    END {
        if (bad || less)
            print "Look at the change; to accept what it costs now: tests/instructions.sh BUILDDIR --accept"
        exit bad
    }' "$work/wanted" "$work/now" || status=1
[ "$status" -eq 0 ] && echo "1 passed in 0s" || echo "1 failed in 0s"
exit "$status"
