/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The farm's signature: HMAC-SHA256 (RFC 2104) by the key that all its hosts have, over the farm's
 * name, where a line stands in the store, and the line.  So whoever can write to the store can
 * neither make up a line nor move one elsewhere.  The one place where nettle is used, which
 * allocates nothing: libcrypto crashes when memory is out while it begins.  Thread safe.
 */
#ifndef IPREVD_FARM_SIGN_H
#define IPREVD_FARM_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FARM_KEY_MIN 32   /* bytes: as many as the hash has */
#define FARM_KEY_MAX 4096 /* bytes of a key file */

#define FARM_SIGNATURE_MAX 65 /* 64 hexadecimal digits and NUL */

struct farm_key {
    const char *farm; /* its name */
    uint8_t bytes[FARM_KEY_MAX];
    size_t length;
};

/* Sign `line` of `length` bytes that stands in the field of a key of the store. */
void farm_sign(const struct farm_key *key, const char *place, const char *field, const char *line,
               size_t length, char out[FARM_SIGNATURE_MAX]);

/* Are two signatures the same?  In a time that does not tell where they differ. */
bool farm_sign_equal(const char *a, const char *b);

#endif
