/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/session.h"

#include "core/authresults.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes of an envelope address that are kept: RFC 5321 4.5.3.1.3 allows paths of 256. */
#define ADDRESS_MAX 512

/* Bytes of a macro's text that are kept: longer ones are no host names or queue ids. */
#define MACRO_MAX 255

/* Authentication-Results fields of one message that are looked at; mail has a handful.  What is
   over is removed unread, for a sender who writes this many has nothing honest in mind. */
#define AUTHRES_MAX 256

/* Why nothing is judged. */
enum leave { JUDGE, LEAVE_LOCAL, LEAVE_AUTHENTICATED };

/* A decision that refused nothing, kept for header and log at the message's end. */
struct kept {
    bool valid;
    struct decision decision;
    char *recipient;
};

struct session {
    const struct session_services *services;
    struct conf *conf;

    /* The connection. */
    struct ipaddr client;
    enum leave leave; /* from connect on */
    bool connected;
    bool nomem;            /* something could not be remembered: tempfail where it matters */
    struct lookup *lookup; /* NULL: left alone, or memory was out */
    struct helo helo;
    bool facts_known;
    struct facts facts;
    enum mta_resolve mta_resolve;
    char mta_name[HOSTNAME_MAX + 1];
    char mta[MACRO_MAX + 1];      /* {j}; "" when not sent */
    char listener[MACRO_MAX + 1]; /* {daemon_name}; "" when not sent */
    struct ipaddr own_addr;       /* {daemon_addr} or {if_addr}; IP_NONE when not sent */
    char exempt[REASON_MAX];
    struct kept settled; /* the decision that let the connection in, at stage connect or helo */

    /* What is to be judged: by judge(), or after SESSION_PENDING by session_resume(). */
    enum stage judged_stage;
    char *judged_recipient;

    /* The transaction. */
    bool authenticated;
    char *sender; /* NULL before MAIL */
    char sender_domain[HOSTNAME_MAX + 1];
    char queue_id[MACRO_MAX + 1];
    struct kept kept; /* the worst decision that let a recipient (or the sender) in */

    /* The message's header. */
    unsigned authres_count;
    unsigned forged[AUTHRES_MAX];
    unsigned forged_count;
    unsigned tag_count; /* fields X-Iprevd: all foreign */

    struct reply *reply;
};

static const char AUTHRES_FIELD[] = "Authentication-Results";
static const char TAG_FIELD[] = "X-Iprevd";

struct session *session_new(const struct session_services *services, struct conf *conf)
{
    struct session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->services = services;
    session->conf = conf_ref(conf);
    helo_parse(NULL, &session->helo);
    return session;
}

static enum stage session_stage(const struct session *session)
{
    return session->conf->stage;
}

/* --- decisions ------------------------------------------------------------------------------ */

/* Cheap for the caller to fill; pointers borrow from the session and `recipient`. */
static struct occasion occasion_now(const struct session *session, enum stage stage,
                                    const char *recipient)
{
    struct occasion occasion = {
        .dialogue = stage == STAGE_CONNECT ? DIALOGUE_CONNECT
                    : stage == STAGE_HELO  ? DIALOGUE_HELO
                                           : DIALOGUE_MAIL,
        .sender = session->sender,
        .recipient = recipient,
        .listener = session->listener[0] != '\0' ? session->listener : NULL,
        .mta = session->mta[0] != '\0' ? session->mta : NULL,
        .queue_id = session->queue_id[0] != '\0' ? session->queue_id : NULL,
        .stage = stage_text(stage),
        .wall_s = clock_wall_s(session->services->clock),
        .dns_ms = session->lookup != NULL ? lookup_took_ms(session->lookup) : 0,
        .all_cached = session->lookup != NULL && lookup_all_cached(session->lookup),
        .exempt = session->exempt[0] != '\0' ? session->exempt : NULL,
    };
    return occasion;
}

static void report(const struct session *session, const struct decision *decision,
                   const struct occasion *occasion)
{
    if (session->services->decided != NULL)
        session->services->decided(session->services->arg, decision, occasion);
}

