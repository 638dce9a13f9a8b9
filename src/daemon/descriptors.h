/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IPREVD_DESCRIPTORS_H
#define IPREVD_DESCRIPTORS_H

#include "site/conf.h"

/*
 * Raise the limit of open descriptors to what the configuration may need, and log a warning where
 * the system does not let us.  At start and after a reload: max-sessions may have grown.
 */
void descriptors_provide(const struct conf *conf);

#endif
