/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that runs out when a test wants it to.  The program is linked with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup:
 * the allocations of its own objects fail, not those of shared libraries.  Thread safe.
 */
#ifndef IPREVD_FAILING_ALLOC_H
#define IPREVD_FAILING_ALLOC_H

#include <stdbool.h>

/* The n-th allocation from now on fails (1: the next), and with `for_good` all after it; 0: none.
 */
void alloc_fail_at(long n, bool for_good);

/* Has one failed since? */
bool alloc_failed(void);

#endif
