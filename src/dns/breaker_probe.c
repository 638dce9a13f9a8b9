/* SPDX-License-Identifier: BSD-2-Clause */
/* The breaker at work: what it hears, and its probes, which are questions past the cache. */
#include "dns/breaker.h"

#include "base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The name that does not exist, the control, and clients whose PTR record was found. */
#define QUESTIONS_MAX (2 + BREAKER_FOUND_MAX)

/* One question of a probe. */
struct asked {
    struct breaker *breaker;
    void *handle; /* for cancel; NULL: it has ended, or is being asked */
};

struct breaker {
    struct breaker_services use;
    bool stopped;
    struct breaker_window window;
    atomic_bool open, denies; /* the window's, for other threads ... */
    _Atomic int64_t since_ms; /* ... as is this */
    struct question found[BREAKER_FOUND_MAX];
    unsigned found_count, found_next;
    struct loop_timer *again;
    /* The probe under way. */
    struct source *source; /* a user of it; NULL: there is none */
    struct asked asked[QUESTIONS_MAX];
    unsigned left;                      /* questions not answered yet */
    unsigned found_now, denied, failed; /* the others */
};

static void on_again(void *arg);

/* --- life ------------------------------------------------------------------------------------ */

struct breaker *breaker_new(const struct breaker_services *services)
{
    struct breaker *breaker = calloc(1, sizeof *breaker);
    if (breaker == NULL)
        return NULL;
    breaker->use = *services;
    breaker->again = loop_timer_new(services->loop, on_again, breaker);
    if (breaker->again == NULL) {
        free(breaker);
        return NULL;
    }
    atomic_init(&breaker->open, false);
    atomic_init(&breaker->denies, false);
    atomic_init(&breaker->since_ms, 0);
    return breaker;
}

void breaker_free(struct breaker *breaker)
{
    if (breaker == NULL)
        return;
    loop_timer_free(breaker->again);
    free(breaker);
}

struct control_change {
    struct breaker *breaker;
    struct ipaddr control;
};

static void change_control(void *arg)
{
    struct control_change *change = arg;
    change->breaker->use.control = change->control;
    free(change);
}

enum result breaker_set_control(struct breaker *breaker, const struct ipaddr *control)
{
    struct control_change *change = malloc(sizeof *change);
    if (change == NULL)
        return RESULT_NOMEM;
    *change = (struct control_change){breaker, *control};
    enum result status = loop_post(breaker->use.loop, change_control, change);
    if (status != RESULT_OK)
        free(change);
    return status;
}

/* --- the end of a probe ---------------------------------------------------------------------- */

static void log_change(const struct breaker *breaker)
{
    char control[IPADDR_TEXT_MAX] = "clients that had one";
    if (breaker->use.control.family != IP_NONE)
        ipaddr_format(&breaker->use.control, control);
    if (!breaker->window.open)
        log_info("DNS outage over: lookups are answered again");
    else if (breaker->window.cause == BREAKER_DENIES_ALL)
        log_warning(
            "DNS outage: the servers deny everything: of %u networks none has a PTR record, "
            "nor has %s; outage-action applies",
            BREAKER_DENIED_NETWORKS, control);
    else
        log_warning("DNS outage: lookups of different zones fail, and the servers do not resolve a "
                    "name that we chose; outage-action applies");
}

/* What fails is said now and then when it is no outage: nobody would look for it. */
static void log_no_outage(struct breaker *breaker)
{
    if (finding_note(breaker->use.findings, FINDING_PTR_FAILS, breaker->use.loop))
        log_warning("PTR lookups of different networks fail and hardly any is answered, though the "
                    "servers resolve names that we chose: it is no outage to iprevd");
}

