/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reply to the client: SMTP code, enhanced status code (RFC 3463, RFC 7372) and text, from
 * a verdict.  Also the one sentence of explanation that reply, header, log and iprevctl share.
 * Pure; thread safe.
 */
#ifndef IPREVD_REPLY_H
#define IPREVD_REPLY_H

#include "core/policy.h"

#define REPLY_LINES_MAX 8   /* of a multi-line reply; libmilter takes 32 */
#define REPLY_LINE_MAX  480 /* bytes a line without codes and NUL */
#define REPLY_WIRE_MAX  512 /* with codes and CRLF (RFC 5321 4.5.3.1.5) */
#define REPLY_PREFIX_MAX                                                                           \
    207 /* Sendmail 8.17 writes "<recipient>... " before a text, cut at 203 (MAXSHORTSTR) */
#define REASON_MAX 400 /* bytes of an explanation with NUL */

struct reply {
    char code[4];  /* "550", "451" */
    char xcode[8]; /* "5.7.25" */
    size_t line_count;
    char lines[REPLY_LINES_MAX][REPLY_LINE_MAX + 1]; /* printable ASCII; '%' is not doubled */
};

/*
 * The sentence for the outcome's reason, "" when no check is true:
 * "198.51.100.7 has no PTR record".  Returns out.
 */
const char *reply_reason(const struct evidence *evidence, const struct outcome *outcome,
                         char out[REASON_MAX]);

/*
 * Fill a reply for an action that refuses.  The rule's own text may hold a code
 * ("550 5.7.25 text" or "text"), `\n` between lines, and %{client} %{ptr} %{helo} %{reason} %{url}
 * %{check} %{fix} %{record} and %%.  A code whose class does not fit the action is replaced by the
 * built-in one. `help_url` may be NULL; in it stand %{check} and %{client}.
 *
 * The standard text is "[CLIENT] REASON; FIX: "RECORD"; see URL (CHECK)".  Where that is too long
 * for one line, the record goes first, then who can fix it, then names are shortened.  For
 * ACTION_GREYLIST "greylisted for now, come again in 300 seconds" stands in the place of FIX and
 * RECORD.
 *
 * `prefix` is how many bytes the MTA writes between the codes and each line (up to
 * REPLY_PREFIX_MAX): no line is longer than REPLY_WIRE_MAX with it.  Where that makes more lines
 * than a reply has, untrusted names and the explanation are cut; codes, address and help_url never.
 */
void reply_build(const struct policy *policy, const struct evidence *evidence,
                 const struct outcome *outcome, enum action action, const char *help_url,
                 size_t prefix, struct reply *out);

/*
 * Is a configured reply text sound?  NULL when it is, else a static sentence ("unknown
 * placeholder", "code 5xx with action tempfail", ...); *at is set to the offending part of `text`.
 */
const char *reply_check_template(const char *text, enum action action, const char **at);

#endif
