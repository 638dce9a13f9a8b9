# SPDX-License-Identifier: BSD-2-Clause
# Beside the documents: scripts for systems without systemd, logrotate, Fail2Ban, AppArmor, Prometheus and
# Grafana.
examplesdir = $(docdir)/examples
CONTRIB_GENERATED = contrib/iprevd.apparmor contrib/iprevd.logrotate contrib/iprevd.openrc contrib/iprevd.rc
examples_DATA = $(CONTRIB_GENERATED)
dist_examples_DATA = contrib/grafana/iprevd.json contrib/prometheus/iprevd.rules.yml \
	contrib/fail2ban/iprevd-filter.conf contrib/fail2ban/iprevd-jail.conf
CLEANFILES += $(CONTRIB_GENERATED) contrib/iprevd-report
EXTRA_DIST += contrib/iprevd.apparmor.in contrib/iprevd.logrotate.in contrib/iprevd.openrc.in \
	contrib/iprevd.rc.in contrib/iprevd-report.in contrib/iprevd.spec \
	contrib/prometheus/iprevd.rules.test.yml contrib/container/Containerfile \
	contrib/container/iprevd.conf scripts/test-container tests/container.py

# The daily report by mail, which systemd/iprevd-report.timer runs.
pkglibexec_SCRIPTS = contrib/iprevd-report

# Completion for bash, from the tables of options; a program for another machine cannot print it.
if !CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = contrib/completion/iprevctl
CLEANFILES += contrib/completion/iprevctl
contrib/completion/iprevctl: iprevctl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib/completion && ./iprevctl$(EXEEXT) --completion >$@.tmp && mv $@.tmp $@
endif

CONTRIB_EDIT = $(SED) -e 's|@bindir[@]|$(bindir)|g' -e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	-e 's|@localstatedir[@]|$(localstatedir)|g' -e 's|@runstatedir[@]|$(runstatedir)|g'

CONTRIB_MAKE = $(AM_V_GEN)$(MKDIR_P) contrib && $(CONTRIB_EDIT) $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@
contrib/iprevd.apparmor: contrib/iprevd.apparmor.in Makefile
	$(CONTRIB_MAKE)
contrib/iprevd.logrotate: contrib/iprevd.logrotate.in Makefile
	$(CONTRIB_MAKE)
contrib/iprevd.openrc: contrib/iprevd.openrc.in Makefile
	$(CONTRIB_MAKE)
contrib/iprevd.rc: contrib/iprevd.rc.in Makefile
	$(CONTRIB_MAKE)
contrib/iprevd-report: contrib/iprevd-report.in Makefile
	$(CONTRIB_MAKE) && chmod +x $@

dist_check_SCRIPTS += tests/rc-files.sh tests/kit.sh
TESTS += tests/rc-files.sh tests/kit.sh
