# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libsite.a
libsite_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(PCRE2_CFLAGS) $(JANSSON_CFLAGS)
libsite_a_SOURCES = \
	src/site/accesstable.c src/site/accesstable.h \
	src/site/accesstable_cidr.c src/site/accesstable_cidr.h \
	src/site/accesstable_ere.c src/site/accesstable_ere.h \
	src/site/accesstable_hash.c src/site/accesstable_hash.h \
	src/site/accesstable_lines.c src/site/accesstable_lines.h \
	src/site/accesstable_literal.c src/site/accesstable_literal.h \
	src/site/accesstable_regex.c src/site/accesstable_regex.h \
	src/site/accesstable_rules.c src/site/accesstable_rules.h \
	src/site/conf.c src/site/conf.h \
	src/site/conf_build.c src/site/conf_build.h \
	src/site/conf_check.c \
	src/site/conf_memory.c src/site/conf_memory.h \
	src/site/conf_message.c src/site/conf_message.h \
	src/site/conf_number.c \
	src/site/conf_parse.c src/site/conf_parse.h \
	src/site/conf_print.c \
	src/site/conf_schema.c src/site/conf_schema.h \
	src/site/conf_suggest.c src/site/conf_suggest.h \
	src/site/conf_text.c src/site/conf_text.h \
	src/site/conf_value.c src/site/conf_value.h \
	src/site/decision.c src/site/decision.h \
	src/site/decision_json.c src/site/decision_text.h \
	src/site/engine.c src/site/engine.h \
	src/site/exemptions.c src/site/exemptions.h src/site/exemptions_file.c \
	src/site/json.c src/site/json.h \
	src/site/match.c src/site/match.h
