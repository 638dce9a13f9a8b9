/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/mailpath.h"
#include "daemon/session_state.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* EHLO names of a connection that are looked up at once; later ones when MAIL comes, up to ... */
#define HELO_AT_ONCE_MAX 3
/* ... these many.  Clients say one, or another one after STARTTLS. */
#define HELO_MAX 10

struct session *session_new(const struct session_services *services, struct conf *conf)
{
    struct session *session = malloc(sizeof *session);
    if (session == NULL)
        return NULL;
    memset(session, 0, SESSION_CLEARED);
    session->mta_name[0] = session->mta[0] = session->listener[0] = '\0';
    session->sender_domain[0] = session->queue_id[0] = session->exempt[0] = '\0';
    session->services = services;
    session->conf = conf_ref(conf);
    STAILQ_INIT(&session->pending);
    STAILQ_INIT(&session->recipients.list);
    helo_parse(NULL, &session->helo);
    return session;
}

static enum stage session_stage(const struct session *session)
{
    return session->conf->stage;
}

/* --- ends ----------------------------------------------------------------------------------- */

static void end_transaction(struct session *session)
{
    end_without_message(session);
    judge_report_pending(session);
    judge_forget(session);
    relay_forget(session);
    session->header = (struct header_marks){0};
    free(session->sender);
    session->sender = NULL;
    session->sender_domain[0] = '\0';
    session->queue_id[0] = '\0';
    session->authenticated = false;
}

static void end_connection(struct session *session)
{
    end_transaction(session);
    end_of_connection(session);
    lookup_free(session->lookup);
    session->lookup = NULL;
    judge_unsettle(session);
    session->facts_known = false;
    session->others = LOOKUP_ELSEWHERE_NOT_ASKED;
    session->remembered = false;
    session->greylist = GREYLIST_NOT_ASKED;
    session->nomem = false;
    session->connected = false;
    session->subject = SUBJECT_NOBODY;
    session->helo_unrecorded = false;
    session->helo_count = 0;
    session->helo_domains = 0;
    helo_parse(NULL, &session->helo);
}

void session_free(struct session *session)
{
    if (session == NULL)
        return;
    end_connection(session);
    conf_unref(session->conf);
    free(session->reply);
    free(session);
}

/* --- macros --------------------------------------------------------------------------------- */

static const char *macro(const struct session_macros *macros, const char *name)
{
    return macros == NULL ? NULL : macros->get(macros->arg, name);
}

/* Copy a macro's text; "" when it is missing or too long to be what it should be. */
static void copy_macro(const struct session_macros *macros, const char *name,
                       char out[MACRO_MAX + 1])
{
    const char *text = macro(macros, name);
    size_t length = text == NULL ? 0 : strlen(text);
    if (length > MACRO_MAX)
        length = 0;
    if (length > 0)
        memcpy(out, text, length);
    out[length] = '\0';
}

static enum mta_resolve parse_client_resolve(const char *text)
{
    static const struct {
        const char *text;
        enum mta_resolve resolve;
    } words[] = {{"OK", MTA_OK}, {"FAIL", MTA_FAIL}, {"FORGED", MTA_FORGED}, {"TEMP", MTA_TEMP}};
    for (size_t i = 0; text != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i].text) == 0)
            return words[i].resolve;
    return MTA_UNKNOWN;
}

/* {daemon_addr} of Postfix and {if_addr} of Sendmail: "192.0.2.1", "IPv6:2001:db8::1", "[...]". */
static void parse_own_addr(const char *text, struct ipaddr *out)
{
    char bracketed[IPADDR_TEXT_MAX + 8];
    struct helo parsed;
    *out = (struct ipaddr){0};
    if (text == NULL || strlen(text) >= IPADDR_TEXT_MAX)
        return;
    if (ipaddr_parse(text, out) == RESULT_OK)
        return;
    size_t length = strlen(text);
    memcpy(bracketed + 1, text, length);
    bracketed[0] = '[';
    bracketed[length + 1] = ']';
    bracketed[length + 2] = '\0';
    helo_parse(text[0] == '[' ? text : bracketed, &parsed);
    if (parsed.kind == HELO_LITERAL)
        *out = parsed.literal;
}

static void read_connect_macros(struct session *session, const struct session_macros *macros)
{
    copy_macro(macros, "j", session->mta);
    if (session->services->mta_named != NULL)
        session->services->mta_named(session->services->arg, session->mta);
    session->listener[0] = '\0';
    if (session->conf->matches_listener)
        copy_macro(macros, "{daemon_name}", session->listener);
    session->mta_resolve = parse_client_resolve(macro(macros, "{client_resolve}"));
    const char *name = macro(macros, "{client_name}");
    if (name == NULL || hostname_parse(name, session->mta_name) != HOSTNAME_OK)
        session->mta_name[0] = '\0';
    parse_own_addr(macro(macros, "{daemon_addr}"), &session->own_addr);
    if (session->own_addr.family == IP_NONE)
        parse_own_addr(macro(macros, "{if_addr}"), &session->own_addr);
}

