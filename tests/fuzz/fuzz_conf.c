/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every byte of a configuration file: it loads, or it says why not; what it prints loads again, and
 * what it decides can be told.
 */
#include "fuzz.h"

#include "told.h"

#include <errno.h>
#include <fcntl.h>
#include <libpsl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

enum place { LOADED, REFUSED, HELD_BACK, MATCHED, EXCUSED, DEFERRED, REJECTED };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [HELD_BACK] = "files-held-back",
            [MATCHED] = "matched", [EXCUSED] = "excused", [DEFERRED] = "tempfail",
            [REJECTED] = "reject");

#define NOW INT64_C(1798761600) /* 2027-01-01T00:00:00Z */

/*
 * A configuration names files.  While one is loaded none is there but the input itself: the linker
 * puts these in place of the library's (--wrap), for the fuzzer's own calls, too.
 */
int __real_open(const char *path, int flags, ...);
int __real_stat(const char *path, struct stat *out);
int __real_access(const char *path, int mode);
psl_ctx_t *__real_psl_load_file(const char *path);
int __wrap_open(const char *path, int flags, ...);
int __wrap_stat(const char *path, struct stat *out);
int __wrap_access(const char *path, int mode);
psl_ctx_t *__wrap_psl_load_file(const char *path);

static const char *loading; /* the file; NULL: none */

static bool is_there(const char *path)
{
    if (loading == NULL || strcmp(path, loading) == 0)
        return true;
    fuzz_reach(HELD_BACK);
    errno = ENOENT;
    return false;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    CHECK(loading == NULL || (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY);
    return is_there(path) ? __real_open(path, flags, mode) : -1;
}

int __wrap_stat(const char *path, struct stat *out)
{
    return is_there(path) ? __real_stat(path, out) : -1;
}

int __wrap_access(const char *path, int mode)
{
    return is_there(path) ? __real_access(path, mode) : -1;
}

psl_ctx_t *__wrap_psl_load_file(const char *path)
{
    return is_there(path) ? __real_psl_load_file(path) : NULL;
}

/* Messages are one printable line. */
static void hear(void *arg, const char *message)
{
    unsigned *count = arg;
    CHECK(message[0] != '\0' && strlen(message) < 4096);
    for (const char *p = message; *p != '\0'; p++)
        CHECK(*p >= 0x20 && *p <= 0x7e);
    if (count != NULL)
        (*count)++;
}

static void ignore(void *arg, const char *message)
{
    (void)arg;
    hear(NULL, message);
}

/* NULL exactly when an error was told. */
static struct conf *load(const void *text, size_t size)
{
    unsigned errors = 0;
    const struct conf_report report = {hear, ignore, NULL, &errors};
    struct fuzz_file file;
    fuzz_file_open(&file, text, size);
    loading = file.path;
    struct conf *conf = conf_load(file.path, NOW, &report);
    loading = NULL;
    fuzz_file_close(&file);
    CHECK((conf == NULL) == (errors > 0));
    return conf;
}

static char *print(const struct conf *conf, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    CHECK(stream != NULL);
    CHECK(conf_print(conf, stream) == RESULT_OK);
    CHECK(fclose(stream) == 0);
    return text;
}

static void decide(const struct conf *conf, const struct facts *facts)
{
    const struct transaction transaction = {.dialogue = DIALOGUE_MAIL,
                                            .sender = "a@mail.example.org",
                                            .recipient = "postmaster@example.net",
                                            .listener = "smtpd",
                                            .mta = "mx.example.net",
                                            .stage = "rcpt",
                                            .wall_s = NOW};
    struct decision decision;
    struct reply reply;
    decision_make(conf, facts, &transaction, &decision);
    told_check_decision(&decision, &transaction);
    if (decision.match != NULL)
        fuzz_reach(MATCHED);
    if (decision.policy == NULL)
        fuzz_reach(EXCUSED);
    if (decision.verdict.done.action < ACTION_TEMPFAIL)
        return;
    bool reject = decision.verdict.done.action == ACTION_REJECT;
    decision_reply(&decision, 0, &reply);
    told_check_reply(&reply, reject);
    fuzz_reach(reject ? REJECTED : DEFERRED);
}

/* A client with a name from its address, one without a name, and one about whom nothing is known.
 */
static void decide_some(const struct conf *conf)
{
    struct facts facts = {.client = {.family = IP_V4, .bytes = {192, 0, 2, 71}},
                          .ptr = {.outcome = DNS_FOUND},
                          .sender_domain = "mail.example.org"};
    const struct name_facts name = {.name = "dsl-192-0-2-71.isp.example",
                                    .forward = {.outcome = DNS_FOUND},
                                    .addresses = &facts.client,
                                    .address_count = 1,
                                    .confirmed = true};
    facts.names = &name;
    facts.name_count = 1;
    helo_parse("mail.example.org", &facts.helo);
    facts.helo_name =
        (struct name_facts){.name = facts.helo.name, .forward = {.outcome = DNS_NXDOMAIN}};
    decide(conf, &facts);
    facts.ptr.outcome = DNS_NXDOMAIN;
    facts.name_count = 0;
    helo_parse("x_(y)\r\n\"=\\%n", &facts.helo);
    facts.helo_name = (struct name_facts){.name = NULL};
    decide(conf, &facts);
    facts.ptr.outcome = DNS_TEMPERROR;
    helo_parse("[192.0.2.1]", &facts.helo);
    decide(conf, &facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first_size, second_size;
    if (size > 1 << 16)
        return 0;
    struct conf *conf = load(data, size);
    fuzz_reach(conf == NULL ? REFUSED : LOADED);
    if (conf == NULL)
        return 0;
    decide_some(conf);
    char *first = print(conf, &first_size);
    struct conf *again = load(first, first_size);
    CHECK(again != NULL);
    char *second = print(again, &second_size);
    CHECK(first_size == second_size && memcmp(first, second, first_size) == 0);
    conf_unref(conf);
    conf_unref(again);
    free(first);
    free(second);
    return 0;
}
