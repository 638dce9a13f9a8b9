/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Milter events in any order with any bytes, through the real session, lookup, resolver and cache.
 * The first line chooses a configuration; every other one is an event, told by its first byte:
 *   c ADDRESS connect ("c": a local submission)    h TEXT  EHLO       m TEXT  MAIL     r TEXT  RCPT
 *   H Name: value  header field                    e  end of message  R  RSET          q  QUIT
 *   M {name} value  a macro, from now on           w N  N milliseconds pass
 *   d NAME FATE  the DNS about NAME: slow, silent, fails, answers
 *   x ADDRESS  an exemption at run time            p N  what is done where the session waits: 0
 * wait, 1 give up waiting, 2 go on as if it had not said so A vertical tab in a text stands for a
 * line feed.  What is told to the log is read back by the report's parser.
 */
#include "fuzz.h"

#include "core/authresults.h"
#include "daemon/session.h"
#include "told.h"
#include "world.h"

#include <string.h>
#include <strings.h>

#define EVENTS_MAX  300 /* of one input */
#define STEP_MS     50
#define WAIT_MAX_MS 60000
#define MACROS_MAX  12
#define START_S     INT64_C(1790000000)

enum place {
    CONTINUED,
    ACCEPTED,
    DEFERRED,
    REFUSED,
    WAITED,
    AT_CONNECT,
    AT_HELO,
    AT_MAIL,
    AT_RCPT,
    AT_END,
    TAGGED,
    QUARANTINED,
    FORGED,
    BEHIND_RELAY,
    LEFT_ALONE,
    MONITORED,
    EXEMPTED,
    TEMPERROR,
};

FUZZ_PLACES([CONTINUED] = "continue", [ACCEPTED] = "accept", [DEFERRED] = "tempfail",
            [REFUSED] = "reject", [WAITED] = "pending", [AT_CONNECT] = "refused-at-connect",
            [AT_HELO] = "refused-at-helo", [AT_MAIL] = "refused-at-mail",
            [AT_RCPT] = "refused-at-rcpt", [AT_END] = "refused-at-end", [TAGGED] = "tagged",
            [QUARANTINED] = "quarantined", [FORGED] = "forged-removed",
            [BEHIND_RELAY] = "behind-relay", [LEFT_ALONE] = "left-alone", [MONITORED] = "monitored",
            [EXEMPTED] = "exempt", [TEMPERROR] = "temperror");

#define AUTHSERV_ID "mx.example.net"
#define MODE        "mode = enforce\n"
#define NAMES       "authserv-id = \"" AUTHSERV_ID "\"\nown-names = {\"mx.example.net\"}\n"
#define COMMON      MODE NAMES

static const char *const texts[] = {
    COMMON,
    COMMON "stage = connect\npolicy \"default\" { check dns-temperror { action = tempfail } }\n",
    COMMON "stage = helo\npolicy \"default\" { check helo-not-fqdn { action = reject } }\n",
    COMMON
    "stage = mail\npolicy \"default\" { check helo-missing { action = reject }\n"
    "check sender-ptr-mismatch { action = reject reply = \"550 5.7.1 %{helo} %{client}\\n%{ptr} "
    "%{reason} %{url} %{check} %{mend} %%\" } }\nhelp-url = \"https://example.net/?a=%b\"\n",
    NAMES "mode = monitor\ndeadline = 2\n",
    COMMON
    "trusted-relays = {\"203.0.113.25\", \"2001:db8:25::/48\"}\nrelay-action = reject\n"
    "policy \"default\" { check helo-not-fqdn { action = quarantine } }\n"
    "match \"lists\" { recipient = {\"list@*\", \"abuse\"} policy = \"none\" }\n"
    "match \"senders\" { sender = {\".example.com\", \"\"} policy = \"none\" reason = \"ours\" }\n",
    MODE
    "skip-authenticated = false\npolicy \"default\" { tag-score = 1.5 reject-score = 6\n"
    "check ptr-missing { action = quarantine } check ptr-generic { percent = 50 }\n"
    "check helo-invalid { monitor = true action = reject } }\n"
    "policy \"lenient\" { check ptr-mismatch { action = tag } }\n"
    "match \"names\" { helo = {\"*.printers.example\", \".example.com\"} policy = \"lenient\" }\n"
    "match \"ptr\" { unconfirmed-ptr = {\"*.b.example\"} listener = {\"smtp*\"} policy = \"none\" "
    "}\n",
};
#define CONFS (sizeof texts / sizeof texts[0])

