/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other hosts remember of a client: asked for each session, on a connection of its own, so
 * that no session waits behind the comparison of exemptions.  An answer is merged into the memory
 * here; where the store knows less than that, it is written.  The last word stands: of two hosts
 * that write at once one is heard at the next visit.
 */
#include "farm/farm_private.h"

#include "base/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Replies that are waited for: who comes with more of them is told that nobody answers. */
#define AWAITED_MAX 4096

struct farm_client_ask {
    STAILQ_ENTRY(farm_client_ask) link;
    enum { ASK_PASSWORD, ASK_HISTORY, ASK_GREYLISTED, ASK_PUT } what;
    struct ipaddr client;
    char key[FARM_STORE_KEY_MAX];           /* of the store, about the client */
    void (*done)(void *arg, bool answered); /* NULL: nobody waits for this one */
    void *arg;
};

/* --- asking ---------------------------------------------------------------------------------- */

/* False: it is not asked, out of memory or as too much is awaited. */
static bool ask(struct farm *farm, const struct farm_client_ask *like, const char *const words[])
{
    struct farm_client_ask *ask = farm->clients.count < AWAITED_MAX ? malloc(sizeof *ask) : NULL;
    if (ask == NULL)
        return false;
    *ask = *like;
    STAILQ_INSERT_TAIL(&farm->clients.asks, ask, link);
    farm->clients.count++;
    farm_conn_ask(farm->clients.conn, words);
    return true;
}

/* "iprevd:mx:client:0123...": `bits` of the address. */
static bool ask_at(struct farm *farm, struct farm_client_ask *like, const char *place,
                   unsigned bits)
{
    char word[FARM_CLIENT_WORD_MAX], what[sizeof FARM_GREYLIST + FARM_CLIENT_WORD_MAX];
    farm_client_word(&farm->key, place, &like->client, bits, word);
    (void)snprintf(what, sizeof what, "%s:%s", place, word);
    return ask(farm, like,
               (const char *const[]){"GET", farm_store_key(farm, what, like->key), NULL});
}

/* That is the last word of the key, and what its line is signed for. */
static const char *word_of(const char *key)
{
    return strrchr(key, ':') + 1;
}

static void put(struct farm *farm, const char *key, const char *line, unsigned keep_s)
{
    const struct farm_client_ask like = {.what = ASK_PUT};
    char seconds[16];
    (void)snprintf(seconds, sizeof seconds, "%u", keep_s);
    (void)ask(farm, &like, (const char *const[]){"SET", key, line, "EX", seconds, NULL});
    farm_conn_flush(farm->clients.conn);
}

static void nobody_answers(struct farm *farm, void (*done)(void *arg, bool answered), void *arg)
{
    if (done == NULL)
        return;
    metric_add(farm->figures.answers, FARM_ANSWER_NONE, 0, 1);
    done(arg, false);
}

/* The last answer is the one that is waited for. */
void farm_ask_about(struct farm *farm, const struct ipaddr *client,
                    void (*done)(void *arg, bool answered), void *arg)
{
    struct farm_client_ask network = {.what = ASK_GREYLISTED, .client = *client};
    struct farm_client_ask history = {
        .what = ASK_HISTORY, .client = *client, .done = done, .arg = arg};
    bool v6 = client->family == IP_V6, asked = true;
    if (farm->clients.conn == NULL) {
        nobody_answers(farm, done, arg);
        return;
    }
    if (farm->greylists)
        asked =
            ask_at(farm, &network, FARM_GREYLIST, v6 ? GREYLIST_NETWORK_V6 : GREYLIST_NETWORK_V4);
    if (!asked || !ask_at(farm, &history, FARM_CLIENT, v6 ? 64 : 32))
        nobody_answers(farm, done, arg);
    farm_conn_flush(farm->clients.conn);
}

/* --- answers --------------------------------------------------------------------------------- */

