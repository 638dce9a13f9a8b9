/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/hostlookup.h"

#include "base/thread.h"
#include "dns/dnsrr.h"

#include <stdio.h>
#include <string.h>

/* One question under way; answers come on the resolver's thread. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    struct answer *answer;
    enum dns_origin origin;
    uint32_t ttl_left_s, took_ms;
};

static void keep(struct wait *wait, const struct resolver_answer *got)
{
    wait->answer = answer_ref(got->answer);
    wait->origin = got->origin;
    wait->ttl_left_s = got->ttl_left_s;
    wait->took_ms = got->took_ms;
    wait->done = true;
}

static void on_done(void *arg, const struct resolver_answer *got)
{
    struct wait *wait = arg;
    (void)pthread_mutex_lock(&wait->lock);
    keep(wait, got);
    (void)pthread_cond_signal(&wait->changed);
    (void)pthread_mutex_unlock(&wait->lock);
}

static bool wait_init(struct wait *wait)
{
    *wait = (struct wait){.done = false};
    return thread_lock_init(&wait->lock, &wait->changed) == RESULT_OK;
}

static void block_until(struct wait *wait, int64_t deadline_ms)
{
    const struct timespec until = thread_deadline(deadline_ms);
    (void)pthread_mutex_lock(&wait->lock);
    while (!wait->done && pthread_cond_timedwait(&wait->changed, &wait->lock, &until) == 0)
        continue;
    (void)pthread_mutex_unlock(&wait->lock);
}

/* Until it is said, `wait` must stay; cancelled, that is soon. */
static void block(struct wait *wait)
{
    (void)pthread_mutex_lock(&wait->lock);
    while (!wait->done)
        (void)pthread_cond_wait(&wait->changed, &wait->lock);
    (void)pthread_mutex_unlock(&wait->lock);
}

/* The question's answer, one reference, in `wait`. */
static enum result ask(struct resolver *resolver, const struct question *question,
                       int64_t deadline_ms, struct wait *wait)
{
    struct resolver_answer now;
    struct resolver_request *request = NULL;
    if (!wait_init(wait))
        return RESULT_NOMEM;
    enum result status =
        resolver_ask(resolver, question, 0, deadline_ms, on_done, wait, &now, &request);
    if (status == RESULT_OK) {
        keep(wait, &now);
        answer_unref(now.answer);
    } else if (status == RESULT_PENDING) {
        block_until(wait, deadline_ms);
        resolver_cancel(resolver, request);
        block(wait);
        status = RESULT_OK;
    }
    (void)pthread_cond_destroy(&wait->changed);
    (void)pthread_mutex_destroy(&wait->lock);
    if (status == RESULT_OK && wait->answer->outcome == DNS_TEMPERROR &&
        wait->answer->problem == PROBLEM_MEMORY) {
        answer_unref(wait->answer);
        return RESULT_NOMEM;
    }
    return status;
}

/* The text outlives the answer. */
static struct dns_evidence evidence_of(struct resolver *resolver, const struct wait *wait,
                                       char problem[HOSTLOOKUP_PROBLEM_MAX])
{
    const struct answer *answer = wait->answer;
    struct dns_evidence evidence = {.outcome = (enum dns_outcome)answer->outcome,
                                    .origin = wait->origin,
                                    .secure = answer->secure,
                                    .ttl_s = wait->ttl_left_s,
                                    .took_ms = wait->took_ms,
                                    .server = resolver_server_text(resolver, answer->server)};
    if (evidence.outcome == DNS_TEMPERROR) {
        bool late = answer->problem == PROBLEM_CANCELLED;
        (void)snprintf(problem, HOSTLOOKUP_PROBLEM_MAX, "%s",
                       late ? dns_problem_text(PROBLEM_DEADLINE) : answer_problem_text(answer));
        evidence.problem = problem;
        evidence.fault =
            dns_problem_fault(late ? PROBLEM_DEADLINE : (enum dns_problem)answer->problem);
    }
    return evidence;
}

/* The answer to a name's question, to be given back, and what there is to say of it.
   RESULT_INVALID: it is no name. */
