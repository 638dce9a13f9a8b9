/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embedded answers: a source that answers from a zone file (RFC 1035 master
 * format, by ldns), for trials and tests.  Names of any zone may stand in it, forward and
 * reverse.  Wildcards (RFC 4592) and CNAMEs work; a name that is not there is NXDOMAIN; a name
 * at or below a delegation (NS records without a SOA) cannot be answered and is a temporary
 * failure, SERVFAIL: so a file can show that case too.
 */
#ifndef IPREVD_ZONEFILE_H
#define IPREVD_ZONEFILE_H

#include "dns/source.h"

/*
 * Read the file whole.  RESULT_IO (errno), RESULT_INVALID (*line and a sentence in `error`),
 * RESULT_NOMEM.
 */
enum result zonefile_load(const char *path, struct source **out, unsigned *line, char *error,
                          size_t error_size) MUST_CHECK;

#endif
