# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libbase.a
libbase_a_CPPFLAGS = $(AM_CPPFLAGS)
libbase_a_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS)
libbase_a_SOURCES = \
	src/base/block_file.c src/base/block_file.h \
	src/base/calendar.c src/base/calendar.h \
	src/base/clock.c src/base/clock.h \
	src/base/hash.c src/base/hash.h \
	src/base/log.c src/base/log.h \
	src/base/loop.c src/base/loop.h \
	src/base/metrics.c src/base/metrics.h \
	src/base/replace_file.c src/base/replace_file.h \
	src/base/result.c src/base/result.h \
	src/base/plural.h \
	src/base/siphash.c src/base/siphash.h \
	src/base/textbuf.c src/base/textbuf.h \
	src/base/thread.c src/base/thread.h \
	src/base/timer_heap.c src/base/timer_heap.h \
	src/base/utf8.c src/base/utf8.h
