/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_hosts.h"

#include "base/plural.h"
#include "ctl/evidence.h"
#include "ctl/hostlookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int64_t deadline_of(const struct check_run *run)
{
    return clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
}

static const char *problem_of(const struct dns_evidence *evidence)
{
    return evidence->problem != NULL ? evidence->problem : "temporary failure";
}

static const char *negative_text(const struct dns_evidence *evidence)
{
    return evidence->outcome == DNS_NXDOMAIN ? "NXDOMAIN" : "no record";
}

/* --- a host --------------------------------------------------------------------------------- */

static void put_family(const struct check_part *part, const struct host *host, const char *type,
                       const struct host_family *family)
{
    char text[IPADDR_TEXT_MAX];
    evidence_put_label(part->out, "host", part->run->colour);
    (void)fprintf(part->out, "%s %s ", host->name, type);
    if (family->count == 0) {
        evidence_put_outcome(part->out, &family->evidence);
        return;
    }
    for (size_t i = 0; i < family->count; i++)
        (void)fprintf(part->out, "%s%s", i > 0 ? ", " : "",
                      ipaddr_format(&family->addresses[i], text));
    if (family->over > 0)
        (void)fprintf(part->out, " and %zu more", family->over);
    evidence_put_origin(part->out, &family->evidence);
    (void)fputc('\n', part->out);
}

/* False: out of memory. */
static bool check_family(struct check_part *part, const struct host *host, const char *mx,
                         const char *type, const struct host_family *family)
{
    bool ok = true;
    if (family->evidence.outcome == DNS_TEMPERROR)
        check_client_fail(part, EX_TEMPFAIL,
                          "looking up the %s of %s failed temporarily (%s): try again later", type,
                          host->name, problem_of(&family->evidence));
    for (size_t i = 0; i < family->count && ok; i++) {
        const struct check_target target = {.client = family->addresses[i],
                                            .helo = part->run->helo != NULL ? part->run->helo
                                                                            : host->name,
                                            .host = host->name,
                                            .mx = mx};
        ok = check_client_decide(part, &target);
    }
    if (family->over > 0)
        check_client_warn(part, "%s has %zu more %s record%s left out", host->name, family->over,
                          type, plural_of(family->over, ", which is", "s, which are"));
    return ok;
}

static bool is_negative(const struct host_family *family)
{
    return family->count == 0 && family->evidence.outcome != DNS_TEMPERROR;
}

/* All addresses of a host; `mx`: the domain whose MX it is, or NULL. */
static bool check_host(struct check_part *part, const char *name, const char *mx, struct host *host)
{
    enum result status =
        hostlookup_host(dns_service_resolver(part->run->dns), name, deadline_of(part->run), host);
    if (status == RESULT_NOMEM)
        return false;
    if (status != RESULT_OK) {
        check_client_fail(part, EX_NOHOST, "%s cannot be looked up", name);
        return true;
    }
    if (!part->run->json) {
        check_client_block(part);
        put_family(part, host, "A", &host->v4);
        put_family(part, host, "AAAA", &host->v6);
    }
    if (mx != NULL && (host->v4.aliased || host->v6.aliased))
        check_client_warn(
            part,
            "the MX %s of %s is an alias (CNAME), which RFC 2181 10.3 and RFC 5321 5.1 forbid",
            name, mx);
    if (is_negative(&host->v4) && is_negative(&host->v6)) {
        check_client_fail(part, EX_NOHOST, "%s has no address (A: %s, AAAA: %s)", name,
                          negative_text(&host->v4.evidence), negative_text(&host->v6.evidence));
        return true;
    }
    return check_family(part, host, mx, "A", &host->v4) &&
           check_family(part, host, mx, "AAAA", &host->v6);
}

static bool work(struct check_item *item)
{
    struct host *host = malloc(sizeof *host);
    bool ok = host != NULL &&
              check_host(&item->part, item->host, item->mx[0] != '\0' ? item->mx : NULL, host);
    free(host);
    return ok;
}

bool check_hosts_host(struct check_queue *queue, const char *name, const char *mx)
{
    struct check_item *item = check_queue_item(queue);
    if (item != NULL) {
        item->work = work;
        (void)snprintf(item->host, sizeof item->host, "%s", name);
        (void)snprintf(item->mx, sizeof item->mx, "%s", mx);
    }
    return check_queue_add(queue, item);
}

