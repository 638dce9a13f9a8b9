# SPDX-License-Identifier: BSD-2-Clause
# The sample configuration is installed beside the configuration, and as it where there is none yet:
# what an administrator wrote is never replaced, and removed only when it is still the sample.
iprevdconfdir = $(sysconfdir)/iprevd

EXTRA_DIST += conf/iprevd.conf

install-data-local: install-iprevd-conf
install-iprevd-conf:
	$(MKDIR_P) "$(DESTDIR)$(iprevdconfdir)"
	$(INSTALL_DATA) $(srcdir)/conf/iprevd.conf "$(DESTDIR)$(iprevdconfdir)/iprevd.conf.sample"
	test -e "$(DESTDIR)$(iprevdconfdir)/iprevd.conf" || \
	    $(INSTALL_DATA) $(srcdir)/conf/iprevd.conf "$(DESTDIR)$(iprevdconfdir)/iprevd.conf"

uninstall-local: uninstall-iprevd-conf
uninstall-iprevd-conf:
	! cmp -s "$(DESTDIR)$(iprevdconfdir)/iprevd.conf" "$(DESTDIR)$(iprevdconfdir)/iprevd.conf.sample" || \
	    rm -f "$(DESTDIR)$(iprevdconfdir)/iprevd.conf"
	rm -f "$(DESTDIR)$(iprevdconfdir)/iprevd.conf.sample"
	rmdir "$(DESTDIR)$(iprevdconfdir)" 2>/dev/null || :

.PHONY: install-iprevd-conf uninstall-iprevd-conf
