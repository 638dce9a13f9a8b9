# SPDX-License-Identifier: BSD-2-Clause
# Samples for systems that are not Debian.
EXTRA_DIST += contrib/iprevd.openrc contrib/iprevd.rc contrib/iprevd.spec

# For Prometheus and Grafana.
EXTRA_DIST += contrib/grafana/iprevd.json contrib/prometheus/iprevd.rules.yml \
	contrib/prometheus/iprevd.rules.test.yml

# Completion for bash, from the tables of options; a program for another machine cannot print it.
if !CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = contrib/completion/iprevctl
CLEANFILES += contrib/completion/iprevctl
contrib/completion/iprevctl: iprevctl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) contrib/completion && ./iprevctl$(EXEEXT) --completion >$@.tmp && mv $@.tmp $@
endif
