/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole decision about one client, by the daemon's own code, printed with all its evidence:
 * what iprevctl check does for each address.  Blocks.  A run is not changed while its parts are
 * made, each by one thread at a time, several of them side by side.
 */
#ifndef IPREVD_CHECK_CLIENT_H
#define IPREVD_CHECK_CLIENT_H

#include "ctl/command.h"
#include "dns/dns_service.h"
#include "site/exemptions.h"

#include <stdio.h>

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
    const char *helo;                    /* of every client; NULL: not given */
    const char *sender, *recipient;      /* canonical; NULL: not given */
    const struct network_server *server; /* asked instead of the configured ones; or NULL */
    bool json, colour;
    bool smtp;          /* ask port 25 of every client, too */
    bool authoritative; /* ask the zones' own servers, too */
    unsigned columns;   /* sentences are folded there */
};

/* What some clients add up to. */
struct check_sums {
    uint64_t clients, by_action[ACTION_COUNT], failed; /* failed: could not be checked */
    int worst;                                         /* exit status so far */
    struct check_row rows[CHECK_ROWS_MAX];             /* of the first clients */
};

/* Output that stays together, and what it adds up to. */
struct check_part {
    const struct check_run *run;
    FILE *out, *err; /* for standard output and standard error */
    bool begun;      /* there is a block already: a blank line comes before the next */
    struct check_sums sums;
};

struct check_target {
    struct ipaddr client;
    const char *helo;      /* what it says in EHLO, or NULL */
    const char *host, *mx; /* the host that led here, and the domain whose MX it is; or NULL */
    const char *source;    /* where else it was found, untrusted text; or NULL */
};

/*
 * Begin to look up, with the exemptions in effect; `run` has its conf.  -1 to go on, else the exit
 * status, and it is said why.  The caller ends by check_client_close() either way.
 */
int check_client_open(struct check_run *run, const struct command *command) MUST_CHECK;
void check_client_close(struct check_run *run);

/* Decide and print.  False: out of memory. */
bool check_client_decide(struct check_part *part, const struct check_target *target) MUST_CHECK;

/* A block of text begins. */
void check_client_block(struct check_part *part);

/* Something could not be checked: it counts with that exit status. */
void check_client_failed(struct check_part *part, int status);

/* The same, with a message to standard error: "iprevctl check: ". */
void check_client_fail(struct check_part *part, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Nothing wrong with the run, but worth knowing: a message as above, with "warning: ". */
void check_client_warn(struct check_part *part, const char *format, ...) PRINTF_LIKE(2, 3);

/* Add what came later. */
void check_client_add(struct check_sums *sums, const struct check_sums *later);

/* What it adds up to, for people, on standard output. */
void check_client_summary(const struct check_run *run, const struct check_sums *sums);

#endif
