# SPDX-License-Identifier: BSD-2-Clause
# The Debian package: dpkg-buildpackage in an unpacked release.
EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/iprevd.README.Debian \
	debian/iprevd.postinst \
	debian/iprevd.postrm \
	debian/rules \
	debian/source/format \
	debian/tests/control \
	debian/tests/path \
	debian/tests/postfix \
	debian/tests/systemd \
	debian/tests/upgrade \
	debian/upstream/metadata \
	debian/watch
