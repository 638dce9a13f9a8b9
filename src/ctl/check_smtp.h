/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iprevctl check --smtp: what the client's address says at port 25, and whether the names in it fit
 * the address.  It judges nothing: a server may say something else when it sends.
 */
#ifndef IPREVD_CHECK_SMTP_H
#define IPREVD_CHECK_SMTP_H

#include "core/checks.h"
#include "ctl/smtp_probe.h"
#include "dns/resolver.h"
#include "site/json.h"

/* Ask, and look the names up.  Blocks; deadline_s is for each lookup.  RESULT_NOMEM. */
enum result check_smtp_ask(struct resolver *resolver, const struct evidence *evidence,
                           unsigned deadline_s, struct smtp_probe *out) MUST_CHECK;

/* What is said of a name that it said: "is the PTR name", ... */
const char *check_smtp_fit_text(enum smtp_fit fit);

/* The key smtp; NULL: it was not asked. */
void check_smtp_json(struct json_writer *json, const struct smtp_probe *probe);

#endif
