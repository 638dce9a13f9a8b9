/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/status.h"

const char *status_text(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_NOMEM:
        return "out of memory";
    case STATUS_INVALID:
        return "malformed";
    case STATUS_LIMIT:
        return "limit reached";
    case STATUS_NOTFOUND:
        return "not found";
    case STATUS_PENDING:
        return "pending";
    case STATUS_CLOSED:
        return "shutting down";
    case STATUS_IO:
        return "system error";
    }
    return "unknown";
}
