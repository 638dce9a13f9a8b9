/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf.h"

#include "site/conf_build.h"
#include "site/conf_include.h"
#include "site/conf_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *stage_text(enum stage stage)
{
    static const char *const texts[] = {"connect", "helo", "mail", "rcpt"};
    return texts[stage];
}

/* The file's words, from which a snapshot can be built again. */
struct conf_tree {
    atomic_uint refs;
    struct conf_block *file;
    struct orgdomain *orgdomains; /* NULL: there is none */
    struct conf_files files;
};

static void tree_unref(struct conf_tree *tree)
{
    if (tree == NULL || atomic_fetch_sub_explicit(&tree->refs, 1, memory_order_acq_rel) != 1)
        return;
    conf_block_free(tree->file);
    orgdomain_free(tree->orgdomains);
    conf_files_clear(&tree->files);
    free(tree);
}

static void conf_free(struct conf *conf)
{
    tree_unref(conf->tree);
    for (size_t i = 0; i < conf->match_count; i++) {
        struct pattern_list *lists[MATCH_LISTS];
        const struct match *match = &conf->matches[i];
        net_list_free(match->client);
        listed_free(match->listed);
        match_lists(match, lists);
        for (size_t j = 0; j < MATCH_LISTS; j++)
            pattern_list_free(lists[j]);
    }
    pattern_list_free(conf->generic_names);
    conf_memory_free(&conf->memory);
    free(conf);
}

struct conf *conf_ref(struct conf *conf)
{
    atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
    return conf;
}

void conf_unref(struct conf *conf)
{
    if (conf != NULL && atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) == 1)
        conf_free(conf);
}

/* --- loading --------------------------------------------------------------------------------- */

/* "/etc/iprevd/" of "/etc/iprevd/iprevd.conf"; "" of "iprevd.conf". */
static char *directory_of(struct conf *conf, const char *path)
{
    char *directory = conf_memory_copy(&conf->memory, path);
    if (directory == NULL)
        return NULL;
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        directory[0] = '\0';
    else
        slash[1] = '\0';
    return directory;
}

static void load_orgdomains(struct conf_loader *loader, const struct conf_block *file)
{
    struct conf *conf = loader->conf;
    conf->tree->orgdomains = orgdomain_load(conf->public_suffix_list);
    conf->orgdomains = conf->tree->orgdomains;
    if (conf->orgdomains != NULL) {
        /* libpsl takes any text for a list. */
        if (conf->public_suffix_list != NULL && orgdomain_exists(conf->orgdomains, "co.uk"))
            conf_warning(loader->messages, conf_entry(file, "public-suffix-list")->line,
                         "key \"public-suffix-list\": %s has no co.uk: hardly a Public Suffix List",
                         conf->public_suffix_list);
        return;
    }
    if (errno == ENOMEM) {
        loader->nomem = true;
        return;
    }
    if (conf->public_suffix_list != NULL) {
        const struct conf_entry *entry = conf_entry(file, "public-suffix-list");
        conf_bad_value(loader->messages, entry->line, "public-suffix-list",
                       conf->public_suffix_list, "a Public Suffix List as libpsl reads it");
        return;
    }
    conf_warning(loader->messages, 0,
                 "no Public Suffix List was found: agreement by domain is never seen");
}

/* From the tree to a conf.  What is wrong was reported. */
static void build(struct conf_loader *loader, int64_t wall_s)
{
    const struct conf_block *file = loader->conf->tree->file;
    conf_build(loader, file);
    /* Contradictions between values that are wrong by themselves would only confuse. */
    if (!loader->nomem && loader->messages->errors == 0)
        conf_check(loader, file, wall_s);
    if (!loader->nomem && loader->messages->errors == 0)
        load_orgdomains(loader, file);
}

static void load_file(struct conf_loader *loader, int64_t wall_s)
{
    struct conf_tree *tree = calloc(1, sizeof *tree);
    char *text = NULL;
    size_t length = 0;
    if (tree == NULL) {
        loader->nomem = true;
        return;
    }
    atomic_init(&tree->refs, 1);
    loader->conf->tree = tree;
    struct conf_messages *messages = loader->messages;
    if (conf_include_read(loader->conf->path, &text, &length, &tree->files, messages) != RESULT_OK)
        return;
    messages->sources = tree->files.sources;
    messages->source_count = tree->files.source_count;
    if (conf_parse(text, length, &conf_schema_file, messages, &tree->file) == RESULT_OK)
        build(loader, wall_s);
    free(text);
}

