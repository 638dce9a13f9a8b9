/* SPDX-License-Identifier: BSD-2-Clause */
/* What is valid by itself but not together. */
#include "site/conf_build.h"

#include "core/reply.h"
#include "site/conf_everybody.h"
#include "site/conf_noeffect.h"
#include "site/conf_shadow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longer names of directories are not looked at. */
#define CONF_PATH_SHOWN 512

struct checker {
    struct conf_loader *loader;
    const struct conf *conf;
    const struct conf_block *file;
    int64_t wall_s;
};

static const struct conf_block *find_block(const struct conf_block *file,
                                           const struct conf_schema *schema, const char *title)
{
    for (const struct conf_block *block = file->blocks; block != NULL; block = block->next)
        if (block->schema == schema && (title == NULL || strcmp(block->title, title) == 0))
            return block;
    return NULL;
}

/* --- the whole file -------------------------------------------------------------------------- */

static void check_dns(const struct checker *c)
{
    const struct conf_block *dns = find_block(c->file, &conf_schema_dns, NULL);
    if (dns == NULL)
        return;
    const struct conf_entry *zone = conf_entry(dns, "zone-file");
    const struct conf_entry *servers = conf_entry(dns, "nameservers");
    const struct conf_entry *timeout = conf_entry(dns, "timeout");
    char where[CONF_WHERE_MAX];
    if (zone->given && servers->count > 0)
        conf_error(c->loader->messages, zone->line,
                   "key \"dns.zone-file\": found together with nameservers on %s; allowed: "
                   "one of them (embedded answers, or servers)",
                   conf_where(c->loader->messages, servers->line, zone->line, where));
    if (timeout->given && c->conf->network.timeout_ms >= c->conf->deadline_s * 1000)
        conf_warning(c->loader->messages, timeout->line,
                     "key \"dns.timeout\": %u ms leave no time for a second try within the "
                     "deadline of %u s",
                     c->conf->network.timeout_ms, c->conf->deadline_s);
}

/* Is the host all addresses of this machine, however that is written ("0", "[::0]")? */
static bool is_everywhere(const char *host, size_t length)
{
    char text[IPADDR_TEXT_MAX];
    struct ipaddr addr;
    struct in_addr v4;
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    }
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    if (ipaddr_parse(text, &addr) != RESULT_OK)
        return inet_aton(text, &v4) != 0 && v4.s_addr == INADDR_ANY;
    static const uint8_t zero[sizeof addr.bytes];
    return memcmp(addr.bytes, zero, sizeof zero) == 0;
}

static bool listens_everywhere(const struct conf *conf)
{
    const char *host = strchr(conf->listen, '@');
    return conf_listens_on_tcp(conf) && (host == NULL || is_everywhere(host + 1, strlen(host + 1)));
}

