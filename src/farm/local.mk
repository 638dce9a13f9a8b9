# SPDX-License-Identifier: BSD-2-Clause
# Sharing among hosts; without hiredis and nettle there are no farms.
noinst_LIBRARIES += libfarm.a
libfarm_a_CFLAGS = $(AM_CFLAGS) $(HIREDIS_CFLAGS)
libfarm_a_SOURCES = src/farm/farm_secrets.h src/farm/farm.h
if FARM
libfarm_a_SOURCES += \
	src/farm/farm.c src/farm/farm_private.h \
	src/farm/farm_clients.c \
	src/farm/farm_conn.c src/farm/farm_conn.h \
	src/farm/farm_hosts.c \
	src/farm/farm_secrets.c \
	src/farm/farm_line.c src/farm/farm_line.h \
	src/farm/farm_sign.c src/farm/farm_sign.h \
	src/farm/farm_sync.c \
	src/farm/resp.c src/farm/resp.h
else
libfarm_a_SOURCES += src/farm/farm_none.c
endif
FARM_LIBS = libfarm.a $(HIREDIS_LIBS)
