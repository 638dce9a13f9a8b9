/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of clients by itself: bytes and nanoseconds an entry with a million clients, what a
 * scan leaves of the regulars, and saving and loading.
 *
 *     bench/clients
 */
#include "config.h"

#include "site/client_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY     86400
#define NOW_S   (INT64_C(20000) * DAY)
#define MILLION 1000000U
#define SIZE    ((size_t)24 << 20) /* a million in places for a million and a half */

static const uint8_t key[SIPHASH_KEY_LENGTH] = {1, 2, 3};

static struct client_memory *new_memory(size_t size)
{
    const struct client_memory_limits limits = {size, 35 * DAY};
    struct client_memory *memory = client_memory_new(&limits, key);
    if (memory == NULL) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* Of this thread: what others do to the machine does not count. */
static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The i-th client of a generation; all are different. */
static struct ipaddr client_of(uint32_t i)
{
    struct ipaddr addr = {.family = IP_V4};
    uint32_t bits = i * UINT32_C(2654435761);
    memcpy(addr.bytes, &bits, 4);
    return addr;
}

/* Nanoseconds a note of each of `count` clients from `first` on. */
static double note_all(struct client_memory *memory, uint32_t first, uint32_t count,
                       enum history_event event, int64_t wall_s)
{
    double begin = cpu_s();
    for (uint32_t i = 0; i < count; i++) {
        struct ipaddr client = client_of(first + i);
        (void)client_memory_note(memory, &client, event, wall_s, NULL);
    }
    return (cpu_s() - begin) * 1e9 / count;
}

static uint32_t count_regulars(struct client_memory *memory, uint32_t count)
{
    uint32_t known = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct ipaddr client = client_of(i);
        known +=
            client_memory_note(memory, &client, HISTORY_NOTHING, NOW_S, NULL).previous_day != 0;
    }
    return known;
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %lu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void measure_speed(void)
{
    size_t before = resident_bytes();
    struct client_memory *memory = new_memory(SIZE);
    struct client_memory_stats stats;
    double first = note_all(memory, 0, MILLION, HISTORY_PASS, NOW_S);
    double again = note_all(memory, 0, MILLION, HISTORY_PASS, NOW_S);
    double next = note_all(memory, 0, MILLION, HISTORY_PASS, NOW_S + DAY);
    double failing = note_all(memory, 0, MILLION, HISTORY_FAILURE, NOW_S + 2 * DAY);
    double unknown = note_all(memory, 2 * MILLION, MILLION, HISTORY_FAILURE, NOW_S + 2 * DAY);
    client_memory_stats(memory, &stats);
    printf("%8u clients: %.1f bytes a client in use, %.1f of %.0f MiB resident\n",
           (unsigned)stats.clients, (double)stats.bytes / (double)stats.clients,
           (double)(resident_bytes() - before) / 1048576, (double)stats.size_bytes / 1048576);
    printf("a note: %.0f ns of a new client, %.0f ns again on the same day, %.0f ns on the next, "
           "%.0f ns of a failure, %.0f ns of an unknown client's\n",
           first, again, next, failing, unknown);
    client_memory_free(memory);
}

static void measure_scan(void)
{
    struct client_memory *memory = new_memory((size_t)16 << 20);
    const uint32_t regulars = MILLION / 2;
    (void)note_all(memory, 0, regulars, HISTORY_PASS, NOW_S);
    (void)note_all(memory, 0, regulars, HISTORY_PASS, NOW_S + DAY);
    uint32_t before = count_regulars(memory, regulars);
    (void)note_all(memory, MILLION, MILLION, HISTORY_PASS, NOW_S + 2 * DAY);
    uint32_t after = count_regulars(memory, regulars);
    printf("16 MiB, %u regulars: %.2f %% are remembered, %.2f %% after a scan of a million\n",
           regulars, 100.0 * before / regulars, 100.0 * after / regulars);
    client_memory_free(memory);
}

static void measure_file(void)
{
    char path[] = "/tmp/iprevd-bench-XXXXXX";
    struct client_memory *memory = new_memory(SIZE), *other = new_memory(SIZE);
    const char *why = "";
    struct stat info;
    (void)note_all(memory, 0, MILLION, HISTORY_PASS, NOW_S);
    int fd = mkstemp(path);
    double begin = cpu_s();
    enum result saved = client_memory_save(memory, path, NOW_S);
    double middle = cpu_s();
    enum result loaded = client_memory_load(other, path, NOW_S, &why);
    double end = cpu_s();
    if (fd < 0 || saved != RESULT_OK || loaded != RESULT_OK || stat(path, &info) != 0)
        exit(1);
    printf("the file: %.1f MiB, saved in %.0f ms of CPU, loaded in %.0f ms\n",
           (double)info.st_size / 1048576, (middle - begin) * 1e3, (end - middle) * 1e3);
    (void)close(fd);
    (void)unlink(path);
    client_memory_free(memory);
    client_memory_free(other);
}

int main(void)
{
    measure_speed();
    measure_scan();
    measure_file();
    return 0;
}
