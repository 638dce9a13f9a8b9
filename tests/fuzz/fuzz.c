/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* memfd_create() */
#endif

#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long reached[FUZZ_PLACES_MAX];
static char directory[64];

/* --- places ---------------------------------------------------------------------------------- */

void fuzz_reach(size_t place)
{
    CHECK(place < fuzz_place_count);
    reached[place]++;
}

/* At the end, which libFuzzer brings about by exit(). */
static void report_places(void)
{
    bool missed = false;
    for (size_t i = 0; i < fuzz_place_count; i++) {
        (void)printf("%s%s %lu", i == 0 ? "reached: " : ", ", fuzz_place_names[i], reached[i]);
        missed = missed || reached[i] == 0;
    }
    (void)printf("\n");
    (void)fflush(stdout);
    if (!missed)
        return;
    (void)fprintf(stderr, "a place that the corpus has to reach was not reached\n");
    _exit(1);
}

/* --- files ----------------------------------------------------------------------------------- */

void fuzz_file_open(struct fuzz_file *file, const void *data, size_t size)
{
    file->fd = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(file->fd >= 0);
    CHECK(size == 0 || write(file->fd, data, size) == (ssize_t)size);
    CHECK(lseek(file->fd, 0, SEEK_SET) == 0);
    CHECK(fchmod(file->fd, S_IRUSR | S_IWUSR) == 0);
    (void)snprintf(file->path, sizeof file->path, "/proc/self/fd/%d", file->fd);
}

void fuzz_file_close(struct fuzz_file *file)
{
    (void)close(file->fd);
}

static void remove_directory(void)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL)
        (void)unlinkat(dirfd(stream), entry->d_name, 0);
    if (stream != NULL)
        (void)closedir(stream);
    (void)rmdir(directory);
}

const char *fuzz_directory(void)
{
    struct stat info;
    if (directory[0] != '\0')
        return directory;
    bool memory = stat("/dev/shm", &info) == 0 && S_ISDIR(info.st_mode) &&
                  access("/dev/shm", W_OK | X_OK) == 0;
    (void)snprintf(directory, sizeof directory, "%s/iprevd-fuzz-XXXXXX",
                   memory ? "/dev/shm" : "/tmp");
    CHECK(mkdtemp(directory) != NULL);
    CHECK(atexit(remove_directory) == 0);
    return directory;
}

/* --- texts ----------------------------------------------------------------------------------- */

char *fuzz_copy(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *fuzz_line(struct fuzz_lines *lines)
{
    if (lines->at == lines->end)
        return NULL;
    size_t left = (size_t)(lines->end - lines->at);
    const uint8_t *feed = memchr(lines->at, '\n', left);
    size_t length = feed != NULL ? (size_t)(feed - lines->at) : left;
    char *line = fuzz_copy(lines->at, length);
    lines->at += length + (feed != NULL);
    return line;
}

bool fuzz_printable(const char *text, size_t length, bool line_feeds)
{
    for (size_t i = 0; i < length; i++)
        if ((text[i] < 0x20 || text[i] > 0x7e) && (text[i] != '\n' || !line_feeds))
            return false;
    return true;
}

/* Times in logs are local; figures must not depend on where the fuzzer runs. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    CHECK(fuzz_place_count <= FUZZ_PLACES_MAX);
    CHECK(setenv("TZ", "UTC", 1) == 0);
    if (getenv("FUZZ_PLACES") != NULL)
        CHECK(atexit(report_places) == 0);
    return 0;
}
