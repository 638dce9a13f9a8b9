/* SPDX-License-Identifier: BSD-2-Clause */
/* Options that are read at start only (`at_start` in conf_schema.c). */
#ifndef IPREVD_CONF_RESTART_H
#define IPREVD_CONF_RESTART_H

#include "site/conf.h"

#include "base/textbuf.h"

/* Bytes of a value as it is told, with its NUL; longer ones are cut. */
#define CONF_RESTART_VALUE_MAX 256

/* There are no more of them. */
#define CONF_RESTART_MAX 16

/* Their values, in the order of the schema; "" where one is not set. */
struct conf_restart_values {
    char of[CONF_RESTART_MAX][CONF_RESTART_VALUE_MAX];
};

/* Put the names of all of them: "listen, control, ...". */
void conf_restart_put_names(struct textbuf *out);

/* Keep the values that the daemon starts with. */
void conf_restart_keep(const struct conf *conf, struct conf_restart_values *out);

/*
 * Tell each of them that `fresh` sets to another value than the daemon started with, whatever
 * reloads there were since.  Pure; thread safe.
 */
void conf_restart_each(const struct conf_restart_values *started, const struct conf *fresh,
                       void (*tell)(void *arg, const char *name, const char *was, const char *is),
                       void *arg);

#endif
