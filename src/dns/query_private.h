/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What query.c (a question on its way), query_attempt.c (the question at one server),
 * query_denial.c (the proof of a denial) and query_pool.c (what all questions share) know of each
 * other.  Nobody else includes this.
 */
#ifndef IPREVD_QUERY_PRIVATE_H
#define IPREVD_QUERY_PRIVATE_H

#include "dns/denial.h"
#include "dns/dnsmsg.h"
#include "dns/finding.h"
#include "dns/query.h"
#include "dns/resolver_metrics.h"
#include "dns/servers.h"
#include "dns/transport_udp.h"

#include <pthread.h>
#include <sys/queue.h>

/* --- the pool (query_pool.c) ----------------------------------------------------------------- */

/* What a server answered about the SOA record at a name, which can prove denials below it. */
struct query_proof {
    uint64_t hash; /* of name and server */
    int64_t until_ms;
    uint8_t apex_length; /* of the end of the name that is the zone's; 0: no SOA came */
    bool exists;         /* there is such a name, though without an SOA */
};
#define QUERY_PROOFS 1024 /* of the parents of clients' names: some a network */

struct query_pool {
    struct loop *loop;
    pthread_mutex_t lock; /* held where a server's numbers change: others read them */
    struct query_settings settings;
    LIST_HEAD(query_streams, query_stream) streams; /* TCP connections, ... */
    unsigned tcp_open;                              /* ... so many */
    struct query_metrics metrics;
    struct finding_log findings;
    struct loop_timer *tcp_turn; /* calls query_pool_turn() */
    TAILQ_HEAD(attempt_queue, attempt) tcp_waiting;
    LIST_HEAD(query_list, query) running;
    struct udp_spare spare;
    struct loop_timer *spare_timer;
    bool spare_ends;  /* it is armed */
    bool came_back;   /* a server did, and query_pool_came_back() has not said so yet */
    uint16_t ids[64]; /* random, not used yet */
    unsigned id_count;
    uint64_t proof_seed; /* keys their place against names that somebody chose to collide */
    struct query_proof proofs[QUERY_PROOFS];
    int64_t looks_since_ms; /* looks for limits of servers: counted since, ... */
    unsigned looks;         /* ... so many */
};

/* Connect those who wait for a TCP connection (query_attempt.c). */
void query_pool_turn(void *pool);

/* No question is under way: spare sockets go if that stays so for a moment. */
void query_pool_rest(struct query_pool *pool);

/* 16 bits from the system's generator, each used once.  RESULT_IO. */
enum result query_pool_id(struct query_pool *pool, uint16_t *out) MUST_CHECK;

/*
 * A time to wait, made up to a quarter longer: questions that were lost together, as by a burst
 * that overflowed the server's buffer, must not be sent again all at once.
 */
int64_t query_pool_spread(struct query_pool *pool, int64_t wait_ms);

/* What happened to a server: see servers.h.  Changes between up and down are logged. */
typedef bool query_pool_note(struct server *server, int64_t now_ms);
void query_pool_asked(struct query_pool *pool, struct server *server);
bool query_pool_is_laden(struct query_pool *pool, struct server *server);
void query_pool_answered(struct query_pool *pool, struct server *server, int64_t rtt_ms, bool good);
void query_pool_failed(struct query_pool *pool, struct server *server, query_pool_note *note);
/* A try was not answered: when it is time, the server is asked for a sign of life. */
void query_pool_silent(struct query_pool *pool, struct server *server);
/* The sign of life was waited for; whether it has come the server knows. */
void query_pool_life(struct query_pool *pool, struct server *server);
/* A packet that answered no question of ours. */
void query_pool_stray(struct query_pool *pool, struct server *server);

/* --- one server of a query (query_attempt.c) -------------------------------------------------- */

struct attempt {
    struct query *query;
    struct server *server;
    struct udp *udp;
    struct query_stream *tcp;    /* the connection that its question is on, or NULL */
    TAILQ_ENTRY(attempt) beside; /* in that connection's attempts */
    TAILQ_ENTRY(attempt) link;   /* in tcp_waiting */
    bool waiting;
    bool stream;  /* over TCP from now on */
    bool plain;   /* the query was sent without EDNS0 */
    bool no_edns; /* the server refused it, or ... */
    bool mute;    /* ... did not answer with it, on this socket */
    bool over;    /* nothing more is expected of it */
    bool erred;   /* it answered with an error */
    bool heard;   /* a message with the ID came, over TCP */
    bool moved;   /* from one TCP connection to another */
    unsigned cut; /* times that its connection was closed while others were answered */
    uint16_t id;
    uint64_t upper; /* letters of the question that were sent in upper case */
    unsigned strays;
    unsigned sent;    /* packets from this socket */
    unsigned refused; /* times that the server could not be reached */
    int64_t again_ms; /* not to be asked before; 0: at any time */
    int64_t asked_ms; /* when the socket was opened */
};

/*
 * Ask this server, or ask again.  RESULT_IO: it cannot be reached.  RESULT_LIMIT, RESULT_NOMEM: we
 * cannot ask now.
 */
enum result attempt_ask(struct attempt *attempt) MUST_CHECK;

/* Close its socket, and give back its place among those that wait for a TCP connection. */
void attempt_close(struct attempt *attempt);

/* Can an answer still come? */
bool attempt_open(const struct attempt *attempt);

