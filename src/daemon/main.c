/* SPDX-License-Identifier: BSD-2-Clause */
/* iprevd(8): options, configuration, listener, privileges, serve. */
#include "commit.h"
#include "config.h"

#include "base/log.h"
#include "daemon/background.h"
#include "daemon/control_sockets.h"
#include "daemon/descriptors.h"
#include "daemon/libmilter.h"
#include "daemon/listener.h"
#include "daemon/management.h"
#include "daemon/privileges.h"
#include "daemon/service.h"
#include "daemon/service_user.h"
#include "dns/dns_service.h"
#include "farm/farm_secrets.h"
#include "site/conf_restart.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* Connections that may wait to be accepted. */
#define BACKLOG 1024

#define RESTART_NAMES_MAX 512 /* bytes of the options that need a restart */

struct options {
    const char *conf_path;
    bool foreground, test;
    unsigned verbose;
};

static void usage(FILE *stream)
{
    (void)fprintf(
        stream,
        "Usage: iprevd [-f] [-v] [-c FILE]\n"
        "       iprevd -t [-v] [-c FILE]\n"
        "\n"
        "A milter that enforces a site's reverse-DNS policy.\n"
        "\n"
        "  -c FILE  read this configuration (default: %s)\n"
        "  -f       stay in the foreground and log to standard error\n"
        "  -t       test the configuration and exit; with -v print it as it takes effect\n"
        "  -v       log more (debugging)\n"
        "  -V       print the version and the libraries in use, and exit\n"
        "  -h       print this help and exit\n"
        "\n"
        "Exit status: 0 success, 64 usage, 69 cannot serve, 78 configuration error.\n"
        "See iprevd(8), iprevd.conf(5) and iprevctl(1).\n",
        CONF_DEFAULT_PATH);
}

static void print_version(void)
{
    char milter[32];
    libmilter_version(milter, sizeof milter);
    (void)printf(
        "iprevd %s%s\nlibmilter %s, ldns %s, libevent %s, libconfuse %s, libpsl %s, libidn2 "
        "%s, PCRE2 %s, "
        "jansson %s, hiredis %s, systemd %s\n",
        PACKAGE_VERSION, COMMIT, milter, VERSION_LDNS, VERSION_EVENT, VERSION_CONFUSE, VERSION_PSL,
        VERSION_IDN2, VERSION_PCRE2, VERSION_JANSSON,
#ifdef HAVE_FARM
        VERSION_HIREDIS,
#else
        "no",
#endif
#ifdef HAVE_SYSTEMD
        "yes"
#else
        "no"
#endif
    );
}

/* Fills *options; returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
    *options = (struct options){.conf_path = CONF_DEFAULT_PATH};
    int option;
    while ((option = getopt_long(argc, argv, "c:ftvVh", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->conf_path = optarg;
            break;
        case 'f':
            options->foreground = true;
            break;
        case 't':
            options->test = true;
            break;
        case 'v':
            options->verbose++;
            break;
        case 'V':
            print_version();
            return EX_OK;
        case 'h':
            usage(stdout);
            return EX_OK;
        default:
            usage(stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "iprevd: unexpected argument \"%s\"\n", argv[optind]);
        usage(stderr);
        return EX_USAGE;
    }
    return -1;
}

static void report_error(void *arg, const char *message)
{
    (void)arg;
    log_error("%s", message);
}

static void report_warning(void *arg, const char *message)
{
    (void)arg;
    log_warning("%s", message);
}

static void report_notice(void *arg, const char *message)
{
    (void)arg;
    log_info("%s", message);
}

/* What a start reads besides the configuration and its tables. */
static bool test_files(const struct conf *conf, const struct conf_report *report)
{
    char zone_error[DNS_SERVICE_ERROR_MAX], farm_error[FARM_SECRETS_ERROR_MAX];
    struct farm_secrets secrets;
    if (conf->zone_file != NULL && !dns_service_test_zone(conf->zone_file, zone_error)) {
        log_error("%s", zone_error);
        return false;
    }
    if (conf->farm.server_count > 0 && farm_secrets_read(conf, &secrets, farm_error) != RESULT_OK) {
        report->error(report->arg, farm_error);
        return false;
    }
    return true;
}

static int test_configuration(const struct conf *conf, const struct options *options,
                              const struct conf_report *report)
{
    if (!test_files(conf, report) || service_user_test(conf, report) > 0)
        return EX_CONFIG;
    if (options->verbose > 0) {
        if (conf_print(conf, stdout) == RESULT_OK && fflush(stdout) == 0)
            return EX_OK;
        log_error("the output cannot be written: %s", strerror(errno));
        return EX_IOERR;
    }
    char mode[CONF_MODE_TEXT_MAX];
    char names[RESTART_NAMES_MAX];
    struct textbuf buf;
    textbuf_init(&buf, names, sizeof names);
    conf_restart_put_names(&buf);
    (void)printf("%s: the configuration is good\n%s: mode %s\n"
                 "%s: a restart is needed after a change of %s; a reload does for all else\n",
                 conf->path, conf->path, conf_mode_text(conf, mode), conf->path, names);
    return EX_OK;
}

