/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays every scenario again and again while memory runs out: in the n-th play the n-th allocation
 * fails, or with -a that one and all after it.  Whatever fails, the program must not crash or lose
 * memory, and every event must have its right answer or a temporary failure: never a silent accept,
 * never a refusal for good that has another reason than the policy.
 *
 *     torture [-a] [-s STEP] FILE...
 *
 * With -s only every STEP-th allocation of a scenario fails, from another one on in each.
 * The linker puts the functions below in the place of malloc() and of those by which the player
 * enters the code under test (-Wl,--wrap): only there, not in the player, do allocations fail.
 */
#include "play.h"
#include "world.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIVE_MAX (1U << 16) /* slots; a play allocates some hundred times */

static struct {
    unsigned depth;     /* > 0: in the code under test */
    uint64_t count;     /* allocations so far */
    uint64_t fail_from; /* 0: none fails */
    bool fail_all;      /* not only that one */
    uintptr_t live[LIVE_MAX];
    size_t live_count;
} memory;

/* --- memory --------------------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *old);

static size_t slot_of(uintptr_t address)
{
    return (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) % LIVE_MAX;
}

static void *note(void *new)
{
    if (new == NULL || memory.depth == 0)
        return new;
    if (memory.live_count == LIVE_MAX / 2)
        abort();
    size_t i = slot_of((uintptr_t) new);
    while (memory.live[i] != 0)
        i = (i + 1) % LIVE_MAX;
    memory.live[i] = (uintptr_t) new;
    memory.live_count++;
    return new;
}

/* Linear probing without tombstones: what follows is moved up. */
static void forget(const void *old)
{
    size_t i = slot_of((uintptr_t)old);
    while (memory.live[i] != 0 && memory.live[i] != (uintptr_t)old)
        i = (i + 1) % LIVE_MAX;
    if (old == NULL || memory.live[i] == 0)
        return; /* the player's own */
    memory.live[i] = 0;
    memory.live_count--;
    for (size_t j = (i + 1) % LIVE_MAX; memory.live[j] != 0; j = (j + 1) % LIVE_MAX) {
        uintptr_t moved = memory.live[j];
        size_t to = slot_of(moved);
        memory.live[j] = 0;
        while (memory.live[to] != 0)
            to = (to + 1) % LIVE_MAX;
        memory.live[to] = moved;
    }
}

static bool fails(void)
{
    if (memory.depth == 0 || memory.fail_from == 0)
        return false;
    memory.count++;
    bool now =
        memory.fail_all ? memory.count >= memory.fail_from : memory.count == memory.fail_from;
    if (now)
        errno = ENOMEM;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : note(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    uintptr_t before = (uintptr_t)old;
    void *new = __real_realloc(old, size);
    if (new != NULL) {
        forget((void *)before);
        note(new);
    }
    return new;
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(old, total);
}

char *__wrap_strndup(const char *text, size_t max)
{
    size_t length = strnlen(text, max);
    char *copy = __wrap_malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, strlen(text));
}

void __wrap_free(void *old)
{
    forget(old);
    __real_free(old);
}

/* --- where the code under test is entered ---------------------------------------------------- */

#define ENTER(result, call)                                                                        \
    memory.depth++;                                                                                \
    result = (call);                                                                               \
    memory.depth--;                                                                                \
    return result

#define WRAP(type, name, parameters, arguments)                                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        type result;                                                                               \
        ENTER(result, __real_##name arguments);                                                    \
    }

#define WRAP_VOID(name, parameters, arguments)                                                     \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        memory.depth++;                                                                            \
        __real_##name arguments;                                                                   \
        memory.depth--;                                                                            \
    }

WRAP(struct conf *, conf_load, (const char *path, int64_t wall_s, const struct conf_report *report),
     (path, wall_s, report))
WRAP(struct cache *, cache_new, (const struct cache_limits *limits, uint64_t seed), (limits, seed))
WRAP(struct resolver *, resolver_new,
     (struct source * source, struct cache *cache, struct loop *loop,
      const struct resolver_limits *limits, struct metrics *metrics),
     (source, cache, loop, limits, metrics))
WRAP(struct session *, session_new, (const struct session_services *services, struct conf *conf),
     (services, conf))
WRAP(enum session_answer, session_connect,
     (struct session * session, const struct ipaddr *client, const struct session_macros *macros),
     (session, client, macros))
