/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/table_rules.h"

#include <stdlib.h>
#include <string.h>

#define GROW_FROM 64

/* The ifs that are open: where, and what was the guard outside. */
struct nesting {
    unsigned depth;
    struct {
        unsigned line;
        uint32_t outer;
    } opened[TABLE_NESTING_MAX];
};

static enum result push(struct nesting *nesting, unsigned line, uint32_t outer,
                        struct table_error *error)
{
    if (nesting->depth == TABLE_NESTING_MAX) {
        table_error(error, line, "if nested deeper than %d", TABLE_NESTING_MAX);
        return RESULT_LIMIT;
    }
    nesting->opened[nesting->depth].line = line;
    nesting->opened[nesting->depth++].outer = outer;
    return RESULT_OK;
}

static void pop(struct nesting *nesting, unsigned line, uint32_t *guard, struct table_error *error)
{
    if (nesting->depth == 0)
        table_lost(error, line, "endif without if");
    else
        *guard = nesting->opened[--nesting->depth].outer;
}

enum result table_rules_read(const struct table_rules *rules, void *table, struct table_text *text,
                             struct table_error *error)
{
    struct nesting nesting = {0};
    uint32_t guard = TABLE_UNGUARDED;
    unsigned number;
    char *line, *rest;
    enum result status;
    while ((status = table_lines_next(text, &line, &number, error)) == RESULT_OK) {
        if (table_lines_is_if(line, &rest)) {
            status = push(&nesting, number, guard, error);
            if (status == RESULT_OK)
                status = rules->open(table, rest, number, &guard, error);
            if (status == RESULT_INVALID)
                table_go_on(error, "the if is passed over, and what is inside of it holds for all");
        } else if (table_lines_is_endif(line)) {
            pop(&nesting, number, &guard, error);
            if (line[strlen("endif")] != '\0')
                table_warning(error, number, "\"%.80s\" behind endif means nothing",
                              line + strlen("endif") + strspn(line + strlen("endif"), " \t"));
        } else {
            status = rules->add(table, line, number, guard, error);
            if (status == RESULT_INVALID)
                table_go_on(error, TABLE_PASSED_OVER);
        }
        if (status != RESULT_OK && status != RESULT_INVALID)
            return status;
    }
    if (status != RESULT_NOTFOUND)
        return status;
    if (nesting.depth > 0)
        table_lost(error, nesting.opened[nesting.depth - 1].line, "if without endif");
    return RESULT_OK;
}

void *table_rules_grown(void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? GROW_FROM : *room * 2;
    void *bigger = reallocarray(array, more, size);
    if (bigger != NULL)
        *room = more;
    return bigger;
}
