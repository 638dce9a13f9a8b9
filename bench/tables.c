/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lookup in a large table costs: a cidr: table of 100,000 lines and a pcre: table of 1,500,
 * both made here, against tables of ten lines in the same run.  Prints microseconds and ratios.
 */
#include "site/tables/accesstable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CIDR_LINES 100000
#define PCRE_LINES 1500
#define SMALL      10
#define LOOKUPS    200000
#define NAMES      2000

static double now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* The same numbers in every run. */
static unsigned chance(void)
{
    static uint32_t state = 2463534242U;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state >> 4;
}

/* Networks of /18 to /32, as block lists mix them, one in twenty IPv6. */
static void write_cidr(FILE *file, int lines)
{
    for (int i = 0; i < lines; i++) {
        char text[IPNET_TEXT_MAX];
        uint8_t bytes[16] = {0x20, 0x01};
        bool v6 = chance() % 20 == 0;
        for (size_t b = v6 ? 2 : 0; b < (v6 ? 8U : 4U); b++)
            bytes[b] = (uint8_t)chance();
        struct ipaddr addr;
        if (ipaddr_from_bytes(bytes, v6 ? 16 : 4, &addr) != RESULT_OK)
            exit(1);
        struct ipnet net = ipnet_around(&addr, v6 ? 32 + chance() % 33 : 18 + chance() % 15);
        fprintf(file, "%s REJECT listed\n", ipnet_format(&net, text));
    }
}

/* The shapes of public lists of access-line names, each with a provider of its own. */
static void write_pcre(FILE *file, int lines)
{
    static const char *const shapes[] = {
        "/^[0-9]{1,3}([.-][0-9]{1,3}){3}\\.dyn\\.isp%d\\.example$/ REJECT Generic\n",
        "/^(adsl|dsl|pool)-[0-9-]+\\.customer\\.net%d\\.example$/ REJECT Generic\n",
        "/^host[0-9a-f]{8}\\.telecom%d\\.test$/ REJECT Generic\n",
        "/^.*\\.(dhcp|ppp|cable)\\.city%d\\.invalid$/ REJECT Generic\n",
        "/^c[0-9]+-[0-9]+\\.access%d\\.example\\.(net|org)$/ REJECT Generic\n",
    };
    for (int i = 0; i < lines; i++) {
        char line[200];
        const char *shape = shapes[i % 5];
        const char *place = strstr(shape, "%d");
        snprintf(line, sizeof line, "%.*s%d%s", (int)(place - shape), shape, i, place + 2);
        fputs(line, file);
    }
}

static struct accesstable *make(enum accesstable_type type, int lines, double *load_ms)
{
    char path[] = "/tmp/iprevd-bench.XXXXXX", error[ACCESSTABLE_ERROR_MAX];
    struct accesstable *table;
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    if (type == TABLE_CIDR)
        write_cidr(file, lines);
    else
        write_pcre(file, lines);
    fclose(file);
    double start = now_us();
    enum result status = accesstable_load(type, path, &table, error);
    *load_ms = (now_us() - start) / 1e3;
    unlink(path);
    if (status != RESULT_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    return table;
}

static double cidr_lookup_us(const struct accesstable *table, size_t *found)
{
    struct ipaddr addresses[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        uint8_t bytes[4] = {(uint8_t)chance(), (uint8_t)chance(), (uint8_t)chance(),
                            (uint8_t)chance()};
        if (ipaddr_from_bytes(bytes, 4, &addresses[i]) != RESULT_OK)
            exit(1);
    }
    double start = now_us();
    *found = 0;
    for (size_t i = 0; i < LOOKUPS; i++)
        *found += accesstable_addr(table, &addresses[i % NAMES]) != NULL;
    return (now_us() - start) / LOOKUPS;
}

/* Half are mail servers' names that nothing lists, half are listed. */
static double pcre_lookup_us(const struct accesstable *table, size_t *found)
{
    static char names[NAMES][80];
    for (unsigned i = 0; i < NAMES; i++) {
        unsigned n = chance() % PCRE_LINES;
        if (i % 2 == 0)
            snprintf(names[i], sizeof names[i], "mail%u.corp%u.example", i % 7, n);
        else
            snprintf(names[i], sizeof names[i], "203-0-113-%u.dyn.isp%u.example", i % 200,
                     n - n % 5);
    }
    double start = now_us();
    *found = 0;
    for (size_t i = 0; i < LOOKUPS; i++)
        *found += accesstable_name(table, names[i % NAMES]) != NULL;
    return (now_us() - start) / LOOKUPS;
}

static void compare(enum accesstable_type type, const char *name, int lines,
                    double (*lookup_us)(const struct accesstable *table, size_t *found))
{
    double small_ms, large_ms;
    size_t small_found, large_found;
    struct accesstable *small = make(type, SMALL, &small_ms);
    struct accesstable *large = make(type, lines, &large_ms);
    double small_us = lookup_us(small, &small_found), large_us = lookup_us(large, &large_found);
    printf(
        "%s of %d lines: loaded in %.0f ms; a lookup %.2f us (%.1f %% found), %.1f times that of "
        "%d lines (%.2f us)\n",
        name, lines, large_ms, large_us, 100.0 * (double)large_found / LOOKUPS, large_us / small_us,
        SMALL, small_us);
    accesstable_free(small);
    accesstable_free(large);
}

int main(void)
{
    compare(TABLE_CIDR, "cidr", CIDR_LINES, cidr_lookup_us);
    compare(TABLE_PCRE, "pcre", PCRE_LINES, pcre_lookup_us);
    return 0;
}
