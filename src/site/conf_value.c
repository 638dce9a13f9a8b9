/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_value.h"

#include "base/utf8.h"
#include "site/conf_memory.h"
#include "site/conf_suggest.h"
#include "site/exemptions.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIX_PATH_MAX 107 /* bytes: sun_path less its NUL */
#define LINE_MAX_TEXT 200
#define SCORE_MAX     1000.0
#define WORDS_MAX     32 /* of a default list */

/* Choices are stored through unsigned. */
static_assert(sizeof(enum action) == sizeof(unsigned) &&
                  sizeof(enum agreement) == sizeof(unsigned) &&
                  sizeof(enum stage) == sizeof(unsigned) && sizeof(uint32_t) == sizeof(unsigned),
              "enums are stored as unsigned");

/* One option being set. */
struct setting {
    struct conf_loader *loader;
    const struct conf_option *option;
    const char *key;
    char *field;
    size_t *count; /* of list options */
    const struct conf_word *words;
    size_t word_count;
};

static void bad_word(const struct setting *set, const struct conf_word *word)
{
    conf_bad_value(set->loader->messages, word->line, set->key, word->text, set->option->allowed);
}

static void put_unsigned(const struct setting *set, uint64_t value)
{
    unsigned narrow = (unsigned)value;
    memcpy(set->field, &narrow, sizeof narrow);
}

static char *keep(const struct setting *set, const char *text)
{
    char *copy = conf_memory_copy(&set->loader->conf->memory, text);
    if (copy == NULL)
        set->loader->nomem = true;
    return copy;
}

static void *keep_array(const struct setting *set, size_t count, size_t size)
{
    void *array = conf_memory_alloc(&set->loader->conf->memory, (count + 1) * size);
    if (array == NULL)
        set->loader->nomem = true;
    return array;
}

/* --- words, flags and numbers ---------------------------------------------------------------- */

static void set_choice(const struct setting *set)
{
    const char *const *words = set->option->words;
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], set->words->text) == 0) {
            put_unsigned(set, i);
            return;
        }
    }
    bad_word(set, set->words);
}

static void set_mode(const struct setting *set)
{
    bool monitor = strcmp(set->words->text, "monitor") == 0;
    if (!monitor && strcmp(set->words->text, "enforce") != 0)
        bad_word(set, set->words);
    else
        memcpy(set->field, &monitor, sizeof monitor);
}

static void set_bool(const struct setting *set)
{
    static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < 3; i++) {
        bool value = strcasecmp(set->words->text, yes[i]) == 0;
        if (value || strcasecmp(set->words->text, no[i]) == 0) {
            memcpy(set->field, &value, sizeof value);
            return;
        }
    }
    bad_word(set, set->words);
}

/* Digits only: neither signs nor white space nor hexadecimal. */
static bool parse_digits(const char *text, int base, uint64_t *out)
{
    const char *digits = base == 8 ? "01234567" : "0123456789";
    size_t length = strlen(text);
    if (length == 0 || length > 15 || strspn(text, digits) != length)
        return false;
    *out = strtoull(text, NULL, base);
    return true;
}

static void set_number(const struct setting *set)
{
    const struct conf_option *option = set->option;
    const char *text = set->words->text;
    uint64_t value = 0, unit = 1;
    bool ok = false;
    switch (option->type) {
    case CONF_UINT:
        ok = parse_digits(text, 10, &value);
        break;
    case CONF_OCTAL:
        ok = parse_digits(text, 8, &value);
        break;
    case CONF_SECONDS:
        ok = conf_parse_duration(text, &value);
        unit = 1000;
        break;
    default: /* CONF_MILLISECONDS */
        /* Zero is a word of its own; what is shorter than a round trip can only fail. */
        ok = conf_parse_duration(text, &value) && (value == 0 || value >= 50);
        break;
    }
    if (!ok || value % unit != 0 || value / unit < option->min || value / unit > option->max)
        bad_word(set, set->words);
    else
        put_unsigned(set, value / unit);
}

