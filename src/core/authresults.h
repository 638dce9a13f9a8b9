/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who does an Authentication-Results field claim to come from, and does it speak of iprev
 * (RFC 8601 2.2, 5)?  Pure; thread safe.
 */
#ifndef IPREVD_AUTHRESULTS_H
#define IPREVD_AUTHRESULTS_H

#include <stdbool.h>

/*
 * True when `value` (the field's body, folded or not) claims `authserv_id` (compared without
 * case) and holds an iprev result: then it is a forgery unless we wrote it.  A field of another
 * filter of ours, with the same authserv-id and other methods only, is not.  A body that claims our
 * authserv-id and does not parse, as one without the semicolon behind the id, counts as forged when
 * it holds the word iprev anywhere, for a reader less strict than we are might see a result there.
 */
bool authresults_forges(const char *value, const char *authserv_id);

#endif
