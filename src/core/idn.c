/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/idn.h"

#include <idn2.h>
#include <string.h>

/* Bytes of UTF-8 that a name of HOSTNAME_MAX may come from: four for a character at most. */
#define UTF8_MAX (4 * HOSTNAME_MAX)

bool idn_is_needed(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text > 0x7f)
            return true;
    return false;
}

/* Take libidn2's copy of a name. */
static enum result take(char *ascii, char out[HOSTNAME_MAX + 1])
{
    size_t length = strlen(ascii);
    enum result status = length <= HOSTNAME_MAX ? RESULT_OK : RESULT_INVALID;
    if (status == RESULT_OK)
        memcpy(out, ascii, length + 1);
    idn2_free(ascii);
    return status;
}

enum result idn_to_ascii(const char *name, char out[HOSTNAME_MAX + 1])
{
    char *ascii = NULL;
    size_t length = strnlen(name, UTF8_MAX + 1);
    if (!idn_is_needed(name)) {
        if (length > HOSTNAME_MAX)
            return RESULT_INVALID;
        memcpy(out, name, length + 1);
        return RESULT_OK;
    }
    if (length > UTF8_MAX)
        return RESULT_INVALID;
    int status = idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status == IDN2_OK)
        return take(ascii, out);
    return status == IDN2_MALLOC ? RESULT_NOMEM : RESULT_INVALID;
}

enum result idn_hostname_parse(const char *text, char out[HOSTNAME_MAX + 1],
                               enum hostname_flaw *flaw)
{
    char ascii[HOSTNAME_MAX + 1];
    enum result result = RESULT_OK;
    out[0] = '\0';
    *flaw = HOSTNAME_MALFORMED;
    if (!idn_is_needed(text))
        *flaw = hostname_parse(text, out);
    else if ((result = idn_to_ascii(text, ascii)) == RESULT_OK)
        *flaw = hostname_parse(ascii, out);
    return result == RESULT_NOMEM ? RESULT_NOMEM : RESULT_OK;
}