static void set_size(const struct setting *set)
{
    uint64_t value;
    if (!conf_parse_size(set->words->text, &value) || value < set->option->min ||
        value > set->option->max || value > SIZE_MAX) {
        bad_word(set, set->words);
        return;
    }
    size_t size = (size_t)value;
    memcpy(set->field, &size, sizeof size);
}

static void set_score(const struct setting *set)
{
    const char *text = set->words->text;
    char *end;
    double value = strtod(text, &end);
    /* strtod() alone would take "0x1p3", "inf" and "nan". */
    if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text) || *end != '\0' ||
        !isfinite(value) || value > SCORE_MAX) {
        bad_word(set, set->words);
        return;
    }
    memcpy(set->field, &value, sizeof value);
}

static void set_until(const struct setting *set)
{
    int64_t value;
    if (conf_parse_until(set->words->text, &value))
        memcpy(set->field, &value, sizeof value);
    else
        bad_word(set, set->words);
}

/* --- texts ----------------------------------------------------------------------------------- */

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text > 0x7e || *text < 0x21)
            return false;
    return true;
}

bool conf_is_line(const char *text)
{
    for (size_t length; (length = utf8_printable(text)) > 0;)
        text += length;
    return *text == '\0';
}

static bool is_path(const char *text)
{
    return text[0] == '/' && text[1] != '\0' && strlen(text) < 4096;
}

/* What libmilter takes, less what it would misread later: of "inet:8896@[::1]" it says "Invalid
   argument". */
static bool is_listen(const char *text)
{
    uint64_t port;
    char digits[8];
    bool ipv4 = strncmp(text, "inet:", 5) == 0;
    if (strncmp(text, "unix:", 5) == 0 || strncmp(text, "local:", 6) == 0)
        text = strchr(text, ':') + 1;
    if (text[0] == '/')
        return is_path(text) && strlen(text) <= UNIX_PATH_MAX && strchr(text, ':') == NULL;
    if (strncmp(text, "inet:", 5) != 0 && strncmp(text, "inet6:", 6) != 0)
        return false;
    text = strchr(text, ':') + 1;
    size_t length = strcspn(text, "@");
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    return parse_digits(digits, 10, &port) && port >= 1 && port <= 65535 &&
           (text[length] == '\0' ||
            (text[length + 1] != '\0' && strchr(text + length + 1, '@') == NULL &&
             !(ipv4 && strchr(text + length + 1, ':') != NULL)));
}

/* Placeholders that a URL may hold, few enough that it stays on one line of a reply. */
#define URL_PLACES_MAX 2

static bool has_url_places(const char *text)
{
    static const char *const places[] = {"%{check}", "%{client}"};
    unsigned count = 0;
    for (text = strstr(text, "%{"); text != NULL; text = strstr(text + 1, "%{"), count++)
        if (strncmp(text, places[0], strlen(places[0])) != 0 &&
            strncmp(text, places[1], strlen(places[1])) != 0)
            return false;
    return count <= URL_PLACES_MAX;
}

static bool is_url(const char *text)
{
    const char *host = NULL;
    if (strncasecmp(text, "https://", 8) == 0)
        host = text + 8;
    else if (strncasecmp(text, "http://", 7) == 0)
        host = text + 7;
    return host != NULL && isalnum((unsigned char)*host) && strlen(text) <= LINE_MAX_TEXT &&
           is_printable(text) && has_url_places(text);
}

static bool is_account(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= 32 && text[0] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
               length;
}

static bool is_facility(const char *text)
{
    static const char *const names[] = {"mail",   "daemon", "auth",   "user",   "local0", "local1",
                                        "local2", "local3", "local4", "local5", "local6", "local7"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(text, names[i]) == 0)
            return true;
    return false;
}

/* "127.0.0.1:9896", "[::1]:9896": the port must be there. */
static bool is_endpoint(const char *text)
{
    struct network_server server;
    const char *colon = strrchr(text, ':');
    bool has_port =
        text[0] == '[' ? strstr(text, "]:") != NULL : colon != NULL && strchr(text, ':') == colon;
    return has_port && network_server_parse(text, &server) == RESULT_OK && server.port != 0;
}

