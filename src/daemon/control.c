/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control.h"

#include "base/log.h"
#include "base/plural.h"
#include "base/textbuf.h"
#include "daemon/cacheview.h"
#include "daemon/request_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Connections at a time: people at terminals, and a script or two. */
#define PEERS_MAX 32

/* From connecting to the end of the request, and for the answer without progress (a pager). */
#define REQUEST_MS  5000
#define PROGRESS_MS 60000

/* Bytes of a dump that wait to be sent: formatting these takes well under a millisecond. */
#define CHUNK_BYTES 16384

/* A dump holds on to a part of the cache: one at a time. */
#define DUMPS_MAX 1

/* A peer whose answer waits for a task. */
struct waiter {
    STAILQ_ENTRY(waiter) link;
    struct request_server_peer *peer;
};

STAILQ_HEAD(waiter_list, waiter);

struct control {
    struct control_services services;
    struct request_server *request_server;
    struct {
        struct waiter_list next, current; /* before it begins, and while it runs */
    } tasks[CONTROL_TASK_COUNT];
    unsigned dumps;
};

/* --- answers -------------------------------------------------------------------------------- */

/* One line, and takes it.  NULL: the answer ends without its last line, which tells the asker. */
static void send_line(void *arg, char *line)
{
    struct request_server_peer *peer = arg;
    if (line == NULL)
        return;
    request_server_send(peer, line, strlen(line));
    request_server_send(peer, "\n", 1);
    free(line);
}

static void send_json(struct request_server_peer *peer, struct json_writer *json)
{
    if (json != NULL)
        send_line(peer, json_writer_line(json));
    json_writer_free(json);
}

static void answer_error(struct request_server_peer *peer, const char *kind, const char *error)
{
    struct json_writer *json = json_writer_new();
    if (json != NULL) {
        json_writer_bool(json, "ok", false);
        json_writer_text(json, "kind", kind);
        json_writer_sentence(json, "error", error);
    }
    send_json(peer, json);
    request_server_finish(peer);
}

/* {"ok":true}, with one number and one warning where there are such. */
static void answer_ok(struct request_server_peer *peer, const char *key, int64_t number,
                      const char *warning)
{
    struct json_writer *json = json_writer_new();
    if (json != NULL) {
        json_writer_bool(json, "ok", true);
        if (key != NULL)
            json_writer_int(json, key, number);
        if (warning != NULL)
            json_writer_sentence(json, "warning", warning);
    }
    send_json(peer, json);
    request_server_finish(peer);
}

/* --- tasks ---------------------------------------------------------------------------------- */

/* The end of the task answers.  start() may begin it at once. */
static void answer_after(struct control *control, struct request_server_peer *peer,
                         enum control_task task, void (*start)(void *arg))
{
    struct waiter *waiter = malloc(sizeof *waiter);
    if (waiter == NULL) {
        answer_error(peer, "failed", "out of memory");
        return;
    }
    waiter->peer = peer;
    STAILQ_INSERT_TAIL(&control->tasks[task].next, waiter, link);
    start(control->services.arg);
}

void control_task_begins(struct control *control, enum control_task task)
{
    if (control != NULL)
        STAILQ_CONCAT(&control->tasks[task].current, &control->tasks[task].next);
}

static struct waiter *take(struct waiter_list *list)
{
    struct waiter *waiter = STAILQ_FIRST(list);
    if (waiter != NULL)
        STAILQ_REMOVE_HEAD(list, link);
    return waiter;
}

/* What was done here others do not hear of yet.  NULL: they do, or there are none. */
static const char *farm_warning(const struct control *control, const char *what,
                                char out[CONTROL_ERROR_MAX])
{
    const struct farm *farm = control->services.farm(control->services.arg);
    char why[FARM_WHY_MAX];
    if (farm == NULL || farm_is_well(farm, why))
        return NULL;
    (void)snprintf(out, CONTROL_ERROR_MAX, "%s: the store is away: %s", what, why);
    return out;
}

/* Both warnings, or the one that there is, or NULL. */
static const char *both_warnings(const char *one, const char *other,
                                 char out[2 * CONTROL_ERROR_MAX])
{
    if (one == NULL || other == NULL)
        return one == NULL ? other : one;
    (void)snprintf(out, 2 * (size_t)CONTROL_ERROR_MAX, "%s; %s", one, other);
    return out;
}