static const char zone[] =
    "$ORIGIN .\n$TTL 3600\n"
    "2.0.192.in-addr.arpa. SOA ns.example. admin.example. 1 1 1 1 300\n"
    "10.2.0.192.in-addr.arpa. PTR mail.example.org.\nmail.example.org. A 192.0.2.10\n"
    "example.org. MX 10 mail.example.org.\nexample.org. SOA ns.example. admin.example. 1 1 1 1 9\n"
    "12.2.0.192.in-addr.arpa. PTR localhost.\n12.2.0.192.in-addr.arpa. PTR 192.0.2.12.\n"
    "13.2.0.192.in-addr.arpa. PTR mail.b.example.\nmail.b.example. A 203.0.113.9\n"
    "14.2.0.192.in-addr.arpa. PTR dsl-192-0-2-14.isp.example.\n"
    "dsl-192-0-2-14.isp.example. A 192.0.2.14\n"
    "15.2.0.192.in-addr.arpa. PTR a\\000\\\"\\(b\\032=\\009.example.\n"
    "15.2.0.192.in-addr.arpa. PTR \\200\\.x.example.\n15.2.0.192.in-addr.arpa. PTR ok.example.\n"
    "ok.example. A 192.0.2.15\n"
    "16.2.0.192.in-addr.arpa. CNAME 16.0-31.2.0.192.in-addr.arpa.\n"
    "16.0-31.2.0.192.in-addr.arpa. PTR in.example.\nin.example. CNAME in.example.\n"
    "17.2.0.192.in-addr.arpa. NS ns.example.\n"
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR v6.example.\n"
    "v6.example. AAAA 2001:db8::1\nsmtp.example.com. A 192.0.2.99\n*.wild.example. A 192.0.2.10\n";

struct play {
    struct world *world;
    struct conf *confs[CONFS];
    size_t which;
    struct conf *conf;
    struct resolver *resolver;
    struct session_services services;
    struct session *session;
    char patience;
    struct ipaddr exempt;
    struct {
        char name[24];
        char *value;
    } macros[MACROS_MAX];
    size_t macro_count;

    /* What the session may do now. */
    char event;
    bool ending;          /* the end of the message is being answered */
    bool relay, greeted;  /* a trusted relay; EHLO was said */
    unsigned tags, auths; /* foreign fields of this message, so far */
    unsigned last_tag, last_auth, tags_removed;
    unsigned inserted_auths;
};

static struct play play;

/* --- what the session says ------------------------------------------------------------------- */

static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    const struct facts *facts = decision->evidence.facts;
    (void)arg;
    CHECK(decision->conf == play.conf);
    CHECK(!conf_is_local(play.conf, &facts->client));
    CHECK((transaction->relay != NULL) == play.relay);
    if (play.conf->monitor)
        CHECK(decision->verdict.done.action == ACTION_ACCEPT);
    /* A temporary failure is never "no PTR". */
    if (facts->ptr.outcome == DNS_TEMPERROR) {
        CHECK((decision->verdict.would.checks & CHECK_BIT(CHECK_PTR_MISSING)) == 0);
        CHECK(decision->evidence.iprev.result == IPREV_TEMPERROR);
        fuzz_reach(TEMPERROR);
    }
    told_check_decision(decision, transaction);
    if (play.conf->monitor && decision->verdict.would.action > ACTION_ACCEPT)
        fuzz_reach(MONITORED);
    if (transaction->relay != NULL)
        fuzz_reach(BEHIND_RELAY);
    if (decision->exempt != NULL)
        fuzz_reach(EXEMPTED);
}

