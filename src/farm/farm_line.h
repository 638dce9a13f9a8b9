/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hosts of a farm say to each other, as signed lines of text in the store:
 *
 *   VERSION TAB MADE TAB ... TAB SIGNATURE
 *
 * An exemption's line has UNTIL, "allow" or "unallow", BY and REASON between; a flush's and a
 * host's the host and a text (the target, a heartbeat's JSON).  What is remembered of a client has
 * no MADE: the time of its failure, its two days, and "passed" or "waiting"; of a network that is
 * greylisted the time and one of these words.  Everything that is read is hostile until its
 * signature is right, and checked after that, too.  Pure; thread safe.
 */
#ifndef IPREVD_FARM_LINE_H
#define IPREVD_FARM_LINE_H

#include "core/greylist.h"
#include "core/history.h"
#include "farm/farm_sign.h"
#include "site/exemptions.h"

/* Keys of the store, behind "iprevd:NAME:". */
#define FARM_EXEMPTIONS "exemptions" /* a hash: subject, line */
#define FARM_HOSTS      "hosts"      /* a hash: host, line */
#define FARM_CHANGES    "changes"    /* a stream of what is new */
#define FARM_GENERATION                                                                            \
    "generation" /* a random word: another one means that the store was emptied */

/* What is remembered of one client is a key of its own, for whom the last word stands. */
#define FARM_CLIENT   "client"
#define FARM_GREYLIST "greylist"

#define FARM_FLUSH "flush" /* the place that a flush's line is signed for */

#define FARM_LINE_MAX 2048 /* bytes with NUL */
#define FARM_TEXT_MAX 1024 /* bytes of a note's text, with NUL */

/* Write one; `by` of the exemption is `host` where it is "". */
void farm_line_exemption(const struct farm_key *key, const char *host,
                         const struct exemption *exemption, char out[FARM_LINE_MAX]);

/*
 * Read one that stands at `subject`.  False: it is not signed by this key for this place, or says
 * nothing that this version knows.
 */
bool farm_line_read_exemption(const struct farm_key *key, const char *subject, const char *line,
                              struct exemption *out) MUST_CHECK;

/* What else a host says: when, and a text without tabs and line feeds. */
struct farm_note {
    int64_t made_s;
    char host[EXEMPTION_BY_MAX];
    char text[FARM_TEXT_MAX];
};

/* The same for FARM_HOSTS and FARM_FLUSH (`place`).  Writing, false: the text is too long. */
bool farm_line_note(const struct farm_key *key, const char *place, const char *field,
                    const struct farm_note *note, char out[FARM_LINE_MAX]) MUST_CHECK;
bool farm_line_read_note(const struct farm_key *key, const char *place, const char *field,
                         const char *line, struct farm_note *out) MUST_CHECK;

/*
 * The word for a client, or for its network of so many bits (a multiple of 8): 32 hexadecimal
 * digits of the address's HMAC, from which nobody without the key can tell it.
 */
#define FARM_CLIENT_WORD_MAX 33
void farm_client_word(const struct farm_key *key, const char *place, const struct ipaddr *client,
                      unsigned bits, char out[FARM_CLIENT_WORD_MAX]);

/* What is remembered of it, at FARM_CLIENT and at FARM_GREYLIST.  Reading, false: as above. */
void farm_line_history(const struct farm_key *key, const char *word, const struct history *history,
                       char out[FARM_LINE_MAX]);
bool farm_line_read_history(const struct farm_key *key, const char *word, const char *line,
                            struct history *out) MUST_CHECK;
void farm_line_greylisted(const struct farm_key *key, const char *word,
                          const struct greylisted *known, char out[FARM_LINE_MAX]);
bool farm_line_read_greylisted(const struct farm_key *key, const char *word, const char *line,
                               struct greylisted *out) MUST_CHECK;

#endif
