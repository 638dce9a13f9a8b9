#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every corpus through its target, tests/fuzz/corpus/NAME through fuzz_NAME, and every target has
# one.  Fails when a corpus no longer reaches what it is there to reach: see README.
set -eu
FUZZ_PLACES=1
export FUZZ_PLACES
source=${srcdir:-.}/tests/fuzz
targets=${top_builddir:-.}/tests/fuzz

for source_file in "$source"/fuzz_*.c; do
    name=$(basename "$source_file" .c)
    if [ ! -d "$source/corpus/${name#fuzz_}" ]; then
        echo "$name has no corpus" >&2
        exit 1
    fi
done
for corpus in "$source"/corpus/*/; do
    name=$(basename "$corpus")
    target=$targets/fuzz_$name
    if [ "$name" = farm ] && [ "${FARM-yes}" = no ]; then
        echo "farm: built without farms"
        continue
    fi
    if [ ! -x "$target" ]; then
        echo "$target was not built" >&2
        exit 1
    fi
    set -- "$corpus"
    # A libFuzzer program would begin to search; its own help tells it apart.
    if grep -q -a "print_final_stats" "$target"; then
        set -- -runs=0 "$corpus"
    fi
    printf '%s: ' "$name"
    "$target" "$@"
done