/* A directory that is not there; whether the daemon may write there, only its user can tell. */
static void check_directory(const struct checker *c, const char *key, const char *path, bool file,
                            const char *outcome)
{
    const struct conf_entry *entry = conf_entry(c->file, key);
    char directory[CONF_PATH_SHOWN];
    struct stat st;
    if (!entry->given || path == NULL)
        return;
    const char *slash = strrchr(path, '/');
    int length = file && slash != NULL ? (int)(slash - path) : (int)strlen(path);
    if (snprintf(directory, sizeof directory, "%.*s", length, path) >= (int)sizeof directory)
        return;
    if (length > 0 && stat(directory, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        conf_warning(c->loader->messages, entry->line, "key \"%s\": %s: %s: %s", key, directory,
                     strerror(errno), outcome);
    else if (!file && stat(directory, &st) == 0 && !S_ISDIR(st.st_mode))
        conf_warning(c->loader->messages, entry->line, "key \"%s\": %s: %s: %s", key, directory,
                     strerror(ENOTDIR), outcome);
    else if (file && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        conf_warning(c->loader->messages, entry->line, "key \"%s\": %s: %s: %s", key, path,
                     strerror(EISDIR), outcome);
}

/* A socket or a file that the start makes.  Below /run the service manager makes the directory. */
static void check_made_at_start(const struct checker *c, const char *key, const char *path,
                                const char *outcome)
{
    if (path != NULL && strncmp(path, "/run/", 5) != 0 && strncmp(path, "/var/run/", 9) != 0)
        check_directory(c, key, path, true, outcome);
}

/* What the whole world may reach, and what this machine does not have. */
static void check_machine(const struct checker *c)
{
    check_directory(c, "state-dir", c->conf->state_dir, false,
                    "neither the cache nor the memory of clients nor exemptions survive a "
                    "restart");
    check_directory(c, "decision-log", c->conf->decision_log, true, "nothing is written");
    check_made_at_start(c, "listen", strchr(c->conf->listen, '/'), "the service does not start");
    check_made_at_start(c, "pid-file", c->conf->pid_file, "the service does not start");
    check_made_at_start(c, "control", c->conf->control, "iprevctl does not reach the daemon");
    const struct conf_entry *listen = conf_entry(c->file, "listen");
    const struct conf_entry *metrics = conf_entry(c->file, "metrics");
    const struct conf_block *cache = find_block(c->file, &conf_schema_cache, NULL);
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    if (listen->given && listens_everywhere(c->conf))
        conf_warning(c->loader->messages, listen->line,
                     "key \"listen\": all addresses of this machine, and the milter protocol has "
                     "no authentication; inet:PORT@localhost is not reached from elsewhere");
    if (metrics->given && c->conf->metrics != NULL &&
        is_everywhere(c->conf->metrics,
                      (size_t)(strrchr(c->conf->metrics, ':') - c->conf->metrics)))
        conf_warning(c->loader->messages, metrics->line,
                     "key \"metrics\": everybody who reaches this machine can read them");
    if (cache != NULL && conf_entry(cache, "size")->given && pages > 0 && page_bytes > 0 &&
        c->conf->cache.size_bytes / (size_t)page_bytes >= (size_t)pages)
        conf_warning(c->loader->messages, conf_entry(cache, "size")->line,
                     "key \"cache.size\": more than the memory of this machine, %ld MiB",
                     (long)((size_t)pages / 1024 * (size_t)page_bytes / 1024));
}

/* A farm needs to know where, which, and by which key. */
static void check_farm(const struct checker *c)
{
    const struct conf_block *farm = find_block(c->file, &conf_schema_farm, NULL);
    static const char *const needed[] = {"servers", "name", "key-file"};
    if (farm == NULL)
        return;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (conf_entry(farm, needed[i])->count == 0)
            conf_error(c->loader->messages, farm->line,
                       "key \"farm.%s\": found nothing; a farm needs servers, name and key-file",
                       needed[i]);
    if (c->conf->farm.user != NULL && c->conf->farm.password_file == NULL)
        conf_error(c->loader->messages, conf_entry(farm, "user")->line,
                   "key \"farm.user\": found \"%.64s\" without password-file; allowed: both, "
                   "password-file alone, or neither",
                   c->conf->farm.user);
}

/* What the stage of the verdict leaves unknown. */
static void check_stage(const struct checker *c)
{
    const struct conf_entry *stage = conf_entry(c->file, "stage");
    if (!stage->given)
        return;
    if (c->conf->stage < STAGE_MAIL && c->conf->skip_authenticated)
        conf_warning(c->loader->messages, stage->line,
                     "key \"stage\": at %s it is not known who authenticates: "
                     "skip-authenticated has no effect, and your own users are judged",
                     stage_text(c->conf->stage));
    if (c->conf->stage == STAGE_CONNECT)
        conf_warning(c->loader->messages, stage->line,
                     "key \"stage\": at connect there is no EHLO yet, so the checks helo-* are "
                     "not made; Postfix and Sendmail refuse with a text of their own, without code "
                     "5.7.25 and evidence");
}

/* A list that is set, and not added to, no longer has what is there by default. */
static void check_loopback(const struct checker *c, const struct conf_entry *entry)
{
    struct ipaddr v4, v6;
    if (!entry->given || entry->append || entry->count == 0 ||
        ipaddr_parse("127.0.0.1", &v4) != RESULT_OK || ipaddr_parse("::1", &v6) != RESULT_OK)
        return;
    if (!conf_is_local(c->conf, &v4) || !conf_is_local(c->conf, &v6))
        conf_warning(c->loader->messages, entry->line,
                     "key \"local-networks\": %s is not local any more, and mail of this machine "
                     "itself is judged; local-networks += { ... } keeps the default networks",
                     conf_is_local(c->conf, &v4)   ? "::1"
                     : conf_is_local(c->conf, &v6) ? "127.0.0.1"
                                                   : "loopback");
}

static bool is_local(const void *arg, const struct ipaddr *addr)
{
    return conf_is_local(arg, addr);
}

static bool is_relay(const void *arg, const struct ipaddr *addr)
{
    return conf_is_trusted_relay(arg, addr);
}

static void check_relays(const struct checker *c)
{
    const struct conf_entry *entry = conf_entry(c->file, "trusted-relays");
    enum everybody who = entry->given ? everybody_in(is_relay, c->conf) : EVERYBODY_NO;
    if (who != EVERYBODY_NO)
        conf_warning(c->loader->messages, entry->line,
                     "key \"trusted-relays\": %s is trusted: what it writes into Received fields "
                     "chooses who is judged",
                     everybody_text(who));
}

static void check_networks(const struct checker *c)
{
    const struct conf_entry *entry = conf_entry(c->file, "local-networks");
    enum everybody who = entry->given ? everybody_in(is_local, c->conf) : EVERYBODY_NO;
    check_loopback(c, entry);
    if (who != EVERYBODY_NO)
        conf_warning(c->loader->messages, entry->line,
                     "key \"local-networks\": %s is local and nothing of it is judged",
                     everybody_text(who));
    check_relays(c);
    entry = conf_entry(c->file, "relay-action");
    if (entry->given && action_refuses(c->conf->relay_action))
        conf_warning(c->loader->messages, entry->line,
                     "key \"relay-action\": what %s refuses to a relay, the relay returns to "
                     "senders who are often forged; tag or quarantine does not",
                     action_text(c->conf->relay_action));
}

/* --- policies -------------------------------------------------------------------------------- */

static void check_reply(const struct checker *c, const struct conf_block *check, const char *policy,
                        const struct check_rule *rule)
{
    const struct conf_entry *entry = conf_entry(check, "reply");
    const char *at;
    if (entry->count == 0 || rule->reply == NULL)
        return;
    const char *problem = reply_check_template(rule->reply, rule->action, &at);
    if (problem != NULL)
        conf_error(c->loader->messages, entry->line,
                   "key \"policy.%s.check.%s.reply\": found \"%.60s\": %s; allowed: \"550 5.7.25 "
                   "text\" or \"text\" with %%{client} %%{ptr} %%{helo} %%{reason} %%{url} "
                   "%%{check} %%{fix} %%%% and \\n between lines",
                   policy, check->title, at, problem);
}

/* Refusing for the wrong reason. */
static void check_refusals(const struct checker *c, unsigned line, const struct policy *policy)
{
    const struct check_rule *mismatch = &policy->rules[CHECK_HELO_MISMATCH];
    const struct check_rule *temperror = &policy->rules[CHECK_DNS_TEMPERROR];
    if (action_refuses(mismatch->action) ||
        (policy->reject_score > 0 && mismatch->score >= policy->reject_score))
        conf_warning(c->loader->messages, line,
                     "policy \"%s\" refuses mail for helo-mismatch alone, which RFC 5321 4.1.4 "
                     "forbids; use accept or tag",
                     policy->name);
    if (temperror->action == ACTION_REJECT ||
        (policy->reject_score > 0 && temperror->score >= policy->reject_score))
        conf_warning(c->loader->messages, line,
                     "policy \"%s\": dns-temperror with %s turns temporary failures of "
                     "the DNS into bounces; tempfail does not",
                     policy->name,
                     temperror->action == ACTION_REJECT ? "action reject" : "so high a score");
}

static void check_scores(const struct checker *c, const struct conf_block *block,
                         const struct policy *policy)
{
    const struct conf_entry *entry = conf_entry(block, "tag-score");
    if (!entry->given)
        entry = conf_entry(block, "reject-score");
    if (policy->tag_score > 0 && policy->reject_score > 0 &&
        policy->tag_score > policy->reject_score)
        conf_error(c->loader->messages, entry->given ? entry->line : block->line,
                   "key \"policy.%s.tag-score\": found %g with reject-score %g; allowed: a "
                   "tag-score that is not above reject-score, or 0 for either",
                   policy->name, policy->tag_score, policy->reject_score);
}

/* A client in grace is not greylisted, and so not by its grace either. */
static void check_grace(const struct checker *c, const struct conf_block *block,
                        const struct policy *policy)
{
    char key[CONF_KEY_MAX];
    if (policy->grace_action != ACTION_GREYLIST)
        return;
    snprintf(key, sizeof key, "policy.%s.grace-action", policy->name);
    conf_bad_value(c->loader->messages, conf_entry(block, "grace-action")->line, key,
                   action_text(policy->grace_action), "accept, tag, quarantine, tempfail");
}

/* An action before its evidence exists never happens; accept is none. */
static void check_subjects(const struct checker *c, const struct conf_block *check,
                           const struct policy *policy)
{
    enum check_id id;
    const struct conf_entry *action = conf_entry(check, "action");
    if (!action->given || !check_by_name(check->title, &id) ||
        policy->rules[id].action == ACTION_ACCEPT)
        return;
    if (checks[id].subject == CHECK_ABOUT_HELO && c->conf->stage < STAGE_HELO)
        conf_warning(c->loader->messages, action->line,
                     "check \"%s\" is never made with stage = connect", check->title);
    if (checks[id].subject == CHECK_ABOUT_SENDER && c->conf->stage < STAGE_MAIL)
        conf_warning(c->loader->messages, action->line,
                     "check \"%s\" is never made with stage = %s", check->title,
                     stage_text(c->conf->stage));
}

static bool policy_is_used(const struct conf *conf, const struct policy *policy)
{
    for (size_t i = 0; i < conf->match_count; i++)
        if (conf->matches[i].policy == policy)
            return true;
    return policy == &conf->policies[0];
}

static void check_policies(const struct checker *c)
{
    for (size_t i = 0; i < c->conf->policy_count; i++) {
        const struct policy *policy = &c->conf->policies[i];
        const struct conf_block *block = find_block(c->file, &conf_schema_policy, policy->name);
        if (block == NULL)
            continue;
        check_scores(c, block, policy);
        check_grace(c, block, policy);
        check_refusals(c, block->line, policy);
        for (const struct conf_block *check = block->blocks; check != NULL; check = check->next) {
            enum check_id id;
            if (check_by_name(check->title, &id))
                check_reply(c, check, policy->name, &policy->rules[id]);
            check_subjects(c, check, policy);
        }
        if (!policy_is_used(c->conf, policy))
            conf_warning(c->loader->messages, block->line,
                         "policy \"%s\" is used by no match block", policy->name);
    }
}

/* --- match blocks ---------------------------------------------------------------------------- */

static void check_condition(const struct checker *c, const struct conf_block *block,
                            const char *condition, enum stage known)
{
    const struct conf_entry *entry = conf_entry(block, condition);
    if (entry->count > 0 && c->conf->stage < known)
        conf_error(c->loader->messages, entry->line,
                   "key \"match.%s.%s\": found with stage = %s, where the %s is not known yet; "
                   "allowed: stage = %s%s",
                   block->title, condition, stage_text(c->conf->stage), condition,
                   stage_text(known),
                   known == STAGE_RCPT   ? ""
                   : known == STAGE_MAIL ? " or rcpt"
                                         : ", mail or rcpt");
}

static void check_match(const struct checker *c, const struct match *match,
                        const struct conf_block *block)
{
    check_condition(c, block, "helo", STAGE_HELO);
    check_condition(c, block, "sender", STAGE_MAIL);
    check_condition(c, block, "recipient", STAGE_RCPT);
    for (size_t i = 0; i < block->schema->option_count; i++) {
        const struct conf_option *option = &block->schema->options[i];
        bool list = option->type == CONF_NET_LIST || option->type == CONF_PATTERNS ||
                    option->type == CONF_LISTED;
        if (list && block->entries[i].given && block->entries[i].count == 0)
            conf_error(c->loader->messages, block->entries[i].line,
                       "key \"match.%s.%s\": found an empty list, which nothing matches; allowed: "
                       "at least one value, or no such line",
                       block->title, option->name);
    }
    const struct conf_entry *until = conf_entry(block, "until");
    if (match->until_s != 0 && match->until_s <= c->wall_s)
        conf_warning(c->loader->messages, until->line,
                     "match \"%s\" expired (until %s) and matches nothing any more", match->name,
                     until->words[0].text);
}

static bool matches_everything(const struct match *match)
{
    return match->client == NULL && match_asks_for_client_only(match);
}

static void tell_shadowed(void *arg, const struct match *match, const struct match *by)
{
    const struct checker *c = arg;
    char where[CONF_WHERE_MAX];
    conf_warning(c->loader->messages, match->text_line,
                 "match \"%s\" is never reached: match \"%s\" (%s) %s", match->name, by->name,
                 conf_where(c->loader->messages, by->text_line, match->text_line, where),
                 by->client != NULL && match_asks_for_client_only(by)
                     ? "decides for all clients in its networks"
                     : "fits whenever it does, and is before it");
}

/* One line that ends all checks is hardly meant, and is not seen in any log. */
static void check_exemption(const struct checker *c, const struct match *match)
{
    enum everybody who = EVERYBODY_NO;
    if (match->policy == NULL && (match->until_s == 0 || match->until_s > c->wall_s))
        who = everybody_matches(match);
    if (who != EVERYBODY_NO)
        conf_warning(c->loader->messages, match->text_line,
                     "match \"%s\" has policy \"none\" for %s: nothing is checked any more; "
                     "mode = monitor refuses nobody and still logs",
                     match->name, everybody_text(who));
}

/* Each is a question more a client. */
static void check_lists(const struct checker *c)
{
    const char *zones[LISTED_ZONES_MAX + 1];
    size_t zone_count = 0;
    for (size_t i = 0; i < c->conf->match_count; i++) {
        const struct match *match = &c->conf->matches[i];
        if (match->listed == NULL || zone_count > LISTED_ZONES_MAX)
            continue;
        zone_count = listed_zones(match->listed, zones, LISTED_ZONES_MAX + 1, zone_count);
        if (zone_count > LISTED_ZONES_MAX)
            conf_error(c->loader->messages, match->text_line,
                       "key \"match.%s.listed\": found \"%.100s\", one DNS list too many; "
                       "allowed: %d different ones in all",
                       match->name, zones[LISTED_ZONES_MAX], LISTED_ZONES_MAX);
    }
}

/* Blocks and what was made of them stand in the same order, so that N of them are read in one go.
 */
static void check_matches(const struct checker *c)
{
    const struct conf_block *block = c->file->blocks;
    bool others = false; /* a block names those who are checked: "none" is for the rest */
    for (size_t i = 0; i < c->conf->match_count; i++) {
        const struct match *match = &c->conf->matches[i];
        while (block != NULL &&
               (block->schema != &conf_schema_match || strcmp(block->title, match->name) != 0))
            block = block->next;
        if (block == NULL)
            return; /* cannot be */
        check_match(c, match, block);
        if (matches_everything(match) && i + 1 < c->conf->match_count)
            conf_warning(c->loader->messages, match->text_line,
                         "match \"%s\" has no condition: it matches everything, and the blocks "
                         "after it are never reached",
                         match->name);
        else if (!others)
            check_exemption(c, match);
        others = others || match->policy != NULL || matches_everything(match);
    }
    if (!conf_shadow_find(c->conf->matches, c->conf->match_count, tell_shadowed,
                          (void *)(uintptr_t)c))
        c->loader->nomem = true;
}

void conf_check(struct conf_loader *loader, const struct conf_block *file, int64_t wall_s)
{
    const struct checker c = {loader, loader->conf, file, wall_s};
    check_dns(&c);
    check_farm(&c);
    check_stage(&c);
    check_machine(&c);
    check_networks(&c);
    check_policies(&c);
    check_matches(&c);
    check_lists(&c);
    conf_noeffect(loader, file);
}
