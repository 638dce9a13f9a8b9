# SPDX-License-Identifier: BSD-2-Clause
# What systemd has to know: the unit, the user, the directories.
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d

systemdsystemunit_DATA = systemd/iprevd.service systemd/iprevd-report.service
dist_systemdsystemunit_DATA = systemd/iprevd-report.timer
dist_sysusers_DATA = systemd/sysusers.d/iprevd.conf
tmpfiles_DATA = systemd/tmpfiles.d/iprevd.conf
CLEANFILES += systemd/iprevd.service systemd/iprevd-report.service systemd/tmpfiles.d/iprevd.conf
EXTRA_DIST += systemd/iprevd.service.in systemd/iprevd-report.service.in systemd/iprevd.tmpfiles.in

# systemd-tmpfiles wants /run by that name.
SYSTEMD_EDIT = $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@pkglibexecdir[@]|$(pkglibexecdir)|g' -e 's|@localstatedir[@]|$(localstatedir)|g' \
	-e 's|@runstatedir[@]|$(runstatedir)|g' -e 's|^d /var/run/|d /run/|'

systemd/iprevd.service: systemd/iprevd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SYSTEMD_EDIT) $(srcdir)/systemd/iprevd.service.in > $@.tmp && mv $@.tmp $@

systemd/iprevd-report.service: systemd/iprevd-report.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SYSTEMD_EDIT) $(srcdir)/$@.in > $@.tmp && mv $@.tmp $@

systemd/tmpfiles.d/iprevd.conf: systemd/iprevd.tmpfiles.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd/tmpfiles.d && $(SYSTEMD_EDIT) $(srcdir)/systemd/iprevd.tmpfiles.in > $@.tmp && mv $@.tmp $@

check_DATA += systemd/iprevd.service systemd/iprevd-report.service systemd/tmpfiles.d/iprevd.conf
dist_check_SCRIPTS += tests/unit-file.sh
TESTS += tests/unit-file.sh
