# SPDX-License-Identifier: BSD-2-Clause
CORE_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
CORE_TEST_LIBS = libcore.a libbase.a $(CHECK_LIBS) $(PSL_LIBS) $(IDN2_LIBS)
CORE_TESTS = \
	tests/unit/test_ipaddr \
	tests/unit/test_hostname \
	tests/unit/test_orgdomain \
	tests/unit/test_iprev \
	tests/unit/test_history \
	tests/unit/test_agreement \
	tests/unit/test_dnslist \
	tests/unit/test_generic \
	tests/unit/test_checks \
	tests/unit/test_policy \
	tests/unit/test_mailpath \
	tests/unit/test_received \
	tests/unit/test_received_writers \
	tests/unit/test_reply

check_PROGRAMS += $(CORE_TESTS) tests/tools/generic_rate
TESTS += $(CORE_TESTS) tests/structure.sh tests/generic-rate.sh tests/policy-rate.sh
dist_check_SCRIPTS += tests/structure.sh tests/generic-rate.sh tests/policy-rate.sh
EXTRA_DIST += tests/data/ptr-names-sample.tsv tests/data/clients-sample.tsv

tests_tools_generic_rate_SOURCES = tests/tools/generic_rate.c
tests_tools_generic_rate_LDADD = libcore.a libbase.a $(IDN2_LIBS)

tests_unit_test_ipaddr_SOURCES = tests/unit/test_ipaddr.c
tests_unit_test_ipaddr_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_ipaddr_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_dnslist_SOURCES = tests/unit/test_dnslist.c
tests_unit_test_dnslist_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_dnslist_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_mailpath_SOURCES = tests/unit/test_mailpath.c
tests_unit_test_mailpath_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_mailpath_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=idn2_to_ascii_8z
tests_unit_test_mailpath_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_hostname_SOURCES = tests/unit/test_hostname.c
tests_unit_test_hostname_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_hostname_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_orgdomain_SOURCES = tests/unit/test_orgdomain.c
tests_unit_test_orgdomain_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_orgdomain_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_iprev_SOURCES = tests/unit/test_iprev.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_iprev_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_iprev_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_history_SOURCES = tests/unit/test_history.c
tests_unit_test_history_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_history_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_agreement_SOURCES = tests/unit/test_agreement.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_agreement_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_agreement_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_generic_SOURCES = tests/unit/test_generic.c
tests_unit_test_generic_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_generic_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_checks_SOURCES = tests/unit/test_checks.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_checks_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_checks_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_policy_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_reply_SOURCES = tests/unit/test_reply.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_reply_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_reply_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_received_writers_SOURCES = tests/unit/test_received_writers.c
tests_unit_test_received_writers_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_received_writers_LDADD = $(CORE_TEST_LIBS)

tests_unit_test_received_SOURCES = tests/unit/test_received.c
tests_unit_test_received_CFLAGS = $(CORE_TEST_CFLAGS)
tests_unit_test_received_LDADD = $(CORE_TEST_LIBS)

