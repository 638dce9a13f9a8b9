/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/check_spf.h"

#include "base/plural.h"
#include "ctl/evidence.h"
#include "ctl/hostlookup.h"
#include "ctl/spf_record.h"
#include "site/json.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SENDERS_MAX 128 /* addresses: more are no hosts of one's own */
#define TERMS_MAX   256 /* looked at */
#define NOTE_MAX    320
#define RECORD_ROOM 16384 /* a record in which every byte is escaped */

struct spf_sender {
    struct ipaddr address;
    char host[HOSTNAME_MAX + 1]; /* whose address it is; "": the record has the address */
    char term[SPF_TERM_MAX + 1]; /* that named it */
};

/* One record under way. */
struct spf_reading {
    struct check_part *part;
    const char *domain;
    int64_t deadline_ms;
    struct json_writer *json; /* NULL: text is wanted */
    struct txt_record record;
    struct host host;
    struct mx_list mx;
    unsigned lookups, voids;
    bool over; /* "all" is behind us */
    size_t count, dropped;
    struct spf_sender senders[SENDERS_MAX];
};

static struct resolver *resolver_of(const struct spf_reading *spf)
{
    return dns_service_resolver(spf->part->run->dns);
}

/* --- senders -------------------------------------------------------------------------------- */

static void add_sender(struct spf_reading *spf, const struct spf_term *term, const char *host,
                       const struct ipaddr *address)
{
    for (size_t i = 0; i < spf->count; i++)
        if (ipaddr_equal(&spf->senders[i].address, address))
            return;
    if (spf->count == SENDERS_MAX) {
        spf->dropped++;
        return;
    }
    struct spf_sender *sender = &spf->senders[spf->count++];
    sender->address = *address;
    (void)snprintf(sender->host, sizeof sender->host, "%s", host);
    memcpy(sender->term, term->text, sizeof sender->term);
}

static void add_family(struct spf_reading *spf, const struct spf_term *term,
                       const struct host_family *family, const char *type, unsigned *found)
{
    for (size_t i = 0; i < family->count; i++)
        add_sender(spf, term, spf->host.name, &family->addresses[i]);
    *found += (unsigned)family->count;
    spf->dropped += family->over;
    if (family->evidence.outcome == DNS_TEMPERROR)
        check_client_fail(spf->part, EX_TEMPFAIL,
                          "looking up the %s of %s failed temporarily (%s): try again later", type,
                          spf->host.name,
                          family->evidence.problem != NULL ? family->evidence.problem : "failure");
}

/* All addresses of a host; how many, in *found.  False: out of memory. */
static bool add_host(struct spf_reading *spf, const struct spf_term *term, const char *name,
                     unsigned *found)
{
    enum result status = hostlookup_host(resolver_of(spf), name, spf->deadline_ms, &spf->host);
    if (status != RESULT_OK)
        return status != RESULT_NOMEM;
    add_family(spf, term, &spf->host.v4, "A", found);
    add_family(spf, term, &spf->host.v6, "AAAA", found);
    return true;
}

static bool add_mx(struct spf_reading *spf, const struct spf_term *term, const char *name,
                   unsigned *found)
{
    enum result status = hostlookup_mx(resolver_of(spf), name, spf->deadline_ms, &spf->mx);
    bool ok = status != RESULT_NOMEM;
    if (status != RESULT_OK)
        return ok;
    if (spf->mx.evidence.outcome == DNS_TEMPERROR)
        check_client_fail(spf->part, EX_TEMPFAIL,
                          "looking up the MX of %s failed temporarily: try again later", name);
    if (spf->mx.count + spf->mx.over > SPF_LOOKUPS_MAX)
        check_client_fail(spf->part, EX_DATAERR,
                          "%s has more than %d MX hosts, which makes the SPF record invalid (RFC "
                          "7208 4.6.4)",
                          name, SPF_LOOKUPS_MAX);
    for (size_t i = 0; i < spf->mx.count && i < SPF_LOOKUPS_MAX && ok; i++)
        if (spf->mx.hosts[i].kind == MX_HOST)
            ok = add_host(spf, term, spf->mx.hosts[i].name, found);
    return ok;
}

/* --- terms ---------------------------------------------------------------------------------- */

