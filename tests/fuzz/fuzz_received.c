/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of a Received field, which a stranger may have written. */
#include "core/received.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static bool same(const struct received *a, const struct received *b)
{
    return a->kind == b->kind && ipaddr_equal(&a->from, &b->from) && a->submitted == b->submitted &&
           a->helo_recorded == b->helo_recorded && strcmp(a->helo, b->helo) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct received got, again;
    char *value = malloc(size + 1);
    CHECK(value != NULL);
    if (size > 0)
        memcpy(value, data, size);
    value[size] = '\0';
    memset(&got, 0xff, sizeof got);
    received_parse(value, &got);
    CHECK((got.kind == RECEIVED_FROM) == (got.from.family != IP_NONE));
    CHECK(got.kind == RECEIVED_FROM || (!got.helo_recorded && !got.submitted));
    CHECK(strnlen(got.helo, sizeof got.helo) <= HELO_TEXT_MAX);
    CHECK(got.helo_recorded || got.helo[0] == '\0');
    /* Nothing is made up. */
    if (got.helo[0] != '\0')
        CHECK(strstr(value, got.helo) != NULL);
    /* Behind what is looked at, nothing counts. */
    if (size > RECEIVED_TEXT_MAX) {
        value[RECEIVED_TEXT_MAX] = '\0';
        received_parse(value, &again);
        CHECK(same(&got, &again));
    }
    free(value);
    return 0;
}