/* Tell of the transaction's decision, if there is one, and forget it. */
static void report_kept(struct session *session)
{
    if (session->kept.valid) {
        struct occasion occasion =
            occasion_now(session, session_stage(session), session->kept.recipient);
        report(session, &session->kept.decision, &occasion);
    }
    free(session->kept.recipient);
    session->kept = (struct kept){0};
}

/* Does `decision` say more against the message than the one that is kept? */
static bool is_worse(const struct decision *decision, const struct kept *kept)
{
    if (!kept->valid)
        return true;
    if (decision->verdict.action != kept->decision.verdict.action)
        return decision->verdict.action > kept->decision.verdict.action;
    return decision->verdict.would > kept->decision.verdict.would;
}

/*
 * Keep what refused nothing.  A connection's decision is told at once and serves all its messages;
 * of several recipients' the worst one is told at the end, when the queue id is known.
 */
static void keep(struct session *session, const struct decision *decision,
                 const struct occasion *occasion)
{
    if (session->judged_stage < STAGE_MAIL) {
        report(session, decision, occasion);
        session->settled = (struct kept){.valid = true, .decision = *decision};
        return;
    }
    if (!is_worse(decision, &session->kept))
        return;
    free(session->kept.recipient);
    session->kept =
        (struct kept){.valid = true, .decision = *decision, .recipient = session->judged_recipient};
    session->judged_recipient = NULL;
}

static bool is_own_name(const struct session *session, const char *name)
{
    if (name[0] == '\0')
        return false;
    if (strcasecmp(name, session->mta) == 0)
        return true;
    for (size_t i = 0; i < session->conf->own_name_count; i++)
        if (strcmp(name, session->conf->own_names[i]) == 0)
            return true;
    return false;
}

/* helo-self: one of our own names or addresses, from somebody who is not us. */
static bool helo_is_ours(const struct session *session)
{
    if (ipaddr_equal(&session->client, &session->own_addr))
        return false;
    if (session->helo.kind == HELO_LITERAL || session->helo.kind == HELO_BARE_IP)
        return session->own_addr.family != IP_NONE &&
               ipaddr_equal(&session->helo.literal, &session->own_addr);
    return is_own_name(session, session->helo.name);
}

/* Bring the facts up to what is known now.  False: memory is out. */
static bool gather_facts(struct session *session)
{
    struct facts *facts = &session->facts;
    if (!session->facts_known) {
        memset(facts, 0, sizeof *facts);
        if (session->lookup == NULL || lookup_facts(session->lookup, facts) != STATUS_OK)
            return false;
        facts->client = session->client;
        facts->helo = session->helo;
        facts->helo_is_ours = helo_is_ours(session);
        facts->mta_resolve = session->mta_resolve;
        memcpy(facts->mta_name, session->mta_name, sizeof facts->mta_name);
        session->facts_known = true;
    }
    memcpy(facts->sender_domain, session->sender_domain, sizeof facts->sender_domain);
    session->exempt[0] = '\0';
    if (session->services->exempt != NULL &&
        !session->services->exempt(session->services->arg, facts,
                                   clock_wall_s(session->services->clock), session->exempt,
                                   sizeof session->exempt))
        session->exempt[0] = '\0';
    return true;
}

static enum session_answer refuse_without_text(struct session *session)
{
    free(session->reply);
    session->reply = NULL;
    return SESSION_TEMPFAIL;
}

static void forget_judged(struct session *session)
{
    free(session->judged_recipient);
    session->judged_recipient = NULL;
}

enum session_answer session_resume(struct session *session)
{
    if (session->nomem || !gather_facts(session)) {
        forget_judged(session);
        return refuse_without_text(session);
    }
    struct occasion occasion =
        occasion_now(session, session->judged_stage, session->judged_recipient);
    struct decision decision;
    decision_make(session->conf, &session->facts, &occasion, &decision);
    if (decision.verdict.action < ACTION_TEMPFAIL) {
        keep(session, &decision, &occasion);
        forget_judged(session);
        return SESSION_CONTINUE;
    }
    report(session, &decision, &occasion);
    forget_judged(session);
    if (session->reply == NULL)
        session->reply = malloc(sizeof *session->reply);
    if (session->reply == NULL)
        return SESSION_TEMPFAIL;
    decision_reply(&decision, session->reply);
    return decision.verdict.action == ACTION_REJECT ? SESSION_REJECT : SESSION_TEMPFAIL;
}

