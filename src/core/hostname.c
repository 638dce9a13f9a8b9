/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/hostname.h"

#include "core/idn.h"

#include <string.h>
#include <strings.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The canonical form of a byte of a host name, or NUL. */
static char canonical(char c)
{
    if ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_')
        return c;
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return '\0';
}

/* Only digits and dots, or an address in brackets or with colons: what it is meant to be is clear.
 */
static bool looks_like_address(const char *text, size_t length)
{
    char address[IPADDR_TEXT_MAX];
    struct ipaddr ignored;
    if (text[strspn(text, "0123456789.")] == '\0')
        return true;
    if (text[0] != '[' && strchr(text, ':') == NULL)
        return false; /* nearly always */
    if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
        if (length > 5 && strncasecmp(text, "IPv6:", 5) == 0) {
            text += 5;
            length -= 5;
        }
    }
    if (length == 0 || length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    return ipaddr_parse(address, &ignored) == RESULT_OK;
}

/* Copy `length` bytes in canonical form; false unless they are labels and dots.  *dots, and whether
 * the last label is all digits. */
static bool copy_labels(const char *text, size_t length, char *out, size_t *dots,
                        bool *last_numeric)
{
    size_t label = 0;
    *dots = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
            ++*dots;
            out[i] = '.';
            continue;
        }
        out[i] = canonical(text[i]);
        if (out[i] == '\0' || ++label > LABEL_MAX)
            return false;
    }
    out[length] = '\0';
    size_t digits = 0;
    while (digits < label && is_digit(out[length - 1 - digits]))
        digits++;
    *last_numeric = digits == label;
    return label > 0;
}

enum hostname_flaw hostname_parse(const char *text, char out[HOSTNAME_MAX + 1])
{
    size_t length = strnlen(text, HOSTNAME_MAX + 2);
    size_t dots;
    bool last_numeric;
    out[0] = '\0';
    if (length == 0 || strcmp(text, ".") == 0)
        return HOSTNAME_EMPTY;
    if (text[length - 1] == '.')
        length--;
    if (length > HOSTNAME_MAX)
        return HOSTNAME_MALFORMED;
    if (looks_like_address(text, length))
        return HOSTNAME_IP_ADDRESS;
    if (!copy_labels(text, length, out, &dots, &last_numeric) || last_numeric) {
        out[0] = '\0';
        return HOSTNAME_MALFORMED;
    }
    return dots == 0 ? HOSTNAME_ONE_LABEL : HOSTNAME_OK;
}

const char *hostname_flaw_text(enum hostname_flaw flaw)
{
    switch (flaw) {
    case HOSTNAME_OK:
        return "is a host name";
    case HOSTNAME_EMPTY:
        return "is empty";
    case HOSTNAME_IP_ADDRESS:
        return "is an IP address";
    case HOSTNAME_ONE_LABEL:
        return "is a single label";
    case HOSTNAME_MALFORMED:
        break;
    }
    return "is malformed";
}

bool hostname_under(const char *name, const char *suffix)
{
    size_t name_length = strlen(name);
    size_t suffix_length = strlen(suffix);
    if (suffix_length == 0 || suffix_length > name_length)
        return false;
    const char *tail = name + name_length - suffix_length;
    return strcmp(tail, suffix) == 0 && (tail == name || tail[-1] == '.');
}

/* RFC 5321 4.1.2: letters, digits and inner hyphens; stricter than what resolves. */
static bool is_smtp_domain(const char *name)
{
    char before = '.';
    for (; *name != '\0'; before = *name++) {
        if (*name == '_' || (*name == '-' && before == '.') || (*name == '.' && before == '-'))
            return false;
    }
    return before != '-';
}

/* RFC 5321 4.1.3: the numbers of an IPv4 address have one to three digits and are decimal, whatever
   zeros they begin with. */
static void strip_zeros(char *address)
{
    if (address[strspn(address, "0123456789.")] != '\0')
        return;
    char *out = address;
    while (*address != '\0') {
        size_t digits = strcspn(address, ".");
        size_t zeros = digits > 3 ? 0 : strspn(address, "0");
        if (zeros == digits && zeros > 0)
            zeros--; /* one stays */
        memmove(out, address + zeros, digits - zeros);
        out += digits - zeros;
        address += digits;
        if (*address == '.')
            *out++ = *address++;
    }
    *out = '\0';
}

/* The address of "[...]"; false when there is none. */
static bool parse_literal(const char *text, struct ipaddr *out)
{
    static const char tag[] = "IPv6:";
    char address[IPADDR_TEXT_MAX];
    size_t length = strnlen(text, IPADDR_TEXT_MAX + sizeof tag + 2);
    if (length < 2 || text[length - 1] != ']')
        return false;
    text++;
    length -= 2;
    bool tagged = strncasecmp(text, tag, sizeof tag - 1) == 0;
    if (tagged) {
        text += sizeof tag - 1;
        length -= sizeof tag - 1;
    }
    if (length >= sizeof address)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    strip_zeros(address);
    return (!tagged || strchr(address, ':') != NULL) && ipaddr_parse(address, out) == RESULT_OK;
}

/* An address without brackets, one trailing dot tolerated. */
static bool parse_bare(const char *text, struct ipaddr *out)
{
    char address[IPADDR_TEXT_MAX + 1];
    size_t length = strnlen(text, sizeof address);
    if (length == 0 || length == sizeof address)
        return false;
    memcpy(address, text, length + 1);
    if (address[length - 1] == '.')
        address[length - 1] = '\0';
    strip_zeros(address);
    return ipaddr_parse(address, out) == RESULT_OK;
}

static enum helo_kind parse_kind(const char *text, struct helo *out)
{
    if (text[0] == '[')
        return parse_literal(text, &out->literal) ? HELO_LITERAL : HELO_INVALID;
    if (parse_bare(text, &out->literal))
        return HELO_BARE_IP;
    enum hostname_flaw flaw;
    out->nomem = idn_hostname_parse(text, out->name, &flaw) != RESULT_OK;
    /* RFC 6531 3.7.1: names are sent as A-labels, whatever else is UTF-8. */
    bool sound = is_smtp_domain(out->name) && !idn_is_needed(text);
    if (flaw == HOSTNAME_OK)
        return sound ? HELO_DOMAIN : HELO_INVALID;
    out->name[0] = '\0';
    return flaw == HOSTNAME_ONE_LABEL && sound ? HELO_ONE_LABEL : HELO_INVALID;
}

void helo_parse(const char *text, struct helo *out)
{
    out->kind = HELO_NONE;
    out->cut = out->nomem = false;
    out->literal = (struct ipaddr){0};
    out->name[0] = out->text[0] = '\0';
    if (text == NULL)
        return;
    size_t length = strnlen(text, HELO_TEXT_MAX + 1);
    out->cut = length > HELO_TEXT_MAX;
    if (out->cut)
        length = HELO_TEXT_MAX;
    memcpy(out->text, text, length);
    out->text[length] = '\0';
    out->kind = parse_kind(text, out);
}
