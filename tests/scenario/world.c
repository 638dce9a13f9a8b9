/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include "dns/zonefile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <unistd.h>

#define RULES_MAX 64
#define START_MS  1000000
#define START_S   INT64_C(1790000000) /* 2026-09-21 */

enum fate { AS_ZONE, SLOW, SILENT, FAIL, DENY };

struct rule {
    char name[NAME_TEXT_MAX];
    enum fate fate;
    int64_t delay_ms;
    enum dns_problem problem;
};

struct waiting {
    LIST_ENTRY(waiting) link;
    struct world *world;
    struct loop_timer *timer;
    struct question question;
    int64_t deadline_ms;
    bool in_vain; /* no answer before the deadline */
    source_done *done;
    void *arg;
};

struct world {
    struct source source; /* first: a struct source * is a struct world * */
    struct source *zone;
    struct clock clock;
    int64_t now_ms;
    int64_t wall_step_s;
    struct rule rules[RULES_MAX];
    size_t rule_count;
    struct loop *loop;
    LIST_HEAD(, waiting) waiting;
    unsigned questions;
};

static int64_t world_ms(void *arg)
{
    return ((struct world *)arg)->now_ms;
}

static int64_t world_s(void *arg)
{
    const struct world *world = arg;
    return START_S + (world->now_ms - START_MS) / 1000 + world->wall_step_s;
}

/* "*.example" is every name below it. */
static bool rule_is_for(const struct rule *rule, const char *name)
{
    size_t length = strlen(name), suffix = strlen(rule->name + 1);
    if (strncmp(rule->name, "*.", 2) != 0)
        return strcasecmp(rule->name, name) == 0;
    return length > suffix && strcasecmp(rule->name + 1, name + length - suffix) == 0;
}

static const struct rule *find_rule(const struct world *world, const struct question *question)
{
    char name[NAME_TEXT_MAX];
    wirename_text(question->name, question->length, name);
    for (size_t i = 0; i < world->rule_count; i++)
        if (rule_is_for(&world->rules[i], name))
            return &world->rules[i];
    return NULL;
}

static void give_problem(const struct question *question, enum dns_problem problem,
                         source_done *done, void *arg)
{
    struct source_result result = {.answer = answer_new_problem(question->type, problem),
                                   .chain_ttl_s = UINT32_MAX};
    done(arg, &result);
}

static void waiting_free(struct waiting *waiting)
{
    if (waiting->timer != NULL)
        LIST_REMOVE(waiting, link);
    loop_timer_free(waiting->timer);
    free(waiting);
}

static void on_due(void *arg)
{
    struct waiting waiting = *(struct waiting *)arg;
    struct source *zone = waiting.world->zone;
    waiting_free(arg);
    if (waiting.in_vain)
        give_problem(&waiting.question, PROBLEM_TIMEOUT, waiting.done, waiting.arg);
    else
        (void)zone->ops->ask(zone, &waiting.question, waiting.deadline_ms, waiting.done,
                             waiting.arg);
}

/* The zone denies a name below it, with its proof. */
static void *ask_below(struct world *world, const struct question *question, int64_t deadline_ms,
                       source_done *done, void *arg)
{
    struct question below = *question;
    if ((size_t)question->length + 2 > sizeof below.name)
        abort();
    memcpy(below.name, "\1x", 2);
    memcpy(below.name + 2, question->name, question->length);
    below.length = (uint8_t)(question->length + 2);
    return world->zone->ops->ask(world->zone, &below, deadline_ms, done, arg);
}

static void *wait_for(struct world *world, const struct question *question, const struct rule *rule,
                      int64_t deadline_ms, source_done *done, void *arg)
{
    int64_t due_ms = world->now_ms + rule->delay_ms;
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL ||
        (waiting->timer = loop_timer_new(world->loop, on_due, waiting)) == NULL) {
        free(waiting);
        done(arg, &(struct source_result){.chain_ttl_s = UINT32_MAX});
        return NULL;
    }
    waiting->world = world;
    waiting->question = *question;
    waiting->deadline_ms = deadline_ms;
    waiting->in_vain = rule->fate == SILENT || due_ms > deadline_ms;
    waiting->done = done;
    waiting->arg = arg;
    LIST_INSERT_HEAD(&world->waiting, waiting, link);
    if (loop_timer_arm(waiting->timer, waiting->in_vain ? deadline_ms : due_ms) != RESULT_OK)
        abort();
    return waiting;
}

static void *world_ask(struct source *source, const struct question *question, int64_t deadline_ms,
                       source_done *done, void *arg)
{
    struct world *world = (struct world *)source;
    const struct rule *rule = find_rule(world, question);
    world->questions++;
    if (rule == NULL || rule->fate == AS_ZONE)
        return world->zone->ops->ask(world->zone, question, deadline_ms, done, arg);
    if (rule->fate == DENY)
        return ask_below(world, question, deadline_ms, done, arg);
    if (rule->fate == FAIL) {
        give_problem(question, rule->problem, done, arg);
        return NULL;
    }
    return wait_for(world, question, rule, deadline_ms, done, arg);
}

