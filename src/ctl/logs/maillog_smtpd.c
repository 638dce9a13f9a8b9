/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/logs/maillog_smtpd.h"

#include "base/hash.h"

#include <stdlib.h>

struct maillog_smtpd_table {
    struct maillog_smtpd slots[MAILLOG_SMTPD_SLOTS];
    uint16_t by_client[MAILLOG_SMTPD_SLOTS]; /* slot + 1 of the last that was opened */
};

struct maillog_smtpd_table *maillog_smtpd_table_new(void)
{
    return calloc(1, sizeof(struct maillog_smtpd_table));
}

void maillog_smtpd_table_free(struct maillog_smtpd_table *table)
{
    free(table);
}

void maillog_smtpd_close(struct maillog_smtpd *smtpd, bool report, const struct maillog_sink *sink)
{
    struct maillog_event *event = &smtpd->event;
    if (!smtpd->open)
        return;
    if (smtpd->relayed && event->outcome == REPLAY_UNKNOWN)
        event->outcome = REPLAY_ACCEPTED;
    if (report || smtpd->relayed)
        sink->event(sink->arg, event);
    smtpd->open = smtpd->relayed = false;
    event->outcome = REPLAY_UNKNOWN;
    event->sender_recorded = event->recipient_recorded = false;
    event->sender[0] = event->recipient[0] = '\0';
}

struct maillog_smtpd *maillog_smtpd_of(struct maillog_smtpd_table *table, uint64_t host, long pid,
                                       const struct maillog_sink *sink)
{
    size_t index = ((size_t)pid ^ (size_t)host) % MAILLOG_SMTPD_SLOTS;
    struct maillog_smtpd *smtpd = &table->slots[index];
    if (smtpd->pid == pid && smtpd->host == host && pid != 0)
        return smtpd;
    maillog_smtpd_close(smtpd, true, sink);
    memset(smtpd, 0, sizeof *smtpd);
    smtpd->pid = pid;
    smtpd->host = host;
    return smtpd;
}

/* --- by client -------------------------------------------------------------------------------- */

static size_t hash_client(uint64_t host, const struct ipaddr *client)
{
    size_t length = client->family == IP_V4 ? 4 : 16;
    return hash_mix(hash_bytes(HASH_START ^ (uint32_t)host, client->bytes, length)) %
           MAILLOG_SMTPD_SLOTS;
}

void maillog_smtpd_open(struct maillog_smtpd_table *table, struct maillog_smtpd *smtpd)
{
    smtpd->open = true;
    table->by_client[hash_client(smtpd->host, &smtpd->event.client)] =
        (uint16_t)(smtpd - table->slots + 1);
}

struct maillog_smtpd *maillog_smtpd_find_open(struct maillog_smtpd_table *table, uint64_t host,
                                              const struct ipaddr *client)
{
    size_t slot = table->by_client[hash_client(host, client)];
    if (slot == 0)
        return NULL;
    struct maillog_smtpd *smtpd = &table->slots[slot - 1];
    return smtpd->open && smtpd->host == host && ipaddr_equal(&smtpd->event.client, client) ? smtpd
                                                                                            : NULL;
}

/* --- warnings ----------------------------------------------------------------------------------
 */

/* getaddrinfo(3)'s words for EAI_AGAIN, EAI_MEMORY and EAI_SYSTEM, which smtpd_peer.c takes for
   temporary: glibc's, musl's, those of the BSDs and of Solaris. */
static bool is_temporary(const char *why)
{
    static const char *const words[] = {"temporar",       "Temporar",     "Try again",
                                        "at this time",   "System error", "emory",
                                        "server failure", "imeout",       "imed out"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(why, words[i]) != NULL)
            return true;
    return false;
}

struct warning {
    const char *name, *ip, *why;
    size_t name_length, ip_length;
};

static bool parse_does_not_resolve(const char *text, struct warning *out)
{
    static const char resolve[] = " does not resolve to address ";
    if (strncmp(text, "hostname ", 9) != 0)
        return false;
    out->name = text + 9;
    const char *at = strstr(out->name, resolve);
    if (at == NULL)
        return false;
    out->name_length = (size_t)(at - out->name);
    out->ip = at + sizeof resolve - 1;
    out->ip_length = strcspn(out->ip, " ");
    out->why = out->ip + out->ip_length;
    while (out->ip_length > 0 && out->ip[out->ip_length - 1] == ':')
        out->ip_length--;
    return true;
}

/* "192.0.2.1: hostname a.example verification failed[: why]", "192.0.2.1: address not listed for
   hostname a.example" */
static bool parse_old(const char *text, struct warning *out)
{
    static const char *const marks[] = {": hostname ", ": address not listed for hostname "};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *at = strstr(text, marks[i]);
        if (at == NULL)
            continue;
        out->ip = text;
        out->ip_length = (size_t)(at - text);
        out->name = at + strlen(marks[i]);
        out->name_length = strcspn(out->name, " ");
        out->why = out->name + out->name_length;
        return true;
    }
    return false;
}

void maillog_smtpd_warned(struct maillog_smtpd *smtpd, const char *text)
{
    char address[IPADDR_TEXT_MAX];
    struct warning warning;
    if ((!parse_does_not_resolve(text, &warning) && !parse_old(text, &warning)) ||
        warning.ip_length >= sizeof address || warning.name_length == 0 ||
        warning.name_length > HOSTNAME_MAX)
        return;
    maillog_copy(address, sizeof address, warning.ip, warning.ip_length);
    if (ipaddr_parse(address, &smtpd->warned) != RESULT_OK)
        return;
    smtpd->warned_state = is_temporary(warning.why) ? REPLAY_PTR_TEMPERROR : REPLAY_PTR_UNCONFIRMED;
    maillog_copy(smtpd->warned_name, sizeof smtpd->warned_name, warning.name, warning.name_length);
}

/* --- memory ------------------------------------------------------------------------------------
 */

void maillog_smtpd_recall(const struct maillog_smtpd *smtpd, struct maillog_event *event)
{
    const struct maillog_event *before = &smtpd->event;
    if (event->ptr_state == REPLAY_PTR_NONE && ipaddr_equal(&smtpd->warned, &event->client)) {
        event->ptr_state = smtpd->warned_state;
        maillog_copy(event->ptr, sizeof event->ptr, smtpd->warned_name, strlen(smtpd->warned_name));
    }
    if (!ipaddr_equal(&before->client, &event->client))
        return;
    event->authenticated = event->authenticated || before->authenticated;
    if (!event->helo_recorded && before->helo_recorded) {
        event->helo_recorded = true;
        maillog_copy(event->helo, sizeof event->helo, before->helo, strlen(before->helo));
    }
}

static int by_line(const void *a, const void *b)
{
    const struct maillog_smtpd *const *left = a, *const *right = b;
    return ((*left)->event.line > (*right)->event.line) -
           ((*left)->event.line < (*right)->event.line);
}

void maillog_smtpd_end(struct maillog_smtpd_table *table, const struct maillog_sink *sink)
{
    struct maillog_smtpd *open[MAILLOG_SMTPD_SLOTS];
    size_t count = 0;
    for (size_t i = 0; i < MAILLOG_SMTPD_SLOTS; i++)
        if (table->slots[i].open)
            open[count++] = &table->slots[i];
    qsort(open, count, sizeof open[0], by_line);
    for (size_t i = 0; i < count; i++)
        maillog_smtpd_close(open[i], true, sink);
}
