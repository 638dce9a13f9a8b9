/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion for bash, made of the tables of commands and options.  One owner at a time. */
#ifndef IPREVD_COMPLETION_H
#define IPREVD_COMPLETION_H

#include "ctl/command.h"

#include <stdio.h>

void completion_print_bash(FILE *stream, const struct command *const commands[], size_t count);

#endif
