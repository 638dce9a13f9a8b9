/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/running_names.h"

#include "ctl/client.h"
#include "site/conf_memory.h"

#include <stdio.h>
#include <string.h>

static bool has_name(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->own_name_count; i++)
        if (strcmp(conf->own_names[i], name) == 0)
            return true;
    return false;
}

/* What the daemon says is checked as if it came from anywhere. */
static enum result add(struct conf *conf, const char *name)
{
    char canonical[HOSTNAME_MAX + 1];
    if (name == NULL || hostname_parse(name, canonical) != HOSTNAME_OK || has_name(conf, canonical))
        return RESULT_OK;
    size_t count = conf->own_name_count;
    char **names = conf_memory_alloc(&conf->memory, (count + 1) * sizeof *names);
    char *copy = conf_memory_copy(&conf->memory, canonical);
    if (names == NULL || copy == NULL)
        return RESULT_NOMEM;
    if (count > 0)
        memcpy(names, conf->own_names, count * sizeof *names);
    names[count] = copy;
    conf->own_names = names;
    conf->own_name_count = count + 1;
    return RESULT_OK;
}

enum result running_names_add(struct conf *conf)
{
    struct json_value *status = NULL;
    enum result result = RESULT_OK;
    if (conf->control != NULL)
        result = client_try(conf->control, client_request("status", NULL, NULL), NULL, &status);
    const struct json_value *names = json_value_member(status, "own_names");
    result = result == RESULT_NOMEM ? result : RESULT_OK; /* without a daemon there are none */
    for (size_t i = 0; result == RESULT_OK && i < json_value_count(names); i++)
        result = add(conf, json_value_text(json_value_item(names, i)));
    json_value_free(status);
    if (result == RESULT_OK && conf->own_name_count == 0)
        (void)fputs("note: the mail server's own names are not known (own-names is not set, and no "
                    "daemon runs that has seen them): helo-self is not found\n",
                    stderr);
    return result;
}
