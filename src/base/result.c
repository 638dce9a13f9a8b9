/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/result.h"

const char *result_text(enum result status)
{
    switch (status) {
    case RESULT_OK:
        return "ok";
    case RESULT_NOMEM:
        return "out of memory";
    case RESULT_INVALID:
        return "malformed";
    case RESULT_LIMIT:
        return "limit reached";
    case RESULT_NOTFOUND:
        return "not found";
    case RESULT_PENDING:
        return "pending";
    case RESULT_CLOSED:
        return "shutting down";
    case RESULT_IO:
        return "system error";
    }
    return "unknown";
}