/* --- events --------------------------------------------------------------------------------- */

int64_t session_deadline_ms(const struct session *session)
{
    return clock_ms(session->services->clock) + (int64_t)session->conf->deadline_s * 1000;
}

/* A relay is a relay though it stands in one of our own networks. */
static enum subject find_subject(const struct conf *conf, const struct ipaddr *peer)
{
    if (peer->family == IP_NONE)
        return SUBJECT_NOBODY;
    if (conf_is_trusted_relay(conf, peer))
        return SUBJECT_BEHIND_RELAY;
    return conf_is_local(conf, peer) ? SUBJECT_NOBODY : SUBJECT_CLIENT;
}

static void tell_left(const struct session *session, enum session_left reason)
{
    if (session->services->left != NULL)
        session->services->left(session->services->arg, reason);
}

enum session_answer session_connect(struct session *session, const struct ipaddr *client,
                                    const struct session_macros *macros)
{
    end_connection(session);
    session->connected = true;
    session->peer = *client;
    session->subject = find_subject(session->conf, client);
    read_connect_macros(session, macros);
    if (session->subject == SUBJECT_NOBODY)
        tell_left(session, SESSION_LEFT_LOCAL);
    if (session->subject != SUBJECT_CLIENT)
        return session->subject == SUBJECT_NOBODY ? SESSION_ACCEPT : SESSION_CONTINUE;
    session->client = *client;
    int64_t deadline_ms = session_deadline_ms(session);
    session->lookup = lookup_start(session->services->resolver, client, session->conf->max_ptr,
                                   session->mta_name, deadline_ms);
    if (session->lookup == NULL)
        session->nomem = true;
    judge_ask_beside(session, deadline_ms);
    return session_stage(session) == STAGE_CONNECT ? judge_at(session, STAGE_CONNECT, NULL)
                                                   : SESSION_CONTINUE;
}

/* The same name again, as after STARTTLS, costs nothing. */
static void parse_helo(struct session *session, const char *text)
{
    char before[HOSTNAME_MAX + 1];
    memcpy(before, session->helo.name, sizeof before);
    helo_parse(text, &session->helo);
    if (session->helo.name[0] != '\0' && strcmp(session->helo.name, before) != 0)
        session->helo_count++;
}

/* Which PTR names come first, by what the client has said so far. */
static void favour_names(struct session *session)
{
    const struct orgdomain *list = session->conf->orgdomains;
    if (lookup_orders_names(session->lookup))
        lookup_favour(session->lookup, orgdomain_of(list, session->helo.name),
                      orgdomain_of(list, session->sender_domain));
}

/* Each name costs questions to servers that it chooses, and may come to nothing. */
static bool helo_is_late(const struct session *session)
{
    return session->helo_count > HELO_AT_ONCE_MAX;
}

enum session_answer session_helo(struct session *session, const char *helo)
{
    end_transaction(session); /* RFC 5321 4.1.4: EHLO resets */
    if (session->subject != SUBJECT_CLIENT)
        return SESSION_CONTINUE;
    if (session_stage(session) == STAGE_CONNECT)
        return SESSION_CONTINUE; /* judged already, on facts that must not change below it */
    end_of_connection(session);
    parse_helo(session, helo);
    session->helo_domains = helo_domains_note(
        session->services->helo_domains, session->conf->orgdomains, &session->client,
        session->helo.name, clock_wall_s(session->services->clock));
    session->facts_known = false;
    judge_unsettle(session);
    if (session->lookup != NULL) {
        favour_names(session);
        if (lookup_helo(session->lookup, &session->helo, !helo_is_late(session),
                        session_deadline_ms(session)) != RESULT_OK)
            session->nomem = true;
    }
    return session_stage(session) == STAGE_HELO && !helo_is_late(session)
               ? judge_at(session, STAGE_HELO, NULL)
               : SESSION_CONTINUE;
}

/* What Sendmail writes before a reply to a command with this path. */
static size_t prefix_of(const char *path)
{
    static const char behind[] = "... ";
    return strnlen(path, REPLY_PREFIX_MAX) + sizeof behind - 1;
}

/* The canonical mailbox of a path; NULL: memory is out. */
static char *copy_mailbox(const char *path)
{
    char mailbox[MAILPATH_MAX + 1];
    const char *canonical = mailpath_canonical(path, mailbox);
    return canonical != NULL ? strdup(canonical) : NULL;
}

/* A connection that was not judged at HELO, as there was none or too many, is judged at MAIL. */
static bool judged_at_mail(const struct session *session)
{
    return session_stage(session) == STAGE_MAIL ||
           (session_stage(session) == STAGE_HELO &&
            (session->helo.kind == HELO_NONE || helo_is_late(session)));
}

/* A client that logs in is left alone; a relay's own login says nothing of whom it took the mail
 * from. */
