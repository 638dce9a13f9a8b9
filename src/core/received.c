/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received.h"

#include "core/received_client.h"
#include "core/received_protocol.h"
#include "core/received_writer.h"

#include <string.h>

/* A field in its parts. */
struct received_field {
    struct received_span whole; /* up to the date */
    struct received_span head;  /* the from-clause behind "from" */
    struct received_span tail;  /* from "by" on */
    bool folded;                /* the clause ends where a line does */
};

/* What the clause held. */
struct clause {
    enum received_writer writer;
    struct received_span name;     /* behind "from", up to the comment that counts */
    struct received_span marked;   /* behind HELO; text NULL: nothing */
    struct received_client client; /* of the comment that counts */
    bool found;
    bool login;           /* marked by the writer */
    bool helo_lost;       /* it is not certain where EHLO ends */
    bool own_literal;     /* as Exim writes a client without a name that said nothing else */
    struct ipaddr behind; /* outside comments, behind the name */
};

/* --- where a clause ends -------------------------------------------------------------------- */

/* What ends a from-clause (RFC 5321 4.4), or stands where there is none. */
static bool ends_clause(struct received_span word)
{
    static const char *const words[] = {"by", "via", "with", "id", "for", ";"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (received_scan_equals(word, words[i]))
            return true;
    return false;
}

/* A folded line that begins with "by", or NULL.  No client can write one. */
static const char *find_folded_by(const char *at, const char *end)
{
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        struct received_scan scan = {at, end};
        received_scan_space(&scan);
        const char *word = scan.at;
        if (received_scan_equals(received_scan_word(&scan), "by"))
            return word;
        at++;
    }
    return NULL;
}

/* The first word outside comments that ends the clause, behind its name; NULL: a comment is open,
 *stop being where it begins. */
static const char *find_end(const char *at, const char *end, const char **stop)
{
    struct received_scan scan = {at, end};
    struct received_span inside;
    bool nested;
    received_scan_space(&scan);
    (void)received_scan_name(&scan);
    for (received_scan_space(&scan); scan.at < scan.end; received_scan_space(&scan)) {
        *stop = scan.at;
        if (*scan.at == '(') {
            if (!received_scan_comment(&scan, &inside, &nested))
                return NULL;
            continue;
        }
        if (ends_clause(received_scan_word(&scan)))
            return *stop;
    }
    return end;
}

static bool split(const char *at, const char *end, struct received_field *field)
{
    const char *by = find_folded_by(at, end), *stop = at;
    field->folded = by != NULL;
    if (by == NULL)
        by = find_end(at, end, &stop);
    bool closed = by != NULL;
    if (!closed)
        by = stop;
    field->head = (struct received_span){at, (size_t)(by - at)};
    field->tail = (struct received_span){by, (size_t)(end - by)};
    return closed;
}

/* --- writers that put the address first ------------------------------------------------------ */

/* The inside of the comment at scan->at up to the end of the clause: what the client said may hold
   brackets of any kind. */
static struct received_span open_comment(const struct received_scan *scan)
{
    struct received_span inside = {scan->at + 1, (size_t)(scan->end - scan->at) - 1};
    while (inside.length > 0 && strchr(" \t\r\n", inside.text[inside.length - 1]) != NULL)
        inside.length--;
    inside.length -= inside.length > 0 && inside.text[inside.length - 1] == ')';
    return inside;
}

/* The comment at scan->at: to the end of the clause in a folded field, else to its closing
   bracket. */
static struct received_span whole_comment(const struct received_field *field,
                                          struct received_scan scan, bool *nested)
{
    struct received_span inside = {NULL, 0};
    *nested = false;
    const char *line = memchr(scan.at, '\n', (size_t)(scan.end - scan.at));
    struct received_scan first = {scan.at, line != NULL ? line : scan.end};
    struct received_scan try = scan;
    if (received_scan_comment(&try, &inside, nested) && !field->folded)
        return inside;
    return open_comment(&first);
}

/* Behind a space or at the begin of a folded line, as writers put it: one word of a client cannot
   hold either. */
static bool is_apart(const char *at, const char *begin)
{
    return at > begin && (at[-1] == ' ' || (at - begin > 1 && at[-1] == '\t' && at[-2] == '\n'));
}

/* "[192.0.2.1] (helo=a.example)", "[192.0.2.1] (HELO a.example)", "192.0.2.1 (EHLO a.example)";
 *scan is behind the name. */
