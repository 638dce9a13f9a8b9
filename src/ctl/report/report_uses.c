/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/report/report_uses.h"

#include "site/decision.h"

#include <stdlib.h>

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
    uses->running = exemptions;
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

/* The exemption that let this client through; its PTR name counts when it is confirmed. */
static struct report_use *exemption_of(struct report_uses *uses, const struct report_entry *entry)
{
    char name[HOSTNAME_MAX + 1];
    struct exemption found;
    bool named = entry->confirmed && hostname_parse(entry->ptr, name) == HOSTNAME_OK;
    const struct name_facts confirmed = {.name = name, .confirmed = true};
    const struct facts facts = {
        .client = entry->client, .names = &confirmed, .name_count = named ? 1 : 0};
    if (uses->running == NULL || !exemptions_look(uses->running, &facts, entry->wall_s, &found))
        return NULL;
    for (size_t i = 0; i < uses->exemption_count; i++)
        if (strcmp(uses->exemptions[i].name, found.subject) == 0)
            return &uses->exemptions[i];
    return NULL;
}

void report_uses_add(struct report_uses *uses, const struct report_entry *entry)
{
    for (size_t i = 0; i < uses->block_count && entry->match[0] != '\0'; i++) {
        if (strncmp(uses->blocks[i].name, entry->match, REPORT_NAME_MAX) != 0)
            continue;
        count(&uses->blocks[i], entry->wall_s);
        return;
    }
    if (strncmp(entry->reason, DECISION_EXEMPT_WORDS, strlen(DECISION_EXEMPT_WORDS)) != 0)
        return;
    struct report_use *use = exemption_of(uses, entry);
    if (use != NULL)
        count(use, entry->wall_s);
}