/* Judge at a stage, for one recipient where there is one (taken), now or when the answers are
 * there. */
static enum session_answer judge(struct session *session, enum stage stage, char *recipient)
{
    forget_judged(session);
    session->judged_stage = stage;
    session->judged_recipient = recipient;
    if (!session->nomem && !session->facts_known && session->lookup != NULL &&
        !lookup_ready(session->lookup))
        return SESSION_PENDING;
    return session_resume(session);
}

/* --- events --------------------------------------------------------------------------------- */

static void end_transaction(struct session *session)
{
    report_kept(session);
    free(session->sender);
    session->sender = NULL;
    session->sender_domain[0] = '\0';
    session->queue_id[0] = '\0';
    session->authenticated = false;
    session->authres_count = 0;
    session->forged_count = 0;
    session->tag_count = 0;
}

static void end_connection(struct session *session)
{
    end_transaction(session);
    forget_judged(session);
    lookup_free(session->lookup);
    session->lookup = NULL;
    session->settled = (struct kept){0};
    session->facts_known = false;
    session->nomem = false;
    session->connected = false;
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
    if (ipaddr_parse(text, out) == STATUS_OK)
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
    copy_macro(macros, "{daemon_name}", session->listener);
    session->mta_resolve = parse_client_resolve(macro(macros, "{client_resolve}"));
    const char *name = macro(macros, "{client_name}");
    if (name == NULL || hostname_parse(name, session->mta_name) != HOSTNAME_OK)
        session->mta_name[0] = '\0';
    parse_own_addr(macro(macros, "{daemon_addr}"), &session->own_addr);
    if (session->own_addr.family == IP_NONE)
        parse_own_addr(macro(macros, "{if_addr}"), &session->own_addr);
}

static int64_t deadline_from_now(const struct session *session)
{
    return clock_ms(session->services->clock) + (int64_t)session->conf->deadline_s * 1000;
}

enum session_answer session_connect(struct session *session, const struct ipaddr *client,
                                    const struct session_macros *macros)
{
    end_connection(session);
    session->connected = true;
    session->client = *client;
    read_connect_macros(session, macros);
    if (client->family == IP_NONE || conf_is_local(session->conf, client)) {
        session->leave = LEAVE_LOCAL;
        return SESSION_ACCEPT;
    }
    session->leave = JUDGE;
    session->lookup = lookup_start(session->services->resolver, client, session->conf->max_ptr,
                                   deadline_from_now(session));
    if (session->lookup == NULL)
        session->nomem = true;
    return session_stage(session) == STAGE_CONNECT ? judge(session, STAGE_CONNECT, NULL)
                                                   : SESSION_CONTINUE;
}

enum session_answer session_helo(struct session *session, const char *helo)
{
    if (!session->connected || session->leave != JUDGE)
        return SESSION_CONTINUE;
    end_transaction(session); /* RFC 5321 4.1.4: EHLO resets */
    if (session_stage(session) == STAGE_CONNECT)
        return SESSION_CONTINUE; /* judged already, on facts that must not change below it */
    helo_parse(helo, &session->helo);
    session->facts_known = false;
    session->settled = (struct kept){0};
    if (session->lookup != NULL &&
        lookup_helo(session->lookup, &session->helo, deadline_from_now(session)) != STATUS_OK)
        session->nomem = true;
    return session_stage(session) == STAGE_HELO ? judge(session, STAGE_HELO, NULL)
                                                : SESSION_CONTINUE;
}

/* "<user@example.org>" without brackets, cut at ADDRESS_MAX; NULL: memory is out. */
static char *copy_address(const char *text)
{
    size_t length = strlen(text);
    if (length >= 2 && text[0] == '<' && text[length - 1] == '>') {
        text++;
        length -= 2;
    }
    return strndup(text, length < ADDRESS_MAX ? length : ADDRESS_MAX);
}

static void read_sender_domain(struct session *session)
{
    const char *at = strrchr(session->sender, '@');
    if (at == NULL || hostname_parse(at + 1, session->sender_domain) != HOSTNAME_OK)
        session->sender_domain[0] = '\0';
}

