/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

/* Events at which nothing can be answered, or nothing ever is: the MTA need not wait. */
static unsigned long noreply_steps(const struct libmilter_wish *wish)
{
    unsigned long steps = LIBMILTER_NOREPLY_HEADER | LIBMILTER_NOREPLY_EOH;
    /* At stage helo, a client that said none is judged at MAIL. */
    if (wish->stage == STAGE_RCPT || wish->stage == STAGE_CONNECT || !wish->refuses)
        steps |= LIBMILTER_NOREPLY_MAIL;
    if (!wish->refuses)
        steps |= LIBMILTER_NOREPLY_RCPT;
    return steps;
}

unsigned long libmilter_negotiate(const struct libmilter_wish *wish, unsigned long offered)
{
    unsigned long steps = LIBMILTER_NO_BODY | LIBMILTER_NO_UNKNOWN;
    if (!wish->inet && (offered & LIBMILTER_NO_DATA) != 0)
        steps |= LIBMILTER_NO_DATA | LIBMILTER_NO_EOH;
    if (wish->stage == STAGE_CONNECT)
        steps |= LIBMILTER_NO_HELO;
    if (wish->stage != STAGE_RCPT)
        steps |= LIBMILTER_NO_RCPT;
    return offered & (noreply_steps(wish) | steps);
}
