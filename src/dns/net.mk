# SPDX-License-Identifier: BSD-2-Clause
# From the question to the servers: everything that touches the network, and the zone file in its place.
libdns_a_SOURCES += \
	src/dns/denial.c src/dns/denial.h \
	src/dns/dnsmsg.c src/dns/dnsmsg.h \
	src/dns/dnsrr.c src/dns/dnsrr.h \
	src/dns/network.c src/dns/network.h src/dns/network_server.c \
	src/dns/query.c src/dns/query.h src/dns/query_private.h \
	src/dns/query_attempt.c \
	src/dns/query_denial.c \
	src/dns/query_limit.c \
	src/dns/query_pool.c \
	src/dns/query_stream.c \
	src/dns/resolvconf.c src/dns/resolvconf.h \
	src/dns/servers.c src/dns/servers.h \
	src/dns/transport.c src/dns/transport.h \
	src/dns/transport_tcp.c src/dns/transport_tcp.h \
	src/dns/transport_udp.c src/dns/transport_udp.h \
	src/dns/zonefile.c src/dns/zonefile.h
