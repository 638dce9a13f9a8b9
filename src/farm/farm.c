/* SPDX-License-Identifier: BSD-2-Clause */
/* Which server serves, and keeping to it. */
#include "farm/farm_private.h"

#include "base/log.h"
#include "base/textbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Between two looks for a master that is not there; each with up to half of it by chance, so that
   hosts that lost it together do not come together. */
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000

/* Where a timer found no memory nothing would ever happen again: after so many timeouts it does. */
#define STUCK_TIMEOUTS 10

/* Bytes of what a server says that are shown. */
#define SAID_MAX 120

static int64_t now_ms(const struct farm *farm)
{
    return loop_now_ms(farm->services.loop);
}

const char *farm_store_key(const struct farm *farm, const char *what, char out[FARM_STORE_KEY_MAX])
{
    (void)snprintf(out, FARM_STORE_KEY_MAX, "iprevd:%s:%s", farm->name, what);
    return out;
}

/* What a server said, for people. */
const char *farm_said(const struct resp_reply *reply, char out[FARM_WHY_MAX])
{
    struct textbuf buf;
    textbuf_init(&buf, out, FARM_WHY_MAX);
    if (reply->text == NULL) {
        textbuf_put(&buf, "it answers something else");
    } else if (strncmp(reply->text, "MOVED ", 6) == 0) {
        textbuf_put(&buf, "it is a cluster, which shares keys among masters: a master with "
                          "replicas is needed");
    } else {
        textbuf_put(&buf, "it says ");
        textbuf_put_untrusted(&buf, reply->text, SAID_MAX);
    }
    return out;
}

/* --- away ------------------------------------------------------------------------------------ */

static void arm(struct farm *farm, int64_t in_ms)
{
    farm->unarmed = loop_timer_arm(farm->timer, now_ms(farm) + in_ms) != RESULT_OK;
}

static int64_t by_chance(int64_t below)
{
    uint32_t number = 0;
    (void)!getrandom(&number, sizeof number, GRND_NONBLOCK);
    return (int64_t)(number % (uint64_t)below);
}

static void close_candidate(struct farm_candidate *candidate)
{
    farm_conn_free(candidate->conn);
    candidate->conn = NULL;
}

/* Until the next look. */
static void begin_waiting(struct farm *farm)
{
    for (size_t i = 0; i < farm->candidate_count; i++)
        close_candidate(&farm->candidates[i]);
    farm_clients_end(farm);
    farm->serving = NULL;
    farm->question_count = 0;
    farm->state = FARM_WAITS;
    arm(farm, farm->backoff_ms / 2 + by_chance(farm->backoff_ms));
    farm->backoff_ms =
        farm->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : farm->backoff_ms * 2;
    farm_show_state(farm);
}

static void log_away(struct farm *farm)
{
    if (!farm->away_logged)
        log_warning("farm %s: the store is away: %s; what is known here stays in effect",
                    farm->name, farm->why);
    farm->away_logged = true;
}

void farm_lose(struct farm *farm, const char *why)
{
    (void)snprintf(farm->why, sizeof farm->why, "%.56s: %.190s", farm->serving->server, why);
    farm->since_s = clock_wall_s(farm->services.clock);
    farm_sync_refused(farm); /* everything is compared when it is back */
    log_away(farm);
    begin_waiting(farm);
}

/* --- serving --------------------------------------------------------------------------------- */

void farm_ask(struct farm *farm, enum farm_question question, const char *const words[])
{
    if (farm->question_count == FARM_QUESTIONS_MAX)
        return; /* farm_sync_ask() asks for less */
    size_t at = (farm->question_first + farm->question_count++) % FARM_QUESTIONS_MAX;
    farm->questions[at] = (unsigned char)question;
    farm_conn_ask(farm->serving->conn, words);
}

static void ask_for_news(struct farm *farm)
{
    static const char *const role[] = {"ROLE", NULL};
    if (farm->question_count > 0)
        return; /* the answers to the last ones make the next ones */
    farm->asked_ms = now_ms(farm);
    farm_ask(farm, FARM_ASK_ROLE, role);
    farm_sync_ask(farm);
    farm_hosts_ask(farm, farm->asked_ms);
    farm_conn_flush(farm->serving->conn);
}

static void polled(struct farm *farm)
{
    farm->answered_ms = now_ms(farm);
    farm->round_trip_ms = farm->answered_ms - farm->asked_ms;
    farm->backoff_ms = BACKOFF_MIN_MS;
    bool more = farm->more || farm->many || farm->whole || farm->puts.count > 0 ||
                farm->flushes.count > 0 || farm->drops.count > 0;
    arm(farm, more ? 1 : FARM_POLL_MS);
    farm_show_state(farm);
}

