/* SPDX-License-Identifier: BSD-2-Clause */
#include "dns/resolvconf.h"

#include <check.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

/* "192.0.2.1:53 [::1]:53 timeout=5000 rotate use-vc trust-ad ignored=1" */
static const char *describe(const struct resolvconf *conf, char out[2048])
{
    size_t at = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < conf->count; i++) {
        char text[SERVER_TEXT_MAX];

        network_server_format(&conf->servers[i], text);
        at += (size_t)snprintf(out + at, 2048 - at, "%s%s", i > 0 ? " " : "", text);
    }
    if (conf->timeout_ms > 0)
        at += (size_t)snprintf(out + at, 2048 - at, " timeout=%u", conf->timeout_ms);
    at += (size_t)snprintf(out + at, 2048 - at, "%s%s%s", conf->rotate ? " rotate" : "",
                           conf->use_vc ? " use-vc" : "", conf->trust_ad ? " trust-ad" : "");
    if (conf->ignored > 0)
        at += (size_t)snprintf(out + at, 2048 - at, " ignored=%u", conf->ignored);
    if (conf->absent > 0)
        at += (size_t)snprintf(out + at, 2048 - at, " absent=%u", conf->absent);
    if (conf->none)
        snprintf(out + at, 2048 - at, " none");
    return out;
}

static const struct {
    const char *label, *text, *want;
} files[] = {
    {"empty", "", "127.0.0.1:53 none"},
    {"comments", "# nameserver 192.0.2.1\n; nameserver 192.0.2.1\n", "127.0.0.1:53 none"},
    {"one", "nameserver 192.0.2.1\n", "192.0.2.1:53"},
    {"no line feed at the end", "nameserver 192.0.2.1", "192.0.2.1:53"},
    {"carriage returns", "nameserver 192.0.2.1\r\nnameserver ::1\r\n", "192.0.2.1:53 [::1]:53"},
    {"tabs and leading space", "\tnameserver\t 192.0.2.1\t\n", "192.0.2.1:53"},
    {"text behind", "nameserver 192.0.2.1 # ours\n", "192.0.2.1:53"},
    {"twice the same", "nameserver 192.0.2.1\nnameserver 192.0.2.1\n", "192.0.2.1:53"},
    {"IPv6", "nameserver 2001:db8::1\n", "[2001:db8::1]:53"},
    {"mapped", "nameserver ::ffff:192.0.2.1\n", "192.0.2.1:53"},
    {"scope of a global address", "nameserver 2001:db8::1%lo\n", "[2001:db8::1]:53"},
    {"link-local with scope", "nameserver fe80::1%lo\n", "[fe80::1]:53"},
    {"link-local, interface by number", "nameserver fe80::1%1\n", "[fe80::1]:53"},
    {"link-local of no interface", "nameserver fe80::1%none9\nnameserver 192.0.2.1\n",
     "192.0.2.1:53 ignored=1 absent=1"},
    {"three, as in the C library",
     "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
     "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 ignored=1"},
    {"a port is not its syntax", "nameserver 192.0.2.1:5353\n", "127.0.0.1:53 ignored=1 none"},
    {"nor are brackets", "nameserver [::1]:5353\n", "127.0.0.1:53 ignored=1 none"},
    {"a name", "nameserver ns.example.org\nnameserver 192.0.2.1\n", "192.0.2.1:53 ignored=1"},
    {"no address", "nameserver\n", "127.0.0.1:53 ignored=1 none"},
    {"keyword in another case", "NameServer 192.0.2.1\n", "127.0.0.1:53 none"},
    {"options",
     "nameserver 192.0.2.1\noptions timeout:3 attempts:4 rotate use-vc trust-ad ndots:2 edns0\n",
     "192.0.2.1:53 timeout=3000 rotate use-vc trust-ad"},
    {"options on two lines", "options rotate\nnameserver 192.0.2.1\noptions timeout:1\n",
     "192.0.2.1:53 timeout=1000 rotate"},
    {"options above their limits", "options timeout:99 attempts:99999999999999999999\n",
     "127.0.0.1:53 timeout=30000 none"},
    {"options of nothing", "options timeout:0 attempts:0 timeout: attempts:x rotate:1 timeout:-1\n",
     "127.0.0.1:53 none"},
    {"search lists", "search example.org\ndomain example.org\nsortlist 192.0.2.0\n",
     "127.0.0.1:53 none"},
    {"a long word",
     "nameserver 1111111111111111111111111111111111111111111111111111111111111111111"
     "11111111111111111111111111111\nnameserver 192.0.2.1\n",
     "192.0.2.1:53 ignored=1"},
};

START_TEST(test_files)
{
    char out[2048];
    size_t length = strlen(files[_i].text);
    char *copy = malloc(length + 1); /* exact, so that a sanitizer sees every byte read behind */
    struct resolvconf conf;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, files[_i].text, length);
    copy = realloc(copy, length > 0 ? length : 1);
    resolvconf_parse(copy, length, &conf);
    ck_assert_msg(strcmp(describe(&conf, out), files[_i].want) == 0, "%s: %s", files[_i].label,
                  out);
    free(copy);
}
END_TEST

