/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What iprevctl check reads of a sender: the header of a message, an SPF record, the replies of an
 * SMTP server.  The first line says which: "message", "spf" or "smtp".
 */
#include "fuzz.h"

#include "ctl/message_client.h"
#include "ctl/smtp_reply.h"
#include "ctl/spf_record.h"

#include <string.h>

enum place {
    TAKEN,
    WITHIN,
    NO_CLIENT,
    ADDRESS,
    NETWORK,
    HOST,
    ELSEWHERE,
    BROKEN,
    REPLIED,
    NAMED,
    NO_SMTP
};

FUZZ_PLACES([TAKEN] = "client", [WITHIN] = "within-one-organization", [NO_CLIENT] = "no-client",
            [ADDRESS] = "spf-address", [NETWORK] = "spf-network", [HOST] = "spf-host",
            [ELSEWHERE] = "spf-elsewhere", [BROKEN] = "spf-broken", [REPLIED] = "smtp-reply",
            [NAMED] = "smtp-name", [NO_SMTP] = "no-smtp");

static void read_message(struct fuzz_lines *lines)
{
    static struct orgdomain *orgdomains;
    struct message_client *message = malloc(sizeof *message);
    CHECK(message != NULL);
    if (orgdomains == NULL)
        orgdomains = orgdomain_load(NULL);
    message_client_begin(message, orgdomains);
    bool more = true;
    for (char *line; more && (line = fuzz_line(lines)) != NULL; free(line))
        more = message_client_line(message, line);
    message_client_end(message);
    CHECK(message->number <= message->fields);
    CHECK(message->number > 0 || !message->within);
    CHECK(message->number == 0 ||
          (message->client.kind == RECEIVED_FROM && !message->client.submitted));
    CHECK(strnlen(message->client.helo, sizeof message->client.helo) <= HELO_TEXT_MAX);
    fuzz_reach(message->number == 0 ? NO_CLIENT : message->within ? WITHIN : TAKEN);
    free(message);
}

static void read_spf(const char *text)
{
    const char *at = text;
    struct spf_term term;
    char canonical[HOSTNAME_MAX + 1];
    size_t length = strlen(text);
    for (size_t i = 0; spf_record_next(&at, &term); i++) {
        CHECK(i <= length && at > text && at <= text + length);
        CHECK(strlen(term.text) > 0 && strstr(text, term.text) != NULL);
        CHECK((term.kind == SPF_BROKEN) == (term.flaw != NULL));
        CHECK(term.kind != SPF_ADDRESS || term.address.family != IP_NONE);
        CHECK(strchr("+-~?", term.qualifier) != NULL);
        if (term.domain[0] != '\0')
            CHECK(hostname_parse(term.domain, canonical) == HOSTNAME_OK &&
                  strcmp(canonical, term.domain) == 0);
        fuzz_reach(term.kind == SPF_ADDRESS     ? ADDRESS
                   : term.kind == SPF_NETWORK   ? NETWORK
                   : term.kind == SPF_ELSEWHERE ? ELSEWHERE
                   : term.kind == SPF_BROKEN    ? BROKEN
                                                : HOST);
    }
}

/* Whole, and byte by byte: the same. */
static void read_smtp(const uint8_t *data, size_t size)
{
    struct smtp_reply whole, slow;
    char name[HOSTNAME_MAX + 1];
    char *text = fuzz_copy(data, size);
    size_t used, fed = 0;
    smtp_reply_begin(&whole);
    smtp_reply_begin(&slow);
    used = smtp_reply_feed(&whole, text, size);
    CHECK(used <= size && (used == size || whole.state != SMTP_REPLY_MORE));
    while (fed < size && smtp_reply_feed(&slow, text + fed, 1) == 1)
        fed++;
    CHECK(fed == used && slow.state == whole.state && slow.code == whole.code);
    CHECK(strcmp(slow.text, whole.text) == 0 && strlen(whole.text) <= SMTP_REPLY_TEXT_MAX);
    CHECK(whole.state != SMTP_REPLY_DONE || (whole.code >= 200 && whole.code <= 599));
    if (whole.state == SMTP_REPLY_DONE)
        fuzz_reach(smtp_reply_name(&whole, name) ? NAMED : REPLIED);
    else if (whole.state == SMTP_REPLY_BROKEN)
        fuzz_reach(NO_SMTP);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_lines lines = {data, data + size};
    char *kind = fuzz_line(&lines);
    if (kind == NULL)
        return 0;
    if (strcmp(kind, "message") == 0) {
        read_message(&lines);
    } else if (strcmp(kind, "spf") == 0) {
        char *text = fuzz_copy(lines.at, (size_t)(lines.end - lines.at));
        read_spf(text);
        free(text);
    } else if (strcmp(kind, "smtp") == 0) {
        read_smtp(lines.at, (size_t)(lines.end - lines.at));
    }
    free(kind);
    return 0;
}
