/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/pattern_list.h"

#include "core/hostname.h"
#include "core/idn.h"
#include "core/mailpath.h"
#include "site/word_list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longest text that a pattern is compared with; longer ones match no plain pattern. */
#define TEXT_MAX 1024

enum pattern_shape {
    SHAPE_EXACT,
    SHAPE_SUFFIX,
    SHAPE_WILDCARD,
    SHAPE_LOCAL_PART,
    SHAPE_DOMAIN,
    SHAPE_FILE
};

struct pattern {
    enum pattern_shape shape;
    char *text; /* as it is compared */
    struct accesstable *table;
};

struct pattern_list {
    enum pattern_kind kind;
    char **words;
    size_t count;
    struct pattern *patterns;
    enum accesstable_sense sense;
};

static bool has_control_byte(char c)
{
    return (unsigned char)c <= 0x20 || (unsigned char)c > 0x7e;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (has_control_byte(*text))
            return true;
    return false;
}

/* A local part may be in UTF-8 (RFC 6531); what is behind `at`, or of a name, is in A-labels. */
static bool has_control_in_mail(const char *text, const char *at)
{
    bool local = at != NULL || strpbrk(text, ".*") == NULL;
    const char *end = at != NULL ? at : text + strlen(text);
    const char *begin = text;
    while (local && begin < end && ((unsigned char)*begin > 0x7f || !has_control_byte(*begin)))
        begin++;
    return has_control(local ? begin : text);
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* A name's characters, for patterns that are not whole names. */
static bool is_name_text(const char *text)
{
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr(".-_*[]:", *text) == NULL)
            return false;
    return true;
}

/* A domain: a single label may be one, too. */
static bool is_name(const char *text)
{
    char name[HOSTNAME_MAX + 1];
    enum hostname_flaw flaw = hostname_parse(text, name);
    return flaw == HOSTNAME_OK || flaw == HOSTNAME_ONE_LABEL;
}

/* What may stand behind the '@' of a mailbox: a name, or an address with or without brackets. */
static bool is_mail_domain(const char *text)
{
    char name[HOSTNAME_MAX + 1];
    return is_name(text) || hostname_parse(text, name) == HOSTNAME_IP_ADDRESS;
}

/*
 * Tables of Postfix that are not read, types in capitals, files without a type and expressions
 * would be names that nobody has.  Returns what is wrong, or NULL.
 */
static const char *why_no_pattern(const char *word)
{
    static const char *const types[] = {
        "hash",      "btree",    "lmdb",    "cdb",      "dbm",     "sdbm",     "static",  "inline",
        "regex",     "file",     "proxy",   "ldap",     "mysql",   "pgsql",    "sqlite",  "tcp",
        "socketmap", "memcache", "pipemap", "unionmap", "randmap", "nis",      "mongodb", "environ",
        "internal",  "netgroup", "pcre",    "regexp",   "cidr",    "texthash",
    };
    size_t length = strcspn(word, ":");
    if (word[0] == '/')
        return "neither a table nor a pattern; allowed: files as pcre:/path, regexp:/path or "
               "texthash:/path, and * for any run of characters";
    for (size_t i = 0; word[length] == ':' && i < sizeof types / sizeof types[0]; i++)
        if (strlen(types[i]) == length && strncasecmp(word, types[i], length) == 0)
            return "not a type of table that is read; allowed: pcre:, regexp:, and texthash: for "
                   "the text from which postmap(1) makes hash: and lmdb:";
    return NULL;
}

/* A local part as it has to be written (RFC 5322 3.2.3): others stand in quotes.  Patterns have
   neither negation nor anchors. */
static bool is_local_text(const char *word)
{
    const char *at = strrchr(word, '@');
    size_t length = at != NULL ? (size_t)(at - word) : strlen(word);
    if (word[0] == '"' || at == word || (at == NULL && strpbrk(word, ".*") != NULL))
        return true; /* quoted, or a domain */
    return word[0] != '!' && word[0] != '^' && strcspn(word, "()<>[]:;@\\,\"") >= length;
}

