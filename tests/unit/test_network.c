/* SPDX-License-Identifier: BSD-2-Clause */
/* The network behind a resolver: what a script cannot show. */
#include "dns/network.h"
#include "dns/resolver.h"
#include "dns_lab.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKERS 21 /* 20 share a connection */

static struct sockaddr_in listener; /* a server that takes TCP connections and says nothing */
static atomic_bool no_route;        /* connect() is refused at once */
static atomic_uint connected;       /* over TCP */

int __real_connect(int fd, const struct sockaddr *addr, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length);

/* resolv.conf names no ports: every stream is led to the listener. */
int __wrap_connect(int fd, const struct sockaddr *addr, socklen_t length)
{
    int type = 0;
    socklen_t size = sizeof type;
    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (type != SOCK_STREAM)
        return __real_connect(fd, addr, length);
    if (atomic_load(&no_route)) {
        errno = ENETUNREACH;
        return -1;
    }
    atomic_fetch_add(&connected, 1);
    return __real_connect(fd, (const struct sockaddr *)&listener, sizeof listener);
}

static int open_listener(void)
{
    socklen_t size = sizeof listener;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    listener =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&listener, size), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&listener, &size), 0);
    return fd;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert(fputs(text, file) >= 0 && fclose(file) == 0);
}

struct world {
    int64_t now_ms;
    struct clock clock;
    struct loop *loop;
    struct cache *cache;
    struct resolver *resolver;
    struct resolver_request *requests[ASKERS];
    unsigned answers;
};

static int64_t by_hand_ms(void *arg)
{
    return *(int64_t *)arg;
}

static void on_answer(void *arg, const struct resolver_answer *answer)
{
    struct world *world = arg;
    ck_assert_int_eq(answer->answer->outcome, DNS_TEMPERROR);
    world->answers++;
}

static void ask(struct world *world, unsigned i)
{
    char name[32];
    struct question question;
    struct resolver_answer now;
    (void)snprintf(name, sizeof name, "n%u.example", i);
    ck_assert_int_eq(question_from_name(name, RR_A, &question), RESULT_OK);
    ck_assert_int_eq(resolver_ask(world->resolver, &question, 0, world->now_ms + 60000, on_answer,
                                  world, &now, &world->requests[i]),
                     RESULT_PENDING);
}

/* On the loop's thread: all but the last have the connection, which waits; the servers are
 * replaced. */
static void begin(void *arg)
{
    struct world *world = arg;
    struct network_settings other = {.server_count = 1};
    for (unsigned i = 0; i < ASKERS; i++)
        ask(world, i);
    ck_assert_uint_eq(atomic_load(&connected), 1);
    ck_assert_int_eq(network_server_parse("127.0.0.1:9", &other.servers[0]), RESULT_OK);
    ck_assert_int_eq(resolver_set_source(world->resolver, network_new(world->loop, &other, NULL)),
                     RESULT_OK);
}

/* The others hang up, so that it is the last one's turn, and that fails: the old servers' last. */
static void hang_up(void *arg)
{
    struct world *world = arg;
    atomic_store(&no_route, true);
    for (unsigned i = 0; i < ASKERS - 1; i++)
        resolver_cancel(world->resolver, world->requests[i]);
}

START_TEST(old_servers_end_in_their_own_turn)
{
    static const struct cache_limits cache_limits = {.size_bytes = 1 << 20, .max_ttl_s = 100};
    static const struct resolver_limits limits = {.max_queries = 100, .max_cname_hops = 8};
    char path[] = "test_network.XXXXXX";
    int server = open_listener(), fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    write_file(path, "options use-vc\n");
    struct network_settings settings = {.resolv_conf = path, .max_tcp = 1};
    struct world world = {.now_ms = 1000, .cache = cache_new(&cache_limits, 1)};
    world.clock = (struct clock){by_hand_ms, by_hand_ms, &world.now_ms};
    world.loop = loop_new_with(&world.clock);
    ck_assert(world.loop != NULL && world.cache != NULL);
    struct source *source = network_new(world.loop, &settings, NULL);
    ck_assert_ptr_nonnull(source);
    world.resolver = resolver_new(source, world.cache, world.loop, &limits, NULL);
    ck_assert_ptr_nonnull(world.resolver);
    ck_assert_int_eq(loop_post(world.loop, begin, &world), RESULT_OK);
    ck_assert_int_eq(loop_post(world.loop, hang_up, &world), RESULT_OK);
    while (world.answers < ASKERS) /* the last is asked again some times */
        if (!loop_step(world.loop))
            world.now_ms = loop_due_ms(world.loop);
    ck_assert_uint_eq(world.answers, ASKERS);
    resolver_cancel(world.resolver, world.requests[ASKERS - 1]);
    loop_stop(world.loop);
    resolver_free(world.resolver);
    loop_free(world.loop);
    cache_free(world.cache);
    (void)close(fd);
    (void)close(server);
    (void)unlink(path);
}
END_TEST

