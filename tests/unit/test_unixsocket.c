/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory of a socket may belong to somebody else than the one who makes it, root at a start:
 * what its owner does there at the worst moment.
 */
#include "daemon/unixsocket.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_bind(int fd, const struct sockaddr *addr, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t length);

static const char *swap; /* takes the socket's place as soon as there is one */

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t length)
{
    int result = __real_bind(fd, addr, length);
    if (swap != NULL)
        ck_assert_int_eq(rename(swap, "control"), 0);
    return result;
}

static char directory[] = "/tmp/iprevd-unixsocket-XXXXXX";

static void enter(void)
{
    swap = NULL;
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
}

static void leave(void)
{
    static const char *const names[] = {"control", "control.lock", "victim", "swap"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(names[i]);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}

static void make_file(const char *name, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
}

static struct stat look_at(const char *name)
{
    struct stat st;
    ck_assert_int_eq(lstat(name, &st), 0);
    return st;
}

START_TEST(test_mode_from_the_first_moment)
{
    int fd = -1;
    const mode_t before = umask(0);
    ck_assert_int_eq(unixsocket_listen("control", 0640, 5, &fd), RESULT_OK);
    ck_assert(S_ISSOCK(look_at("control").st_mode));
    ck_assert_uint_eq(look_at("control").st_mode & 07777, 0640);
    ck_assert_uint_eq(umask(before), 0);
    ck_assert_int_eq(access("control.lock", F_OK), -1);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_a_link_in_its_place_changes_nothing_else)
{
    int fd = -1;
    make_file("victim", 0600);
    ck_assert_int_eq(symlink("victim", "swap"), 0);
    swap = "swap";
    if (unixsocket_listen("control", 0660, 5, &fd) == RESULT_OK)
        ck_assert_int_eq(close(fd), 0);
    ck_assert_uint_eq(look_at("victim").st_mode & 07777, 0600);
}
END_TEST

/* Another's file, or one with a second name, is not given away. */
START_TEST(test_only_our_own_socket_is_given_away)
{
    make_file("victim", 0600);
    gid_t other = getegid() + 1;
    ck_assert_int_eq(symlink("victim", "control"), 0);
    ck_assert_int_eq(unixsocket_give("control", (uid_t)-1, other), RESULT_IO);
    ck_assert_int_eq(errno, ENOTSOCK);
    ck_assert_int_eq(unlink("control"), 0);
    int fd = -1;
    ck_assert_int_eq(unixsocket_listen("control", 0660, 5, &fd), RESULT_OK);
    ck_assert_int_eq(unixsocket_give("control", (uid_t)-1, getegid()), RESULT_OK);
    ck_assert_int_eq(link("control", "swap"), 0);
    ck_assert_int_eq(unixsocket_give("control", (uid_t)-1, other), RESULT_IO);
    ck_assert_int_eq(errno, ENOTSOCK);
    ck_assert_uint_eq(look_at("control").st_gid, getegid());
    ck_assert_uint_ne(look_at("victim").st_gid, other);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_a_held_lock_does_not_hang_the_start)
{
    int fd = -1;
    int held = open("control.lock", O_RDWR | O_CREAT, 0600);
    ck_assert_int_ge(held, 0);
    ck_assert_int_eq(flock(held, LOCK_EX), 0);
    ck_assert_int_eq(unixsocket_listen("control", 0660, 5, &fd), RESULT_IO);
    ck_assert_int_eq(errno, EBUSY);
    ck_assert_int_eq(close(held), 0);
    ck_assert_int_eq(unixsocket_listen("control", 0660, 5, &fd), RESULT_OK);
    ck_assert_int_eq(close(fd), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unixsocket");
    TCase *tcase = tcase_create("unixsocket");
    tcase_add_checked_fixture(tcase, enter, leave);
    tcase_add_test(tcase, test_mode_from_the_first_moment);
    tcase_add_test(tcase, test_a_link_in_its_place_changes_nothing_else);
    tcase_add_test(tcase, test_only_our_own_socket_is_given_away);
    tcase_add_test(tcase, test_a_held_lock_does_not_hang_the_start);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
