/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_syslog.h"

#include "ctl/logs/maillog_stamp.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_BEFORE_TAG 3 /* host, severity, a level */
#define REPEATED_MAX     65535

const char maillog_syslog_forms[] =
    "  Nov 21 09:22:17 mx postfix/smtpd[4711]: text            syslog, journalctl\n"
    "  2026-11-21T09:22:17+01:00 mx sm-mta[4711]: text         rsyslog, journalctl -o short-iso\n"
    "  <22>1 2026-11-21T09:22:17Z mx postfix/smtpd 4711 - - text           RFC 5424\n"
    "  {\"MESSAGE\": \"text\", \"SYSLOG_IDENTIFIER\": ...}           journalctl -o json\n"
    "  __CURSOR=...                                            journalctl -o export\n"
    "  From user@example.org Sat Nov 21 09:22:17 2026, or a header          mailboxes\n"
    "  192.0.2.1 mail.example.org ptr.example.org              address, EHLO, PTR\n";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

uint64_t maillog_syslog_host(const char *name, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
    return length == 0 ? 0 : hash;
}

/* --- what stands before the time
 * ------------------------------------------------------------------ */

/* "postfix-1  | " of docker compose, "[pod/mx/postfix] " of kubectl logs --prefix. */
static const char *skip_container(const char *text, struct maillog_record *out)
{
    size_t length = 0;
    while (text[length] > ' ' && text[length] != '|')
        length++;
    size_t spaces = strspn(text + length, " ");
    if (length > 0 && spaces > 0 && text[length + spaces] == '|' &&
        text[length + spaces + 1] == ' ') {
        out->host = maillog_syslog_host(text, length);
        return text + length + spaces + 2;
    }
    if (strncmp(text, "[pod/", 5) == 0 && text[length - 1] == ']' && text[length] == ' ') {
        out->host = maillog_syslog_host(text, length);
        return text + length + 1;
    }
    return text;
}

/* "<22>", as some collectors leave it, with the octet count of RFC 6587 before it maybe; *version:
   RFC 5424's "1 " follows. */
static const char *skip_priority(const char *text, bool *version)
{
    size_t count = strspn(text, "0123456789");
    if (count > 0 && count <= 5 && text[count] == ' ' && text[count + 1] == '<')
        text += count + 1;
    size_t length = text[0] == '<' ? strspn(text + 1, "0123456789") : 0;
    if (length > 0 && length <= 3 && text[length + 1] == '>')
        text += length + 2;
    *version = text[0] == '1' && text[1] == ' ' && (is_digit(text[2]) || text[2] == '-');
    return *version ? text + 2 : text;
}

/* --- what stands behind it
 * ------------------------------------------------------------------------ */

static bool set_program(struct maillog_record *out, const char *name, size_t length)
{
    if (length == 0 || length > REPLAY_PROGRAM_MAX)
        return false;
    memcpy(out->program, name, length);
    out->program[length] = '\0';
    return true;
}

/* "postfix/smtpd[123]: ", "sendmail: ", "postfix/10.0.0.1:25/smtpd[123]: " */
static bool parse_tag(const char *text, struct maillog_record *out)
{
    size_t word = strcspn(text, " ");
    if (word < 2 || text[word - 1] != ':' || (text[word] != ' ' && text[word] != '\0'))
        return false;
    const char *end = text + word - 1, *open = NULL;
    out->pid = 0;
    if (end[-1] == ']')
        open = memchr(text, '[', word);
    if (open != NULL) {
        out->pid = is_digit(open[1]) ? strtol(open + 1, NULL, 10) : 0;
        end = open;
    }
    out->message = text + word + (text[word] == ' ');
    return set_program(out, text, (size_t)(end - text));
}

/* "mail.info", "<mail.info>", "mail:info": facility and severity; "INFO" of container images. */
static bool is_severity(const char *word, size_t length)
{
    static const char *const facilities[] = {"mail", "<mail", "daemon", "local", "user", "syslog"};
    static const char *const levels[] = {"DEBUG", "INFO", "NOTICE", "WARNING", "WARN",
                                         "ERROR", "CRIT", "ALERT",  "FATAL"};
    size_t name = 0;
    while (name < length && word[name] != '.' && word[name] != ':')
        name++;
    for (size_t i = 0; name < length && i < sizeof facilities / sizeof facilities[0]; i++)
        if (name == strlen(facilities[i]) && strncmp(word, facilities[i], name) == 0)
            return true;
    if (name < length && length > 6 && strncmp(word + (word[0] == '<'), "local", 5) == 0 &&
        name == 6u + (word[0] == '<'))
        return true;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (length == strlen(levels[i]) && strncmp(word, levels[i], length) == 0)
            return true;
    return false;
}

/* "last message repeated 3 times" has no tag. */
static bool is_untagged_repetition(const char *text)
{
    return strncmp(text, "last message repeated ", 22) == 0 ||
           strncmp(text, "message repeated ", 17) == 0;
}

/* Host, severity and tag in any order that is in use; a host may be missing. */
static bool parse_words(const char *text, struct maillog_record *out)
{
    text += strspn(text, " ");
    for (unsigned word = 0; word <= WORDS_BEFORE_TAG && *text != '\0'; word++) {
        if (is_untagged_repetition(text)) {
            out->program[0] = '\0';
            out->pid = 0;
            out->message = text;
            return true;
        }
        if (parse_tag(text, out))
            return true;
        size_t length = strcspn(text, " ");
        if (!is_severity(text, length))
            out->host = maillog_syslog_host(text, length);
        text += length;
        text += strspn(text, " ");
    }
    return false;
}

