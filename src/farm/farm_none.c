/* SPDX-License-Identifier: BSD-2-Clause */
/* Built without farms (configure --without-farm): a configuration with one does not start. */
#include "farm/farm.h"

#include <stdio.h>

enum result farm_secrets_read(const struct conf *conf, struct farm_secrets *out,
                              char error[FARM_SECRETS_ERROR_MAX])
{
    (void)conf;
    (void)out;
    (void)snprintf(
        error, FARM_SECRETS_ERROR_MAX,
        "key \"farm\": found a block; allowed: none, since this iprevd was built without "
        "hiredis and nettle");
    return RESULT_INVALID;
}

struct farm *farm_new(const struct conf *conf, const struct farm_secrets *secrets,
                      const struct farm_services *services)
{
    (void)conf;
    (void)secrets;
    (void)services;
    return NULL;
}

void farm_start(struct farm *farm)
{
    (void)farm;
}

void farm_tick(struct farm *farm)
{
    (void)farm;
}

void farm_free(struct farm *farm)
{
    (void)farm;
}

const char *farm_host(const struct farm *farm)
{
    (void)farm;
    return "";
}

void farm_exemption_changed(struct farm *farm, const char *subject)
{
    (void)farm;
    (void)subject;
}

void farm_flushed(struct farm *farm, const char *target)
{
    (void)farm;
    (void)target;
}

void farm_ask_about(struct farm *farm, const struct ipaddr *client,
                    void (*done)(void *arg, bool answered), void *arg)
{
    (void)farm;
    (void)client;
    if (done != NULL)
        done(arg, false);
}

void farm_configuration_changed(struct farm *farm)
{
    (void)farm;
}

bool farm_is_well(const struct farm *farm, char why[FARM_WHY_MAX])
{
    (void)farm;
    why[0] = '\0';
    return false;
}

void farm_put_status(const struct farm *farm, struct json_writer *json)
{
    (void)farm;
    (void)json;
}
