/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/watchdog.h"

#include <check.h>
#include <pthread.h>

struct passage {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool passed;
};

static void pass(void *arg)
{
    struct passage *passage = arg;
    pthread_mutex_lock(&passage->lock);
    passage->passed = true;
    pthread_cond_signal(&passage->changed);
    pthread_mutex_unlock(&passage->lock);
}

/* Everything that was posted so far has run. */
static void catch_up(struct loop *loop)
{
    struct passage passage = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    ck_assert_int_eq(loop_post(loop, pass, &passage), RESULT_OK);
    pthread_mutex_lock(&passage.lock);
    while (!passage.passed)
        pthread_cond_wait(&passage.changed, &passage.lock);
    pthread_mutex_unlock(&passage.lock);
}

START_TEST(test_fed_only_while_the_other_loop_answers)
{
    struct loop *loop = loop_new();
    struct watchdog watchdog;
    ck_assert_ptr_nonnull(loop);
    watchdog_init(&watchdog, loop);
    /* A loop that does not run is one that hangs. */
    for (int i = 0; i < 10; i++)
        ck_assert(!watchdog_tick(&watchdog));
    ck_assert_int_eq(loop_start(loop, "test"), RESULT_OK);
    catch_up(loop);
    for (int i = 0; i < 10; i++) {
        ck_assert(watchdog_tick(&watchdog));
        catch_up(loop);
    }
    loop_free(loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watchdog");
    TCase *tcase = tcase_create("watchdog");
    tcase_add_test(tcase, test_fed_only_while_the_other_loop_answers);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