static bool read_address_name(const struct received_field *field, struct received_scan scan,
                              struct clause *clause)
{
    struct received_client *client = &clause->client;
    struct received_span literal, inside = {NULL, 0};
    bool port = false, nested = false;
    bool brackets = received_scan_bracketed(clause->name, &literal, &client->address, &port);
    if (!brackets && !received_scan_address(clause->name, &client->address))
        return false;
    if (scan.at < scan.end && *scan.at == '(') {
        if (!is_apart(scan.at, field->head.text))
            return false;
        inside = whole_comment(field, scan, &nested);
    }
    bool exim = inside.text != NULL && received_client_exim(inside, &client->helo);
    bool marked = !exim && inside.text != NULL &&
                  received_client_marked(inside, nested, &clause->marked, &clause->login);
    clause->found = (exim && brackets) || marked || (port && scan.at == scan.end);
    if (!clause->found) {
        client->address.family = IP_NONE;
        return false;
    }
    client->exim = exim || port;
    clause->own_literal = client->exim && client->helo.text == NULL;
    clause->name = clause->own_literal ? literal : (struct received_span){"", 0};
    return true;
}

/* "PTR ([192.0.2.1]:25 helo=a.example ident=joe)" */
static bool read_exim_comment(const struct received_field *field, struct received_scan scan,
                              struct clause *clause)
{
    struct received_client client;
    bool nested;
    if (scan.at == scan.end || *scan.at != '(' || clause->name.length == 0 ||
        !is_apart(scan.at, field->head.text))
        return false;
    struct received_span inside = whole_comment(field, scan, &nested);
    if (inside.length == 0 || inside.text[0] != '[' ||
        !received_client_parse(inside, true, &client) || !client.exim)
        return false;
    clause->client = client;
    clause->found = true;
    return true;
}

/* --- a line that ends in the client's comment ------------------------------------------------- */