START_TEST(test_nul_bytes)
{
    static const char text[] = "nameserver\0192.0.2.1\nnameserver 192.0.2.2\0x\n";
    struct resolvconf conf;
    char out[2048];

    resolvconf_parse(text, sizeof text - 1, &conf);
    ck_assert_ptr_nonnull(strstr(describe(&conf, out), "192.0.2.2:53"));
}
END_TEST

START_TEST(test_many_servers)
{
    char text[8192], out[2048];
    size_t at = 0;
    struct resolvconf conf;

    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "nameserver 192.0.2.%d\n", i);
    resolvconf_parse(text, at, &conf);
    ck_assert_uint_eq(conf.count, RESOLVCONF_SERVERS_MAX);
    ck_assert_uint_eq(conf.ignored, 100 - RESOLVCONF_SERVERS_MAX);
    describe(&conf, out);
}
END_TEST

static void write_file(const char *path, const char *text, size_t times)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < times; i++)
        fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void same_time(const char *of, const char *path)
{
    struct stat st;
    struct timespec times[2];

    ck_assert_int_eq(stat(of, &st), 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(test_reading_and_change)
{
    char directory[] = "/tmp/test_resolvconf.XXXXXX", path[64], other[64], out[2048];
    struct resolvconf conf;
    struct resolvconf_stamp stamp;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/resolv.conf", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    ck_assert_int_eq(resolvconf_read(path, &conf, &stamp), RESULT_IO);
    ck_assert_str_eq(describe(&conf, out), "127.0.0.1:53 none");
    ck_assert(!resolvconf_changed(path, &stamp));
    write_file(path, "nameserver 192.0.2.1\n", 1);
    ck_assert(resolvconf_changed(path, &stamp));
    ck_assert_int_eq(resolvconf_read(path, &conf, &stamp), RESULT_OK);
    ck_assert_str_eq(describe(&conf, out), "192.0.2.1:53");
    ck_assert(!resolvconf_changed(path, &stamp));
    write_file(other, "nameserver 192.0.2.2\n", 1); /* same size and time, another file */
    same_time(path, other);
    ck_assert_int_eq(rename(other, path), 0);
    ck_assert(resolvconf_changed(path, &stamp));
    write_file(path, "# a comment of thirty-two bytes\n", 1000000);
    ck_assert_int_eq(resolvconf_read(path, &conf, &stamp), RESULT_OK);
    ck_assert_str_eq(describe(&conf, out), "127.0.0.1:53 none");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(resolvconf_changed(path, &stamp));
    ck_assert_int_eq(resolvconf_read(directory, &conf, &stamp), RESULT_IO);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(resolvconf_read(path, &conf, &stamp), RESULT_IO);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(resolvconf_read("/dev/zero", &conf, &stamp), RESULT_IO);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

static const struct {
    const char *text, *want; /* NULL: RESULT_INVALID */
} addresses[] = {
    {"127.0.0.1", "127.0.0.1:53"},
    {"127.0.0.1:5300", "127.0.0.1:5300"},
    {"127.0.0.1:65535", "127.0.0.1:65535"},
    {"::1", "[::1]:53"},
    {"[::1]", "[::1]:53"},
    {"[::1]:5353", "[::1]:5353"},
    {"[2001:DB8:0:0:0:0:0:1]:5353", "[2001:db8::1]:5353"},
    {"::ffff:192.0.2.1", "192.0.2.1:53"},
    {"[::ffff:192.0.2.1]:54", "192.0.2.1:54"},
    {"fe80::1%lo", "[fe80::1]:53"},
    {"[fe80::1%lo]:54", "[fe80::1]:54"},
    {"", NULL},
    {"x", NULL},
    {"127.0.0.1:", NULL},
    {"127.0.0.1:0", NULL},
    {"127.0.0.1:65536", NULL},
    {"127.0.0.1:99999999999999999999", NULL},
    {"127.0.0.1:5x", NULL},
    {"127.0.0.1:-5", NULL},
    {"127.0.0.1%lo", NULL},
    {"127.0.0.1 ", NULL},
    {"[127.0.0.1]:53", NULL},
    {"[::1", NULL},
    {"[::1]x", NULL},
    {"[::1]:", NULL},
    {"::1]", NULL},
    {"[]:53", NULL},
    {"fe80::1%", NULL},
    {"fe80::1%no-such-if", NULL},
    {"fe80::1%0", NULL},
    {"fe80::1%4294967296", NULL},
    {"localhost", NULL},
    {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", NULL},
};

START_TEST(test_addresses)
{
    struct network_server server;
    char text[SERVER_TEXT_MAX];
    enum result status = network_server_parse(addresses[_i].text, &server);

    if (addresses[_i].want == NULL) {
        ck_assert_msg(status == RESULT_INVALID, "%s", addresses[_i].text);
    } else {
        ck_assert_msg(status == RESULT_OK, "%s", addresses[_i].text);
        ck_assert_str_eq(network_server_format(&server, text), addresses[_i].want);
        ck_assert((strstr(addresses[_i].text, "%lo") != NULL) ==
                  (server.scope == if_nametoindex("lo")));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resolvconf");
    TCase *tcase = tcase_create("resolvconf");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, test_files, 0, COUNT(files));
    tcase_add_loop_test(tcase, test_addresses, 0, COUNT(addresses));
    tcase_add_test(tcase, test_nul_bytes);
    tcase_add_test(tcase, test_many_servers);
    tcase_add_test(tcase, test_reading_and_change);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
