/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of a Received field, which a stranger may have written. */
#include "fuzz.h"

#include "core/received.h"

#include <string.h>

enum place { READ, HELO, SUBMITTED, INTERNAL, UNREADABLE, LONG };

FUZZ_PLACES([READ] = "from", [HELO] = "helo", [SUBMITTED] = "submitted", [INTERNAL] = "internal",
            [UNREADABLE] = "unreadable", [LONG] = "longer-than-looked-at");

static bool same(const struct received *a, const struct received *b)
{
    return a->kind == b->kind && ipaddr_equal(&a->from, &b->from) && a->submitted == b->submitted &&
           a->helo_recorded == b->helo_recorded && strcmp(a->helo, b->helo) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct received got, again;
    char *value = fuzz_copy(data, size);
    memset(&got, 0xff, sizeof got);
    received_parse(value, &got);
    CHECK((got.kind == RECEIVED_FROM) == (got.from.family != IP_NONE));
    CHECK(got.kind == RECEIVED_FROM || (!got.helo_recorded && !got.submitted));
    CHECK(strnlen(got.helo, sizeof got.helo) <= HELO_TEXT_MAX);
    CHECK(got.helo_recorded || got.helo[0] == '\0');
    fuzz_reach(got.kind == RECEIVED_FROM       ? READ
               : got.kind == RECEIVED_INTERNAL ? INTERNAL
                                               : UNREADABLE);
    if (got.submitted)
        fuzz_reach(SUBMITTED);
    if (got.helo_recorded)
        fuzz_reach(HELO);
    /* Nothing is made up. */
    if (got.helo[0] != '\0')
        CHECK(strstr(value, got.helo) != NULL);
    /* Behind what is looked at, nothing counts. */
    if (size > RECEIVED_TEXT_MAX) {
        fuzz_reach(LONG);
        value[RECEIVED_TEXT_MAX] = '\0';
        received_parse(value, &again);
        CHECK(same(&got, &again));
    }
    free(value);
    return 0;
}
