/* SPDX-License-Identifier: BSD-2-Clause */
#include "farm/farm_sign.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/version.h>
#include <stdio.h>
#include <string.h>

/* With its NUL, which none of the parts holds. */
static void add(struct hmac_sha256_ctx *hmac, const char *part)
{
    hmac_sha256_update(hmac, strlen(part) + 1, (const uint8_t *)part);
}

void farm_sign(const struct farm_key *key, const char *place, const char *field, const char *line,
               size_t length, char out[FARM_SIGNATURE_MAX])
{
    struct hmac_sha256_ctx hmac;
    uint8_t digest[SHA256_DIGEST_SIZE];
    hmac_sha256_set_key(&hmac, key->length, key->bytes);
    add(&hmac, key->farm);
    add(&hmac, place);
    add(&hmac, field);
    hmac_sha256_update(&hmac, length, (const uint8_t *)line);
#if NETTLE_VERSION_MAJOR >= 4
    hmac_sha256_digest(&hmac, digest);
#else
    hmac_sha256_digest(&hmac, sizeof digest, digest);
#endif
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

bool farm_sign_equal(const char *a, const char *b)
{
    size_t length = strlen(a);
    return strlen(b) == length && memeql_sec(a, b, length);
}
