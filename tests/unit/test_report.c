/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading, adding up and printing the decision log. */
#include "ctl/logs/maillog_stamp.h"
#include "ctl/report/report_print.h"

#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NOW     INT64_C(1795262400) /* 2026-11-21 12:00:00 UTC */
#define SYSLOG  "Nov 20 12:00:00 mx iprevd[7]: "
#define AT_NOON (NOW - 86400)

/* --- reading -------------------------------------------------------------------------------- */

/* "client action would checks dns_ms cache sender", or "other" or "bad". */
static const struct {
    const char *label, *line, *want;
    int64_t want_s;
} lines[] = {
    {"JSON",
     "{\"time\":\"2026-11-20T12:00:00Z\",\"client\":\"192.0.2.1\",\"action\":\"accept\","
     "\"would\":\"reject\",\"checks\":[\"ptr-missing\",\"helo-invalid\"],\"dns_ms\":12,"
     "\"cache\":\"stale\",\"sender\":\"u@a.example\",\"mode\":\"monitor\"}",
     "192.0.2.1 accept reject ptr-missing helo-invalid 12 2 u@a.example monitor", AT_NOON},
    {"JSON with the least that there must be", "{\"client\":\"2001:db8::1\",\"action\":\"tag\"}",
     "2001:db8::1 tag tag 0 0 ", 0},
    {"JSON with escaped bytes, a backslash and what is no escape",
     "{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"sender\":"
     "\"\\\\xfca\\\\x5cb\\\\x5cx41\\\\x00\\\\xg1\"}",
     "192.0.2.1 tag tag 0 0 \xfc"
     "a\\b\\x41\\x00\\xg1",
     0},
    {"JSON with null and keys of later versions",
     "{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"would\":null,\"sender\":null,\"new\":[1,{}]}",
     "192.0.2.1 tag tag 0 0 ", 0},
    {"JSON with a check of later versions",
     "{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"checks\":[\"new\",\"ptr-generic\"]}",
     "192.0.2.1 tag tag ptr-generic 0 0 ", 0},
    {"JSON of something else", "{\"level\":\"hello\"}", "other", 0},
    {"JSON cut short", "{\"client\":\"192.0.2.1\",\"action\":\"tag\"", "bad", 0},
    {"JSON without an action", "{\"client\":\"192.0.2.1\"}", "bad", 0},
    {"JSON with an unknown action", "{\"client\":\"192.0.2.1\",\"action\":\"burn\"}", "bad", 0},
    {"JSON with an unknown would",
     "{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"would\":\"burn\"}", "bad", 0},
    {"JSON with no address", "{\"client\":\"nobody\",\"action\":\"tag\"}", "bad", 0},
    {"JSON with numbers for words", "{\"client\":1,\"action\":2}", "bad", 0},
    {"JSON with a number among the checks",
     "{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"checks\":[7]}", "bad", 0},
    {"JSON in JSON", "{\"client\":\"192.0.2.1\",\"action\":\"tag\"}{\"client\":1}", "bad", 0},

    {"syslog",
     SYSLOG "client=192.0.2.1 ptr=- iprev=permerror helo=\"a b\" agreement=none "
            "checks=ptr-missing,helo-invalid score=7 action=accept mode=monitor policy=default "
            "match=- stage=rcpt mta=mx dns_ms=12 cache=hit queue_id=- sender=u@a.example "
            "recipient=b@example.net would=reject reason=\"192.0.2.1 has no \\\"PTR\\\" record\"",
     "192.0.2.1 accept reject ptr-missing helo-invalid 12 1 u@a.example monitor", AT_NOON},
    {"syslog behind a trusted relay",
     SYSLOG "client=192.0.2.1 action=tag dns_ms=3 cache=miss sender=\"\" relay=198.51.100.1",
     "192.0.2.1 tag tag 3 0 ", AT_NOON},
    {"standard error", "client=192.0.2.1 action=tag dns_ms=3", "192.0.2.1 tag tag 3 0 ", 0},
    {"standard error to the journal", "<6>client=192.0.2.1 action=tag", "192.0.2.1 tag tag 0 0 ",
     0},
    {"standard error in a container, with a time",
     "2026-11-20T12:00:00.123456789Z client=192.0.2.1 action=tag", "192.0.2.1 tag tag 0 0 ",
     AT_NOON},
    {"standard error in Kubernetes",
     "2026-11-20T12:00:00.123456789Z stderr F client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"standard error by compose", "iprevd-1  | client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", 0},
    {"compose with a time", "iprevd-1  | 2026-11-20T12:00:00.123Z client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"JSON in a container",
     "2026-11-20T12:00:00.123Z {\"client\":\"192.0.2.1\",\"action\":\"tag\"}",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"RFC 5424", "<22>1 2026-11-20T12:00:00Z mx iprevd 7 - - client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"FreeBSD's -v", "Nov 20 12:00:00 <mail.info> mx iprevd[7]: client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"without a host", "Nov 20 12:00:00 iprevd[7]: client=192.0.2.1 action=tag",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"standard error cut short", "client=192.0.2.1 ptr=- iprev=pass", "bad", 0},
    {"another line of standard error", "warning: no client=192.0.2.1 action=tag", "other", 0},
    {"what the daemon says of a relay is no decision",
     SYSLOG "relay=198.51.100.1 no Received field of it: not judged", "other", 0},
    {"nor is a start", SYSLOG "started", "other", 0},
    {"nor another program's", "Nov 20 12:00:00 mx other[7]: client=192.0.2.1 action=tag", "other",
     0},
    {"nor no log at all", "hello world", "other", 0},
    {"nor an empty line", "", "other", 0},
    {"escaped bytes and a backslash",
     SYSLOG "client=192.0.2.1 action=tag sender=\"\\xfc \\x5c\\\"\"",
     "192.0.2.1 tag tag 0 0 \xfc \\\"", AT_NOON},
    {"a reason that looks like a field",
     SYSLOG "client=192.0.2.1 action=tag helo=\"action=reject client=203.0.113.1\" sender=-",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"a line cut short before the action", SYSLOG "client=192.0.2.1 ptr=- iprev=pass", "bad", 0},
    {"a client that is no address", SYSLOG "client=nobody action=tag", "bad", 0},
    {"no client", SYSLOG "client= action=tag", "bad", 0},
    {"a quote that never ends", SYSLOG "client=192.0.2.1 action=tag helo=\"a b c",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
    {"a number that is none", SYSLOG "client=192.0.2.1 action=tag dns_ms=-99999999999999999999",
     "192.0.2.1 tag tag 0 0 ", AT_NOON},
};

static void put_entry(const struct report_entry *entry, char out[512])
{
    char client[IPADDR_TEXT_MAX];
    int used = snprintf(out, 512, "%s %s %s ", ipaddr_format(&entry->client, client),
                        action_text(entry->action), action_text(entry->would));
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        if ((entry->checks & CHECK_BIT(i)) != 0)
            used += snprintf(out + used, 512 - (size_t)used, "%s ", checks[i].name);
    (void)snprintf(out + used, 512 - (size_t)used, "%" PRId64 " %d %.100s%s", entry->dns_ms,
                   (int)entry->cache, entry->sender, entry->monitor ? " monitor" : "");
}

/* As the reader hands it on. */
static enum report_parsed parse(const char *line, struct report_entry *out)
{
    struct maillog_item item = {.kind = MAILLOG_ITEM_RECORD};
    struct maillog_stamp stamp;
    if (!maillog_syslog_parse(line, &item.record)) {
        item.kind = MAILLOG_ITEM_LINE;
        maillog_syslog_bare(line, &item.record);
    }
    if (item.record.stamp != NULL && maillog_stamp_parse(item.record.stamp, &stamp) != NULL)
        item.record.wall_s = maillog_stamp_time(&stamp, 0, NOW);
    return report_entry_of(&item, out, NULL);
}

START_TEST(reading)
{
    char got[512];
    struct report_entry entry;
    switch (parse(lines[_i].line, &entry)) {
    case REPORT_ENTRY:
        put_entry(&entry, got);
        ck_assert_msg(entry.wall_s == lines[_i].want_s, "%s: %" PRId64, lines[_i].label,
                      entry.wall_s);
        break;
    case REPORT_OTHER:
        (void)strcpy(got, "other");
        break;
    case REPORT_BAD:
        (void)strcpy(got, "bad");
        break;
    }
    ck_assert_msg(strcmp(got, lines[_i].want) == 0, "%s: \"%s\"", lines[_i].label, got);
}
END_TEST

/* Values longer than anything are cut, wherever they stand. */
START_TEST(long_values)
{
    /* Each '*' is a word of 20000 bytes. */
    static const char *const patterns[] = {
        SYSLOG "client=192.0.2.1 action=tag ptr=* helo=* sender=* checks=*",
        SYSLOG "client=192.0.2.1 action=tag *=* * *",
        ("{\"client\":\"192.0.2.1\",\"action\":\"tag\",\"ptr\":\"*\",\"helo\":\"*\","
         "\"sender\":\"*\",\"x\":\"*\"}")};
    enum { LENGTH = 20000 };
    char *line = malloc(5 * LENGTH);
    struct report_entry entry;
    size_t used = 0;
    ck_assert_ptr_nonnull(line);
    for (const char *at = patterns[_i]; *at != '\0'; at++) {
        size_t length = *at == '*' ? LENGTH : 1;
        memset(line + used, *at == '*' ? 'a' : *at, length);
        used += length;
    }
    line[used] = '\0';
    ck_assert_int_eq(parse(line, &entry), REPORT_ENTRY);
    ck_assert_uint_lt(strlen(entry.ptr), sizeof entry.ptr);
    ck_assert_uint_lt(strlen(entry.helo), sizeof entry.helo);
    ck_assert_uint_lt(strlen(entry.sender), sizeof entry.sender);
    free(line);
}
END_TEST

/* --- adding up ------------------------------------------------------------------------------ */

static struct conf conf; /* what the sums look at: sizes of networks, and the list */
static struct orgdomain *orgdomains;
static struct report_sums sums;

static void set_up(void)
{
    (void)setenv("TZ", "UTC", 1);
    memset(&conf, 0, sizeof conf);
    conf.neighbours = (struct neighbour_bits){24, 64};
    conf.orgdomains = orgdomains = orgdomain_load(NULL);
    ck_assert_ptr_nonnull(orgdomains);
    ck_assert(report_sums_init(&sums, &conf, NULL, 4711));
}

static void tear_down(void)
{
    report_sums_clear(&sums);
    orgdomain_free(orgdomains);
}

static struct report_entry entry_of(const char *client, int64_t wall_s, enum action action,
                                    enum action would)
{
    struct report_entry entry = {.wall_s = wall_s, .action = action, .would = would};
    ck_assert_int_eq(ipaddr_parse(client, &entry.client), RESULT_OK);
    return entry;
}

static void add(const struct report_entry *entry)
{
    report_sums_add(&sums, &conf, entry);
}

static const struct ranking_row *worst_of(const struct ranking *ranking, const char *name)
{
    const struct ranking_row *rows[64];
    size_t of, count = ranking_worst(ranking, rows, COUNT(rows), &of);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
    return NULL;
}

/* A refusal that a grace turned is the check's, in the log's two forms. */
START_TEST(grace)
{
    static const char *const given[] = {
        "{\"client\":\"192.0.2.1\",\"action\":\"tempfail\",\"would\":\"tempfail\",\"checks\":"
        "[\"ptr-missing\"],\"grace\":\"given\",\"check_details\":[{\"check\":\"ptr-missing\","
        "\"action\":\"reject\"}]}",
        "client=192.0.2.1 checks=ptr-missing action=tempfail policy=default grace=given "
        "right_until=2026-11-20 refused_from=2026-11-23",
        "client=192.0.2.1 checks=ptr-missing action=tempfail policy=default grace=unknown",
        "{\"client\":\"192.0.2.1\",\"action\":\"reject\",\"would\":\"reject\",\"checks\":"
        "[\"ptr-missing\"],\"grace\":\"over\",\"check_details\":[{\"check\":\"ptr-missing\","
        "\"action\":\"reject\"}]}"};
    struct policy policy;
    policy_defaults(&policy, "default");
    for (size_t i = 0; i < COUNT(given); i++) {
        struct report_entry entry;
        ck_assert_int_eq(report_entry_parse(given[i], NOW, &entry), REPORT_ENTRY);
        ck_assert_int_eq(report_entry_decided(&entry, &policy), CHECK_PTR_MISSING);
        add(&entry);
    }
    ck_assert_uint_eq(sums.grace, 2);
}
END_TEST

START_TEST(adding_up)
{
    struct report_entry entry = entry_of("192.0.2.1", NOW, ACTION_ACCEPT, ACTION_REJECT);
    entry.monitor = true;
    entry.checks = CHECK_BIT(CHECK_PTR_MISSING);
    add(&entry);
    entry = entry_of("192.0.2.200", NOW - 86400, ACTION_REJECT, ACTION_REJECT);
    entry.checks = CHECK_BIT(CHECK_PTR_MISSING) | CHECK_BIT(CHECK_HELO_INVALID);
    add(&entry);
    entry = entry_of("2001:db8::1", 0, ACTION_TAG, ACTION_TAG);
    add(&entry);
    ck_assert_uint_eq(sums.total, 3);
    ck_assert_uint_eq(sums.monitored, 1);
    ck_assert_uint_eq(sums.spared, 1);
    ck_assert_uint_eq(sums.by_would[ACTION_REJECT], 2);
    const struct report_check *missing = &sums.checks[CHECK_PTR_MISSING];
    ck_assert_uint_eq(missing->hits, 2);
    ck_assert_uint_eq(missing->alone, 1);
    ck_assert_uint_eq(missing->decided, 0); /* neither the record nor a policy says */
    ck_assert_int_eq(missing->first_s, NOW - 86400);
    ck_assert_int_eq(missing->last_s, NOW);
    ck_assert_uint_eq(sums.checks[CHECK_HELO_INVALID].hits, 1);
    ck_assert_uint_eq(sums.day_count, 2); /* one has no time */
    ck_assert_int_eq(sums.days[0].date, 20261120);
    ck_assert_uint_eq(sums.days[1].by_would[ACTION_REJECT], 1);
    const struct ranking_row *network = worst_of(sums.networks, "192.0.2.0/24");
    ck_assert_ptr_nonnull(network);
    ck_assert_uint_eq(network->total, 2);
    ck_assert_int_eq(network->first_s, NOW - 86400);
    ck_assert_ptr_nonnull(worst_of(sums.networks, "2001:db8::/64"));
}
END_TEST

static const struct {
    const char *label, *sender, *ptr;
    bool confirmed;
    const char *helo, *want;
} senders[] = {
    {"the envelope's", "u@lists.kernel.org", "mail.debian.org", true, "h.gnu.org", "kernel.org"},
    {"the confirmed name's", "", "mail.debian.org", true, "h.gnu.org", "debian.org"},
    {"an unconfirmed name is anybody's", "", "mail.debian.org", false, "h.gnu.org", "gnu.org"},
    {"none at all: the network", "", "", false, "", "192.0.2.0/24"},
    {"an EHLO name that is none", "", "", false, "<script>", "192.0.2.0/24"},
    {"a sender without a domain", "root", "", false, "h.gnu.org", "gnu.org"},
};

START_TEST(sending_domain)
{
    struct report_entry entry = entry_of("192.0.2.1", NOW, ACTION_TAG, ACTION_TAG);
    (void)strcpy(entry.sender, senders[_i].sender);
    (void)strcpy(entry.ptr, senders[_i].ptr);
    (void)strcpy(entry.helo, senders[_i].helo);
    entry.confirmed = senders[_i].confirmed;
    add(&entry);
    ck_assert_msg(worst_of(sums.domains, senders[_i].want) != NULL, "%s", senders[_i].label);
}
END_TEST

START_TEST(waits)
{
    static const struct {
        int64_t ms;
        size_t want;
    } cases[] = {{-5, 0}, {0, 0}, {1, 1}, {4, 1}, {5, 2}, {7999, 7}, {8000, 8}, {INT64_MAX, 8}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct report_entry entry = entry_of("192.0.2.1", NOW, ACTION_TAG, ACTION_TAG);
        uint64_t before = sums.waits[cases[i].want];
        entry.dns_ms = cases[i].ms;
        add(&entry);
        ck_assert_uint_eq(sums.waits[cases[i].want], before + 1);
    }
}
END_TEST

/* In whatever order they come, the newest days stay, and nothing of the totals is lost. */
START_TEST(more_days_than_are_kept)
{
    for (int64_t i = 0; i < 2 * REPORT_DAYS_MAX; i++) {
        int64_t day = i * 7 % (2 * REPORT_DAYS_MAX); /* 7 and 800 have no common factor */
        struct report_entry entry =
            entry_of("192.0.2.1", NOW - day * 86400, ACTION_TAG, ACTION_TAG);
        add(&entry);
    }
    ck_assert_uint_eq(sums.total, 2 * REPORT_DAYS_MAX);
    ck_assert_uint_eq(sums.day_count, REPORT_DAYS_MAX);
    ck_assert_int_eq(sums.days[REPORT_DAYS_MAX - 1].date, 20261121);
    for (size_t i = 1; i < sums.day_count; i++)
        ck_assert_int_lt(sums.days[i - 1].date, sums.days[i].date);
}
END_TEST

/* Names beyond the cap are one row: memory is bounded. */
START_TEST(more_names_than_are_told_apart)
{
    struct ranking *ranking = ranking_new(4711, 0);
    char name[32];
    ck_assert_ptr_nonnull(ranking);
    for (unsigned i = 0; i < RANKING_NAMES_MAX + 100; i++) {
        (void)snprintf(name, sizeof name, "host%u.example", i);
        (void)ranking_add(ranking, name, i % 2 ? ACTION_REJECT : ACTION_ACCEPT, NOW);
    }
    ck_assert_uint_eq(ranking_others(ranking)->total, 100);
    const struct ranking_row *rows[3];
    size_t of;
    ck_assert_uint_eq(ranking_worst(ranking, rows, 3, &of), 3);
    ck_assert_uint_eq(of, RANKING_NAMES_MAX / 2);
    ranking_free(ranking);
}
END_TEST

START_TEST(worst_first)
{
    static const struct {
        const char *name;
        enum action action;
    } cases[] = {{"tagged", ACTION_TAG},         {"tagged", ACTION_TAG},
                 {"tagged", ACTION_TAG},         {"refused", ACTION_REJECT},
                 {"good", ACTION_ACCEPT},        {"b-deferred", ACTION_TEMPFAIL},
                 {"a-deferred", ACTION_TEMPFAIL}};
    static const char *const want[] = {"refused", "a-deferred", "b-deferred", "tagged"};
    struct ranking *ranking = ranking_new(4711, 0);
    const struct ranking_row *rows[8];
    size_t of;
    ck_assert_ptr_nonnull(ranking);
    for (size_t i = 0; i < COUNT(cases); i++)
        (void)ranking_add(ranking, cases[i].name, cases[i].action, 0);
    ck_assert_uint_eq(ranking_worst(ranking, rows, COUNT(rows), &of), COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++)
        ck_assert_str_eq(rows[i]->name, want[i]);
    ranking_free(ranking);
}
END_TEST

/* --- what is used --------------------------------------------------------------------------- */

/* As the daemon: the smallest network, else the longest domain of a confirmed name. */
static const struct {
    const char *label, *client, *ptr;
    bool confirmed;
    const char *reason, *want; /* NULL: none */
} used[] = {
    {"an address in a network", "192.0.2.9", "", false, "exempt for now: r", "192.0.2.9"},
    {"the network", "192.0.2.10", "", false, "exempt for now: r", "192.0.2.0/24"},
    {"a network before a domain", "192.0.2.9", "m.debian.org", true, "exempt for now", "192.0.2.9"},
    {"a domain", "198.51.100.1", "m.debian.org", true, "exempt for now", ".debian.org"},
    {"a domain itself", "198.51.100.1", "debian.org", true, "exempt for now", ".debian.org"},
    {"the longest domain", "198.51.100.1", "m.lists.debian.org", true, "exempt for now",
     ".lists.debian.org"},
    {"an unconfirmed name", "198.51.100.1", "m.debian.org", false, "exempt for now", NULL},
    {"the end of another label", "198.51.100.1", "notdebian.org", true, "exempt for now", NULL},
    {"a name that is none", "198.51.100.1", "<debian.org", true, "exempt for now", NULL},
    {"another reason", "192.0.2.9", "", false, "exempt by match a", NULL},
};

START_TEST(one_exemption_a_decision)
{
    static const char *const subjects[] = {".debian.org", "192.0.2.0/24", "192.0.2.9",
                                           ".lists.debian.org"};
    struct exemptions *exemptions = exemptions_new();
    struct report_uses uses;
    ck_assert_ptr_nonnull(exemptions);
    for (size_t i = 0; i < COUNT(subjects); i++) {
        struct exemption exemption = {.until_s = NOW + 60};
        (void)strcpy(exemption.subject, subjects[i]);
        ck_assert_int_eq(exemptions_add(exemptions, &exemption), RESULT_OK);
    }
    ck_assert(report_uses_init(&uses, &conf, exemptions));
    struct report_entry entry = entry_of(used[_i].client, NOW, ACTION_ACCEPT, ACTION_ACCEPT);
    (void)strcpy(entry.ptr, used[_i].ptr);
    (void)strcpy(entry.reason, used[_i].reason);
    entry.confirmed = used[_i].confirmed;
    report_uses_add(&uses, &entry);
    ck_assert_uint_eq(uses.exemption_count, COUNT(subjects));
    for (size_t i = 0; i < uses.exemption_count; i++) {
        const struct report_use *use = &uses.exemptions[i];
        bool want = used[_i].want != NULL && strcmp(use->name, used[_i].want) == 0;
        ck_assert_msg(use->hits == want && use->last_s == (want ? NOW : 0), "%s: %s %" PRIu64,
                      used[_i].label, use->name, use->hits);
    }
    report_uses_clear(&uses);
    exemptions_free(exemptions);
}
END_TEST

/* --- printing ------------------------------------------------------------------------------- */

static char *print(void (*printer)(FILE *, const struct report_sums *,
                                   const struct report_origin *))
{
    const struct report_origin origin = {.now_s = NOW, .lines = 7, .bad = 2};
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(stream);
    printer(stream, &sums, &origin);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

static void add_hostile(void)
{
    struct report_entry entry = entry_of("192.0.2.1", NOW, ACTION_ACCEPT, ACTION_REJECT);
    entry.monitor = true;
    entry.checks = CHECK_BIT(CHECK_COUNT) - 1;
    add(&entry);
    (void)ranking_add(sums.domains, "\033[2J<b>&\"'\xff%s.example", ACTION_REJECT, NOW);
    char name[HOSTNAME_MAX + 1];
    memset(name, 'a', HOSTNAME_MAX);
    name[HOSTNAME_MAX] = '\0';
    (void)ranking_add(sums.domains, name, ACTION_REJECT, NOW);
}

START_TEST(text)
{
    add_hostile();
    char *got = print(report_print_text);
    ck_assert_ptr_nonnull(
        strstr(got, "1 decision, 2026-11-21 12:00 to 2026-11-21 12:00, times in UTC (+0000)"));
    ck_assert_ptr_nonnull(strstr(got, "1 of them in monitor mode"));
    ck_assert_ptr_nonnull(strstr(got, "2 lines could not be read."));
    ck_assert_ptr_nonnull(strstr(got, "Without monitor and percent 1 more would have been"));
    for (char *rest = NULL, *line = strtok_r(got, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        ck_assert_msg(strlen(line) <= 80, "%s", line);
        for (const char *at = line; *at != '\0'; at++)
            ck_assert_msg(*at >= ' ' && *at <= '~', "%s", line);
    }
    free(got);
}
END_TEST

/* The row of all others has no address, name or reason: they would be of one of them. */
START_TEST(others_have_no_details)
{
    for (unsigned i = 0; i < RANKING_NAMES_MAX + 2; i++) {
        struct report_entry entry = entry_of("192.0.2.1", NOW, ACTION_REJECT, ACTION_REJECT);
        (void)snprintf(entry.helo, sizeof entry.helo, "host%u.example", i);
        (void)strcpy(entry.reason, "192.0.2.1 has no PTR record");
        add(&entry);
    }
    char *got = print(report_print_text);
    const char *others = strstr(got, "\n(others) ");
    ck_assert_ptr_nonnull(others);
    const char *next = strchr(others + 1, '\n');
    ck_assert_ptr_nonnull(next);
    ck_assert_msg(strncmp(next, "\nand ", 5) == 0, "%.200s", others);
    free(got);
}
END_TEST

START_TEST(html)
{
    add_hostile();
    char *got = print(report_print_html);
    ck_assert_int_eq(strncmp(got, "<!DOCTYPE html>", 15), 0);
    ck_assert_ptr_nonnull(strstr(got, "</html>"));
    ck_assert_ptr_nonnull(strstr(got, "\\x1b[2J&lt;b&gt;&amp;&quot;&#39;\\xff%s.<wbr>example"));
    ck_assert_ptr_null(strstr(got, "<b>&"));
    const char *script = strstr(got, "<script"); /* ours, for the search */
    ck_assert(script != NULL && strstr(script + 1, "<script") == NULL);
    ck_assert_ptr_null(strstr(got, "src="));
    ck_assert_ptr_null(strstr(got, "href="));
    free(got);
}
END_TEST

START_TEST(nothing_at_all)
{
    char *plain = print(report_print_text), *page = print(report_print_html);
    ck_assert_int_eq(strncmp(plain, "0 decisions, times in UTC", 25), 0);
    ck_assert_ptr_null(strstr(plain, "nan"));
    ck_assert_ptr_null(strstr(page, "nan"));
    ck_assert_ptr_nonnull(strstr(page, "</html>"));
    free(plain);
    free(page);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, reading, 0, COUNT(lines));
    tcase_add_loop_test(tcase, long_values, 0, 3);
    tcase_add_test(tcase, adding_up);
    tcase_add_test(tcase, grace);
    tcase_add_loop_test(tcase, sending_domain, 0, COUNT(senders));
    tcase_add_test(tcase, waits);
    tcase_add_test(tcase, more_days_than_are_kept);
    tcase_add_test(tcase, more_names_than_are_told_apart);
    tcase_add_test(tcase, worst_first);
    tcase_add_loop_test(tcase, one_exemption_a_decision, 0, COUNT(used));
    tcase_add_test(tcase, text);
    tcase_add_test(tcase, others_have_no_details);
    tcase_add_test(tcase, html);
    tcase_add_test(tcase, nothing_at_all);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
