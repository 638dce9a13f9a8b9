/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_build.h"

#include "site/conf_memory.h"
#include "site/conf_suggest.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64 /* of a policy's or match block's name: it stands in every log line */

const struct conf_entry *conf_entry(const struct conf_block *block, const char *option)
{
    for (size_t i = 0; i < block->schema->option_count; i++)
        if (strcmp(block->schema->options[i].name, option) == 0)
            return &block->entries[i];
    abort(); /* a misspelt name in this program, found by the first test that runs */
}

void conf_build_options(struct conf_loader *loader, const struct conf_block *block,
                        const char *prefix, void *object)
{
    for (size_t i = 0; i < block->schema->option_count; i++) {
        const struct conf_option *option = &block->schema->options[i];
        char key[CONF_KEY_MAX];
        snprintf(key, sizeof key, "%s%s", prefix, option->name);
        conf_value_set(loader, option, &block->entries[i], key, object);
    }
}

/* Options of a block that is not there have their defaults. */
static void build_defaults(struct conf_loader *loader, const struct conf_schema *schema,
                           void *object)
{
    static const struct conf_entry absent = {0};
    for (size_t i = 0; i < schema->option_count; i++)
        conf_value_set(loader, &schema->options[i], &absent, schema->options[i].name, object);
}

/* dns, cache, memory and farm stand once at most. */
static void build_single(struct conf_loader *loader, const struct conf_block *file,
                         const struct conf_schema *schema)
{
    const struct conf_block *found = NULL;
    char prefix[CONF_KEY_MAX];
    snprintf(prefix, sizeof prefix, "%s.", schema->name);
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next) {
        if (block->schema != schema)
            continue;
        if (found != NULL) {
            char where[CONF_WHERE_MAX];
            conf_error(loader->messages, block->line,
                       "key \"%s\": found a second time (first on %s); allowed: once", schema->name,
                       conf_where(loader->messages, found->line, block->line, where));
            continue;
        }
        found = block;
        conf_build_options(loader, block, prefix, loader->conf);
    }
    if (found == NULL)
        build_defaults(loader, schema, loader->conf);
}

static size_t count_blocks(const struct conf_block *file, const struct conf_schema *schema)
{
    size_t count = 0;
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next)
        count += block->schema == schema;
    return count;
}

static char *keep(struct conf_loader *loader, const char *text)
{
    char *copy = conf_memory_copy(&loader->conf->memory, text);
    if (copy == NULL)
        loader->nomem = true;
    return copy;
}

/* Names stand in log lines and messages. */
static bool check_title(struct conf_loader *loader, const struct conf_block *block)
{
    size_t length = strlen(block->title);
    bool sound = length > 0 && length <= NAME_MAX_BYTES && conf_is_line(block->title);
    if (!sound)
        conf_bad_value(loader->messages, block->line, block->schema->name, block->title,
                       "a name of 1 to 64 bytes without control characters");
    return sound;
}

/* --- policies -------------------------------------------------------------------------------- */

static void unknown_check(struct conf_loader *loader, const struct conf_block *block,
                          const char *policy)
{
    const char *names[CHECK_COUNT];
    char allowed[600] = "";
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        names[i] = checks[i].name;
        size_t at = strlen(allowed);
        snprintf(allowed + at, sizeof allowed - at, "%s%s", i > 0 ? ", " : "", checks[i].name);
    }
    const char *closest = conf_closest(names, CHECK_COUNT, block->title);
    if (closest != NULL)
        conf_error(loader->messages, block->line,
                   "key \"policy.%s.check\": found \"%.64s\"; did you mean \"%s\"?", policy,
                   block->title, closest);
    else
        conf_error(loader->messages, block->line,
                   "key \"policy.%s.check\": found \"%.64s\"; allowed: %s", policy, block->title,
                   allowed);
}

static void build_policy(struct conf_loader *loader, const struct conf_block *block,
                         struct policy *policy)
{
    char prefix[CONF_KEY_MAX];
    policy_defaults(policy, keep(loader, block->title));
    snprintf(prefix, sizeof prefix, "policy.%s.", block->title);
    conf_build_options(loader, block, prefix, policy);
    for (const struct conf_block *inner = block->blocks; inner != NULL; inner = inner->next) {
        enum check_id id;
        if (!check_by_name(inner->title, &id)) {
            unknown_check(loader, inner, block->title);
            continue;
        }
        snprintf(prefix, sizeof prefix, "policy.%s.check.%s.", block->title, inner->title);
        conf_build_options(loader, inner, prefix, &policy->rules[id]);
    }
}

static void build_policies(struct conf_loader *loader, const struct conf_block *file)
{
    struct conf *conf = loader->conf;
    size_t count = count_blocks(file, &conf_schema_policy);
    conf->policies = conf_memory_alloc(&conf->memory, (count + 1) * sizeof *conf->policies);
    if (conf->policies == NULL) {
        loader->nomem = true;
        return;
    }
    policy_defaults(&conf->policies[0], "default");
    conf->policy_count = 1;
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next) {
        if (block->schema != &conf_schema_policy || !check_title(loader, block))
            continue;
        if (strcmp(block->title, "none") == 0) {
            conf_error(loader->messages, block->line,
                       "key \"policy\": found \"none\"; allowed: another name (none is built in: "
                       "no checks)");
            continue;
        }
        bool is_default = strcmp(block->title, "default") == 0;
        build_policy(loader, block, &conf->policies[is_default ? 0 : conf->policy_count]);
        conf->policy_count += !is_default;
    }
}

