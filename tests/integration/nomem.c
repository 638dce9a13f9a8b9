/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevd whose own allocations fail now and then, when the test that runs it says so: the linker
 * puts the functions below in the place of malloc() and the others (-Wl,--wrap).  The file named by
 * IPREVD_NOMEM holds a 32-bit number in the machine's order: every so many allocations one fails;
 * 0: none.  The number behind it counts those that failed.  IPREVD_NOTHREAD is the number of the
 * thread, the first being 1, that cannot be made.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct shared {
    _Atomic uint32_t every, failed;
} nothing, *shared = &nothing;

static _Atomic uint32_t count;

extern void *__real_malloc(size_t size);
extern void *__real_calloc(size_t number, size_t size);
extern void *__real_realloc(void *old, size_t size);
extern void *__real_reallocarray(void *old, size_t number, size_t size);
extern char *__real_strdup(const char *text);
extern char *__real_strndup(const char *text, size_t max);
extern int __real_pthread_create(pthread_t *out, const pthread_attr_t *attributes,
                                 void *(*run)(void *arg), void *arg);
extern int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes,
                                 void *(*run)(void *arg), void *arg);
extern void *__wrap_malloc(size_t size);
extern void *__wrap_calloc(size_t number, size_t size);
extern void *__wrap_realloc(void *old, size_t size);
extern void *__wrap_reallocarray(void *old, size_t number, size_t size);
extern char *__wrap_strdup(const char *text);
extern char *__wrap_strndup(const char *text, size_t max);

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("IPREVD_NOMEM");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (at != MAP_FAILED)
        shared = at;
}

static bool fails(void)
{
    uint32_t every = atomic_load(&shared->every);
    if (every == 0 || atomic_fetch_add(&count, 1) % every != 0)
        return false;
    atomic_fetch_add(&shared->failed, 1);
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t number, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, number, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t max)
{
    return fails() ? NULL : __real_strndup(text, max);
}

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *arg),
                          void *arg)
{
    static atomic_int made;
    const char *failing = getenv("IPREVD_NOTHREAD");
    if (failing != NULL && atomic_fetch_add(&made, 1) + 1 == atoi(failing))
        return EAGAIN;
    return __real_pthread_create(out, attributes, run, arg);
}