/* The tree was checked when it was read; what it names besides tables is as it was then. */
static void build_again(struct conf_loader *loader, struct conf_tree *tree)
{
    atomic_fetch_add_explicit(&tree->refs, 1, memory_order_relaxed);
    loader->conf->tree = tree;
    loader->conf->orgdomains = tree->orgdomains;
    loader->messages->sources = tree->files.sources;
    loader->messages->source_count = tree->files.source_count;
    conf_build(loader, tree->file);
}

/* `tree` NULL: the file is read, and judged at wall_s. */
static struct conf *load(const char *path, struct conf_tree *tree, int64_t wall_s,
                         const struct conf_report *report)
{
    struct conf_messages messages = {.report = report, .path = path};
    struct conf *conf = calloc(1, sizeof *conf);
    if (conf == NULL) {
        conf_nomem(&messages);
        return NULL;
    }
    atomic_init(&conf->refs, 1);
    struct conf_loader loader = {.conf = conf, .messages = &messages, .tables_only = tree != NULL};
    conf->path = conf_memory_copy(&conf->memory, path);
    messages.path = conf->path; /* what a match block names lives as long */
    loader.directory = directory_of(conf, path);
    if (conf->path == NULL || loader.directory == NULL) {
        loader.nomem = true;
    } else if (tree == NULL) {
        load_file(&loader, wall_s);
    } else {
        build_again(&loader, tree);
    }
    if (loader.nomem) {
        messages.path = path;
        conf_nomem(&messages);
    }
    if (messages.errors > 0) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

const char *conf_mode_text(const struct conf *conf, char out[CONF_MODE_TEXT_MAX])
{
    const char *mode = conf->monitor ? "monitor" : "enforce";
    if (conf->mode_line != 0)
        snprintf(out, CONF_MODE_TEXT_MAX, "%s (%.255s:%u)", mode, conf->mode_file, conf->mode_line);
    else
        snprintf(out, CONF_MODE_TEXT_MAX, "%s (mode is not set: nothing is refused)", mode);
    return out;
}

struct conf *conf_load(const char *path, int64_t wall_s, const struct conf_report *report)
{
    return load(path, NULL, wall_s, report);
}

struct conf *conf_reread_tables(const struct conf *conf, const struct conf_report *report)
{
    return load(conf->path, conf->tree, 0, report);
}

/* --- reading a snapshot ---------------------------------------------------------------------- */

const struct policy *conf_policy(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->policy_count; i++)
        if (strcmp(conf->policies[i].name, name) == 0)
            return &conf->policies[i];
    return NULL;
}

static bool in_networks(const struct ipnet *nets, size_t count, const struct ipaddr *addr)
{
    for (size_t i = 0; i < count; i++)
        if (ipnet_contains(&nets[i], addr))
            return true;
    return false;
}

static bool policy_refuses(const struct policy *policy)
{
    if (policy->reject_score > 0)
        return true;
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct check_rule *rule = &policy->rules[i];
        if (action_refuses(rule->action) && !rule->monitor && rule->percent > 0)
            return true;
    }
    return false;
}

bool conf_refuses(const struct conf *conf)
{
    if (conf->monitor)
        return false;
    if (action_refuses(conf->outage_action))
        return true;
    for (size_t i = 0; i < conf->policy_count; i++)
        if (policy_refuses(&conf->policies[i]))
            return true;
    return false;
}

bool conf_listens_on_tcp(const struct conf *conf)
{
    return strncmp(conf->listen, "inet", strlen("inet")) == 0; /* or inet6 */
}

bool conf_greylists(const struct conf *conf)
{
    for (size_t i = 0; i < conf->policy_count; i++)
        for (unsigned id = 0; id < CHECK_COUNT; id++)
            if (conf->policies[i].rules[id].action == ACTION_GREYLIST)
                return true;
    return false;
}