static bool parse_host(char *word, struct pattern *out)
{
    char name[HOSTNAME_MAX + 1];
    size_t length = strlen(word);
    if (length == 0 || !is_name_text(word))
        return false;
    if (length > 1 && word[length - 1] == '.')
        word[length - 1] = '\0';
    if (strchr(word, '*') != NULL) {
        out->shape = SHAPE_WILDCARD;
        return true;
    }
    if (word[0] == '.') {
        out->shape = SHAPE_SUFFIX;
        return is_name(word + 1);
    }
    out->shape = SHAPE_EXACT;
    /* "localhost" and "[192.0.2.1]" are what some clients say in EHLO. */
    enum hostname_flaw flaw = hostname_parse(word, name);
    return flaw != HOSTNAME_EMPTY && (flaw != HOSTNAME_MALFORMED || word[0] == '[');
}

/* "<user@example.org>" and "<>" are what SMTP and people write. */
static void strip_path(char *word)
{
    size_t length = strlen(word);
    if (length >= 2 && word[0] == '<' && word[length - 1] == '>') {
        memmove(word, word + 1, length - 2);
        word[length - 2] = '\0';
    }
}

/* "@example.org" is how virtual(5) has a domain. */
static bool parse_mail(char *word, struct pattern *out)
{
    const char *at = strrchr(word, '@');
    if (has_control_in_mail(word, at))
        return false;
    if (strpbrk(word, "<>") != NULL && strchr(word, '"') == NULL)
        return false; /* half a path, or one within another: no mailbox has such bytes */
    if (at == word && strchr(word, '*') == NULL) {
        memmove(word, word + 1, strlen(word));
        out->shape = SHAPE_DOMAIN;
        return is_name(word);
    }
    if (word[0] == '\0') {
        out->shape = SHAPE_EXACT; /* the null sender */
        return true;
    }
    if (at != NULL) {
        bool wild = strchr(at, '*') != NULL;
        out->shape = strchr(word, '*') != NULL ? SHAPE_WILDCARD : SHAPE_EXACT;
        return at[1] != '\0' && (wild ? is_name_text(at + 1) : is_mail_domain(at + 1));
    }
    if (strchr(word, '*') != NULL) {
        out->shape = SHAPE_WILDCARD;
        return is_name_text(word);
    }
    if (word[0] == '.') {
        out->shape = SHAPE_SUFFIX;
        return is_name(word + 1);
    }
    out->shape = strchr(word, '.') != NULL ? SHAPE_DOMAIN : SHAPE_LOCAL_PART;
    return out->shape == SHAPE_LOCAL_PART || is_mail_domain(word);
}

static bool parse_word(char *word, struct pattern *out)
{
    out->shape = strchr(word, '*') != NULL ? SHAPE_WILDCARD : SHAPE_EXACT;
    return word[0] != '\0' && !has_control(word);
}

/* A mailbox as mail has it.  NULL: memory is out. */
static char *copy_mailbox(const char *word)
{
    char mailbox[MAILPATH_MAX + 1];
    return mailpath_canonical(word, mailbox) != NULL ? strdup(mailbox) : NULL;
}

/* A word as what it is compared with is written: a mailbox canonical, a name of A-labels (behind
   the '.' or the '@' of a domain).  A word that cannot be written so is copied, and refused where
   it is parsed.  NULL: memory is out. */
static char *copy_canonical(enum pattern_kind kind, const char *word)
{
    char name[HOSTNAME_MAX + 2];
    bool mail = kind == PATTERN_MAIL && strchr(word, '@') != NULL;
    bool domain = mail && word[0] == '@';
    if (mail && !domain && word[strlen(word) - 1] != '@' && strpbrk(word, "*<>") == NULL)
        return copy_mailbox(word);
    size_t before = word[0] == '.' || domain;
    enum result result = RESULT_INVALID;
    bool local_part = kind == PATTERN_MAIL && strpbrk(word, ".*@") == NULL;
    if ((!mail || domain) && !local_part && kind != PATTERN_WORD && idn_is_needed(word))
        result = idn_to_ascii(word + before, name + before);
    if (before > 0)
        name[0] = word[0];
    if (result == RESULT_NOMEM)
        return NULL;
    return strdup(result == RESULT_OK ? name : word);
}

