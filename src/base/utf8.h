/* SPDX-License-Identifier: BSD-2-Clause */
/* Characters of UTF-8 (RFC 3629).  Pure; thread safe. */
#ifndef IPREVD_UTF8_H
#define IPREVD_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the character at `text`, a string; 0: there is no valid one, or the string ends. */
size_t utf8_length(const char *text);

/* Is the valid character at `text` a control character (C0, DEL, C1)? */
bool utf8_is_control(const char *text);

/* As utf8_length(), but 0 for a control character, too. */
size_t utf8_printable(const char *text);

#endif
