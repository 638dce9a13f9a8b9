# SPDX-License-Identifier: BSD-2-Clause
# Unit tests: one Check program a module.
UNIT_LIBS = libdns.a libcore.a libbase.a $(CHECK_LIBS) $(PSL_LIBS) $(LDNS_LIBS) $(EVENT_LIBS)
include tests/unit/base.mk
include tests/unit/core.mk
include tests/unit/dns.mk
include tests/unit/site.mk