static bool is_store(const char *text)
{
    static const char local[] = "unix:";
    if (strncmp(text, local, strlen(local)) != 0)
        return is_endpoint(text);
    text += strlen(local);
    return is_path(text) && strlen(text) <= UNIX_PATH_MAX;
}

static bool is_sound_text(enum conf_text kind, const char *text)
{
    struct ipaddr addr;
    switch (kind) {
    case TEXT_LINE:
        return text[0] != '\0' && strlen(text) <= LINE_MAX_TEXT && conf_is_line(text);
    case TEXT_LISTEN:
        return is_printable(text) && is_listen(text);
    case TEXT_IDENT:
        return text[0] != '\0' && strlen(text) <= LINE_MAX_TEXT && is_printable(text);
    case TEXT_PATH:
        return is_path(text);
    case TEXT_FILE:
    case TEXT_REPLY: /* its action decides: conf_check.c */
        return text[0] != '\0';
    case TEXT_URL:
        return is_url(text);
    case TEXT_ACCOUNT:
        return is_account(text);
    case TEXT_FACILITY:
        return is_facility(text);
    case TEXT_ENDPOINT:
        return is_endpoint(text);
    case TEXT_WORD:
        return exemption_is_by(text); /* names of farms and hosts */
    case TEXT_ADDRESS:
        return ipaddr_parse(text, &addr) == RESULT_OK;
    }
    return false;
}

/* May the option be switched off? */
static bool takes_none(const struct conf_option *option)
{
    return option->text == TEXT_ENDPOINT || option->text == TEXT_ADDRESS ||
           (option->text == TEXT_PATH && strstr(option->allowed, "none") != NULL);
}

/* A file name as seen from the configuration's directory. */
static char *resolve(const struct setting *set, const char *prefix, size_t prefix_length,
                     const char *path)
{
    const char *directory = path[0] == '/' ? "" : set->loader->directory;
    size_t size = prefix_length + strlen(directory) + strlen(path) + 1;
    char *whole = conf_memory_alloc(&set->loader->conf->memory, size);
    if (whole == NULL) {
        set->loader->nomem = true;
        return NULL;
    }
    snprintf(whole, size, "%.*s%s%s", (int)prefix_length, prefix, directory, path);
    return whole;
}

/* Why it cannot be read, or NULL.  A named pipe or a device might hold up the start for ever. */
static const char *unreadable(const char *path)
{
    struct stat st;
    if (access(path, R_OK) != 0 || stat(path, &st) != 0)
        return strerror(errno);
    return S_ISREG(st.st_mode) ? NULL : "not a regular file";
}

static void set_text(const struct setting *set)
{
    const char *text = set->words->text, *why = NULL;
    char *value = NULL;
    if (takes_none(set->option) && strcmp(text, "none") == 0) {
        memcpy(set->field, &value, sizeof value);
        return;
    }
    if (!is_sound_text(set->option->text, text)) {
        bad_word(set, set->words);
        return;
    }
    value = set->option->text == TEXT_FILE ? resolve(set, "", 0, text) : keep(set, text);
    if (value != NULL && set->option->text == TEXT_FILE && !set->loader->tables_only)
        why = unreadable(value);
    if (why != NULL)
        conf_error(set->loader->messages, set->words->line,
                   "key \"%s\": found \"%.100s\", which cannot be read (%s); allowed: %s", set->key,
                   text, why, set->option->allowed);
    memcpy(set->field, &value, sizeof value);
}

/* --- lists ----------------------------------------------------------------------------------- */

static void set_names(const struct setting *set)
{
    char **names = keep_array(set, set->word_count, sizeof *names);
    size_t count = 0;
    for (size_t i = 0; names != NULL && i < set->word_count; i++) {
        char name[HOSTNAME_MAX + 1];
        enum hostname_flaw flaw = hostname_parse(set->words[i].text, name);
        if (flaw == HOSTNAME_OK || flaw == HOSTNAME_ONE_LABEL)
            names[count++] = keep(set, name);
        else
            bad_word(set, &set->words[i]);
    }
    memcpy(set->field, &names, sizeof names);
    *set->count = count;
}

