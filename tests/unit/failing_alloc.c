/* SPDX-License-Identifier: BSD-2-Clause */
#include "failing_alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The linker gives the real ones these names. */
extern void *__real_malloc(size_t size);
extern void *__real_calloc(size_t count, size_t size);
extern void *__real_realloc(void *memory, size_t size);
extern void *__wrap_malloc(size_t size);
extern void *__wrap_calloc(size_t count, size_t size);
extern void *__wrap_realloc(void *memory, size_t size);
extern void *__wrap_reallocarray(void *memory, size_t count, size_t size);
extern char *__wrap_strdup(const char *text);
extern char *__wrap_strndup(const char *text, size_t max);

static atomic_long left; /* allocations until one fails; 0: none does */
static atomic_bool good, failed;

void alloc_fail_at(long n, bool for_good)
{
    atomic_store(&failed, false);
    atomic_store(&good, for_good);
    atomic_store(&left, n);
}

bool alloc_failed(void)
{
    return atomic_load(&failed);
}

static bool fails(void)
{
    long now = atomic_load(&left);
    while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
        ;
    if (now != 1 && !(now == 0 && atomic_load(&failed) && atomic_load(&good)))
        return false;
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(memory, bytes);
}

static char *copied(const char *text, size_t length)
{
    char *copy = __wrap_malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return copied(text, strlen(text));
}

char *__wrap_strndup(const char *text, size_t max)
{
    return copied(text, strnlen(text, max));
}
