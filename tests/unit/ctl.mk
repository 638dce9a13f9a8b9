# SPDX-License-Identifier: BSD-2-Clause
CTL_TESTS = tests/unit/test_advice tests/unit/test_check_lines tests/unit/test_hostlookup \
	tests/unit/test_maillog_reader tests/unit/test_message_client tests/unit/test_replay_formats tests/unit/test_replay_facts tests/unit/test_report \
	tests/unit/test_rotated tests/unit/test_smtp_reply tests/unit/test_spf_record
CTL_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
CTL_TEST_LIBS = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += $(CTL_TESTS)
TESTS += $(CTL_TESTS)
tests_unit_test_advice_SOURCES = tests/unit/test_advice.c tests/unit/factstext.c \
	tests/unit/factstext.h
tests_unit_test_advice_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_advice_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_check_lines_SOURCES = tests/unit/test_check_lines.c
tests_unit_test_check_lines_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_check_lines_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_hostlookup_SOURCES = tests/unit/test_hostlookup.c $(SCRIPTED_SOURCE)
tests_unit_test_hostlookup_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_hostlookup_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_maillog_reader_SOURCES = tests/unit/test_maillog_reader.c
tests_unit_test_maillog_reader_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_maillog_reader_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_message_client_SOURCES = tests/unit/test_message_client.c
tests_unit_test_message_client_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_message_client_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_replay_formats_SOURCES = tests/unit/test_replay_formats.c
tests_unit_test_replay_formats_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_replay_formats_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_replay_facts_SOURCES = tests/unit/test_replay_facts.c
tests_unit_test_replay_facts_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_replay_facts_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_report_SOURCES = tests/unit/test_report.c
tests_unit_test_report_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_report_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_rotated_SOURCES = tests/unit/test_rotated.c
tests_unit_test_rotated_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_rotated_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_spf_record_SOURCES = tests/unit/test_spf_record.c
tests_unit_test_spf_record_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_spf_record_LDADD = $(CTL_TEST_LIBS)
tests_unit_test_smtp_reply_SOURCES = tests/unit/test_smtp_reply.c
tests_unit_test_smtp_reply_CFLAGS = $(CTL_TEST_CFLAGS)
tests_unit_test_smtp_reply_LDADD = $(CTL_TEST_LIBS)