/* A message came that is for this attempt, if it answers its question.  The query may be gone. */
void attempt_message(struct attempt *attempt, const uint8_t *message, size_t length);

/*
 * The TCP connection that it was on is gone (`error` is an errno; 0: closed).  With `progress` the
 * server has answered others on it, and the question goes out again at once.  The query may be
 * gone.
 */
void attempt_broken(struct attempt *attempt, int error, bool progress);

/* The question as it goes out; returns its length. */
size_t attempt_query(const struct attempt *attempt, uint8_t message[DNSMSG_QUERY_MAX]);

/* Milliseconds for which this server is waited for before the next is asked. */
int64_t attempt_timeout_ms(const struct attempt *attempt, unsigned round);

/* Nothing more will come from this server; the query goes on, or is over. */
void attempt_failed(struct attempt *attempt, enum dns_problem problem);

/*
 * The server cannot be reached, or broke off: it may be asked again a little later.  The query does
 * not go on by this.
 */
void attempt_lost(struct attempt *attempt, enum dns_problem problem);

/* Something speaks against the server. */
void attempt_blame(struct attempt *attempt, query_pool_note *note);

/* --- a question on its way (query.c) ---------------------------------------------------------- */

struct query {
    LIST_ENTRY(query) link;
    struct query_pool *pool;
    struct question question;
    source_done *done; /* NULL: a probe */
    void *arg;
    bool *finished; /* set while query_start() runs: where to say that we are gone */
    int64_t start_ms, deadline_ms, sent_ms;
    struct loop_timer *timer;
    enum dns_problem problem; /* the most informative so far */
    uint8_t problem_label;
    struct attempt *current;        /* the attempt whose time is running; NULL: none */
    struct denial_inquiry *inquiry; /* about a denial; NULL: none */
    struct denial *heard;           /* a question for proof: what its denial rests on; else NULL */
    struct answer *reason;          /* of `problem`, in the server's words, or NULL */
    bool life;                      /* a sign of life is asked for: every answer is one */
    unsigned tries, up, count;
    struct attempt attempts[];
};

/* Send to the next server.  The query may be gone afterwards. */
void query_next(struct query *query);

/* Wait until then, or the deadline.  The query may be gone afterwards. */
void query_arm(struct query *query, int64_t due_ms);

/* The query is gone when its asker hears of it: the asker may do as it likes. */
void query_finish(struct query *query, struct source_result *result, uint8_t label);

/* It ends with this problem. */
void query_fail(struct query *query, enum dns_problem problem);

/* Keep the problem if it tells more than the one before.  True: it is the query's now. */
bool query_note_problem(struct query *query, enum dns_problem problem,
                        const struct attempt *attempt);

/* Keep the words (taken, or NULL) of the server whose problem became the query's. */
void query_note_reason(struct query *query, struct answer *reason);

/* Ask the server for a sign of life. */
void query_ask_for_life(struct query_pool *pool, struct server *server);

/* The servers that failed at what `winner` could answer. */
void query_outdone(struct query *query, const struct attempt *winner);

/* Close every attempt and let no time pass, until query_next(), query_finish() or query_arm(). */
void query_pause(struct query *query);

/* End a query whose asker does not want to hear of it. */
void query_abandon(struct query *query);

/* --- TCP connections (query_stream.c) ----------------------------------------------------------
 */

/*
 * Put the attempt's question on a connection to its server, an open one or a new one, with an ID
 * that no other question on it has.  RESULT_LIMIT: all are in use.  RESULT_IO (errno),
 * RESULT_NOMEM.
 */
enum result query_stream_join(struct attempt *attempt) MUST_CHECK;

/* Take it off: if it was not answered, its answer may still come, and is for nobody. */
void query_stream_leave(struct attempt *attempt);

/* Would query_stream_join() have a place? */
bool query_stream_has_room(struct query_pool *pool, struct server *server);

/* Are others on its connection that may have to be answered first, for all that is known? */
bool query_stream_is_shared(const struct attempt *attempt);

/* Nothing came on its connection since it was asked, and older questions are before it. */
bool query_stream_is_blocked(const struct attempt *attempt);

/* Close connections that nobody uses. */
void query_stream_rest(struct query_pool *pool);

/* --- a denial without proof (query_denial.c) ----------------------------------------------------
 */

/*
 * Ask the server that denied (`result`, whose answer is taken) for what proves it: the query then
 * ends with the denial, or goes on to the next server.  It may be gone when this returns.
 */
void query_inquire(struct attempt *attempt, const struct source_result *result,
                   const struct denial *denial);
void query_inquiry_free(struct query *query);

/* A denial that is not believed: counted, logged now and then, and a failure of this server. */
void query_unproved(struct attempt *attempt, enum dns_problem problem);

/* --- limits of a server (query_limit.c) --------------------------------------------------------
 */

/*
 * The server has failed to answer for PTR records: find out, now and then, whether it fails at
 * these records alone.  Nothing waits for that.
 */
void query_suspect_limit(struct query_pool *pool, struct server *server,
                         const struct question *question);

/*
 * Ask one server a question whose denial needs no proof, but says in *heard what it rests on.  As
 * query_start() otherwise.
 */
struct query *query_start_proof(struct query_pool *pool, const struct question *question,
                                struct server *server, int64_t deadline_ms, struct denial *heard,
                                source_done *done, void *arg);

#endif
