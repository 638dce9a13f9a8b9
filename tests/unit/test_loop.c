/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include "base/clock.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POSTS   2000
#define POSTERS 4

struct trace {
    struct loop *loop;
    int count, order[64];
    bool here;
    struct loop_timer *timers[3];
    struct loop_watch *watch;
    int fds[2];
};

struct mark {
    struct trace *trace;
    int value;
};

static void note(void *arg)
{
    struct mark *mark = arg;

    mark->trace->order[mark->trace->count++] = mark->value;
    mark->trace->here = loop_is_here(mark->trace->loop);
}

START_TEST(test_posts_run_in_order_at_stop)
{
    struct trace trace = {.loop = loop_new()};
    struct mark marks[10];

    ck_assert_ptr_nonnull(trace.loop);
    for (int i = 0; i < 10; i++) {
        marks[i] = (struct mark){&trace, i};
        ck_assert_int_eq(loop_post(trace.loop, note, &marks[i]), RESULT_OK);
    }
    loop_stop(trace.loop); /* was never started: they run all the same */
    ck_assert_int_eq(trace.count, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(trace.order[i], i);
    ck_assert_int_eq(loop_post(trace.loop, note, &marks[0]), RESULT_CLOSED);
    loop_stop(trace.loop);
    loop_free(trace.loop);
    loop_free(NULL);
}
END_TEST

struct poster {
    struct loop *loop;
    int posted, ran;
    bool ordered;
    struct post {
        struct poster *poster;
        int number;
    } posts[POSTS];
};

static void count_post(void *arg)
{
    struct post *post = arg;

    if (post->number != post->poster->ran)
        post->poster->ordered = false;
    post->poster->ran++;
}

static void *post_many(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < POSTS; i++) {
        poster->posts[i] = (struct post){poster, i};
        if (loop_post(poster->loop, count_post, &poster->posts[i]) != RESULT_OK)
            break;
        poster->posted++;
    }
    return NULL;
}

START_TEST(test_posts_of_many_threads)
{
    struct loop *loop = loop_new();
    struct poster *posters = calloc(POSTERS, sizeof *posters);
    pthread_t threads[POSTERS];

    ck_assert(loop != NULL && posters != NULL);
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
    ck_assert(!loop_is_here(loop));
    for (int i = 0; i < POSTERS; i++) {
        posters[i].loop = loop;
        posters[i].ordered = true;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &posters[i]), 0);
    }
    pthread_join(threads[0], NULL);
    loop_stop(loop); /* while others still post: what was taken runs, the rest is refused */
    for (int i = 1; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(posters[0].ran, POSTS);
    for (int i = 0; i < POSTERS; i++) {
        ck_assert_int_eq(posters[i].ran, posters[i].posted);
        ck_assert(posters[i].ordered);
    }
    loop_free(loop);
    free(posters);
}
END_TEST

static void stop_it(void *arg)
{
    struct trace *trace = arg;

    trace->here = loop_is_here(trace->loop);
    loop_stop(trace->loop);
}

START_TEST(test_stop_from_within)
{
    struct trace trace = {.loop = loop_new()};

    ck_assert_ptr_nonnull(trace.loop);
    ck_assert_int_eq(loop_start(trace.loop, "test"), RESULT_OK);
    ck_assert_int_eq(loop_start(trace.loop, "test"), RESULT_INVALID);
    ck_assert_int_eq(loop_post(trace.loop, stop_it, &trace), RESULT_OK);
    loop_stop(trace.loop);
    ck_assert(trace.here);
    loop_free(trace.loop);
}
END_TEST

/* Timers: in order of their time, never early, re-armed from within, disarmed by another. */
static void on_first(void *arg)
{
    struct trace *trace = arg;

    trace->order[trace->count++] = 1;
    loop_timer_disarm(trace->timers[1]);
    if (trace->count == 1)
        ck_assert_int_eq(loop_timer_arm(trace->timers[0], loop_now_ms(trace->loop) + 5), RESULT_OK);
}

static void on_second(void *arg)
{
    struct trace *trace = arg;

    trace->order[trace->count++] = 2;
}

static void on_third(void *arg)
{
    struct trace *trace = arg;

    trace->order[trace->count++] = 3;
    loop_timer_free(trace->timers[2]); /* in its own call */
    trace->timers[2] = NULL;
}

/* A clock that is moved by hand. */
static int64_t by_hand_ms(void *arg)
{
    return *(int64_t *)arg;
}