bool conf_is_local(const struct conf *conf, const struct ipaddr *addr)
{
    return in_networks(conf->local_networks, conf->local_network_count, addr);
}

bool conf_is_own_name(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->own_name_count; i++)
        if (strcmp(conf->own_names[i], name) == 0)
            return true;
    return false;
}

bool conf_is_trusted_relay(const struct conf *conf, const struct ipaddr *addr)
{
    return in_networks(conf->trusted_relays, conf->trusted_relay_count, addr);
}

void conf_each_expired(const struct conf *conf, int64_t from_s, int64_t to_s,
                       void (*tell)(void *arg, const struct match *match), void *arg)
{
    for (size_t i = 0; i < conf->match_count; i++) {
        int64_t until_s = conf->matches[i].until_s;
        if (until_s != 0 && until_s > from_s && until_s <= to_s)
            tell(arg, &conf->matches[i]);
    }
}

static uint64_t patterns_changed(const struct pattern_list *list, bool *unseen)
{
    return list != NULL ? pattern_list_changed(list, unseen) : 0;
}

uint64_t conf_tables_changed(const struct conf *conf, bool *unseen)
{
    uint64_t version = patterns_changed(conf->generic_names, unseen);
    for (size_t i = 0; i < conf->match_count; i++) {
        const struct match *match = &conf->matches[i];
        struct pattern_list *lists[MATCH_LISTS];
        match_lists(match, lists);
        if (match->client != NULL)
            version = tables_version(version, net_list_changed(match->client, unseen));
        for (size_t j = 0; j < MATCH_LISTS; j++)
            version = tables_version(version, patterns_changed(lists[j], unseen));
    }
    return version;
}

static uint64_t limit_hits(const struct pattern_list *list)
{
    return list != NULL ? pattern_list_limit_hits(list) : 0;
}

uint64_t conf_table_limit_hits(const struct conf *conf)
{
    uint64_t hits = limit_hits(conf->generic_names);
    for (size_t i = 0; i < conf->match_count; i++) {
        struct pattern_list *lists[MATCH_LISTS];
        match_lists(&conf->matches[i], lists);
        for (size_t j = 0; j < MATCH_LISTS; j++)
            hits += limit_hits(lists[j]);
    }
    return hits;
}

/* --- files ----------------------------------------------------------------------------------- */

static void each_table(const char *const *words, size_t count,
                       void (*call)(void *arg, const char *path), void *arg)
{
    enum accesstable_type type;
    const char *path;
    for (size_t i = 0; i < count; i++)
        if (accesstable_spec(words[i], &type, &path))
            call(arg, path);
}

static void each_table_of_match(const struct match *match,
                                void (*call)(void *arg, const char *path), void *arg)
{
    const struct pattern_list *const lists[] = {match->ptr,       match->unconfirmed_ptr,
                                                match->helo,      match->sender,
                                                match->recipient, match->listener};
    size_t count = 0;
    if (match->client != NULL) {
        const char *const *words = net_list_words(match->client, &count);
        each_table(words, count, call, arg);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const char *const *words = lists[i] != NULL ? pattern_list_words(lists[i], &count) : NULL;
        each_table(words, words != NULL ? count : 0, call, arg);
    }
}

void conf_each_file(const struct conf *conf, void (*call)(void *arg, const char *path), void *arg)
{
    const struct conf_files *files = &conf->tree->files;
    size_t count = 0;
    if (files->path_count == 0)
        call(arg, conf->path);
    for (size_t i = 0; i < files->path_count; i++)
        call(arg, files->paths[i]);
    if (conf->generic_names != NULL) {
        const char *const *words = pattern_list_words(conf->generic_names, &count);
        each_table(words, count, call, arg);
    }
    for (size_t i = 0; i < conf->match_count; i++)
        each_table_of_match(&conf->matches[i], call, arg);
    if (conf->zone_file != NULL)
        call(arg, conf->zone_file);
    if (conf->public_suffix_list != NULL)
        call(arg, conf->public_suffix_list);
    if (conf->farm.key_file != NULL)
        call(arg, conf->farm.key_file);
    if (conf->farm.password_file != NULL)
        call(arg, conf->farm.password_file);
}