/* More than a few are no way to find a master quickly. */
#define STORES_MAX 8

static void set_stores(const struct setting *set)
{
    char **stores = keep_array(set, set->word_count, sizeof *stores);
    size_t count = 0;
    for (size_t i = 0; stores != NULL && i < set->word_count; i++) {
        if (count < STORES_MAX && is_store(set->words[i].text))
            stores[count++] = keep(set, set->words[i].text);
        else
            bad_word(set, &set->words[i]);
    }
    memcpy(set->field, &stores, sizeof stores);
    *set->count = count;
}

static void set_nets(const struct setting *set)
{
    struct ipnet *nets = keep_array(set, set->word_count, sizeof *nets);
    size_t count = 0;
    for (size_t i = 0; nets != NULL && i < set->word_count; i++) {
        if (ipnet_parse(set->words[i].text, &nets[count]) == RESULT_OK)
            count++;
        else
            bad_word(set, &set->words[i]);
    }
    memcpy(set->field, &nets, sizeof nets);
    *set->count = count;
}

static void set_servers(const struct setting *set)
{
    struct network_settings *network = (struct network_settings *)(void *)set->field;
    network->server_count = 0;
    if (set->word_count > NETWORK_SERVERS_MAX) {
        bad_word(set, &set->words[NETWORK_SERVERS_MAX]);
        return;
    }
    for (size_t i = 0; i < set->word_count; i++) {
        if (network_server_parse(set->words[i].text, &network->servers[network->server_count]) ==
            RESULT_OK)
            network->server_count++;
        else
            bad_word(set, &set->words[i]);
    }
}

/* Relative table files are seen from the configuration's directory. */
static const char *resolve_word(const struct setting *set, const char *word)
{
    enum accesstable_type type;
    const char *path;
    if (!accesstable_spec(word, &type, &path) || path[0] == '/' || path[0] == '\0')
        return word;
    return resolve(set, word, (size_t)(path - word), path);
}

/* Of what fits more than it did before 1.1. */
static void tell_widened(const struct setting *set)
{
    for (size_t i = 0; i < set->word_count; i++) {
        const struct conf_word *word = &set->words[i];
        if (word->text[0] == '.' && strchr(word->text, '*') == NULL)
            conf_notice(set->loader->messages, word->line,
                        "key \"%s\": \"%.100s\" means %.100s, too, and not only what is below "
                        "it as in 1.0",
                        set->key, word->text, word->text + 1);
    }
}

/* A line that is lost stops no start.  Of a table that is read again by itself the old version
   stays instead: the line may have exempted somebody. */
static void tell_table_warning(void *arg, const struct accesstable_warning *warning)
{
    const struct setting *set = arg;
    if (warning->lost && set->loader->tables_only)
        conf_error(set->loader->messages, set->words->line, "key \"%s\": %s", set->key,
                   warning->text);
    else
        conf_warning(set->loader->messages, set->words->line, "key \"%s\": %s", set->key,
                     warning->text);
}

/* A list that was read: what is to be said of it. */
static void tell_of_list(struct setting *set)
{
    const void *list;
    memcpy(&list, set->field, sizeof list);
    if (set->option->type == CONF_NET_LIST) {
        net_list_each_warning(list, tell_table_warning, set);
        return;
    }
    pattern_list_each_warning(list, tell_table_warning, set);
    if (set->option->min != PATTERN_WORD)
        tell_widened(set);
}

/* Lists that read files: net_list and pattern_list. */
static void set_tables(struct setting *set)
{
    char error[ACCESSTABLE_ERROR_MAX];
    size_t bad = 0;
    enum result status;
    const char **words = keep_array(set, set->word_count, sizeof *words);
    for (size_t i = 0; words != NULL && i < set->word_count; i++) {
        words[i] = resolve_word(set, set->words[i].text);
        if (words[i] == NULL)
            return;
    }
    if (words == NULL || set->word_count == 0)
        return;
    if (set->option->type == CONF_NET_LIST)
        status = net_list_new(words, set->word_count, (struct net_list **)(void *)set->field, &bad,
                              error);
    else
        status = pattern_list_new((enum pattern_kind)set->option->min, words, set->word_count,
                                  (struct pattern_list **)(void *)set->field, &bad, error);
    if (status == RESULT_OK)
        tell_of_list(set);
    else if (status == RESULT_NOMEM)
        set->loader->nomem = true;
    else if (error[0] == '\0')
        bad_word(set, &set->words[bad]);
    else
        conf_error(set->loader->messages, set->words[bad].line, "key \"%s\": found \"%.100s\": %s",
                   set->key, set->words[bad].text, error);
}

