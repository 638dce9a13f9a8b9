# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libdns.a
libdns_a_CPPFLAGS = $(AM_CPPFLAGS)
libdns_a_CFLAGS = $(AM_CFLAGS) $(LDNS_CFLAGS) $(EVENT_CFLAGS)
libdns_a_SOURCES = \
	src/dns/answer.c src/dns/answer.h \
	src/dns/breaker.c src/dns/breaker.h \
	src/dns/breaker_probe.c \
	src/dns/cache.c src/dns/cache.h \
	src/dns/cache_file.c src/dns/cache_file.h \
	src/dns/cache_shard.c src/dns/cache_shard.h \
	src/dns/dns_service.c src/dns/dns_service.h \
	src/dns/finding.c src/dns/finding.h \
	src/dns/lookup.c src/dns/lookup.h src/dns/lookup_private.h \
	src/dns/lookup_facts.c src/dns/lookup_names.c src/dns/lookup_elsewhere.c \
	src/dns/pending_outage.c \
	src/dns/pending_query.c src/dns/pending_query.h src/dns/pending_query_private.h \
	src/dns/pending_share.c \
	src/dns/resolver.c src/dns/resolver.h \
	src/dns/resolver_metrics.c src/dns/resolver_metrics.h \
	src/dns/source.c src/dns/source.h
include src/dns/net.mk
