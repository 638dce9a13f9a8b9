/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision about one client, by the daemon's own code, printed with all its evidence:
 * what iprevctl check does for each address.  Blocks; one owner at a time.
 */
#ifndef IPREVD_CHECK_CLIENT_H
#define IPREVD_CHECK_CLIENT_H

#include "ctl/command.h"
#include "dns/dns_service.h"
#include "site/exemptions.h"

#define CHECK_ROWS_MAX 100 /* clients that the summary lists one by one */

struct check_row {
    struct ipaddr client;
    enum action action;
    enum check_id reason; /* CHECK_COUNT: none */
    char host[HOSTNAME_MAX + 1];
};

/* One run of the command. */
struct check_run {
    const struct command *command; /* for messages; set by check_client_open() */
    const struct conf *conf;
    struct dns_service *dns;
    struct exemptions *exemptions;
    const char *helo;               /* of every client; NULL: not given */
    const char *sender, *recipient; /* canonical; NULL: not given */
    bool json, colour;
    unsigned columns; /* sentences are folded there */
    /* What it adds up to. */
    bool begun; /* something is printed already: a blank line comes before the next block */
    uint64_t clients, by_action[ACTION_COUNT], failed; /* failed: could not be checked */
    int worst;                                         /* exit status so far */
    struct check_row rows[CHECK_ROWS_MAX];
};

struct check_target {
    struct ipaddr client;
    const char *helo;      /* what it says in EHLO, or NULL */
    const char *host, *mx; /* the host that led here, and the domain whose MX it is; or NULL */
};

/*
 * Begin to look up, with the exemptions in effect; `run` has its conf.  -1 to go on, else the exit
 * status, and it is said why.  The caller ends by check_client_close() either way.
 */
int check_client_open(struct check_run *run, const struct command *command) MUST_CHECK;
void check_client_close(struct check_run *run);

/* Decide and print.  False: memory or the output failed, and it is said. */
bool check_client_decide(struct check_run *run, const struct check_target *target) MUST_CHECK;

/* A block of text begins. */
void check_client_block(struct check_run *run);

/* Something could not be checked: it counts with that exit status. */
void check_client_failed(struct check_run *run, int status);

/* What it adds up to, for people. */
void check_client_summary(const struct check_run *run);

#endif
