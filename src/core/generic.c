/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/generic.h"

struct generic generic_evaluate(const char *name, const struct ipaddr *addr, bool static_is_intent)
{
    (void)name;
    (void)addr;
    (void)static_is_intent;
    return (struct generic){.generic = false};
}