/* These end the connection, whatever was asked: another server may be the master. */
static bool ends(const struct resp_reply *reply, bool write)
{
    static const char *const words[] = {"READONLY", "MASTERDOWN",  "LOADING", "NOREPLICAS",
                                        "MOVED",    "CLUSTERDOWN", "NOAUTH",  "WRONGPASS"};
    if (reply->kind != RESP_ERROR)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(reply->text, words[i], strlen(words[i])) == 0)
            return true;
    return !write;
}

/* A store that is full refuses what is written; what is there can still be read. */
static void note_refusal(struct farm *farm, const struct resp_reply *reply)
{
    bool refused = reply->kind == RESP_ERROR, was = farm->refusal[0] != '\0';
    farm->refusal[0] = '\0';
    if (!refused) {
        if (was)
            log_info("farm %s: %s takes what is new again", farm->name, farm->serving->server);
        return;
    }
    (void)farm_said(reply, farm->refusal);
    farm_sync_refused(farm);
    if (!was)
        log_warning("farm %s: %s takes nothing new: %s", farm->name, farm->serving->server,
                    farm->refusal);
}

static bool is_master(const struct resp_reply *reply)
{
    return reply->kind == RESP_LIST && reply->count > 0 && reply->items[0]->text != NULL &&
           strcmp(reply->items[0]->text, "master") == 0;
}

static void serve(struct farm *farm, struct farm_conn *conn, const struct resp_reply *reply)
{
    char why[FARM_WHY_MAX];
    enum farm_question question = (enum farm_question)farm->questions[farm->question_first];
    farm->question_first = (farm->question_first + 1) % FARM_QUESTIONS_MAX;
    farm->question_count--;
    if (ends(reply, question >= FARM_ASK_PUT)) {
        farm_conn_fail(conn, farm_said(reply, why));
        return;
    }
    if (question == FARM_ASK_ROLE && !is_master(reply)) {
        farm_conn_fail(conn, "it is the master no longer");
        return;
    }
    if (question == FARM_ASK_PUT)
        farm->unsent += reply->kind == RESP_ERROR;
    if (question == FARM_ASK_PUT || question == FARM_ASK_WRITE)
        note_refusal(farm, reply);
    else if (question == FARM_ASK_HOSTS)
        farm_hosts_answer(farm, reply);
    else
        farm_sync_answer(farm, question, reply);
    if (farm->question_count == 0)
        polled(farm);
}

static void begin_serving(struct farm *farm, struct farm_candidate *candidate)
{
    farm->state = FARM_SERVES;
    farm->serving = candidate;
    farm->question_first = farm->question_count = 0;
    farm->since_s = clock_wall_s(farm->services.clock);
    farm->whole = true;
    farm->generation[0] = farm->refusal[0] = farm->why[0] = '\0';
    farm->heartbeat_due_ms = 0;
    farm->away_logged = false;
    metric_add(farm->figures.connections, 0, 0, 1);
    char why[FARM_WHY_MAX];
    if (!farm_clients_begin(farm, why)) {
        farm_lose(farm, why);
        return;
    }
    log_info("farm %s: %s serves", farm->name, candidate->server);
    ask_for_news(farm);
}

/* --- looking --------------------------------------------------------------------------------- */

static struct farm_candidate *candidate_of(struct farm *farm, const struct farm_conn *conn)
{
    for (size_t i = 0; i < farm->candidate_count; i++)
        if (farm->candidates[i].conn == conn)
            return &farm->candidates[i];
    return NULL;
}

/* Why there is no master: the first server's reason, or that of one that could be one. */
static void explain(struct farm *farm)
{
    struct textbuf buf;
    textbuf_init(&buf, farm->why, sizeof farm->why);
    for (size_t i = 0; i < farm->candidate_count; i++)
        textbuf_printf(&buf, "%s%.56s: %.100s", i > 0 ? "; " : "", farm->candidates[i].server,
                       farm->candidates[i].why);
}

/*
 * When all have answered: the master, and of two that say so, as one does that was cut off while
 * another took its place, the one with more replicas.
 */
static void choose(struct farm *farm)
{
    struct farm_candidate *best = NULL;
    for (size_t i = 0; i < farm->candidate_count; i++) {
        struct farm_candidate *candidate = &farm->candidates[i];
        if (candidate->conn != NULL && !candidate->master)
            return; /* it is still asked */
        if (candidate->conn != NULL && (best == NULL || candidate->replicas > best->replicas))
            best = candidate;
    }
    for (size_t i = 0; i < farm->candidate_count; i++)
        if (&farm->candidates[i] != best)
            close_candidate(&farm->candidates[i]);
    if (best != NULL) {
        begin_serving(farm, best);
        return;
    }
    explain(farm);
    log_away(farm);
    begin_waiting(farm);
}

