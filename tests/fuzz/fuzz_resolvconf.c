/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of resolv.conf: it is read or ignored, and what was read says the same when written.
 */
#include "fuzz.h"

#include "dns/resolvconf.h"

#include <string.h>

enum place { LISTED, NONE_LISTED, IGNORED, IPV6, TIMED, OPTIONS };

FUZZ_PLACES([LISTED] = "servers", [NONE_LISTED] = "none-listed", [IGNORED] = "ignored",
            [IPV6] = "ipv6", [TIMED] = "timeout", [OPTIONS] = "options");

static void check_servers(const struct resolvconf *conf)
{
    CHECK(conf->count >= 1 && conf->count <= NETWORK_SERVERS_MAX);
    for (unsigned i = 0; i < conf->count; i++) {
        CHECK(conf->servers[i].addr.family == IP_V4 || conf->servers[i].addr.family == IP_V6);
        CHECK(conf->servers[i].port == NETWORK_PORT);
        for (unsigned j = 0; j < i; j++)
            CHECK(!network_server_equal(&conf->servers[i], &conf->servers[j]));
        if (conf->servers[i].addr.family == IP_V6)
            fuzz_reach(IPV6);
    }
}

static void check_again(const struct resolvconf *conf)
{
    struct resolvconf again;
    char address[IPADDR_TEXT_MAX];
    bool scoped = false;
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    CHECK(stream != NULL);
    for (unsigned i = 0; i < conf->count; i++) {
        (void)fprintf(stream, "nameserver %s\n", ipaddr_format(&conf->servers[i].addr, address));
        scoped = scoped || conf->servers[i].scope != 0;
    }
    (void)fprintf(stream, "options timeout:%u%s%s%s", conf->timeout_ms / 1000,
                  conf->rotate ? " rotate" : "", conf->use_vc ? " use-vc" : "",
                  conf->trust_ad ? " trust-ad" : "");
    CHECK(fclose(stream) == 0);
    resolvconf_parse(text, length, &again);
    free(text);
    CHECK(again.timeout_ms == conf->timeout_ms);
    CHECK(again.rotate == conf->rotate && again.use_vc == conf->use_vc &&
          again.trust_ad == conf->trust_ad);
    if (scoped) /* without its interface such an address is none */
        return;
    CHECK(again.count == conf->count && again.ignored == 0);
    for (unsigned i = 0; i < conf->count; i++)
        CHECK(network_server_equal(&again.servers[i], &conf->servers[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resolvconf conf;
    char *text = malloc(size > 0 ? size : 1); /* no NUL behind it */
    CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    memset(&conf, 0xff, sizeof conf);
    resolvconf_parse(text, size, &conf);
    check_servers(&conf);
    CHECK(conf.timeout_ms <= RESOLVCONF_TIMEOUT_MAX_S * 1000);
    fuzz_reach(size > 10 && memmem(text, size, "nameserver", 10) != NULL ? LISTED : NONE_LISTED);
    if (conf.ignored > 0)
        fuzz_reach(IGNORED);
    if (conf.timeout_ms > 0)
        fuzz_reach(TIMED);
    if (conf.rotate && conf.use_vc && conf.trust_ad)
        fuzz_reach(OPTIONS);
    check_again(&conf);
    free(text);
    return 0;
}
