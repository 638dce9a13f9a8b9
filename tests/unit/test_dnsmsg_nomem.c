/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every message of the fuzz target's corpus, with every single allocation failing in turn: the
 * result is the same as ever, or it is empty (or, for what ldns calls otherwise, a failure of the
 * server); it is never another answer, and nothing crashes.
 */
#include "dns/dnsmsg.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
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

#define INPUT_MAX 65536

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

struct input {
    size_t length;
    uint8_t bytes[INPUT_MAX];
};

/* The question stands in the message: the corpus has no compression there. */
static bool question_of(const struct input *input, struct question *out)
{
    size_t length = 0;

    memset(out, 0, sizeof *out);
    while (13 + length < input->length && input->bytes[13 + length] != 0)
        length += 1U + input->bytes[13 + length];
    length++;
    if (13 + length + 4 > input->length || length > WIRE_NAME_MAX)
        return false;
    out->length = (uint8_t)length;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = input->bytes[13 + i];

        out->name[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    out->type = input->bytes[13 + length + 1];
    return true;
}

static bool same(const struct answer *a, const struct answer *b)
{
    return a->outcome == b->outcome && a->count == b->count && a->ttl_s == b->ttl_s &&
           a->payload_length == b->payload_length &&
           memcmp(a->payload, b->payload, a->payload_length) == 0;
}

/* Parse with the n-th allocation failing; false when there were fewer. */
static bool attempt(const struct input *input, const struct dnsmsg_expect *expect, long n,
                    const struct answer *want, const char *label)
{
    struct source_result result;
    struct denial denial;
    enum dns_problem problem = PROBLEM_NONE;
    enum dnsmsg_kind kind;
    bool failed;

    left = n;
    kind = dnsmsg_parse(input->bytes + 1, input->length - 1, expect, &result, &denial, &problem);
    failed = left < 0;
    left = -1;
    if (result.answer != NULL &&
        (kind != DNSMSG_ANSWER || want == NULL || !same(result.answer, want))) {
        fprintf(stderr, "%s: allocation %ld: another answer\n", label, n);
        exit(1);
    }
    answer_unref(result.answer);
    return failed;
}

static long check_input(const struct input *input, const char *label)
{
    struct question question;
    struct dnsmsg_expect expect = {.question = &question, .id = 0x1234};
    struct source_result result;
    struct denial denial;
    enum dns_problem problem;
    long n = 0;

    if (!question_of(input, &question))
        return 0;
    if (dnsmsg_parse(input->bytes + 1, input->length - 1, &expect, &result, &denial, &problem) !=
        DNSMSG_ANSWER)
        result.answer = NULL;
    while (attempt(input, &expect, n, result.answer, label))
        n++;
    answer_unref(result.answer);
    return n;
}

int main(void)
{
    const char *source = getenv("srcdir");
    char directory[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
    struct input *input = malloc(sizeof *input);
    struct dirent *entry;
    long total = 0;
    DIR *corpus;

    snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/dnsmsg",
             source != NULL ? source : ".");
    corpus = opendir(directory);
    if (corpus == NULL || input == NULL) {
        perror(directory);
        return 1;
    }
    while ((entry = readdir(corpus)) != NULL) {
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] == '.' || (file = fopen(path, "rb")) == NULL)
            continue;
        input->length = fread(input->bytes, 1, sizeof input->bytes, file);
        fclose(file);
        if (input->length > 13)
            total += check_input(input, entry->d_name);
    }
    closedir(corpus);
    free(input);
    printf("%ld allocations failed, one at a time\n", total);
    return total > 100 ? 0 : 1;
}
#endif
