# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libdns.a
libdns_a_CPPFLAGS = $(AM_CPPFLAGS)
libdns_a_CFLAGS = $(AM_CFLAGS) $(LDNS_CFLAGS) $(EVENT_CFLAGS)
libdns_a_SOURCES = src/dns/source.h
include src/dns/net.mk
