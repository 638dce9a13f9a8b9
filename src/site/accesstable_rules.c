/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/accesstable_rules.h"

#include <stdlib.h>

#define GROW_FROM 64

/* The ifs that are open: where, and what was the guard outside. */
struct nesting {
    unsigned depth;
    struct {
        unsigned line;
        uint32_t outer;
    } opened[TABLE_NESTING_MAX];
};

static enum status push(struct nesting *nesting, unsigned line, uint32_t outer,
                        struct table_error *error)
{
    if (nesting->depth == TABLE_NESTING_MAX) {
        table_error(error, line, "if nested deeper than %d", TABLE_NESTING_MAX);
        return STATUS_LIMIT;
    }
    nesting->opened[nesting->depth].line = line;
    nesting->opened[nesting->depth++].outer = outer;
    return STATUS_OK;
}

static enum status pop(struct nesting *nesting, unsigned line, uint32_t *guard,
                       struct table_error *error)
{
    if (nesting->depth == 0) {
        table_error(error, line, "endif without if");
        return STATUS_INVALID;
    }
    *guard = nesting->opened[--nesting->depth].outer;
    return STATUS_OK;
}

enum status table_read_rules(const struct table_rules *rules, void *table, struct table_text *text,
                             struct table_error *error)
{
    struct nesting nesting = {0};
    uint32_t guard = TABLE_UNGUARDED;
    unsigned number;
    char *line, *rest;
    enum status status;
    while ((status = table_next_line(text, &line, &number, error)) == STATUS_OK) {
        if (table_is_if(line, &rest)) {
            status = push(&nesting, number, guard, error);
            if (status == STATUS_OK)
                status = rules->open(table, rest, number, &guard, error);
        } else if (table_is_endif(line)) {
            status = pop(&nesting, number, &guard, error);
        } else {
            status = rules->add(table, line, number, guard, error);
        }
        if (status != STATUS_OK)
            return status;
    }
    if (status != STATUS_NOTFOUND)
        return status;
    if (nesting.depth > 0) {
        table_error(error, nesting.opened[nesting.depth - 1].line, "if without endif");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

void *table_grown(void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? GROW_FROM : *room * 2;
    void *bigger = reallocarray(array, more, size);
    if (bigger != NULL)
        *room = more;
    return bigger;
}
