/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of the whole program fails, for every n, those inside hiredis included:
 * a reply and a request are then not had, and nothing crashes or aborts.  Lines are signed without
 * any allocation.
 */
#include "farm/farm_line.h"
#include "farm/resp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* This program replaces the allocator: a sanitizer's own would not like it, and only glibc is known
 * to. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SKIP 1
#endif
#endif
#ifndef __GLIBC__
#define SKIP 1
#endif

#ifdef SKIP
int main(void)
{
    puts("skipped: the allocator cannot be replaced here");
    return 77;
}
#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool fails(void)
{
    if (left < 0 || left-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

static void require(bool good, const char *what, long n)
{
    left = -1;
    if (good)
        return;
    (void)fprintf(stderr, "%s: allocation %ld\n", what, n);
    exit(1);
}

/* A large text and a small one after it, since a reader gives memory back in between. */
static bool read_replies(long n)
{
    static char bytes[40100];
    const char *small = "*3\r\n$1\r\na\r\n*1\r\n:1\r\n-ERR\r\n";
    struct resp_reply *reply = NULL;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "$40000\r\n", 8);
    memcpy(bytes + 40008, "\r\n", 2);
    left = n;
    struct resp_reader *reader = resp_reader_new();
    enum result status = reader == NULL ? RESULT_NOMEM : resp_reader_feed(reader, bytes, 40010);
    for (int i = 0; i < 2 && status == RESULT_OK; i++) {
        status = resp_reader_next(reader, &reply);
        if (status == RESULT_OK) {
            resp_reply_free(reply);
            if (i == 0)
                status = resp_reader_feed(reader, small, strlen(small));
        }
    }
    bool failed = left < 0;
    left = -1;
    resp_reader_free(reader);
    require(status == (failed ? RESULT_NOMEM : RESULT_OK), "reply", n);
    return failed;
}

static bool write_request(long n)
{
    static const char *const words[] = {"GET", "key"};
    static const size_t lengths[] = {3, 3};
    char *out = NULL;
    size_t length;
    left = n;
    enum result status = resp_request(2, words, lengths, &out, &length);
    bool failed = left < 0;
    left = -1;
    require(status == (failed ? RESULT_NOMEM : RESULT_OK), "request", n);
    free(out);
    return failed;
}

static bool sign_and_read(long n)
{
    static const struct farm_key key = {.farm = "mx", .length = FARM_KEY_MIN};
    struct exemption exemption = {.subject = "192.0.2.1", .made_s = 1, .until_s = 2}, got;
    char line[FARM_LINE_MAX];
    left = n;
    farm_line_exemption(&key, "mx1", &exemption, line);
    bool good = farm_line_read_exemption(&key, exemption.subject, line, &got);
    const struct history history = {.last_day = 2, .previous_day = 1};
    struct history read;
    farm_line_history(&key, "word", &history, line);
    good = good && farm_line_read_history(&key, "word", line, &read);
    bool failed = left < 0;
    require(good && !failed, "line", n);
    return failed;
}

int main(void)
{
    static const struct {
        const char *name;
        bool (*attempt)(long n);
        long least;
    } all[] = {
        {"replies", read_replies, 9}, {"requests", write_request, 2}, {"lines", sign_and_read, 0}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        long n = 0;
        while (all[i].attempt(n))
            n++;
        (void)printf("%s: %ld allocations failed\n", all[i].name, n);
        if (n < all[i].least)
            return 1;
    }
    return 0;
}
#endif
