/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/received.h"

#include "core/received_client.h"
#include "core/received_protocol.h"

#include <string.h>

/* A field in its parts. */
struct field {
    struct received_span whole; /* up to the date */
    struct received_span head;  /* the from-clause behind "from" */
    struct received_span tail;  /* from "by" on */
    bool folded;                /* the clause ends where a line does */
};

/* What the clause held. */
struct clause {
    struct received_span name;     /* the word behind "from" */
    struct received_span marked;   /* behind HELO; text NULL: nothing */
    struct received_client client; /* of the comment that counts */
    bool found;
    bool login;           /* marked by the writer */
    bool helo_lost;       /* it is not certain where EHLO ends */
    bool sendmail;        /* whose EHLO comes first, whatever it looks like */
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
    (void)received_scan_word(&scan);
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

static bool split(const char *at, const char *end, struct field *field)
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

/* --- who wrote it --------------------------------------------------------------------------- */

/* Behind the word "by": its name and the first comment. */
static bool written_by(const struct field *field, const char *host, const char *comment)
{
    struct received_scan scan = {field->tail.text, field->tail.text + field->tail.length};
    struct received_span inside;
    bool nested;
    (void)received_scan_word(&scan);
    received_scan_space(&scan);
    struct received_span name = received_scan_word(&scan);
    received_scan_space(&scan);
    size_t length = host != NULL ? strlen(host) : 0;
    if (host != NULL)
        return name.length >= length &&
               received_scan_equals(
                   (struct received_span){name.text + name.length - length, length}, host);
    return scan.at < scan.end && *scan.at == '(' &&
           received_scan_comment(&scan, &inside, &nested) && received_scan_begins(inside, comment);
}

/* "by mx.example.org (8.17.1/8.17.1) with ESMTP" */
static bool is_sendmail(const struct field *field)
{
    return written_by(field, NULL, "8.");
}

static bool is_gmail(const struct field *field)
{
    return written_by(field, ".google.com", NULL);
}

static bool is_exim(const struct field *field)
{
    static const char mark[] = "(Exim ";
    for (size_t i = 0; i + sizeof mark - 1 <= field->tail.length; i++)
        if (memcmp(field->tail.text + i, mark, sizeof mark - 1) == 0)
            return true;
    return false;
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
static struct received_span whole_comment(const struct field *field, struct received_scan scan,
                                          bool *nested)
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

/* "[192.0.2.1] (helo=a.example)", "[192.0.2.1] (HELO a.example)", "192.0.2.1 (EHLO a.example)" */
static bool read_address_name(const struct field *field, struct received_scan scan,
                              struct clause *clause)
{
    struct received_client *client = &clause->client;
    struct received_span literal, inside = {NULL, 0};
    bool port = false, nested = false;
    bool brackets = received_scan_bracketed(clause->name, &literal, &client->address, &port);
    if (!brackets && !received_scan_address(clause->name, &client->address))
        return false;
    if (scan.at < scan.end && *scan.at == '(')
        inside = whole_comment(field, scan, &nested);
    struct received_span none = {"", 0};
    bool exim = inside.text != NULL && received_client_exim(inside, &client->helo);
    bool marked = !exim && inside.text != NULL &&
                  received_client_marked(inside, nested, &clause->marked, &clause->login);
    clause->found = (exim && brackets) || marked || (brackets && port);
    if (!clause->found) {
        client->address.family = IP_NONE;
        return false;
    }
    client->exim = exim || port;
    if (exim || marked)
        clause->name = none;
    if (!exim && !marked)
        client->helo = literal; /* Exim leaves out an EHLO that is the client's own literal */
    return true;
}

/* "PTR ([192.0.2.1]:25 helo=a.example ident=joe)" */
static bool read_exim_comment(const struct field *field, struct received_scan scan,
                              struct clause *clause)
{
    struct received_client client;
    bool nested;
    if (scan.at == scan.end || *scan.at != '(')
        return false;
    struct received_span inside = whole_comment(field, scan, &nested);
    if (inside.length == 0 || inside.text[0] != '[' ||
        !received_client_parse(inside, true, &client) || !client.exim)
        return false;
    clause->client = client;
    clause->found = true;
    return true;
}

/* --- writers that put EHLO first -------------------------------------------------------------- */

/* One comment of the clause.  The last one that names a client counts; a login is marked behind
   it. */
static void read_comment(struct clause *clause, struct received_span inside, bool nested)
{
    struct received_client client;
    struct received_span helo;
    bool login;
    if (!clause->sendmail && received_client_marked(inside, nested, &helo, &login)) {
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

/* The comment at the end of a line, read from its closing bracket: what stands before it is the
   client's, who may have opened more. */
static bool read_last_comment(struct received_scan line, struct clause *clause)
{
    unsigned depth = 0;
    while (line.end > line.at && strchr(" \t\r", line.end[-1]) != NULL)
        line.end--;
    if (line.end == line.at || line.end[-1] != ')')
        return false;
    for (const char *at = line.end; at > line.at; at--) {
        depth += at[-1] == ')';
        if (at[-1] != '(' || --depth > 0)
            continue;
        struct received_span inside = {at, (size_t)(line.end - at) - 1};
        bool nested = memchr(inside.text, '(', inside.length) != NULL;
        read_comment(clause, inside, nested);
        return clause->found;
    }
    return false;
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
        struct received_scan first = scan;
        if (!clause->found) {
            bool parts = read_parts(&scan, clause);
            whole = whole && (parts || read_last_comment(first, clause));
        } else {
            struct received_span inside;
            bool nested;
            received_scan_space(&scan);
            if (scan.at < scan.end && *scan.at == '(' &&
                received_scan_comment(&scan, &inside, &nested) && received_client_is_login(inside))
                clause->login = true;
        }
        scan.at = line != NULL ? line + 1 : end;
    }
    return whole || clause->found;
}

/* False: a comment does not end. */
static bool read_clause(const struct field *field, bool closed, struct clause *clause)
{
    struct received_scan scan = {field->head.text, field->head.text + field->head.length};
    received_scan_space(&scan);
    clause->name = received_scan_word(&scan);
    const char *name_end = scan.at;
    received_scan_space(&scan);
    struct received_scan first = scan;
    if (!closed) /* whatever is in the open comment */
        first.end = field->tail.text + field->tail.length;
    clause->sendmail = field->folded && is_sendmail(field);
    clause->helo_lost = !closed;
    /* Without a space the bracket belongs to what the client said. */
    bool apart = clause->name.length == 0 || scan.at > name_end || scan.at == scan.end;
    if (!clause->sendmail && apart &&
        (read_address_name(field, first, clause) || read_exim_comment(field, first, clause)))
        return true;
    return closed && (field->folded ? read_lines(scan, clause) : read_parts(&scan, clause));
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

static void conclude_ptr(const struct field *field, const struct clause *clause,
                         struct received *out)
{
    const struct received_client *client = &clause->client;
    struct received_span name = client->name;
    enum received_ptr confirmed =
        client->forged && !client->exim ? RECEIVED_PTR_UNCONFIRMED : RECEIVED_PTR_CONFIRMED;
    if (!clause->found)
        return;
    if (name.length == 0 && (client->exim || is_exim(field)) && !client->bare) {
        struct ipaddr address;
        if (!received_scan_address(clause->name, &address) &&
            (clause->name.length == 0 || clause->name.text[0] != '['))
            name = clause->name;
    } else if (name.length == 0 && clause->marked.text != NULL) {
        name = clause->name; /* qmail, AsyncOS: before the EHLO name */
    } else if (name.length == 0 && !client->bare && (is_sendmail(field) || is_gmail(field))) {
        out->ptr_state = RECEIVED_PTR_NONE;
        return;
    }
    if (!is_word_for_name(name, &out->ptr_state))
        set_ptr(out, name, confirmed);
}

/* EHLO as the writer recorded it; none where it writes something else in its place. */
static void conclude_helo(const struct field *field, const struct clause *clause,
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
               (client->bare || received_scan_equals(client->name, "unknown"))) {
        return; /* qmail and Postfix: the client said none, or just this */
    } else if (is_sendmail(field) && client->name.length == 0 &&
               received_scan_bracketed(name, &literal, &address, &port) &&
               ipaddr_equal(&address, &out->from)) {
        return; /* Sendmail writes the client's own name or literal where there was no EHLO */
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
        return true; /* Exim leaves out an EHLO that is the client's own literal */
    literal->text = NULL;
    if (clause->behind.family != IP_NONE) {
        out->from = clause->behind;
        return true;
    }
    /* SquirrelMail: "from 192.0.2.1 (SquirrelMail authenticated user joe) by y with HTTP" */
    return protocol == RECEIVED_PROTOCOL_LOGIN && received_scan_address(clause->name, &out->from);
}

static void read_field(const struct field *field, bool closed, struct received *out)
{
    struct clause clause = {0};
    struct received_span literal;
    enum received_protocol protocol = received_protocol_find(field->whole);
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
    conclude_ptr(field, &clause, out);
    if (literal.text != NULL)
        clause.name = literal;
    conclude_helo(field, &clause, out);
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
    struct field field = {.whole = {value, length}};
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
    }
}
