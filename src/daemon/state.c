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

/* `what` is known again of `count`; `instead`, when nothing could be read. */
static void tell_loaded(const char *path, enum result status, const char *why, uint64_t count,
                        const char *what, const char *instead)
{
    if (status == RESULT_OK)
        log_info("%s: %llu %s", path, (unsigned long long)count, what);
    else if (status == RESULT_INVALID)
        log_warning("%s %s: %llu %s", path, why, (unsigned long long)count, what);
    else if (status != RESULT_NOTFOUND)
        log_warning("%s: %s: %s", path, reason_of(status), instead);
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
    tell_loaded(path, status, why, stats.records, "records of the cache are known again",
                "the cache begins empty");
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
    tell_loaded(path, status, why, stats.clients, "clients are remembered",
                "no client is remembered");
}

static void load_greylist(const char *directory, struct greylist_table *greylist, int64_t wall_s)
{
    char path[PATH_MAX];
    const char *why = "";
    if (!path_of(directory, GREYLIST_FILE, path))
        return;
    enum result status = greylist_table_load(greylist, path, wall_s, &why);
    struct greylist_stats stats;
    greylist_table_stats(greylist, &stats);
    tell_loaded(path, status, why, stats.networks, "networks of the greylist are known again",
                "the greylist begins empty");
}

void state_load(const char *directory, const struct state *state, const struct clock *clock)
{
    if (directory == NULL)
        return;
    load_exemptions(directory, state->exemptions, clock_wall_s(clock));
    load_cache(directory, state->cache, clock);
    load_memory(directory, state->memory, clock_wall_s(clock));
    load_greylist(directory, state->greylist, clock_wall_s(clock));
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

/* Warns when it is not saved. */
static void tell_saved(const char *path, enum result status, const char *otherwise)
{
    if (status != RESULT_OK)
        log_warning("%s: %s: %s", path, reason_of(status), otherwise);
}

void state_save(const char *directory, const struct state *state, const struct clock *clock)
{
    char path[PATH_MAX] = "";
    int64_t wall_s = clock_wall_s(clock);
    if (directory == NULL)
        return;
    enum result status = path_of(directory, CACHE_FILE, path)
                             ? cache_save(state->cache, path, clock_ms(clock), wall_s)
                             : RESULT_IO;
    tell_saved(path, status, "the cache is not saved");
    status = path_of(directory, CLIENTS_FILE, path)
                 ? client_memory_save(state->memory, path, wall_s)
                 : RESULT_IO;
    tell_saved(path, status, "the memory of clients is not saved");
    status = path_of(directory, GREYLIST_FILE, path)
                 ? greylist_table_save(state->greylist, path, wall_s)
                 : RESULT_IO;
    greylist_table_is_kept(state->greylist, status == RESULT_OK);
    tell_saved(path, status, "the greylist is not saved, and nobody is greylisted");
}