void control_task_ends(struct control *control, enum control_task task, const char *error,
                       const char *warning)
{
    char text[CONTROL_ERROR_MAX], both[2 * CONTROL_ERROR_MAX];
    if (control == NULL)
        return;
    if (task == CONTROL_TASK_SAVE)
        warning = both_warnings(
            warning, farm_warning(control, "other hosts of the farm hear of it later", text), both);
    for (struct waiter *waiter; (waiter = take(&control->tasks[task].current)) != NULL;) {
        if (error == NULL)
            answer_ok(waiter->peer, NULL, 0, warning);
        else
            answer_error(waiter->peer, "failed", error);
        free(waiter);
    }
}

/* --- commands ------------------------------------------------------------------------------- */

static void do_status(struct control *control, struct request_server_peer *peer,
                      const struct control_request *request)
{
    struct json_writer *json = json_writer_new();
    (void)request;
    if (json != NULL) {
        json_writer_bool(json, "ok", true);
        control->services.status(control->services.arg, json);
    }
    send_json(peer, json);
    request_server_finish(peer);
}

static void do_reload(struct control *control, struct request_server_peer *peer,
                      const struct control_request *request)
{
    (void)request;
    answer_after(control, peer, CONTROL_TASK_RELOAD, control->services.reload);
}

static void do_cache_get(struct control *control, struct request_server_peer *peer,
                         const struct control_request *request)
{
    size_t count =
        cacheview_get(control->services.resolver, &request->addr, request->name, send_line, peer);
    if (count == 0)
        answer_error(peer, "notfound", "the cache has nothing about it");
    else
        answer_ok(peer, "records", (int64_t)count, NULL);
}

static void do_cache_flush(struct control *control, struct request_server_peer *peer,
                           const struct control_request *request)
{
    size_t gone = cacheview_flush(control->services.resolver, &request->addr, request->name);
    struct farm *farm = control->services.farm(control->services.arg);
    char warning[CONTROL_ERROR_MAX], text[IPADDR_TEXT_MAX];
    log_info("control: cache flush: %zu record%s forgotten", gone, plural_of(gone, " is", "s are"));
    if (farm != NULL)
        farm_flushed(farm, request->addr.family != IP_NONE ? ipaddr_format(&request->addr, text)
                           : request->name[0] != '\0'      ? request->name
                                                           : "all");
    answer_ok(peer, "records", (int64_t)gone,
              farm_warning(control, "other hosts of the farm do so within 5 minutes or not at all",
                           warning));
}

struct dumping {
    struct control *control;
    struct cacheview_dump *dump;
    int64_t count;
};

static bool dump_more(void *arg, struct request_server_peer *peer)
{
    struct dumping *dumping = arg;
    char *line = NULL;
    enum result status = cacheview_dump_next(dumping->dump, &line);
    if (status == RESULT_OK) {
        send_line(peer, line);
        dumping->count++;
        return true;
    }
    struct json_writer *json = status == RESULT_NOTFOUND ? json_writer_new() : NULL;
    if (json != NULL) {
        json_writer_bool(json, "ok", true);
        json_writer_int(json, "records", dumping->count);
    }
    send_json(peer, json);
    return false;
}

static void dump_ended(void *arg)
{
    struct dumping *dumping = arg;
    dumping->control->dumps--;
    cacheview_dump_free(dumping->dump);
    free(dumping);
}

static void do_cache_dump(struct control *control, struct request_server_peer *peer,
                          const struct control_request *request)
{
    (void)request;
    if (control->dumps >= DUMPS_MAX) {
        answer_error(peer, "busy", "another dump of the cache is under way");
        return;
    }
    struct dumping *dumping = calloc(1, sizeof *dumping);
    if (dumping != NULL)
        dumping->dump = cacheview_dump_new(control->services.resolver);
    if (dumping == NULL || dumping->dump == NULL) {
        free(dumping);
        answer_error(peer, "failed", "out of memory");
        return;
    }
    dumping->control = control;
    control->dumps++;
    request_server_stream(peer, dump_more, dump_ended, dumping);
}

/* Untrusted text for the log. */
static const char *escaped(const char *text, char *out, size_t size)
{
    struct textbuf buf;
    textbuf_init(&buf, out, size);
    textbuf_put_own(&buf, text, size);
    return out;
}

