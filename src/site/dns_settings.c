/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/dns_settings.h"

struct dns_service_settings dns_settings(const struct conf *conf)
{
    struct dns_service_settings settings = {.zone_file = conf->zone_file,
                                            .network = conf->network,
                                            .resolver = conf->resolver,
                                            .cache = conf->cache};
    if (conf->dns_control == NULL ||
        ipaddr_parse(conf->dns_control, &settings.resolver.control) != RESULT_OK)
        settings.resolver.control = (struct ipaddr){.family = IP_NONE};
    return settings;
}
