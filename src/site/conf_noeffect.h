/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a configuration that are valid and change nothing: each gets a warning. */
#ifndef IPREVD_CONF_NOEFFECT_H
#define IPREVD_CONF_NOEFFECT_H

#include "site/conf_build.h"

/* `file`: the tree that loader->conf was built from. */
void conf_noeffect(struct conf_loader *loader, const struct conf_block *file);

#endif
