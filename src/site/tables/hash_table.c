/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/hash_table.h"

#include "base/hash.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROW_FROM 256

struct hash_entry {
    const char *key;
    const char *value;
};

struct hash_table {
    struct hash_entry *entries; /* in the order of the file; with the index, one a key */
    size_t count, room;
    const struct hash_entry **slots; /* open addressing; NULL: free */
    size_t slot_mask;
};

/* Cut the key off in place: up to white space, or in double quotes with backslash escapes. */
static char *split_key(char *line, char **value)
{
    char *to = line, *from = line;
    bool quoted = false;
    for (; *from != '\0' && (quoted || !table_lines_space(*from)); from++) {
        if (*from == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *from == '\\' && from[1] != '\0')
            from++;
        *to++ = (char)tolower((unsigned char)*from);
    }
    if (quoted)
        return NULL;
    *value = from;
    if (**value != '\0')
        (*value)++;
    *to = '\0';
    while (table_lines_space(**value))
        (*value)++;
    return line;
}

/* Why access(5) never asks for such a key; NULL: it may. */
static const char *why_never_asked_for(const char *key)
{
    size_t length = strlen(key);
    if (key[0] == '@')
        return "a domain stands without @";
    if (key[0] == '<' && strcmp(key, "<>") != 0)
        return "an address stands without < and >";
    if (strchr(key, '*') != NULL)
        return "* stands for nothing else, and the parent domain for all below it";
    if (length > 1 && key[0] == '/' && key[length - 1] == '/')
        return "expressions are for pcre: and regexp:";
    if (key[length - 1] == ':')
        return "no colon stands between key and value";
    return length > 1 && key[length - 1] == '.' ? "names stand without a trailing dot" : NULL;
}

static enum result add_line(struct hash_table *table, char *line, unsigned number,
                            struct table_error *error)
{
    struct hash_entry entry;
    char *value = NULL, shown[81]; /* splitting changes the line */
    snprintf(shown, sizeof shown, "%s", line);
    entry.key = split_key(line, &value);
    if (entry.key == NULL || entry.key[0] == '\0' || *value == '\0') {
        table_error(error, number, "found \"%s\"; allowed: key, white space, value", shown);
        return RESULT_INVALID;
    }
    entry.value = value;
    const char *why = why_never_asked_for(entry.key);
    if (why != NULL)
        table_warning(error, number, "\"%.80s\" is never looked up: %s", entry.key, why);
    if (table->count == table->room) {
        size_t more = table->room == 0 ? GROW_FROM : table->room * 2;
        struct hash_entry *bigger = reallocarray(table->entries, more, sizeof *bigger);
        if (bigger == NULL)
            return RESULT_NOMEM;
        table->entries = bigger;
        table->room = more;
    }
    table->entries[table->count++] = entry;
    return RESULT_OK;
}

static const struct hash_entry **slot_of(const struct hash_table *table, const char *key,
                                         size_t length)
{
    size_t at = hash_bytes(HASH_START, key, length) & table->slot_mask;
    while (table->slots[at] != NULL && (strncmp(table->slots[at]->key, key, length) != 0 ||
                                        table->slots[at]->key[length] != '\0'))
        at = (at + 1) & table->slot_mask;
    return &table->slots[at];
}

/* A key that stands twice counts once, with its first value, as in Postfix (which warns). */
static enum result build_index(struct hash_table *table)
{
    size_t slots = 16;
    while (slots < table->count * 2)
        slots *= 2;
    table->slots = (const struct hash_entry **)calloc(slots, sizeof(const struct hash_entry *));
    if (table->slots == NULL)
        return RESULT_NOMEM;
    table->slot_mask = slots - 1;
    size_t distinct = 0;
    for (size_t i = 0; i < table->count; i++) {
        const char *key = table->entries[i].key;
        const struct hash_entry **slot = slot_of(table, key, strlen(key));
        if (*slot != NULL)
            continue;
        table->entries[distinct] = table->entries[i];
        *slot = &table->entries[distinct++];
    }
    table->count = distinct;
    return RESULT_OK;
}

enum result hash_table_new(struct table_text *text, struct hash_table **out,
                           struct table_error *error)
{
    struct hash_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return RESULT_NOMEM;
    char *line;
    unsigned number;
    enum result status;
    while ((status = table_lines_next(text, &line, &number, error)) == RESULT_OK) {
        status = add_line(table, line, number, error);
        if (status == RESULT_INVALID)
            table_go_on(error, TABLE_PASSED_OVER);
        else if (status != RESULT_OK)
            break;
    }
    if (status == RESULT_NOTFOUND)
        status = build_index(table);
    if (status != RESULT_OK) {
        hash_table_free(table);
        return status;
    }
    *out = table;
    return RESULT_OK;
}

void hash_table_free(struct hash_table *table)
{
    if (table == NULL)
        return;
    free(table->entries);
    free((void *)table->slots);
    free(table);
}

const char *hash_table_find(const struct hash_table *table, const char *key, size_t length)
{
    const struct hash_entry *entry = *slot_of(table, key, length);
    return entry != NULL ? entry->value : NULL;
}

const char *hash_table_value(const struct hash_table *table, size_t i)
{
    return i < table->count ? table->entries[i].value : NULL;
}
