/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_hosts.h"

#include "ctl/evidence.h"
#include "ctl/hostlookup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int64_t deadline_of(const struct check_run *run)
{
    return clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
}

static bool nomem(void)
{
    (void)fputs("iprevctl check: out of memory\n", stderr);
    return false;
}

/* What could not be checked, and with which exit status that counts. */
static void fail(struct check_run *run, int status, const char *format, ...) PRINTF_LIKE(3, 4);
static void fail(struct check_run *run, int status, const char *format, ...)
{
    va_list args;
    (void)fflush(stdout);
    (void)fputs("iprevctl check: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    check_client_failed(run, status);
}

/* Nothing wrong with the run, but worth knowing. */
static void warn(const char *format, ...) PRINTF_LIKE(1, 2);
static void warn(const char *format, ...)
{
    va_list args;
    (void)fflush(stdout);
    (void)fputs("iprevctl check: warning: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
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

static void put_family(const struct check_run *run, const struct host *host, const char *type,
                       const struct host_family *family)
{
    char text[IPADDR_TEXT_MAX];
    evidence_put_label(stdout, "host", run->colour);
    (void)printf("%s %s ", host->name, type);
    if (family->count == 0) {
        evidence_put_outcome(stdout, &family->evidence);
        return;
    }
    for (size_t i = 0; i < family->count; i++)
        (void)printf("%s%s", i > 0 ? ", " : "", ipaddr_format(&family->addresses[i], text));
    if (family->over > 0)
        (void)printf(" and %zu more", family->over);
    evidence_put_origin(stdout, &family->evidence);
    (void)putchar('\n');
}

/* False: memory or the output failed. */
static bool check_family(struct check_run *run, const struct host *host, const char *mx,
                         const char *type, const struct host_family *family)
{
    bool ok = true;
    if (family->evidence.outcome == DNS_TEMPERROR)
        fail(run, EX_TEMPFAIL, "looking up the %s of %s failed temporarily (%s): try again later",
             type, host->name, problem_of(&family->evidence));
    for (size_t i = 0; i < family->count && ok; i++) {
        const struct check_target target = {.client = family->addresses[i],
                                            .helo = run->helo != NULL ? run->helo : host->name,
                                            .host = host->name,
                                            .mx = mx};
        ok = check_client_decide(run, &target);
    }
    if (family->over > 0)
        warn("%s has %zu more %s records, which are left out", host->name, family->over, type);
    return ok;
}

static bool is_negative(const struct host_family *family)
{
    return family->count == 0 && family->evidence.outcome != DNS_TEMPERROR;
}

/* All addresses of a host; `mx`: the domain whose MX it is, or NULL. */
static bool check_host(struct check_run *run, const char *name, const char *mx, struct host *host)
{
    enum result status =
        hostlookup_host(dns_service_resolver(run->dns), name, deadline_of(run), host);
    if (status == RESULT_NOMEM)
        return nomem();
    if (status != RESULT_OK) {
        fail(run, EX_NOHOST, "%s cannot be looked up", name);
        return true;
    }
    if (!run->json) {
        check_client_block(run);
        put_family(run, host, "A", &host->v4);
        put_family(run, host, "AAAA", &host->v6);
    }
    if (mx != NULL && (host->v4.aliased || host->v6.aliased))
        warn("the MX %s of %s is an alias (CNAME), which RFC 2181 10.3 and RFC 5321 5.1 forbid",
             name, mx);
    if (is_negative(&host->v4) && is_negative(&host->v6)) {
        fail(run, EX_NOHOST, "%s has no address (A: %s, AAAA: %s)", name,
             negative_text(&host->v4.evidence), negative_text(&host->v6.evidence));
        return true;
    }
    return check_family(run, host, mx, "A", &host->v4) &&
           check_family(run, host, mx, "AAAA", &host->v6);
}

bool check_hosts_host(struct check_run *run, const char *name)
{
    struct host *host = malloc(sizeof *host);
    bool ok = host != NULL ? check_host(run, name, NULL, host) : nomem();
    free(host);
    return ok;
}

/* --- MX ------------------------------------------------------------------------------------- */

static void put_mx(struct check_run *run, const char *domain, const struct mx_list *list)
{
    check_client_block(run);
    evidence_put_label(stdout, "MX", run->colour);
    (void)printf("%s ", domain);
    if (list->evidence.outcome != DNS_FOUND) {
        evidence_put_outcome(stdout, &list->evidence);
        return;
    }
    (void)fputs(list->null_mx ? "\".\", the null MX" : "in order of preference", stdout);
    evidence_put_origin(stdout, &list->evidence);
    (void)putchar('\n');
    for (size_t i = 0; i < list->count; i++) {
        evidence_put_label(stdout, "", run->colour);
        (void)printf("%zu. %s\n", i + 1, list->hosts[i].text);
    }
}

static bool check_mx_host(struct check_run *run, const char *domain, const struct mx_host *mx,
                          struct host *host)
{
    switch (mx->kind) {
    case MX_HOST:
        return check_host(run, mx->name, domain, host);
    case MX_ADDRESS:
        fail(run, EX_NOHOST,
             "the MX of %s is an address, %s: an MX must be a host name (RFC 1035 3.3.9)", domain,
             mx->text);
        break;
    case MX_UNUSABLE:
        fail(run, EX_NOHOST, "the MX of %s is \"%s\", which is no host name", domain, mx->text);
        break;
    }
    return true;
}

static bool check_mx_hosts(struct check_run *run, const char *domain, const struct mx_list *list,
                           struct host *host)
{
    bool ok = true;
    for (size_t i = 0; i < list->count && ok; i++)
        ok = check_mx_host(run, domain, &list->hosts[i], host);
    if (list->over > 0)
        warn("%s has %zu more MX hosts, which are left out", domain, list->over);
    return ok;
}

static bool check_mx(struct check_run *run, const char *domain, struct mx_list *list,
                     struct host *host)
{
    enum result status =
        hostlookup_mx(dns_service_resolver(run->dns), domain, deadline_of(run), list);
    if (status == RESULT_NOMEM)
        return nomem();
    if (status != RESULT_OK) {
        fail(run, EX_NOHOST, "%s cannot be looked up", domain);
        return true;
    }
    if (!run->json)
        put_mx(run, domain, list);
    switch (list->evidence.outcome) {
    case DNS_TEMPERROR:
        fail(run, EX_TEMPFAIL, "looking up the MX of %s failed temporarily (%s): try again later",
             domain, problem_of(&list->evidence));
        return true;
    case DNS_NXDOMAIN:
        fail(run, EX_NOHOST, "there is no domain %s (NXDOMAIN)", domain);
        return true;
    case DNS_FOUND:
        if (!list->null_mx)
            return check_mx_hosts(run, domain, list, host);
        fail(run, EX_NOHOST, "%s says that it takes no mail (null MX, RFC 7505): nothing to check",
             domain);
        return true;
    case DNS_NODATA:
    case DNS_NOT_ASKED:
        break;
    }
    if (!run->json)
        (void)printf("%-11sno MX: mail goes to the domain's own addresses (RFC 5321 5.1)\n", "");
    return check_host(run, domain, domain, host);
}

bool check_hosts_mx(struct check_run *run, const char *domain)
{
    struct mx_list *list = malloc(sizeof *list);
    struct host *host = malloc(sizeof *host);
    bool ok = list != NULL && host != NULL ? check_mx(run, domain, list, host) : nomem();
    free(host);
    free(list);
    return ok;
}
