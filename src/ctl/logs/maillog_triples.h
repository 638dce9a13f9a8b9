/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of `address EHLO PTR`, with tabs or, in a line without tabs, with white space between; "-"
 * means none, what comes after the third field is left alone, a line that begins with # is a
 * comment.  Pure; thread safe.
 */
#ifndef IPREVD_MAILLOG_TRIPLES_H
#define IPREVD_MAILLOG_TRIPLES_H

#include "ctl/logs/maillog_event.h"

enum maillog_triple { REPLAY_TRIPLE, REPLAY_TRIPLE_EMPTY, REPLAY_TRIPLE_BAD };

/* `*why` is set for BAD, a static sentence. */
enum maillog_triple maillog_triples_parse(const char *text, struct maillog_event *out,
                                          const char **why);

#endif