static enum result add_pattern(struct pattern_list *list, size_t i,
                               char error[ACCESSTABLE_ERROR_MAX])
{
    static bool (*const parsers[])(char *word, struct pattern *out) = {
        [PATTERN_HOST] = parse_host, [PATTERN_MAIL] = parse_mail, [PATTERN_WORD] = parse_word};
    struct pattern *pattern = &list->patterns[i];
    enum accesstable_type type;
    const char *path;
    if (accesstable_spec(list->words[i], &type, &path)) {
        pattern->shape = SHAPE_FILE;
        if (type == TABLE_CIDR && list->kind != PATTERN_HOST) {
            snprintf(error, ACCESSTABLE_ERROR_MAX, "cidr: files hold addresses");
            return RESULT_INVALID;
        }
        return accesstable_load(type, path, &pattern->table, error);
    }
    const char *why = why_no_pattern(list->words[i]);
    if (why != NULL) {
        snprintf(error, ACCESSTABLE_ERROR_MAX, "%s", why);
        return RESULT_INVALID;
    }
    char *word = strdup(list->words[i]);
    if (word != NULL && list->kind == PATTERN_MAIL)
        strip_path(word);
    bool sound = word == NULL || list->kind != PATTERN_MAIL || is_local_text(word);
    pattern->text = word != NULL ? copy_canonical(list->kind, word) : NULL;
    free(word);
    if (pattern->text == NULL)
        return RESULT_NOMEM;
    lower(pattern->text);
    error[0] = '\0';
    return sound && parsers[list->kind](pattern->text, pattern) ? RESULT_OK : RESULT_INVALID;
}

enum result pattern_list_new(enum pattern_kind kind, const char *const *words, size_t count,
                             struct pattern_list **out, size_t *bad,
                             char error[ACCESSTABLE_ERROR_MAX])
{
    struct pattern_list *list = calloc(1, sizeof *list);
    *bad = 0;
    error[0] = '\0';
    if (list == NULL)
        return RESULT_NOMEM;
    list->kind = kind;
    list->count = count;
    list->words = word_list_copy(words, count);
    list->patterns = calloc(count + 1, sizeof *list->patterns);
    enum result status = RESULT_OK;
    if (list->words == NULL || list->patterns == NULL)
        status = RESULT_NOMEM;
    for (size_t i = 0; status == RESULT_OK && i < count; i++) {
        *bad = i;
        status = add_pattern(list, i, error);
    }
    if (status != RESULT_OK) {
        pattern_list_free(list);
        return status;
    }
    *out = list;
    return RESULT_OK;
}

/* '*' stands for any run of characters, dots too.  Linear in both: only the last '*' is retried. */
static bool wildcard(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');
    return at == NULL ? "" : at + 1;
}

static bool plain_matches(const struct pattern_list *list, const struct pattern *pattern,
                          const char *text)
{
    const char *domain = list->kind == PATTERN_MAIL ? domain_of(text) : text;
    size_t local = strlen(pattern->text);
    switch (pattern->shape) {
    case SHAPE_EXACT:
        return strcmp(pattern->text, text) == 0;
    case SHAPE_SUFFIX:
        /* ".example.org": example.org and what is below it. */
        return domain[0] != '.' && hostname_under(domain, pattern->text + 1);
    case SHAPE_WILDCARD:
        /* Of an address: the whole one when the pattern has an @, else its domain. */
        return wildcard(pattern->text, strchr(pattern->text, '@') != NULL ? text : domain);
    case SHAPE_DOMAIN:
        return strcmp(pattern->text, domain) == 0;
    case SHAPE_LOCAL_PART:
        return strncmp(pattern->text, text, local) == 0 &&
               (text[local] == '@' || text[local] == '\0');
    case SHAPE_FILE:
        break;
    }
    return false;
}

static bool table_matches(const struct pattern_list *list, const struct accesstable *table,
                          const char *text)
{
    const char *value =
        list->kind == PATTERN_MAIL ? accesstable_mail(table, text) : accesstable_name(table, text);
    return value != NULL && accesstable_lists(value, list->sense);
}

