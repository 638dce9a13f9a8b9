# SPDX-License-Identifier: BSD-2-Clause
SITE_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
SITE_TEST_LIBS = $(SITE_LIBS) $(CHECK_LIBS) -lm

check_PROGRAMS += tests/unit/test_accesstable
TESTS += tests/unit/test_accesstable
tests_unit_test_accesstable_SOURCES = tests/unit/test_accesstable.c
tests_unit_test_accesstable_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_accesstable_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_conf
TESTS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_conf_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_match tests/unit/test_decision
TESTS += tests/unit/test_match tests/unit/test_decision
tests_unit_test_match_SOURCES = tests/unit/test_match.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_match_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_match_LDADD = $(SITE_TEST_LIBS)

tests_unit_test_decision_SOURCES = tests/unit/test_decision.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_decision_CFLAGS = $(SITE_TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_decision_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_awaited
TESTS += tests/unit/test_awaited
tests_unit_test_awaited_SOURCES = tests/unit/test_awaited.c tests/unit/factstext.c tests/unit/factstext.h
tests_unit_test_awaited_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_awaited_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_sitenomem
TESTS += tests/unit/test_sitenomem
tests_unit_test_sitenomem_SOURCES = tests/unit/test_sitenomem.c tests/unit/factstext.c tests/unit/factstext.h \
	$(FAILING_ALLOC)
tests_unit_test_sitenomem_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_sitenomem_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_sitenomem_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_client_memory
TESTS += tests/unit/test_client_memory
tests_unit_test_client_memory_SOURCES = tests/unit/test_client_memory.c $(FAILING_ALLOC)
tests_unit_test_client_memory_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_client_memory_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_client_memory_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_greylist
TESTS += tests/unit/test_greylist
tests_unit_test_greylist_SOURCES = tests/unit/test_greylist.c
tests_unit_test_greylist_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_greylist_LDADD = $(SITE_TEST_LIBS)

check_PROGRAMS += tests/unit/test_helo_domains
TESTS += tests/unit/test_helo_domains
tests_unit_test_helo_domains_SOURCES = tests/unit/test_helo_domains.c
tests_unit_test_helo_domains_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_helo_domains_LDADD = $(SITE_TEST_LIBS)