/* --- other settings (reload) ---------------------------------------------------------------- */

static struct network_settings settings_of(const char *first, const char *second)
{
    struct network_settings settings = {.server_count = second == NULL ? 1 : 2};
    ck_assert_int_eq(network_server_parse(first, &settings.servers[0]), RESULT_OK);
    if (second != NULL)
        ck_assert_int_eq(network_server_parse(second, &settings.servers[1]), RESULT_OK);
    return settings;
}

static void on_done(void *arg, const struct source_result *result)
{
    (void)arg;
    answer_unref(result->answer);
}

struct asked {
    struct source *source;
    void *handle;
};

static void ask_source(void *arg)
{
    struct asked *asked = arg;
    struct question question;
    ck_assert_int_eq(question_from_name("a.example", RR_A, &question), RESULT_OK);
    asked->handle = asked->source->ops->ask(asked->source, &question,
                                            clock_ms(&clock_system) + 60000, on_done, NULL);
}

static void cancel_it(void *arg)
{
    struct asked *asked = arg;
    if (asked->handle != NULL)
        asked->source->ops->cancel(asked->source, asked->handle);
}

START_TEST(servers_that_stay_keep_what_is_known)
{
    struct network_settings settings = settings_of("127.0.0.1:5301", NULL);
    struct network_server_health health[3];
    struct asked asked = {0};
    struct loop *loop = loop_new();
    ck_assert_ptr_nonnull(loop);
    asked.source = network_new(loop, &settings, NULL);
    ck_assert_ptr_nonnull(asked.source);
    ck_assert_int_eq(loop_post(loop, ask_source, &asked), RESULT_OK);
    ck_assert_int_eq(network_set(asked.source, &settings), RESULT_OK); /* nothing to do */
    settings.timeout_ms = 1500;
    ck_assert_int_eq(network_set(asked.source, &settings), RESULT_OK);
    settings = settings_of("127.0.0.1:5302", "127.0.0.1:5301");
    ck_assert_int_eq(network_set(asked.source, &settings), RESULT_OK);
    ck_assert_int_eq(loop_post(loop, cancel_it, &asked), RESULT_OK);
    loop_stop(loop); /* never started: what was posted runs now */
    ck_assert_uint_eq(network_health(asked.source, health, 3), 2);
    ck_assert_str_eq(health[0].text, "127.0.0.1:5302");
    ck_assert_uint_eq(health[0].queries, 0);
    ck_assert_str_eq(health[1].text, "127.0.0.1:5301");
    ck_assert_uint_eq(health[1].queries, 1);
    ck_assert_int_eq(network_set(asked.source, &settings), RESULT_OK); /* as it is already */
    settings.trust_ad = true;
    ck_assert_int_eq(network_set(asked.source, &settings), RESULT_CLOSED);
    asked.source->ops->free(asked.source);
    loop_free(loop);
}
END_TEST

/* --- resolv.conf without servers ------------------------------------------------------------ */

/* Questions make the network look at the file, at most every 3 s. */
static void look(struct lab *lab)
{
    lab_pass(lab, 3000);
    struct lab_asker *asker = lab_ask(lab, "a.example", RR_A, 8000);
    lab->source->ops->cancel(lab->source, asker->handle);
}

/* The file had an interface that is not there, and then nothing: it is read once, not for ever. */
START_TEST(emptied_file_is_read_once)
{
    char path[] = "test_network.XXXXXX";
    struct network_settings settings = {.resolv_conf = path};
    struct network_server_health health[3];
    struct lab lab;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    write_file(path, "nameserver 127.0.0.9\nnameserver fe80::1%nosuch0\n");
    lab_open(&lab, 0);
    lab_start(&lab, &settings);
    write_file(path, _i == 0 ? "" : "# nameserver 127.0.0.8\n");
    for (unsigned i = 0; i < 3; i++)
        look(&lab);
    ck_assert_uint_eq(lab_logged(&lab, "the DNS servers stay as they are"), 1);
    ck_assert_uint_eq(network_health(lab.source, health, 3), 1);
    ck_assert_str_eq(health[0].text, "127.0.0.9:53");
    write_file(path, "nameserver 127.0.0.7\n");
    look(&lab);
    ck_assert_uint_eq(network_health(lab.source, health, 3), 1);
    ck_assert_str_eq(health[0].text, "127.0.0.7:53");
    ck_assert_uint_eq(lab_logged(&lab, "was read again: 1 DNS servers"), 1);
    lab_close(&lab);
    (void)close(fd);
    (void)unlink(path);
}
END_TEST

