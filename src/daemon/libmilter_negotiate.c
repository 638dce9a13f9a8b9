/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

/*
 * Events at which nothing can be answered, or nothing ever is: the MTA need not wait.  Over a unix
 * socket libmilter (8.17.1, comm.c: POLLHUP) drops what it has not read when the MTA hangs up, and
 * Postfix sends events without an answer at the latest then: the one at which a client is judged is
 * answered there.
 */
static unsigned long noreply_steps(const struct libmilter_wish *wish)
{
    unsigned long steps = LIBMILTER_NOREPLY_HEADER | LIBMILTER_NOREPLY_EOH;
    bool answered = wish->refuses || !wish->inet;
    /* At stage helo, a client that said none is judged at MAIL. */
    if (wish->stage == STAGE_RCPT || wish->stage == STAGE_CONNECT || !answered)
        steps |= LIBMILTER_NOREPLY_MAIL;
    if (!answered)
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