static void hear_role(struct farm_candidate *candidate, const struct resp_reply *reply)
{
    if (candidate->asked_password) {
        candidate->asked_password = false;
        if (reply->kind == RESP_ERROR)
            farm_conn_fail(candidate->conn, farm_said(reply, candidate->why));
        return;
    }
    candidate->master = is_master(reply);
    candidate->replicas = reply->count > 2 && reply->items[2]->kind == RESP_LIST
                              ? (int64_t)reply->items[2]->count
                              : 0;
    if (candidate->master)
        return;
    if (reply->kind == RESP_LIST)
        (void)snprintf(candidate->why, sizeof candidate->why, "it is no master");
    else
        (void)farm_said(reply, candidate->why);
    farm_conn_fail(candidate->conn, candidate->why);
}

static void replied(void *arg, struct farm_conn *conn, const struct resp_reply *reply)
{
    struct farm *farm = arg;
    if (farm->state == FARM_SERVES) {
        serve(farm, conn, reply);
        return;
    }
    struct farm_candidate *candidate = candidate_of(farm, conn);
    if (candidate == NULL)
        return; /* cannot be */
    hear_role(candidate, reply);
    if (candidate->master)
        arm(farm, 0); /* not here: choosing closes connections */
}

static void ended(void *arg, struct farm_conn *conn, const char *why)
{
    struct farm *farm = arg;
    if (farm->state == FARM_SERVES) {
        farm_lose(farm, why);
        return;
    }
    struct farm_candidate *candidate = candidate_of(farm, conn);
    if (candidate == NULL)
        return; /* cannot be */
    (void)snprintf(candidate->why, sizeof candidate->why, "%s", why);
    close_candidate(candidate);
    choose(farm);
}

bool farm_auth(const struct farm *farm, const char *words[FARM_AUTH_WORDS])
{
    size_t count = 0;
    words[count++] = "AUTH";
    if (farm->user != NULL)
        words[count++] = farm->user;
    words[count++] = farm->password;
    words[count] = NULL;
    return farm->password != NULL;
}

static void ask_role(struct farm *farm, struct farm_candidate *candidate)
{
    static const char *const role[] = {"ROLE", NULL};
    const char *words[FARM_AUTH_WORDS];
    candidate->asked_password = farm_auth(farm, words);
    if (candidate->asked_password)
        farm_conn_ask(candidate->conn, words);
    farm_conn_ask(candidate->conn, role);
    farm_conn_flush(candidate->conn);
}

static void look(struct farm *farm)
{
    const struct farm_conn_calls calls = {replied, ended, farm};
    farm->state = FARM_LOOKS;
    farm->asked_ms = now_ms(farm);
    for (size_t i = 0; i < farm->candidate_count; i++) {
        struct farm_candidate *candidate = &farm->candidates[i];
        candidate->master = false;
        candidate->conn = farm_conn_new(farm->services.loop, candidate->server, farm->timeout_ms,
                                        &calls, candidate->why);
        if (candidate->conn != NULL)
            ask_role(farm, candidate);
    }
    choose(farm);
}

static void on_timer(void *arg)
{
    struct farm *farm = arg;
    if (farm->state == FARM_SERVES)
        ask_for_news(farm);
    else if (farm->state == FARM_LOOKS)
        choose(farm);
    else
        look(farm);
}

void farm_tick(struct farm *farm)
{
    bool asks = farm->state == FARM_LOOKS || farm->question_count > 0;
    bool stuck = asks && now_ms(farm) - farm->asked_ms > STUCK_TIMEOUTS * (int64_t)farm->timeout_ms;
    const char *failure = farm->clients.conn != NULL ? farm_conn_failure(farm->clients.conn) : NULL;
    if (failure != NULL) {
        farm_lose(farm, failure);
    } else if (farm->unarmed && !asks) {
        on_timer(farm);
    } else if (stuck && farm->state == FARM_SERVES) {
        farm_lose(farm, "out of memory");
    } else if (stuck) {
        (void)snprintf(farm->why, sizeof farm->why, "out of memory");
        begin_waiting(farm);
    }
}

/* --- what is done here ----------------------------------------------------------------------- */