static void set_listed(const struct setting *set)
{
    const char **words = keep_array(set, set->word_count, sizeof *words);
    struct listed *listed = NULL;
    const char *why = NULL;
    size_t bad = 0;
    if (words == NULL || set->word_count == 0)
        return;
    for (size_t i = 0; i < set->word_count; i++)
        words[i] = set->words[i].text;
    enum result status = listed_new(words, set->word_count, &listed, &bad, &why);
    if (status == RESULT_NOMEM)
        set->loader->nomem = true;
    else if (status != RESULT_OK)
        conf_error(set->loader->messages, set->words[bad].line,
                   "key \"%s\": found \"%.100s\": %s; allowed: %s", set->key, set->words[bad].text,
                   why, set->option->allowed);
    memcpy(set->field, &listed, sizeof listed);
}

/* --- one option ------------------------------------------------------------------------------ */

static void set_words(struct setting *set)
{
    switch (set->option->type) {
    case CONF_CHOICE:
        set_choice(set);
        break;
    case CONF_MODE:
        set_mode(set);
        break;
    case CONF_BOOL:
        set_bool(set);
        break;
    case CONF_UINT:
    case CONF_OCTAL:
    case CONF_SECONDS:
    case CONF_MILLISECONDS:
        set_number(set);
        break;
    case CONF_SIZE:
        set_size(set);
        break;
    case CONF_SCORE:
        set_score(set);
        break;
    case CONF_TEXT:
        set_text(set);
        break;
    case CONF_UNTIL:
        set_until(set);
        break;
    case CONF_NAMES:
        set_names(set);
        break;
    case CONF_NETS:
        set_nets(set);
        break;
    case CONF_SERVERS:
        set_servers(set);
        break;
    case CONF_STORES:
        set_stores(set);
        break;
    case CONF_NET_LIST:
    case CONF_PATTERNS:
        set_tables(set);
        break;
    case CONF_LISTED:
        set_listed(set);
        break;
    case CONF_POLICY: /* conf_build.c, when all policies are known */
        break;
    }
}

/* The default's words, cut out of `memory`. */
static size_t default_words(const struct conf_option *option, char *memory, size_t size,
                            struct conf_word words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = NULL;
    snprintf(memory, size, "%s", option->fallback == NULL ? "" : option->fallback);
    for (char *word = strtok_r(memory, " ", &rest); word != NULL && count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = (struct conf_word){word, 0};
    return count;
}

void conf_value_set(struct conf_loader *loader, const struct conf_option *option,
                    const struct conf_entry *entry, const char *key, void *object)
{
    char memory[512];
    struct conf_word defaults[WORDS_MAX] = {{memory, 0}};
    struct conf_word *both = NULL;
    struct setting set = {.loader = loader,
                          .option = option,
                          .key = key,
                          .field = (char *)object + option->offset,
                          .count = (size_t *)(void *)((char *)object + option->count_offset),
                          .words = entry->words,
                          .word_count = entry->count};
    if (!entry->given && option->fallback == NULL)
        return;
    if (!entry->given || entry->append) {
        set.words = defaults;
        set.word_count = default_words(option, memory, sizeof memory, defaults);
    }
    if (entry->append) {
        both = calloc(set.word_count + entry->count + 1, sizeof *both);
        if (both == NULL) {
            loader->nomem = true;
            return;
        }
        memcpy(both, defaults, set.word_count * sizeof *both);
        memcpy(both + set.word_count, entry->words, entry->count * sizeof *both);
        set.words = both;
        set.word_count += entry->count;
    }
    set_words(&set);
    free(both);
}
