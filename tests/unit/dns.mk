# SPDX-License-Identifier: BSD-2-Clause
# The cache, the resolver and lookups (src/dns/local.mk): unit tests.
DNS_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
SCRIPTED_SOURCE = tests/unit/scripted_source.c tests/unit/scripted_source.h
FAILING_ALLOC = tests/unit/failing_alloc.c tests/unit/failing_alloc.h
WRAPPED_ALLOC = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup
DNS_TESTS = \
	tests/unit/test_answer \
	tests/unit/test_breaker \
	tests/unit/test_cache \
	tests/unit/test_cachefile \
	tests/unit/test_lookup \
	tests/unit/test_pending_share \
	tests/unit/test_resolver

check_PROGRAMS += $(DNS_TESTS)
TESTS += $(DNS_TESTS)

# A sanitizer has an allocator of its own, whose memory is not ours to judge.
check_PROGRAMS += tests/unit/test_cache_memory
if !SANITIZED
TESTS += tests/unit/test_cache_memory
endif
tests_unit_test_cache_memory_SOURCES = tests/unit/test_cache_memory.c
tests_unit_test_cache_memory_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_cache_memory_LDADD = $(UNIT_LIBS)

tests_unit_test_answer_SOURCES = tests/unit/test_answer.c $(SCRIPTED_SOURCE)
tests_unit_test_answer_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_answer_LDADD = $(UNIT_LIBS)

tests_unit_test_breaker_SOURCES = tests/unit/test_breaker.c $(SCRIPTED_SOURCE)
tests_unit_test_breaker_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_breaker_LDADD = $(UNIT_LIBS)

tests_unit_test_cache_SOURCES = tests/unit/test_cache.c $(SCRIPTED_SOURCE) $(FAILING_ALLOC)
tests_unit_test_cache_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_cache_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_cache_LDADD = $(UNIT_LIBS)

tests_unit_test_cachefile_SOURCES = tests/unit/test_cachefile.c $(SCRIPTED_SOURCE) $(FAILING_ALLOC)
tests_unit_test_cachefile_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_cachefile_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_cachefile_LDADD = $(UNIT_LIBS)

tests_unit_test_lookup_SOURCES = tests/unit/test_lookup.c $(SCRIPTED_SOURCE) $(FAILING_ALLOC)
tests_unit_test_lookup_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_lookup_LDFLAGS = $(WRAPPED_ALLOC)
tests_unit_test_lookup_LDADD = $(UNIT_LIBS)

tests_unit_test_pending_share_SOURCES = tests/unit/test_pending_share.c $(SCRIPTED_SOURCE)
tests_unit_test_pending_share_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_pending_share_LDADD = $(UNIT_LIBS)

tests_unit_test_resolver_SOURCES = tests/unit/test_resolver.c $(SCRIPTED_SOURCE)
tests_unit_test_resolver_CFLAGS = $(DNS_TEST_CFLAGS)
tests_unit_test_resolver_LDADD = $(UNIT_LIBS)
