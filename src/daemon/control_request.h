/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request on the control socket: one JSON object on one line, as untrusted as any network's.
 * Pure; thread safe.
 *
 *   {"command":"status"}               {"command":"reload"}        {"command":"allowed"}
 *   {"command":"cache-get","name":"mail.example.org"}              or an address
 *   {"command":"remembered","name":"192.0.2.1"}
 *   {"command":"cache-flush","name":"192.0.2.1"}                   or "all"
 *   {"command":"cache-dump"}
 *   {"command":"allow","subject":"192.0.2.0/24","seconds":86400,"reason":"ticket 4711"}
 *   {"command":"unallow","subject":".example.org"}
 */
#ifndef IPREVD_CONTROL_REQUEST_H
#define IPREVD_CONTROL_REQUEST_H

#include "site/exemptions.h"

#define CONTROL_REQUEST_MAX 4096 /* bytes, with the line feed */
#define CONTROL_ERROR_MAX   1024 /* as the configuration's messages */

enum control_command {
    CONTROL_STATUS,
    CONTROL_CACHE_GET,
    CONTROL_CACHE_FLUSH,
    CONTROL_CACHE_DUMP,
    CONTROL_ALLOW,
    CONTROL_UNALLOW,
    CONTROL_ALLOWED,
    CONTROL_RELOAD,
    CONTROL_REMEMBERED,
    CONTROL_COMMAND_COUNT,
};

struct control_request {
    enum control_command command;
    /* REMEMBERED: an address.  CACHE_GET, CACHE_FLUSH: an address, or (family IP_NONE) a host name,
     * or (name "") all. */
    struct ipaddr addr;
    char name[HOSTNAME_MAX + 1];
    /* ALLOW, UNALLOW: canonical. */
    char subject[EXEMPTION_SUBJECT_MAX];
    char reason[EXEMPTION_REASON_MAX];
    int64_t seconds;
};

/*
 * RESULT_OK; RESULT_INVALID: `error` says what is wrong, nothing untrusted in it unescaped;
 * RESULT_NOMEM.
 */
enum result control_request_parse(const char *text, size_t length, struct control_request *out,
                                  char error[CONTROL_ERROR_MAX]) MUST_CHECK;

#endif