/* "uid 1000": what the kernel says of the one who asks. */
#define WHO_MAX 32
static const char *who_asks(struct request_server_peer *peer, char out[WHO_MAX])
{
    uid_t uid;
    if (request_server_uid(peer, &uid))
        (void)snprintf(out, WHO_MAX, "uid %lu", (unsigned long)uid);
    else
        (void)snprintf(out, WHO_MAX, "somebody");
    return out;
}

static void do_allow(struct control *control, struct request_server_peer *peer,
                     const struct control_request *request)
{
    const struct control_services *services = &control->services;
    char reason[4 * EXEMPTION_REASON_MAX], who[WHO_MAX];
    int64_t wall_s = clock_wall_s(services->clock);
    struct farm *farm = services->farm(services->arg);
    struct exemption exemption = {.made_s = wall_s, .until_s = wall_s + request->seconds};
    memcpy(exemption.subject, request->subject, sizeof exemption.subject);
    memcpy(exemption.reason, request->reason, sizeof exemption.reason);
    (void)exemptions_expire(services->exemptions, wall_s);
    if (farm != NULL) {
        exemption.made_s = exemptions_made(services->exemptions, exemption.subject, wall_s);
        (void)snprintf(exemption.by, sizeof exemption.by, "%s", farm_host(farm));
    }
    enum result status = exemptions_add(services->exemptions, &exemption);
    if (status != RESULT_OK) {
        answer_error(peer, "failed",
                     status == RESULT_LIMIT ? "there are too many exemptions already: put them "
                                              "into a match block of the configuration"
                                            : "out of memory");
        return;
    }
    log_info("control: %s is allowed for %lld s by %s: %s", exemption.subject,
             (long long)request->seconds, who_asks(peer, who),
             escaped(exemption.reason, reason, sizeof reason));
    if (farm != NULL)
        farm_exemption_changed(farm, exemption.subject);
    answer_after(control, peer, CONTROL_TASK_SAVE, control->services.save_exemptions);
}

static enum result end_exemption(const struct control_services *services, const struct farm *farm,
                                 const char *subject)
{
    if (farm != NULL)
        return exemptions_end(services->exemptions, subject, clock_wall_s(services->clock),
                              farm_host(farm));
    return exemptions_remove(services->exemptions, subject) ? RESULT_OK : RESULT_NOTFOUND;
}

static void do_unallow(struct control *control, struct request_server_peer *peer,
                       const struct control_request *request)
{
    const struct control_services *services = &control->services;
    struct farm *farm = services->farm(services->arg);
    enum result status = end_exemption(services, farm, request->subject);
    if (status != RESULT_OK) {
        answer_error(peer, status == RESULT_NOTFOUND ? "notfound" : "failed",
                     status == RESULT_NOTFOUND ? "there is no such exemption" : "out of memory");
        return;
    }
    char who[WHO_MAX];
    log_info("control: %s is not allowed any more, by %s", request->subject, who_asks(peer, who));
    if (farm != NULL)
        farm_exemption_changed(farm, request->subject);
    answer_after(control, peer, CONTROL_TASK_SAVE, control->services.save_exemptions);
}

static void put_exemption(void *arg, const struct exemption *exemption)
{
    struct request_server_peer *peer = arg;
    struct json_writer *json = json_writer_new();
    if (json != NULL) {
        json_writer_text(json, "subject", exemption->subject);
        json_writer_sentence(json, "reason", exemption->reason); /* as it was given */
        if (exemption->by[0] != '\0')
            json_writer_text(json, "by", exemption->by);
        json_writer_int(json, "made", exemption->made_s);
        json_writer_int(json, "until", exemption->until_s);
    }
    send_json(peer, json);
}

static void do_allowed(struct control *control, struct request_server_peer *peer,
                       const struct control_request *request)
{
    struct exemptions *exemptions = control->services.exemptions;
    (void)request;
    (void)exemptions_expire(exemptions, clock_wall_s(control->services.clock));
    exemptions_each(exemptions, put_exemption, peer);
    answer_ok(peer, "count", (int64_t)exemptions_count(exemptions), NULL);
}

/* A peer whose answer waits for other hosts. */
struct remembered {
    struct control *control;
    struct request_server_peer *peer;
    struct ipaddr client;
};

