/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every byte of a table file, and of what is looked up in it.  Input: one byte for the type, the
 * subject up to a line feed, the table.  Type "=" takes the table's text as one pattern, which must
 * say the same with the index over plain pieces and without it.
 */
#include "fuzz.h"

#include "site/tables/accesstable.h"

#include <string.h>

enum place { LOADED, REFUSED, FOUND, PATTERN };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [FOUND] = "found",
            [PATTERN] = "pattern-compared");

static struct accesstable *load(enum accesstable_type type, const void *text, size_t size)
{
    struct accesstable *table = NULL;
    char error[ACCESSTABLE_ERROR_MAX] = "";
    struct fuzz_file file;
    fuzz_file_open(&file, text, size);
    enum result status = accesstable_load(type, file.path, &table, error);
    fuzz_file_close(&file);
    fuzz_reach(status == RESULT_OK ? LOADED : REFUSED);
    CHECK((status == RESULT_OK) == (table != NULL));
    CHECK(status == RESULT_OK || error[0] != '\0');
    for (const char *p = error; *p != '\0'; p++)
        CHECK(*p >= 0x20 && *p <= 0x7e);
    return table;
}

/* A value lives in the table and is readable to its end. */
static void use(const char *value)
{
    if (value == NULL)
        return;
    CHECK(value[strlen(value)] == '\0' && (accesstable_lists(value, SENSE_ANY) || value[0] != 'R'));
    fuzz_reach(FOUND);
}

static void look_up(const struct accesstable *table, const char *subject)
{
    struct ipaddr addr;
    use(accesstable_name(table, subject));
    use(accesstable_mail(table, subject));
    if (ipaddr_parse(subject, &addr) == RESULT_OK)
        use(accesstable_addr(table, &addr));
    CHECK(ipaddr_parse("192.0.2.1", &addr) == RESULT_OK);
    use(accesstable_addr(table, &addr));
    CHECK(ipaddr_parse("2001:db8::1", &addr) == RESULT_OK);
    use(accesstable_addr(table, &addr));
}

static bool has_lost(const struct accesstable *table)
{
    const struct accesstable_warning *warning;
    for (size_t i = 0; (warning = accesstable_warning(table, i)) != NULL; i++)
        if (warning->lost)
            return true;
    return false;
}

/* An if is never left out by the index. */
static void compare(const char *subject, const char *pattern, size_t length)
{
    char plain[1200], guarded[1200];
    if (length > 1000 || memchr(pattern, '\n', length) != NULL ||
        memchr(pattern, '\001', length) != NULL || memchr(pattern, '\0', length) != NULL)
        return;
    int size = snprintf(plain, sizeof plain, "\001%.*s\001 x\n", (int)length, pattern);
    struct accesstable *one = load(TABLE_PCRE, plain, (size_t)size);
    size =
        snprintf(guarded, sizeof guarded, "if \001%.*s\001\n/^/ x\nendif\n", (int)length, pattern);
    struct accesstable *other = load(TABLE_PCRE, guarded, (size_t)size);
    CHECK((one == NULL) == (other == NULL));
    /* An if that is passed over holds for all, a rule for nobody. */
    CHECK(one == NULL || has_lost(one) == has_lost(other));
    if (one != NULL && !has_lost(one)) {
        CHECK((accesstable_name(one, subject) == NULL) ==
              (accesstable_name(other, subject) == NULL));
        fuzz_reach(PATTERN);
    }
    accesstable_free(one);
    accesstable_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 14)
        return 0;
    const uint8_t *end = memchr(data + 1, '\n', size - 1);
    if (end == NULL)
        return 0;
    size_t length = (size_t)(end - data - 1), rest = size - length - 2;
    char *subject = fuzz_copy(data + 1, length);
    if (data[0] == '=') {
        compare(subject, (const char *)end + 1, rest);
    } else {
        struct accesstable *table = load((enum accesstable_type)(data[0] % 4), end + 1, rest);
        if (table != NULL)
            look_up(table, subject);
        accesstable_free(table);
    }
    free(subject);
    return 0;
}
