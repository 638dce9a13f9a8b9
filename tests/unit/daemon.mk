# SPDX-License-Identifier: BSD-2-Clause
DAEMON_TEST_LIBS = $(DAEMON_LIBS) $(SITE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_decisionlog
TESTS += tests/unit/test_decisionlog
tests_unit_test_decisionlog_SOURCES = tests/unit/test_decisionlog.c
tests_unit_test_decisionlog_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_decisionlog_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_own_address
TESTS += tests/unit/test_own_address
tests_unit_test_own_address_SOURCES = tests/unit/test_own_address.c
tests_unit_test_own_address_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_own_address_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_exemptions
TESTS += tests/unit/test_exemptions
tests_unit_test_exemptions_SOURCES = tests/unit/test_exemptions.c
tests_unit_test_exemptions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_exemptions_LDADD = $(DAEMON_TEST_LIBS)

# Sessions in the small world of the scenarios.
check_PROGRAMS += tests/unit/test_session_matrix
TESTS += tests/unit/test_session_matrix
tests_unit_test_session_matrix_SOURCES = tests/unit/test_session_matrix.c tests/scenario/world.c tests/scenario/world.h
tests_unit_test_session_matrix_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_unit_test_session_matrix_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_matrix_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_session_nomem
TESTS += tests/unit/test_session_nomem
tests_unit_test_session_nomem_SOURCES = tests/unit/test_session_nomem.c $(FAILING_ALLOC) \
	tests/scenario/world.c tests/scenario/world.h tests/unit/conf_text.h
tests_unit_test_session_nomem_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_unit_test_session_nomem_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_nomem_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_session_nomem_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_session_memory
TESTS += tests/unit/test_session_memory
tests_unit_test_session_memory_SOURCES = tests/unit/test_session_memory.c $(FAILING_ALLOC) \
	tests/scenario/world.c tests/scenario/world.h tests/unit/conf_text.h
tests_unit_test_session_memory_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_unit_test_session_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_memory_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_session_memory_LDADD = $(DAEMON_TEST_LIBS)

# What other hosts remember of a client, as a session takes it.
check_PROGRAMS += tests/unit/test_session_others
TESTS += tests/unit/test_session_others
tests_unit_test_session_others_SOURCES = tests/unit/test_session_others.c \
	tests/scenario/world.c tests/scenario/world.h tests/unit/conf_text.h
tests_unit_test_session_others_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_unit_test_session_others_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_session_others_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_libmilter_negotiate
TESTS += tests/unit/test_libmilter_negotiate
tests_unit_test_libmilter_negotiate_SOURCES = tests/unit/test_libmilter_negotiate.c
tests_unit_test_libmilter_negotiate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_libmilter_negotiate_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_watchdog tests/unit/test_work_queue
TESTS += tests/unit/test_watchdog tests/unit/test_work_queue
tests_unit_test_watchdog_SOURCES = tests/unit/test_watchdog.c
tests_unit_test_watchdog_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_watchdog_LDADD = $(DAEMON_TEST_LIBS)
tests_unit_test_work_queue_SOURCES = tests/unit/test_work_queue.c
tests_unit_test_work_queue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_work_queue_LDADD = $(DAEMON_TEST_LIBS)

check_PROGRAMS += tests/unit/test_unixsocket
TESTS += tests/unit/test_unixsocket
tests_unit_test_unixsocket_SOURCES = tests/unit/test_unixsocket.c
tests_unit_test_unixsocket_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_unixsocket_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=bind
tests_unit_test_unixsocket_LDADD = $(DAEMON_TEST_LIBS)