static enum result ask_name(struct resolver *resolver, const char *name, enum rrtype type,
                            int64_t deadline_ms, struct wait *wait, struct dns_evidence *evidence,
                            char problem[HOSTLOOKUP_PROBLEM_MAX])
{
    struct question question;
    enum result status = question_from_name(name, type, &question);
    if (status == RESULT_OK)
        status = ask(resolver, &question, deadline_ms, wait);
    if (status == RESULT_OK)
        *evidence = evidence_of(resolver, wait, problem);
    return status;
}

/* --- hosts ---------------------------------------------------------------------------------- */

static enum result ask_family(struct resolver *resolver, const char *name, enum rrtype type,
                              int64_t deadline_ms, struct host_family *out)
{
    struct wait wait;
    enum result status =
        ask_name(resolver, name, type, deadline_ms, &wait, &out->evidence, out->problem);
    if (status != RESULT_OK)
        return status;
    out->aliased = wait.answer->aliased;
    for (size_t i = 0; wait.answer->outcome == DNS_FOUND && i < wait.answer->count; i++) {
        if (out->count == HOSTLOOKUP_ADDRESSES_MAX)
            out->over++;
        else
            answer_address(wait.answer, i, &out->addresses[out->count++]);
    }
    out->over += wait.answer->dropped;
    answer_unref(wait.answer);
    return RESULT_OK;
}

enum result hostlookup_host(struct resolver *resolver, const char *name, int64_t deadline_ms,
                            struct host *out)
{
    memset(out, 0, sizeof *out);
    memcpy(out->name, name, strnlen(name, HOSTNAME_MAX));
    enum result status = ask_family(resolver, name, RR_A, deadline_ms, &out->v4);
    if (status == RESULT_OK)
        status = ask_family(resolver, name, RR_AAAA, deadline_ms, &out->v6);
    return status;
}

/* --- MX ------------------------------------------------------------------------------------- */

static bool has_host(const struct mx_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->hosts[i].text, text) == 0)
            return true;
    return false;
}

static void add_host(struct mx_list *list, const char *text)
{
    struct mx_host *host = &list->hosts[list->count];
    if (has_host(list, text))
        return;
    if (list->count == HOSTLOOKUP_HOSTS_MAX) {
        list->over++;
        return;
    }
    list->count++;
    memcpy(host->text, text, strlen(text) + 1);
    switch (hostname_parse(text, host->name)) {
    case HOSTNAME_OK:
        host->kind = MX_HOST;
        return;
    case HOSTNAME_IP_ADDRESS:
        host->kind = MX_ADDRESS;
        break;
    case HOSTNAME_EMPTY:
    case HOSTNAME_ONE_LABEL:
    case HOSTNAME_MALFORMED:
        host->kind = MX_UNUSABLE;
        break;
    }
    host->name[0] = '\0';
}

enum result hostlookup_mx(struct resolver *resolver, const char *domain, int64_t deadline_ms,
                          struct mx_list *out)
{
    struct wait wait;
    char text[NAME_TEXT_MAX];
    memset(out, 0, sizeof *out);
    enum result status =
        ask_name(resolver, domain, RR_MX, deadline_ms, &wait, &out->evidence, out->problem);
    if (status != RESULT_OK)
        return status;
    for (size_t i = 0; wait.answer->outcome == DNS_FOUND && i < wait.answer->count; i++) {
        size_t length;
        const uint8_t *name = answer_name(wait.answer, i, &length);
        out->null_mx = length == 1 && wait.answer->count == 1;
        if (!out->null_mx)
            add_host(out, wirename_text(name, length, text));
    }
    out->over += wait.answer->dropped;
    answer_unref(wait.answer);
    return RESULT_OK;
}

/* --- TXT ------------------------------------------------------------------------------------ */

