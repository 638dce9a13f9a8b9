/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/dns_settings.h"

struct dns_service_settings dns_settings(const struct conf *conf)
{
    return (struct dns_service_settings){.zone_file = conf->zone_file,
                                         .network = conf->network,
                                         .resolver = conf->resolver,
                                         .cache = conf->cache};
}
