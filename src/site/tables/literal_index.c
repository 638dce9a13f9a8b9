/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/literal_index.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* power of two; the patterns of a table are thousands at most */
#define NONE    UINT32_MAX

/* --- finding the piece ----------------------------------------------------------------------- */

/* Reads a pattern from left to right and collects runs of plain characters outside of groups. */
struct literal_scan {
    const char *at;
    char run[LITERAL_MAX + 1];
    size_t length;
    char best[LITERAL_MAX + 1];
    size_t best_length;
};

static void end_run(struct literal_scan *scan)
{
    if (scan->length > scan->best_length) {
        memcpy(scan->best, scan->run, scan->length);
        scan->best_length = scan->length;
    }
    scan->length = 0;
}

static void add_char(struct literal_scan *scan, char c)
{
    if (scan->length == LITERAL_MAX)
        end_run(scan);
    scan->run[scan->length++] = (char)tolower((unsigned char)c);
}

/* Past a [...] whose '[' was read.  False: it has no end. */
static bool skip_class(struct literal_scan *scan)
{
    const char *p = scan->at;
    if (*p == '^')
        p++;
    if (*p == ']')
        p++;
    for (; *p != '\0' && *p != ']'; p++) {
        if (*p == '\\' && p[1] == 'Q')
            return false;
        if (*p == '\\' && p[1] != '\0') {
            p++;
        } else if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
            const char end[3] = {p[1], ']', '\0'};
            const char *close = strstr(p + 2, end);
            if (close != NULL)
                p = close + 1;
        }
    }
    if (*p == '\0')
        return false;
    scan->at = p + 1;
    return true;
}

/* Backslash and a letter that stands for a class of characters or a position.  Not \\E: PCRE2
   passes over one without \\Q, so that a count behind it is that of the character before. */
static bool is_simple_escape(char c)
{
    return strchr("dDwWsSbBAZzGhHvVRnrtefaK", c) != NULL;
}

/* A "(?" or "(*" that may change how the rest is to be read. */
static bool is_odd_group(const char *after_open)
{
    if (*after_open == '*')
        return true;
    return *after_open == '?' && (after_open[1] == '\0' || strchr(":=!<>|", after_open[1]) == NULL);
}

/* Past a group whose '(' was read. */
static bool skip_group(struct literal_scan *scan)
{
    unsigned depth = 1;
    if (is_odd_group(scan->at))
        return false;
    while (depth > 0) {
        char c = *scan->at++;
        if (c == '\0')
            return false;
        if (c == '\\') {
            if (*scan->at == '\0' || *scan->at == 'Q')
                return false;
            scan->at++;
        } else if (c == '[') {
            if (!skip_class(scan))
                return false;
        } else if (c == '(') {
            if (is_odd_group(scan->at))
                return false;
            depth++;
        } else if (c == ')') {
            depth--;
        }
    }
    return true;
}

/* Past "{2,3}": what it repeats may be absent. */
static void skip_count(struct literal_scan *scan)
{
    const char *p = scan->at;
    while (isdigit((unsigned char)*p) || *p == ',' || *p == ' ')
        p++;
    if (*p == '}')
        scan->at = p + 1;
}

/* After a repetition: it may be lazy or possessive. */
static void skip_mode(struct literal_scan *scan)
{
    if (*scan->at == '?' || *scan->at == '+')
        scan->at++;
}

static bool scan_escape(struct literal_scan *scan)
{
    char c = *scan->at;
    if (c == '\0')
        return false;
    scan->at++;
    if (!isalnum((unsigned char)c)) {
        add_char(scan, c);
        return true;
    }
    end_run(scan);
    return is_simple_escape(c);
}

/* One element.  False: nothing can be said about this pattern. */
static bool scan_element(struct literal_scan *scan)
{
    char c = *scan->at++;
    switch (c) {
    case '\\':
        return scan_escape(scan);
    case '|':
    case ')':
        return false;
    case '(':
        end_run(scan);
        return skip_group(scan);
    case '[':
        end_run(scan);
        return skip_class(scan);
    case '.':
    case '^':
    case '$':
        end_run(scan);
        return true;
    case '*':
    case '?':
    case '{':
        if (scan->length > 0)
            scan->length--;
        end_run(scan);
        if (c == '{')
            skip_count(scan);
        skip_mode(scan);
        return true;
    case '+':
        end_run(scan);
        skip_mode(scan);
        return true;
    default:
        add_char(scan, c);
        return true;
    }
}