const char *pattern_list_find(const struct pattern_list *list, const char *text)
{
    char folded[TEXT_MAX];
    size_t length = strlen(text);
    bool fits = length < sizeof folded;
    if (fits) {
        memcpy(folded, text, length + 1);
        lower(folded);
        if (length > 1 && folded[length - 1] == '.' && list->kind != PATTERN_WORD)
            folded[length - 1] = '\0';
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct pattern *pattern = &list->patterns[i];
        if (pattern->shape == SHAPE_FILE ? table_matches(list, pattern->table, text)
                                         : fits && plain_matches(list, pattern, folded))
            return list->words[i];
    }
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Does `wide` fit every domain (or host name) that the words in `domain` stand for? */
static bool covers_domain(const struct pattern *wide, const char *domain)
{
    bool open = strchr(domain, '*') != NULL;
    if (wide->shape == SHAPE_SUFFIX)
        return open ? ends_with(domain, wide->text) : hostname_under(domain, wide->text + 1);
    return wide->shape == SHAPE_WILDCARD && strchr(wide->text, '@') == NULL &&
           wildcard(wide->text, domain);
}

/* A '*' of the narrow word is met by nothing but a '*' of the wide one. */
static bool covers(const struct pattern_list *list, const struct pattern *wide,
                   const struct pattern *narrow)
{
    bool mail = list->kind == PATTERN_MAIL;
    if (wide->shape == SHAPE_FILE || narrow->shape == SHAPE_FILE)
        return false;
    if (wide->shape == narrow->shape && strcmp(wide->text, narrow->text) == 0)
        return true;
    switch (narrow->shape) {
    case SHAPE_EXACT:
        return plain_matches(list, wide, narrow->text);
    case SHAPE_SUFFIX:
        return wide->shape == SHAPE_SUFFIX
                   ? hostname_under(narrow->text + 1, wide->text + 1)
                   : wide->shape == SHAPE_WILDCARD && strcmp(wide->text, "*") == 0;
    case SHAPE_DOMAIN:
        return covers_domain(wide, narrow->text) ||
               (wide->shape == SHAPE_WILDCARD && strncmp(wide->text, "*@", 2) == 0 &&
                wildcard(wide->text + 2, narrow->text));
    case SHAPE_WILDCARD:
        return (wide->shape == SHAPE_WILDCARD &&
                (strchr(wide->text, '@') == NULL) == (strchr(narrow->text, '@') == NULL) &&
                wildcard(wide->text, narrow->text)) ||
               covers_domain(wide, mail && strchr(narrow->text, '@') != NULL
                                       ? domain_of(narrow->text)
                                       : narrow->text);
    default:
        return false;
    }
}

static bool word_is_covered(const struct pattern_list *list, const struct pattern_list *narrow,
                            size_t i, size_t *left)
{
    for (size_t j = 0; *left > 0 && j < list->count; j++, (*left)--)
        if (strcmp(list->words[j], narrow->words[i]) == 0 ||
            covers(list, &list->patterns[j], &narrow->patterns[i]))
            return true;
    return false;
}

bool pattern_list_covers(const struct pattern_list *list, const struct pattern_list *narrow,
                         size_t *left)
{
    for (size_t i = 0; i < narrow->count; i++)
        if (!word_is_covered(list, narrow, i, left))
            return false;
    return true;
}

size_t pattern_list_read_as(struct pattern_list *list, enum accesstable_sense sense)
{
    size_t excluded = 0;
    list->sense = sense;
    for (size_t i = 0; i < list->count; i++)
        if (list->patterns[i].table != NULL)
            excluded += accesstable_excluded(list->patterns[i].table, sense);
    return excluded;
}

void pattern_list_each_warning(const struct pattern_list *list,
                               void (*tell)(void *arg, const struct accesstable_warning *warning),
                               void *arg)
{
    const struct accesstable_warning *warning;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; list->patterns[i].table != NULL &&
                           (warning = accesstable_warning(list->patterns[i].table, j)) != NULL;
             j++)
            tell(arg, warning);
}

uint64_t pattern_list_changed(const struct pattern_list *list, bool *unseen)
{
    uint64_t version = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->patterns[i].table != NULL)
            version = tables_version(version, accesstable_changed(list->patterns[i].table, unseen));
    return version;
}

uint64_t pattern_list_limit_hits(const struct pattern_list *list)
{
    uint64_t hits = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->patterns[i].table != NULL)
            hits += accesstable_limit_hits(list->patterns[i].table);
    return hits;
}

const char *const *pattern_list_words(const struct pattern_list *list, size_t *count)
{
    *count = list->count;
    return (const char *const *)list->words;
}

void pattern_list_free(struct pattern_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; list->patterns != NULL && i < list->count; i++) {
        accesstable_free(list->patterns[i].table);
        free(list->patterns[i].text);
    }
    free(list->patterns);
    word_list_free(list->words);
    free(list);
}
