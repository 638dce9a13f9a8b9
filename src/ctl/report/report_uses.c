/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_uses.h"

#include <stdlib.h>

#define EXEMPT_WORDS "exempt for now" /* how the reason of such a decision begins */

static void copy_exemption(void *arg, const struct exemption *exemption)
{
    struct report_uses *uses = arg;
    struct exemption *copy = &uses->subjects[uses->exemption_count];
    *copy = *exemption;
    uses->exemptions[uses->exemption_count++] =
        (struct report_use){.name = copy->subject, .reason = copy->reason};
}

bool report_uses_init(struct report_uses *uses, const struct conf *conf,
                      struct exemptions *exemptions)
{
    size_t count = exemptions == NULL ? 0 : exemptions_count(exemptions);
    memset(uses, 0, sizeof *uses);
    uses->blocks = calloc(conf->match_count + 1, sizeof *uses->blocks);
    uses->exemptions = calloc(count + 1, sizeof *uses->exemptions);
    uses->subjects = calloc(count + 1, sizeof *uses->subjects);
    if (uses->blocks == NULL || uses->exemptions == NULL || uses->subjects == NULL) {
        report_uses_clear(uses);
        return false;
    }
    for (; uses->block_count < conf->match_count; uses->block_count++)
        uses->blocks[uses->block_count] =
            (struct report_use){.name = conf->matches[uses->block_count].name,
                                .reason = conf->matches[uses->block_count].reason};
    if (count > 0)
        exemptions_each(exemptions, copy_exemption, uses);
    return true;
}

void report_uses_clear(struct report_uses *uses)
{
    free(uses->blocks);
    free(uses->exemptions);
    free(uses->subjects);
    memset(uses, 0, sizeof *uses);
}

static void count(struct report_use *use, int64_t wall_s)
{
    use->hits++;
    if (wall_s > use->last_s)
        use->last_s = wall_s;
}

/* Does an exemption speak for this client, whose PTR name counts when it is confirmed? */
static bool covers(const struct report_use *use, const struct report_entry *entry)
{
    struct ipnet net;
    char name[HOSTNAME_MAX + 1];
    if (use->name[0] != '.')
        return ipnet_parse(use->name, &net) == RESULT_OK && ipnet_contains(&net, &entry->client);
    if (!entry->confirmed || hostname_parse(entry->ptr, name) != HOSTNAME_OK)
        return false;
    size_t length = strlen(name), tail = strlen(use->name);
    return strcmp(name, use->name + 1) == 0 ||
           (length > tail && strcmp(name + length - tail, use->name) == 0);
}

void report_uses_add(struct report_uses *uses, const struct report_entry *entry)
{
    for (size_t i = 0; i < uses->block_count && entry->match[0] != '\0'; i++) {
        if (strncmp(uses->blocks[i].name, entry->match, REPORT_NAME_MAX) != 0)
            continue;
        count(&uses->blocks[i], entry->wall_s);
        return;
    }
    if (strncmp(entry->reason, EXEMPT_WORDS, strlen(EXEMPT_WORDS)) != 0)
        return;
    for (size_t i = 0; i < uses->exemption_count; i++)
        if (covers(&uses->exemptions[i], entry))
            count(&uses->exemptions[i], entry->wall_s);
}
