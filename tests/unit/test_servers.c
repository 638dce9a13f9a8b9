/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/servers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static struct servers three(void)
{
    struct servers servers = {.count = 3};

    for (unsigned i = 0; i < 3; i++) {
        struct network_server where = {.port = 53};

        ck_assert_int_eq(ipaddr_parse("192.0.2.1", &where.addr), RESULT_OK);
        where.addr.bytes[3] = (uint8_t)(i + 1);
        servers.list[i] = server_new(&where, (uint8_t)i, false);
        ck_assert_ptr_nonnull(servers.list[i]);
    }
    return servers;
}

/*
 * What happens to a server, one letter an event: A answer, E error code, S silence, D silence that
 * makes it doubted, N no sign of life, U unreachable, O outdone, a digit: that many seconds pass;
 * upper case: changes up or down, lower case: does not.
 */
static const struct {
    const char *label, *events;
    enum server_fault want;
} histories[] = {
    {"new", "", SERVER_UP},
    {"answers", "aaa", SERVER_UP},
    {"two silences", "a9ss", SERVER_UP},
    {"three at once say little", "asss", SERVER_UP},
    {"three over time", "a1s1sS", SERVER_SILENT},
    {"many at once, then one later", "assssssss3S", SERVER_SILENT},
    {"never answered", "ss3S", SERVER_SILENT},
    {"an answer between", "a9ssas9sS", SERVER_SILENT},
    {"an answer between two", "a9ssa9ss", SERVER_UP},
    {"an error code is no silence", "a9sse9ss", SERVER_UP},
    {"told once", "a9ssSsss", SERVER_SILENT},
    {"doubted once at a time", "a9ssDsssss", SERVER_UP},
    {"no sign of life", "a9ssDssN", SERVER_SILENT},
    {"a sign of life", "a9ssDean", SERVER_UP},
    {"a sign of life, and doubted again", "a9ssDan9ssDN", SERVER_SILENT},
    {"refused while it is doubted", "a9ssDuuUn", SERVER_UNREACHABLE},
    {"back by an answer", "a9ssSA", SERVER_UP},
    {"back by an error code", "a9ssSE", SERVER_UP},
    {"back, and again down", "a9ssSA9ssS", SERVER_SILENT},
    {"refused three times", "auuU", SERVER_UNREACHABLE},
    {"refused twice", "auu", SERVER_UP},
    {"refused, with an answer between", "auuauu", SERVER_UP},
    {"refused, back", "auuUA", SERVER_UP},
    {"outdone four times", "eoeoeoeo", SERVER_UP},
    {"outdone five times", "eoeoeoeoeO", SERVER_FAILING},
    {"outdone, with a good answer between", "eoeoeoeoaeo", SERVER_UP},
    {"errors of a broken zone", "eeeeeeeeeeee", SERVER_UP},
    {"outdone, another error is not better", "eoeoeoeoeOe", SERVER_FAILING},
    {"outdone, back by a good answer", "eoeoeoeoeOA", SERVER_UP},
};

START_TEST(test_histories)
{
    struct servers servers = three();
    struct server *server = servers.list[0];
    int64_t now_ms = 1000000;

    server_asked(server, now_ms);
    for (const char *at = histories[_i].events; *at != '\0'; at++) {
        bool changed = false;

        switch (*at) {
        case 'a':
        case 'A':
            changed = server_answered(server, 1, true, now_ms);
            break;
        case 'e':
        case 'E':
            changed = server_answered(server, 1, false, now_ms);
            break;
        case 's':
            changed = server_was_silent(server, now_ms);
            break;
        case 'S':
            changed = server_was_silent(server, now_ms) && server_showed_no_life(server, now_ms);
            break;
        case 'D':
            changed = server_was_silent(server, now_ms);
            ck_assert_int_eq(server->fault, SERVER_UP);
            break;
        case 'n':
        case 'N':
            changed = server_showed_no_life(server, now_ms);
            break;
        case 'u':
        case 'U':
            changed = server_was_unreachable(server, now_ms);
            break;
        case 'o':
        case 'O':
            changed = server_was_outdone(server, now_ms);
            break;
        default:
            now_ms += (*at - '0') * 1000;
            continue;
        }
        ck_assert_msg(changed == (*at <= 'Z'), "%s: at %s", histories[_i].label, at);
    }
    ck_assert_msg(server->fault == histories[_i].want, "%s", histories[_i].label);
    servers_clear(&servers);
}
END_TEST

static const struct {
    const char *label;
    bool down[3], rotate;
    const char *want[3]; /* three orders, one after another */
    unsigned want_up;
} orders[] = {
    {"configured", {false, false, false}, false, {"123", "123", "123"}, 3},
    {"rotating", {false, false, false}, true, {"123", "231", "312"}, 3},
    {"first down", {true, false, false}, false, {"231", "231", "231"}, 2},
    {"first and last down", {true, false, true}, false, {"213", "213", "213"}, 1},
    {"all down", {true, true, true}, false, {"123", "123", "123"}, 0},
    {"rotating, one down", {false, true, false}, true, {"132", "312", "312"}, 2},
};

START_TEST(test_orders)
{
    struct servers servers = three();
    struct server *out[NETWORK_SERVERS_MAX];

    for (unsigned i = 0; i < 3; i++)
        for (int n = 0; orders[_i].down[i] && n < SERVER_SILENT_MAX; n++)
            (void)!server_was_unreachable(servers.list[i], 0);
    for (unsigned round = 0; round < 3; round++) {
        char text[4] = "";

        ck_assert_uint_eq(servers_order(&servers, orders[_i].rotate, out), orders[_i].want_up);
        for (unsigned i = 0; i < 3; i++)
            text[i] = (char)('0' + out[i]->where.addr.bytes[3]);
        ck_assert_msg(strcmp(text, orders[_i].want[round]) == 0, "%s: %s", orders[_i].label, text);
    }
    servers_clear(&servers);
}
END_TEST

