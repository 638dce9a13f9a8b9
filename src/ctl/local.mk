# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += iprevctl
iprevctl_SOURCES = \
	src/ctl/allow.c \
	src/ctl/allowed.c \
	src/ctl/cache.c \
	src/ctl/check.c \
	src/ctl/check_client.c src/ctl/check_client.h \
	src/ctl/check_hosts.c src/ctl/check_hosts.h \
	src/ctl/check_message.c src/ctl/check_message.h \
	src/ctl/check_queue.c src/ctl/check_queue.h \
	src/ctl/check_smtp.c src/ctl/check_smtp.h \
	src/ctl/check_spf.c src/ctl/check_spf.h \
	src/ctl/client.c src/ctl/client.h \
	src/ctl/command.c src/ctl/command.h \
	src/ctl/completion.c src/ctl/completion.h \
	src/ctl/config.c \
	src/ctl/decisions.c src/ctl/decisions.h \
	src/ctl/evidence.c src/ctl/evidence.h \
	src/ctl/running_exemptions.c src/ctl/running_exemptions.h \
	src/ctl/running_memory.c src/ctl/running_memory.h \
	src/ctl/running_names.c src/ctl/running_names.h \
	src/ctl/find.c \
	src/ctl/main.c \
	src/ctl/progress.c src/ctl/progress.h \
	src/ctl/reload.c \
	src/ctl/replay/replay.c \
	src/ctl/report/report.c \
	src/ctl/report/report_mail_log.c src/ctl/report/report_mail_log.h \
	src/ctl/screen.c src/ctl/screen.h \
	src/ctl/status.c \
	src/ctl/status_check.c src/ctl/status_check.h \
	src/ctl/unallow.c
iprevctl_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)

# What needs neither terminal nor daemon, for iprevctl and its unit tests.
noinst_LIBRARIES += libctl.a
libctl_a_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS)
libctl_a_SOURCES = \
	src/ctl/advice.c src/ctl/advice.h \
	src/ctl/authority.c src/ctl/authority.h \
	src/ctl/check_lines.c src/ctl/check_lines.h \
	src/ctl/check_now.c src/ctl/check_now.h \
	src/ctl/columns.c src/ctl/columns.h \
	src/ctl/find_conditions.c src/ctl/find_conditions.h \
	src/ctl/find_print.c src/ctl/find_print.h \
	src/ctl/hostlookup.c src/ctl/hostlookup.h \
	src/ctl/inquiry.c src/ctl/inquiry.h \
	src/ctl/message_client.c src/ctl/message_client.h \
	src/ctl/ranking.c src/ctl/ranking.h \
	src/ctl/rotated.c src/ctl/rotated.h \
	src/ctl/smtp_probe.c src/ctl/smtp_probe.h \
	src/ctl/smtp_reply.c src/ctl/smtp_reply.h \
	src/ctl/spf_record.c src/ctl/spf_record.h \
	src/ctl/logs/maillog_event.h \
	src/ctl/replay/replay_compare.c src/ctl/replay/replay_compare.h \
	src/ctl/replay/replay_compare_print.c src/ctl/replay/replay_compare_print.h \
	src/ctl/replay/replay_facts.c src/ctl/replay/replay_facts.h \
	src/ctl/logs/maillog_feed.c src/ctl/logs/maillog_feed.h \
	src/ctl/logs/maillog_input.c src/ctl/logs/maillog_input.h \
	src/ctl/logs/maillog_journal.c src/ctl/logs/maillog_journal.h \
	src/ctl/replay/replay_judge.c src/ctl/replay/replay_judge.h \
	src/ctl/logs/maillog_date.c src/ctl/logs/maillog_date.h \
	src/ctl/logs/maillog_mailbox.c src/ctl/logs/maillog_mailbox.h \
	src/ctl/logs/maillog_message.c src/ctl/logs/maillog_message.h \
	src/ctl/logs/maillog_envelope.c src/ctl/logs/maillog_envelope.h \
	src/ctl/logs/maillog_month.c src/ctl/logs/maillog_month.h \
	src/ctl/logs/maillog_order.c src/ctl/logs/maillog_order.h \
	src/ctl/logs/maillog_pending.c src/ctl/logs/maillog_pending.h \
	src/ctl/logs/maillog_postfix_line.c src/ctl/logs/maillog_postfix_line.h \
	src/ctl/logs/maillog_reader.c src/ctl/logs/maillog_reader.h \
	src/ctl/logs/maillog_sendmail_line.c src/ctl/logs/maillog_sendmail_line.h \
	src/ctl/logs/maillog_smtpd.c src/ctl/logs/maillog_smtpd.h \
	src/ctl/logs/maillog_stamp.c src/ctl/logs/maillog_stamp.h \
	src/ctl/logs/maillog_system.c src/ctl/logs/maillog_system.h \
	src/ctl/logs/maillog_postfix.c src/ctl/logs/maillog_postfix.h \
	src/ctl/replay/replay_print.c src/ctl/replay/replay_print.h \
	src/ctl/logs/maillog_sendmail.c src/ctl/logs/maillog_sendmail.h \
	src/ctl/logs/maillog_syslog.c src/ctl/logs/maillog_syslog.h \
	src/ctl/replay/replay_tally.c src/ctl/replay/replay_tally.h \
	src/ctl/logs/maillog_triples.c src/ctl/logs/maillog_triples.h \
	src/ctl/logs/maillog_years.c src/ctl/logs/maillog_years.h \
	src/ctl/report/report_entry.c src/ctl/report/report_entry.h \
	src/ctl/report/report_clients.c src/ctl/report/report_clients.h \
	src/ctl/report/report_correspondents.c src/ctl/report/report_correspondents.h \
	src/ctl/report/report_html.c \
	src/ctl/report/report_json.c \
	src/ctl/report/report_print.c src/ctl/report/report_print.h \
	src/ctl/report/report_sums.c src/ctl/report/report_sums.h \
	src/ctl/report/report_uses.c src/ctl/report/report_uses.h
