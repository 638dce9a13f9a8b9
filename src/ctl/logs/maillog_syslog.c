/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_syslog.h"

#include "core/ipaddr.h"
#include "ctl/logs/maillog_stamp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool is_one_of(const char *word, size_t length, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (length == strlen(words[i]) && strncasecmp(word, words[i], length) == 0)
            return true;
    return false;
}

/* "mail.info", "<mail.info>", "mail:info", "(mail/info)": facility and severity; "INFO" of
   container images, "info" of templates. */
static bool is_severity(const char *word, size_t length)
{
    static const char *const facilities[] = {"mail", "daemon", "local", "user", "syslog"};
    static const char *const levels[] = {"DEBUG", "INFO", "NOTICE", "WARNING", "WARN", "ERROR",
                                         "ERR",   "CRIT", "ALERT",  "EMERG",   "FATAL"};
    if (length > 2 && strchr("<[(", word[0]) != NULL && strchr(">])", word[length - 1]) != NULL) {
        word++;
        length -= 2;
    }
    size_t name = 0;
    while (name < length && word[name] != '.' && word[name] != ':' && word[name] != '/')
        name++;
    if (name == length)
        return is_one_of(word, length, levels, sizeof levels / sizeof levels[0]);
    if (word[name] == '/' &&
        !is_one_of(word + name + 1, length - name - 1, levels, sizeof levels / sizeof levels[0]))
        return false; /* "mail/smtpd" is a program */
    return is_one_of(word, name, facilities, sizeof facilities / sizeof facilities[0]) ||
           (name == 6 && strncmp(word, "local", 5) == 0 && is_digit(word[5]));
}

/* "2001:db8::": a host, and no tag. */
static bool is_address(const char *word, size_t length)
{
    char address[IPADDR_TEXT_MAX];
    struct ipaddr addr;
    if (length < 2 || length >= sizeof address || word[length - 2] != ':')
        return false;
    memcpy(address, word, length);
    address[length] = '\0';
    return ipaddr_parse(address, &addr) == RESULT_OK;
}

/* "[postfix/smtpd] ": metalog. */
static bool parse_bracketed_tag(const char *text, struct maillog_record *out)
{
    size_t word = strcspn(text, " ");
    if (word < 3 || text[0] != '[' || text[word - 1] != ']' || memchr(text, '/', word) == NULL ||
        text[word] != ' ' || is_severity(text, word))
        return false;
    out->pid = 0;
    out->message = text + word + 1;
    return set_program(out, text + 1, word - 2);
}

/* Where the tag ends that the text begins with, and what follows: "postfix/smtpd[123]: ",
   "sendmail: ", "postfix/10.0.0.1:25/smtpd[123]: "; macOS writes "postfix/smtpd[123] <Info>: ". */
static const char *end_of_tag(const char *text, const char **message)
{
    size_t word = strcspn(text, " "), level = 0;
    if (word > 2 && text[word - 1] == ']' && strncmp(text + word, " <", 2) == 0)
        level = 1 + strcspn(text + word + 1, " ");
    const char *end = text + word + level;
    if (word < 2 || end[-1] != ':' || (level > 0 && end[-2] != '>') || is_address(text, word))
        return NULL;
    *message = end + (*end == ' ');
    return level > 0 ? text + word : end - 1;
}

static bool parse_tag(const char *text, struct maillog_record *out)
{
    const char *message, *end = end_of_tag(text, &message), *open = NULL;
    if (end == NULL)
        return parse_bracketed_tag(text, out);
    out->pid = 0;
    if (end[-1] == ']')
        open = memchr(text, '[', (size_t)(end - text));
    if (open != NULL) {
        out->pid = is_digit(open[1]) ? strtol(open + 1, NULL, 10) : 0;
        end = open;
    }
    out->message = message;
    return set_program(out, text, (size_t)(end - text));
}

/* "last message repeated 3 times" has no tag. */
static bool is_untagged_repetition(const char *text)
{
    return strncmp(text, "last message repeated ", 22) == 0 ||
           strncmp(text, "message repeated ", 17) == 0 ||
           strncmp(text, "--- last message repeated ", 26) == 0; /* macOS */
}

/* "Message forwarded from mx: " of AIX before the tag; returns what follows, NULL when there is
   none. */
static const char *skip_forwarded(const char *text, struct maillog_record *out)
{
    static const char *const marks[] = {"Message forwarded from ", "Forwarded from "};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strncmp(text, marks[i], strlen(marks[i])) != 0)
            continue;
        text += strlen(marks[i]);
        size_t length = strcspn(text, " ");
        if (length < 2 || text[length - 1] != ':')
            return NULL;
        out->host = maillog_syslog_host(text, length - 1);
        return text + length + strspn(text + length, " ");
    }
    return NULL;
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
        const char *original = skip_forwarded(text, out);
        if (original != NULL)
            return parse_tag(original, out);
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
   a time of its own, which knows year and zone; "2026-11-21T09:22:17.123Z mx Nov 21 09:22:17 ...":
   so does logstash, with a host. */
