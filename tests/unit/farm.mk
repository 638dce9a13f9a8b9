# SPDX-License-Identifier: BSD-2-Clause
check_PROGRAMS += tests/unit/test_exemption_merge
TESTS += tests/unit/test_exemption_merge
tests_unit_test_exemption_merge_SOURCES = tests/unit/test_exemption_merge.c
tests_unit_test_exemption_merge_CFLAGS = $(SITE_TEST_CFLAGS)
tests_unit_test_exemption_merge_LDADD = $(SITE_TEST_LIBS)

if FARM
FARM_TEST_LIBS = $(FARM_LIBS) $(SITE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_farm_line tests/unit/test_resp tests/unit/test_farm_nomem
TESTS += tests/unit/test_farm_line tests/unit/test_resp
if !SANITIZED
TESTS += tests/unit/test_farm_nomem
endif
tests_unit_test_farm_line_SOURCES = tests/unit/test_farm_line.c
tests_unit_test_farm_line_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_farm_line_LDADD = $(FARM_TEST_LIBS)
tests_unit_test_resp_SOURCES = tests/unit/test_resp.c
tests_unit_test_resp_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_test_resp_LDADD = $(FARM_TEST_LIBS)
tests_unit_test_farm_nomem_SOURCES = tests/unit/test_farm_nomem.c
tests_unit_test_farm_nomem_LDADD = $(FARM_TEST_LIBS)
endif
