/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The player of scenario files: tests/scenario/README.  For the program that plays them once and
 * for the one that plays them while memory runs out.
 */
#ifndef IPREVD_PLAY_H
#define IPREVD_PLAY_H

#include "daemon/session.h"

#include <stdio.h>

#define PLAY_ANSWERS_MAX 4096

/* What became of one play. */
struct play_report {
    bool set_up;        /* configuration, resolver and every session could be made */
    bool counts_differ; /* the first failure was about how often the DNS was asked, or about JSON */
    size_t answer_count; /* of events that the session answered; a SESSION_PENDING is none */
    enum session_answer answers[PLAY_ANSWERS_MAX];
};

/* Play the file; what fails is written to `out`.  `report` may be NULL.  True: nothing failed. */
bool play_file(const char *path, FILE *out, struct play_report *report);

#endif