/* A reload that finds no file, or an empty one, keeps the servers that work. */
START_TEST(reload_without_servers_keeps_those_in_use)
{
    char path[] = "test_network.XXXXXX";
    struct network_settings settings = {.resolv_conf = path, .timeout_ms = _i < 2 ? 0 : 700};
    struct network_server_health health[3];
    struct lab lab;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    write_file(path, "nameserver 127.0.0.9\n");
    lab_open(&lab, 2);
    if (_i < 2)
        lab_start(&lab, NULL);
    else
        lab_start(&lab, &(struct network_settings){.resolv_conf = path});
    if (_i % 2 == 0)
        (void)unlink(path);
    else
        write_file(path, "");
    ck_assert_int_eq(network_set(lab.source, &settings), RESULT_OK);
    lab_settle(&lab);
    ck_assert_uint_eq(network_health(lab.source, health, 3), _i < 2 ? 2 : 1);
    ck_assert_str_ne(health[0].text, "127.0.0.1:53");
    ck_assert_uint_eq(lab_logged(&lab, "the DNS servers stay as they are"), 1);
    lab_close(&lab);
    (void)close(fd);
    (void)unlink(path);
}
END_TEST

/* ... and what the file said of them. */
START_TEST(reload_without_servers_keeps_the_options)
{
    char path[] = "test_network.XXXXXX";
    struct network_settings settings = {.resolv_conf = path, .max_tcp = 8};
    struct lab lab;
    int fd = mkstemp(path), listening = open_listener();
    ck_assert_int_ge(fd, 0);
    write_file(path, "nameserver 127.0.0.9\noptions use-vc\n");
    lab_open(&lab, 0);
    lab_start(&lab, &settings);
    settings.timeout_ms = 700;
    if (_i == 0)
        (void)unlink(path);
    else if (_i == 1)
        write_file(path, "");
    else
        settings = settings_of("127.0.0.9", NULL); /* whoever names the servers gets his own */
    ck_assert_int_eq(network_set(lab.source, &settings), RESULT_OK);
    lab_settle(&lab);
    struct lab_asker *asker = lab_ask(&lab, "a.example", RR_A, 8000);
    ck_assert_uint_eq(atomic_load(&connected), _i < 2);
    lab.source->ops->cancel(lab.source, asker->handle);
    lab_close(&lab);
    (void)close(listening);
    (void)close(fd);
    (void)unlink(path);
}
END_TEST

START_TEST(settings_differ)
{
    const struct network_settings one = settings_of("127.0.0.1", NULL);
    struct network_settings other = one;
    ck_assert(network_settings_equal(&one, &other));
    other = settings_of("127.0.0.2", NULL);
    ck_assert(!network_settings_equal(&one, &other));
    other = settings_of("127.0.0.1", "127.0.0.2");
    ck_assert(!network_settings_equal(&one, &other));
    other = one;
    other.timeout_ms = 1;
    ck_assert(!network_settings_equal(&one, &other));
    other = one;
    other.attempts = 1;
    ck_assert(!network_settings_equal(&one, &other));
    other = one;
    other.trust_ad = true;
    ck_assert(!network_settings_equal(&one, &other));
    other = one;
    other.max_tcp = 1;
    ck_assert(!network_settings_equal(&one, &other));
    other = one;
    other.resolv_conf = "/etc/resolv.conf";
    ck_assert(!network_settings_equal(&one, &other));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tcase = tcase_create("network");
    tcase_add_test(tcase, old_servers_end_in_their_own_turn);
    tcase_add_test(tcase, servers_that_stay_keep_what_is_known);
    tcase_add_loop_test(tcase, emptied_file_is_read_once, 0, 2);
    tcase_add_loop_test(tcase, reload_without_servers_keeps_those_in_use, 0, 4);
    tcase_add_loop_test(tcase, reload_without_servers_keeps_the_options, 0, 3);
    tcase_add_test(tcase, settings_differ);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
