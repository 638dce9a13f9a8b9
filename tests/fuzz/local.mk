# SPDX-License-Identifier: BSD-2-Clause
# Fuzz targets: see README.  With --enable-fuzzing they have libFuzzer's main, or that of AFL++;
# else one that runs their corpora once, as a test.
if FUZZING
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
# Tables that are made anew for every input: small ones are quick to make, and overflow.
AM_CPPFLAGS += -DREPLAY_PENDING_SLOTS=64 -DRANKING_NAMES_MAX=64 -DMAILLOG_SLOTS=16
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
FUZZ_SHARED = tests/fuzz/fuzz.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
FUZZ_DNS_LIBS = libdns.a libcore.a libbase.a $(LDNS_LIBS) $(EVENT_LIBS) $(PSL_LIBS) $(IDN2_LIBS)

FUZZ_TARGETS = \
	tests/fuzz/fuzz_accesstable \
	tests/fuzz/fuzz_authres \
	tests/fuzz/fuzz_cachefile \
	tests/fuzz/fuzz_clientsfile \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_dnsmsg \
	tests/fuzz/fuzz_exemptions \
	tests/fuzz/fuzz_lookup \
	tests/fuzz/fuzz_names \
	tests/fuzz/fuzz_received \
	tests/fuzz/fuzz_replay \
	tests/fuzz/fuzz_report \
	tests/fuzz/fuzz_resolvconf \
	tests/fuzz/fuzz_sender \
	tests/fuzz/fuzz_session \
	tests/fuzz/fuzz_untrusted \
	tests/fuzz/fuzz_zonefile
if FARM
FUZZ_TARGETS += tests/fuzz/fuzz_farm
endif
check_PROGRAMS += $(FUZZ_TARGETS)
# For scripts/fuzz: without what only `make check` needs.
.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_TARGETS)

tests_fuzz_fuzz_accesstable_SOURCES = tests/fuzz/fuzz_accesstable.c $(FUZZ_SHARED)
tests_fuzz_fuzz_accesstable_LDADD = $(SITE_LIBS)
tests_fuzz_fuzz_accesstable_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_authres_SOURCES = tests/fuzz/fuzz_authres.c $(FUZZ_SHARED)
tests_fuzz_fuzz_authres_LDADD = libcore.a libbase.a
tests_fuzz_fuzz_authres_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_cachefile_SOURCES = tests/fuzz/fuzz_cachefile.c $(FUZZ_SHARED)
tests_fuzz_fuzz_cachefile_LDADD = libdns.a libcore.a libbase.a
tests_fuzz_fuzz_cachefile_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_clientsfile_SOURCES = tests/fuzz/fuzz_clientsfile.c $(FUZZ_SHARED)
tests_fuzz_fuzz_clientsfile_LDADD = $(SITE_LIBS)
tests_fuzz_fuzz_clientsfile_LDFLAGS = $(FUZZ_LINK)

# Its own open() and what else reads files: see there.
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/fuzz/told.c tests/fuzz/told.h $(FUZZ_SHARED)
tests_fuzz_fuzz_conf_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZ_LINK) -Wl,--wrap=open,--wrap=stat,--wrap=access,--wrap=psl_load_file

tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(FUZZ_SHARED)
tests_fuzz_fuzz_control_LDADD = $(DAEMON_LIBS) $(SITE_LIBS)
tests_fuzz_fuzz_control_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_dnsmsg_SOURCES = tests/fuzz/fuzz_dnsmsg.c $(FUZZ_SHARED)
tests_fuzz_fuzz_dnsmsg_LDADD = $(FUZZ_DNS_LIBS)
tests_fuzz_fuzz_dnsmsg_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_exemptions_SOURCES = tests/fuzz/fuzz_exemptions.c $(FUZZ_SHARED)
tests_fuzz_fuzz_exemptions_LDADD = $(DAEMON_LIBS) $(SITE_LIBS)
tests_fuzz_fuzz_exemptions_LDFLAGS = $(FUZZ_LINK)

if FARM
tests_fuzz_fuzz_farm_SOURCES = tests/fuzz/fuzz_farm.c $(FUZZ_SHARED)
tests_fuzz_fuzz_farm_LDADD = $(FARM_LIBS) $(SITE_LIBS)
tests_fuzz_fuzz_farm_LDFLAGS = $(FUZZ_LINK)
else
EXTRA_DIST += tests/fuzz/fuzz_farm.c
endif

tests_fuzz_fuzz_lookup_SOURCES = tests/fuzz/fuzz_lookup.c tests/fuzz/told.c tests/fuzz/told.h $(FUZZ_SHARED)
tests_fuzz_fuzz_lookup_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_lookup_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_names_SOURCES = tests/fuzz/fuzz_names.c $(FUZZ_SHARED)
tests_fuzz_fuzz_names_LDADD = libcore.a libbase.a $(PSL_LIBS) $(IDN2_LIBS)
tests_fuzz_fuzz_names_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_received_SOURCES = tests/fuzz/fuzz_received.c $(FUZZ_SHARED)
tests_fuzz_fuzz_received_LDADD = libcore.a libbase.a $(PSL_LIBS) $(IDN2_LIBS)
tests_fuzz_fuzz_received_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_replay_SOURCES = tests/fuzz/fuzz_replay.c $(FUZZ_SHARED)
tests_fuzz_fuzz_replay_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_replay_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c $(FUZZ_SHARED)
tests_fuzz_fuzz_report_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_report_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_resolvconf_SOURCES = tests/fuzz/fuzz_resolvconf.c $(FUZZ_SHARED)
tests_fuzz_fuzz_resolvconf_LDADD = $(FUZZ_DNS_LIBS)
tests_fuzz_fuzz_resolvconf_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_sender_SOURCES = tests/fuzz/fuzz_sender.c $(FUZZ_SHARED)
tests_fuzz_fuzz_sender_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_sender_LDFLAGS = $(FUZZ_LINK)

# In the small world of the scenarios.
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c tests/fuzz/told.c tests/fuzz/told.h \
	tests/scenario/world.c tests/scenario/world.h $(FUZZ_SHARED)
tests_fuzz_fuzz_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_fuzz_fuzz_session_LDADD = $(DAEMON_LIBS) libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_session_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_untrusted_SOURCES = tests/fuzz/fuzz_untrusted.c $(FUZZ_SHARED)
tests_fuzz_fuzz_untrusted_LDADD = libctl.a $(SITE_LIBS) $(ARCHIVE_LIBS)
tests_fuzz_fuzz_untrusted_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_fuzz_zonefile_SOURCES = tests/fuzz/fuzz_zonefile.c $(FUZZ_SHARED)
tests_fuzz_fuzz_zonefile_LDADD = $(FUZZ_DNS_LIBS)
tests_fuzz_fuzz_zonefile_LDFLAGS = $(FUZZ_LINK)

TESTS += tests/fuzz/replay.sh
dist_check_SCRIPTS += tests/fuzz/replay.sh tests/fuzz/make_cachefile_corpus.py \
	tests/fuzz/make_clientsfile_corpus.py \
	tests/fuzz/make_dnsmsg_corpus.py tests/fuzz/make_lookup_corpus.py \
	tests/fuzz/make_session_corpus.py
EXTRA_DIST += $(srcdir)/tests/fuzz/corpus $(srcdir)/tests/fuzz/*.dict tests/fuzz/README scripts/fuzz
