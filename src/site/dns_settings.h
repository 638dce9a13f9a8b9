/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration wants of the DNS. */
#ifndef IPREVD_DNS_SETTINGS_H
#define IPREVD_DNS_SETTINGS_H

#include "dns/dns_service.h"
#include "site/conf.h"

/* Its texts are the configuration's. */
struct dns_service_settings dns_settings(const struct conf *conf);

#endif