void farm_exemption_changed(struct farm *farm, const char *subject)
{
    if (farm->state != FARM_SERVES) {
        farm->unsent++;
    } else if (farm_list_add(&farm->puts, subject, 0)) {
        arm(farm, 0);
    } else {
        farm->whole = true; /* and what the store lacks is written then */
    }
    farm_show_state(farm);
}

void farm_flushed(struct farm *farm, const char *target)
{
    if (!farm_list_add(&farm->flushes, target, clock_wall_s(farm->services.clock)))
        log_warning("farm %s: out of memory: other hosts do not flush", farm->name);
    else if (farm->state == FARM_SERVES)
        arm(farm, 0);
}

bool farm_is_well(const struct farm *farm, char why[FARM_WHY_MAX])
{
    if (farm->state == FARM_SERVES && farm->refusal[0] == '\0')
        return true;
    (void)snprintf(why, FARM_WHY_MAX, "%s",
                   farm->state == FARM_SERVES ? farm->refusal
                   : farm->why[0] != '\0'     ? farm->why
                                              : "it was not reached yet");
    return false;
}

const char *farm_host(const struct farm *farm)
{
    return farm->host;
}

/* --- life ------------------------------------------------------------------------------------ */

static char *copied(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* The configuration's, or what the machine calls itself. */
static char *host_of(const struct conf *conf)
{
    char name[EXEMPTION_BY_MAX] = "";
    if (conf->farm.host != NULL)
        return strdup(conf->farm.host);
    if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
        (void)snprintf(name, sizeof name, "unnamed");
    for (char *at = name, letter[2] = ""; *at != '\0'; at++) {
        letter[0] = *at;
        if (!exemption_is_by(letter))
            *at = '-';
    }
    return strdup(name);
}

static bool copy_servers(struct farm *farm, const struct conf *conf)
{
    farm->candidates = calloc(conf->farm.server_count, sizeof *farm->candidates);
    if (farm->candidates == NULL)
        return false;
    farm->candidate_count = conf->farm.server_count;
    for (size_t i = 0; i < farm->candidate_count; i++)
        if ((farm->candidates[i].server = strdup(conf->farm.servers[i])) == NULL)
            return false;
    return true;
}

static bool build(struct farm *farm, const struct conf *conf, const struct farm_secrets *secrets)
{
    farm->name = copied(conf->farm.name);
    farm->host = host_of(conf);
    farm->user = copied(conf->farm.user);
    farm->password = secrets->password[0] != '\0' ? strdup(secrets->password) : NULL;
    farm->timer = loop_timer_new(farm->services.loop, on_timer, farm);
    if (farm->name == NULL || farm->host == NULL || farm->timer == NULL ||
        (farm->user == NULL && conf->farm.user != NULL) ||
        (farm->password == NULL && secrets->password[0] != '\0') || !copy_servers(farm, conf))
        return false;
    farm->key.farm = farm->name;
    farm->key.length = secrets->key_length;
    memcpy(farm->key.bytes, secrets->key, secrets->key_length);
    return farm_figures_declare(farm);
}

struct farm *farm_new(const struct conf *conf, const struct farm_secrets *secrets,
                      const struct farm_services *services)
{
    struct farm *farm = calloc(1, sizeof *farm);
    if (farm == NULL)
        return NULL;
    farm->services = *services;
    farm->timeout_ms = conf->farm.timeout_ms;
    farm->keep_s = conf->clients.keep_s;
    farm->greylists = conf_greylists(conf);
    STAILQ_INIT(&farm->clients.asks);
    farm->backoff_ms = BACKOFF_MIN_MS;
    farm->since_s = clock_wall_s(services->clock);
    STAILQ_INIT(&farm->puts.items);
    STAILQ_INIT(&farm->flushes.items);
    STAILQ_INIT(&farm->drops.items);
    if (build(farm, conf, secrets)) {
        exemptions_remember(services->exemptions);
        return farm;
    }
    farm_free(farm);
    return NULL;
}

void farm_start(struct farm *farm)
{
    look(farm);
}

void farm_free(struct farm *farm)
{
    if (farm == NULL)
        return;
    for (size_t i = 0; farm->candidates != NULL && i < farm->candidate_count; i++) {
        close_candidate(&farm->candidates[i]);
        free(farm->candidates[i].server);
    }
    farm_clients_end(farm);
    loop_timer_free(farm->timer);
    farm_list_clear(&farm->puts);
    farm_list_clear(&farm->flushes);
    farm_list_clear(&farm->drops);
    farm_hosts_clear(farm);
    free(farm->candidates);
    free(farm->name);
    free(farm->host);
    free(farm->user);
    free(farm->password);
    free(farm);
}
