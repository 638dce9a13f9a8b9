#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What scripts/commit says in a checkout, in a release's tag and tarball, and in somebody else's repository.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example
export GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
unset GIT_DIR GIT_WORK_TREE

expect() { # pattern, where
    said=$("$2/scripts/commit" 1.1.0)
    printf '%s\n' "$said" | grep -Eqx "$1" || {
        echo "in $2: \"$said\" is not $1" >&2
        exit 1
    }
}

tree=$work/iprevd
mkdir -p "$tree/scripts"
cp "${srcdir:-.}/scripts/commit" "$tree/scripts/commit"
chmod u+w "$tree/scripts/commit" # distcheck's tree cannot be written to
expect '' "$tree"

git -C "$tree" init -q
expect '' "$tree"
git -C "$tree" add .
git -C "$tree" commit -q -m one
expect ' \(commit [0-9a-f]{12}\)' "$tree"
echo >>"$tree/scripts/commit"
expect ' \(commit [0-9a-f]{12}-changed\)' "$tree"
git -C "$tree" commit -q -a -m two
git -C "$tree" tag v1.0.0
expect ' \(commit [0-9a-f]{12}\)' "$tree"
git -C "$tree" tag v1.1.0
expect '' "$tree"
echo >>"$tree/scripts/commit"
expect ' \(commit [0-9a-f]{12}-changed\)' "$tree"

mkdir -p "$tree/iprevd-1.1.0/scripts"
cp "$tree/scripts/commit" "$tree/iprevd-1.1.0/scripts/commit"
expect '' "$tree/iprevd-1.1.0"
