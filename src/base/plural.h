/* SPDX-License-Identifier: BSD-2-Clause */
/* Words that follow a number in a message. */
#ifndef IPREVD_PLURAL_H
#define IPREVD_PLURAL_H

#include <stdint.h>

/* "s" unless there is one: "1 line", "2 lines". */
static inline const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* `one` if there is one, else `many`: "is" or "are". */
static inline const char *plural_of(uint64_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

#endif