static const char *skip_second_stamp(const char *text)
{
    struct maillog_stamp second;
    text = skip_stream(text);
    const char *rest = maillog_stamp_parse(text, &second);
    size_t host = strcspn(text, " ");
    if (rest == NULL && text[host] == ' ')
        rest = maillog_stamp_parse(text + host + 1, &second);
    return rest != NULL ? rest : text;
}

/* "mx-0 postfix ": the names of a pod and its container, of which the first is numbered; what
   follows, NULL when there are none. */
static const char *skip_pod(const char *text, struct maillog_record *out)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t pod = strspn(text, name), container = 0;
    if (pod > 0 && text[pod] == ' ')
        container = strspn(text + pod + 1, name);
    if (container == 0 || text[pod + 1 + container] != ' ' || memchr(text, '-', pod) == NULL ||
        strcspn(text, "0123456789") > pod)
        return NULL;
    out->host = maillog_syslog_host(text, pod);
    return text + pod + 1 + container + 1;
}

/* Where the time is behind what stands before it in one word: "mail.log:Nov 21",
   "mail.log.1:4711:Nov 21" of grep(1), "mail.info Nov 21" of templates; "mx-0 postfix Nov 21" of
   stern(1).  NULL: nowhere. */
static const char *skip_words(const char *text, struct maillog_record *out)
{
    struct maillog_stamp stamp;
    size_t length = strcspn(text, " ");
    for (size_t i = 0; i < length; i++)
        if (text[i] == ':' && text[i + 1] != ' ' &&
            maillog_stamp_parse(text + i + 1, &stamp) != NULL)
            return text + i + 1;
    if (text[length] == ' ' && is_severity(text, length))
        return text + length + 1;
    return skip_pod(text, out);
}

/* Where the time is: returns what follows it, and sets out->stamp, and out->host if something
   before it tells hosts apart; NULL: there is none.  *version: RFC 5424's number stands before it.
 */
static const char *find_stamp(const char *text, struct maillog_stamp *stamp, bool *version,
                              struct maillog_record *out)
{
    const char *rest = maillog_stamp_parse(text, stamp);
    *version = false;
    out->host = 0;
    out->stamp = text;
    if (rest != NULL)
        return rest;
    text = skip_priority(skip_container(text, out), version);
    out->stamp = text;
    rest = maillog_stamp_parse(text, stamp);
    if (rest != NULL || (text = skip_words(text, out)) == NULL)
        return rest;
    out->stamp = text;
    return maillog_stamp_parse(text, stamp);
}

/* "09:22:17" near the beginning: nothing that a mail server writes there. */
static bool may_begin_with_time(const char *message)
{
    size_t length = strnlen(message, 32);
    const char *colon = memchr(message, ':', length);
    return colon != NULL && colon - message > 2 && is_digit(colon[-1]) && is_digit(colon[1]);
}

static bool parse_rest(const char *rest, const struct maillog_stamp *stamp, bool version,
                       struct maillog_record *out)
{
    if (version && parse_5424(rest, out))
        return true;
    if (stamp->kind == MAILLOG_STAMP_ZONED)
        rest = skip_second_stamp(rest);
    if (!parse_words(rest, out)) /* NetBSD writes RFC 5424 into files without the number */
        return stamp->kind == MAILLOG_STAMP_ZONED && parse_5424(rest, out);
    skip_message_id(out);
    return true;
}

/* Docker's drivers for syslog and the journal: the line of the container is the message.  The outer
   time stays, since it may have a year. */
void maillog_syslog_unwrap(struct maillog_record *record)
{
    struct maillog_stamp stamp;
    struct maillog_record inner = *record;
    if (!may_begin_with_time(record->message))
        return;
    const char *rest = maillog_stamp_parse(record->message, &stamp);
    inner.host = 0;
    if (rest == NULL || !parse_rest(rest, &stamp, false, &inner))
        return;
    inner.stamp = record->stamp;
    inner.host = inner.host != 0 ? inner.host : record->host;
    *record = inner;
}

bool maillog_syslog_parse(const char *text, struct maillog_record *out)
{
    struct maillog_stamp stamp;
    bool version;
    out->wall_s = 0;
    const char *rest = find_stamp(text, &stamp, &version, out);
    if (rest == NULL || !parse_rest(rest, &stamp, version, out))
        return false;
    maillog_syslog_unwrap(out);
    return true;
}

const char *maillog_syslog_stamp(const char *text)
{
    struct maillog_stamp stamp;
    struct maillog_record record;
    bool version;
    return find_stamp(text, &stamp, &version, &record) != NULL ? record.stamp : NULL;
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
    if (strncmp(message, "--- ", 4) == 0)
        message += 4;
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