/* What has been taken so far, in the order of taking; given back when the start fails. */
struct start {
    struct background_pid pid;
    struct listener listener;
    bool listening;
    struct control_sockets sockets;
    struct service *service;
};

/* From being root to being ready.  On failure `error` says what and why. */
static bool start_up(struct conf *conf, struct start *start, char error[SERVICE_ERROR_MAX])
{
    struct privileges privileges;
    if (privileges_find(conf->user, conf->group, &privileges, error) != RESULT_OK)
        return false;
    if (background_write_pid(conf->pid_file, &start->pid) != RESULT_OK) {
        (void)snprintf(error, SERVICE_ERROR_MAX, "pid file %s: %s", conf->pid_file,
                       errno == EEXIST ? "another iprevd runs" : strerror(errno));
        return false;
    }
    const struct listener_settings settings = {.spec = conf->listen,
                                               .mode = conf->socket_mode,
                                               .group = conf->socket_group,
                                               .uid = privileges.uid,
                                               .gid = privileges.gid,
                                               .backlog = BACKLOG};
    if (listener_open(&settings, &start->listener, error) != RESULT_OK)
        return false;
    start->listening = true;
    control_sockets_open(conf, privileges.uid, privileges.gid, &start->sockets);
    if (privileges_drop(&privileges, error) != RESULT_OK)
        return false;
    privileges_harden();
    if (geteuid() == 0)
        log_warning("running as root: set user in %s", conf->path);
    if (access(conf->path, R_OK) != 0)
        log_warning("%s: %s: a reload will fail", conf->path, strerror(errno));
    start->service = service_new(conf, error);
    if (start->service == NULL)
        return false;
    const struct control_sockets sockets = start->sockets;
    start->sockets = (struct control_sockets){-1, -1}; /* taken, whatever comes of it */
    return service_start(start->service, &start->listener, &sockets, error) == RESULT_OK;
}

static void give_back(const struct conf *conf, struct start *start)
{
    service_free(start->service);
    control_sockets_close(conf, &start->sockets);
    if (start->listening)
        listener_abandon(&start->listener);
    background_remove_pid(&start->pid);
}

/* Everything between a good configuration and the end.  Returns the exit status. */
static int serve(struct conf *conf, const struct options *options)
{
    char error[SERVICE_ERROR_MAX];
    struct start start = {.pid = {NULL, -1}, .sockets = {-1, -1}};
    int parent = options->foreground ? -1 : background_enter();
    if (!options->foreground && parent < 0) {
        log_error("cannot go into the background: %s", strerror(errno));
        return EX_OSERR;
    }
    management_block_signals();
    (void)umask(0027); /* who else may read a file is said where it is made */
    descriptors_provide(conf);
    if (!start_up(conf, &start, error)) {
        log_error("%s", error);
        give_back(conf, &start);
        return EX_UNAVAILABLE;
    }
    if (!options->foreground)
        log_open(LOG_SINK_SYSLOG, "iprevd", conf->syslog_facility);
    char mode[CONF_MODE_TEXT_MAX];
    log_info("iprevd %s serves on %s, mode %s", PACKAGE_VERSION, conf->listen,
             conf_mode_text(conf, mode));
    if (parent >= 0)
        background_ready(parent);
    if (log_start() != RESULT_OK)
        log_error("the log has no thread, every session waits for it: %s", strerror(errno));
    start.listening = false; /* libmilter's from here on */
    bool ok = service_run(start.service);
    give_back(conf, &start);
    return ok ? EX_OK : EX_UNAVAILABLE;
}

/* The configuration's name, which a daemon in the background still finds when it is elsewhere.
   NULL: errno says why. */
static char *conf_path(const struct options *options)
{
    const char *path = options->conf_path;
    if (options->foreground || options->test || path[0] == '/')
        return strdup(path);
    char *directory = realpath(".", NULL), *absolute = NULL;
    if (directory != NULL && asprintf(&absolute, "%s/%s", directory, path) < 0)
        absolute = NULL;
    free(directory);
    return absolute;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!background_keep_stdio())
        return EX_OSERR;
    int status = parse_options(argc, argv, &options);
    if (status >= 0)
        return status;
    log_open(LOG_SINK_STDERR, "iprevd", NULL);
    if (options.verbose > 0)
        log_set_level(LOG_LEVEL_DEBUG);
    const struct conf_report report = {report_error, report_warning,
                                       options.test ? report_notice : NULL, NULL};
    char *path = conf_path(&options);
    if (path == NULL) {
        log_error("%s: %s", options.conf_path, strerror(errno));
        return EX_OSERR;
    }
    struct conf *conf = conf_load(path, (int64_t)time(NULL), &report);
    free(path);
    if (conf == NULL)
        return EX_CONFIG;
    status = options.test ? test_configuration(conf, &options, &report) : serve(conf, &options);
    conf_unref(conf);
    log_close();
    return status;
}
