/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_restart.h"

#include "site/conf_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void conf_restart_put_names(struct textbuf *out)
{
    const char *separator = "";
    for (size_t i = 0; i < conf_schema_file.option_count; i++) {
        if (!conf_schema_file.options[i].at_start)
            continue;
        textbuf_printf(out, "%s%s", separator, conf_schema_file.options[i].name);
        separator = ", ";
    }
}

/* The value of one in a configuration; "" where it is not set. */
static void put_value(const struct conf *conf, const struct conf_option *option,
                      char out[CONF_RESTART_VALUE_MAX])
{
    const char *field = (const char *)conf + option->offset;
    if (option->type == CONF_OCTAL) {
        unsigned mode;
        memcpy(&mode, field, sizeof mode);
        (void)snprintf(out, CONF_RESTART_VALUE_MAX, "%04o", mode);
    } else {
        assert(option->type == CONF_TEXT);
        char *text;
        memcpy(&text, field, sizeof text);
        (void)snprintf(out, CONF_RESTART_VALUE_MAX, "%s", text != NULL ? text : "");
    }
}

void conf_restart_keep(const struct conf *conf, struct conf_restart_values *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < conf_schema_file.option_count; i++) {
        if (!conf_schema_file.options[i].at_start)
            continue;
        assert(kept < CONF_RESTART_MAX);
        put_value(conf, &conf_schema_file.options[i], out->of[kept++]);
    }
}

void conf_restart_each(const struct conf_restart_values *started, const struct conf *fresh,
                       void (*tell)(void *arg, const char *name, const char *was, const char *is),
                       void *arg)
{
    struct conf_restart_values now;
    size_t at = 0;
    conf_restart_keep(fresh, &now);
    for (size_t i = 0; i < conf_schema_file.option_count; i++) {
        if (!conf_schema_file.options[i].at_start)
            continue;
        if (strcmp(started->of[at], now.of[at]) != 0)
            tell(arg, conf_schema_file.options[i].name, started->of[at], now.of[at]);
        at++;
    }
}
