# SPDX-License-Identifier: BSD-2-Clause
# All of the daemon but main, for scenario tests and fuzz targets too.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	src/daemon/background.c src/daemon/background.h \
	src/daemon/cacheview.c src/daemon/cacheview.h \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/control_sockets.c src/daemon/control_sockets.h \
	src/daemon/control_request.c src/daemon/control_request.h \
	src/daemon/decisionlog.c src/daemon/decisionlog.h \
	src/daemon/request_server.c src/daemon/request_server.h \
	src/daemon/sharing.c src/daemon/sharing.h \
	src/daemon/exporter.c src/daemon/exporter.h \
	src/daemon/listener.c src/daemon/listener.h \
	src/daemon/libmilter.c src/daemon/libmilter.h src/daemon/libmilter_negotiate.c \
	src/daemon/libmilter_signals.c src/daemon/libmilter_socket.c src/daemon/libmilter_wakeup.c \
	src/daemon/management.c src/daemon/management.h \
	src/daemon/notify.c src/daemon/notify.h \
	src/daemon/status.c src/daemon/status.h \
	src/daemon/own_address.c src/daemon/own_address.h \
	src/daemon/own_names.c src/daemon/own_names.h \
	src/daemon/descriptors.c src/daemon/descriptors.h \
	src/daemon/privileges.c src/daemon/privileges.h \
	src/daemon/reload.c \
	src/daemon/saving.c \
	src/daemon/service.c src/daemon/service.h src/daemon/service_state.h \
	src/daemon/service_user.c src/daemon/service_user.h \
	src/daemon/session.c src/daemon/session.h src/daemon/session_state.h \
	src/daemon/session_end.c src/daemon/session_header.c \
	src/daemon/session_judge.c \
	src/daemon/session_relay.c \
	src/daemon/state.c src/daemon/state.h \
	src/daemon/statistics.c src/daemon/statistics.h \
	src/daemon/unixsocket.c src/daemon/unixsocket.h \
	src/daemon/watchdog.c src/daemon/watchdog.h \
	src/daemon/work_queue.c src/daemon/work_queue.h
libdaemon_a_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)

DAEMON_LIBS = libdaemon.a $(FARM_LIBS)
SITE_LIBS = libsite.a libdns.a libcore.a libbase.a $(CONFUSE_LIBS) $(PCRE2_LIBS) $(JANSSON_LIBS) \
	$(LDNS_LIBS) $(EVENT_LIBS) $(PSL_LIBS) $(IDN2_LIBS)

sbin_PROGRAMS += iprevd
iprevd_SOURCES = src/daemon/main.c
iprevd_LDADD = $(DAEMON_LIBS) $(SITE_LIBS) $(MILTER_LIBS) $(SYSTEMD_LIBS)
