/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/libmilter.h"

#include "base/clock.h"
#include "base/log.h"
#include "dns/lookup.h"

#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Seconds for which libmilter waits for the MTA between two commands: an SMTP client may take
   5 minutes a command (RFC 5321 4.5.3.2) and the MTA's own timeouts come on top. */
#define MTA_TIMEOUT_S 7210

/* An SMTP reply line with every '%' doubled. */
#define DOUBLED_MAX (2 * REPLY_LINE_MAX + 1)

/* libmilter has one filter a process and no argument for its callbacks: set once by
   libmilter_run(), before libmilter makes threads, and only read afterwards. */
static const struct libmilter_services *services;

/* Flags SMFIP_NR_* agreed with any MTA so far, and with every one. */
static atomic_ulong agreed_once, agreed_always = ~0UL;

/* libmilter's workers outlive smfi_main(): how many are in callbacks, and whether more may begin.
   Counted in several places by the session's address, or all processors would write to one. */
#define GATES      16
#define CACHE_LINE 64
static struct {
    _Alignas(CACHE_LINE) atomic_uint busy;
} gates[GATES];
static atomic_bool ended;

/* An answer that comes sooner holds up nobody noticeably: no other worker is woken for it. */
#define PATIENCE_MS 2

/* How often the end looks whether the last callback has returned. */
#define END_POLL_NS 1000000

/* One milter connection. */
struct connection {
    struct session *session;
    unsigned long noreply; /* SMFIP_NR_*: events that the MTA does not wait for */
    unsigned long unsure;  /* ... and for which we cannot tell, see connection_again() */
    bool refuse_at_end; /* a refusal had no answer that could carry it: its messages are deferred */
    bool counted;       /* opened() was called and said yes */
};

/* --- negotiation ---------------------------------------------------------------------------- */

/* Are EHLO names judged?  At stage connect they come too late, but for those behind relays. */
static bool judges_helo(const struct conf *conf)
{
    return conf->stage != STAGE_CONNECT || conf->trusted_relay_count > 0;
}