static void left_alone(void *arg, const char *line)
{
    (void)arg;
    CHECK(play.relay && strncmp(line, "relay=", 6) == 0);
    CHECK(fuzz_printable(line, strlen(line), false));
    fuzz_reach(LEFT_ALONE);
}

static bool is_exempt(void *arg, const struct facts *facts, int64_t wall_s, char *out, size_t size)
{
    (void)arg;
    (void)wall_s;
    if (play.exempt.family == IP_NONE || !ipaddr_equal(&play.exempt, &facts->client))
        return false;
    (void)snprintf(out, size, "ticket \"4711\"\n\xff=%%");
    return true;
}

static void remove_field(void *arg, const char *name, unsigned index)
{
    (void)arg;
    CHECK(play.ending && play.inserted_auths == 0);
    bool tag = strcmp(name, "X-Iprevd") == 0;
    CHECK(tag || strcmp(name, "Authentication-Results") == 0);
    unsigned *last = tag ? &play.last_tag : &play.last_auth;
    CHECK(index >= 1 && index <= (tag ? play.tags : play.auths));
    CHECK(*last == 0 || index < *last);
    *last = index;
    play.tags_removed += tag;
    fuzz_reach(FORGED);
}

static void insert_field(void *arg, const char *name, const char *value)
{
    (void)arg;
    CHECK(play.ending && play.inserted_auths == 0);
    told_check_field(value);
    if (strcmp(name, "Authentication-Results") == 0) {
        if (play.conf->authserv_id != NULL)
            CHECK(authresults_forges(value, AUTHSERV_ID)); /* it is one of ours */
        play.inserted_auths++;
        return;
    }
    CHECK(strcmp(name, "X-Iprevd") == 0);
    fuzz_reach(TAGGED);
}

static void quarantine(void *arg, const char *reason)
{
    (void)arg;
    CHECK(play.ending);
    CHECK(fuzz_printable(reason, strlen(reason), false));
    fuzz_reach(QUARANTINED);
}

/* --- answers --------------------------------------------------------------------------------- */

/* May this event be refused, by this configuration? */
static bool may_refuse(void)
{
    enum stage stage = play.conf->stage;
    if (play.conf->monitor)
        return false;
    switch (play.event) {
    case 'c':
        return stage == STAGE_CONNECT;
    case 'h':
        return stage == STAGE_HELO;
    case 'm':
        return stage == STAGE_MAIL || stage == STAGE_HELO;
    case 'r':
        return stage == STAGE_RCPT;
    default:
        return play.relay;
    }
}

static void check_answer(enum session_answer answer)
{
    static const struct {
        char event;
        enum place place;
    } refused_at[] = {
        {'c', AT_CONNECT}, {'h', AT_HELO}, {'m', AT_MAIL}, {'r', AT_RCPT}, {'e', AT_END}};
    CHECK(answer <= SESSION_PENDING);
    fuzz_reach(answer == SESSION_CONTINUE   ? CONTINUED
               : answer == SESSION_ACCEPT   ? ACCEPTED
               : answer == SESSION_TEMPFAIL ? DEFERRED
               : answer == SESSION_REJECT   ? REFUSED
                                            : WAITED);
    if (answer != SESSION_TEMPFAIL && answer != SESSION_REJECT)
        return;
    CHECK(may_refuse());
    CHECK(session_reply(play.session) != NULL);
    told_check_reply(session_reply(play.session), answer == SESSION_REJECT);
    for (size_t i = 0; i < sizeof refused_at / sizeof refused_at[0]; i++)
        if (refused_at[i].event == play.event)
            fuzz_reach(refused_at[i].place);
}

static void pass_time(int64_t ms)
{
    world_advance(play.world, ms);
}