/* What is not looked up, and why; NULL: it is to be. */
static const char *why_not(const struct spf_reading *spf, const struct spf_term *term)
{
    if (spf->over)
        return term->kind == SPF_MODIFIER ? "no sender" : "behind \"all\": never reached";
    if (term->kind == SPF_BROKEN)
        return term->flaw;
    if (term->needs_lookup && spf->lookups > SPF_LOOKUPS_MAX)
        return "one lookup too many";
    if ((term->qualifier == '-' || term->qualifier == '~') && term->kind != SPF_ALL)
        return "no sender: that is what the record denies";
    switch (term->kind) {
    case SPF_NETWORK:
        return "a network: not expanded";
    case SPF_DYNAMIC:
        return "depends on each client: not expanded";
    case SPF_ALL:
        return "everybody else";
    case SPF_MODIFIER:
        return "no sender";
    case SPF_ELSEWHERE:
    case SPF_ADDRESS:
    case SPF_A:
    case SPF_MX:
    case SPF_BROKEN:
        break;
    }
    return NULL;
}

static void put_term(struct spf_reading *spf, const struct spf_term *term, const char *note)
{
    char memory[SPF_TERM_MAX * 4 + 1];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, term->text, sizeof memory - 1);
    if (spf->json == NULL) {
        evidence_put_label(spf->part->out, "", spf->part->run->colour);
        (void)fprintf(spf->part->out, "%-28s %s\n", memory, note);
        return;
    }
    json_writer_begin_object(spf->json, NULL);
    json_writer_text(spf->json, "term", term->text);
    json_writer_text(spf->json, "note", note);
    json_writer_end(spf->json);
}

/* False: out of memory. */
static bool look_up(struct spf_reading *spf, const struct spf_term *term, char note[NOTE_MAX])
{
    const char *name = term->domain[0] != '\0' ? term->domain : spf->domain;
    unsigned found = 0;
    bool ok = true;
    if (term->kind == SPF_ELSEWHERE) {
        (void)snprintf(note, NOTE_MAX, "another record, not followed: iprevctl check --spf %s",
                       term->domain);
        return true;
    }
    if (term->kind == SPF_ADDRESS) {
        add_sender(spf, term, "", &term->address);
        (void)snprintf(note, NOTE_MAX, "1 address");
        return true;
    }
    ok = term->kind == SPF_MX ? add_mx(spf, term, name, &found) : add_host(spf, term, name, &found);
    spf->voids += found == 0;
    (void)snprintf(note, NOTE_MAX, "%u address%s of %s%s", found, found == 1 ? "" : "es",
                   term->kind == SPF_MX ? "the MX hosts of " : "", name);
    return ok;
}

static bool read_term(struct spf_reading *spf, const struct spf_term *term)
{
    char note[NOTE_MAX] = "";
    spf->lookups += term->needs_lookup && !spf->over;
    const char *why = why_not(spf, term);
    bool ok = why != NULL || look_up(spf, term, note);
    put_term(spf, term, why != NULL ? why : note);
    if (term->kind == SPF_BROKEN)
        check_client_fail(spf->part, EX_DATAERR,
                          "a term of the SPF record of %s %s: to receivers the whole record is "
                          "invalid (RFC 7208 4.6)",
                          spf->domain, term->flaw);
    spf->over = spf->over || term->kind == SPF_ALL;
    return ok;
}

static void judge_limits(struct spf_reading *spf)
{
    if (spf->lookups > SPF_LOOKUPS_MAX)
        check_client_fail(spf->part, EX_DATAERR,
                          "the SPF record of %s has more than %d terms that need lookups: to "
                          "receivers it is invalid (RFC 7208 4.6.4)",
                          spf->domain, SPF_LOOKUPS_MAX);
    if (spf->voids > SPF_VOID_MAX)
        check_client_warn(spf->part,
                          "%u terms of the SPF record of %s find nothing: with more than %d many "
                          "receivers take the record as invalid (RFC 7208 4.6.4)",
                          spf->voids, spf->domain, SPF_VOID_MAX);
    if (spf->dropped > 0)
        check_client_warn(spf->part, "%zu more address%s left out", spf->dropped,
                          plural_of(spf->dropped, " is", "es are"));
    if (spf->count == 0)
        check_client_fail(spf->part, EX_NOHOST,
                          "the SPF record of %s names no single host: nothing to check",
                          spf->domain);
}

/* --- the record ----------------------------------------------------------------------------- */

/* Is there one record?  Else it is said. */
static bool judge_record(struct spf_reading *spf)
{
    const struct dns_evidence *evidence = &spf->record.evidence;
    struct check_part *part = spf->part;
    if (evidence->outcome == DNS_TEMPERROR)
        check_client_fail(part, EX_TEMPFAIL,
                          "looking up the TXT of %s failed temporarily (%s): try again later",
                          spf->domain, evidence->problem != NULL ? evidence->problem : "failure");
    else if (evidence->outcome == DNS_NXDOMAIN)
        check_client_fail(part, EX_NOHOST, "there is no domain %s (NXDOMAIN)", spf->domain);
    else if (spf->record.count == 0)
        check_client_fail(part, EX_NOHOST, "%s has no SPF record%s", spf->domain,
                          spf->record.unusable > 0 ? " that can be read" : "");
    else if (spf->record.count > 1)
        check_client_fail(part, EX_DATAERR,
                          "%s has %zu SPF records: to receivers that is none (RFC 7208 4.5)",
                          spf->domain, spf->record.count);
    return spf->record.count == 1;
}

