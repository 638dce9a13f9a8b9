# SPDX-License-Identifier: BSD-2-Clause
bin_PROGRAMS += iprevctl
iprevctl_SOURCES = \
	src/ctl/check.c \
	src/ctl/command.h \
	src/ctl/config.c \
	src/ctl/evidence.c src/ctl/evidence.h \
	src/ctl/main.c
iprevctl_LDADD = $(SITE_LIBS)