/* As libmilter.c does; or without patience. */
static void settle(enum session_answer answer)
{
    check_answer(answer);
    pass_time(0);
    if (answer != SESSION_PENDING)
        return;
    CHECK(session_lookup(play.session) != NULL);
    if (play.patience == '2')
        return;
    int64_t waited = 0;
    while (answer == SESSION_PENDING) {
        while (play.patience == '0' && !lookup_has_news(session_lookup(play.session))) {
            CHECK(waited < WAIT_MAX_MS);
            pass_time(STEP_MS);
            waited += STEP_MS;
        }
        answer = session_resume(play.session);
        if (play.patience != '0')
            break;
    }
    check_answer(answer);
}

/* --- events ---------------------------------------------------------------------------------- */

static const char *get_macro(void *arg, const char *name)
{
    (void)arg;
    for (size_t i = 0; i < play.macro_count; i++)
        if (strcmp(play.macros[i].name, name) == 0)
            return play.macros[i].value;
    return NULL;
}

static const struct session_macros macros = {get_macro, NULL};

static void forget_fields(void)
{
    play.tags = play.auths = 0;
}

static void new_session(void)
{
    session_free(play.session);
    play.relay = play.greeted = false;
    forget_fields();
    play.session = session_new(&play.services, play.conf);
    CHECK(play.session != NULL);
}

static void on_connect(const char *argument)
{
    struct ipaddr client = {0};
    if (ipaddr_parse(argument, &client) != RESULT_OK)
        client = (struct ipaddr){0};
    forget_fields();
    /* Decisions kept of the connection before are told first. */
    session_reset(play.session);
    play.relay = client.family != IP_NONE && conf_is_trusted_relay(play.conf, &client);
    enum session_answer answer = session_connect(play.session, &client, &macros);
    if (client.family == IP_NONE || (!play.relay && conf_is_local(play.conf, &client)))
        CHECK(answer == SESSION_ACCEPT);
    settle(answer);
}

static void on_header(char *argument)
{
    char *value = strchr(argument, ':');
    if (value == NULL)
        return;
    *value++ = '\0';
    play.tags += strcasecmp(argument, "X-Iprevd") == 0;
    play.auths += strcasecmp(argument, "Authentication-Results") == 0;
    session_header(play.session, argument, value + (*value == ' '));
}

static void on_end(void)
{
    const struct session_edits edits = {remove_field, insert_field, quarantine, NULL};
    play.ending = true;
    play.last_tag = play.last_auth = play.tags_removed = play.inserted_auths = 0;
    settle(session_end_of_message(play.session, &edits, &macros));
    play.ending = false;
    /* Of the foreign ones none is left, or nobody looked. */
    CHECK(play.tags_removed == 0 || play.tags_removed == play.tags);
    session_reset(play.session);
    forget_fields();
}

static void on_macro(char *argument)
{
    char *value = strchr(argument, ' ');
    if (value == NULL || value - argument >= (long)sizeof play.macros[0].name)
        return;
    *value++ = '\0';
    size_t i = 0;
    while (i < play.macro_count && strcmp(play.macros[i].name, argument) != 0)
        i++;
    if (i == MACROS_MAX)
        return;
    if (i == play.macro_count)
        (void)snprintf(play.macros[play.macro_count++].name, sizeof play.macros[i].name, "%s",
                       argument);
    free(play.macros[i].value);
    play.macros[i].value = strdup(value);
    CHECK(play.macros[i].value != NULL);
}

static void on_dns(char *argument)
{
    char *fate = strrchr(argument, ' ');
    if (fate == NULL)
        return;
    *fate++ = '\0';
    if (strcmp(fate, "slow") == 0)
        (void)world_slow(play.world, argument, 700);
    else if (strcmp(fate, "silent") == 0)
        (void)world_silent(play.world, argument);
    else if (strcmp(fate, "fails") == 0)
        (void)world_fail(play.world, argument, "SERVFAIL");
    else
        (void)world_mend(play.world, argument);
}

