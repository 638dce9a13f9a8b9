/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct conf_memory {
    struct conf_memory *next;
    max_align_t data[];
};

void *conf_memory_alloc(struct conf_memory **list, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct conf_memory))
        return NULL;
    struct conf_memory *block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    block->next = *list;
    *list = block;
    return block->data;
}

char *conf_memory_copy(struct conf_memory **list, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = conf_memory_alloc(list, size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

void conf_memory_free(struct conf_memory **list)
{
    while (*list != NULL) {
        struct conf_memory *next = (*list)->next;
        free(*list);
        *list = next;
    }
}