static bool skips_login(const struct session *session, const struct session_macros *macros)
{
    const char *login = macro(macros, "{auth_authen}");
    return session->subject == SUBJECT_CLIENT && session->conf->skip_authenticated &&
           login != NULL && login[0] != '\0';
}

static bool says_too_many_names(struct session *session, const char *recipient)
{
    return session->helo_count > HELO_MAX && conf_refuses(session->conf) &&
           !judge_lets_pass(session, recipient);
}

/* At stage rcpt the MTA waits for no answer to MAIL. */
static enum session_answer refuse_many_names(struct session *session)
{
    const struct session_services *services = session->services;
    if (services->capped != NULL)
        services->capped(services->arg, &session->client);
    return judge_refuse_in_words(session, "4.7.1", "too many different EHLO names");
}

/* The sender is known: what waited for it, and what depends on it. */
static void look_up_for_sender(struct session *session)
{
    if (session->lookup == NULL)
        return;
    favour_names(session);
    if (helo_is_late(session))
        lookup_go_on(session->lookup, session_deadline_ms(session));
}

enum session_answer session_mail(struct session *session, const char *sender,
                                 const struct session_macros *macros)
{
    end_transaction(session);
    if (!session->connected)
        return SESSION_CONTINUE;
    session->authenticated = skips_login(session, macros);
    if (session->subject == SUBJECT_NOBODY)
        return SESSION_ACCEPT;
    if (session->authenticated) {
        tell_left(session, SESSION_LEFT_AUTHENTICATED);
        return SESSION_CONTINUE; /* its message is seen: forged fields go */
    }
    copy_macro(macros, "i", session->queue_id);
    session->reply_prefix = prefix_of(sender);
    session->sender = copy_mailbox(sender);
    if (session->sender == NULL)
        session->nomem = true;
    else
        (void)mailpath_domain(session->sender, session->sender_domain);
    if (session_stage(session) != STAGE_RCPT && says_too_many_names(session, NULL))
        return refuse_many_names(session);
    if (session->subject == SUBJECT_CLIENT)
        look_up_for_sender(session);
    return session->subject == SUBJECT_CLIENT && judged_at_mail(session)
               ? judge_at(session, STAGE_MAIL, NULL)
               : SESSION_CONTINUE;
}

enum session_answer session_rcpt(struct session *session, const char *recipient,
                                 const struct session_macros *macros)
{
    if (!session->connected)
        return SESSION_CONTINUE;
    if (session->subject == SUBJECT_NOBODY)
        return SESSION_ACCEPT;
    if (session->authenticated)
        return SESSION_CONTINUE;
    if (session->queue_id[0] == '\0')
        copy_macro(macros, "i", session->queue_id);
    if (session->subject == SUBJECT_CLIENT && session_stage(session) != STAGE_RCPT)
        return SESSION_CONTINUE;
    session->reply_prefix = prefix_of(recipient);
    char *copy = copy_mailbox(recipient);
    if (copy == NULL)
        return judge_refuse_without_text(session);
    if (says_too_many_names(session, copy)) {
        free(copy);
        return refuse_many_names(session);
    }
    if (session->subject == SUBJECT_CLIENT)
        return judge_at(session, STAGE_RCPT, copy);
    enum result status = end_recipient(session, copy);
    free(copy);
    return status == RESULT_OK ? SESSION_CONTINUE : judge_refuse_without_text(session);
}

void session_header(struct session *session, const char *name, const char *value)
{
    if (session->subject == SUBJECT_NOBODY)
        return;
    header_note(session, name, value);
    if (session->subject == SUBJECT_BEHIND_RELAY && strcasecmp(name, "Received") == 0)
        relay_received(session, value);
}

enum session_answer session_end_of_message(struct session *session,
                                           const struct session_edits *edits,
                                           const struct session_macros *macros)
{
    if (session->subject == SUBJECT_NOBODY)
        return SESSION_CONTINUE;
    if (session->authenticated) {
        session->edits = *edits;
        header_edit(session, NULL);
        return SESSION_CONTINUE;
    }
    if (session->nomem)
        return judge_refuse_without_text(session);
    copy_macro(macros, "i", session->queue_id);
    session->edits = *edits;
    if (session->subject == SUBJECT_BEHIND_RELAY)
        return relay_end(session);
    return end_of_message(session);
}

void session_reset(struct session *session)
{
    end_transaction(session);
}

/* --- what is asked of a session ------------------------------------------------------------- */

enum session_answer session_resume(struct session *session)
{
    if (!session->judged_at_end)
        return judge_resume(session);
    return session->subject == SUBJECT_BEHIND_RELAY ? relay_resume(session)
                                                    : end_of_message(session);
}

const struct conf *session_conf(const struct session *session)
{
    return session->conf;
}

struct lookup *session_lookup(struct session *session)
{
    return session->lookup;
}

const struct reply *session_reply(const struct session *session)
{
    return session->reply;
}