static void run(char *line)
{
    char *argument = line[0] == '\0' ? line : line + 1;
    argument += *argument == ' ';
    for (char *c = argument; *c != '\0'; c++)
        if (*c == '\v')
            *c = '\n';
    play.event = line[0];
    switch (line[0]) {
    case 'c':
        on_connect(argument);
        break;
    case 'h':
        forget_fields();
        settle(session_helo(play.session, argument));
        break;
    case 'm':
        forget_fields();
        settle(session_mail(play.session, argument, &macros));
        break;
    case 'r':
        settle(session_rcpt(play.session, argument, &macros));
        break;
    case 'H':
        on_header(argument);
        break;
    case 'e':
        on_end();
        break;
    case 'R':
        forget_fields();
        session_reset(play.session);
        break;
    case 'q':
        new_session();
        break;
    case 'M':
        on_macro(argument);
        break;
    case 'w':
        pass_time(strtol(argument, NULL, 10) & 0x7fff);
        break;
    case 'd':
        on_dns(argument);
        break;
    case 'x':
        if (ipaddr_parse(argument, &play.exempt) != RESULT_OK)
            play.exempt = (struct ipaddr){0};
        break;
    case 'p':
        play.patience = argument[0] == '1' || argument[0] == '2' ? argument[0] : '0';
        break;
    default:
        break;
    }
}

/* --- a run ----------------------------------------------------------------------------------- */

static void hear(void *arg, const char *message)
{
    (void)arg;
    (void)fprintf(stderr, "%s\n", message);
}

static void ignore(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static struct conf *load(const char *text)
{
    const struct conf_report report = {hear, ignore, NULL, NULL};
    struct fuzz_file file;
    fuzz_file_open(&file, text, strlen(text));
    struct conf *conf = conf_load(file.path, START_S, &report);
    fuzz_file_close(&file);
    CHECK(conf != NULL);
    return conf;
}

/* Once: what does not change. */
static void set_up(void)
{
    char error[256] = "";
    play.world = world_new(zone, error, sizeof error);
    if (play.world == NULL)
        (void)fprintf(stderr, "%s\n", error);
    CHECK(play.world != NULL);
    for (size_t i = 0; i < CONFS; i++)
        play.confs[i] = load(texts[i]);
}

static void play_lines(struct fuzz_lines *lines)
{
    char *line;
    for (unsigned i = 0; i < EVENTS_MAX && (line = fuzz_line(lines)) != NULL; i++) {
        run(line);
        free(line);
    }
}

static void clean_up(struct cache *cache)
{
    session_free(play.session);
    play.session = NULL;
    loop_stop(world_loop(play.world));
    resolver_free(play.resolver);
    cache_free(cache);
    for (size_t i = 0; i < play.macro_count; i++) {
        free(play.macros[i].value);
        play.macros[i].value = NULL;
    }
    play.macro_count = 0;
    play.exempt = (struct ipaddr){0};
    world_restart(play.world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct cache_limits limits = {.size_bytes = 1 << 20,
                                               .max_ttl_s = 86400,
                                               .negative_max_ttl_s = 300,
                                               .failure_ttl_s = 30,
                                               .stale_s = 86400};
    struct fuzz_lines lines = {data, data + size};
    if (size == 0 || size > 1 << 15)
        return 0;
    if (play.world == NULL)
        set_up();
    char *first = fuzz_line(&lines);
    play.conf = play.confs[(unsigned char)(first[0] - '0') % CONFS];
    free(first);
    play.patience = '0';
    struct cache *cache = cache_new(&limits, 1);
    CHECK(cache != NULL);
    play.resolver = resolver_new(world_source(play.world), cache, world_loop(play.world),
                                 &play.conf->resolver, NULL);
    CHECK(play.resolver != NULL);
    play.services = (struct session_services){.resolver = play.resolver,
                                              .clock = world_clock(play.world),
                                              .exempt = is_exempt,
                                              .decided = decided,
                                              .left_alone = left_alone};
    new_session();
    play_lines(&lines);
    clean_up(cache);
    return 0;
}
