# SPDX-License-Identifier: BSD-2-Clause
noinst_PROGRAMS += bench/noop
bench_noop_SOURCES = bench/noop.c
bench_noop_LDADD = $(MILTER_LIBS)