static void end_probe(struct breaker *breaker, enum breaker_probe probe)
{
    int64_t now_ms = loop_now_ms(breaker->use.loop);
    enum breaker_suspicion what = breaker->window.probing;
    bool changed = breaker_window_probed(&breaker->window, probe, now_ms);
    const struct breaker_window *window = &breaker->window;
    atomic_store(&breaker->since_ms, window->since_ms);
    atomic_store(&breaker->denies, window->cause == BREAKER_DENIES_ALL);
    atomic_store(&breaker->open, window->open);
    /* Without memory the breaker would stay open: the next outcome may begin a probe, too. */
    if (window->open && !breaker->stopped &&
        loop_timer_arm(breaker->again, window->probe_ms + BREAKER_OPEN_MS) != RESULT_OK)
        log_error("out of memory: the DNS outage is not probed");
    if (!changed && !window->open && what == BREAKER_DOWN && probe == BREAKER_ANSWERED)
        log_no_outage(breaker);
    if (!changed)
        return;
    metric_set(breaker->use.outage, 0, 0, window->open);
    if (window->open && window->cause == BREAKER_DENIES_ALL)
        (void)finding_note(breaker->use.findings, FINDING_DENIES_ALL, breaker->use.loop);
    log_change(breaker);
    breaker->use.changed(breaker->use.arg, window->open);
}

/* The servers' own answers to what was asked about the suspicion. */
static enum breaker_probe verdict(const struct breaker *breaker)
{
    if (breaker->stopped)
        return BREAKER_UNKNOWN; /* not all were waited for */
    if (!sources_is_present(breaker->use.sources, breaker->source))
        return BREAKER_UNKNOWN; /* other servers by now */
    if (breaker->window.probing == BREAKER_DOWN) {
        if (breaker->failed > 0)
            return BREAKER_FAILED;
        return breaker->found_now + breaker->denied > 0 ? BREAKER_ANSWERED : BREAKER_UNKNOWN;
    }
    if (breaker->found_now > 0)
        return BREAKER_ANSWERED;
    if (breaker->failed > 0)
        return BREAKER_UNCLEAR;
    return breaker->denied > 0 ? BREAKER_FAILED : BREAKER_UNKNOWN;
}

/* Was it denied, with or without proof? */
static bool is_denial(const struct answer *answer)
{
    return answer_is_denial(answer) ||
           (answer->outcome == DNS_TEMPERROR &&
            (answer->problem == PROBLEM_NO_SOA || answer->problem == PROBLEM_OTHER_SOA));
}

static void note_answer(struct breaker *breaker, const struct answer *answer)
{
    if (answer == NULL || (answer->outcome == DNS_TEMPERROR &&
                           dns_problem_is_ours((enum dns_problem)answer->problem)))
        return; /* says nothing of the servers */
    bool failed = answer->outcome == DNS_TEMPERROR && !dns_problem_is_of_the_zone(answer->problem);
    if (breaker->window.probing == BREAKER_DENIES_ALL && is_denial(answer))
        breaker->denied++;
    else if (failed)
        breaker->failed++;
    else if (is_denial(answer))
        breaker->denied++;
    else
        breaker->found_now++;
}

static void finish(struct breaker *breaker)
{
    struct source *source = breaker->source;
    enum breaker_probe probe = verdict(breaker);
    breaker->source = NULL;
    sources_release(breaker->use.sources, source);
    end_probe(breaker, probe);
}

/* The name does not exist, and has an address: so will every name that a client invents. */
static void log_invented(struct breaker *breaker)
{
    if (finding_note(breaker->use.findings, FINDING_INVENTS, breaker->use.loop))
        log_warning(
            "the DNS servers invent addresses for names that do not exist (below com): HELO "
            "names and senders that do not exist look as if they did");
}

