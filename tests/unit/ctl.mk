# SPDX-License-Identifier: BSD-2-Clause
REPLAY_TESTS = tests/unit/test_replay_formats tests/unit/test_replay_facts
check_PROGRAMS += $(REPLAY_TESTS)
TESTS += $(REPLAY_TESTS)
tests_unit_test_replay_formats_SOURCES = tests/unit/test_replay_formats.c
tests_unit_test_replay_formats_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_replay_formats_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS) $(CHECK_LIBS)
tests_unit_test_replay_facts_SOURCES = tests/unit/test_replay_facts.c
tests_unit_test_replay_facts_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_replay_facts_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS) $(CHECK_LIBS)