START_TEST(test_timers)
{
    int64_t now_ms = 1000;
    const struct clock clock = {by_hand_ms, NULL, &now_ms};
    struct trace trace = {.loop = loop_new_with(&clock)};

    ck_assert_ptr_nonnull(trace.loop);
    ck_assert_int_eq(loop_due_ms(trace.loop), INT64_MAX);
    trace.timers[0] = loop_timer_new(trace.loop, on_first, &trace);
    trace.timers[1] = loop_timer_new(trace.loop, on_second, &trace);
    trace.timers[2] = loop_timer_new(trace.loop, on_third, &trace);
    ck_assert(trace.timers[0] != NULL && trace.timers[1] != NULL && trace.timers[2] != NULL);
    ck_assert_int_eq(loop_timer_arm(trace.timers[2], now_ms + 60), RESULT_OK);
    ck_assert_int_eq(loop_timer_arm(trace.timers[1], now_ms + 40), RESULT_OK);
    ck_assert(!loop_step(trace.loop));
    ck_assert_int_eq(loop_timer_arm(trace.timers[0], now_ms - 1000), RESULT_OK);
    ck_assert(loop_step(trace.loop));
    ck_assert_int_eq(trace.count, 1);
    ck_assert_int_eq(loop_due_ms(trace.loop), 1005); /* armed again from within */
    now_ms = 1004;
    ck_assert(!loop_step(trace.loop));
    now_ms = 1005;
    ck_assert(loop_step(trace.loop));
    ck_assert_int_eq(loop_due_ms(trace.loop), 1060); /* the second is not any more */
    now_ms = 1059;
    ck_assert(!loop_step(trace.loop));
    now_ms = 2000;
    ck_assert(loop_step(trace.loop));
    ck_assert(!loop_step(trace.loop));
    ck_assert_int_eq(trace.count, 3);
    ck_assert(trace.order[0] == 1 && trace.order[1] == 1 && trace.order[2] == 3);
    loop_timer_free(trace.timers[0]);
    loop_timer_free(trace.timers[1]);
    loop_timer_free(NULL);
    loop_free(trace.loop);
}
END_TEST

#define MANY_TIMERS 200

struct many {
    struct loop *loop;
    unsigned ran;
    int64_t last_ms;
    struct one {
        struct many *many;
        struct loop_timer *timer;
        int64_t due_ms;
        bool wanted;
    } all[MANY_TIMERS];
};

static void on_one(void *arg)
{
    struct one *one = arg;

    ck_assert(one->wanted);
    one->wanted = false;
    ck_assert_int_le(one->many->last_ms, one->due_ms);
    ck_assert_int_le(one->due_ms, loop_now_ms(one->many->loop));
    one->many->last_ms = one->due_ms;
    one->many->ran++;
}

/* Armed in any order, some twice, some disarmed: each comes once, in order. */
START_TEST(test_many_timers)
{
    int64_t now_ms = 0;
    const struct clock clock = {by_hand_ms, NULL, &now_ms};
    static struct many many;
    unsigned state = (unsigned)_i + 1, wanted = 0;

    memset(&many, 0, sizeof many);
    many.loop = loop_new_with(&clock);
    ck_assert_ptr_nonnull(many.loop);
    for (unsigned i = 0; i < 3 * MANY_TIMERS; i++) {
        struct one *one = &many.all[i % MANY_TIMERS];

        state = state * 1664525U + 1013904223U;
        if (one->timer == NULL)
            one->timer = loop_timer_new(many.loop, on_one, one);
        ck_assert_ptr_nonnull(one->timer);
        one->many = &many;
        one->due_ms = (state >> 16) % 50;
        one->wanted = (state >> 8) % 4 != 0;
        if (one->wanted)
            ck_assert_int_eq(loop_timer_arm(one->timer, one->due_ms), RESULT_OK);
        else
            loop_timer_disarm(one->timer);
    }
    for (unsigned i = 0; i < MANY_TIMERS; i++)
        wanted += many.all[i].wanted;
    for (; now_ms < 50; now_ms += 7)
        while (loop_step(many.loop))
            ;
    while (loop_step(many.loop))
        ;
    ck_assert_uint_eq(many.ran, wanted);
    for (unsigned i = 0; i < MANY_TIMERS; i++)
        loop_timer_free(many.all[i].timer);
    loop_free(many.loop);
}
END_TEST

struct alarm {
    struct loop *loop;
    struct loop_timer *timer;
    int64_t due_ms, came_ms;
    sem_t came;
};

static void on_alarm(void *arg)
{
    struct alarm *alarm = arg;

    alarm->came_ms = loop_now_ms(alarm->loop);
    sem_post(&alarm->came);
}

