/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the text of a configuration to a tree of words with their lines, by libconfuse and the
 * schema.  The one place where libconfuse is used.  One thread at a time: its lexer keeps state.
 */
#ifndef IPREVD_CONF_PARSE_H
#define IPREVD_CONF_PARSE_H

#include "site/conf_message.h"
#include "site/conf_schema.h"

#include <stdbool.h>

struct conf_word {
    char *text;
    unsigned line;
};

/* What was written for one option. */
struct conf_entry {
    struct conf_word *words;
    size_t count; /* 0 with `given`: an empty list */
    bool given;
    bool append; /* "+=": after the default's words */
    unsigned line;
};

struct conf_block {
    const struct conf_schema *schema;
    char *title;                /* NULL: none */
    unsigned line;              /* where it begins */
    struct conf_entry *entries; /* one for each option of the schema */
    struct conf_block *blocks;  /* inside of it, in the order of the file */
    struct conf_block *next;    /* beside it */
};

/*
 * Parse text that conf_text_check() let through.  RESULT_OK: *out is owned by the caller.
 * Otherwise the error was reported to `messages`.
 */
enum result conf_parse(const char *text, size_t length, const struct conf_schema *schema,
                       struct conf_messages *messages, struct conf_block **out) MUST_CHECK;
void conf_block_free(struct conf_block *block); /* with all beside and inside it; NULL is fine */

#endif
