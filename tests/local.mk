# SPDX-License-Identifier: BSD-2-Clause
# Unit tests: one Check program a module.
UNIT_LIBS = libdns.a libcore.a libbase.a $(CHECK_LIBS) $(PSL_LIBS) $(IDN2_LIBS) $(LDNS_LIBS) $(EVENT_LIBS)
include tests/unit/base.mk
include tests/unit/core.mk
include tests/unit/dns.mk
include tests/unit/net.mk
include tests/unit/site.mk
include tests/unit/ctl.mk
include tests/unit/daemon.mk
include tests/unit/farm.mk
include tests/fuzz/local.mk

# Scenarios: stories through the real session, lookup and cache with a fake clock.
check_PROGRAMS += tests/scenario/scenario
SCENARIO_SOURCES = tests/scenario/scenario.c tests/scenario/play.h tests/scenario/world.c tests/scenario/world.h
tests_scenario_scenario_SOURCES = tests/scenario/main.c $(SCENARIO_SOURCES)
tests_scenario_scenario_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_scenario_scenario_LDADD = $(DAEMON_LIBS) $(SITE_LIBS)
dist_check_SCRIPTS += tests/scenario/run.sh tests/scenario/torture.sh
TESTS += tests/scenario/run.sh tests/scenario/torture.sh

# The same while memory runs out, at every allocation in turn.
check_PROGRAMS += tests/scenario/torture
tests_scenario_torture_SOURCES = tests/scenario/torture.c $(SCENARIO_SOURCES)
tests_scenario_torture_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_scenario_torture_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup,--wrap=free \
	-Wl,--wrap=conf_load,--wrap=cache_new,--wrap=resolver_new,--wrap=resolver_free \
	-Wl,--wrap=session_new,--wrap=session_connect,--wrap=session_helo,--wrap=session_mail,--wrap=session_rcpt \
	-Wl,--wrap=session_header,--wrap=session_end_of_message,--wrap=session_resume,--wrap=session_reset \
	-Wl,--wrap=session_free,--wrap=world_advance
tests_scenario_torture_LDADD = $(DAEMON_LIBS) $(SITE_LIBS)
EXTRA_DIST += tests/replay
EXTRA_DIST += $(srcdir)/tests/scenario/*.scn tests/scenario/README

# What README shows is what quickstart prints.
dist_check_SCRIPTS += tests/readme.sh
TESTS += tests/readme.sh

# What the documents show is what the programs take and say.
PY_LOG_COMPILER = $(PYTHON3) -B
dist_check_SCRIPTS += tests/documents.py tests/manuals.py tests/replies.py tests/replay.py tests/reasons.py tests/session.sh tests/advice.py tests/release.sh
TESTS += tests/documents.py tests/manuals.py tests/replies.py tests/replay.py tests/reasons.py tests/session.sh tests/advice.py tests/release.sh
EXTRA_DIST += tests/advice scripts/make-page
EXTRA_DIST += scripts/record-path scripts/record-session scripts/session.conf scripts/session.maillog
EXTRA_DIST += scripts/check scripts/install-packages scripts/quickstart scripts/quickstart.conf \
	scripts/quickstart.py scripts/quickstart.zone
# What bash offers behind "iprevctl ".
dist_check_SCRIPTS += tests/completion.sh
TESTS += tests/completion.sh
# A busy machine is no failure: Check's own limit of 4 s a test is meant for endless loops.
AM_TESTS_ENVIRONMENT = PYTHON3='$(PYTHON3)'; export PYTHON3; CK_DEFAULT_TIMEOUT=120; export CK_DEFAULT_TIMEOUT; FARM='$(have_farm)'; export FARM;
EXTRA_DIST += tests/tsan.supp tests/unit/without-check/check.h

# The daemon against real mail servers and hostile DNS: run by scripts/check, for it takes a minute.
dist_check_SCRIPTS += tests/integration/run scripts/fetch-mta
integration-programs: iprevd iprevctl tests/integration/iprevd-nomem tests/tools/dnsask
.PHONY: integration-programs
EXTRA_DIST += $(srcdir)/tests/integration/*.py
# Static analysis and the Debian package.
EXTRA_DIST += .clang-tidy scripts/analyze scripts/cppcheck-suppressions.txt scripts/gcc-suppressions.txt scripts/test-package \
	scripts/boot-debian scripts/debian-root scripts/on-debian scripts/on-debian-package scripts/on-debian-tests scripts/test-i386 scripts/compile-32 scripts/package-proxy scripts/test-rpm
# What of the source the tests run; memcheck.
EXTRA_DIST += scripts/coverage scripts/valgrind tests/valgrind.supp
# Sessions for hours while everything else happens.
EXTRA_DIST += scripts/soak tests/soak/run $(srcdir)/tests/soak/*.py

# What a decision costs, in instructions: run by scripts/check, for it holds for one compiler.
check_PROGRAMS += tests/tools/decisions
tests_tools_decisions_SOURCES = tests/tools/decisions.c tests/scenario/world.c tests/scenario/world.h
tests_tools_decisions_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/scenario
tests_tools_decisions_LDADD = $(DAEMON_LIBS) $(SITE_LIBS)
dist_check_SCRIPTS += tests/instructions.sh
EXTRA_DIST += tests/data/instructions

# iprevd whose allocations fail, for test_nomem.py.
check_PROGRAMS += tests/integration/iprevd-nomem
tests_integration_iprevd_nomem_SOURCES = src/daemon/main.c tests/integration/nomem.c
tests_integration_iprevd_nomem_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup \
	-Wl,--wrap=pthread_create
tests_integration_iprevd_nomem_LDADD = $(iprevd_LDADD)