/* Without white space at its ends. */
static struct received_span trimmed(const char *at, const char *end)
{
    struct received_scan scan = {at, end};
    received_scan_space(&scan);
    while (end > scan.at && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    return (struct received_span){scan.at, (size_t)(end - scan.at)};
}

/* The opening bracket of the comment that ends the text, or NULL. */
static const char *last_comment(struct received_span text)
{
    unsigned depth = 0;
    if (text.length == 0 || text.text[text.length - 1] != ')')
        return NULL;
    for (const char *at = text.text + text.length; at > text.text; at--) {
        depth += at[-1] == ')';
        if (depth > RECEIVED_DEPTH_MAX)
            return NULL;
        if (at[-1] == '(' && --depth == 0)
            return at - 1;
    }
    return NULL;
}

/* "PTR (HELO EHLO)", as qmail, AsyncOS and James write it, in what stands before the address. */
static void take_marked_name(struct clause *clause)
{
    struct received_span all = clause->name, helo;
    const char *open = memchr(all.text, ' ', all.length);
    bool login;
    if (open == NULL || clause->writer == RECEIVED_WRITER_AMAVIS)
        return;
    struct received_span behind = {open + 1, all.length - (size_t)(open + 1 - all.text)};
    if (behind.length < 2 || behind.text[0] != '(' || behind.text[behind.length - 1] != ')' ||
        !received_client_marked((struct received_span){behind.text + 1, behind.length - 2}, false,
                                &helo, &login) ||
        login)
        return;
    clause->name.length = (size_t)(open - all.text);
    clause->marked = helo;
}

/*
 * "EHLO (PTR [192.0.2.1])" from its closing bracket: all before the last comment that names a
 * client is what that said, whatever it looks like.
 */
static bool read_line_end(struct received_scan line, struct clause *clause)
{
    const char *open;
    struct received_span left = trimmed(line.at, line.end);
    for (bool login = false; (open = last_comment(left)) != NULL;) {
        struct received_span inside = {open + 1, (size_t)(left.text + left.length - open) - 2};
        bool nested = memchr(inside.text, '(', inside.length) != NULL;
        left = trimmed(left.text, open);
        if (received_client_parse(inside, nested, &clause->client)) {
            clause->found = true;
            clause->login = login || clause->client.login;
            clause->name = left;
            if (clause->client.name.length == 0)
                take_marked_name(clause);
            return true;
        }
        login = login || received_client_is_login(inside);
    }
    return false;
}

/* --- words and comments as they come ---------------------------------------------------------- */

/* One comment of the clause.  The last one that names a client counts; a login is marked behind
   it. */
static void read_comment(struct clause *clause, struct received_span inside, bool nested)
{
    struct received_client client;
    struct received_span helo;
    bool login;
    if (received_client_marked(inside, nested, &helo, &login)) {
        if (!login && !clause->found)
            clause->marked = helo;
        return;
    }
    if (received_client_parse(inside, nested, &client)) {
        clause->client = client;
        clause->found = true;
        clause->login = client.login;
    } else if (clause->found && received_client_is_login(inside)) {
        clause->login = true;
    }
}

/* The comments and words from scan->at to its end.  False: a comment does not end. */
static bool read_parts(struct received_scan *scan, struct clause *clause)
{
    struct received_span inside, literal;
    bool nested, port;
    for (received_scan_space(scan); scan->at < scan->end; received_scan_space(scan)) {
        if (*scan->at == '(') {
            if (!received_scan_comment(scan, &inside, &nested))
                return false;
            read_comment(clause, inside, nested);
            continue;
        }
        struct ipaddr address;
        if (received_scan_bracketed(received_scan_word(scan), &literal, &address, &port))
            clause->behind = address;
    }
    return true;
}

/* A clause of one line; where nothing stands behind what looks like a name, that is a comment. */
static bool read_line(struct received_scan all, struct received_scan behind_name,
                      struct clause *clause)
{
    bool whole = read_parts(&behind_name, clause);
    if (clause->found || clause->behind.family != IP_NONE || clause->name.length == 0 ||
        clause->name.text[0] != '(')
        return whole;
    clause->name.length = 0;
    return read_parts(&all, clause);
}

/* Of a folded clause the first line with a client counts: certificates, which the client chose,
   stand in later ones. */
static bool read_lines(struct received_scan scan, struct clause *clause)
{
    const char *end = scan.end;
    bool whole = true;
    while (scan.at < end) {
        const char *line = memchr(scan.at, '\n', (size_t)(end - scan.at));
        scan.end = line != NULL ? line : end;
        struct received_scan first = {scan.at, scan.end};
        struct received_span inside;
        bool nested;
        received_scan_space(&scan);
        if (clause->found) {
            if (scan.at < scan.end && *scan.at == '(' &&
                received_scan_comment(&scan, &inside, &nested) && received_client_is_login(inside))
                clause->login = true;
        } else if (!read_line_end(first, clause)) {
            (void)received_scan_name(&scan);
            whole = read_parts(&scan, clause) && whole;
        }
        scan.at = line != NULL ? line + 1 : end;
    }
    return whole || clause->found;
}

/* False: a comment does not end. */
static bool read_clause(const struct received_field *field, bool closed, struct clause *clause)
{
    struct received_scan all = {field->head.text, field->head.text + field->head.length};
    struct received_scan scan = all;
    received_scan_space(&scan);
    clause->name = received_scan_name(&scan);
    received_scan_space(&scan);
    struct received_scan first = scan;
    if (!closed) /* whatever is in the open comment */
        first.end = field->tail.text + field->tail.length;
    clause->writer = received_writer_find(field->tail);
    clause->helo_lost = !closed;
    bool ehlo_first = field->folded && (clause->writer == RECEIVED_WRITER_SENDMAIL ||
                                        clause->writer == RECEIVED_WRITER_AMAVIS);
    bool brackets = clause->name.length > 0 && clause->name.text[0] == '[';
    if (!ehlo_first && ((brackets && read_address_name(field, first, clause)) ||
                        read_exim_comment(field, first, clause)))
        return true;
    bool whole = closed && (field->folded ? read_lines(all, clause) : read_line(all, scan, clause));
    if (!ehlo_first && !clause->found && !brackets && read_address_name(field, first, clause))
        return true;
    return whole;
}

/* --- what follows ----------------------------------------------------------------------------- */

static void set_helo(struct received *out, struct received_span helo)
{
    size_t length = helo.length < HELO_TEXT_MAX ? helo.length : HELO_TEXT_MAX;
    memcpy(out->helo, helo.text, length);
    out->helo[length] = '\0';
    out->helo_recorded = true;
}

static void set_ptr(struct received *out, struct received_span name, enum received_ptr state)
{
    out->ptr_state = RECEIVED_PTR_UNRECORDED;
    if (name.length == 0 || name.length > HOSTNAME_MAX + 1)
        return;
    memcpy(out->ptr, name.text, name.length);
    out->ptr[name.length] = '\0';
    out->ptr_state = state;
}

/* Words in the place of a PTR name. */
static bool is_word_for_name(struct received_span name, enum received_ptr *state)
{
    static const struct {
        const char *word;
        enum received_ptr state;
    } words[] = {
        {"unknown", RECEIVED_PTR_NONE},   /* Postfix, qmail; Haraka and hMailServer: Unknown */
        {"<unknown>", RECEIVED_PTR_NONE}, /* OpenSMTPD */
        {"<unknown.domain>", RECEIVED_PTR_NONE}, /* AT&T */
        {"NXDOMAIN", RECEIVED_PTR_NONE},         /* Haraka */
        {"DNSERROR", RECEIVED_PTR_TEMPERROR},    /* Haraka */
        {"softdnserr", RECEIVED_PTR_TEMPERROR},  /* Courier */
        {"softdnserror", RECEIVED_PTR_TEMPERROR},
        {"unverified", RECEIVED_PTR_UNRECORDED}, /* SurgeMail */
        {"verified", RECEIVED_PTR_UNRECORDED},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (received_scan_equals(name, words[i].word)) {
            *state = words[i].state;
            return true;
        }
    return false;
}

static void conclude_ptr(const struct clause *clause, struct received *out)
{
    const struct received_client *client = &clause->client;
    struct received_span name = client->name;
    enum received_ptr confirmed =
        client->forged && !client->exim ? RECEIVED_PTR_UNCONFIRMED : RECEIVED_PTR_CONFIRMED;
    if (!clause->found)
        return;
    bool exim = client->exim || clause->writer == RECEIVED_WRITER_EXIM;
    if (name.length == 0 && exim && !client->bare) {
        struct ipaddr address;
        if (!received_scan_address(clause->name, &address) &&
            (clause->name.length == 0 || clause->name.text[0] != '['))
            name = clause->name;
    } else if (name.length == 0 && clause->marked.text != NULL) {
        name = clause->name; /* qmail, AsyncOS: before the EHLO name */
    } else if (name.length == 0 && !client->bare &&
               (clause->writer == RECEIVED_WRITER_SENDMAIL ||
                clause->writer == RECEIVED_WRITER_GMAIL)) {
        out->ptr_state = RECEIVED_PTR_NONE;
        return;
    }
    if (!is_word_for_name(name, &out->ptr_state))
        set_ptr(out, name, confirmed);
}

/* EHLO as the writer recorded it; none where it writes something else in its place. */
static void conclude_helo(const struct received_field *field, const struct clause *clause,
                          struct received *out)
{
    const struct received_client *client = &clause->client;
    struct received_span name = clause->name, literal;
    struct ipaddr address;
    bool port;
    if (clause->helo_lost) {
        return;
    } else if (client->helo.text != NULL) {
        set_helo(out, client->helo);
    } else if (clause->marked.text != NULL) {
        if (clause->marked.length > 0)
            set_helo(out, clause->marked);
    } else if (received_scan_equals(name, "unknown") &&
               clause->writer != RECEIVED_WRITER_SENDMAIL &&
               clause->writer != RECEIVED_WRITER_GMAIL &&
               (client->name.length == 0 || received_scan_equals(client->name, "unknown"))) {
        return; /* Postfix, qmail, amavis, Dovecot: the client said none, or just this */
    } else if (clause->own_literal
                   ? !received_writer_said_ehlo(field->tail)
                   : clause->writer == RECEIVED_WRITER_SENDMAIL && client->name.length == 0 &&
                         received_scan_bracketed(name, &literal, &address, &port) &&
                         ipaddr_equal(&address, &out->from)) {
        return; /* Sendmail and Exim write the client's literal where there was no EHLO */
    } else if (name.length > 0) {
        set_helo(out, name);
    }
}

/* Which of what was found is the client's address?  False: none. */
static bool conclude_address(const struct clause *clause, enum received_protocol protocol,
                             struct received *out, struct received_span *literal)
{
    bool port;
    literal->text = NULL;
    if (clause->found) {
        out->from = clause->client.address;
        return true;
    }
    if (received_scan_bracketed(clause->name, literal, &out->from, &port))
        return true; /* Exim of a client without a name */
    literal->text = NULL;
    if (clause->behind.family != IP_NONE) {
        out->from = clause->behind;
        return true;
    }
    /* SquirrelMail: "from 192.0.2.1 (SquirrelMail authenticated user joe) by y with HTTP" */
    return protocol == RECEIVED_PROTOCOL_LOGIN && received_scan_address(clause->name, &out->from);
}

/* "by mx.example.org": who wrote the field. */
static void read_by(const struct received_field *field, char out[HOSTNAME_MAX + 1])
{
    struct received_scan scan = {field->tail.text, field->tail.text + field->tail.length};
    char text[HOSTNAME_MAX + 2];
    if (!received_scan_equals(received_scan_word(&scan), "by"))
        return;
    received_scan_space(&scan);
    struct received_span name = received_scan_word(&scan);
    if (name.length >= sizeof text)
        return;
    memcpy(text, name.text, name.length);
    text[name.length] = '\0';
    if (hostname_parse(text, out) != HOSTNAME_OK)
        out[0] = '\0';
}

static void read_field(const struct received_field *field, bool closed, struct received *out)
{
    struct clause clause = {0};
    struct received_span literal;
    /* Before a folded "by" stands only what the client said. */
    struct received_span behind = field->whole;
    if (field->folded && field->tail.text < behind.text + behind.length) {
        behind.length -= (size_t)(field->tail.text - behind.text);
        behind.text = field->tail.text;
    }
    enum received_protocol protocol = received_protocol_find(behind);
    if (!read_clause(field, closed, &clause))
        return;
    if (protocol == RECEIVED_PROTOCOL_FETCHED) {
        out->kind = RECEIVED_FETCHED;
        return;
    }
    if (protocol == RECEIVED_PROTOCOL_DELIVERY || (clause.found && clause.client.local)) {
        out->kind = RECEIVED_INTERNAL;
        return;
    }
    if (!conclude_address(&clause, protocol, out, &literal))
        return;
    out->kind = RECEIVED_FROM;
    out->submitted = clause.login || protocol == RECEIVED_PROTOCOL_LOGIN;
    conclude_ptr(&clause, out);
    if (literal.text != NULL) {
        clause.name = literal;
        clause.own_literal = true;
    }
    conclude_helo(field, &clause, out);
    read_by(field, out->by);
}

/* "(qmail 4711 invoked from network); date", "(from root@localhost) by y"; "(from a [192.0.2.1]) by
   y" names a client in a form that is not known. */
static enum received_kind kind_of_comment(struct received_span inside, bool nested)
{
    struct received_client client;
    if (!received_scan_begins(inside, "from "))
        return RECEIVED_INTERNAL;
    inside.text += strlen("from ");
    inside.length -= strlen("from ");
    return received_client_parse(inside, nested, &client) && client.address.family != IP_NONE
               ? RECEIVED_UNREADABLE
               : RECEIVED_INTERNAL;
}

/* MDaemon has no "from": "a.example [(192.0.2.1)] by y". */
static bool begins_like_mdaemon(struct received_scan scan)
{
    received_scan_space(&scan);
    return scan.end - scan.at > 2 && scan.at[0] == '[' && scan.at[1] == '(';
}

void received_parse(const char *value, struct received *out)
{
    size_t length = strnlen(value, RECEIVED_TEXT_MAX);
    struct received_scan scan = {value, value + length};
    struct received_field field = {.whole = {value, length}};
    struct received_span inside = {"", 0};
    bool nested = false, commented = false;
    memset(out, 0, sizeof *out);
    out->kind = RECEIVED_UNREADABLE;
    for (size_t i = length; i > 0; i--)
        if (value[i - 1] == ';') {
            field.whole.length = i - 1;
            break;
        }
    for (received_scan_space(&scan); scan.at < scan.end && *scan.at == '(';
         received_scan_space(&scan)) {
        if (!received_scan_comment(&scan, &inside, &nested))
            return;
        commented = true;
    }
    if (field.whole.text + field.whole.length < scan.at) /* that semicolon is in a comment */
        field.whole.length = length;
    struct received_scan before = scan;
    struct received_span word = received_scan_word(&scan);
    if (received_scan_equals(word, "from") ||
        (begins_like_mdaemon(scan) && (scan = before, true))) {
        bool closed = split(scan.at, scan.end, &field);
        read_field(&field, closed, out);
        if (out->kind != RECEIVED_FROM) {
            enum received_kind kind = out->kind;
            memset(out, 0, sizeof *out);
            out->kind = kind;
        }
    } else if (word.length == 0 || received_scan_equals(word, ";") ? commented
                                                                   : ends_clause(word)) {
        out->kind = commented ? kind_of_comment(inside, nested) : RECEIVED_INTERNAL;
        struct received_span tail = {word.text,
                                     (size_t)(field.whole.text + field.whole.length - word.text)};
        if (received_scan_equals(word, "by") && received_writer_hides_client(tail))
            out->kind = RECEIVED_UNREADABLE;
    }
}
