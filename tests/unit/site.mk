# SPDX-License-Identifier: BSD-2-Clause
SITE_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
SITE_TEST_LIBS = libsite.a libdns.a libcore.a libbase.a $(CHECK_LIBS) $(CONFUSE_LIBS) \
	$(PCRE2_LIBS) $(JANSSON_LIBS) $(PSL_LIBS) $(LDNS_LIBS) $(EVENT_LIBS) -lm

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
