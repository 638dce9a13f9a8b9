/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/accesstable.h"

#include "base/textbuf.h"
#include "site/tables/cidr_table.h"
#include "site/tables/hash_table.h"
#include "site/tables/regex_table.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longest key that a texthash lookup tries: a mail address. */
#define KEY_MAX 512

/* What some editors write before UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* What access(5) looks up for the null sender. */
#define NULL_SENDER "<>"

/* Which file was read: what must differ for it to have changed. */
struct identity {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct accesstable {
    enum accesstable_type type;
    char *path;
    char *text; /* of the file: the tables point into it */
    struct identity identity;
    struct cidr_table *cidr; /* by type, one of these three */
    struct regex_table *regex;
    struct hash_table *hash;
    struct accesstable_warning warnings[TABLE_WARNINGS_MAX];
};

static const struct {
    const char *prefix;
    enum accesstable_type type;
} types[] = {
    {"cidr:", TABLE_CIDR},
    {"pcre:", TABLE_PCRE},
    {"regexp:", TABLE_REGEXP},
    {"texthash:", TABLE_TEXTHASH},
};

bool accesstable_spec(const char *spec, enum accesstable_type *type, const char **path)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t length = strlen(types[i].prefix);
        if (strncmp(spec, types[i].prefix, length) == 0) {
            *type = types[i].type;
            *path = spec + length;
            return true;
        }
    }
    return false;
}

/* --- loading --------------------------------------------------------------------------------- */

static struct identity identity_of(const struct stat *st)
{
    return (struct identity){st->st_dev, st->st_ino, st->st_size, st->st_mtim};
}

static bool same_identity(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

static enum result read_all(int fd, char *text, size_t size, size_t *length)
{
    size_t at = 0;
    while (at < size) {
        ssize_t got = read(fd, text + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return RESULT_IO;
        if (got == 0)
            break;
        at += (size_t)got;
    }
    text[at] = '\0';
    *length = at;
    return RESULT_OK;
}

static enum result read_open_file(int fd, struct accesstable *table, size_t *length)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return RESULT_IO;
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return RESULT_IO;
    }
    if (!S_ISREG(st.st_mode))
        return RESULT_INVALID; /* a pipe, or a device without end */
    if (st.st_size > (off_t)ACCESSTABLE_SIZE_MAX)
        return RESULT_LIMIT;
    table->identity = identity_of(&st);
    table->text = malloc((size_t)st.st_size + 1);
    if (table->text == NULL)
        return RESULT_NOMEM;
    return read_all(fd, table->text, (size_t)st.st_size, length);
}