/* RFC 5424 6.3: "-" or elements in brackets, in whose values "]" is escaped. */
static const char *skip_structured_data(const char *text)
{
    if (*text == '-')
        return text + 1;
    while (*text == '[') {
        for (bool quoted = false; *text != '\0' && (quoted || *text != ']'); text++) {
            if (*text == '\\' && text[1] != '\0')
                text++;
            else if (*text == '"')
                quoted = !quoted;
        }
        if (*text == '\0')
            return NULL;
        text++;
    }
    return text;
}

/* RFC 5424: "mx postfix/smtpd 4711 - - text" behind the time. */
static bool parse_5424(const char *text, struct maillog_record *out)
{
    size_t length = strcspn(text, " ");
    if (length != 1 || text[0] != '-')
        out->host = maillog_syslog_host(text, length);
    text += length + (text[length] == ' ');
    length = strcspn(text, " ");
    if (!set_program(out, text, length))
        return false;
    text += length + (text[length] == ' ');
    out->pid = is_digit(text[0]) ? strtol(text, NULL, 10) : 0;
    for (unsigned i = 0; i < 2; i++) { /* PROCID, MSGID */
        length = strcspn(text, " ");
        if (length == 0 || text[length] != ' ')
            return false;
        text += length + 1;
    }
    text = skip_structured_data(text);
    if (text == NULL || (*text != ' ' && *text != '\0'))
        return false;
    out->message = text + strspn(text, " ");
    if (strncmp(out->message, "\xef\xbb\xbf", 3) == 0) /* the BOM that says UTF-8 */
        out->message += 3;
    return true;
}

/* Postfix logs no ID of severity, but syslog-ng and Solaris may: "[ID 197553 mail.info] ". */
static void skip_message_id(struct maillog_record *out)
{
    if (strncmp(out->message, "[ID ", 4) != 0)
        return;
    const char *end = strstr(out->message, "] ");
    if (end != NULL)
        out->message = end + 2;
}

/* "stdout F ", which a runtime writes behind its time. */
static const char *skip_stream(const char *text)
{
    bool stream = strncmp(text, "stdout F ", 9) == 0 || strncmp(text, "stderr F ", 9) == 0;
    return stream ? text + 9 : text;
}

/* "2026-11-21T09:22:17.123456789Z stdout F Nov 21 09:22:17 ...": the runtime of a container writes
   a time of its own, which knows year and zone. */
static const char *skip_second_stamp(const char *text)
{
    struct maillog_stamp second;
    text = skip_stream(text);
    const char *rest = maillog_stamp_parse(text, &second);
    return rest != NULL ? rest : text;
}

bool maillog_syslog_parse(const char *text, struct maillog_record *out)
{
    struct maillog_stamp stamp;
    bool version;
    out->wall_s = 0;
    out->host = 0;
    out->stamp = text;
    const char *rest = maillog_stamp_parse(text, &stamp);
    if (rest == NULL) {
        text = skip_priority(skip_container(text, out), &version);
        out->stamp = text;
        rest = maillog_stamp_parse(text, &stamp);
        if (rest != NULL && version) {
            bool ok = parse_5424(rest, out);
            return ok || parse_words(rest, out);
        }
    }
    if (rest == NULL)
        return false;
    if (stamp.kind == MAILLOG_STAMP_ZONED)
        rest = skip_second_stamp(rest);
    if (!parse_words(rest, out))
        return false;
    skip_message_id(out);
    return true;
}

const char *maillog_syslog_stamp(const char *text)
{
    struct maillog_stamp stamp;
    struct maillog_record record;
    bool version;
    if (maillog_stamp_parse(text, &stamp) != NULL)
        return text;
    text = skip_priority(skip_container(text, &record), &version);
    return maillog_stamp_parse(text, &stamp) != NULL ? text : NULL;
}

void maillog_syslog_bare(const char *text, struct maillog_record *out)
{
    struct maillog_stamp stamp;
    bool version;
    memset(out, 0, sizeof *out);
    text = skip_container(text, out);
    const char *rest = maillog_stamp_parse(text, &stamp);
    out->stamp = rest != NULL ? text : NULL;
    out->message = skip_priority(rest != NULL ? skip_stream(rest) : text, &version);
}

/* --- repetitions
 * ---------------------------------------------------------------------------------- */

static unsigned count_of(const char *text)
{
    long count = is_digit(*text) ? strtol(text, NULL, 10) : 0;
    return count > REPEATED_MAX ? REPEATED_MAX : (unsigned)count;
}

unsigned maillog_syslog_repeated(const char *message, const char **text, size_t *length)
{
    *text = NULL;
    *length = 0;
    if (strncmp(message, "message repeated ", 17) == 0) { /* rsyslog */
        const char *begin = strstr(message, " times: [ ");
        size_t size = strlen(message);
        if (begin != NULL && message[size - 1] == ']') {
            *text = begin + 10;
            *length = (size_t)(message + size - 1 - *text);
        }
        return count_of(message + 17);
    }
    if (strncmp(message, "last message repeated ", 22) == 0)
        return count_of(message + 22);
    if (strncmp(message, "Last message '", 14) == 0) { /* syslog-ng */
        const char *mark = NULL;
        for (const char *at = strstr(message, "' repeated "); at != NULL;
             at = strstr(at + 1, "' repeated "))
            mark = at;
        return mark != NULL ? count_of(mark + 11) : 0;
    }
    return 0;
}
