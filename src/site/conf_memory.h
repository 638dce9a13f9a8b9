/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that lives and dies with one configuration. */
#ifndef IPREVD_CONF_MEMORY_H
#define IPREVD_CONF_MEMORY_H

#include "base/result.h"

#include <stddef.h>

struct conf_memory;

/* Zeroed memory on the list, or NULL. */
void *conf_memory_alloc(struct conf_memory **list, size_t size) MUST_CHECK;
char *conf_memory_copy(struct conf_memory **list, const char *text) MUST_CHECK;
void conf_memory_free(struct conf_memory **list);

#endif
