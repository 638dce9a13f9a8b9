#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Play every scenario.
exec ./tests/scenario/scenario "${srcdir:-.}"/tests/scenario/*.scn
