#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Bash completes iprevctl's commands, options and their arguments as the program takes them.
set -eu
command -v bash >/dev/null 2>&1 || {
    echo "skipped: no bash"
    exit 77
}
exec bash -s <<'END'
set -u
eval "$(./iprevctl --completion)" || exit 1
compopt() { :; } # there is no command line being edited
failed=0

# offers WORD... -- WANTED...: behind the words, the last one being typed, these are offered.
offers() {
    COMP_WORDS=()
    while [ "$1" != -- ]; do COMP_WORDS+=("$1"); shift; done
    shift
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _iprevctl
    [ "${COMPREPLY[*]-}" = "$*" ] || {
        echo "${COMP_WORDS[*]}: \"${COMPREPLY[*]-}\" instead of \"$*\""
        failed=1
    }
}

offers iprevctl rep -- replay report
offers iprevctl unal -- unallow
offers iprevctl -c /dev/null stat -- status
offers iprevctl status --js -- --json
offers iprevctl cache '' -- get flush dump
offers iprevctl cache get '' --
offers iprevctl replay --format p -- postfix
offers iprevctl replay --policy '' --
offers iprevctl nonsense --js --
cd / && offers iprevctl -c /dev/nul -- /dev/null
offers iprevctl report /dev/nul -- /dev/null
offers iprevctl report --html /dev/nul -- /dev/null
offers iprevctl replay --compare /dev/nul -- /dev/null
cd "$OLDPWD" || exit 1

# Every command and every option that --help shows.
for command in $(./iprevctl --help | sed -n 's/^  \([a-z]\{3,\}\) .*/\1/p'); do
    offers iprevctl "$command" -- "$(./iprevctl --help | sed -n "s/^  \($command[a-z]*\) .*/\1/p" | tr '\n' ' ' | sed 's/ $//')"
    for option in $(./iprevctl "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p'); do
        COMP_WORDS=(iprevctl "$command" "$option") COMP_CWORD=2 COMPREPLY=()
        _iprevctl
        case " ${COMPREPLY[*]-} " in
        *" $option "*) ;;
        *) echo "iprevctl $command $option is not offered"; failed=1 ;;
        esac
    done
done
exit "$failed"
END