void literal_index_of_pattern(const char *pattern, char out[LITERAL_MAX + 1])
{
    struct literal_scan scan = {.at = pattern};
    out[0] = '\0';
    while (*scan.at != '\0')
        if (!scan_element(&scan))
            return;
    end_run(&scan);
    if (scan.best_length < LITERAL_MIN)
        return;
    memcpy(out, scan.best, scan.best_length);
    out[scan.best_length] = '\0';
}

/* --- index ----------------------------------------------------------------------------------- */

/* Three bytes of a piece, by which it is found. */
struct literal_node {
    uint32_t gram;
    uint32_t next;   /* in the bucket, or NONE */
    uint16_t offset; /* of the three bytes in the piece */
    uint16_t length;
    char text[LITERAL_MAX];
};

struct literal_index {
    uint32_t buckets[BUCKETS];
    uint32_t *patterns; /* of each node */
    struct literal_node *nodes;
    size_t count;
};

static uint32_t gram_at(const char *text)
{
    return (uint32_t)(unsigned char)text[0] << 16 | (uint32_t)(unsigned char)text[1] << 8 |
           (unsigned char)text[2];
}

static size_t bucket_of(uint32_t gram)
{
    return (gram * 2654435761U >> 16) & (BUCKETS - 1);
}

/* The three bytes of the piece that fewest pieces share: ".net" would select nothing. */
static uint16_t rarest_gram(const char *literal, const uint32_t *frequency)
{
    size_t best = 0, length = strlen(literal);
    for (size_t i = 1; i + LITERAL_MIN <= length; i++)
        if (frequency[bucket_of(gram_at(literal + i))] <
            frequency[bucket_of(gram_at(literal + best))])
            best = i;
    return (uint16_t)best;
}

static void add_node(struct literal_index *index, uint32_t pattern, const char *literal,
                     const uint32_t *frequency)
{
    struct literal_node *node = &index->nodes[index->count];
    node->length = (uint16_t)strlen(literal);
    node->offset = rarest_gram(literal, frequency);
    node->gram = gram_at(literal + node->offset);
    memcpy(node->text, literal, node->length);
    uint32_t *bucket = &index->buckets[bucket_of(node->gram)];
    node->next = *bucket;
    *bucket = (uint32_t)index->count;
    index->patterns[index->count++] = pattern;
}

enum result literal_index_new(const char (*literals)[LITERAL_MAX + 1], size_t count,
                              struct literal_index **out)
{
    struct literal_index *index = calloc(1, sizeof *index);
    uint32_t *frequency = calloc(BUCKETS, sizeof *frequency);
    if (index != NULL) {
        index->nodes = calloc(count + 1, sizeof *index->nodes);
        index->patterns = calloc(count + 1, sizeof *index->patterns);
    }
    if (index == NULL || frequency == NULL || index->nodes == NULL || index->patterns == NULL) {
        free(frequency);
        literal_index_free(index);
        return RESULT_NOMEM;
    }
    memset(index->buckets, 0xff, sizeof index->buckets);
    for (size_t i = 0; i < count; i++)
        for (size_t at = 0; at + LITERAL_MIN <= strlen(literals[i]); at++)
            frequency[bucket_of(gram_at(literals[i] + at))]++;
    for (size_t i = 0; i < count; i++)
        if (literals[i][0] != '\0')
            add_node(index, (uint32_t)i, literals[i], frequency);
    free(frequency);
    *out = index;
    return RESULT_OK;
}

void literal_index_free(struct literal_index *index)
{
    if (index == NULL)
        return;
    free(index->nodes);
    free(index->patterns);
    free(index);
}

void literal_index_mark(const struct literal_index *index, const char *subject, size_t length,
                        uint64_t *bits)
{
    for (size_t at = 0; at + LITERAL_MIN <= length; at++) {
        uint32_t gram = gram_at(subject + at);
        for (uint32_t i = index->buckets[bucket_of(gram)]; i != NONE; i = index->nodes[i].next) {
            const struct literal_node *node = &index->nodes[i];
            if (node->gram != gram || node->offset > at ||
                length - (at - node->offset) < node->length ||
                memcmp(subject + at - node->offset, node->text, node->length) != 0)
                continue;
            bits[index->patterns[i] / 64] |= UINT64_C(1) << (index->patterns[i] % 64);
        }
    }
}