/* Ask for the macros that session.c reads under this configuration, and no more. */
static void ask_for_macros(SMFICTX *ctx, const struct conf *conf)
{
    static const char *const at_connect[2][2] = {
        {"j {client_name} {client_resolve}",
         "j {client_name} {client_resolve} {daemon_addr} {if_addr}"},
        {"j {client_name} {client_resolve} {daemon_name}",
         "j {client_name} {client_resolve} {daemon_name} {daemon_addr} {if_addr}"},
    };
    const struct {
        int place;
        const char *names;
    } lists[] = {
        {SMFIM_CONNECT, at_connect[conf->matches_listener][judges_helo(conf)]},
        {SMFIM_HELO, ""},
        /* {mail_addr} is always known: with a MAIL without any macro libmilter would keep the login
           of the one before. */
        {SMFIM_ENVFROM, conf->skip_authenticated ? "i {auth_authen} {mail_addr}" : "i {mail_addr}"},
        {SMFIM_ENVRCPT, "i"},
        {SMFIM_EOM, "i"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        (void)smfi_setsymlist(ctx, lists[i].place, (char *)(uintptr_t)lists[i].names);
}

#define SAME_STEP(ours, theirs)                                                                    \
    _Static_assert((unsigned long)(ours) == (theirs), #ours " is not " #theirs)
SAME_STEP(LIBMILTER_NO_CONNECT, SMFIP_NOCONNECT);
SAME_STEP(LIBMILTER_NO_HELO, SMFIP_NOHELO);
SAME_STEP(LIBMILTER_NO_MAIL, SMFIP_NOMAIL);
SAME_STEP(LIBMILTER_NO_RCPT, SMFIP_NORCPT);
SAME_STEP(LIBMILTER_NO_BODY, SMFIP_NOBODY);
SAME_STEP(LIBMILTER_NO_HEADER, SMFIP_NOHDRS);
SAME_STEP(LIBMILTER_NO_EOH, SMFIP_NOEOH);
SAME_STEP(LIBMILTER_NO_UNKNOWN, SMFIP_NOUNKNOWN);
SAME_STEP(LIBMILTER_NO_DATA, SMFIP_NODATA);
SAME_STEP(LIBMILTER_NOREPLY_HEADER, SMFIP_NR_HDR);
SAME_STEP(LIBMILTER_NOREPLY_CONNECT, SMFIP_NR_CONN);
SAME_STEP(LIBMILTER_NOREPLY_HELO, SMFIP_NR_HELO);
SAME_STEP(LIBMILTER_NOREPLY_MAIL, SMFIP_NR_MAIL);
SAME_STEP(LIBMILTER_NOREPLY_RCPT, SMFIP_NR_RCPT);
SAME_STEP(LIBMILTER_NOREPLY_DATA, SMFIP_NR_DATA);
SAME_STEP(LIBMILTER_NOREPLY_UNKNOWN, SMFIP_NR_UNKN);
SAME_STEP(LIBMILTER_NOREPLY_EOH, SMFIP_NR_EOH);
SAME_STEP(LIBMILTER_NOREPLY_BODY, SMFIP_NR_BODY);

/* Steps that are answers left out, of all that libmilter_negotiate() may choose. */
#define NOREPLY_STEPS (SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_MAIL | SMFIP_NR_RCPT)

static struct libmilter_wish wish_of(const struct conf *conf)
{
    struct libmilter_wish wish = {
        .stage = conf->stage,
        .refuses = conf_refuses(conf),
        .inet = conf_listens_on_tcp(conf),
    };
    return wish;
}

/* Nearly always what is known: then nothing is written that all threads read. */
static void remember_agreed(unsigned long noreply)
{
    if ((noreply & ~atomic_load(&agreed_once)) != 0)
        (void)atomic_fetch_or(&agreed_once, noreply);
    if ((atomic_load(&agreed_always) & ~noreply) != 0)
        (void)atomic_fetch_and(&agreed_always, noreply);
}

static struct connection *connection_new(struct conf *conf)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection != NULL)
        connection->session = session_new(services->session, conf);
    if (connection == NULL || connection->session == NULL) {
        free(connection);
        return NULL;
    }
    connection->counted = services->opened(services->arg);
    return connection;
}

static sfsistat do_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long f2, unsigned long f3, unsigned long *want_actions,
                             unsigned long *want_steps, unsigned long *want_f2,
                             unsigned long *want_f3)
{
    (void)f2;
    (void)f3;
    struct conf *conf = services->conf(services->arg);
    struct connection *connection = connection_new(conf);
    const struct libmilter_wish wish = wish_of(conf);
    unsigned long agreed = libmilter_negotiate(&wish, steps);
    unsigned long noreply = agreed & NOREPLY_STEPS;
    *want_actions = actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST);
    *want_steps = agreed;
    *want_f2 = 0;
    *want_f3 = 0;
    if ((actions & SMFIF_SETSYMLIST) != 0)
        ask_for_macros(ctx, conf);
    conf_unref(conf);
    remember_agreed(noreply);
    if (connection == NULL)
        return SMFIS_CONTINUE; /* out of memory: every event will say so that can */
    connection->noreply = noreply;
    if (smfi_setpriv(ctx, connection) != MI_SUCCESS) {
        log_error("libmilter refused to keep a session");
        return SMFIS_REJECT;
    }
    return SMFIS_CONTINUE;
}

/*
 * A connection that another SMTP client had before (QUIT_NC), for which libmilter keeps the flags
 * and says nothing of them; or memory was out at negotiation.
 */
static struct connection *connection_again(void)
{
    struct conf *conf = services->conf(services->arg);
    struct connection *connection = connection_new(conf);
    conf_unref(conf);
    if (connection == NULL)
        return NULL;
    connection->noreply = atomic_load(&agreed_always);
    connection->unsure = atomic_load(&agreed_once) & ~connection->noreply;
    return connection;
}

