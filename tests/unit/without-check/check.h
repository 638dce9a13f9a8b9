/* SPDX-License-Identifier: BSD-2-Clause */
/* Stands in for Check where configure did not find it, to say so: see configure.ac. */
#error "the unit tests need Check (Debian: check): scripts/install-packages check, configure again, make check"
