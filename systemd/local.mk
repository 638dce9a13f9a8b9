# SPDX-License-Identifier: BSD-2-Clause
systemdsystemunit_DATA = systemd/iprevd.service
CLEANFILES += systemd/iprevd.service
EXTRA_DIST += systemd/iprevd.service.in systemd/iprevd.sysusers

systemd/iprevd.service: systemd/iprevd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/systemd/iprevd.service.in > $@.tmp && mv $@.tmp $@