/* --- answers -------------------------------------------------------------------------------- */

static struct connection *connection_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

static const char *get_macro(void *arg, const char *name)
{
    return smfi_getsymval(arg, (char *)(uintptr_t)name);
}

/* libmilter hands reply text to the MTA as a format. */
static char *double_percent(const char *text, char out[DOUBLED_MAX])
{
    size_t used = 0;
    for (; *text != '\0' && used + 2 < DOUBLED_MAX; text++) {
        if (*text == '%')
            out[used++] = '%';
        out[used++] = *text;
    }
    out[used] = '\0';
    return out;
}

static void set_reply(SMFICTX *ctx, const struct reply *reply)
{
    if (reply == NULL)
        return;
    char memory[REPLY_LINES_MAX][DOUBLED_MAX];
    char *line[REPLY_LINES_MAX + 1] = {NULL};
    for (size_t i = 0; i < reply->line_count; i++)
        line[i] = double_percent(reply->lines[i], memory[i]);
    int result = smfi_setmlreply(ctx, reply->code, reply->xcode, line[0], line[1], line[2], line[3],
                                 line[4], line[5], line[6], line[7], (char *)NULL);
    if (result != MI_SUCCESS)
        log_warning("libmilter refused the reply \"%s %s %s\"", reply->code, reply->xcode,
                    reply->lines[0]);
}
_Static_assert(REPLY_LINES_MAX == 8, "set_reply() names every line");

/* Wait for more of a verdict's facts, and let nobody wait for this worker. */
static void wait_for(struct lookup *lookup)
{
    int64_t since_ms = clock_ms(services->session->clock);
    if (lookup_wait_ms(lookup, PATIENCE_MS))
        return;
    libmilter_wake_worker(services->wakeup, since_ms, clock_ms(services->session->clock));
    lookup_wait_for_news(lookup);
}

/* Wait where the verdict has to, and turn it into libmilter's words.  `noreply`: this event's flag.
 */
static sfsistat answer(SMFICTX *ctx, struct connection *connection, enum session_answer result,
                       unsigned long noreply)
{
    while (result == SESSION_PENDING) {
        wait_for(session_lookup(connection->session));
        result = session_resume(connection->session);
    }
    /* Where nobody waits for a verdict there is none but that memory was out. */
    if (((connection->noreply | connection->unsure) & noreply) != 0 &&
        (result == SESSION_TEMPFAIL || result == SESSION_REJECT))
        connection->refuse_at_end = true;
    if ((connection->noreply & noreply) != 0)
        return SMFIS_NOREPLY;
    switch (result) {
    case SESSION_ACCEPT:
        return SMFIS_ACCEPT;
    case SESSION_TEMPFAIL:
        set_reply(ctx, session_reply(connection->session));
        return SMFIS_TEMPFAIL;
    case SESSION_REJECT:
        set_reply(ctx, session_reply(connection->session));
        return SMFIS_REJECT;
    case SESSION_CONTINUE:
    case SESSION_PENDING:
        break;
    }
    return SMFIS_CONTINUE;
}

/* --- events --------------------------------------------------------------------------------- */

static sfsistat do_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *hostaddr)
{
    (void)hostname;
    struct connection *connection = connection_of(ctx);
    if (connection == NULL) {
        connection = connection_again();
        if (connection == NULL || smfi_setpriv(ctx, connection) != MI_SUCCESS)
            return SMFIS_TEMPFAIL;
    }
    struct ipaddr client = {0};
    if (hostaddr != NULL &&
        ipaddr_from_sockaddr((const struct sockaddr *)hostaddr, &client) != RESULT_OK)
        client = (struct ipaddr){0}; /* a unix socket: local submission */
    struct session_macros macros = {get_macro, ctx};
    if (!connection->counted) /* the answer is due with the verdict, not in the banner */
        return session_conf(connection->session)->stage == STAGE_CONNECT ? SMFIS_TEMPFAIL
                                                                         : SMFIS_CONTINUE;
    return answer(ctx, connection, session_connect(connection->session, &client, &macros), 0);
}

