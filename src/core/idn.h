/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Internationalized domain names as DNS, PTR records and configuration have them: A-labels
 * (RFC 5890, RFC 5891; UTS 46 for the mapping).  By libidn2, which only computes.  Pure; thread
 * safe.
 */
#ifndef IPREVD_IDN_H
#define IPREVD_IDN_H

#include "base/result.h"
#include "core/hostname.h"

#include <stdbool.h>

/* Does the text hold a byte outside ASCII? */
bool idn_is_needed(const char *text);

/*
 * The name with every U-label as an A-label: "m\xc3\xbcller.example" becomes
 * "xn--mller-kva.example".  ASCII is copied as it is.  RESULT_INVALID: it is no such name (not
 * UTF-8, a character that no name has, too long).  RESULT_NOMEM.
 */
enum result idn_to_ascii(const char *name, char out[HOSTNAME_MAX + 1]) MUST_CHECK;

/*
 * hostname_parse() of the name's A-labels; a name that has none is HOSTNAME_MALFORMED.  `out` and
 * *flaw are always written.  RESULT_NOMEM: what the name is, is not known.
 */
enum result idn_hostname_parse(const char *text, char out[HOSTNAME_MAX + 1],
                               enum hostname_flaw *flaw) MUST_CHECK;

#endif
