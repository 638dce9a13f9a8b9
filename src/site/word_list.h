/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of the configuration, kept as they were written. */
#ifndef IPREVD_WORD_LIST_H
#define IPREVD_WORD_LIST_H

#include <stddef.h>

/* A copy, malloc'ed, that ends with NULL.  NULL: out of memory. */
char **word_list_copy(const char *const *words, size_t count);

/* Free a copy; NULL is fine. */
void word_list_free(char **words);

#endif
