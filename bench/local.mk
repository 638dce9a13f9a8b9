# SPDX-License-Identifier: BSD-2-Clause
noinst_PROGRAMS += bench/noop
bench_noop_SOURCES = bench/noop.c
bench_noop_LDADD = $(MILTER_LIBS)

noinst_PROGRAMS += bench/tables
bench_tables_SOURCES = bench/tables.c
bench_tables_LDADD = libsite.a libcore.a libbase.a $(PCRE2_LIBS)

noinst_PROGRAMS += bench/milterload
bench_milterload_SOURCES = bench/milterload.c

noinst_PROGRAMS += bench/cache
bench_cache_SOURCES = bench/cache.c bench/lru.c bench/lru.h
bench_cache_LDADD = libdns.a libcore.a libbase.a -lm

noinst_PROGRAMS += bench/clients
bench_clients_SOURCES = bench/clients.c
bench_clients_LDADD = libsite.a libcore.a libbase.a

noinst_PROGRAMS += bench/delaydns
bench_delaydns_SOURCES = bench/delaydns.c

noinst_PROGRAMS += bench/smtpload
bench_smtpload_SOURCES = bench/smtpload.c

noinst_PROGRAMS += bench/dnsload
bench_dnsload_SOURCES = bench/dnsload.c
bench_dnsload_LDADD = libdns.a libcore.a libbase.a $(LDNS_LIBS) $(EVENT_LIBS) $(PSL_LIBS) $(IDN2_LIBS)
