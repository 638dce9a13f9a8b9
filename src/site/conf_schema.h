/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of iprevd.conf: one row each, from which reading, defaults, printing, messages and
 * the tests of manual and sample configuration follow.  To add one: its row in conf_schema.c, its
 * field, its paragraph in iprevd.conf(5) and in conf/iprevd.conf, its line in NEWS.
 */
#ifndef IPREVD_CONF_SCHEMA_H
#define IPREVD_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_type {
    CONF_CHOICE,       /* one of words, stored as its index in an enum */
    CONF_MODE,         /* enforce or monitor, stored as a bool */
    CONF_BOOL,         /* bool */
    CONF_UINT,         /* unsigned, min..max */
    CONF_OCTAL,        /* unsigned: file mode */
    CONF_SECONDS,      /* unsigned: number with s, m, h, d; plain: seconds */
    CONF_MILLISECONDS, /* unsigned: number with ms or as above; plain: seconds */
    CONF_SIZE,         /* size_t: number with K, M, G */
    CONF_SCORE,        /* double, 0..1000 */
    CONF_TEXT,         /* char *, by `text` */
    CONF_NAMES,        /* char **, and their count: canonical host names */
    CONF_NETS,         /* struct ipnet *, and their count */
    CONF_SERVERS,      /* the servers of struct network_settings */
    CONF_STORES,       /* char **, and their count: servers of a farm */
    CONF_NET_LIST,     /* struct net_list * */
    CONF_PATTERNS,     /* struct pattern_list *; min: enum pattern_kind */
    CONF_LISTED,       /* struct listed * */
    CONF_UNTIL,        /* int64_t: wall clock */
    CONF_POLICY,       /* const struct policy *: resolved after everything is read */
};

/* What a CONF_TEXT is. */
enum conf_text {
    TEXT_LINE,     /* one line of UTF-8 without control characters */
    TEXT_LISTEN,   /* libmilter's socket syntax */
    TEXT_IDENT,    /* authserv-id */
    TEXT_PATH,     /* absolute path, or none */
    TEXT_FILE,     /* file that can be read; relative to the configuration's directory */
    TEXT_URL,      /* http or https */
    TEXT_ACCOUNT,  /* user or group */
    TEXT_FACILITY, /* of syslog */
    TEXT_ENDPOINT, /* address:port, or none */
    TEXT_ADDRESS,  /* an IP address, or none */
    TEXT_REPLY,    /* template of a reply: checked with its action */
    TEXT_WORD,     /* letters, digits, ".", "-" and "_" */
};

struct conf_option {
    const char *name;
    enum conf_type type;
    enum conf_text text;
    size_t offset;            /* of the field in the block's object */
    size_t count_offset;      /* of the number of elements, size_t */
    const char *const *words; /* CONF_CHOICE: ends with NULL */
    uint64_t min, max;
    const char *fallback; /* the default as it would be written, lists by white space; NULL: none */
    const char *allowed;  /* for messages */
    bool own;             /* of the file: each machine's own (conf_print_deciding()) */
    bool at_start; /* of the file: read at start only, a text or CONF_OCTAL (conf_restart.h) */
};

/* Is it written in braces? */
static inline bool conf_is_list(const struct conf_option *option)
{
    return option->type == CONF_NAMES || option->type == CONF_NETS ||
           option->type == CONF_SERVERS || option->type == CONF_STORES ||
           option->type == CONF_NET_LIST || option->type == CONF_PATTERNS ||
           option->type == CONF_LISTED;
}

struct conf_schema {
    const char *name;                  /* of the block; "" for the whole file */
    const char *title;                 /* what its title is, or NULL: it has none */
    const struct conf_option *options; /* at least one */
    size_t option_count;
    const struct conf_schema *const *blocks; /* inside of it */
    size_t block_count;
};

/* The whole file; its object is struct conf.  Blocks dns, cache, memory and farm too; policy:
 * struct policy; check: struct check_rule; match: struct match. */
extern const struct conf_schema conf_schema_file, conf_schema_dns, conf_schema_cache,
    conf_schema_memory, conf_schema_farm, conf_schema_policy, conf_schema_check, conf_schema_match;

#endif
