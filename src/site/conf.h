/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The site's configuration as an immutable, reference-counted snapshot.  A reload builds a whole
 * new one; sessions keep the one with which they began.
 */
#ifndef IPREVD_CONF_H
#define IPREVD_CONF_H

#include "core/policy.h"
#include "dns/cache.h"
#include "dns/network.h"
#include "dns/resolver.h"
#include "site/client_memory.h"
#include "site/match.h"

#include <stdatomic.h>

#define CONF_DEFAULT_PATH SYSCONFDIR "/iprevd/iprevd.conf"

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT };

const char *stage_text(enum stage stage);

struct conf_memory;
struct conf_tree;

struct conf {
    atomic_uint refs;
    char *path;
    struct conf_tree *tree; /* what the file says; shared by the snapshots that are made of it */
    struct conf_memory *memory; /* everything that is allocated below */

    /* What sessions read. */
    bool monitor; /* mode = monitor, or no mode */
    const char *mode_file;
    unsigned mode_line; /* that sets it; 0: none does */
    enum stage stage;
    char *authserv_id; /* NULL: the MTA's {j} */
    unsigned deadline_s;
    unsigned max_ptr;
    struct ipnet *local_networks;
    size_t local_network_count;
    bool skip_authenticated;
    char *help_url;   /* NULL: none */
    char **own_names; /* canonical names that nobody else may claim (helo-self), besides {j} */
    size_t own_name_count;
    struct neighbour_bits neighbours; /* neighbour-network-v4, -v6 */
    bool static_is_intent;
    char *public_suffix_list;           /* NULL: the system's or the built-in one */
    const struct orgdomain *orgdomains; /* borrowed from the tree; NULL: there is none */
    enum action outage_action;
    struct pattern_list *generic_names; /* the site's own patterns for ptr-generic; NULL: none */
    struct ipnet *trusted_relays;
    size_t trusted_relay_count;
    enum action
        relay_action; /* worst action for clients judged behind trusted relays; default tag */

    struct policy *policies; /* [0] is "default" */
    size_t policy_count;
    struct match *matches;
    size_t match_count;
    /* Some block needs them. */
    bool matches_sender, matches_recipient, matches_listener, matches_lists;

    /* What the daemon looks at, some of it at start only (conf_restart.h). */
    char *listen;
    char *user, *group; /* NULL: stay who we are */
    char *socket_group; /* of unix sockets; NULL: none */
    unsigned socket_mode;
    char *pid_file, *control, *metrics, *state_dir, *decision_log; /* NULL: off */
    char *control_group;
    char *syslog_facility;
    unsigned max_sessions;

    /* DNS. */
    char *zone_file; /* NULL: servers */
    struct network_settings network;
    struct resolver_limits resolver;
    char *dns_control; /* an address that has a PTR record; NULL: none */
    struct cache_limits cache;

    struct client_memory_limits clients; /* block memory */
    /* The farm (src/farm): which hosts share, and where. */
    struct conf_farm {
        char **servers;                        /* "unix:/path" or "address:port" */
        size_t server_count;                   /* 0: there is no farm */
        char *name, *host;                     /* host NULL: what the machine calls itself */
        char *user, *password_file, *key_file; /* NULL: none */
        unsigned timeout_ms;
    } farm;
};

/* Where messages about the configuration go: one call a message, "file:line: ..." complete. */
struct conf_report {
    void (*error)(void *arg, const char *message);
    void (*warning)(void *arg, const char *message);
    /* What is good but means more than it did in an earlier version; NULL: nobody asks. */
    void (*notice)(void *arg, const char *message);
    void *arg;
};

/*
 * Read a configuration with everything that it names (tables, zone file's existence, public
 * suffixes). NULL after at least one error(), which names file, line, key, what was found and what
 * is allowed. The result has one reference.  Only on one thread at a time (libconfuse's lexer keeps
 * state). wall_s: for expired `until`.
 */
struct conf *conf_load(const char *path, int64_t wall_s,
                       const struct conf_report *report) MUST_CHECK;

/*
 * The same configuration with its tables as they are now.  Nothing else is looked at, whatever was
 * written since `conf` was read: neither the file nor the Public Suffix List nor the zone file.
 * NULL, messages and the result as conf_load().  Thread safe against readers of `conf`.
 */
struct conf *conf_reread_tables(const struct conf *conf,
                                const struct conf_report *report) MUST_CHECK;

struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);

/* Print the effective configuration in the configuration's own syntax: what it prints loads again.
 */
enum result conf_print(const struct conf *conf, FILE *stream) MUST_CHECK;

/*
 * Print what decides, for hosts that compare: no option of conf_print() that is a machine's own
 * (names, paths, sockets, the farm).
 */
enum result conf_print_deciding(const struct conf *conf, FILE *stream) MUST_CHECK;

/* "enforce (FILE:LINE)", or "monitor (mode is not set: nothing is refused)".  Returns out. */
#define CONF_MODE_TEXT_MAX 300
const char *conf_mode_text(const struct conf *conf, char out[CONF_MODE_TEXT_MAX]);

/* The policy of that name, or NULL. */
const struct policy *conf_policy(const struct conf *conf, const char *name);

/* Can a client be refused by it, for good or for now? */
bool conf_refuses(const struct conf *conf);

/* Is the socket for the mail server a TCP port?  Else it is a unix socket. */
bool conf_listens_on_tcp(const struct conf *conf);

/* May some client be greylisted, whatever the mode? */
bool conf_greylists(const struct conf *conf);

bool conf_is_local(const struct conf *conf, const struct ipaddr *addr);
/* Is the canonical name one of own-names?  "" is none. */
bool conf_is_own_name(const struct conf *conf, const char *name);
bool conf_is_trusted_relay(const struct conf *conf, const struct ipaddr *addr);

/* Tell every match block that expired after from_s and not after to_s (wall clock). */
void conf_each_expired(const struct conf *conf, int64_t from_s, int64_t to_s,
                       void (*tell)(void *arg, const struct match *match), void *arg);

/*
 * Has some table file changed since this snapshot was read?  0: no; else a number that stands for
 * the versions that are there now.  *unseen: one of them cannot be seen, which is no change.  Does
 * I/O.
 */
uint64_t conf_tables_changed(const struct conf *conf, bool *unseen);

/* Call for every file that was read for this snapshot, or is read for what it says.  No I/O. */
void conf_each_file(const struct conf *conf, void (*call)(void *arg, const char *path), void *arg);

/* How often a pattern of its tables was given up at a limit, since this snapshot was read. */
uint64_t conf_table_limit_hits(const struct conf *conf);

#endif
