/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the checks (checks.c, which says when they hold) and to what else speaks of them: the
 * sentences.  One that explains names the evidence; one that says who can fix it speaks to the
 * sender.  No trailing dot, untrusted text escaped.  Pure; thread safe.
 */
#ifndef IPREVD_CHECKS_TEXT_H
#define IPREVD_CHECKS_TEXT_H

#include "core/checks.h"

void explain_ptr_missing(const struct evidence *evidence, struct textbuf *out);
void explain_ptr_invalid(const struct evidence *evidence, struct textbuf *out);
void explain_ptr_mismatch(const struct evidence *evidence, struct textbuf *out);
void explain_ptr_generic(const struct evidence *evidence, struct textbuf *out);
void explain_ptr_excess(const struct evidence *evidence, struct textbuf *out);
void explain_dns_temperror(const struct evidence *evidence, struct textbuf *out);
void explain_helo_missing(const struct evidence *evidence, struct textbuf *out);
void explain_helo_invalid(const struct evidence *evidence, struct textbuf *out);
void explain_helo_bare_ip(const struct evidence *evidence, struct textbuf *out);
void explain_helo_literal_mismatch(const struct evidence *evidence, struct textbuf *out);
void explain_helo_not_fqdn(const struct evidence *evidence, struct textbuf *out);
void explain_helo_self(const struct evidence *evidence, struct textbuf *out);
void explain_helo_unresolved(const struct evidence *evidence, struct textbuf *out);
void explain_helo_mismatch(const struct evidence *evidence, struct textbuf *out);
void explain_helo_disagrees(const struct evidence *evidence, struct textbuf *out);
void explain_helo_unstable(const struct evidence *evidence, struct textbuf *out);
void explain_sender_ptr_mismatch(const struct evidence *evidence, struct textbuf *out);
void explain_mta_disagrees(const struct evidence *evidence, struct textbuf *out);
void fix_ptr_missing(const struct evidence *evidence, struct textbuf *out);
void fix_ptr_invalid(const struct evidence *evidence, struct textbuf *out);
void fix_ptr_mismatch(const struct evidence *evidence, struct textbuf *out);
void fix_ptr_generic(const struct evidence *evidence, struct textbuf *out);
void fix_ptr_excess(const struct evidence *evidence, struct textbuf *out);
void fix_dns_temperror(const struct evidence *evidence, struct textbuf *out);
void fix_helo_name(const struct evidence *evidence, struct textbuf *out);
void fix_helo_missing(const struct evidence *evidence, struct textbuf *out);
void fix_sender_ptr_mismatch(const struct evidence *evidence, struct textbuf *out);
void fix_helo_unstable(const struct evidence *evidence, struct textbuf *out);
void fix_mta_disagrees(const struct evidence *evidence, struct textbuf *out);

/* "A" or "AAAA": what the client's address has.  Static. */
const char *checks_address_type(const struct facts *facts);

/* PTR names that are host names. */
size_t checks_count_usable(const struct facts *facts);

/* Could the own name that the client claims still turn out to be its own? */
bool checks_helo_self_is_open(const struct facts *facts);

/* Has the EHLO name addresses, but none of the client's family? */
bool checks_helo_is_of_other_family(const struct facts *facts);

#endif
