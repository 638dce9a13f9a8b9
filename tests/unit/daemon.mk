# SPDX-License-Identifier: BSD-2-Clause
DAEMON_TEST_LIBS = libdaemon.a $(SITE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_exemptions
TESTS += tests/unit/test_exemptions
tests_unit_test_exemptions_SOURCES = tests/unit/test_exemptions.c
tests_unit_test_exemptions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exemptions_LDADD = $(DAEMON_TEST_LIBS)
