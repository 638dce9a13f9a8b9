/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_suggest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX    64
#define CLOSE       3 /* as many slips still look like the word */
#define OPTIONS_MAX 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned conf_distance(const char *a, const char *b)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *conf_closest(const char *const *words, size_t count, const char *name)
{
    const char *best = NULL;
    unsigned best_distance = CLOSE + 1;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(words[i], name) == 0)
            return words[i];
        unsigned distance = conf_distance(words[i], name);
        /* Three slips in a word of four letters are another word. */
        if (distance < best_distance && distance * 2 <= strlen(words[i])) {
            best_distance = distance;
            best = words[i];
        }
    }
    return best;
}

static size_t names_of(const struct conf_schema *schema, const char *out[OPTIONS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < schema->option_count && count < OPTIONS_MAX; i++)
        out[count++] = schema->options[i].name;
    for (size_t i = 0; i < schema->block_count && count < OPTIONS_MAX; i++)
        out[count++] = schema->blocks[i]->name;
    return count;
}

static bool has(const struct conf_schema *schema, const char *name)
{
    const char *names[OPTIONS_MAX];
    size_t count = names_of(schema, names);
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The block, inside of `schema` or inside of its blocks, that has the name. */
static const struct conf_schema *home_of(const struct conf_schema *schema, const char *name)
{
    if (has(schema, name))
        return schema;
    for (size_t i = 0; i < schema->block_count; i++) {
        const struct conf_schema *found = home_of(schema->blocks[i], name);
        if (found != NULL)
            return found;
    }
    return NULL;
}

void conf_suggest_option(const struct conf_schema *schema, const struct conf_schema *file,
                         const char *name, char out[CONF_HINT_MAX])
{
    const char *names[OPTIONS_MAX];
    size_t count = names_of(schema, names);
    const struct conf_schema *home = home_of(file, name);
    const char *closest = conf_closest(names, count, name);
    if (strpbrk(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL) {
        snprintf(out, CONF_HINT_MAX, "allowed: name = value, or a block; comments begin with #");
        return;
    }
    if (home != NULL && home->name[0] == '\0') {
        snprintf(out, CONF_HINT_MAX, "it belongs outside of all blocks");
        return;
    }
    if (home != NULL) {
        snprintf(out, CONF_HINT_MAX, "it belongs in a block \"%s\"", home->name);
        return;
    }
    if (closest != NULL) {
        snprintf(out, CONF_HINT_MAX, "did you mean \"%s\"?", closest);
        return;
    }
    int at = snprintf(out, CONF_HINT_MAX, "allowed:");
    for (size_t i = 0; i < count && at > 0 && at < CONF_HINT_MAX; i++)
        at += snprintf(out + at, CONF_HINT_MAX - (size_t)at, "%s %s", i > 0 ? "," : "", names[i]);
}
