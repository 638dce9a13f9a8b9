# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += iprevctl
iprevctl_SOURCES = \
	src/ctl/allow.c \
	src/ctl/allowed.c \
	src/ctl/cache.c \
	src/ctl/check.c \
	src/ctl/check_client.c src/ctl/check_client.h \
	src/ctl/check_hosts.c src/ctl/check_hosts.h \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/command.h \
	src/ctl/config.c \
	src/ctl/evidence.c src/ctl/evidence.h \
	src/ctl/exceptions.c src/ctl/exceptions.h \
	src/ctl/main.c \
	src/ctl/progress.c src/ctl/progress.h \
	src/ctl/reload.c \
	src/ctl/replay.c \
	src/ctl/report.c \
	src/ctl/screen.c src/ctl/screen.h \
	src/ctl/status.c \
	src/ctl/unallow.c
iprevctl_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)

# What needs neither terminal nor daemon, for iprevctl and its unit tests.
noinst_LIBRARIES += libctl.a
libctl_a_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS)
libctl_a_SOURCES = \
	src/ctl/advice.c src/ctl/advice.h \
	src/ctl/check_lines.c src/ctl/check_lines.h \
	src/ctl/columns.c src/ctl/columns.h \
	src/ctl/hostlookup.c src/ctl/hostlookup.h \
	src/ctl/ranking.c src/ctl/ranking.h \
	src/ctl/replay_event.h \
	src/ctl/replay_facts.c src/ctl/replay_facts.h \
	src/ctl/replay_feed.c src/ctl/replay_feed.h \
	src/ctl/replay_input.c src/ctl/replay_input.h \
	src/ctl/replay_journal.c src/ctl/replay_journal.h \
	src/ctl/replay_judge.c src/ctl/replay_judge.h \
	src/ctl/replay_mail.c src/ctl/replay_mail.h \
	src/ctl/replay_pending.c src/ctl/replay_pending.h \
	src/ctl/replay_postfix.c src/ctl/replay_postfix.h \
	src/ctl/replay_print.c src/ctl/replay_print.h \
	src/ctl/replay_sendmail.c src/ctl/replay_sendmail.h \
	src/ctl/replay_syslog.c src/ctl/replay_syslog.h \
	src/ctl/replay_tally.c src/ctl/replay_tally.h \
	src/ctl/replay_triples.c src/ctl/replay_triples.h \
	src/ctl/report_entry.c src/ctl/report_entry.h \
	src/ctl/report_html.c \
	src/ctl/report_print.c src/ctl/report_print.h \
	src/ctl/report_sums.c src/ctl/report_sums.h
