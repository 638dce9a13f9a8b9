/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of options: from words into fields, and from fields back into the file's syntax. */
#ifndef IPREVD_CONF_VALUE_H
#define IPREVD_CONF_VALUE_H

#include "site/conf.h"
#include "site/conf_message.h"
#include "site/conf_parse.h"

#include <stdio.h>

struct conf_loader {
    struct conf *conf; /* under construction */
    struct conf_messages *messages;
    const char *directory; /* of the configuration file: what relative file names start from */
    bool tables_only;      /* the tree is known to be good: only its tables are read */
    bool nomem;
};

/*
 * Set the field of `object` for an option from what was written (entry->given) or, where nothing
 * was, from its default.  What is wrong was reported to the messages with `key`.  Lists that the
 * object holds as net_list or pattern_list are the object's to free.
 */
void conf_value_set(struct conf_loader *loader, const struct conf_option *option,
                    const struct conf_entry *entry, const char *key, void *object);

/* One line of UTF-8 without control characters?  Pure. */
bool conf_is_line(const char *text);

/* "2027-01-31" or "2027-01-31T18:00Z" as the second from which it is over.  Pure. */
bool conf_parse_until(const char *text, int64_t *out);

#define CONF_UNTIL_SIZE 32

/*
 * The text that conf_parse_until() took for this second, in its short form if it can be; until_s >
 * 0. gmtime() ends in 2038 where time_t has 32 bits.  Pure.
 */
void conf_format_until(int64_t until_s, char out[CONF_UNTIL_SIZE]);

/* "1500ms", "2s", "5m", "12h", "1d", plain seconds: milliseconds.  Pure. */
bool conf_parse_duration(const char *text, uint64_t *out_ms);

/* "64M" and the like: bytes.  Pure. */
bool conf_parse_size(const char *text, uint64_t *out);

#endif
