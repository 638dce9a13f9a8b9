/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of a Received field, which a stranger may have written. */
#include "fuzz.h"

#include "core/received.h"

#include <stdio.h>
#include <string.h>

enum place { READ, HELO, SUBMITTED, INTERNAL, FETCHED, UNREADABLE, LONG, NAMED, SAID };

FUZZ_PLACES([READ] = "from", [HELO] = "helo", [SUBMITTED] = "submitted", [INTERNAL] = "internal",
            [FETCHED] = "fetched", [UNREADABLE] = "unreadable", [LONG] = "longer-than-looked-at",
            [NAMED] = "ptr", [SAID] = "said-in-ehlo");

static bool same(const struct received *a, const struct received *b)
{
    return a->kind == b->kind && ipaddr_equal(&a->from, &b->from) && a->submitted == b->submitted &&
           a->helo_recorded == b->helo_recorded && strcmp(a->helo, b->helo) == 0 &&
           a->ptr_state == b->ptr_state && strcmp(a->ptr, b->ptr) == 0;
}

/* Writers that let any printable byte through in EHLO, where it cannot hurt: Exim with
   helo_accept_junk_hosts, Sendmail with AllowBogusHELO. */
static void check_writers(const uint8_t *data, size_t size)
{
    static const struct {
        const char *before, *behind;
    } writers[] = {
        {"from b.example ([192.0.2.1] helo=", ")\n\tby y with esmtp (Exim 4.96)\n\tid 1; date"},
        {"from [192.0.2.1] (helo=", ")\n\tby y with esmtp (Exim 4.96)\n\tid 1; date"},
        {"from ", " (b.example [192.0.2.1])\n\tby y (8.17.1/8.17.1) with SMTP id 1; date"},
    };
    char value[1024], ehlo[513], from[IPADDR_TEXT_MAX];
    size_t length = 0;
    for (size_t i = 0; i < size && length < sizeof ehlo - 1; i++)
        if (data[i] >= ' ' && data[i] < 0x7f)
            ehlo[length++] = (char)data[i];
    ehlo[length] = '\0';
    if (length == 0)
        return;
    fuzz_reach(SAID);
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++) {
        struct received got;
        (void)snprintf(value, sizeof value, "%s%s%s", writers[i].before, ehlo, writers[i].behind);
        received_parse(value, &got);
        CHECK(got.kind == RECEIVED_FROM && !got.submitted);
        CHECK(strcmp(ipaddr_format(&got.from, from), "192.0.2.1") == 0);
        CHECK(got.ptr_state == (i == 1 ? RECEIVED_PTR_UNRECORDED : RECEIVED_PTR_CONFIRMED));
        CHECK(strcmp(got.ptr, i == 1 ? "" : "b.example") == 0);
    }
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
               : got.kind == RECEIVED_FETCHED  ? FETCHED
                                               : UNREADABLE);
    if (got.submitted)
        fuzz_reach(SUBMITTED);
    if (got.helo_recorded)
        fuzz_reach(HELO);
    CHECK(got.kind == RECEIVED_FROM || got.ptr_state == RECEIVED_PTR_UNRECORDED);
    CHECK((got.ptr[0] != '\0') ==
          (got.ptr_state == RECEIVED_PTR_CONFIRMED || got.ptr_state == RECEIVED_PTR_UNCONFIRMED));
    if (got.ptr[0] != '\0') {
        fuzz_reach(NAMED);
        CHECK(strstr(value, got.ptr) != NULL);
    }
    check_writers(data, size);
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
