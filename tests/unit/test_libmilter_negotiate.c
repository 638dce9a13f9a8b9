/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message ends in an answer, whatever is negotiated.  A model of libmilter's table of states
 * (engine.c of Sendmail 8.17.1: next_states, trans_ok(), fix_stm()) is walked with a model of what
 * a mail server sends, for every configuration and every set of steps that one may offer.
 */
#include "daemon/libmilter.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- libmilter ------------------------------------------------------------------------------- */

/* States in libmilter's order, which matters: a state that is skipped leads to the next one. */
enum state {
    AT_START,
    AT_OPTIONS,
    AT_CONNECT,
    AT_HELO,
    AT_MAIL,
    AT_RCPT,
    AT_DATA,
    AT_HEADER,
    AT_EOH,
    AT_BODY,
    AT_END,
    AT_QUIT,
    AT_ABORT,
    AT_UNKNOWN,
    AT_QUIT_NC,
    STATE_COUNT,
};
#define BIT(state) (1U << (state))

static const unsigned allowed[STATE_COUNT] = {
    [AT_START] = BIT(AT_OPTIONS),
    [AT_OPTIONS] = BIT(AT_CONNECT) | BIT(AT_UNKNOWN),
    [AT_CONNECT] = BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_UNKNOWN),
    [AT_HELO] = BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_UNKNOWN),
    [AT_MAIL] = BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_UNKNOWN),
    [AT_RCPT] = BIT(AT_HEADER) | BIT(AT_EOH) | BIT(AT_DATA) | BIT(AT_BODY) | BIT(AT_END) |
                BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_UNKNOWN),
    [AT_DATA] = BIT(AT_EOH) | BIT(AT_HEADER) | BIT(AT_ABORT),
    [AT_HEADER] = BIT(AT_EOH) | BIT(AT_HEADER) | BIT(AT_ABORT),
    [AT_EOH] = BIT(AT_BODY) | BIT(AT_END) | BIT(AT_ABORT),
    [AT_BODY] = BIT(AT_END) | BIT(AT_BODY) | BIT(AT_ABORT),
    [AT_END] = BIT(AT_QUIT) | BIT(AT_MAIL) | BIT(AT_UNKNOWN) | BIT(AT_QUIT_NC),
    [AT_UNKNOWN] = BIT(AT_HELO) | BIT(AT_MAIL) | BIT(AT_RCPT) | BIT(AT_ABORT) | BIT(AT_DATA) |
                   BIT(AT_BODY) | BIT(AT_UNKNOWN) | BIT(AT_QUIT) | BIT(AT_QUIT_NC),
    [AT_QUIT_NC] = BIT(AT_CONNECT) | BIT(AT_UNKNOWN),
};

/* The flag of an event that is not sent, and of one that is not answered. */
static const struct {
    enum state state;
    unsigned long left_out, noreply;
} flags[] = {
    {AT_CONNECT, LIBMILTER_NO_CONNECT, LIBMILTER_NOREPLY_CONNECT},
    {AT_HELO, LIBMILTER_NO_HELO, LIBMILTER_NOREPLY_HELO},
    {AT_MAIL, LIBMILTER_NO_MAIL, LIBMILTER_NOREPLY_MAIL},
    {AT_RCPT, LIBMILTER_NO_RCPT, LIBMILTER_NOREPLY_RCPT},
    {AT_DATA, LIBMILTER_NO_DATA, LIBMILTER_NOREPLY_DATA},
    {AT_HEADER, LIBMILTER_NO_HEADER, LIBMILTER_NOREPLY_HEADER},
    {AT_EOH, LIBMILTER_NO_EOH, LIBMILTER_NOREPLY_EOH},
    {AT_BODY, LIBMILTER_NO_BODY, LIBMILTER_NOREPLY_BODY},
    {AT_UNKNOWN, LIBMILTER_NO_UNKNOWN, LIBMILTER_NOREPLY_UNKNOWN},
};
#define FLAG_COUNT (sizeof flags / sizeof flags[0])

/* fix_stm(): marks of one session stay for the process's life, so they are a set of their own. */
static unsigned skipped_states(unsigned long steps)
{
    unsigned skipped = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if ((steps & flags[i].left_out) != 0)
            skipped |= BIT(flags[i].state);
    return skipped;
}

/* trans_ok() */
static bool leads_to(unsigned skipped, enum state from, enum state to)
{
    for (unsigned at = from; at < STATE_COUNT; at++) {
        if ((allowed[at] & BIT(to)) != 0)
            return true;
        if ((skipped & BIT(at + 1)) == 0)
            return false;
    }
    return false;
}

/* --- the mail server ---------------------------------------------------------------------------
 */