WRAP(enum session_answer, session_helo, (struct session * session, const char *helo),
     (session, helo))
WRAP(enum session_answer, session_mail,
     (struct session * session, const char *sender, const struct session_macros *macros),
     (session, sender, macros))
WRAP(enum session_answer, session_rcpt,
     (struct session * session, const char *recipient, const struct session_macros *macros),
     (session, recipient, macros))
WRAP(enum session_answer, session_end_of_message,
     (struct session * session, const struct session_edits *edits,
      const struct session_macros *macros),
     (session, edits, macros))
WRAP(enum session_answer, session_resume, (struct session * session), (session))
WRAP_VOID(session_header, (struct session * session, const char *name, const char *value),
          (session, name, value))
WRAP_VOID(session_reset, (struct session * session), (session))
WRAP_VOID(session_free, (struct session * session), (session))
WRAP_VOID(resolver_free, (struct resolver * resolver), (resolver))
WRAP_VOID(world_advance, (struct world * world, int64_t ms), (world, ms))

/* --- plays ---------------------------------------------------------------------------------- */

struct played {
    struct play_report report;
    bool ok;
    char *text; /* what the player said */
};

static struct played play(const char *path, uint64_t fail_from)
{
    struct played outcome = {0};
    size_t size = 0;
    FILE *out = open_memstream(&outcome.text, &size);
    if (out == NULL)
        abort();
    memset(memory.live, 0, sizeof memory.live);
    memory.live_count = 0;
    memory.count = 0;
    memory.fail_from = fail_from;
    outcome.ok = play_file(path, out, &outcome.report);
    memory.fail_from = 0;
    (void)fclose(out);
    return outcome;
}

/* NULL, or what is wrong with what became of the play. */
static const char *judge(const struct played *calm, const struct played *got)
{
    if (memory.live_count > 0)
        return "memory is lost";
    for (size_t i = 0; i < got->report.answer_count && i < calm->report.answer_count; i++) {
        if (got->report.answers[i] == calm->report.answers[i])
            continue;
        /* What follows a temporary failure is another story. */
        return got->report.answers[i] == SESSION_TEMPFAIL ? NULL : "a wrong answer";
    }
    if (got->ok || !got->report.set_up || got->report.counts_differ)
        return NULL;
    /* Temporary failures look different when memory is out. */
    size_t last = got->report.answer_count;
    if (last > 0 && got->report.answers[last - 1] == SESSION_TEMPFAIL)
        return NULL;
    return "something else than the answer is wrong";
}

/* Allocations of the code under test in a whole play. */
static uint64_t count_allocations(const char *path)
{
    struct played outcome = play(path, UINT64_MAX);
    free(outcome.text);
    return memory.count;
}

/* Play one file with every step-th failure from `first` on.  Returns how many plays went wrong. */
static unsigned torture(const char *path, uint64_t first, uint64_t step, uint64_t *plays)
{
    unsigned wrong = 0;
    struct played calm = play(path, 0);
    if (!calm.ok) {
        printf("FAIL %s: %s", path, calm.text);
        free(calm.text);
        return 1;
    }
    uint64_t total = count_allocations(path);
    for (uint64_t n = first; n <= total; n += step) {
        struct played got = play(path, n);
        const char *why = judge(&calm, &got);
        if (why != NULL) {
            printf("FAIL %s: allocation %ju of %ju fails: %s\n%s", path, (uintmax_t)n,
                   (uintmax_t)total, why, got.text);
            wrong++;
        }
        free(got.text);
        (*plays)++;
    }
    free(calm.text);
    return wrong;
}

int main(int argc, char **argv)
{
    uint64_t step = 1, plays = 0;
    unsigned wrong = 0;
    int option;
    while ((option = getopt(argc, argv, "as:")) != -1) {
        if (option == 'a')
            memory.fail_all = true;
        else if (option == 's')
            step = strtoull(optarg, NULL, 10);
        else
            return 64;
    }
    if (optind == argc || step == 0)
        return 64;
    for (int i = optind; i < argc; i++)
        wrong += torture(argv[i], (uint64_t)(i - optind) % step + 1, step, &plays);
    printf("%ju plays of %d scenarios, %u wrong\n", (uintmax_t)plays, argc - optind, wrong);
    return wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
