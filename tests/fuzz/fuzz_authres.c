/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of an Authentication-Results field.  The first line is our authserv-id, the rest the
 * field's body. */
#include "fuzz.h"

#include "core/authresults.h"

#include <string.h>
#include <strings.h>

enum place { FORGES, FOREIGN, QUOTED_ID, BROKEN };

FUZZ_PLACES([FORGES] = "forges", [FOREIGN] = "foreign", [QUOTED_ID] = "quoted-id",
            [BROKEN] = "does-not-parse");

static bool forges(const char *before, const char *value, const char *after, const char *id)
{
    size_t size = strlen(before) + strlen(value) + strlen(after) + 1;
    char *whole = malloc(size);
    CHECK(whole != NULL);
    (void)snprintf(whole, size, "%s%s%s", before, value, after);
    bool result = authresults_forges(whole, id);
    free(whole);
    return result;
}

/* ASCII letters the other way round. */
static char *swapped(const char *text)
{
    char *other = strdup(text);
    CHECK(other != NULL);
    for (char *c = other; *c != '\0'; c++)
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z'))
            *c = (char)(*c ^ 0x20);
    return other;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_lines lines = {data, data + size};
    char *id = fuzz_line(&lines);
    if (id == NULL)
        return 0;
    char *value = fuzz_copy(lines.at, (size_t)(lines.end - lines.at));
    char *other = swapped(value);
    bool result = authresults_forges(value, id);
    fuzz_reach(result ? FORGES : FOREIGN);
    /* Letters, white space and comments before it make no difference. */
    CHECK(authresults_forges(other, id) == result);
    CHECK(forges("\n\t", value, "", id) == result);
    if (result) {
        CHECK(strcasestr(value, "iprev") != NULL);
        if (value[strspn(value, " \t\r\n")] == '"')
            fuzz_reach(QUOTED_ID);
        /* What does not parse stays suspect, whatever follows. */
        CHECK(forges("", value, " iprev", id));
    } else if (strchr(value, '(') == NULL && strchr(value, '"') == NULL && id[0] != '\0' &&
               strcspn(id, " \t\r\n;(\"\\") == strlen(id)) {
        /* With nothing open, one more result is seen. */
        char ours[256];
        if (strlen(id) < sizeof ours && strncasecmp(value, id, strlen(id)) == 0 &&
            strchr(" \t\r\n;", value[strlen(id)]) != NULL)
            CHECK(forges("", value, "; iprev=pass", id));
    }
    if (result && !forges("", value, "; dkim=none", id))
        CHECK(false);
    if (result && strchr(value, ';') == NULL)
        fuzz_reach(BROKEN);
    free(other);
    free(value);
    free(id);
    return 0;
}
