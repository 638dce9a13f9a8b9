/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A farm from inside: farm.c finds the server that serves and keeps to it; farm_sync.c asks and
 * answers for exemptions and flushes; farm_clients.c asks about clients; farm_hosts.c knows the
 * hosts.
 */
#ifndef IPREVD_FARM_PRIVATE_H
#define IPREVD_FARM_PRIVATE_H

#include "farm/farm.h"

#include <sys/queue.h>

/* The store is asked so often for what is new. */
#define FARM_POLL_MS 1000

/* A stream's place: two numbers of 64 bits. */
#define FARM_PLACE_MAX 48

/* Bytes of a key of the store: "iprevd:", the farm's name, what it is. */
#define FARM_STORE_KEY_MAX 128

/* What was asked on the connection that serves, in order. */
enum farm_question {
    FARM_ASK_ROLE,
    FARM_ASK_GENERATION,
    FARM_ASK_PLACE,      /* where the stream ends */
    FARM_ASK_EXEMPTIONS, /* all of them */
    FARM_ASK_CHANGES,
    FARM_ASK_HOSTS,
    FARM_ASK_PUT,    /* an exemption's line is written */
    FARM_ASK_WRITE,  /* anything else is */
    FARM_ASK_FORGET, /* a line goes: a store that is full does that, too */
};

#define FARM_QUESTIONS_MAX 1024 /* in one pipeline */

/* A subject whose line is to be written, or what is to be flushed. */
struct farm_item {
    STAILQ_ENTRY(farm_item) link;
    int64_t made_s; /* of a flush */
    char text[];
};
STAILQ_HEAD(farm_items, farm_item);

struct farm_list {
    struct farm_items items;
    size_t count;
};

struct farm_host_known {
    struct farm_note note;
    struct json_value *said; /* of the note; NULL: it makes no sense */
};

#define FARM_HOSTS_MAX 256

/* Replies that farm_clients.c waits for, in order. */
STAILQ_HEAD(farm_client_asks, farm_client_ask);
struct farm_clients {
    struct farm_conn *conn; /* NULL: nobody can be asked */
    struct farm_client_asks asks;
    size_t count;
};

/* One server, while all are asked for their roles. */
struct farm_candidate {
    char *server;
    struct farm_conn *conn; /* NULL: it was not reached, or is over */
    bool asked_password;    /* the next reply is to AUTH */
    bool master;
    int64_t replicas;
    char why[FARM_WHY_MAX]; /* not the master */
};

enum farm_state { FARM_WAITS, FARM_LOOKS, FARM_SERVES };

struct farm {
    struct farm_services services;
    struct farm_key key;
    char *name, *host, *user, *password; /* the last two may be NULL */
    unsigned timeout_ms, keep_s;
    bool greylists; /* so that networks are asked about, too */
    struct farm_candidate *candidates;
    size_t candidate_count;

    enum farm_state state;
    struct loop_timer *timer; /* the next look, or the next poll */
    bool unarmed;             /* there was no memory to arm it */
    int64_t backoff_ms;
    int64_t since_s;        /* of the state: connected or away */
    char why[FARM_WHY_MAX]; /* of being away; "": not looked yet */
    bool away_logged;

    /* While a server serves. */
    struct farm_candidate *serving;
    unsigned char questions[FARM_QUESTIONS_MAX];
    size_t question_first, question_count;
    int64_t asked_ms, round_trip_ms, answered_ms;
    char generation[FARM_PLACE_MAX], place[FARM_PLACE_MAX];
    bool whole;                 /* everything is to be read, now */
    int64_t whole_due_ms;       /* or then */
    bool reads_whole;           /* it was asked for */
    bool more;                  /* the stream has more */
    bool many;                  /* so much is written that a new generation says so */
    char refusal[FARM_WHY_MAX]; /* why the last write was refused; "": it was not */

    struct farm_clients clients;
    struct farm_list puts, flushes, drops;
    size_t unsent;          /* changes made here while it was away */
    uint64_t refused_lines; /* of the last whole reading */
    uint64_t ahead_lines;
    bool refused_logged, ahead_logged;

    int64_t heartbeat_due_ms, hosts_due_ms;
    struct farm_host_known *hosts;
    size_t host_count, host_other; /* lines of hosts that are not signed by this key */

    struct farm_figures {
        struct metric *connected, *connections, *lines, *unsent, *hosts, *answers;
    } figures;
};

/* A key of the store: returns out. */
const char *farm_store_key(const struct farm *farm, const char *what, char out[FARM_STORE_KEY_MAX]);

/* Ask on the connection that serves; words end with NULL. */
void farm_ask(struct farm *farm, enum farm_question question, const char *const words[]);

/* The connection that serves is over: look for the master again. */
void farm_lose(struct farm *farm, const char *why);

/* The words of AUTH.  False: no password is needed. */
#define FARM_AUTH_WORDS 4
bool farm_auth(const struct farm *farm, const char *words[FARM_AUTH_WORDS]);

/* What a server said, for people.  Returns out. */
const char *farm_said(const struct resp_reply *reply, char out[FARM_WHY_MAX]);

/* farm_clients.c: the server begins to serve (false: `why`), and does no longer. */
bool farm_clients_begin(struct farm *farm, char why[FARM_WHY_MAX]) MUST_CHECK;
void farm_clients_end(struct farm *farm);

/* Counted in iprevd_farm_answers_total. */
enum farm_answer { FARM_ANSWER_KNOWN, FARM_ANSWER_UNKNOWN, FARM_ANSWER_NONE };

/* farm_sync.c */
bool farm_list_add(struct farm_list *list, const char *text, int64_t made_s) MUST_CHECK;
void farm_list_clear(struct farm_list *list);
void farm_sync_ask(struct farm *farm);
/* The store takes nothing: what waits is compared with it again later. */
void farm_sync_refused(struct farm *farm);
void farm_sync_answer(struct farm *farm, enum farm_question question,
                      const struct resp_reply *reply);

/* farm_hosts.c */
bool farm_figures_declare(struct farm *farm) MUST_CHECK;
void farm_hosts_ask(struct farm *farm, int64_t now_ms);
void farm_hosts_answer(struct farm *farm, const struct resp_reply *reply);
void farm_hosts_clear(struct farm *farm);

/* Counted in iprevd_farm_lines_total. */
enum farm_line_kind { FARM_LINE_TAKEN, FARM_LINE_UNSIGNED, FARM_LINE_AHEAD, FARM_LINE_NO_ROOM };
void farm_count_line(struct farm *farm, enum farm_line_kind kind);
void farm_show_state(struct farm *farm);

#endif
