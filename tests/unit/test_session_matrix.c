/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every check with every action at every stage and behind a trusted relay, through the real
 * session, lookup and cache.  In each story one check is true and has the action; the others do
 * nothing.
 */
#include "daemon/session.h"
#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_MS     10
#define WAIT_MAX_MS 60000

static const char zone[] = "$ORIGIN .\n$TTL 3600\n"
                           "10.2.0.192.in-addr.arpa. PTR mail.example.org.\n"
                           "mail.example.org. A 192.0.2.10\n"
                           "12.2.0.192.in-addr.arpa. PTR localhost.\n"
                           "13.2.0.192.in-addr.arpa. PTR mail.a.example.\n"
                           "mail.a.example. A 203.0.113.9\n"
                           "14.2.0.192.in-addr.arpa. PTR dsl-192-0-2-14.isp.example.\n"
                           "dsl-192-0-2-14.isp.example. A 192.0.2.14\n"
                           "16.2.0.192.in-addr.arpa. PTR n00.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n01.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n02.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n03.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n04.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n05.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n06.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n07.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n08.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n09.many.example.\n"
                           "16.2.0.192.in-addr.arpa. PTR n10.many.example.\n"
                           "2.0.192.in-addr.arpa. SOA ns.example. admin.example. 1 1 1 1 300\n"
                           "mx.nowhere.example. TXT nothing\n"
                           "example. SOA ns.example. admin.example. 1 1 1 1 300\n"
                           "smtp.example.org. A 192.0.2.99\n"
                           "smtp.c.example. A 203.0.113.99\n";

/* What a check is about decides its codes. */
struct codes {
    const char *reject, *reject_x, *tempfail, *tempfail_x;
};
#define ABOUT_RDNS                                                                                 \
    {                                                                                              \
        "550", "5.7.25", "450", "4.7.25"                                                           \
    }
#define ABOUT_DNS                                                                                  \
    {                                                                                              \
        "550", "5.7.25", "451", "4.7.25"                                                           \
    }
#define ABOUT_REST                                                                                 \
    {                                                                                              \
        "550", "5.7.1", "450", "4.7.1"                                                             \
    }

