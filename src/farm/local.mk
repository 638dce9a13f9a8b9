# SPDX-License-Identifier: BSD-2-Clause
# Sharing among hosts, where hiredis and nettle are.
if FARM
noinst_LIBRARIES += libfarm.a
libfarm_a_CFLAGS = $(AM_CFLAGS) $(HIREDIS_CFLAGS)
libfarm_a_SOURCES = \
	src/farm/farm_line.c src/farm/farm_line.h \
	src/farm/farm_sign.c src/farm/farm_sign.h \
	src/farm/resp.c src/farm/resp.h
FARM_LIBS = libfarm.a
FARM_CODEC_LIBS = $(HIREDIS_LIBS)
endif