/* A connection that was not judged at HELO because there was none is judged at MAIL. */
static bool judged_at_mail(const struct session *session)
{
    return session_stage(session) == STAGE_MAIL ||
           (session_stage(session) == STAGE_HELO && session->helo.kind == HELO_NONE);
}

enum session_answer session_mail(struct session *session, const char *sender,
                                 const struct session_macros *macros)
{
    end_transaction(session);
    if (!session->connected)
        return SESSION_CONTINUE;
    if (session->leave != JUDGE)
        return SESSION_ACCEPT;
    const char *login = macro(macros, "{auth_authen}");
    session->authenticated = session->conf->skip_authenticated && login != NULL && login[0] != '\0';
    if (session->authenticated)
        return SESSION_ACCEPT;
    copy_macro(macros, "i", session->queue_id);
    session->sender = copy_address(sender);
    if (session->sender == NULL)
        session->nomem = true;
    else
        read_sender_domain(session);
    return judged_at_mail(session) ? judge(session, STAGE_MAIL, NULL) : SESSION_CONTINUE;
}

enum session_answer session_rcpt(struct session *session, const char *recipient,
                                 const struct session_macros *macros)
{
    if (!session->connected)
        return SESSION_CONTINUE;
    if (session->leave != JUDGE || session->authenticated)
        return SESSION_ACCEPT;
    if (session->queue_id[0] == '\0')
        copy_macro(macros, "i", session->queue_id);
    if (session_stage(session) != STAGE_RCPT)
        return SESSION_CONTINUE;
    char *copy = copy_address(recipient);
    if (copy == NULL)
        return refuse_without_text(session);
    return judge(session, STAGE_RCPT, copy);
}

static const char *authserv_id(const struct session *session)
{
    if (session->conf->authserv_id != NULL)
        return session->conf->authserv_id;
    return session->mta[0] != '\0' ? session->mta : "localhost";
}

void session_header(struct session *session, const char *name, const char *value)
{
    if (session->leave != JUDGE || session->authenticated)
        return;
    if (strcasecmp(name, TAG_FIELD) == 0) {
        session->tag_count++;
    } else if (strcasecmp(name, AUTHRES_FIELD) == 0) {
        session->authres_count++;
        if (session->authres_count <= AUTHRES_MAX &&
            authresults_forges(value, authserv_id(session)))
            session->forged[session->forged_count++] = session->authres_count;
    }
}

/* Highest index first, so that no removal moves the ones that are still to come. */
static void remove_foreign_fields(const struct session *session, const struct session_edits *edits)
{
    for (unsigned i = session->tag_count; i > 0; i--)
        edits->remove(edits->arg, TAG_FIELD, i);
    for (unsigned i = session->authres_count; i > AUTHRES_MAX; i--)
        edits->remove(edits->arg, AUTHRES_FIELD, i);
    for (unsigned i = session->forged_count; i > 0; i--)
        edits->remove(edits->arg, AUTHRES_FIELD, session->forged[i - 1]);
}

enum session_answer session_end_of_message(struct session *session,
                                           const struct session_edits *edits,
                                           const struct session_macros *macros)
{
    if (!session->connected || session->leave != JUDGE || session->authenticated)
        return SESSION_CONTINUE;
    if (session->nomem)
        return refuse_without_text(session);
    copy_macro(macros, "i", session->queue_id);
    remove_foreign_fields(session, edits);
    const struct kept *kept = session->kept.valid ? &session->kept : &session->settled;
    if (!kept->valid)
        return SESSION_CONTINUE;
    const struct decision *decision = &kept->decision;
    char value[DECISION_HEADER_MAX];
    if (decision->verdict.action == ACTION_TAG || decision->verdict.action == ACTION_QUARANTINE) {
        decision_tag_header(decision, value);
        edits->insert(edits->arg, TAG_FIELD, value);
    }
    decision_auth_results(decision, authserv_id(session), value);
    edits->insert(edits->arg, AUTHRES_FIELD, value);
    if (decision->verdict.action == ACTION_QUARANTINE)
        edits->quarantine(edits->arg, decision->reason);
    return SESSION_CONTINUE;
}

void session_reset(struct session *session)
{
    end_transaction(session);
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