static const struct story {
    const char *check;
    const char *client, *helo; /* helo NULL: none is sent */
    const char *sender;
    const char *resolve; /* {client_resolve} */
    enum stage known;    /* from here on the check can be true */
    struct codes codes;
    const char *want_iprev;
    const char *want_reason; /* a part of reply, header and log */
} stories[] = {
    {"ptr-missing", "192.0.2.11", "[192.0.2.11]", "<a@example.org>", NULL, STAGE_CONNECT,
     ABOUT_RDNS, "permerror", "192.0.2.11 has no PTR record"},
    {"ptr-invalid", "192.0.2.12", "[192.0.2.12]", "<a@example.org>", NULL, STAGE_CONNECT,
     ABOUT_RDNS, "fail", "localhost"},
    {"ptr-mismatch", "192.0.2.13", "[192.0.2.13]", "<a@a.example>", NULL, STAGE_CONNECT, ABOUT_RDNS,
     "fail", "PTR mail.a.example resolves to 203.0.113.9, not to 192.0.2.13"},
    {"ptr-generic", "192.0.2.14", "dsl-192-0-2-14.isp.example", "<a@isp.example>", NULL,
     STAGE_CONNECT, ABOUT_RDNS, "pass",
     "PTR dsl-192-0-2-14.isp.example looks like a provider's default name"},
    {"ptr-excess", "192.0.2.16", "[192.0.2.16]", "<a@example.org>", NULL, STAGE_CONNECT, ABOUT_RDNS,
     "temperror", "and 1 more was not looked up"},
    {"dns-temperror", "192.0.2.15", "[192.0.2.15]", "<a@example.org>", NULL, STAGE_CONNECT,
     ABOUT_DNS, "temperror", "looking up the PTR of 192.0.2.15 failed temporarily"},
    {"helo-missing", "192.0.2.10", NULL, "<a@example.org>", NULL, STAGE_MAIL, ABOUT_REST, "pass",
     "192.0.2.10 sent MAIL without HELO or EHLO"},
    {"helo-invalid", "192.0.2.10", "mail..example.org", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass", "EHLO mail..example.org"},
    {"helo-bare-ip", "192.0.2.10", "192.0.2.10", "<a@example.org>", NULL, STAGE_HELO, ABOUT_REST,
     "pass", "EHLO 192.0.2.10 is an IP address without brackets"},
    {"helo-literal-mismatch", "192.0.2.10", "[192.0.2.99]", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass", "EHLO [192.0.2.99] is not the client's address 192.0.2.10"},
    {"helo-not-fqdn", "192.0.2.10", "mailserver", "<a@example.org>", NULL, STAGE_HELO, ABOUT_REST,
     "pass", "EHLO mailserver is a single label"},
    {"helo-self", "192.0.2.10", "mx.example.net", "<a@example.org>", NULL, STAGE_HELO, ABOUT_REST,
     "pass", "192.0.2.10 says EHLO mx.example.net"},
    {"helo-unresolved", "192.0.2.10", "mx.nowhere.example", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass", "EHLO name mx.nowhere.example has no A, AAAA or MX record"},
    {"helo-mismatch", "192.0.2.10", "smtp.example.org", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass", "EHLO name smtp.example.org resolves to 192.0.2.99, not to 192.0.2.10"},
    {"helo-disagrees", "192.0.2.10", "smtp.c.example", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass", "EHLO smtp.c.example does not fit"},
    {"helo-unstable", "192.0.2.10", "mail.example.org", "<a@example.org>", NULL, STAGE_HELO,
     ABOUT_REST, "pass",
     "192.0.2.10 said EHLO of at least 3 different domains within a day, now mail.example.org"},
    {"sender-ptr-mismatch", "192.0.2.10", "mail.example.org", "<news@shop.example>", NULL,
     STAGE_MAIL, ABOUT_REST, "pass", "shop.example"},
    {"mta-disagrees", "192.0.2.10", "mail.example.org", "<a@example.org>", "FAIL", STAGE_CONNECT,
     ABOUT_RDNS, "pass", "the MTA found FAIL"},
};
#define STORY_COUNT (sizeof stories / sizeof stories[0])
#define STAGE_COUNT 4
#define PLACE_COUNT (STAGE_COUNT + 1) /* the last one: behind a relay */

static const char relay[] = "203.0.113.25";

/* Has the client said other names before, in other connections? */
static bool said_others(const struct story *story)
{
    return strcmp(story->check, "helo-unstable") == 0;
}

/* What happened. */
struct scene {
    const struct story *story;
    enum action action;
    enum stage stage;
    bool behind; /* a relay: judged at the end of the message */

    struct world *world;
    struct cache *cache;
    struct resolver *resolver;
    struct conf *conf;
    struct session *session;

    unsigned decisions;
    char log[DECISION_LINE_MAX];
    char tag[DECISION_HEADER_MAX], results[DECISION_HEADER_MAX], held[REASON_MAX];
};

static void show(const struct scene *scene, char *out, size_t size)
{
    (void)snprintf(out, size, "%s = %s at %s", scene->story->check, action_text(scene->action),
                   scene->behind ? "end" : stage_text(scene->stage));
}

#define EXPECT(scene, condition, ...)                                                              \
    do {                                                                                           \
        char which[128], why[DECISION_LINE_MAX + 128];                                             \
        show(scene, which, sizeof which);                                                          \
        (void)snprintf(why, sizeof why, __VA_ARGS__);                                              \
        ck_assert_msg(condition, "%s: %s", which, why);                                            \
    } while (0)

/* --- the session's surroundings -----------------------------------------------------------------
 */

static const char *get_macro(void *arg, const char *name)
{
    const struct scene *scene = arg;
    if (strcmp(name, "{client_resolve}") == 0)
        return scene->story->resolve;
    if (strcmp(name, "j") == 0)
        return "mx.example.net";
    return strcmp(name, "i") == 0 ? "4Zk2h8" : NULL;
}

static void decided(void *arg, const struct decision *decision,
                    const struct transaction *transaction)
{
    struct scene *scene = arg;
    scene->decisions++;
    decision_log_line(decision, transaction, scene->log);
}

static void removed(void *arg, const char *name, unsigned index)
{
    EXPECT((struct scene *)arg, false, "removed %s %u", name, index);
}

static void inserted(void *arg, const char *name, const char *value)
{
    struct scene *scene = arg;
    char *where = strcmp(name, "X-Iprevd") == 0                 ? scene->tag
                  : strcmp(name, "Authentication-Results") == 0 ? scene->results
                                                                : NULL;
    EXPECT(scene, where != NULL && where[0] == '\0', "inserted %s: %s", name, value);
    (void)snprintf(where, DECISION_HEADER_MAX, "%s", value);
}

static void quarantined(void *arg, const char *reason)
{
    struct scene *scene = arg;
    (void)snprintf(scene->held, sizeof scene->held, "%s", reason);
}

static void report_error(void *arg, const char *message)
{
    EXPECT((struct scene *)arg, false, "%s", message);
}

static void ignore_warning(void *arg, const char *message)
{
    (void)arg;
    (void)message; /* some of these combinations draw one, and work all the same */
}

static struct conf *load(struct scene *scene)
{
    char path[] = "/tmp/iprevd-matrix-XXXXXX";
    const struct conf_report report = {report_error, ignore_warning, NULL, scene};
    int fd = mkstemp(path);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    ck_assert_ptr_nonnull(file);
    fprintf(file,
            "mode = enforce\nstage = %s\nskip-authenticated = false\npolicy \"default\" "
            "{\ntag-score = 0\n",
            stage_text(scene->stage));
    for (size_t i = 0; i < STORY_COUNT; i++)
        fprintf(file, "check %s { action = %s }\n", stories[i].check,
                action_text(&stories[i] == scene->story ? scene->action : ACTION_ACCEPT));
    fprintf(file, "}\n");
    if (scene->behind)
        fprintf(file, "trusted-relays = {\"%s\"}\nrelay-action = reject\n", relay);
    ck_assert_int_eq(fclose(file), 0);
    struct conf *conf = conf_load(path, clock_wall_s(world_clock(scene->world)), &report);
    (void)unlink(path);
    ck_assert_ptr_nonnull(conf);
    return conf;
}

/* --- the story ----------------------------------------------------------------------------------
 */

static enum session_answer settle(struct scene *scene, enum session_answer answer)
{
    int waited = 0;
    world_advance(scene->world, 0);
    while (answer == SESSION_PENDING) {
        for (; !lookup_has_news(session_lookup(scene->session)); waited += STEP_MS) {
            EXPECT(scene, waited < WAIT_MAX_MS, "the lookup never became ready");
            world_advance(scene->world, STEP_MS);
        }
        answer = session_resume(scene->session);
    }
    return answer;
}

/* What is not known before MAIL is judged there at stage helo. */
static bool is_late(const struct scene *scene)
{
    return scene->stage == STAGE_HELO && scene->story->helo == NULL;
}

/* Behind a relay nobody knows that there was no EHLO, or another one, and the MTA has no opinion.
 */
static bool is_known(const struct scene *scene)
{
    if (scene->behind)
        return scene->story->helo != NULL && scene->story->resolve == NULL &&
               !said_others(scene->story);
    return scene->stage >= scene->story->known || is_late(scene);
}

static const char *delivery(const struct scene *scene)
{
    if (scene->behind)
        return "end";
    return stage_text(is_late(scene) ? STAGE_MAIL : scene->stage);
}

/* The answer at a place is the action's where it is delivered.  True: the client is refused. */
static bool expect_answer(struct scene *scene, const char *place, enum session_answer got)
{
    bool refuses =
        strcmp(place, delivery(scene)) == 0 && is_known(scene) && action_refuses(scene->action);
    enum session_answer want = !refuses                         ? SESSION_CONTINUE
                               : scene->action == ACTION_REJECT ? SESSION_REJECT
                                                                : SESSION_TEMPFAIL;
    got = settle(scene, got);
    EXPECT(scene, got == want, "answer %d at %s", got, place);
    return refuses;
}

/* What the relay wrote, as qmail does. */
static void received(const struct scene *scene)
{
    const struct story *story = scene->story;
    char field[256];
    if (story->helo != NULL)
        (void)snprintf(field, sizeof field, "from unknown (HELO %s) (%s) by relay.example.net",
                       story->helo, story->client);
    else
        (void)snprintf(field, sizeof field, "from unknown (%s) by relay.example.net",
                       story->client);
    session_header(scene->session, "Received", field);
    world_advance(scene->world, 0);
}

/* Up to where it is refused; true: the message was accepted. */
static bool play(struct scene *scene)
{
    const struct story *story = scene->story;
    const struct session_macros macros = {get_macro, scene};
    const struct session_edits edits = {removed, inserted, quarantined, scene};
    const char *helo = scene->behind ? "relay.example.net" : story->helo;
    struct session *session = scene->session;
    struct ipaddr client;
    ck_assert_int_eq(ipaddr_parse(scene->behind ? relay : story->client, &client), RESULT_OK);
    if (expect_answer(scene, "connect", session_connect(session, &client, &macros)))
        return false;
    if (helo != NULL && expect_answer(scene, "helo", session_helo(session, helo)))
        return false;
    if (expect_answer(scene, "mail", session_mail(session, story->sender, &macros)))
        return false;
    if (expect_answer(scene, "rcpt", session_rcpt(session, "<bob@example.net>", &macros)))
        return false;
    if (scene->behind)
        received(scene);
    session_header(session, "Subject", "hello");
    bool refused = expect_answer(scene, "end", session_end_of_message(session, &edits, &macros));
    session_reset(session);
    return !refused;
}

/* --- what it must have led to -------------------------------------------------------------------
 */

static void expect_in(const struct scene *scene, const char *what, const char *text,
                      const char *part, bool want)
{
    EXPECT(scene, (strstr(text, part) != NULL) == want, "%s \"%s\": \"%s\" was %sexpected", what,
           text, part, want ? "" : "not ");
}

static void expect_reply(const struct scene *scene)
{
    const struct codes *codes = &scene->story->codes;
    const struct reply *reply = session_reply(scene->session);
    static const struct codes greylisted = {.tempfail = "451", .tempfail_x = "4.7.1"};
    bool reject = scene->action == ACTION_REJECT;
    if (scene->action == ACTION_GREYLIST)
        codes = &greylisted;
    ck_assert_ptr_nonnull(reply);
    EXPECT(scene, strcmp(reply->code, reject ? codes->reject : codes->tempfail) == 0, "code %s",
           reply->code);
    EXPECT(scene, strcmp(reply->xcode, reject ? codes->reject_x : codes->tempfail_x) == 0,
           "enhanced code %s", reply->xcode);
    /* The reply begins with the client's address, which the sentence need not say again. */
    const char *reason = scene->story->want_reason;
    size_t length = strlen(scene->story->client);
    if (strncmp(reason, scene->story->client, length) == 0)
        reason += length;
    EXPECT(scene,
           reply->lines[0][0] == '[' &&
               strncmp(reply->lines[0] + 1, scene->story->client, length) == 0,
           "reply %s", reply->lines[0]);
    expect_in(scene, "reply", reply->lines[0], reason, true);
    EXPECT(scene, scene->results[0] == '\0' && scene->tag[0] == '\0' && scene->held[0] == '\0',
           "a refused message was changed");
}

static void expect_header(const struct scene *scene)
{
    bool known = is_known(scene);
    bool tagged = known && scene->action >= ACTION_TAG;
    bool held = known && scene->action == ACTION_QUARANTINE;
    char iprev[128], tag[64];
    (void)snprintf(iprev, sizeof iprev, "mx.example.net; iprev=%s policy.iprev=%s (",
                   scene->story->want_iprev, scene->story->client);
    EXPECT(scene, strncmp(scene->results, iprev, strlen(iprev)) == 0, "results %s", scene->results);
    EXPECT(scene, (scene->tag[0] != '\0') == tagged, "tag \"%s\"", scene->tag);
    EXPECT(scene, (scene->held[0] != '\0') == held, "quarantine \"%s\"", scene->held);
    if (held)
        expect_in(scene, "quarantine", scene->held, scene->story->want_reason, true);
    if (!tagged)
        return;
    (void)snprintf(tag, sizeof tag, "%s score=", action_text(scene->action));
    EXPECT(scene, strncmp(scene->tag, tag, strlen(tag)) == 0, "tag %s", scene->tag);
    expect_in(scene, "tag", scene->tag, scene->story->check, true);
    expect_in(scene, "tag", scene->tag, scene->story->want_reason, true);
}

static void expect_log(const struct scene *scene)
{
    bool known = is_known(scene);
    char action[32], stage[32], iprev[32];
    const char *list = strstr(scene->log, " checks="), *score = strstr(scene->log, " score=");
    EXPECT(scene, scene->decisions == 1, "%u decisions", scene->decisions);
    (void)snprintf(action, sizeof action, " action=%s ",
                   action_text(known ? scene->action : ACTION_ACCEPT));
    (void)snprintf(stage, sizeof stage, " stage=%s ", delivery(scene));
    (void)snprintf(iprev, sizeof iprev, " iprev=%s ", scene->story->want_iprev);
    expect_in(scene, "log", scene->log, action, true);
    expect_in(scene, "log", scene->log, stage, true);
    expect_in(scene, "log", scene->log, iprev, true);
    expect_in(scene, "log", scene->log, " would=", false);
    expect_in(scene, "log", scene->log, " relay=203.0.113.25", scene->behind);
    ck_assert(list != NULL && score != NULL && list < score);
    const char *name = strstr(list, scene->story->check);
    EXPECT(scene, (name != NULL && name < score) == known, "log %.900s", scene->log);
    if (known && scene->action > ACTION_ACCEPT)
        expect_in(scene, "log", scene->log, scene->story->want_reason, true);
}

static const uint8_t key[SIPHASH_KEY_LENGTH] = {1};

/* The client has said other names before. */
static void say_others(const struct scene *scene, struct helo_domains *domains)
{
    struct ipaddr client;
    int64_t wall_s = clock_wall_s(world_clock(scene->world));
    ck_assert_int_eq(ipaddr_parse(scene->story->client, &client), RESULT_OK);
    (void)helo_domains_note(domains, scene->conf->orgdomains, &client, "b.example", wall_s);
    (void)helo_domains_note(domains, scene->conf->orgdomains, &client, "c.example", wall_s);
}

START_TEST(test_cell)
{
    int place = _i % PLACE_COUNT;
    bool behind = place == STAGE_COUNT;
    struct scene scene = {.story = &stories[_i / (ACTION_COUNT * PLACE_COUNT)],
                          .action = (enum action)(_i / PLACE_COUNT % ACTION_COUNT),
                          .stage = behind ? STAGE_RCPT : (enum stage)place,
                          .behind = behind};
    char error[512];
    scene.world = world_new(zone, error, sizeof error);
    ck_assert_msg(scene.world != NULL, "%s", error);
    ck_assert(world_fail(scene.world, "15.2.0.192.in-addr.arpa", "SERVFAIL"));
    scene.conf = load(&scene);
    scene.cache = cache_new(&scene.conf->cache, 1);
    ck_assert_ptr_nonnull(scene.cache);
    scene.resolver = resolver_new(world_source(scene.world), scene.cache, world_loop(scene.world),
                                  &scene.conf->resolver, NULL);
    ck_assert_ptr_nonnull(scene.resolver);
    struct greylist_table *greylist = greylist_table_new(0, 86400, key);
    struct helo_domains *domains = helo_domains_new(0, key);
    ck_assert(greylist != NULL && domains != NULL);
    if (said_others(scene.story))
        say_others(&scene, domains);
    const struct session_services services = {.resolver = scene.resolver,
                                              .greylist = greylist,
                                              .helo_domains = domains,
                                              .clock = world_clock(scene.world),
                                              .decided = decided,
                                              .arg = &scene};
    scene.session = session_new(&services, scene.conf);
    ck_assert_ptr_nonnull(scene.session);
    if (play(&scene))
        expect_header(&scene);
    else
        expect_reply(&scene);
    session_free(scene.session);
    expect_log(&scene);
    helo_domains_free(domains);
    greylist_table_free(greylist);
    loop_stop(world_loop(scene.world));
    resolver_free(scene.resolver);
    cache_free(scene.cache);
    conf_unref(scene.conf);
    world_free(scene.world);
}
END_TEST

/* Nothing is left out, and the order is that of the checks. */
START_TEST(test_every_check_has_a_story)
{
    ck_assert_uint_eq(STORY_COUNT, CHECK_COUNT);
    for (size_t i = 0; i < STORY_COUNT; i++)
        ck_assert_str_eq(stories[i].check, checks[i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_matrix");
    TCase *tcase = tcase_create("matrix");
    tcase_add_test(tcase, test_every_check_has_a_story);
    tcase_add_loop_test(tcase, test_cell, 0, (int)(STORY_COUNT * ACTION_COUNT * PLACE_COUNT));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
