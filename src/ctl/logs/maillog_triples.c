/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_triples.h"

#define FIELDS 3

struct triples_field {
    const char *at;
    size_t length;
};

/* How many fields there are, up to FIELDS. */
static size_t split(const char *text, struct triples_field fields[FIELDS])
{
    bool tabs = strchr(text, '\t') != NULL;
    const char *separators = tabs ? "\t" : " ";
    size_t count = 0;
    text += strspn(text, " \t");
    while (*text != '\0' && count < FIELDS) {
        fields[count].at = text;
        fields[count].length = strcspn(text, separators);
        text += fields[count++].length;
        text += tabs ? *text == '\t' : strspn(text, separators);
    }
    return count;
}

static bool is_none(const struct triples_field *field)
{
    return field->length == 0 || (field->length == 1 && field->at[0] == '-');
}

enum maillog_triple maillog_triples_parse(const char *text, struct maillog_event *out,
                                          const char **why)
{
    struct triples_field fields[FIELDS];
    char address[IPADDR_TEXT_MAX];
    size_t count = split(text, fields);
    if (count == 0 || fields[0].at[0] == '#')
        return REPLAY_TRIPLE_EMPTY;
    memset(out, 0, sizeof *out);
    maillog_copy(address, sizeof address, fields[0].at, fields[0].length);
    if (fields[0].length >= sizeof address || ipaddr_parse(address, &out->client) != RESULT_OK) {
        *why = "the first field is not an IP address";
        return REPLAY_TRIPLE_BAD;
    }
    if (count < FIELDS) {
        *why = "three fields are wanted: address, EHLO and PTR (\"-\" for none)";
        return REPLAY_TRIPLE_BAD;
    }
    out->helo_recorded = true;
    if (!is_none(&fields[1]))
        maillog_copy(out->helo, sizeof out->helo, fields[1].at, fields[1].length);
    out->ptr_state = is_none(&fields[2]) ? REPLAY_PTR_NONE : REPLAY_PTR_CONFIRMED;
    if (!is_none(&fields[2]))
        maillog_copy(out->ptr, sizeof out->ptr, fields[2].at, fields[2].length);
    return REPLAY_TRIPLE;
}
