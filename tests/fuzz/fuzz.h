/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fuzz targets share: invariants, the places that a corpus has to reach, and files that are
 * nobody else's.  See README.
 */
#ifndef IPREVD_FUZZ_H
#define IPREVD_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The target: an input in, 0 out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* fuzz.c: run once before the first input, by libFuzzer, AFL's driver or replay.c. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An invariant: what holds for every input. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                  \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/*
 * The target's names of the places in it that its corpus has to reach: without them a target that
 * is stopped at the door for ever looks as well as one that finds nothing.  With FUZZ_PLACES in the
 * environment they are counted at the end, and one that was not reached is a failure.
 */
extern const char *const fuzz_place_names[];
extern const size_t fuzz_place_count;
#define FUZZ_PLACES_MAX 32
#define FUZZ_PLACES(...)                                                                           \
    const char *const fuzz_place_names[] = {__VA_ARGS__};                                          \
    const size_t fuzz_place_count = sizeof fuzz_place_names / sizeof fuzz_place_names[0]

void fuzz_reach(size_t place);

/* A copy in a block of its own, with a NUL behind it: reading past the end shows.  free() it. */
char *fuzz_copy(const uint8_t *data, size_t size);

/* The next line of the input, as fuzz_copy(), without its line feed; NULL at the end. */
struct fuzz_lines {
    const uint8_t *at, *end;
};
char *fuzz_line(struct fuzz_lines *lines);

/* A file in memory that holds `data`; the path is good until it is closed. */
struct fuzz_file {
    int fd;
    char path[32];
};
void fuzz_file_open(struct fuzz_file *file, const void *data, size_t size);
void fuzz_file_close(struct fuzz_file *file);

/* A directory of this process's own, in memory where there is such a file system; it is removed at
   the end with the files in it. */
const char *fuzz_directory(void);

/* Printable ASCII, and line feeds where they are allowed. */
bool fuzz_printable(const char *text, size_t length, bool line_feeds);

#endif