static void set_alarm(void *arg)
{
    struct alarm *alarm = arg;

    alarm->due_ms = loop_now_ms(alarm->loop) + 20;
    ck_assert_int_eq(loop_timer_arm(alarm->timer, alarm->due_ms + 100000), RESULT_OK);
    ck_assert_int_eq(loop_timer_arm(alarm->timer, alarm->due_ms), RESULT_OK);
}

/* On a thread of its own, by the machine's clock: never early. */
START_TEST(test_timer_of_a_thread)
{
    struct alarm alarm = {.loop = loop_new()};

    ck_assert_ptr_nonnull(alarm.loop);
    ck_assert_int_eq(sem_init(&alarm.came, 0, 0), 0);
    alarm.timer = loop_timer_new(alarm.loop, on_alarm, &alarm);
    ck_assert_ptr_nonnull(alarm.timer);
    ck_assert_int_eq(loop_post(alarm.loop, set_alarm, &alarm), RESULT_OK);
    ck_assert_int_eq(loop_start(alarm.loop, "test"), RESULT_OK);
    while (sem_wait(&alarm.came) != 0)
        ;
    loop_stop(alarm.loop);
    ck_assert_int_ge(alarm.came_ms, alarm.due_ms);
    loop_timer_free(alarm.timer);
    loop_free(alarm.loop);
    sem_destroy(&alarm.came);
}
END_TEST

static void on_ready(void *arg, unsigned ready)
{
    struct trace *trace = arg;
    char byte;

    trace->order[trace->count++] = (int)ready;
    if (ready & LOOP_WRITE) {
        ck_assert_int_eq(write(trace->fds[1], "xy", 2), 2);
        loop_watch_free(trace->watch);
        trace->watch = loop_watch_new(trace->loop, trace->fds[0], LOOP_READ, on_ready, trace);
        ck_assert_ptr_nonnull(trace->watch);
        return;
    }
    ck_assert_int_eq(read(trace->fds[0], &byte, 1), 1);
    if (byte == 'y')
        ck_assert_int_eq(loop_watch_change(trace->watch, 0), RESULT_OK);
}

START_TEST(test_watches)
{
    struct trace trace = {.loop = loop_new()};

    ck_assert_ptr_nonnull(trace.loop);
    ck_assert_int_eq(pipe(trace.fds), 0);
    trace.watch = loop_watch_new(trace.loop, trace.fds[1], LOOP_WRITE, on_ready, &trace);
    ck_assert_ptr_nonnull(trace.watch);
    while (loop_step(trace.loop))
        ;
    ck_assert_int_eq(trace.count, 3); /* one write, two reads of what stays readable */
    ck_assert(trace.order[0] == LOOP_WRITE && trace.order[1] == LOOP_READ);
    loop_watch_free(trace.watch);
    loop_watch_free(NULL);
    close(trace.fds[0]);
    close(trace.fds[1]);
    loop_free(trace.loop);
}
END_TEST

static void post_more(void *arg)
{
    struct mark *mark = arg;

    note(arg);
    if (mark->value-- > 0)
        ck_assert_int_eq(loop_post(mark->trace->loop, post_more, mark), RESULT_OK);
}

START_TEST(test_posts_of_posts)
{
    struct trace trace = {.loop = loop_new()};
    struct mark mark = {&trace, 5};

    ck_assert_ptr_nonnull(trace.loop);
    ck_assert_int_eq(loop_post(trace.loop, post_more, &mark), RESULT_OK);
    while (loop_step(trace.loop))
        ;
    ck_assert_int_eq(trace.count, 6);
    ck_assert(trace.here);
    loop_free(trace.loop);
}
END_TEST

struct moments {
    struct loop *loop;
    int64_t began_ms, ended_ms, next_ms;
};

static void outlast_a_millisecond(void *arg)
{
    struct moments *moments = arg;

    moments->began_ms = loop_now_ms(moments->loop);
    while (clock_ms(&clock_system) <= moments->began_ms)
        ;
    moments->ended_ms = loop_now_ms(moments->loop);
}

static void see_the_time(void *arg)
{
    struct moments *moments = arg;

    moments->next_ms = loop_now_ms(moments->loop);
}

START_TEST(test_a_call_has_one_time)
{
    struct moments moments = {.loop = loop_new()};

    ck_assert_ptr_nonnull(moments.loop);
    ck_assert_int_eq(loop_post(moments.loop, outlast_a_millisecond, &moments), RESULT_OK);
    ck_assert_int_eq(loop_post(moments.loop, see_the_time, &moments), RESULT_OK);
    while (loop_step(moments.loop))
        ;
    ck_assert_int_eq(moments.ended_ms, moments.began_ms);
    ck_assert_int_gt(moments.next_ms, moments.began_ms);
    ck_assert_int_ge(loop_now_ms(moments.loop), moments.next_ms);
    ck_assert_int_le(loop_now_ms(moments.loop), clock_ms(&clock_system));
    loop_free(moments.loop);
}
END_TEST

