/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/work_queue.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#define WORKS  20
#define ROUNDS 50

/* A gate that holds a piece of work back. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open, reached;
};

struct trace {
    struct loop *loop;
    struct work_queue *queue;
    struct gate gate;
    pthread_t runner;
    int ran[WORKS * ROUNDS], ran_count, done_count; /* each on one thread, and read after its end */
    bool done_on_loop;
    struct numbered {
        struct trace *trace;
        struct work work;
        int number, rounds;
    } works[WORKS];
};

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* Say that it is reached, and wait until it is open. */
static void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->reached = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->reached)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void run(void *arg)
{
    struct numbered *numbered = arg;
    struct trace *trace = numbered->trace;
    trace->runner = pthread_self();
    trace->ran[trace->ran_count++] = numbered->number;
}

static void done(void *arg)
{
    struct numbered *numbered = arg;
    struct trace *trace = numbered->trace;
    trace->done_on_loop = loop_is_here(trace->loop);
    trace->done_count++;
    if (--numbered->rounds > 0)
        work_queue_give(trace->queue, &numbered->work);
    else if (trace->done_count == WORKS * ROUNDS)
        gate_open(&trace->gate);
}

static void start(struct trace *trace, int rounds)
{
    *trace = (struct trace){.gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}};
    trace->loop = loop_new();
    ck_assert_ptr_nonnull(trace->loop);
    trace->queue = work_queue_new(trace->loop);
    ck_assert_ptr_nonnull(trace->queue);
    for (int i = 0; i < WORKS; i++) {
        struct numbered *numbered = &trace->works[i];
        numbered->trace = trace;
        numbered->number = i;
        numbered->rounds = rounds;
        numbered->work = (struct work){.run = run, .done = done, .arg = numbered};
    }
}

static void end(struct trace *trace)
{
    work_queue_free(trace->queue);
    loop_free(trace->loop);
    free(trace);
}

START_TEST(test_runs_in_order_and_tells_the_loop)
{
    struct trace *trace = malloc(sizeof *trace);
    ck_assert_ptr_nonnull(trace);
    start(trace, ROUNDS);
    for (int i = 0; i < WORKS; i++)
        work_queue_give(trace->queue, &trace->works[i].work);
    ck_assert_int_eq(work_queue_start(trace->queue, "test"), RESULT_OK);
    ck_assert_int_eq(loop_start(trace->loop, "test"), RESULT_OK);
    gate_pass(&trace->gate);
    loop_stop(trace->loop);
    ck_assert(work_queue_finish(trace->queue, NULL, 60000));
    ck_assert_int_eq(trace->ran_count, WORKS * ROUNDS);
    for (int i = 0; i < WORKS; i++)
        ck_assert_int_eq(trace->ran[i], i);
    ck_assert(trace->done_on_loop);
    ck_assert(!pthread_equal(trace->runner, pthread_self()));
    end(trace);
}
END_TEST

static void run_gate(void *arg)
{
    gate_pass(arg);
}

static void never(void *arg)
{
    (void)arg;
    ck_abort_msg("the loop has stopped: nothing is done() any more");
}

/* A disk that does not answer ends the wait, and what waits is dropped. */
START_TEST(test_finish_does_not_wait_for_ever)
{
    struct trace *trace = malloc(sizeof *trace);
    ck_assert_ptr_nonnull(trace);
    start(trace, 1);
    struct work blocked = {.run = run_gate, .done = never, .arg = &trace->gate};
    ck_assert_int_eq(work_queue_start(trace->queue, "test"), RESULT_OK);
    work_queue_give(trace->queue, &blocked);
    work_queue_give(trace->queue, &trace->works[1].work);
    gate_await(&trace->gate);
    loop_stop(trace->loop);
    ck_assert(!work_queue_finish(trace->queue, &trace->works[2].work, 0));
    gate_open(&trace->gate);
    ck_assert(work_queue_finish(trace->queue, NULL, 60000));
    ck_assert_int_eq(trace->ran_count, 1);
    ck_assert_int_eq(trace->ran[0], 2);
    end(trace);
}
END_TEST

START_TEST(test_without_a_thread_the_last_runs_all_the_same)
{
    struct trace *trace = malloc(sizeof *trace);
    ck_assert_ptr_nonnull(trace);
    start(trace, 1);
    ck_assert(work_queue_finish(trace->queue, &trace->works[0].work, 0));
    ck_assert_int_eq(trace->ran_count, 1);
    end(trace);
    work_queue_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("work_queue");
    TCase *tcase = tcase_create("work_queue");
    tcase_add_test(tcase, test_runs_in_order_and_tells_the_loop);
    tcase_add_test(tcase, test_finish_does_not_wait_for_ever);
    tcase_add_test(tcase, test_without_a_thread_the_last_runs_all_the_same);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
