/* SPDX-License-Identifier: BSD-2-Clause */
/* What survives a restart is saved: on the work queue, as a disk may take its time. */
#include "daemon/service_state.h"

#include "base/log.h"
#include "daemon/state.h"

/* How often all but the exemptions is saved: so much of it is lost when the machine is
 * switched off. */
#define SAVE_CACHE_MS 600000

/* How long the end waits for a disk: see SERVICE_STOP_MAX_S. */
#define SAVE_LAST_MS 10000

_Static_assert(CONTROL_ERROR_MAX >= STATE_ERROR_MAX, "errors are handed through");

static struct state state_of(const struct service *service)
{
    return (struct state){service->exemptions, dns_service_cache(service->dns), service->memory,
                          service->greylist};
}

void saving_load(struct service *service)
{
    struct state state = state_of(service);
    state_load(service->state_dir, &state, &clock_system);
}

static void save_cache(void *arg)
{
    struct service *service = arg;
    struct state state = state_of(service);
    state_save(service->state_dir, &state, &clock_system);
}

static void cache_saved(void *arg)
{
    (void)arg; /* the next one is due by the clock */
}

void saving_tick(struct service *service, int64_t now_ms)
{
    struct service_saving *saving = &service->saving;
    if (now_ms < saving->cache_due_ms || saving->cache.busy)
        return;
    saving->cache_due_ms = now_ms + SAVE_CACHE_MS;
    work_queue_give(service->management.queue, &saving->cache);
}

static void save_exemptions(void *arg)
{
    struct service *service = arg;
    service->saving.saved =
        state_save_exemptions(service->state_dir, service->exemptions, service->saving.error);
}

static void begin(struct service *service)
{
    control_task_begins(service->management.control, CONTROL_TASK_SAVE);
    work_queue_give(service->management.queue, &service->saving.exemptions);
}

static void exemptions_saved(void *arg)
{
    struct service *service = arg;
    struct service_saving *saving = &service->saving;
    /* The change is in effect all the same. */
    control_task_ends(service->management.control, CONTROL_TASK_SAVE, NULL,
                      saving->saved ? NULL : saving->error);
    if (!saving->exemptions_again)
        return;
    saving->exemptions_again = false;
    begin(service);
}

void saving_exemptions(struct service *service)
{
    if (service->saving.exemptions.busy)
        service->saving.exemptions_again = true; /* this change may have come too late for it */
    else
        begin(service);
}

void saving_init(struct service *service)
{
    struct service_saving *saving = &service->saving;
    saving->cache = (struct work){.run = save_cache, .done = cache_saved, .arg = service};
    saving->exemptions =
        (struct work){.run = save_exemptions, .done = exemptions_saved, .arg = service};
    saving->cache_due_ms = service->started_ms + SAVE_CACHE_MS;
}

/* Exemptions whose saving was given up with the queue, and the cache. */
static void save_all(void *arg)
{
    struct service *service = arg;
    if (service->saving.exemptions.busy || service->saving.exemptions_again) {
        save_exemptions(service);
        if (!service->saving.saved)
            log_error("%s", service->saving.error);
    }
    save_cache(service);
}

bool saving_finish(struct service *service)
{
    struct work last = {.run = save_all, .arg = service};
    if (work_queue_finish(service->management.queue, &last, SAVE_LAST_MS))
        return true;
    log_error("%s: the disk does not answer: what has changed there is not saved",
              service->state_dir == NULL ? "files" : service->state_dir);
    return false;
}
