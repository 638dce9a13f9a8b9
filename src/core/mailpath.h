/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Senders and recipients as SMTP means them (RFC 5321 4.1.2, 4.5.1, F.2; RFC 6531): one text for
 * all the ways in which a mailbox may be written, so that comparing is comparing text.  Pure;
 * thread safe.
 */
#ifndef IPREVD_MAILPATH_H
#define IPREVD_MAILPATH_H

#include "core/hostname.h"

#include <stddef.h>

/* Bytes of a canonical mailbox: RFC 5321 4.5.3.1.3 allows paths of 256; quoting may double it. */
#define MAILPATH_MAX 512

/*
 * Write the mailbox of a path into `out`, which has MAILPATH_MAX + 1 bytes; returns out, or NULL
 * when memory is out (of which only a domain of U-labels needs any).
 *
 * `path` is untrusted text, the argument of MAIL FROM or RCPT TO, with or without angle brackets.
 * Without are: the brackets, blanks around the path, the local part and the domain, a source route,
 * quotes and backslashes that the local part can do without, the domain's trailing dot.  The domain
 * is in lower case and of A-labels; one that cannot be written so keeps its bytes.  The local
 * part keeps its case; where it needs quotes (RFC 5322 3.4.1) it has them.  "" is the null sender;
 * "postmaster" without a domain stays so.  A text that is no path at all is a local part.
 * Longer ones are cut.
 */
char *mailpath_canonical(const char *path, char out[MAILPATH_MAX + 1]);

/*
 * The domain of a canonical mailbox as a host name.  False: it has none (the null sender, a
 * literal, a single label, bytes that no host name has); `out` is "" then.
 */
bool mailpath_domain(const char *mailbox, char out[HOSTNAME_MAX + 1]);

#endif