/* Where a mail server is in its dialogue with an SMTP client. */
enum place { NEW, IDLE, MAILED, ADDRESSED, CONTENT, FIELDS, HEADER_ENDED, TEXT, PLACE_COUNT };

static const struct move {
    enum place from;
    enum state event;
    enum place to;
} moves[] = {
    {NEW, AT_CONNECT, IDLE},
    {IDLE, AT_HELO, IDLE},
    {IDLE, AT_UNKNOWN, IDLE},
    {IDLE, AT_MAIL, MAILED},
    {IDLE, AT_QUIT_NC, NEW},
    {MAILED, AT_RCPT, ADDRESSED},
    {MAILED, AT_UNKNOWN, MAILED},
    {MAILED, AT_ABORT, IDLE},
    {ADDRESSED, AT_RCPT, ADDRESSED},
    {ADDRESSED, AT_UNKNOWN, ADDRESSED},
    {ADDRESSED, AT_ABORT, IDLE},
    {ADDRESSED, AT_DATA, CONTENT},
    {CONTENT, AT_ABORT, IDLE},
    {CONTENT, AT_HEADER, FIELDS},
    {CONTENT, AT_EOH, HEADER_ENDED}, /* a message without fields */
    {FIELDS, AT_HEADER, FIELDS},
    {FIELDS, AT_ABORT, IDLE},
    {FIELDS, AT_EOH, HEADER_ENDED},
    {HEADER_ENDED, AT_BODY, TEXT},
    {HEADER_ENDED, AT_END, IDLE}, /* an empty body */
    {HEADER_ENDED, AT_ABORT, IDLE},
    {TEXT, AT_BODY, TEXT},
    {TEXT, AT_END, IDLE},
    {TEXT, AT_ABORT, IDLE},
};
#define MOVE_COUNT (sizeof moves / sizeof moves[0])

/* DATA and unknown commands came into the protocol with their flags: who does not offer a flag does
   not send the event. */
static bool is_sent(const struct move *move, unsigned long offered, unsigned long agreed)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (flags[i].state != move->event)
            continue;
        bool optional = move->event == AT_DATA || move->event == AT_UNKNOWN;
        return (agreed & flags[i].left_out) == 0 &&
               (!optional || (offered & flags[i].left_out) != 0);
    }
    return true;
}

static bool has_answer(enum state event)
{
    return event != AT_ABORT && event != AT_QUIT_NC;
}

/* --- the walk ----------------------------------------------------------------------------------
 */

struct walk {
    unsigned long offered, agreed;
    unsigned skipped;
    uint16_t seen[PLACE_COUNT]; /* libmilter's states, a bit each */
    const struct move *lost;    /* an event that gets no answer */
};

static void visit(struct walk *walk, enum place place, enum state state);

/* What libmilter and the mail server make of one event. */
static void go(struct walk *walk, const struct move *move, enum state state)
{
    if (!is_sent(move, walk->offered, walk->agreed)) {
        visit(walk, move->to, state);
        return;
    }
    bool reached = leads_to(walk->skipped, state, move->event) ||
                   (move->from == IDLE && leads_to(walk->skipped, AT_HELO, move->event));
    /* Elsewhere than behind a message libmilter does not know it, with any flags; Postfix 3.10 and
       Sendmail 8.17 never send it. */
    if (!reached && move->event == AT_QUIT_NC)
        return;
    if (!reached && has_answer(move->event)) {
        walk->lost = move;
        return;
    }
    enum state next = reached ? move->event : AT_HELO;
    visit(walk, move->to, next);
    /* Refused, or accepted for good: the transaction is over for both. */
    if (move->event == AT_MAIL || move->event == AT_END)
        visit(walk, IDLE, AT_HELO);
}

static void visit(struct walk *walk, enum place place, enum state state)
{
    if (walk->lost != NULL || (walk->seen[place] & BIT(state)) != 0)
        return;
    walk->seen[place] |= (uint16_t)BIT(state);
    for (size_t i = 0; i < MOVE_COUNT; i++)
        if (moves[i].from == place)
            go(walk, &moves[i], state);
}