/* --- match blocks ---------------------------------------------------------------------------- */

static void resolve_policy(struct conf_loader *loader, const struct conf_block *block,
                           struct match *match)
{
    const struct conf_entry *entry = conf_entry(block, "policy");
    if (entry->count == 0) {
        conf_error(loader->messages, block->line,
                   "key \"match.%s.policy\": found nothing; allowed: the name of a policy block, "
                   "default, or none",
                   block->title);
        return;
    }
    const char *name = entry->words[0].text;
    match->policy = conf_policy(loader->conf, name);
    if (match->policy != NULL || strcmp(name, "none") == 0)
        return;
    char allowed[600] = "none";
    for (size_t i = 0; i < loader->conf->policy_count; i++) {
        size_t at = strlen(allowed);
        snprintf(allowed + at, sizeof allowed - at, ", %s", loader->conf->policies[i].name);
    }
    char key[CONF_KEY_MAX];
    snprintf(key, sizeof key, "match.%s.policy", block->title);
    conf_bad_value(loader->messages, entry->words[0].line, key, name, allowed);
}

/* Under policy "none" a table says who is exempted, and nobody is by an entry that refuses. */
static void read_as_exemptions(struct conf_loader *loader, const struct conf_block *block,
                               struct match *match)
{
    struct pattern_list *lists[MATCH_LISTS];
    match_lists(match, lists);
    size_t excluded = match->client != NULL ? net_list_read_as(match->client, SENSE_PERMITS) : 0;
    for (size_t i = 0; i < MATCH_LISTS; i++)
        if (lists[i] != NULL)
            excluded += pattern_list_read_as(lists[i], SENSE_PERMITS);
    if (excluded > 0)
        conf_notice(loader->messages, block->line,
                    "match \"%s\": %zu line%s of its tables refuse%s and exempt%s nobody under "
                    "policy \"none\"",
                    block->title, excluded, excluded == 1 ? "" : "s", excluded == 1 ? "s" : "",
                    excluded == 1 ? "s" : "");
}

static void build_matches(struct conf_loader *loader, const struct conf_block *file)
{
    struct conf *conf = loader->conf;
    size_t count = count_blocks(file, &conf_schema_match);
    conf->matches = conf_memory_alloc(&conf->memory, (count + 1) * sizeof *conf->matches);
    if (conf->matches == NULL) {
        loader->nomem = true;
        return;
    }
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next) {
        if (block->schema != &conf_schema_match || !check_title(loader, block))
            continue;
        struct match *match = &conf->matches[conf->match_count++];
        char prefix[CONF_KEY_MAX];
        snprintf(prefix, sizeof prefix, "match.%s.", block->title);
        match->name = keep(loader, block->title);
        const struct conf_source source = conf_source_of(loader->messages, block->line);
        match->file = source.path;
        match->line = source.line;
        match->text_line = block->line;
        conf_build_options(loader, block, prefix, match);
        resolve_policy(loader, block, match);
        if (match->policy == NULL)
            read_as_exemptions(loader, block, match);
        conf->matches_sender |= match->sender != NULL;
        conf->matches_recipient |= match->recipient != NULL;
        conf->matches_listener |= match->listener != NULL;
        conf->matches_lists |= match->listed != NULL;
    }
}

/* Where the mode is set, for those who wonder why nothing is refused. */
static void note_mode(struct conf_loader *loader, const struct conf_block *file)
{
    const struct conf_entry *entry = conf_entry(file, "mode");
    const struct conf_source source = conf_source_of(loader->messages, entry->line);
    loader->conf->mode_file = source.path;
    loader->conf->mode_line = entry->given ? source.line : 0;
}

/* A name that a table of generic names permits is none. */
static void read_as_suspicions(struct conf_loader *loader, const struct conf_block *file)
{
    struct pattern_list *names = loader->conf->generic_names;
    size_t excluded = names != NULL ? pattern_list_read_as(names, SENSE_REFUSES) : 0;
    if (excluded > 0)
        conf_notice(
            loader->messages, conf_entry(file, "generic-names")->line,
            "key \"generic-names\": %zu line%s of its tables permit%s and mean%s no generic "
            "name",
            excluded, excluded == 1 ? "" : "s", excluded == 1 ? "s" : "", excluded == 1 ? "s" : "");
}

void conf_build(struct conf_loader *loader, const struct conf_block *file)
{
    conf_build_options(loader, file, "", loader->conf);
    note_mode(loader, file);
    read_as_suspicions(loader, file);
    build_single(loader, file, &conf_schema_dns);
    build_single(loader, file, &conf_schema_cache);
    build_single(loader, file, &conf_schema_memory);
    build_single(loader, file, &conf_schema_farm);
    build_policies(loader, file);
    if (!loader->nomem)
        build_matches(loader, file);
}
