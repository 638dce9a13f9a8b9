/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/running_names.h"

#include "ctl/client.h"
#include "site/conf_memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What the daemon says is checked as if it came from anywhere. */
static enum result add(struct conf *conf, const char *name)
{
    char canonical[HOSTNAME_MAX + 1];
    if (name == NULL || hostname_parse(name, canonical) != HOSTNAME_OK ||
        conf_is_own_name(conf, canonical))
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

static enum result add_all(struct conf *conf, const struct json_value *names)
{
    enum result result = RESULT_OK;
    for (size_t i = 0; conf != NULL && result == RESULT_OK && i < json_value_count(names); i++)
        result = add(conf, json_value_text(json_value_item(names, i)));
    return result;
}

enum result running_names_add(struct conf *conf, struct conf *other)
{
    struct json_value *status = NULL;
    enum result asked =
        client_try_running(conf->control, client_request("status", NULL, NULL), NULL, &status);
    const char *why = asked == RESULT_OK || asked == RESULT_NOTFOUND
                          ? "no daemon runs that has seen them"
                      : asked == RESULT_IO ? strerror(errno)
                                           : "the daemon's answer makes no sense";
    if (asked == RESULT_NOMEM)
        return asked;
    const struct json_value *names = json_value_member(status, "own_names");
    enum result result = add_all(conf, names);
    if (result == RESULT_OK)
        result = add_all(other, names);
    json_value_free(status);
    if (result == RESULT_OK &&
        (conf->own_name_count == 0 || (other != NULL && other->own_name_count == 0)))
        (void)fprintf(stderr,
                      "note: the mail server's own names are not known (own-names is not set, and "
                      "%s): helo-self is not found\n",
                      why);
    return result;
}
