#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The terminal session of doc/session.md, played again, says what it says there.
set -eu
[ -n "${PYTHON3-}" ] || PYTHON3=python3
exec "$PYTHON3" -B "${srcdir:-.}/scripts/record-session" . --check