static sfsistat do_helo(SMFICTX *ctx, char *helo)
{
    struct connection *connection = connection_of(ctx);
    if (connection == NULL)
        return SMFIS_TEMPFAIL;
    return answer(ctx, connection, session_helo(connection->session, helo), 0);
}

/* Over the session cap nothing was looked up: the client is asked to come back. */
static bool deferred(const struct connection *connection)
{
    return connection == NULL || !connection->counted;
}

static bool unanswered(const struct connection *connection, unsigned long noreply)
{
    return connection != NULL && (connection->noreply & noreply) != 0;
}

static sfsistat do_mail(SMFICTX *ctx, char **argv)
{
    struct connection *connection = connection_of(ctx);
    if (deferred(connection))
        return unanswered(connection, SMFIP_NR_MAIL) ? SMFIS_NOREPLY : SMFIS_TEMPFAIL;
    struct session_macros macros = {get_macro, ctx};
    const char *sender = argv != NULL && argv[0] != NULL ? argv[0] : "";
    return answer(ctx, connection, session_mail(connection->session, sender, &macros),
                  SMFIP_NR_MAIL);
}

static sfsistat do_rcpt(SMFICTX *ctx, char **argv)
{
    struct connection *connection = connection_of(ctx);
    if (deferred(connection))
        return unanswered(connection, SMFIP_NR_RCPT) ? SMFIS_NOREPLY : SMFIS_TEMPFAIL;
    struct session_macros macros = {get_macro, ctx};
    const char *recipient = argv != NULL && argv[0] != NULL ? argv[0] : "";
    return answer(ctx, connection, session_rcpt(connection->session, recipient, &macros),
                  SMFIP_NR_RCPT);
}

