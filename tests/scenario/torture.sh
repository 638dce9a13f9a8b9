#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Play every scenario while memory runs out: a sample, or with TORTURE=all at every allocation.
set -eu

step=5
[ "${TORTURE-}" != all ] || step=1
./tests/scenario/torture -s "$step" "${srcdir:-.}"/tests/scenario/*.scn
./tests/scenario/torture -a -s "$step" "${srcdir:-.}"/tests/scenario/*.scn
