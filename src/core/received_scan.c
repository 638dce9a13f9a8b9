/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received_scan.h"

#include "core/received.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool received_scan_equals(struct received_span span, const char *word)
{
    return span.length == strlen(word) && strncasecmp(span.text, word, span.length) == 0;
}

bool received_scan_begins(struct received_span span, const char *word)
{
    size_t length = strlen(word);
    return span.length >= length && strncasecmp(span.text, word, length) == 0;
}

void received_scan_space(struct received_scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
}

struct received_span received_scan_word(struct received_scan *scan)
{
    struct received_span word = {scan->at, 0};
    while (scan->at < scan->end && !is_space(*scan->at) && *scan->at != '(' &&
           (*scan->at != ';' || word.length == 0)) {
        scan->at++;
        word.length++;
        if (word.text[0] == ';')
            break;
    }
    return word;
}

struct received_span received_scan_name(struct received_scan *scan)
{
    struct received_scan before = *scan;
    struct received_span name = {scan->at, 0};
    while (scan->at < scan->end && !is_space(*scan->at))
        scan->at++;
    name.length = (size_t)(scan->at - name.text);
    struct received_scan rest = *scan;
    received_scan_space(&rest);
    if (memchr(name.text, '(', name.length) == NULL ||
        (rest.at < rest.end && (*rest.at == '(' || *rest.at == '[')))
        return name;
    *scan = before;
    return received_scan_word(scan);
}

bool received_scan_comment(struct received_scan *scan, struct received_span *inside, bool *nested)
{
    unsigned depth = 0;
    const char *begin = scan->at + 1;
    *nested = false;
    for (; scan->at < scan->end; scan->at++) {
        if (*scan->at == '\\') {
            scan->at++;
        } else if (*scan->at == '(') {
            if (++depth > RECEIVED_DEPTH_MAX)
                return false;
            *nested = *nested || depth > 1;
        } else if (*scan->at == ')' && --depth == 0) {
            *inside = (struct received_span){begin, (size_t)(scan->at - begin)};
            scan->at++;
            return true;
        }
    }
    scan->at = scan->end; /* a quoted pair may have gone past it */
    return false;
}

/* --- addresses ------------------------------------------------------------------------------ */

bool received_scan_address(struct received_span span, struct ipaddr *out)
{
    char text[IPADDR_TEXT_MAX];
    const char *zone = memchr(span.text, '%', span.length); /* fe80::1%eth0 */
    if (zone != NULL)
        span.length = (size_t)(zone - span.text);
    if (span.length == 0 || span.length >= sizeof text)
        return false;
    memcpy(text, span.text, span.length);
    text[span.length] = '\0';
    return strlen(text) == span.length && ipaddr_parse(text, out) == RESULT_OK;
}

/* ":25" */
static bool is_port(struct received_span span)
{
    if (span.length < 2 || span.text[0] != ':')
        return false;
    for (size_t i = 1; i < span.length; i++)
        if (span.text[i] < '0' || span.text[i] > '9')
            return false;
    return true;
}

/* An address with a port behind it, which IPv6 cannot have without brackets. */
static bool parse_with_port(struct received_span span, struct ipaddr *out)
{
    const char *colon = memchr(span.text, ':', span.length);
    if (colon == NULL)
        return false;
    size_t length = (size_t)(colon - span.text);
    return is_port((struct received_span){colon, span.length - length}) &&
           received_scan_address((struct received_span){span.text, length}, out);
}

bool received_scan_bracketed(struct received_span span, struct received_span *literal,
                             struct ipaddr *out, bool *port)
{
    static const char tag[] = "IPv6:";
    if (span.length < 2 || span.text[0] != '[')
        return false;
    const char *close = memchr(span.text, ']', span.length);
    if (close == NULL)
        return false;
    struct received_span inside = {span.text + 1, (size_t)(close - span.text) - 1};
    struct received_span behind = {close + 1, (size_t)(span.text + span.length - close) - 1};
    if (behind.length > 0 && !is_port(behind))
        return false;
    *literal = (struct received_span){span.text, inside.length + 2};
    *port = behind.length > 0;
    if (received_scan_begins(inside, tag)) {
        inside.text += sizeof tag - 1;
        inside.length -= sizeof tag - 1;
    }
    return received_scan_address(inside, out) || parse_with_port(inside, out);
}

bool received_scan_bare(struct received_span span, struct ipaddr *out)
{
    for (size_t i = span.length; i > 0; i--)
        if (span.text[i - 1] == '@') {
            span.text += i;
            span.length -= i;
            break;
        }
    return received_scan_address(span, out) || parse_with_port(span, out);
}
