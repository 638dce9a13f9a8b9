/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libmilter behind the events of session.h, and everything that is done around it.
 *
 * Seen with libmilter 1.0.2 of Sendmail 8.17.1 (Debian 12 and 13, built with the worker pool,
 * _FFR_WORKERS_POOL) against Postfix 3.7.11 and Sendmail 8.17.1.9.  What it does, and what is done
 * about it:
 *
 * 1. One filter a process; callbacks have no argument.  struct libmilter_services is set once.
 * 2. An event that its table of states does not allow is dropped without an answer, and the MTA
 *    waits for its whole timeout: libmilter_negotiate() asks for flags with which that cannot be.
 *    tests/unit/test_libmilter_negotiate.c walks the table.
 * 3. The listening socket is not handed out: libmilter_open_socket() finds it.  Sessions inherit
 *    TCP_NODELAY from it; without that each answer with a header field takes 40 ms longer
 *    (listener.h).
 * 4. The pool counts a worker as idle until it has woken, and leaves to it the sessions of all that
 *    send something in that moment: struct libmilter_wakeup.
 * 5. It waits for SIGHUP, SIGTERM and SIGINT by sigwait() on a thread of its own and ends the
 *    filter at any of them, SIGHUP too: libmilter_signals.c defines sigwait() for the process, so
 *    that this thread waits for the end only.  The signals are the management loop's.
 * 6. smfi_stop() blocks, and is noticed, only when accept() returns or after 5 s: libmilter's
 * thread of 5 calls it, and the listener is woken until it has seen it: libmilter_wake_listener().
 * 7. smfi_main() returns while callbacks run: libmilter_run() waits for them.
 * 8. QUIT_NC reuses a connection without a word of what was negotiated for it: see
 *    connection_again() in libmilter.c.
 * 9. A reply is a format for the MTA ('%' is doubled), is ignored where its class is not that of
 *    the status, and is not allowed at connect.
 * 10. A header field above 65,535 bytes is more than a packet may hold: the connection is closed.
 *    Postfix cuts such fields before, Sendmail does where confMAX_HEADERS_LENGTH says so
 *    (doc/sendmail.md).
 * 11. A MAIL without macros keeps those of the one before: {mail_addr} is asked for, which is
 *    always known.
 *
 * What is answered when: the connection and EHLO always, for Postfix keeps an event without an
 * answer back until one comes that has one, and lookups would begin late.  MAIL and RCPT where they
 * can be refused.  DATA over inet, because its answer acknowledges macros that Postfix sends in a
 * segment of their own (40 ms otherwise).  Header fields and their end never.  The end of the
 * message always.
 */
#ifndef IPREVD_LIBMILTER_H
#define IPREVD_LIBMILTER_H

#include "daemon/session.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- negotiation: pure, thread safe (libmilter_negotiate.c) ----------------------------------- */

/*
 * Steps of the milter protocol as bits on the wire, SMFIP_* of libmilter: events that the MTA is
 * not to send, and events to which it is not to wait for an answer.
 */
enum libmilter_step {
    LIBMILTER_NO_CONNECT = 0x1,
    LIBMILTER_NO_HELO = 0x2,
    LIBMILTER_NO_MAIL = 0x4,
    LIBMILTER_NO_RCPT = 0x8,
    LIBMILTER_NO_BODY = 0x10,
    LIBMILTER_NO_HEADER = 0x20,
    LIBMILTER_NO_EOH = 0x40,
    LIBMILTER_NO_UNKNOWN = 0x100,
    LIBMILTER_NO_DATA = 0x200,
    LIBMILTER_NOREPLY_HEADER = 0x80,
    LIBMILTER_NOREPLY_CONNECT = 0x1000,
    LIBMILTER_NOREPLY_HELO = 0x2000,
    LIBMILTER_NOREPLY_MAIL = 0x4000,
    LIBMILTER_NOREPLY_RCPT = 0x8000,
    LIBMILTER_NOREPLY_DATA = 0x10000,
    LIBMILTER_NOREPLY_UNKNOWN = 0x20000,
    LIBMILTER_NOREPLY_EOH = 0x40000,
    LIBMILTER_NOREPLY_BODY = 0x80000,
};

