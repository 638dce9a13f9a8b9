/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_lines.h"

#include <string.h>

enum line_end { LINE_WHOLE, LINE_LONG, LINE_NUL, LINE_OVER };

/* One line without its end; of one that is too long the rest is read and dropped. */
static enum line_end read_line(FILE *stream, char out[CHECK_LINE_MAX + 1])
{
    size_t length = 0;
    bool nul = false, cut = false;
    int byte;
    while ((byte = getc(stream)) != EOF && byte != '\n') {
        nul = nul || byte == '\0';
        cut = cut || length == CHECK_LINE_MAX;
        if (length < CHECK_LINE_MAX)
            out[length++] = (char)byte;
    }
    if (length > 0 && out[length - 1] == '\r')
        length--;
    out[length] = '\0';
    if (byte == EOF && (length == 0 || ferror(stream) != 0) && !nul)
        return LINE_OVER;
    if (cut)
        return LINE_LONG;
    return nul ? LINE_NUL : LINE_WHOLE;
}

static enum check_line_kind bad(const char *what, const char **error)
{
    *error = what;
    return CHECK_LINE_BAD;
}

static enum check_line_kind parse(char *line, struct check_line *out, const char **error)
{
    char *rest = NULL;
    char *client = strtok_r(line, " \t", &rest);
    char *helo = strtok_r(NULL, " \t", &rest);
    if (strtok_r(NULL, " \t", &rest) != NULL)
        return bad("an address and an EHLO name are wanted, and there is more", error);
    if (ipaddr_parse(client, &out->client) != RESULT_OK)
        return bad("the first word is not an IP address", error);
    if (helo != NULL && strlen(helo) > HELO_TEXT_MAX)
        return bad("the EHLO name is longer than 255 bytes", error);
    out->helo[0] = '\0';
    if (helo != NULL)
        memcpy(out->helo, helo, strlen(helo) + 1);
    return CHECK_LINE_CLIENT;
}

enum check_line_kind check_lines_next(FILE *stream, uint64_t *number, struct check_line *out,
                                      const char **error)
{
    char line[CHECK_LINE_MAX + 1];
    for (;;) {
        enum line_end end = read_line(stream, line);
        if (end == LINE_OVER)
            return ferror(stream) != 0 ? CHECK_LINE_FAILED : CHECK_LINE_END;
        ++*number;
        if (end == LINE_LONG)
            return bad("longer than 1024 bytes", error);
        if (end == LINE_NUL)
            return bad("holds a NUL byte", error);
        size_t blank = strspn(line, " \t");
        if (line[blank] != '\0' && line[blank] != '#')
            return parse(line, out, error);
    }
}