/* What is remembered of a client, as struct history; nothing is noted. */
static void answer_remembered(struct control *control, struct request_server_peer *peer,
                              const struct ipaddr *client, bool others_silent)
{
    struct json_writer *json = json_writer_new();
    struct history history = client_memory_note(control->services.memory, client, HISTORY_NOTHING,
                                                clock_wall_s(control->services.clock), NULL);
    if (json != NULL) {
        json_writer_bool(json, "ok", true);
        json_writer_bool(json, "others_silent", others_silent);
        json_writer_int(json, "last_day", history.last_day);
        json_writer_int(json, "previous_day", history.previous_day);
        json_writer_int(json, "failed", history.failed_s);
        json_writer_bool(json, "passed_since", history.passed_since);
    }
    send_json(peer, json);
    request_server_finish(peer);
}

static void others_asked(void *arg, bool answered)
{
    struct remembered *remembered = arg;
    answer_remembered(remembered->control, remembered->peer, &remembered->client, !answered);
    free(remembered);
}

static void do_remembered(struct control *control, struct request_server_peer *peer,
                          const struct control_request *request)
{
    struct farm *farm = control->services.farm(control->services.arg);
    struct remembered *remembered = farm != NULL ? malloc(sizeof *remembered) : NULL;
    if (remembered == NULL) {
        answer_remembered(control, peer, &request->addr, farm != NULL);
        return;
    }
    *remembered = (struct remembered){control, peer, request->addr};
    farm_ask_about(farm, &request->addr, others_asked, remembered);
}

/* --- requests ------------------------------------------------------------------------------- */

/* A request is a line; at the end of what is sent the line feed may be missing. */
static size_t whole_request(const char *text, size_t length, bool ended)
{
    const char *feed = memchr(text, '\n', length);
    if (feed != NULL)
        return (size_t)(feed - text) + 1;
    return ended ? length : 0;
}

static void serve(void *arg, struct request_server_peer *peer, const char *text, size_t length)
{
    static void (*const commands[CONTROL_COMMAND_COUNT])(struct control * control,
                                                         struct request_server_peer * peer,
                                                         const struct control_request *request) = {
        [CONTROL_STATUS] = do_status,
        [CONTROL_CACHE_GET] = do_cache_get,
        [CONTROL_CACHE_FLUSH] = do_cache_flush,
        [CONTROL_CACHE_DUMP] = do_cache_dump,
        [CONTROL_ALLOW] = do_allow,
        [CONTROL_UNALLOW] = do_unallow,
        [CONTROL_ALLOWED] = do_allowed,
        [CONTROL_RELOAD] = do_reload,
        [CONTROL_REMEMBERED] = do_remembered,
    };
    struct control_request request;
    char error[CONTROL_ERROR_MAX];
    enum result status = control_request_parse(text, length, &request, error);
    if (status == RESULT_OK)
        commands[request.command](arg, peer, &request);
    else
        answer_error(peer, status == RESULT_INVALID ? "usage" : "failed",
                     status == RESULT_INVALID ? error : "out of memory");
}

/* --- life ----------------------------------------------------------------------------------- */

struct control *control_new(const struct control_services *services, int fd)
{
    struct control *control = calloc(1, sizeof *control);
    const struct request_server_settings settings = {
        .max_peers = PEERS_MAX,
        .request_max = CONTROL_REQUEST_MAX,
        .request_ms = REQUEST_MS,
        .progress_ms = PROGRESS_MS,
        .answer_chunk = CHUNK_BYTES,
        .too_long = "{\"ok\":false,\"kind\":\"usage\",\"error\":\"the request is too long\"}\n",
        .whole = whole_request,
        .serve = serve,
        .arg = control,
    };
    if (control != NULL) {
        control->services = *services;
        for (size_t i = 0; i < CONTROL_TASK_COUNT; i++) {
            STAILQ_INIT(&control->tasks[i].next);
            STAILQ_INIT(&control->tasks[i].current);
        }
    }
    /* Takes fd also when there is no memory for us. */
    struct request_server *request_server = request_server_new(services->loop, fd, &settings);
    if (control == NULL || request_server == NULL) {
        request_server_free(request_server);
        free(control);
        return NULL;
    }
    control->request_server = request_server;
    return control;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    request_server_free(control->request_server);
    for (size_t i = 0; i < CONTROL_TASK_COUNT; i++) {
        STAILQ_CONCAT(&control->tasks[i].current, &control->tasks[i].next);
        for (struct waiter *waiter; (waiter = take(&control->tasks[i].current)) != NULL;)
            free(waiter);
    }
    free(control);
}
