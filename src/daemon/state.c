/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/state.h"

#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char CACHE_FILE[] = "cache";
static const char CLIENTS_FILE[] = "clients";
static const char GREYLIST_FILE[] = "greylist";

/* False: the path is too long for any file. */
static bool path_of(const char *directory, const char *file, char out[PATH_MAX])
{
    int length = snprintf(out, PATH_MAX, "%s/%s", directory, file);
    if (length > 0 && length < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static const char *reason_of(enum result status)
{
    return status == RESULT_IO ? strerror(errno) : result_text(status);
}

static void set_aside(const char *path)
{
    char aside[PATH_MAX];
    int length = snprintf(aside, sizeof aside, "%s.bad", path);
    if (length <= 0 || length >= PATH_MAX || rename(path, aside) != 0)
        log_error("%s could not be set aside as %s.bad: %s", path, path, strerror(errno));
    else
        log_error("%s is set aside as %s", path, aside);
}

static void load_exemptions(const char *directory, struct exemptions *exemptions, int64_t wall_s)
{
    char path[PATH_MAX], error[STATE_ERROR_MAX];
    unsigned line = 0;
    if (!path_of(directory, EXEMPTIONS_FILE, path))
        return; /* saving says so */
    enum result status = exemptions_load(exemptions, path, wall_s, &line);
    size_t count = exemptions_count(exemptions);
    if (status == RESULT_INVALID) {
        log_error("%s:%u: damaged: %zu exemptions that are whole are in effect", path, line, count);
        set_aside(path);
        if (!state_save_exemptions(directory, exemptions, error))
            log_error("%s", error);
    } else if (status != RESULT_OK && status != RESULT_NOTFOUND) {
        log_error("%s: %s: earlier exemptions are not in effect", path, reason_of(status));
    } else if (count > 0) {
        log_info("%s: %zu exemptions are in effect", path, count);
    }
}

static void load_cache(const char *directory, struct cache *cache, const struct clock *clock)
{
    char path[PATH_MAX];
    const char *why = "";
    if (!path_of(directory, CACHE_FILE, path))
        return;
    enum result status = cache_load(cache, path, clock_ms(clock), clock_wall_s(clock), &why);
    struct cache_stats stats;
    cache_stats(cache, &stats);
    if (status == RESULT_OK)
        log_info("%s: %llu records of the cache are known again", path,
                 (unsigned long long)stats.records);
    else if (status == RESULT_INVALID)
        log_warning("%s %s: %llu records of the cache are known again", path, why,
                    (unsigned long long)stats.records);
    else if (status != RESULT_NOTFOUND)
        log_warning("%s: %s: the cache begins empty", path, reason_of(status));
}

static void load_memory(const char *directory, struct client_memory *memory, int64_t wall_s)
{
    char path[PATH_MAX];
    const char *why = "";
    if (!path_of(directory, CLIENTS_FILE, path))
        return;
    enum result status = client_memory_load(memory, path, wall_s, &why);
    struct client_memory_stats stats;
    client_memory_stats(memory, &stats);
    unsigned long long clients = stats.clients;
    if (status == RESULT_OK)
        log_info("%s: %llu clients are remembered", path, clients);
    else if (status == RESULT_INVALID)
        log_warning("%s %s: %llu clients are remembered", path, why, clients);
    else if (status != RESULT_NOTFOUND)
        log_warning("%s: %s: no client is remembered", path, reason_of(status));
}

void state_load(const char *directory, struct exemptions *exemptions, struct cache *cache,
                struct client_memory *memory, const struct clock *clock)
{
    if (directory == NULL)
        return;
    load_exemptions(directory, exemptions, clock_wall_s(clock));
    load_cache(directory, cache, clock);
    load_memory(directory, memory, clock_wall_s(clock));
}

bool state_save_exemptions(const char *directory, struct exemptions *exemptions,
                           char error[STATE_ERROR_MAX])
{
    char path[PATH_MAX] = "";
    if (directory == NULL) {
        (void)snprintf(error, STATE_ERROR_MAX,
                       "exemptions will not survive a restart: state-dir is none");
        return false;
    }
    enum result status = RESULT_IO;
    if (path_of(directory, EXEMPTIONS_FILE, path))
        status = exemptions_save(exemptions, path);
    if (status == RESULT_OK)
        return true;
    (void)snprintf(error, STATE_ERROR_MAX, "exemptions will not survive a restart: %.100s: %s",
                   path, reason_of(status));
    return false;
}

void state_save_cache(const char *directory, struct cache *cache, const struct clock *clock)
{
    char path[PATH_MAX] = "";
    if (directory == NULL)
        return;
    enum result status = RESULT_IO;
    if (path_of(directory, CACHE_FILE, path))
        status = cache_save(cache, path, clock_ms(clock), clock_wall_s(clock));
    if (status != RESULT_OK)
        log_warning("%s: %s: the cache is not saved", path, reason_of(status));
}

void state_save_memory(const char *directory, struct client_memory *memory,
                       const struct clock *clock)
{
    char path[PATH_MAX] = "";
    if (directory == NULL)
        return;
    enum result status = RESULT_IO;
    if (path_of(directory, CLIENTS_FILE, path))
        status = client_memory_save(memory, path, clock_wall_s(clock));
    if (status != RESULT_OK)
        log_warning("%s: %s: the memory of clients is not saved", path, reason_of(status));
}

void state_load_greylist(const char *directory, struct greylist_table *greylist,
                         const struct clock *clock)
{
    char path[PATH_MAX];
    const char *why = "";
    if (directory == NULL || !path_of(directory, GREYLIST_FILE, path))
        return;
    enum result status = greylist_table_load(greylist, path, clock_wall_s(clock), &why);
    struct greylist_stats stats;
    greylist_table_stats(greylist, &stats);
    unsigned long long networks = stats.networks;
    if (status == RESULT_OK)
        log_info("%s: %llu networks of the greylist are known again", path, networks);
    else if (status == RESULT_INVALID)
        log_warning("%s %s: %llu networks of the greylist are known again", path, why, networks);
    else if (status != RESULT_NOTFOUND)
        log_warning("%s: %s: the greylist begins empty", path, reason_of(status));
}

void state_save_greylist(const char *directory, struct greylist_table *greylist,
                         const struct clock *clock)
{
    char path[PATH_MAX] = "";
    if (directory == NULL)
        return;
    enum result status = RESULT_IO;
    if (path_of(directory, GREYLIST_FILE, path))
        status = greylist_table_save(greylist, path, clock_wall_s(clock));
    greylist_table_is_kept(greylist, status == RESULT_OK);
    if (status != RESULT_OK)
        log_warning("%s: %s: the greylist is not saved, and nobody is greylisted", path,
                    reason_of(status));
}