static const struct move *find_lost(unsigned long offered, unsigned long agreed, unsigned earlier)
{
    struct walk walk = {
        .offered = offered, .agreed = agreed, .skipped = earlier | skipped_states(agreed)};
    visit(&walk, NEW, AT_OPTIONS);
    return walk.lost;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static const struct libmilter_wish wishes[] = {
    {STAGE_CONNECT, false, false}, {STAGE_CONNECT, false, true}, {STAGE_CONNECT, true, false},
    {STAGE_CONNECT, true, true},   {STAGE_HELO, false, false},   {STAGE_HELO, false, true},
    {STAGE_HELO, true, false},     {STAGE_HELO, true, true},     {STAGE_MAIL, false, false},
    {STAGE_MAIL, false, true},     {STAGE_MAIL, true, false},    {STAGE_MAIL, true, true},
    {STAGE_RCPT, false, false},    {STAGE_RCPT, false, true},    {STAGE_RCPT, true, false},
    {STAGE_RCPT, true, true},
};
#define WISH_COUNT ((int)(sizeof wishes / sizeof wishes[0]))

/* The n-th set of steps that a mail server may offer not to send. */
static unsigned long left_out_set(unsigned n)
{
    unsigned long steps = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if ((n & 1U << i) != 0)
            steps |= flags[i].left_out;
    return steps;
}

/* libmilter offers all of these itself: where the mail server does not know one, it answers. */
static unsigned long all_noreply(void)
{
    unsigned long steps = 0;
    for (size_t i = 0; i < FLAG_COUNT; i++)
        steps |= flags[i].noreply;
    return steps;
}

/* States that sessions with other wishes may have marked before. */
static unsigned marked_by_others(void)
{
    unsigned skipped = 0;
    for (int i = 0; i < WISH_COUNT; i++)
        skipped |= skipped_states(libmilter_negotiate(&wishes[i], ~0UL));
    return skipped;
}

START_TEST(test_every_message_is_answered)
{
    const struct libmilter_wish *wish = &wishes[_i];
    for (unsigned n = 0; n < 1U << FLAG_COUNT; n++) {
        unsigned long offered = left_out_set(n) | all_noreply();
        unsigned long agreed = libmilter_negotiate(wish, offered);
        const unsigned earlier[] = {0, marked_by_others()};
        ck_assert_msg((agreed & ~offered) == 0, "more than was offered: %lx of %lx", agreed,
                      offered);
        for (size_t i = 0; i < 2; i++) {
            const struct move *lost = find_lost(offered, agreed, earlier[i]);
            ck_assert_msg(lost == NULL,
                          "stage %d refuses %d inet %d offered %lx agreed %lx: event %d is lost",
                          (int)wish->stage, wish->refuses, wish->inet, offered, agreed,
                          lost != NULL ? (int)lost->event : 0);
        }
    }
}
END_TEST

/* What has to be seen, and what has to be answered. */
START_TEST(test_needed_events)
{
    const struct libmilter_wish *wish = &wishes[_i];
    unsigned long agreed = libmilter_negotiate(wish, ~0UL);
    ck_assert_uint_eq(agreed & (LIBMILTER_NO_CONNECT | LIBMILTER_NO_MAIL | LIBMILTER_NO_HEADER), 0);
    ck_assert_uint_eq(
        agreed & (LIBMILTER_NOREPLY_CONNECT | LIBMILTER_NOREPLY_HELO | LIBMILTER_NOREPLY_DATA), 0);
    if (wish->stage == STAGE_RCPT)
        ck_assert_uint_eq(agreed & LIBMILTER_NO_RCPT, 0);
    /* What is not answered is lost over a unix socket when the mail server hangs up. */
    bool answered = wish->refuses || !wish->inet;
    if (wish->stage == STAGE_RCPT && answered)
        ck_assert_uint_eq(agreed & LIBMILTER_NOREPLY_RCPT, 0);
    if ((wish->stage == STAGE_MAIL || wish->stage == STAGE_HELO) && answered)
        ck_assert_uint_eq(agreed & LIBMILTER_NOREPLY_MAIL, 0);
    if (wish->stage != STAGE_CONNECT)
        ck_assert_uint_eq(agreed & LIBMILTER_NO_HELO, 0);
}
END_TEST

/* The model finds what real mail servers found: DATA without the end of the header. */
START_TEST(test_model_finds_the_silence)
{
    const struct move *lost =
        find_lost(~0UL, LIBMILTER_NO_BODY | LIBMILTER_NO_UNKNOWN | LIBMILTER_NO_EOH, 0);
    ck_assert_ptr_nonnull(lost);
    ck_assert_int_eq(lost->event, AT_END);
    /* An unknown command where DATA and the header are left out. */
    lost = find_lost(~0UL, LIBMILTER_NO_DATA | LIBMILTER_NO_BODY | LIBMILTER_NO_EOH, 0);
    ck_assert_ptr_nonnull(lost);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("libmilter_negotiate");
    TCase *tcase = tcase_create("all");
    tcase_add_loop_test(tcase, test_every_message_is_answered, 0, WISH_COUNT);
    tcase_add_loop_test(tcase, test_needed_events, 0, WISH_COUNT);
    tcase_add_test(tcase, test_model_finds_the_silence);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
