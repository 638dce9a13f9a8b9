/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/net_list.h"

#include "site/word_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct net_list {
    char **words; /* as configured */
    size_t count;
    struct ipnet *nets; /* of the words that are networks */
    size_t net_count;
    struct accesstable **tables; /* of the others */
    size_t table_count;
    enum accesstable_sense sense;
};

static enum result add_net(struct net_list *list, const char *word,
                           char error[ACCESSTABLE_ERROR_MAX])
{
    enum accesstable_type type;
    const char *path;
    if (accesstable_spec(word, &type, &path)) {
        if (type != TABLE_CIDR) {
            snprintf(error, ACCESSTABLE_ERROR_MAX, "of the table files, cidr: only");
            return RESULT_INVALID;
        }
        enum result status = accesstable_load(type, path, &list->tables[list->table_count], error);
        list->table_count += status == RESULT_OK;
        return status;
    }
    if (ipnet_parse(word, &list->nets[list->net_count]) != RESULT_OK) {
        error[0] = '\0';
        return RESULT_INVALID;
    }
    list->net_count++;
    return RESULT_OK;
}

enum result net_list_new(const char *const *words, size_t count, struct net_list **out, size_t *bad,
                         char error[ACCESSTABLE_ERROR_MAX])
{
    struct net_list *list = calloc(1, sizeof *list);
    *bad = 0;
    error[0] = '\0';
    if (list == NULL)
        return RESULT_NOMEM;
    list->words = word_list_copy(words, count);
    list->count = count;
    list->nets = calloc(count + 1, sizeof *list->nets);
    list->tables = calloc(count + 1, sizeof *list->tables);
    enum result status = RESULT_OK;
    if (list->words == NULL || list->nets == NULL || list->tables == NULL)
        status = RESULT_NOMEM;
    for (size_t i = 0; status == RESULT_OK && i < count; i++) {
        *bad = i;
        status = add_net(list, words[i], error);
    }
    if (status != RESULT_OK) {
        net_list_free(list);
        return status;
    }
    *out = list;
    return RESULT_OK;
}

bool net_list_has(const struct net_list *list, const struct ipaddr *addr)
{
    if (addr->family == IP_NONE)
        return false;
    for (size_t i = 0; i < list->net_count; i++)
        if (ipnet_contains(&list->nets[i], addr))
            return true;
    for (size_t i = 0; i < list->table_count; i++) {
        const char *value = accesstable_addr(list->tables[i], addr);
        if (value != NULL && accesstable_lists(value, list->sense))
            return true;
    }
    return false;
}

const struct ipnet *net_list_nets(const struct net_list *list, size_t *count)
{
    *count = list->net_count;
    return list->nets;
}

bool net_list_has_tables(const struct net_list *list)
{
    return list->table_count > 0;
}

size_t net_list_read_as(struct net_list *list, enum accesstable_sense sense)
{
    size_t excluded = 0;
    list->sense = sense;
    for (size_t i = 0; i < list->table_count; i++)
        excluded += accesstable_excluded(list->tables[i], sense);
    return excluded;
}

void net_list_each_warning(const struct net_list *list,
                           void (*tell)(void *arg, const struct accesstable_warning *warning),
                           void *arg)
{
    const struct accesstable_warning *warning;
    for (size_t i = 0; i < list->table_count; i++)
        for (size_t j = 0; (warning = accesstable_warning(list->tables[i], j)) != NULL; j++)
            tell(arg, warning);
}

uint64_t net_list_changed(const struct net_list *list, bool *unseen)
{
    uint64_t version = 0;
    for (size_t i = 0; i < list->table_count; i++)
        version = tables_version(version, accesstable_changed(list->tables[i], unseen));
    return version;
}

const char *const *net_list_words(const struct net_list *list, size_t *count)
{
    *count = list->count;
    return (const char *const *)list->words;
}

void net_list_free(struct net_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->table_count; i++)
        accesstable_free(list->tables[i]);
    free(list->tables);
    free(list->nets);
    word_list_free(list->words);
    free(list);
}
