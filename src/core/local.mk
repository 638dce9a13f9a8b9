# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libcore.a
libcore_a_CPPFLAGS = $(AM_CPPFLAGS)
libcore_a_CFLAGS = $(AM_CFLAGS) $(PSL_CFLAGS) $(IDN2_CFLAGS)
libcore_a_SOURCES = \
	src/core/action.c src/core/action.h \
	src/core/addrtrace.c src/core/addrtrace.h \
	src/core/agreement.c src/core/agreement.h \
	src/core/awaited.c src/core/awaited.h \
	src/core/checks.c src/core/checks.h \
	src/core/checks_fix.c \
	src/core/checks_text.c src/core/checks_text.h \
	src/core/dnslist.c src/core/dnslist.h \
	src/core/facts.c src/core/facts.h \
	src/core/generic.c src/core/generic.h \
	src/core/genericwords.c src/core/genericwords.def src/core/genericwords.h \
	src/core/greylist.c src/core/greylist.h \
	src/core/history.c src/core/history.h \
	src/core/hostname.c src/core/hostname.h \
	src/core/idn.c src/core/idn.h \
	src/core/ipaddr.c src/core/ipaddr.h \
	src/core/iprev.c src/core/iprev.h \
	src/core/mailpath.c src/core/mailpath.h \
	src/core/namekind.c src/core/namekind.h \
	src/core/octetchance.c src/core/octetchance.h \
	src/core/orgdomain.c src/core/orgdomain.h \
	src/core/policy.c src/core/policy.h \
	src/core/received.c src/core/received.h \
	src/core/received_client.c src/core/received_client.h \
	src/core/received_protocol.c src/core/received_protocol.h \
	src/core/received_writer.c src/core/received_writer.h \
	src/core/received_scan.c src/core/received_scan.h \
	src/core/reply.c src/core/reply.h
libcore_a_SOURCES += src/core/authresults.c src/core/authresults.h