static void put_record(struct spf_reading *spf)
{
    struct check_part *part = spf->part;
    char memory[RECORD_ROOM + 4];
    struct textbuf buf;
    textbuf_init(&buf, memory, sizeof memory);
    textbuf_put_untrusted(&buf, spf->record.text, RECORD_ROOM);
    if (spf->json != NULL) {
        json_writer_text(spf->json, "spf", spf->domain);
        json_writer_text(spf->json, "record", spf->record.text);
        json_writer_begin_list(spf->json, "terms");
        return;
    }
    check_client_block(part);
    evidence_put_label(part->out, "SPF", part->run->colour);
    (void)fprintf(part->out, "%s", spf->domain);
    evidence_put_origin(part->out, &spf->record.evidence);
    (void)fputc('\n', part->out);
    evidence_put_label(part->out, "", part->run->colour);
    (void)fprintf(part->out, "%s\n", memory);
}

/* False: out of memory. */
static bool read_record(struct spf_reading *spf)
{
    const char *at = spf->record.text;
    struct spf_term term;
    bool ok = true;
    put_record(spf);
    for (unsigned i = 0; i < TERMS_MAX && ok && spf_record_next(&at, &term); i++)
        ok = read_term(spf, &term);
    judge_limits(spf);
    if (ok && spf->json != NULL) {
        json_writer_end(spf->json);
        char *line = json_writer_line(spf->json);
        ok = line != NULL && fprintf(spf->part->out, "%s\n", line) > 0;
        free(line);
    }
    return ok;
}

/* --- clients -------------------------------------------------------------------------------- */

static bool work(struct check_item *item)
{
    const struct check_target target = {.client = item->client,
                                        .helo = check_item_helo(item),
                                        .host = item->host[0] != '\0' ? item->host : NULL,
                                        .source = item->source};
    return check_client_decide(&item->part, &target);
}

static bool add_client(struct check_queue *queue, const char *domain,
                       const struct spf_sender *sender)
{
    struct check_item *item = check_queue_item(queue);
    if (item != NULL) {
        const char *helo = item->part.run->helo;
        item->work = work;
        item->client = sender->address;
        (void)snprintf(item->host, sizeof item->host, "%s", sender->host);
        if (helo == NULL && sender->host[0] != '\0')
            helo = sender->host;
        check_item_say(item, helo);
        (void)snprintf(item->source, sizeof item->source, "SPF of %s: %s", domain, sender->term);
    }
    return check_queue_add(queue, item);
}

/* Into the part; false: out of memory. */
static bool read_all(struct spf_reading *spf)
{
    const struct check_run *run = spf->part->run;
    spf->deadline_ms = clock_ms(&clock_system) + (int64_t)run->conf->deadline_s * 1000;
    enum result status = hostlookup_txt(resolver_of(spf), spf->domain, spf_record_is,
                                        spf->deadline_ms, &spf->record);
    if (status != RESULT_OK) {
        if (status != RESULT_NOMEM)
            check_client_fail(spf->part, EX_NOHOST, "%s cannot be looked up", spf->domain);
        return status != RESULT_NOMEM;
    }
    return !judge_record(spf) || read_record(spf);
}

bool check_spf(struct check_queue *queue, const char *domain)
{
    const struct check_run *run = check_queue_run(queue);
    struct spf_reading *spf = calloc(1, sizeof *spf);
    struct check_item *item = check_queue_item(queue);
    bool ok = spf != NULL && item != NULL;
    if (ok) {
        spf->part = &item->part;
        spf->domain = domain;
        spf->json = run->json ? json_writer_new() : NULL;
        ok = (!run->json || spf->json != NULL) && read_all(spf);
    }
    if (!ok && item != NULL) {
        check_queue_drop(item);
        item = NULL;
    }
    ok = check_queue_add(queue, item) && spf != NULL;
    if (ok)
        check_queue_expect(queue, spf->count);
    for (size_t i = 0; ok && i < spf->count; i++)
        ok = add_client(queue, domain, &spf->senders[i]);
    if (spf != NULL)
        json_writer_free(spf->json);
    free(spf);
    return ok;
}