static void take_history(struct farm *farm, const struct farm_client_ask *answered,
                         const struct resp_reply *reply)
{
    char line[FARM_LINE_MAX];
    struct history theirs = {0};
    const char *word = word_of(answered->key);
    bool known =
        resp_is_text(reply) && farm_line_read_history(&farm->key, word, reply->text, &theirs);
    if (!known && reply->kind != RESP_NIL)
        farm_count_line(farm, FARM_LINE_UNSIGNED);
    if (answered->done != NULL)
        metric_add(farm->figures.answers, known ? FARM_ANSWER_KNOWN : FARM_ANSWER_UNKNOWN, 0, 1);
    struct history both = client_memory_merge(farm->services.memory, &answered->client, &theirs,
                                              clock_wall_s(farm->services.clock));
    if (history_equal(&both, &theirs))
        return;
    farm_line_history(&farm->key, word, &both, line);
    put(farm, answered->key, line, farm->keep_s + CALENDAR_DAY_S);
}

static void take_greylisted(struct farm *farm, const struct farm_client_ask *answered,
                            const struct resp_reply *reply)
{
    char line[FARM_LINE_MAX];
    struct greylisted theirs, both;
    const char *word = word_of(answered->key);
    bool known =
        resp_is_text(reply) && farm_line_read_greylisted(&farm->key, word, reply->text, &theirs);
    if (!known && reply->kind != RESP_NIL)
        farm_count_line(farm, FARM_LINE_UNSIGNED);
    if (!greylist_table_merge(farm->services.greylist, &answered->client, known ? &theirs : NULL,
                              clock_wall_s(farm->services.clock), &both) ||
        (known && greylist_equal(&both, &theirs)))
        return;
    farm_line_greylisted(&farm->key, word, &both, line);
    put(farm, answered->key, line, both.passed ? farm->keep_s : GREYLIST_RETRY_S);
}

static void take_reply(struct farm *farm, struct farm_conn *conn, struct farm_client_ask *answered,
                       const struct resp_reply *reply)
{
    /* A store that is full refuses what is written, and is read all the same. */
    if (reply->kind == RESP_ERROR && answered->what != ASK_PUT) {
        char why[FARM_WHY_MAX];
        farm_conn_fail(conn, farm_said(reply, why));
    } else if (answered->what == ASK_HISTORY) {
        take_history(farm, answered, reply);
    } else if (answered->what == ASK_GREYLISTED) {
        take_greylisted(farm, answered, reply);
    }
    if (answered->done != NULL)
        answered->done(answered->arg, reply->kind != RESP_ERROR);
}

static struct farm_client_ask *take_first(struct farm *farm)
{
    struct farm_client_ask *first = STAILQ_FIRST(&farm->clients.asks);
    if (first == NULL)
        return NULL;
    STAILQ_REMOVE_HEAD(&farm->clients.asks, link);
    farm->clients.count--;
    return first;
}

static void replied(void *arg, struct farm_conn *conn, const struct resp_reply *reply)
{
    struct farm *farm = arg;
    struct farm_client_ask *first = take_first(farm);
    if (first == NULL)
        return; /* cannot be: the connection counts, too */
    take_reply(farm, conn, first, reply);
    free(first);
}

static void ended(void *arg, struct farm_conn *conn, const char *why)
{
    (void)conn;
    farm_lose(arg, why);
}

/* --- life ------------------------------------------------------------------------------------ */

bool farm_clients_begin(struct farm *farm, char why[FARM_WHY_MAX])
{
    const struct farm_conn_calls calls = {replied, ended, farm};
    const struct farm_client_ask password = {.what = ASK_PASSWORD};
    const char *words[FARM_AUTH_WORDS];
    farm->clients.conn =
        farm_conn_new(farm->services.loop, farm->serving->server, farm->timeout_ms, &calls, why);
    if (farm->clients.conn == NULL)
        return false;
    if (farm_auth(farm, words) && !ask(farm, &password, words)) {
        (void)snprintf(why, FARM_WHY_MAX, "out of memory");
        return false;
    }
    farm_conn_flush(farm->clients.conn);
    farm->services.asks(farm->services.arg, true);
    return true;
}

void farm_clients_end(struct farm *farm)
{
    struct farm_client_ask *first;
    farm->services.asks(farm->services.arg, false);
    farm_conn_free(farm->clients.conn);
    farm->clients.conn = NULL;
    while ((first = take_first(farm)) != NULL) {
        nobody_answers(farm, first->done, first->arg);
        free(first);
    }
}
