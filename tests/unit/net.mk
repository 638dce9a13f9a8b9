# SPDX-License-Identifier: BSD-2-Clause
# The network half of src/dns (src/dns/net.mk): unit tests, and the engine against a
# hostile server.
NET_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
DNS_LAB = tests/unit/dns_lab.c tests/unit/dns_lab.h
NET_TESTS = \
	tests/unit/test_denial \
	tests/unit/test_dnsmsg \
	tests/unit/test_loop \
	tests/unit/test_network \
	tests/unit/test_query \
	tests/unit/test_resolvconf \
	tests/unit/test_servers \
	tests/unit/test_zonefile

check_PROGRAMS += $(NET_TESTS) tests/tools/dnsask
TESTS += $(NET_TESTS)

# It replaces the allocator, which under a sanitizer is not to be had.
check_PROGRAMS += tests/unit/test_dnsmsg_nomem
if !SANITIZED
TESTS += tests/unit/test_dnsmsg_nomem
endif
dist_check_SCRIPTS += tests/integration/test_dns_engine.py tests/integration/test_dns_real.py \
	tests/integration/test_dns_lab.py tests/integration/test_dns_outage.py tests/integration/test_dns_tcp.py
EXTRA_DIST += tests/integration/dnslab.py tests/integration/dnsask.py tests/integration/hostile_dns.py tests/integration/outages.py

tests_unit_test_denial_SOURCES = tests/unit/test_denial.c
tests_unit_test_denial_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_denial_LDADD = $(UNIT_LIBS)

tests_unit_test_dnsmsg_SOURCES = tests/unit/test_dnsmsg.c
tests_unit_test_dnsmsg_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_dnsmsg_LDADD = $(UNIT_LIBS)

tests_unit_test_dnsmsg_nomem_SOURCES = tests/unit/test_dnsmsg_nomem.c
tests_unit_test_dnsmsg_nomem_LDADD = $(UNIT_LIBS)

tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_loop_LDADD = $(UNIT_LIBS)

tests_unit_test_network_SOURCES = tests/unit/test_network.c $(DNS_LAB)
tests_unit_test_network_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_network_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connect
tests_unit_test_network_LDADD = $(UNIT_LIBS)

tests_unit_test_query_SOURCES = tests/unit/test_query.c $(DNS_LAB)
tests_unit_test_query_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_query_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=connect
tests_unit_test_query_LDADD = $(UNIT_LIBS)

tests_unit_test_resolvconf_SOURCES = tests/unit/test_resolvconf.c
tests_unit_test_resolvconf_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_resolvconf_LDADD = $(UNIT_LIBS)

tests_unit_test_servers_SOURCES = tests/unit/test_servers.c
tests_unit_test_servers_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_servers_LDADD = $(UNIT_LIBS)

tests_unit_test_zonefile_SOURCES = tests/unit/test_zonefile.c
tests_unit_test_zonefile_CFLAGS = $(NET_TEST_CFLAGS)
tests_unit_test_zonefile_LDADD = $(UNIT_LIBS)

tests_tools_dnsask_SOURCES = tests/tools/dnsask.c
tests_tools_dnsask_LDADD = libdns.a libcore.a libbase.a $(LDNS_LIBS) $(EVENT_LIBS) $(PSL_LIBS) $(IDN2_LIBS)
