/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded text under construction, in memory that the caller owns.  What does
 * not fit is cut and `cut` is set; the text is always terminated.  The
 * put_* functions that take untrusted text are the only way by which bytes that a
 * client or a DNS server chose reach a log, a header or a reply.
 */
#ifndef IPREVD_TEXTBUF_H
#define IPREVD_TEXTBUF_H

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct textbuf {
    char *text;    /* always NUL-terminated */
    size_t size;   /* bytes of memory behind text, at least 1 */
    size_t length; /* bytes used, without the NUL */
    bool cut;      /* something did not fit */
};

/* Start an empty text in `memory` (borrowed, `size` >= 1 bytes). */
void textbuf_init(struct textbuf *buf, char *memory, size_t size);

/* Append trusted text as it is. */
void textbuf_put(struct textbuf *buf, const char *text);
void textbuf_printf(struct textbuf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Append untrusted text so that only printable ASCII without space-like surprises
 * is left: every byte outside 0x20..0x7e, and the backslash, becomes \xNN.
 * At most `max` bytes of output are written; a longer text ends in "...".
 * `text` NULL counts as empty.  For replies and sentences.
 */
void textbuf_put_untrusted(struct textbuf *buf, const char *text, size_t max);

/* The same for what this site wrote itself, names and reasons: valid characters of UTF-8 that are
   no control characters stay as they are. */
void textbuf_put_own(struct textbuf *buf, const char *text, size_t max);

/* One of the two. */
typedef void textbuf_put_shown(struct textbuf *buf, const char *text, size_t max);

/*
 * Append ` key=value` (the leading space only when the text is not empty) for a
 * key=value log line: untrusted text as above, put in double quotes, with inner
 * quotes escaped, when it is empty or contains space, '"' or '='.
 */
void textbuf_put_field(struct textbuf *buf, const char *key, const char *value, size_t max);

/* The same with textbuf_put_own(). */
void textbuf_put_own_field(struct textbuf *buf, const char *key, const char *value, size_t max);

/* The same for a word of ours, and for a number, which need neither quotes nor escapes. */
void textbuf_put_word(struct textbuf *buf, const char *key, const char *word);
void textbuf_put_number(struct textbuf *buf, const char *key, uint64_t number);

/* The same for a sentence of ours, in which untrusted parts are escaped already: only quotes are.
 */
void textbuf_put_sentence(struct textbuf *buf, const char *key, const char *sentence);

#endif