/* O_NONBLOCK: a named pipe must not hold up the start. */
static enum result read_file(struct accesstable *table, size_t *length)
{
    int fd = open(table->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return RESULT_IO;
    enum result status = read_open_file(fd, table, length);
    int saved = errno;
    close(fd);
    errno = saved;
    return status;
}

static enum result parse(struct accesstable *table, size_t length, struct table_error *error)
{
    struct table_text text = {.text = table->text, .length = length, .line = 1};
    if (strncmp(text.text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
        text.at = strlen(BYTE_ORDER_MARK);
        table_warning(
            error, 1,
            "the byte order mark is passed over; to Postfix it is part of the first line");
    }
    switch (table->type) {
    case TABLE_CIDR:
        return cidr_table_new(&text, &table->cidr, error);
    case TABLE_PCRE:
    case TABLE_REGEXP:
        return regex_table_new(&text, table->type == TABLE_PCRE, table->path, &table->regex, error);
    case TABLE_TEXTHASH:
        break;
    }
    return hash_table_new(&text, &table->hash, error);
}

/* What table_error() holds may quote the file: only printable text goes on. */
static void explain(const char *path, enum result status, const struct table_error *error,
                    char out[ACCESSTABLE_ERROR_MAX])
{
    struct textbuf buf;
    textbuf_init(&buf, out, ACCESSTABLE_ERROR_MAX);
    textbuf_put_untrusted(&buf, path, 160);
    if (error->line > 0) {
        textbuf_printf(&buf, ":%u: ", error->line);
        textbuf_put_untrusted(&buf, error->text, ACCESSTABLE_ERROR_MAX);
    } else if (status == RESULT_IO) {
        textbuf_printf(&buf, ": %s", strerror(errno));
    } else if (status == RESULT_INVALID) {
        textbuf_put(&buf, path[0] == '\0' ? "no file name" : ": not a regular file");
    } else if (status == RESULT_LIMIT) {
        textbuf_printf(&buf, ": larger than %u bytes", ACCESSTABLE_SIZE_MAX);
    } else {
        textbuf_printf(&buf, ": %s", result_text(status));
    }
}

/* Keep what is to be warned of. */
static enum result keep_warnings(struct accesstable *table, const struct table_error *problem)
{
    for (size_t i = 0; i < problem->warning_count; i++) {
        char text[ACCESSTABLE_ERROR_MAX];
        struct table_error warning = {.line = problem->warnings[i].line};
        snprintf(warning.text, sizeof warning.text, "%s", problem->warnings[i].text);
        explain(table->path, RESULT_OK, &warning, text);
        table->warnings[i].lost = problem->warnings[i].lost;
        table->warnings[i].text = strdup(text);
        if (table->warnings[i].text == NULL)
            return RESULT_NOMEM;
    }
    return RESULT_OK;
}

enum result accesstable_load(enum accesstable_type type, const char *path, struct accesstable **out,
                             char error[ACCESSTABLE_ERROR_MAX])
{
    struct table_error problem = {0};
    struct accesstable *table = calloc(1, sizeof *table);
    size_t length = 0;
    enum result status = RESULT_NOMEM;
    if (table != NULL) {
        table->type = type;
        table->path = strdup(path);
        if (table->path != NULL)
            status = path[0] == '\0' ? RESULT_INVALID : read_file(table, &length);
        if (status == RESULT_OK)
            status = parse(table, length, &problem);
        if (status == RESULT_OK)
            status = keep_warnings(table, &problem);
    }
    if (status != RESULT_OK) {
        explain(path, status, &problem, error);
        accesstable_free(table);
        return status;
    }
    *out = table;
    return RESULT_OK;
}

void accesstable_free(struct accesstable *table)
{
    if (table == NULL)
        return;
    cidr_table_free(table->cidr);
    regex_table_free(table->regex);
    hash_table_free(table->hash);
    for (size_t i = 0; i < TABLE_WARNINGS_MAX; i++)
        free(table->warnings[i].text);
    free(table->text);
    free(table->path);
    free(table);
}

/* --- texthash keys --------------------------------------------------------------------------- */

/* A key in lower case; false: longer than any that a table can mean. */
static bool fold(const char *text, char out[KEY_MAX])
{
    size_t length = strlen(text);
    if (length >= KEY_MAX)
        return false;
    for (size_t i = 0; i <= length; i++)
        out[i] = (char)tolower((unsigned char)text[i]);
    return true;
}

/* The name, then its parents with and without a leading dot. */
static const char *find_domain(const struct hash_table *hash, const char *name)
{
    const char *found = hash_table_find(hash, name, strlen(name));
    for (const char *dot = strchr(name, '.'); found == NULL && dot != NULL && dot[1] != '\0';
         dot = strchr(dot + 1, '.')) {
        found = hash_table_find(hash, dot, strlen(dot));
        if (found == NULL)
            found = hash_table_find(hash, dot + 1, strlen(dot + 1));
    }
    return found;
}

static const char *find_network(const struct hash_table *hash, const struct ipaddr *addr)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(addr, text);
    size_t length = strlen(text);
    const char *found = hash_table_find(hash, text, length);
    while (found == NULL && length > 0) {
        while (length > 0 && text[length - 1] != '.' && text[length - 1] != ':')
            length--;
        while (length > 0 && (text[length - 1] == '.' || text[length - 1] == ':'))
            length--;
        if (length > 0)
            found = hash_table_find(hash, text, length);
    }
    return found;
}

static const char *find_mail(const struct hash_table *hash, const char *address)
{
    const char *at = strrchr(address, '@');
    const char *found = hash_table_find(hash, address, strlen(address));
    if (found == NULL && at != NULL)
        found = find_domain(hash, at + 1);
    if (found == NULL && at != NULL)
        found = hash_table_find(hash, address, (size_t)(at + 1 - address));
    return found;
}

/* --- lookup ---------------------------------------------------------------------------------- */

const char *accesstable_addr(const struct accesstable *table, const struct ipaddr *addr)
{
    char text[IPADDR_TEXT_MAX];
    if (addr->family == IP_NONE)
        return NULL;
    switch (table->type) {
    case TABLE_CIDR:
        return cidr_table_find(table->cidr, addr);
    case TABLE_PCRE:
    case TABLE_REGEXP:
        return regex_table_find(table->regex, ipaddr_format(addr, text));
    case TABLE_TEXTHASH:
        break;
    }
    return find_network(table->hash, addr);
}

/* "192.0.2.1", "[192.0.2.1]", "[IPv6:2001:db8::1]". */
static const char *find_literal(const struct cidr_table *cidr, const char *name)
{
    char text[IPADDR_TEXT_MAX];
    struct ipaddr addr;
    size_t length = strlen(name);
    if (length >= 2 && name[0] == '[' && name[length - 1] == ']') {
        name++;
        length -= 2;
        if (length > 5 && strncasecmp(name, "ipv6:", 5) == 0) {
            name += 5;
            length -= 5;
        }
    }
    if (length >= sizeof text)
        return NULL;
    memcpy(text, name, length);
    text[length] = '\0';
    return ipaddr_parse(text, &addr) == RESULT_OK ? cidr_table_find(cidr, &addr) : NULL;
}

const char *accesstable_name(const struct accesstable *table, const char *name)
{
    char key[KEY_MAX];
    switch (table->type) {
    case TABLE_CIDR:
        return find_literal(table->cidr, name);
    case TABLE_PCRE:
    case TABLE_REGEXP:
        return regex_table_find(table->regex, name);
    case TABLE_TEXTHASH:
        break;
    }
    return fold(name, key) ? find_domain(table->hash, key) : NULL;
}

static const char *find_address(const struct accesstable *table, const char *address)
{
    char key[KEY_MAX];
    if (table->type != TABLE_TEXTHASH)
        return accesstable_name(table, address);
    return fold(address, key) ? find_mail(table->hash, key) : NULL;
}

/* "\"a b\"@example.org" as "a b@example.org".  False: nothing is quoted, or it is too long. */
static bool unquote(const char *address, char out[KEY_MAX])
{
    size_t length = 0;
    if (address[0] != '"' || strlen(address) >= KEY_MAX)
        return false;
    for (address++; *address != '\0' && *address != '"'; address++) {
        if (*address == '\\' && address[1] != '\0')
            address++;
        out[length++] = *address;
    }
    (void)snprintf(out + length, KEY_MAX - length, "%s", *address == '"' ? address + 1 : "");
    return true;
}

/* access(5) is asked for addresses as Postfix has them inside, without quotes. */
const char *accesstable_mail(const struct accesstable *table, const char *address)
{
    char unquoted[KEY_MAX];
    if (address[0] == '\0')
        address = NULL_SENDER;
    const char *found = unquote(address, unquoted) ? find_address(table, unquoted) : NULL;
    return found != NULL ? found : find_address(table, address);
}

static bool is_word(const char *value, size_t length, const char *word)
{
    return length == strlen(word) && strncasecmp(value, word, length) == 0;
}

static bool begins(const char *value, const char *with)
{
    return strncasecmp(value, with, strlen(with)) == 0;
}

/* access(5): REJECT and the like, "450 text", "550 text", and restrictions that may refuse
   (reject_unknown_client_hostname, defer_if_permit); postscreen's "reject". */
static bool refuses(const char *value, size_t length)
{
    static const char *const words[] = {"reject", "discard", "defer"};
    if (begins(value, "reject_") || begins(value, "defer_"))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (is_word(value, length, words[i]))
            return true;
    return length == 3 && (value[0] == '4' || value[0] == '5') &&
           strspn(value, "0123456789") == length;
}

/* access(5): OK, restrictions that may permit (permit_mynetworks), and digits alone, which some
   programs write; postscreen's "permit". */
static bool permits(const char *value, size_t length)
{
    return is_word(value, length, "ok") || begins(value, "permit_") ||
           is_word(value, length, "permit") ||
           (!refuses(value, length) && strspn(value, "0123456789") == length);
}

bool accesstable_lists(const char *value, enum accesstable_sense sense)
{
    size_t length = strcspn(value, " \t,"); /* a list of restrictions has commas */
    if (length == 0 || is_word(value, length, "dunno"))
        return false;
    switch (sense) {
    case SENSE_PERMITS:
        return !refuses(value, length);
    case SENSE_REFUSES:
        return !permits(value, length);
    case SENSE_ANY:
        break;
    }
    return true;
}

static const char *value_of(const struct accesstable *table, size_t i)
{
    if (table->cidr != NULL)
        return cidr_table_value(table->cidr, i);
    return table->regex != NULL ? regex_table_value(table->regex, i)
                                : hash_table_value(table->hash, i);
}

size_t accesstable_excluded(const struct accesstable *table, enum accesstable_sense sense)
{
    size_t excluded = 0;
    const char *value;
    for (size_t i = 0; (value = value_of(table, i)) != NULL; i++)
        excluded += accesstable_lists(value, SENSE_ANY) && !accesstable_lists(value, sense);
    return excluded;
}

const struct accesstable_warning *accesstable_warning(const struct accesstable *table, size_t i)
{
    return i < TABLE_WARNINGS_MAX && table->warnings[i].text != NULL ? &table->warnings[i] : NULL;
}

uint64_t accesstable_limit_hits(const struct accesstable *table)
{
    return table->regex == NULL ? 0 : regex_table_limit_hits(table->regex);
}

uint64_t accesstable_changed(const struct accesstable *table, bool *unseen)
{
    struct stat st;
    if (stat(table->path, &st) != 0) {
        *unseen = true;
        return 0;
    }
    struct identity now = identity_of(&st);
    if (same_identity(&now, &table->identity))
        return 0;
    const uint64_t parts[] = {(uint64_t)now.device, (uint64_t)now.inode, (uint64_t)now.size,
                              (uint64_t)now.modified.tv_sec, (uint64_t)now.modified.tv_nsec};
    uint64_t version = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        version = (version ^ parts[i]) * UINT64_C(0x100000001b3);
    return version | 1;
}
