/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that are read at start only (`at_start` in conf_schema.c). */
#ifndef IPREVD_CONF_RESTART_H
#define IPREVD_CONF_RESTART_H

#include "site/conf.h"

#include "base/textbuf.h"

/* Bytes of a value as it is told, with its NUL; longer ones are cut. */
#define CONF_RESTART_VALUE_MAX 256

/* Put the names of all of them: "listen, control, ...". */
void conf_restart_put_names(struct textbuf *out);

/*
 * Tell each of them that `fresh` sets to another value than `old`, which the daemon started with.
 * Pure; thread safe.
 */
void conf_restart_each(const struct conf *old, const struct conf *fresh,
                       void (*tell)(void *arg, const char *name, const char *was, const char *is),
                       void *arg);

#endif
