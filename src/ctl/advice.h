/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sending side can do, in plain words: which record contradicts which, who sets it, the
 * exact record where it is known, and which setting of a mail server is its EHLO name.  Never a
 * record that is there already, none beside a CNAME, none for a name that has addresses of its own
 * and may be a web site's.  Pure; thread safe.
 */
#ifndef IPREVD_ADVICE_H
#define IPREVD_ADVICE_H

#include "core/checks.h"
#include "ctl/inquiry.h"

#define ADVICE_MAX      32 /* lines */
#define ADVICE_TEXT_MAX 1024

enum advice_kind {
    ADVICE_SENTENCE, /* sentences with full stops */
    ADVICE_LINE,     /* a record, a command, a setting: to be copied as it is, unbroken */
};

struct advice_line {
    enum advice_kind kind;
    char text[ADVICE_TEXT_MAX]; /* untrusted text escaped */
};

struct advice {
    size_t count;
    struct advice_line lines[ADVICE_MAX + 1]; /* the last is for what does not fit */
};

/*
 * For the checks of `set` that are true: those that decide or count.  `more` is what else the DNS
 * says, as far as it was asked.  Without any check, what works here and may not work elsewhere.
 */
void advice_make(const struct evidence *evidence, check_set set, const struct inquiry *more,
                 struct advice *out);

#endif
