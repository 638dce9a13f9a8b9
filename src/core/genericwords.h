/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of access networks and of mail servers in host names.  Pure; thread safe.
 */
#ifndef IPREVD_GENERICWORDS_H
#define IPREVD_GENERICWORDS_H

#include <stdbool.h>
#include <stddef.h>

/* How much a word says of an access network; the larger value is the stronger. */
enum word_grade {
    WORD_NONE,
    WORD_NUMBERING, /* goes before numbers everywhere ("host"): believed beside octets only */
    WORD_ACCESS,    /* of access networks, and of others ("pool") */
    WORD_LINE,      /* of nothing but subscribers' lines ("adsl") */
};

/* What else is known of a word of access networks: bits of *flags. */
#define WORD_FLAG_NUMBERED 1U /* subscribers are numbered behind it: "user57" */
#define WORD_FLAG_ALONE    2U /* alone in a first label it is a default name: "customer" */

/* Grade a run of `length` lower-case letters; *flags is always written. */
enum word_grade genericwords_grade(const char *word, size_t length, unsigned *flags);

/* True for a word by which people name what sends mail on purpose ("mail", "mta", "outbound"). */
bool genericwords_is_intent(const char *word, size_t length);

#endif
