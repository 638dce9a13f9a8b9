# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libsite.a
libsite_a_CFLAGS = $(AM_CFLAGS) $(CONFUSE_CFLAGS) $(PCRE2_CFLAGS) $(JANSSON_CFLAGS)
libsite_a_SOURCES = \
	src/site/tables/accesstable.c src/site/tables/accesstable.h \
	src/site/tables/cidr_table.c src/site/tables/cidr_table.h \
	src/site/tables/ere.c src/site/tables/ere.h \
	src/site/tables/hash_table.c src/site/tables/hash_table.h \
	src/site/tables/table_lines.c src/site/tables/table_lines.h \
	src/site/tables/literal_index.c src/site/tables/literal_index.h \
	src/site/tables/regex_table.c src/site/tables/regex_table.h \
	src/site/tables/table_rules.c src/site/tables/table_rules.h \
	src/site/client_memory.c src/site/client_memory.h src/site/client_memory_table.h \
	src/site/client_memory_file.c src/site/client_memory_file.h \
	src/site/client_table.c src/site/client_table.h \
	src/site/conf.c src/site/conf.h \
	src/site/conf_build.c src/site/conf_build.h \
	src/site/conf_check.c \
	src/site/conf_everybody.c src/site/conf_everybody.h \
	src/site/conf_include.c src/site/conf_include.h \
	src/site/conf_memory.c src/site/conf_memory.h \
	src/site/conf_noeffect.c src/site/conf_noeffect.h \
	src/site/conf_message.c src/site/conf_message.h \
	src/site/conf_number.c \
	src/site/conf_parse.c src/site/conf_parse.h \
	src/site/conf_print.c \
	src/site/conf_restart.c src/site/conf_restart.h \
	src/site/conf_schema.c src/site/conf_schema.h \
	src/site/conf_shadow.c src/site/conf_shadow.h \
	src/site/conf_suggest.c src/site/conf_suggest.h \
	src/site/conf_text.c src/site/conf_text.h \
	src/site/conf_value.c src/site/conf_value.h \
	src/site/decision.c src/site/decision.h \
	src/site/decision_awaited.c src/site/decision_awaited.h \
	src/site/decision_json.c src/site/decision_text.h \
	src/site/dns_settings.c src/site/dns_settings.h \
	src/site/exemption_merge.c src/site/exemption_merge.h \
	src/site/exemptions.c src/site/exemptions.h src/site/exemptions_file.c \
	src/site/greylist_table.c src/site/greylist_table.h \
	src/site/helo_domains.c src/site/helo_domains.h \
	src/site/json.c src/site/json.h \
	src/site/listed.c src/site/listed.h \
	src/site/match.c src/site/match.h \
	src/site/net_list.c src/site/net_list.h \
	src/site/pattern_list.c src/site/pattern_list.h \
	src/site/word_list.c src/site/word_list.h
