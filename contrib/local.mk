# SPDX-License-Identifier: BSD-2-Clause
# Samples for systems that are not Debian.
EXTRA_DIST += contrib/iprevd.openrc contrib/iprevd.rc