struct signalled {
    struct loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
    bool here;
};

static void count_signal(void *arg)
{
    struct signalled *signalled = arg;

    pthread_mutex_lock(&signalled->lock);
    signalled->count++;
    signalled->here = loop_is_here(signalled->loop);
    pthread_cond_signal(&signalled->changed);
    pthread_mutex_unlock(&signalled->lock);
}

/* Did the last of so many come on the loop's thread? */
static bool wait_for_signals(struct signalled *signalled, unsigned count)
{
    pthread_mutex_lock(&signalled->lock);
    while (signalled->count < count)
        pthread_cond_wait(&signalled->changed, &signalled->lock);
    bool here = signalled->here;
    pthread_mutex_unlock(&signalled->lock);
    return here;
}

/* One that came before there was a loop is not lost; the process lives, so no other thread took
 * one. */
START_TEST(test_signals)
{
    struct signalled signalled = {
        .loop = loop_new(), .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct loop_signal *usr1, *term;
    sigset_t set;

    ck_assert_ptr_nonnull(signalled.loop);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
    usr1 = loop_signal_new(signalled.loop, SIGUSR1, count_signal, &signalled);
    term = loop_signal_new(signalled.loop, SIGTERM, count_signal, &signalled);
    ck_assert(usr1 != NULL && term != NULL);
    ck_assert_int_eq(loop_start(signalled.loop, "test"), RESULT_OK);
    ck_assert(wait_for_signals(&signalled, 1));
    for (unsigned i = 2; i < 20; i++) {
        ck_assert_int_eq(kill(getpid(), i % 2 == 0 ? SIGTERM : SIGUSR1), 0);
        ck_assert(wait_for_signals(&signalled, i));
    }
    loop_stop(signalled.loop);
    loop_signal_free(usr1);
    loop_signal_free(term);
    loop_signal_free(NULL);
    loop_free(signalled.loop);
}
END_TEST

/* Timers are made (a reload) while the loop's thread arms its own: ThreadSanitizer watches. */
struct maker {
    struct loop *loop;
    struct loop_timer *timers[MANY_TIMERS];
    sem_t armed;
};

static void no_call(void *arg)
{
    (void)arg;
}

static void arm_all(void *arg)
{
    struct maker *maker = arg;

    for (unsigned i = 0; i < MANY_TIMERS; i++) {
        if (maker->timers[i] == NULL)
            maker->timers[i] = loop_timer_new(maker->loop, no_call, NULL);
        ck_assert_ptr_nonnull(maker->timers[i]);
        ck_assert_int_eq(loop_timer_arm(maker->timers[i], INT64_MAX - i), RESULT_OK);
    }
    sem_post(&maker->armed);
}

START_TEST(test_timers_made_elsewhere)
{
    static struct maker maker;
    struct loop_timer *made[4 * MANY_TIMERS];

    maker.loop = loop_new();
    ck_assert_ptr_nonnull(maker.loop);
    ck_assert_int_eq(sem_init(&maker.armed, 0, 0), 0);
    ck_assert_int_eq(loop_start(maker.loop, "test"), RESULT_OK);
    ck_assert_int_eq(loop_post(maker.loop, arm_all, &maker), RESULT_OK);
    for (unsigned i = 0; i < 4 * MANY_TIMERS; i++) {
        made[i] = loop_timer_new(maker.loop, no_call, NULL);
        ck_assert_ptr_nonnull(made[i]);
    }
    ck_assert_int_eq(sem_wait(&maker.armed), 0);
    for (unsigned i = 0; i < 4 * MANY_TIMERS; i++)
        loop_timer_free(made[i]);
    loop_stop(maker.loop);
    for (unsigned i = 0; i < MANY_TIMERS; i++)
        loop_timer_free(maker.timers[i]);
    loop_free(maker.loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("loop");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, test_posts_run_in_order_at_stop);
    tcase_add_test(tcase, test_posts_of_many_threads);
    tcase_add_test(tcase, test_stop_from_within);
    tcase_add_test(tcase, test_timers);
    tcase_add_loop_test(tcase, test_many_timers, 0, 20);
    tcase_add_test(tcase, test_timer_of_a_thread);
    tcase_add_test(tcase, test_timers_made_elsewhere);
    tcase_add_test(tcase, test_watches);
    tcase_add_test(tcase, test_posts_of_posts);
    tcase_add_test(tcase, test_a_call_has_one_time);
    tcase_add_test(tcase, test_signals);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
