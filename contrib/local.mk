# SPDX-License-Identifier: BSD-2-Clause
# Beside the documents: scripts for systems without systemd, logrotate, Prometheus and Grafana.
examplesdir = $(docdir)/examples
examples_DATA = contrib/iprevd.logrotate contrib/iprevd.openrc contrib/iprevd.rc
dist_examples_DATA = contrib/grafana/iprevd.json contrib/prometheus/iprevd.rules.yml
CLEANFILES += contrib/iprevd.logrotate contrib/iprevd.openrc contrib/iprevd.rc
EXTRA_DIST += contrib/iprevd.logrotate.in contrib/iprevd.openrc.in contrib/iprevd.rc.in contrib/iprevd.spec \
	contrib/prometheus/iprevd.rules.test.yml

# Completion for bash, from the tables of options; a program for another machine cannot print it.
if !CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = contrib/completion/iprevctl
CLEANFILES += contrib/completion/iprevctl
contrib/completion/iprevctl: iprevctl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib/completion && ./iprevctl$(EXEEXT) --completion >$@.tmp && mv $@.tmp $@
endif

CONTRIB_EDIT = $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g' -e 's|@runstatedir[@]|$(runstatedir)|g'

contrib/iprevd.logrotate: contrib/iprevd.logrotate.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && $(CONTRIB_EDIT) $(srcdir)/contrib/iprevd.logrotate.in > $@.tmp && mv $@.tmp $@
contrib/iprevd.openrc: contrib/iprevd.openrc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && $(CONTRIB_EDIT) $(srcdir)/contrib/iprevd.openrc.in > $@.tmp && mv $@.tmp $@
contrib/iprevd.rc: contrib/iprevd.rc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) contrib && $(CONTRIB_EDIT) $(srcdir)/contrib/iprevd.rc.in > $@.tmp && mv $@.tmp $@

dist_check_SCRIPTS += tests/rc-files.sh
TESTS += tests/rc-files.sh
