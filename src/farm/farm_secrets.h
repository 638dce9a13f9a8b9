/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a farm's block: its key and the store's password.  Does I/O; thread safe. */
#ifndef IPREVD_FARM_SECRETS_H
#define IPREVD_FARM_SECRETS_H

#include "base/result.h"
#include "farm/farm_sign.h"
#include "site/conf.h"

#define FARM_PASSWORD_MAX 512 /* bytes with NUL */

struct farm_secrets {
    uint8_t key[FARM_KEY_MAX];
    size_t key_length;
    char password[FARM_PASSWORD_MAX]; /* "": none */
};

#define FARM_SECRETS_ERROR_MAX 512

/*
 * Read them for a configuration that has a farm.  RESULT_INVALID: `error` says what is wrong with
 * which file.  A line feed at the end does not count.
 */
enum result farm_secrets_read(const struct conf *conf, struct farm_secrets *out,
                              char error[FARM_SECRETS_ERROR_MAX]) MUST_CHECK;

#endif
