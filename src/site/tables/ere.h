/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POSIX regular expressions, as regexp_table(5) has them, in the syntax of PCRE2.
 *
 * Why not regcomp(): a matcher must end in bounded time and memory on names that strangers choose.
 * PCRE2 has limits for that; the C library's has none (back-references take exponential time, and
 * its automaton keeps every state that a subject ever led to).  The translation covers what glibc's
 * regcomp() takes, GNU operators included; the unit test compares both.  Pure; thread safe.
 */
#ifndef IPREVD_ERE_H
#define IPREVD_ERE_H

#include "base/result.h"

#include <stdbool.h>

/*
 * `extended`: ERE, else BRE.  *out is malloc'ed, the caller frees.  RESULT_INVALID: *why is a
 * static sentence.  RESULT_OK: *why is NULL, or says what means something else in Perl.
 */
enum result ere_translate(const char *pattern, bool extended, char **out,
                          const char **why) MUST_CHECK;

#endif
