/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/rrset.h"

#include "dns/wireread.h"

#include <stdlib.h>
#include <string.h>

static int compare_addresses(const void *a, const void *b)
{
    const struct rr *x = a, *y = b;

    return memcmp(x->data, y->data, x->data_length);
}

static int compare_targets(const void *a, const void *b)
{
    const struct rr *x = a, *y = b;

    /* Only MX has preferences: hosts stand in the order in which they are tried. */
    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return wire_name_compare(x->data, y->data);
}

/* Sort, and move each value's first record to the front; returns how many values there are. */
static unsigned sort_unique(struct rr *records, unsigned count, uint16_t type)
{
    int (*compare)(const void *, const void *) =
        type == RR_A || type == RR_AAAA ? compare_addresses : compare_targets;
    unsigned unique = 0;

    qsort(records, count, sizeof *records, compare);
    for (unsigned i = 0; i < count; i++)
        if (unique == 0 || compare(&records[unique - 1], &records[i]) != 0)
            records[unique++] = records[i];
    return unique;
}

struct answer *rrset_answer(struct rr *records, unsigned count, uint16_t type)
{
    uint32_t ttl_s = UINT32_MAX;
    size_t length = 0, at = 0;
    struct answer *answer;

    for (unsigned i = 0; i < count; i++)
        if (records[i].ttl_s < ttl_s)
            ttl_s = records[i].ttl_s;
    count = sort_unique(records, count, type);
    for (unsigned i = 0; i < count; i++)
        length += records[i].data_length;
    answer = answer_new(type, DNS_FOUND, length);
    if (answer == NULL)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        memcpy(answer->payload + at, records[i].data, records[i].data_length);
        at += records[i].data_length;
    }
    answer->payload_length = (uint32_t)length;
    answer->count = (uint16_t)count;
    answer->ttl_s = ttl_s;
    return answer;
}
