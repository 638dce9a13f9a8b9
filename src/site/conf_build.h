/* SPDX-License-Identifier: BSD-2-Clause */
/* From the tree of words to a struct conf, and what contradicts itself in one. */
#ifndef IPREVD_CONF_BUILD_H
#define IPREVD_CONF_BUILD_H

#include "site/conf_value.h"

/* Fill loader->conf from the file's tree.  Problems are reported to the loader's messages. */
void conf_build(struct conf_loader *loader, const struct conf_block *file);

/* Errors and warnings about what is valid by itself but not together. */
void conf_check(struct conf_loader *loader, const struct conf_block *file, int64_t wall_s);

/* What was written for an option of a block; never NULL for an option of its schema. */
const struct conf_entry *conf_entry(const struct conf_block *block, const char *option);

/* Set every option of a block's object; `prefix` is the key of the block with its dot. */
void conf_build_options(struct conf_loader *loader, const struct conf_block *block,
                        const char *prefix, void *object);

#endif