static void world_cancel(struct source *source, void *handle)
{
    struct waiting waiting = *(struct waiting *)handle;
    (void)source;
    waiting_free(handle);
    give_problem(&waiting.question, PROBLEM_CANCELLED, waiting.done, waiting.arg);
}

static const char *world_server_text(const struct source *source, unsigned server)
{
    (void)source;
    (void)server;
    return "192.0.2.53:53";
}

static void world_source_free(struct source *source)
{
    (void)source; /* world_free() does it */
}

static const struct source_ops world_ops = {.ask = world_ask,
                                            .cancel = world_cancel,
                                            .server_text = world_server_text,
                                            .free = world_source_free};

static struct source *load_zone(const char *zone, char *error, size_t error_size)
{
    char path[] = "/tmp/iprevd-scenario-XXXXXX";
    char why[256] = "";
    unsigned line = 0;
    struct source *source = NULL;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, zone, strlen(zone)) != (ssize_t)strlen(zone)) {
        (void)snprintf(error, error_size, "cannot write %s", path);
    } else if (zonefile_load(path, &source, &line, why, sizeof why) != RESULT_OK) {
        (void)snprintf(error, error_size, "dns line %u: %s", line, why);
        source = NULL;
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return source;
}

struct world *world_new(const char *zone, char *error, size_t error_size)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL)
        return NULL;
    world->source.ops = &world_ops;
    world->now_ms = START_MS;
    world->clock = (struct clock){world_ms, world_s, world};
    world->zone = load_zone(zone, error, error_size);
    world->loop = loop_new_with(&world->clock);
    if (world->zone == NULL || world->loop == NULL) {
        world_free(world);
        return NULL;
    }
    return world;
}

const struct clock *world_clock(const struct world *world)
{
    return &world->clock;
}

struct loop *world_loop(struct world *world)
{
    return world->loop;
}

struct source *world_source(struct world *world)
{
    return &world->source;
}

static bool set_rule(struct world *world, const char *name, struct rule rule)
{
    size_t i = 0;
    while (i < world->rule_count && strcasecmp(world->rules[i].name, name) != 0)
        i++;
    if (i == RULES_MAX)
        return false;
    (void)snprintf(rule.name, sizeof rule.name, "%s", name);
    world->rules[i] = rule;
    if (i == world->rule_count)
        world->rule_count++;
    return true;
}

bool world_slow(struct world *world, const char *name, int64_t delay_ms)
{
    return set_rule(world, name, (struct rule){.fate = SLOW, .delay_ms = delay_ms});
}

bool world_silent(struct world *world, const char *name)
{
    return set_rule(world, name, (struct rule){.fate = SILENT});
}

bool world_fail(struct world *world, const char *name, const char *problem)
{
    for (int i = 1; i < PROBLEM_COUNT; i++)
        if (strcasecmp(dns_problem_text((enum dns_problem)i), problem) == 0)
            return set_rule(world, name,
                            (struct rule){.fate = FAIL, .problem = (enum dns_problem)i});
    return false;
}

bool world_deny(struct world *world, const char *name)
{
    return set_rule(world, name, (struct rule){.fate = DENY});
}

bool world_mend(struct world *world, const char *name)
{
    return set_rule(world, name, (struct rule){.fate = AS_ZONE});
}

void world_step_clock(struct world *world, int64_t seconds)
{
    world->wall_step_s += seconds;
}

static void run_due(struct world *world)
{
    while (loop_step(world->loop))
        ;
}

void world_advance(struct world *world, int64_t ms)
{
    int64_t until_ms = world->now_ms + ms, due_ms;
    run_due(world);
    while ((due_ms = loop_due_ms(world->loop)) <= until_ms) {
        if (due_ms > world->now_ms)
            world->now_ms = due_ms;
        run_due(world);
    }
    world->now_ms = until_ms;
}

unsigned world_questions(const struct world *world)
{
    return world->questions;
}

static void drop_waiting(struct world *world)
{
    while (!LIST_EMPTY(&world->waiting))
        waiting_free(LIST_FIRST(&world->waiting));
}

void world_restart(struct world *world)
{
    drop_waiting(world);
    loop_free(world->loop);
    world->loop = loop_new_with(&world->clock);
    if (world->loop == NULL)
        abort();
    world->now_ms = START_MS;
    world->wall_step_s = 0;
    world->rule_count = 0;
    world->questions = 0;
}

void world_free(struct world *world)
{
    if (world == NULL)
        return;
    drop_waiting(world);
    loop_free(world->loop);
    if (world->zone != NULL)
        world->zone->ops->free(world->zone);
    free(world);
}