enum result hostlookup_txt(struct resolver *resolver, const char *domain,
                           bool (*wanted)(const char *text), int64_t deadline_ms,
                           struct txt_record *out)
{
    struct wait wait;
    char text[HOSTLOOKUP_TEXT_MAX + 1];
    memset(out, 0, sizeof *out);
    enum result status =
        ask_name(resolver, domain, RR_TXT, deadline_ms, &wait, &out->evidence, out->problem);
    if (status != RESULT_OK)
        return status;
    for (size_t i = 0; wait.answer->outcome == DNS_FOUND && i < wait.answer->count; i++) {
        if (!answer_text(wait.answer, i, text, sizeof text))
            out->unusable++;
        else if (wanted(text) && out->count++ == 0)
            memcpy(out->text, text, sizeof text);
    }
    answer_unref(wait.answer);
    return RESULT_OK;
}

/* --- names ---------------------------------------------------------------------------------- */

static void name_from_wire(const uint8_t *name, size_t length, struct dns_name *out)
{
    (void)wirename_text(name, length, out->text);
    out->question = (struct question){.length = (uint8_t)length};
    memcpy(out->question.name, name, length);
}

enum result hostlookup_name(const char *name, struct dns_name *out)
{
    enum result status = question_from_name(name, RR_A, &out->question);
    if (status == RESULT_OK)
        (void)wirename_text(out->question.name, out->question.length, out->text);
    return status;
}

enum result hostlookup_next(struct resolver *resolver, const struct dns_name *name, uint16_t type,
                            int64_t deadline_ms, struct dns_name *out)
{
    struct question question = name->question;
    struct wait wait;
    size_t length;
    question.type = type;
    enum result status = ask(resolver, &question, deadline_ms, &wait);
    if (status != RESULT_OK)
        return status;
    status = RESULT_NOTFOUND;
    if (wait.answer->outcome == DNS_FOUND && wait.answer->count > 0) {
        const uint8_t *first = answer_name(wait.answer, 0, &length);
        name_from_wire(first, length, out);
        status = RESULT_OK;
    }
    answer_unref(wait.answer);
    return status;
}

static void keep_record(const struct answer *answer, size_t i, char out[NAME_TEXT_MAX])
{
    struct ipaddr address;
    size_t length;
    if (answer->type == RR_A || answer->type == RR_AAAA) {
        answer_address(answer, i, &address);
        (void)ipaddr_format(&address, out);
        return;
    }
    const uint8_t *name = answer_name(answer, i, &length);
    (void)wirename_text(name, length, out);
}

enum result hostlookup_records(struct resolver *resolver, const struct dns_name *name,
                               uint16_t type, int64_t deadline_ms, struct dns_records *out)
{
    struct question question = name->question;
    struct wait wait;
    memset(out, 0, sizeof *out);
    question.type = type;
    enum result status = ask(resolver, &question, deadline_ms, &wait);
    if (status != RESULT_OK)
        return status;
    out->evidence = evidence_of(resolver, &wait, out->problem);
    for (size_t i = 0; wait.answer->outcome == DNS_FOUND && i < wait.answer->count; i++) {
        if (out->count == HOSTLOOKUP_RECORDS_MAX)
            out->over++;
        else
            keep_record(wait.answer, i, out->texts[out->count++]);
    }
    out->over += wait.answer->dropped;
    answer_unref(wait.answer);
    return RESULT_OK;
}

enum result hostlookup_zone(struct resolver *resolver, const struct dns_name *name, unsigned skip,
                            int64_t deadline_ms, struct dns_name *out)
{
    const uint8_t *at = name->question.name;
    for (; *at != 0; at = wire_name_parent(at)) {
        size_t length = name->question.length - (size_t)(at - name->question.name);
        struct question question = {.type = RR_SOA, .length = (uint8_t)length};
        struct wait wait;
        if (skip > 0) {
            skip--;
            continue;
        }
        memcpy(question.name, at, length);
        enum result status = ask(resolver, &question, deadline_ms, &wait);
        if (status != RESULT_OK)
            return status;
        bool found = wait.answer->outcome == DNS_FOUND && !wait.answer->aliased;
        bool failed = wait.answer->outcome == DNS_TEMPERROR; /* it may be the one */
        answer_unref(wait.answer);
        if (failed)
            break;
        if (!found)
            continue;
        name_from_wire(at, length, out);
        return RESULT_OK;
    }
    return RESULT_NOTFOUND;
}
