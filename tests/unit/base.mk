# SPDX-License-Identifier: BSD-2-Clause

check_PROGRAMS += tests/unit/test_textbuf
TESTS += tests/unit/test_textbuf
tests_unit_test_textbuf_SOURCES = tests/unit/test_textbuf.c
tests_unit_test_textbuf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_textbuf_LDADD = libbase.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_metrics
TESTS += tests/unit/test_metrics
tests_unit_test_metrics_SOURCES = tests/unit/test_metrics.c
tests_unit_test_metrics_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_metrics_LDADD = libbase.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_authresults
TESTS += tests/unit/test_authresults
tests_unit_test_authresults_SOURCES = tests/unit/test_authresults.c
tests_unit_test_authresults_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_authresults_LDADD = libcore.a libbase.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_log
TESTS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_log_LDADD = libbase.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_siphash
TESTS += tests/unit/test_siphash
tests_unit_test_siphash_SOURCES = tests/unit/test_siphash.c
tests_unit_test_siphash_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_siphash_LDADD = libbase.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_calendar
TESTS += tests/unit/test_calendar
tests_unit_test_calendar_SOURCES = tests/unit/test_calendar.c
tests_unit_test_calendar_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_calendar_LDADD = libbase.a $(CHECK_LIBS)
