#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every corpus through its target: tests/fuzz/corpus/NAME through fuzz_NAME.
set -eu
source=${srcdir:-.}/tests/fuzz
targets=${top_builddir:-.}/tests/fuzz

for corpus in "$source"/corpus/*/; do
    name=$(basename "$corpus")
    target=$targets/fuzz_$name
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
