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

void conf_restart_each(const struct conf *old, const struct conf *fresh,
                       void (*tell)(void *arg, const char *name, const char *was, const char *is),
                       void *arg)
{
    for (size_t i = 0; i < conf_schema_file.option_count; i++) {
        const struct conf_option *option = &conf_schema_file.options[i];
        char was[CONF_RESTART_VALUE_MAX], is[CONF_RESTART_VALUE_MAX];
        if (!option->at_start)
            continue;
        put_value(old, option, was);
        put_value(fresh, option, is);
        if (strcmp(was, is) != 0)
            tell(arg, option->name, was, is);
    }
}
