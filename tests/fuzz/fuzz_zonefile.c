/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of a zone file.  The first line is a name that is asked for; the rest is the file. */
#include "fuzz.h"

#include "dns/zonefile.h"

#include <string.h>

enum place { LOADED, REFUSED, ADDRESSES, NAMES, NODATA, NXDOMAIN, LOOPED, DELEGATED, HOPS };

FUZZ_PLACES([LOADED] = "loaded", [REFUSED] = "refused", [ADDRESSES] = "addresses",
            [NAMES] = "names", [NODATA] = "nodata", [NXDOMAIN] = "nxdomain", [LOOPED] = "loop",
            [DELEGATED] = "delegated", [HOPS] = "cname");

static void check_answer(const struct answer *answer)
{
    char text[NAME_TEXT_MAX];
    for (size_t i = 0; i < answer->count; i++) {
        struct ipaddr addr;
        size_t length;
        if (answer->type == RR_A || answer->type == RR_AAAA) {
            answer_address(answer, i, &addr);
            CHECK(addr.family != IP_NONE);
            continue;
        }
        if (answer->type == RR_TXT) {
            (void)answer_text(answer, i, text, sizeof text);
            continue;
        }
        const uint8_t *name = answer_name(answer, i, &length);
        CHECK(length >= 1 && length <= WIRE_NAME_MAX);
        CHECK(name >= answer->payload && name + length <= answer->payload + answer->payload_length);
        CHECK(strlen(wirename_text(name, length, text)) < sizeof text);
    }
}

static void done(void *arg, const struct source_result *result)
{
    const struct answer *answer = result->answer;
    const struct question *question = arg;
    CHECK(answer != NULL && !result->chained);
    CHECK(answer->type == question->type);
    CHECK((answer->outcome == DNS_FOUND) == (answer->count > 0));
    CHECK(answer->outcome == DNS_FOUND || answer->payload_length == 0);
    CHECK(answer->origin == DNS_FROM_ZONE);
    check_answer(answer);
    if (answer->outcome == DNS_FOUND)
        fuzz_reach(answer->type == RR_A || answer->type == RR_AAAA ? ADDRESSES : NAMES);
    else if (answer->outcome == DNS_TEMPERROR)
        fuzz_reach(answer->problem == PROBLEM_LOOP ? LOOPED : DELEGATED);
    else
        fuzz_reach(answer->outcome == DNS_NODATA ? NODATA : NXDOMAIN);
    if (result->hops > 0)
        fuzz_reach(HOPS);
    answer_unref(answer);
}

static void ask(struct source *source, const char *name)
{
    static const enum rrtype types[] = {RR_A, RR_AAAA, RR_PTR, RR_MX, RR_TXT};
    char canonical[HOSTNAME_MAX + 1];
    (void)hostname_parse(name, canonical);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct question question;
        if (canonical[0] != '\0' && question_from_name(canonical, types[i], &question) == RESULT_OK)
            CHECK(source->ops->ask(source, &question, 1, done, &question) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_lines lines = {data, data + size};
    struct fuzz_file file;
    struct source *source = NULL;
    char error[256] = "";
    unsigned line = 0;
    char *name = fuzz_line(&lines);
    if (name == NULL)
        return 0;
    fuzz_file_open(&file, lines.at, (size_t)(lines.end - lines.at));
    enum result status = zonefile_load(file.path, &source, &line, error, sizeof error);
    fuzz_file_close(&file);
    CHECK(status == RESULT_OK || status == RESULT_INVALID);
    fuzz_reach(status == RESULT_OK ? LOADED : REFUSED);
    if (status == RESULT_OK) {
        ask(source, name);
        ask(source, "a.example");
        ask(source, "b.a.example");
        source->ops->free(source);
    } else {
        CHECK(error[0] != '\0' && fuzz_printable(error, strlen(error), false));
        CHECK(line >= 1);
    }
    free(name);
    return 0;
}
