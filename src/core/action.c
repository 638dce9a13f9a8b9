/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/action.h"

#include <string.h>

static const char *const texts[ACTION_COUNT] = {
    [ACTION_ACCEPT] = "accept",         [ACTION_TAG] = "tag",
    [ACTION_QUARANTINE] = "quarantine", [ACTION_GREYLIST] = "greylist",
    [ACTION_TEMPFAIL] = "tempfail",     [ACTION_REJECT] = "reject",
};

const char *action_text(enum action action)
{
    return texts[action];
}

bool action_parse(const char *text, enum action *out)
{
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        if (strcmp(text, texts[i]) == 0) {
            *out = (enum action)i;
            return true;
        }
    }
    return false;
}
