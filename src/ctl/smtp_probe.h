/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host says at port 25: its greeting, and its reply to EHLO.  That is what it says when it
 * receives mail.  Blocks, for SMTP_PROBE_MS at most; thread safe.
 */
#ifndef IPREVD_SMTP_PROBE_H
#define IPREVD_SMTP_PROBE_H

#include "ctl/smtp_reply.h"

#define SMTP_PROBE_PORT        25
#define SMTP_PROBE_MS          10000 /* in all; servers that delay their greeting wait 5 or 6 s */
#define SMTP_PROBE_FAILURE_MAX 160
#define SMTP_PROBE_NAMES       2

/* How a name that it said fits the address. */
enum smtp_fit {
    SMTP_FIT_PTR,        /* the confirmed PTR name */
    SMTP_FIT_ADDRESS,    /* it resolves to the address */
    SMTP_FIT_ELSEWHERE,  /* ... only to others */
    SMTP_FIT_UNRESOLVED, /* it has no address of that family */
    SMTP_FIT_UNKNOWN,    /* looking it up failed */
};

struct smtp_probe {
    char failure[SMTP_PROBE_FAILURE_MAX]; /* what kept it from saying all; "": nothing did */
    struct smtp_reply greeting, ehlo;     /* .code 0: not heard */
    /* The names in them, each once; `fit` is filled by who can look them up. */
    unsigned count;
    struct {
        char name[HOSTNAME_MAX + 1];
        enum smtp_fit fit;
    } names[SMTP_PROBE_NAMES];
};

/* Connect, listen, say EHLO with our end's address, listen, QUIT. */
void smtp_probe_run(const struct ipaddr *address, struct smtp_probe *out);

#endif
