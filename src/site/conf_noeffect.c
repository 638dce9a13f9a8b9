/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_noeffect.h"

#include <stdio.h>
#include <string.h>

/* Who runs: a group alone is not taken. */
static void check_user(const struct conf_loader *loader, const struct conf_block *file)
{
    const struct conf_entry *group = conf_entry(file, "group");
    if (group->given && loader->conf->user == NULL)
        conf_warning(loader->messages, group->line, "key \"group\": without user it has no effect");
}

static void check_socket(const struct conf_loader *loader, const struct conf_block *file)
{
    static const char *const keys[] = {"socket-group", "socket-mode"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct conf_entry *entry = conf_entry(file, keys[i]);
        if (entry->given && conf_listens_on_tcp(loader->conf))
            conf_warning(loader->messages, entry->line,
                         "key \"%s\": has no effect, as listen is not a unix socket", keys[i]);
    }
}

static void check_dns(const struct conf_loader *loader, const struct conf_block *dns)
{
    const struct conf_entry *entry = conf_entry(dns, "resolv-conf");
    if (entry->given && conf_entry(dns, "nameservers")->count > 0)
        conf_warning(loader->messages, entry->line,
                     "key \"dns.resolv-conf\": has no effect beside nameservers");
}

/* A name without a dot that is no table, and no part of a name. */
static bool is_single_label(const char *word)
{
    return word[0] != '\0' && strpbrk(word, ".*:/") == NULL;
}

/* A PTR name of one label is never confirmed: ptr-invalid is true of it. */
static void check_names(const struct conf_loader *loader, const struct conf_entry *entry,
                        const char *prefix, const char *key)
{
    for (size_t i = 0; i < entry->count; i++)
        if (is_single_label(entry->words[i].text))
            conf_warning(
                loader->messages, entry->words[i].line,
                "key \"%s%s\": \"%.64s\" fits no confirmed PTR name, which has a "
                "dot; \".%.64s\" fits names that end so, \"*%.64s*\" names that contain it",
                prefix, key, entry->words[i].text, entry->words[i].text, entry->words[i].text);
}

static void check_match(const struct conf_loader *loader, const struct conf_block *block)
{
    char prefix[CONF_KEY_MAX];
    snprintf(prefix, sizeof prefix, "match.%s.", block->title);
    check_names(loader, conf_entry(block, "ptr"), prefix, "ptr");
    const struct conf_entry *recipients = conf_entry(block, "recipient");
    for (size_t i = 0; i < recipients->count; i++)
        if (recipients->words[i].text[0] == '\0' || strcmp(recipients->words[i].text, "<>") == 0)
            conf_warning(loader->messages, recipients->words[i].line,
                         "key \"%srecipient\": \"%s\" fits nobody: only a sender can be empty",
                         prefix, recipients->words[i].text);
}

void conf_noeffect(struct conf_loader *loader, const struct conf_block *file)
{
    check_user(loader, file);
    check_socket(loader, file);
    check_names(loader, conf_entry(file, "generic-names"), "", "generic-names");
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next) {
        if (block->schema == &conf_schema_dns)
            check_dns(loader, block);
        if (block->schema == &conf_schema_match)
            check_match(loader, block);
    }
}