START_TEST(test_probes_come_less_and_less_often)
{
    static const int64_t wants_ms[] = {1000, 3000, 7000, 15000, 31000, 61000, 91000};
    struct servers servers = three();
    int64_t now_ms = 0;

    ck_assert_ptr_null(servers_probe(&servers, 0));
    for (int n = 0; n < SERVER_SILENT_MAX; n++)
        (void)!server_was_unreachable(servers.list[1], 0);
    for (int i = 0; i < COUNT(wants_ms); i++) {
        while (servers_probe(&servers, now_ms) == NULL)
            now_ms += 500;
        ck_assert_int_eq(now_ms, wants_ms[i]);
    }
    ck_assert(server_answered(servers.list[1], 1, true, now_ms));
    ck_assert_ptr_null(servers_probe(&servers, now_ms + 3600000));
    servers_clear(&servers);
}
END_TEST

static const struct {
    const char *label;
    int rtt_ms[8]; /* measured, up to a negative one */
    unsigned fixed_ms, round;
    int want_min, want_max;
} timeouts[] = {
    {"unknown", {-1}, 0, 0, 1000, 1000},
    {"unknown, second round", {-1}, 0, 1, 2000, 2000},
    {"unknown, third round", {-1}, 0, 2, 3000, 3000},
    {"a near server", {1, 1, 1, 1, 1, -1}, 0, 0, 250, 250},
    {"a near server, second round", {1, 1, -1}, 0, 1, 500, 500},
    {"after one sample: three times it", {200, -1}, 0, 0, 600, 600},
    {"steady samples come near", {200, 200, 200, 200, 200, 200, 200, -1}, 0, 0, 250, 400},
    {"one slow answer widens it", {10, 10, 10, 10, 800, -1}, 0, 0, 800, 1200},
    {"never above the cap", {9000, 9000, -1}, 0, 0, 3000, 3000},
    {"configured", {1, 1, -1}, 700, 0, 700, 700},
    {"configured, second round", {1, 1, -1}, 700, 1, 1400, 1400},
    {"a round that was not measured", {-1, 5, -1}, 0, 0, 1000, 1000},
};

START_TEST(test_timeouts)
{
    struct servers servers = three();
    int64_t got;

    for (int i = 0; timeouts[_i].rtt_ms[i] >= 0; i++)
        (void)!server_answered(servers.list[0], timeouts[_i].rtt_ms[i], true, 0);
    got = server_timeout_ms(servers.list[0], timeouts[_i].fixed_ms, timeouts[_i].round);
    ck_assert_msg(got >= timeouts[_i].want_min && got <= timeouts[_i].want_max, "%s: %d",
                  timeouts[_i].label, (int)got);
    servers_clear(&servers);
}
END_TEST

START_TEST(test_find)
{
    struct servers servers = three();
    struct network_server where = servers.list[2]->where;

    ck_assert_ptr_eq(servers_find(&servers, &where), servers.list[2]);
    ck_assert_str_eq(servers.list[2]->text, "192.0.2.3:53");
    where.port = 54;
    ck_assert_ptr_null(servers_find(&servers, &where));
    server_unref(server_ref(servers.list[0]));
    server_unref(NULL);
    servers_clear(&servers);
}
END_TEST

static void ask(struct server *server, unsigned count, int64_t now_ms)
{
    while (count-- > 0)
        server_asked(server, now_ms);
}

START_TEST(test_laden)
{
    const int64_t while_ms = (int64_t)SERVER_LADEN_SLOTS * SERVER_LADEN_SLOT_MS;
    struct servers servers = three();
    struct server *server = servers.list[0];
    ask(server, SERVER_LADEN_MAX - 1, 1000);
    ck_assert(!server_is_laden(server, 1000));
    ask(server, 1, 2000);
    ck_assert(server_is_laden(server, 2000));
    ck_assert(!server_is_laden(servers.list[1], 2000));
    ck_assert(!server_answered(server, 5, true, 2000));
    ck_assert_msg(!server_is_laden(server, 2000), "it has answered");
    ask(server, 1, 3000);
    ck_assert(server_is_laden(server, 1000 + while_ms - 1));
    ck_assert_msg(!server_is_laden(server, 1000 + while_ms), "what was asked first is over");
    ask(server, SERVER_LADEN_MAX, 1000 + while_ms);
    for (unsigned i = 0; i < SERVER_LADEN_MAX; i++) /* more than it owes since */
        ck_assert(!server_answered(server, 5, true, 2000 + while_ms));
    ck_assert(!server_is_laden(server, 2000 + while_ms));
    ask(server, SERVER_LADEN_MAX, 3000 + while_ms);
    for (unsigned i = 0; i < SERVER_SILENT_MAX; i++)
        (void)!server_was_unreachable(server, 3000 + while_ms);
    ck_assert_msg(!server_is_laden(server, 3000 + while_ms), "it has lost what it was asked");
    ck_assert_msg(!server_is_laden(server, 100 * while_ms), "long ago");
    servers_clear(&servers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("servers");
    TCase *tcase = tcase_create("servers");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, test_histories, 0, COUNT(histories));
    tcase_add_loop_test(tcase, test_orders, 0, COUNT(orders));
    tcase_add_loop_test(tcase, test_timeouts, 0, COUNT(timeouts));
    tcase_add_test(tcase, test_probes_come_less_and_less_often);
    tcase_add_test(tcase, test_find);
    tcase_add_test(tcase, test_laden);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