/* What of a configuration matters here. */
struct libmilter_wish {
    enum stage stage;
    bool refuses; /* some client may be refused */
    bool inet;    /* the MTA comes over TCP */
};

/*
 * Which of the `offered` steps to ask for.  LIBMILTER_NO_EOH comes only with LIBMILTER_NO_DATA:
 * after DATA libmilter allows a field, the end of the header or an abort, and drops the end of a
 * message without fields.
 */
unsigned long libmilter_negotiate(const struct libmilter_wish *wish, unsigned long offered);

/* --- the listening socket (libmilter_socket.c) ------------------------------------------------ */

/*
 * smfi_register(), smfi_setconn(), smfi_opensocket() with `umask`; the descriptor of the socket
 * that listens since, which libmilter owns.  -1: errno says why.  Before there are threads.
 */
int libmilter_open_socket(const char *spec, unsigned backlog, unsigned mode_mask);

/* --- signals (libmilter_signals.c) -------------------------------------------------------------
 */

/* On the thread that will call libmilter_run(), before there are others. */
void libmilter_signals_init(void);

/* Let libmilter_run() return when libmilter looks next.  Idempotent, never blocks, thread safe. */
void libmilter_stop(void);

/* Interrupt the system call that libmilter's listener waits in, if it does.  Thread safe. */
void libmilter_wake_listener(void);

/* --- waking workers (libmilter_wakeup.c) ------------------------------------------------------ */

/*
 * Keeps sessions from waiting for each other in the pool.  A session of our own, on which an abort
 * is sent, has libmilter wake or make a worker, which then looks for all sessions that are left.
 * Where that session is itself among those that are left, nothing that is sent on it has an effect:
 * a new one is begun.
 */
struct libmilter_wakeup {
    int listener_fd;
    pthread_mutex_t lock;
    int fd; /* connected to the listener; -1: not yet, or no more */
    _Atomic int64_t last_ms;
    atomic_uint unread; /* aborts that were sent and that libmilter has not read */
};

/* `listener_fd` is borrowed: a socket that listens, whatever its address. */
void libmilter_wakeup_init(struct libmilter_wakeup *wakeup, int listener_fd);

/* When nobody calls the functions below any more. */
void libmilter_wakeup_clear(struct libmilter_wakeup *wakeup);

/*
 * For a callback that has blocked since `since_ms` and goes on, now_ms being the time (monotonic).
 * Does nothing where another one has done it since.  Never blocks for long; thread safe.
 */
void libmilter_wake_worker(struct libmilter_wakeup *wakeup, int64_t since_ms, int64_t now_ms);

/* An abort came on a session that nothing else came on.  Thread safe. */
void libmilter_wakeup_read(struct libmilter_wakeup *wakeup);

/* --- life (libmilter.c, the only one that includes libmilter's header) ------------------------ */

/* What the callbacks need; libmilter hands none of it through, so it is set once before
 * libmilter_run(). */
struct libmilter_services {
    const struct session_services *session;
    /* The configuration for a new session, with one reference for the caller. */
    struct conf *(*conf)(void *arg);
    /* A session begins (false: there are too many, it is deferred) and ends.  On libmilter's
     * threads. */
    bool (*opened)(void *arg);
    void (*closed)(void *arg);
    void *arg;
    struct libmilter_wakeup *wakeup;
};

/* smfi_register(), smfi_setconn(), smfi_opensocket().  False: errno may say why. */
bool libmilter_register(const char *spec, unsigned backlog);

/*
 * Serve until libmilter_stop().  When it returns no callback is under way and none will begin, so
 * that what they use may be freed; sessions that were cut off are not closed any more.
 * False: libmilter gave up.
 */
bool libmilter_run(const struct libmilter_services *services);

/* "1.0.2": libmilter's version at run time. */
void libmilter_version(char *out, size_t size);

#endif