/* --- MX ------------------------------------------------------------------------------------- */

static void put_mx(struct check_part *part, const char *domain, const struct mx_list *list)
{
    check_client_block(part);
    evidence_put_label(part->out, "MX", part->run->colour);
    (void)fprintf(part->out, "%s ", domain);
    if (list->evidence.outcome != DNS_FOUND) {
        evidence_put_outcome(part->out, &list->evidence);
        return;
    }
    (void)fputs(list->null_mx ? "\".\", the null MX" : "in order of preference", part->out);
    evidence_put_origin(part->out, &list->evidence);
    (void)fputc('\n', part->out);
    for (size_t i = 0; i < list->count; i++) {
        evidence_put_label(part->out, "", part->run->colour);
        (void)fprintf(part->out, "%zu. %s\n", i + 1, list->hosts[i].text);
    }
}

/* What is said of the domain itself, in a part of its own.  NULL: out of memory. */
static bool add_mx_flaw(struct check_queue *queue, const char *domain, const struct mx_host *mx)
{
    struct check_item *item = check_queue_item(queue);
    if (item != NULL && mx->kind == MX_ADDRESS)
        check_client_fail(
            &item->part, EX_NOHOST,
            "the MX of %s is an address, %s: an MX must be a host name (RFC 1035 3.3.9)", domain,
            mx->text);
    else if (item != NULL)
        check_client_fail(&item->part, EX_NOHOST, "the MX of %s is \"%s\", which is no host name",
                          domain, mx->text);
    return check_queue_add(queue, item);
}

/* The hosts to check: those of the MX records, or the domain itself; 0: none. */
static size_t judge_mx(struct check_part *part, const char *domain, const struct mx_list *list)
{
    switch (list->evidence.outcome) {
    case DNS_TEMPERROR:
        check_client_fail(part, EX_TEMPFAIL,
                          "looking up the MX of %s failed temporarily (%s): try again later",
                          domain, problem_of(&list->evidence));
        return 0;
    case DNS_NXDOMAIN:
        check_client_fail(part, EX_NOHOST, "there is no domain %s (NXDOMAIN)", domain);
        return 0;
    case DNS_FOUND:
        if (list->over > 0)
            check_client_warn(part, "%s has %zu more MX host%s left out", domain, list->over,
                              plural_of(list->over, ", which is", "s, which are"));
        if (list->null_mx)
            check_client_fail(part, EX_NOHOST,
                              "%s says that it takes no mail (null MX, RFC 7505): nothing to check",
                              domain);
        return list->count;
    case DNS_NODATA:
    case DNS_NOT_ASKED:
        break;
    }
    if (!part->run->json)
        (void)fprintf(part->out,
                      "%-11sno MX: mail goes to the domain's own addresses (RFC 5321 5.1)\n", "");
    return 1;
}

static bool add_mx_hosts(struct check_queue *queue, const char *domain, const struct mx_list *list)
{
    bool ok = true;
    check_queue_expect(queue, list->count);
    for (size_t i = 0; i < list->count && ok; i++) {
        const struct mx_host *mx = &list->hosts[i];
        ok = mx->kind == MX_HOST ? check_hosts_host(queue, mx->name, domain)
                                 : add_mx_flaw(queue, domain, mx);
    }
    return ok;
}

bool check_hosts_mx(struct check_queue *queue, const char *domain)
{
    const struct check_run *run = check_queue_run(queue);
    struct mx_list *list = malloc(sizeof *list);
    enum result status = RESULT_NOMEM;
    if (list != NULL)
        status = hostlookup_mx(dns_service_resolver(run->dns), domain, deadline_of(run), list);
    struct check_item *item = status != RESULT_NOMEM ? check_queue_item(queue) : NULL;
    size_t count = 0;
    if (item != NULL && status != RESULT_OK)
        check_client_fail(&item->part, EX_NOHOST, "%s cannot be looked up", domain);
    if (item != NULL && status == RESULT_OK) {
        if (!run->json)
            put_mx(&item->part, domain, list);
        count = judge_mx(&item->part, domain, list);
    }
    bool ok = check_queue_add(queue, item);
    if (ok && count > 0)
        ok = list->count > 0 ? add_mx_hosts(queue, domain, list)
                             : check_hosts_host(queue, domain, domain);
    free(list);
    return ok;
}