static void on_probe(void *arg, const struct source_result *result)
{
    struct asked *asked = arg;
    struct breaker *breaker = asked->breaker;
    if (result->answer != NULL && result->answer->type == RR_A &&
        result->answer->outcome == DNS_FOUND)
        log_invented(breaker);
    note_answer(breaker, result->answer);
    answer_unref(result->answer);
    asked->handle = NULL;
    if (--breaker->left == 0)
        finish(breaker);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* The questions about what is suspected; returns how many. */
static unsigned make_questions(const struct breaker *breaker, struct question out[QUESTIONS_MAX])
{
    struct question seed = {.type = RR_A, .length = sizeof(int64_t)};
    int64_t now_ms = loop_now_ms(breaker->use.loop);
    unsigned count = 0;
    if (breaker->window.probing == BREAKER_DOWN) {
        memcpy(seed.name, &now_ms, sizeof now_ms);
        breaker_question(cache_hash(breaker->use.cache, &seed), &out[count++]);
    }
    if (breaker->use.control.family != IP_NONE)
        question_from_addr(&breaker->use.control, &out[count++]);
    for (unsigned i = 0; i < breaker->found_count && breaker->window.probing == BREAKER_DENIES_ALL;
         i++)
        out[count++] = breaker->found[i];
    return count;
}

static void begin_probe(struct breaker *breaker)
{
    struct question questions[QUESTIONS_MAX];
    unsigned count = make_questions(breaker, questions);
    if (breaker->stopped || count == 0) {
        end_probe(breaker, BREAKER_UNKNOWN);
        return;
    }
    int64_t most_ms = breaker->window.open ? BREAKER_CLOSING_MS : BREAKER_PROBE_MS;
    struct source *source = breaker->source = sources_use(breaker->use.sources);
    breaker->found_now = breaker->denied = breaker->failed = 0;
    breaker->left = count + 1; /* one is ours: the probe does not end while it begins */
    for (unsigned i = 0; i < count; i++) {
        struct asked *asked = &breaker->asked[i];
        *asked = (struct asked){.breaker = breaker};
        void *handle = source->ops->ask(source, &questions[i],
                                        loop_now_ms(breaker->use.loop) + most_ms, on_probe, asked);
        if (handle != NULL) /* none: it has ended */
            asked->handle = handle;
    }
    if (--breaker->left == 0)
        finish(breaker);
}

static void on_again(void *arg)
{
    struct breaker *breaker = arg;
    if (breaker_window_again(&breaker->window, loop_now_ms(breaker->use.loop)) != BREAKER_NOTHING)
        begin_probe(breaker);
}

void breaker_stop(struct breaker *breaker)
{
    breaker->stopped = true;
    loop_timer_disarm(breaker->again);
    for (unsigned i = 0; i < QUESTIONS_MAX && breaker->source != NULL; i++)
        if (breaker->asked[i].handle != NULL) /* on_probe() is called before this returns */
            breaker->source->ops->cancel(breaker->source, breaker->asked[i].handle);
}

/* --- what it hears --------------------------------------------------------------------------- */

/* Of different networks, as far as there are. */
static void remember_found(struct breaker *breaker, const struct question *question)
{
    uint64_t zone = breaker_zone(question);
    for (unsigned i = 0; i < breaker->found_count; i++)
        if (breaker_zone(&breaker->found[i]) == zone)
            return;
    breaker->found[breaker->found_next] = *question;
    breaker->found_next = (breaker->found_next + 1) % BREAKER_FOUND_MAX;
    if (breaker->found_count < BREAKER_FOUND_MAX)
        breaker->found_count++;
}

static enum breaker_outcome outcome_of(const struct answer *answer)
{
    if (answer == NULL ||
        (answer->outcome == DNS_TEMPERROR && !dns_problem_is_of_the_zone(answer->problem)))
        return BREAKER_ZONE_FAILS;
    /* A zone file is its own proof. */
    return answer_is_denial(answer) && answer->origin != DNS_FROM_ZONE ? BREAKER_ZONE_DENIES
                                                                       : BREAKER_ZONE_FOUND;
}

void breaker_report(struct breaker *breaker, const struct question *question,
                    const struct answer *answer)
{
    enum breaker_outcome outcome = outcome_of(answer);
    if (answer != NULL && answer->outcome == DNS_TEMPERROR &&
        dns_problem_is_ours((enum dns_problem)answer->problem))
        return; /* our own limits say nothing of the servers */
    if (answer != NULL && answer->outcome == DNS_FOUND && question->type == RR_PTR)
        remember_found(breaker, question);
    if (breaker_window_feed(&breaker->window, question, outcome, loop_now_ms(breaker->use.loop)) !=
        BREAKER_NOTHING)
        begin_probe(breaker);
}

/* --- what others may know -------------------------------------------------------------------- */

struct breaker_health breaker_health(const struct breaker *breaker)
{
    return (struct breaker_health){.open = atomic_load(&breaker->open),
                                   .denies = atomic_load(&breaker->denies),
                                   .since_ms = atomic_load(&breaker->since_ms)};
}

bool breaker_is_open(const struct breaker *breaker)
{
    return atomic_load(&breaker->open);
}

bool breaker_denies(const struct breaker *breaker)
{
    return atomic_load(&breaker->denies);
}
