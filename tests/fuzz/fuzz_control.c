/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on the control socket: what passes the parser is what it says that it is. */
#include "fuzz.h"

#include "daemon/control_request.h"

#include <string.h>

enum place { TAKEN, REFUSED, ALLOWED, UNALLOWED, NAMED, ADDRESSED };

FUZZ_PLACES([TAKEN] = "taken", [REFUSED] = "refused", [ALLOWED] = "allow", [UNALLOWED] = "unallow",
            [NAMED] = "name", [ADDRESSED] = "address");

/* An error goes to terminals and logs. */
static void check_error(const char *error)
{
    size_t length = strlen(error);
    CHECK(length > 0 && length < CONTROL_ERROR_MAX);
    for (size_t i = 0; i < length; i++)
        CHECK(error[i] >= 0x20 && error[i] < 0x7f);
}

static void check_subject(const struct control_request *request)
{
    char again[EXEMPTION_SUBJECT_MAX];
    CHECK(exemption_subject(request->subject, again) == RESULT_OK);
    CHECK(strcmp(again, request->subject) == 0); /* canonical */
}

static void check_name(const struct control_request *request)
{
    char again[HOSTNAME_MAX + 1];
    if (request->addr.family != IP_NONE) {
        CHECK(request->name[0] == '\0');
        fuzz_reach(ADDRESSED);
        return;
    }
    if (request->name[0] == '\0') {
        CHECK(request->command == CONTROL_CACHE_FLUSH);
        return;
    }
    enum hostname_flaw flaw = hostname_parse(request->name, again);
    CHECK(flaw == HOSTNAME_OK || flaw == HOSTNAME_ONE_LABEL);
    CHECK(strcmp(again, request->name) == 0);
    fuzz_reach(NAMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request request;
    char error[CONTROL_ERROR_MAX] = "";
    /* Its own block, so that reading past the end shows. */
    char *text = malloc(size > 0 ? size : 1);
    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    enum result status = control_request_parse(text, size, &request, error);
    free(text);
    if (status == RESULT_INVALID)
        check_error(error);
    fuzz_reach(status == RESULT_OK ? TAKEN : REFUSED);
    if (status != RESULT_OK)
        return 0;
    CHECK(size <= CONTROL_REQUEST_MAX);
    CHECK(request.command < CONTROL_COMMAND_COUNT);
    if (request.command == CONTROL_ALLOW || request.command == CONTROL_UNALLOW)
        check_subject(&request);
    if (request.command == CONTROL_UNALLOW)
        fuzz_reach(UNALLOWED);
    if (request.command == CONTROL_ALLOW) {
        fuzz_reach(ALLOWED);
        char again[EXEMPTION_REASON_MAX];
        CHECK(request.reason[0] != '\0');
        CHECK(exemption_reason(request.reason, again) == RESULT_OK);
        CHECK(strcmp(again, request.reason) == 0); /* what is saved is what is loaded */
        CHECK(request.seconds > 0 && request.seconds <= EXEMPTION_MAX_S);
    }
    if (request.command == CONTROL_CACHE_GET || request.command == CONTROL_CACHE_FLUSH)
        check_name(&request);
    return 0;
}