static sfsistat do_header(SMFICTX *ctx, char *name, char *value)
{
    struct connection *connection = connection_of(ctx);
    if (connection == NULL)
        return SMFIS_TEMPFAIL;
    session_header(connection->session, name, value);
    return (connection->noreply & SMFIP_NR_HDR) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat do_end_of_header(SMFICTX *ctx)
{
    const struct connection *connection = connection_of(ctx);
    if (connection == NULL)
        return SMFIS_TEMPFAIL;
    return unanswered(connection, SMFIP_NR_EOH) ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static void remove_field(void *arg, const char *name, unsigned index)
{
    if (smfi_chgheader(arg, (char *)(uintptr_t)name, (int)index, NULL) != MI_SUCCESS)
        log_warning("the MTA did not let field %u of name %s be removed", index, name);
}

static void insert_field(void *arg, const char *name, const char *value)
{
    if (smfi_insheader(arg, 0, (char *)(uintptr_t)name, (char *)(uintptr_t)value) != MI_SUCCESS)
        log_warning("the MTA did not let the field %s be inserted", name);
}

static void quarantine(void *arg, const char *reason)
{
    if (smfi_quarantine(arg, (char *)(uintptr_t)reason) != MI_SUCCESS)
        log_warning("the MTA did not let a message be quarantined");
}

static sfsistat do_end_of_message(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    if (deferred(connection) || connection->refuse_at_end)
        return SMFIS_TEMPFAIL;
    struct session_macros macros = {get_macro, ctx};
    struct session_edits edits = {remove_field, insert_field, quarantine, ctx};
    sfsistat result =
        answer(ctx, connection, session_end_of_message(connection->session, &edits, &macros), 0);
    session_reset(connection->session);
    return result;
}

static sfsistat do_abort(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    if (connection != NULL)
        session_reset(connection->session);
    else
        libmilter_wakeup_read(services->wakeup);
    return SMFIS_CONTINUE;
}

static sfsistat do_close(SMFICTX *ctx)
{
    struct connection *connection = connection_of(ctx);
    if (connection == NULL)
        return SMFIS_CONTINUE;
    (void)smfi_setpriv(ctx, NULL);
    session_free(connection->session);
    if (connection->counted)
        services->closed(services->arg);
    free(connection);
    return SMFIS_CONTINUE;
}

/* --- guarded --------------------------------------------------------------------------------- */

static atomic_uint *gate_of(const SMFICTX *ctx)
{
    return &gates[(uintptr_t)ctx / CACHE_LINE % GATES].busy;
}

/* A callback that begins after the end finds nothing of ours any more. */
static sfsistat leave(const SMFICTX *ctx, sfsistat result)
{
    (void)atomic_fetch_sub(gate_of(ctx), 1);
    return result;
}

static bool enter(const SMFICTX *ctx)
{
    (void)atomic_fetch_add(gate_of(ctx), 1);
    if (!atomic_load(&ended))
        return true;
    (void)leave(ctx, SMFIS_TEMPFAIL);
    return false;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long f2, unsigned long f3, unsigned long *want_actions,
                             unsigned long *want_steps, unsigned long *want_f2,
                             unsigned long *want_f3)
{
    return enter(ctx) ? leave(ctx, do_negotiate(ctx, actions, steps, f2, f3, want_actions,
                                                want_steps, want_f2, want_f3))
                      : SMFIS_REJECT;
}

static sfsistat on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *hostaddr)
{
    return enter(ctx) ? leave(ctx, do_connect(ctx, hostname, hostaddr)) : SMFIS_TEMPFAIL;
}

static sfsistat on_helo(SMFICTX *ctx, char *helo)
{
    return enter(ctx) ? leave(ctx, do_helo(ctx, helo)) : SMFIS_TEMPFAIL;
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    return enter(ctx) ? leave(ctx, do_mail(ctx, argv)) : SMFIS_TEMPFAIL;
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    return enter(ctx) ? leave(ctx, do_rcpt(ctx, argv)) : SMFIS_TEMPFAIL;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    return enter(ctx) ? leave(ctx, do_header(ctx, name, value)) : SMFIS_TEMPFAIL;
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
    return enter(ctx) ? leave(ctx, do_end_of_header(ctx)) : SMFIS_TEMPFAIL;
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    return enter(ctx) ? leave(ctx, do_end_of_message(ctx)) : SMFIS_TEMPFAIL;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    return enter(ctx) ? leave(ctx, do_abort(ctx)) : SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    return enter(ctx) ? leave(ctx, do_close(ctx)) : SMFIS_CONTINUE;
}

/* --- life ----------------------------------------------------------------------------------- */

bool libmilter_register(const char *spec, unsigned backlog)
{
    static char filter_name[] = "iprevd";
    const struct smfiDesc desc = {
        .xxfi_name = filter_name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_end_of_header,
        .xxfi_eom = on_end_of_message,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };
    return smfi_register(desc) == MI_SUCCESS && smfi_setbacklog((int)backlog) == MI_SUCCESS &&
           smfi_settimeout(MTA_TIMEOUT_S) == MI_SUCCESS &&
           smfi_setconn((char *)(uintptr_t)spec) == MI_SUCCESS &&
           smfi_opensocket(false) == MI_SUCCESS;
}

bool libmilter_run(const struct libmilter_services *given)
{
    const struct timespec moment = {.tv_nsec = END_POLL_NS};
    services = given;
    bool ok = smfi_main() == MI_SUCCESS;
    atomic_store(&ended, true);
    for (size_t i = 0; i < GATES; i++)
        while (atomic_load(&gates[i].busy) > 0)
            (void)nanosleep(&moment, NULL);
    return ok;
}

void libmilter_version(char *out, size_t size)
{
    unsigned major = 0, minor = 0, patch = 0;
    (void)smfi_version(&major, &minor, &patch);
    (void)snprintf(out, size, "%u.%u.%u", major, minor, patch);
}
