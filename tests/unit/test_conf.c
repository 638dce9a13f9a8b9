/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: every message, every default, and that sample, manual and program agree. */
#include "site/conf.h"
#include "site/conf_restart.h"
#include "site/conf_schema.h"
#include "site/conf_suggest.h"
#include "site/conf_value.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW          INT64_C(1798761600) /* 2027-01-01T00:00:00Z */
#define HEARD        16
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "test_conf.tmp.XXXXXX";
static char path[64];

static struct {
    char errors[HEARD][2048], warnings[HEARD][2048];
    size_t error_count, warning_count;
} heard;

static void hear_error(void *arg, const char *message)
{
    (void)arg;
    if (heard.error_count < HEARD)
        snprintf(heard.errors[heard.error_count++], sizeof heard.errors[0], "%s", message);
}

static void hear_warning(void *arg, const char *message)
{
    (void)arg;
    if (heard.warning_count < HEARD)
        snprintf(heard.warnings[heard.warning_count++], sizeof heard.warnings[0], "%s", message);
}

static const struct conf_report report = {hear_error, hear_warning, NULL, NULL};

static void setup(void)
{
    strcpy(folder, "test_conf.tmp.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/iprevd.conf", folder);
}

static void in_folder(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static void teardown(void)
{
    static const char *const names[] = {
        "mx[1]/iprevd.conf", "mx[1]/a.conf",  "iprevd.conf",   "printed.conf",     "partners.cidr",
        "fqrdns.pcre",       "isp.regexp",    "broken.cidr",   "access",           "helo",
        "suffixes",          "conf.d/a.conf", "conf.d/b.conf", "conf.d/c.conf.bak"};
    char name[96];
    for (size_t i = 0; i < COUNT(names); i++) {
        in_folder(names[i], name, sizeof name);
        unlink(name);
    }
    static const char *const folders[] = {"conf.d", "mx[1]", "sites"};
    for (size_t i = 0; i < COUNT(folders); i++) {
        in_folder(folders[i], name, sizeof name);
        rmdir(name);
    }
    rmdir(folder);
}

static void write_bytes(const char *name, const char *text, size_t length)
{
    FILE *file = fopen(name, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(text, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

static struct conf *load_bytes(const char *text, size_t length)
{
    write_bytes(path, text, length);
    memset(&heard, 0, sizeof heard);
    return conf_load(path, NOW, &report);
}

static struct conf *load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static struct conf *load_good(const char *text)
{
    struct conf *conf = load(text);
    ck_assert_msg(conf != NULL, "%s", heard.errors[0]);
    ck_assert_uint_eq(heard.error_count, 0);
    return conf;
}

/* A message less the file's name. */
static const char *tail(const char *message)
{
    size_t length = strlen(path);
    ck_assert_msg(strncmp(message, path, length) == 0, "%s", message);
    return message + length;
}

/* --- messages -------------------------------------------------------------------------------- */

#define NETS                                                                                       \
    "a list of addresses and networks such as {\"192.0.2.0/24\", \"2001:db8::1\"} without bits "   \
    "set after the prefix"
#define ACTIONS "accept, tag, quarantine, greylist, tempfail, reject"
#define NAMES                                                                                      \
    "a list of name patterns: \"mail.example.org\", \".example.org\", \"*.dsl.example\", or "      \
    "files "                                                                                       \
    "pcre:, regexp:, texthash:, cidr:"
#define MAIL                                                                                       \
    "a list of address patterns: \"user@example.org\", \"postmaster\", \"example.org\", "          \
    "\".example.org\", \"*@example.org\", or files pcre:, regexp:, texthash:"
#define QUOTES "; values with such characters are written in double quotes"

#define ALLOWED_STORES                                                                             \
    "a list of up to 8 servers such as {\"unix:/run/valkey/valkey.sock\", \"192.0.2.1:6379\", "    \
    "\"[2001:db8::1]:6379\"}: addresses, not names"

static const struct {
    const char *label, *text, *want;
} error_cases[] = {
    /* One row for every option, with the values that are allowed. */
    {"listen", "listen = 8896",
     ":1: key \"listen\": found \"8896\"; allowed: inet:PORT@HOST (IPv4), inet6:PORT@HOST (IPv6), "
     "or unix:/absolute/path (at most 107 bytes)"},
    {"listen IPv6 literal", "listen = \"inet:8896@[::1]\"",
     ":1: key \"listen\": found \"inet:8896@[::1]\"; allowed: inet:PORT@HOST (IPv4), "
     "inet6:PORT@HOST (IPv6), or unix:/absolute/path (at most 107 bytes)"},
    {"listen IPv6 bare", "listen = \"inet:8896@::1\"",
     ":1: key \"listen\": found \"inet:8896@::1\"; allowed: inet:PORT@HOST (IPv4), "
     "inet6:PORT@HOST (IPv6), or unix:/absolute/path (at most 107 bytes)"},
    {"listen port", "listen = \"inet:65536@localhost\"",
     ":1: key \"listen\": found \"inet:65536@localhost\"; allowed: inet:PORT@HOST (IPv4), "
     "inet6:PORT@HOST (IPv6), or unix:/absolute/path (at most 107 bytes)"},
    {"listen relative", "listen = \"unix:sock\"",
     ":1: key \"listen\": found \"unix:sock\"; allowed: inet:PORT@HOST (IPv4), "
     "inet6:PORT@HOST (IPv6), or unix:/absolute/path (at most 107 bytes)"},
    {"mode", "mode = drop", ":1: key \"mode\": found \"drop\"; allowed: enforce, monitor"},
    {"stage", "stage = data",
     ":1: key \"stage\": found \"data\"; allowed: connect, helo, mail, rcpt"},
    {"authserv-id", "authserv-id = \"a b\"",
     ":1: key \"authserv-id\": found \"a b\"; allowed: a host name or another word of printable "
     "characters without spaces"},
    {"deadline too long", "deadline = 26",
     ":1: key \"deadline\": found \"26\"; allowed: 1 to 25 seconds"},
    {"deadline zero", "deadline = 0",
     ":1: key \"deadline\": found \"0\"; allowed: 1 to 25 seconds"},
    {"deadline fraction", "deadline = 1500ms",
     ":1: key \"deadline\": found \"1500ms\"; allowed: 1 to 25 seconds"},
    {"max-ptr", "max-ptr = 0x10",
     ":1: key \"max-ptr\": found \"0x10\"; allowed: a number from 1 to 100"},
    {"max-ptr negative", "max-ptr = -1",
     ":1: key \"max-ptr\": found \"-1\"; allowed: a number from 1 to 100"},
    {"local-networks", "local-networks = {\"10.0.0.0/8\",\n\"10.1.2.3/8\"}",
     ":2: key \"local-networks\": found \"10.1.2.3/8\"; allowed: " NETS},
    {"own-names", "own-names = {\"a..b\"}",
     ":1: key \"own-names\": found \"a..b\"; allowed: a list of host names such as "
     "{\"mx.example.net\"}"},
    {"skip-authenticated", "skip-authenticated = maybe",
     ":1: key \"skip-authenticated\": found \"maybe\"; allowed: true, false"},
    {"help-url", "help-url = \"ftp://x\"",
     ":1: key \"help-url\": found \"ftp://x\"; allowed: an address that begins with https:// or "
     "http://, at most 200 characters, with %{check} and %{client} as placeholders"},
    {"help-url with another placeholder", "help-url = \"https://x/%{ptr}\"",
     ":1: key \"help-url\": found \"https://x/%{ptr}\"; allowed: an address that begins with "
     "https:// "
     "or http://, at most 200 characters, with %{check} and %{client} as placeholders"},
    {"help-url with too many placeholders", "help-url = \"https://x/%{check}%{check}%{check}\"",
     ":1: key \"help-url\": found \"https://x/%{check}%{check}%{check}\"; allowed: an address that "
     "begins with https:// or http://, at most 200 characters, with %{check} and %{client} as "
     "placeholders"},
    {"neighbour-network-v4", "neighbour-network-v4 = 33",
     ":1: key \"neighbour-network-v4\": found \"33\"; allowed: a prefix length from 8 to 32"},
    {"neighbour-network-v6", "neighbour-network-v6 = 8",
     ":1: key \"neighbour-network-v6\": found \"8\"; allowed: a prefix length from 16 to 128"},
    {"public-suffix-list", "public-suffix-list = \"/nonexistent\"",
     ":1: key \"public-suffix-list\": found \"/nonexistent\", which cannot be read (No such file "
     "or directory); allowed: a file that can be read"},
    {"generic-names", "generic-names = {\"a b\"}",
     ":1: key \"generic-names\": found \"a b\"; allowed: " NAMES},
    {"static-is-intent", "static-is-intent = 2",
     ":1: key \"static-is-intent\": found \"2\"; allowed: true, false"},
    {"trusted-relays", "trusted-relays = {\"relay.example\"}",
     ":1: key \"trusted-relays\": found \"relay.example\"; allowed: " NETS},
    {"relay-action", "relay-action = drop",
     ":1: key \"relay-action\": found \"drop\"; allowed: " ACTIONS},
    {"control", "control = \"run/x\"",
     ":1: key \"control\": found \"run/x\"; allowed: an absolute path, or none"},
    {"control-group", "control-group = \"a:b\"",
     ":1: key \"control-group\": found \"a:b\"; allowed: the name of a group"},
    {"metrics", "metrics = 9797",
     ":1: key \"metrics\": found \"9797\"; allowed: address and port such as 127.0.0.1:9797 or "
     "[::1]:9797, or none"},
    {"metrics without port", "metrics = \"127.0.0.1\"",
     ":1: key \"metrics\": found \"127.0.0.1\"; allowed: address and port such as 127.0.0.1:9797 "
     "or [::1]:9797, or none"},
    {"state-dir", "state-dir = x",
     ":1: key \"state-dir\": found \"x\"; allowed: an absolute path, or none"},
    {"decision-log", "decision-log = \"\"",
     ":1: key \"decision-log\": found \"\"; allowed: an absolute path, or none"},
    {"user", "user = \"-x\"", ":1: key \"user\": found \"-x\"; allowed: the name of a user"},
    {"group", "group = \"a b\"", ":1: key \"group\": found \"a b\"; allowed: the name of a group"},
    {"socket-group", "socket-group = \"\"",
     ":1: key \"socket-group\": found \"\"; allowed: the name of a group"},
    {"socket-mode", "socket-mode = 0888",
     ":1: key \"socket-mode\": found \"0888\"; allowed: an octal file mode from 0000 to 0777"},
    {"pid-file", "pid-file = run",
     ":1: key \"pid-file\": found \"run\"; allowed: an absolute path, or none"},
    {"syslog-facility", "syslog-facility = local8",
     ":1: key \"syslog-facility\": found \"local8\"; allowed: mail, daemon, auth, user, local0 to "
     "local7"},
    {"max-sessions", "max-sessions = many",
     ":1: key \"max-sessions\": found \"many\"; allowed: a number from 1 to 1000000"},
    {"nameservers", "dns { nameservers = {\"localhost\"} }",
     ":1: key \"dns.nameservers\": found \"localhost\"; allowed: a list of up to 16 servers such "
     "as {\"127.0.0.1\", \"127.0.0.1:5300\", \"[::1]:5353\"}"},
    {"resolv-conf", "dns { resolv-conf = x }",
     ":1: key \"dns.resolv-conf\": found \"x\"; allowed: an absolute path"},
    {"zone-file is a device", "dns { zone-file = \"/dev/zero\" }",
     ":1: key \"dns.zone-file\": found \"/dev/zero\", which cannot be read (not a regular file); "
     "allowed: a zone file that can be read"},
    {"zone-file", "dns {\n  zone-file = \"/nonexistent\" }",
     ":2: key \"dns.zone-file\": found \"/nonexistent\", which cannot be read (No such file or "
     "directory); allowed: a zone file that can be read"},
    {"timeout", "dns { timeout = 10ms }",
     ":1: key \"dns.timeout\": found \"10ms\"; allowed: a time from 50ms to 25s such as 1500ms or "
     "2, or 0 for the measured one"},
    {"attempts", "dns { attempts = 11 }",
     ":1: key \"dns.attempts\": found \"11\"; allowed: a number from 1 to 10, or 0 for the "
     "default"},
    {"trust-ad", "dns { trust-ad = 1 }",
     ":1: key \"dns.trust-ad\": found \"1\"; allowed: true, false"},
    {"max-queries", "dns { max-queries = 1 }",
     ":1: key \"dns.max-queries\": found \"1\"; allowed: a number from 16 to 100000"},
    {"max-tcp", "dns { max-tcp = 0 }",
     ":1: key \"dns.max-tcp\": found \"0\"; allowed: a number from 1 to 1000"},
    {"control", "dns { control = root.example }",
     ":1: key \"dns.control\": found \"root.example\"; allowed: an IP address such as "
     "198.41.0.4, or none"},
    {"max-cname-hops", "dns { max-cname-hops = 99 }",
     ":1: key \"dns.max-cname-hops\": found \"99\"; allowed: a number from 1 to 32"},
    {"outage-action", "dns { outage-action = reject }",
     ":1: key \"dns.outage-action\": found \"reject\"; allowed: accept, tag, quarantine, "
     "greylist, tempfail"},
    {"farm without servers", "farm { name = mx key-file = /k }",
     ":1: key \"farm.servers\": found nothing; a farm needs servers, name and key-file"},
    {"farm without name", "farm { servers = {\"192.0.2.1:6379\"} key-file = /k }",
     ":1: key \"farm.name\": found nothing; a farm needs servers, name and key-file"},
    {"farm without key", "farm { servers = {\"192.0.2.1:6379\"} name = mx }",
     ":1: key \"farm.key-file\": found nothing; a farm needs servers, name and key-file"},
    {"farm of a name", "farm { servers = {\"store.example:6379\"} name = mx key-file = /k }",
     ":1: key \"farm.servers\": found \"store.example:6379\"; allowed: " ALLOWED_STORES},
    {"farm server without port", "farm { servers = {\"192.0.2.1\"} name = mx key-file = /k }",
     ":1: key \"farm.servers\": found \"192.0.2.1\"; allowed: " ALLOWED_STORES},
    {"farm socket that is relative", "farm { servers = {\"unix:sock\"} name = mx key-file = /k }",
     ":1: key \"farm.servers\": found \"unix:sock\"; allowed: " ALLOWED_STORES},
    {"farm name", "farm { servers = {\"192.0.2.1:6379\"} name = \"m x\" key-file = /k }",
     ":1: key \"farm.name\": found \"m x\"; allowed: a word of at most 64 letters, digits, dots, "
     "dashes and underscores"},
    {"farm host", "farm { servers = {\"192.0.2.1:6379\"} name = mx key-file = /k host = \"a:b\" }",
     ":1: key \"farm.host\": found \"a:b\"; allowed: a word of at most 64 letters, digits, dots, "
     "dashes and underscores"},
    {"farm key that is relative", "farm { servers = {\"192.0.2.1:6379\"} name = mx key-file = k }",
     ":1: key \"farm.key-file\": found \"k\"; allowed: an absolute path"},
    {"farm user without password",
     "farm { servers = {\"192.0.2.1:6379\"} name = mx key-file = /k user = u }",
     ":1: key \"farm.user\": found \"u\" without password-file; allowed: both, password-file "
     "alone, or neither"},
    {"farm timeout",
     "farm { servers = {\"192.0.2.1:6379\"} name = mx key-file = /k timeout = 10ms }",
     ":1: key \"farm.timeout\": found \"10ms\"; allowed: a time from 50ms to 25s such as 500ms or "
     "2"},
    {"grace-action, greylist", "policy \"x\" { grace-action = greylist }",
     ":1: key \"policy.x.grace-action\": found \"greylist\"; allowed: accept, tag, quarantine, "
     "tempfail"},
    {"greylist-delay", "policy \"x\" { greylist-delay = 7h }",
     ":1: key \"policy.x.greylist-delay\": found \"7h\"; allowed: a time from 1 second to 6 hours, "
     "such as 300 or 5m"},
    {"cache size", "cache { size = 64X }",
     ":1: key \"cache.size\": found \"64X\"; allowed: bytes from 1M to 1024G, such as 64M"},
    {"cache size small", "cache { size = 1000K }",
     ":1: key \"cache.size\": found \"1000K\"; allowed: bytes from 1M to 1024G, such as 64M"},
    {"cache size large", "cache { size = 999999999999999G }",
     ":1: key \"cache.size\": found \"999999999999999G\"; allowed: bytes from 1M to 1024G, such as "
     "64M"},
    {"max-ttl", "cache { max-ttl = 8d }",
     ":1: key \"cache.max-ttl\": found \"8d\"; allowed: a time from 1 second to 7 days, such as "
     "3600, 12h or 1d"},
    {"negative-max-ttl", "cache { negative-max-ttl = 4h }",
     ":1: key \"cache.negative-max-ttl\": found \"4h\"; allowed: a time from 1 second to 3 hours "
     "(RFC 2308), such as 300 or 5m"},
    {"failure-ttl", "cache { failure-ttl = 301 }",
     ":1: key \"cache.failure-ttl\": found \"301\"; allowed: a time from 1 second to 5 minutes "
     "(RFC "
     "9520)"},
    {"memory size", "memory { size = 63K }",
     ":1: key \"memory.size\": found \"63K\"; allowed: bytes from 64K to 16G, such as 16M"},
    {"memory keep", "memory { keep = 1d }",
     ":1: key \"memory.keep\": found \"1d\"; allowed: a time from 2 to 366 days, such as 35d"},
    {"grace", "policy \"x\" { grace = 31d }",
     ":1: key \"policy.x.grace\": found \"31d\"; allowed: a time up to 30 days, such as 3d, or 0 "
     "for none"},
    {"grace that refuses", "policy \"x\" { grace-action = reject }",
     ":1: key \"policy.x.grace-action\": found \"reject\"; allowed: accept, tag, quarantine, "
     "tempfail"},
    {"stale", "cache { stale = forever }",
     ":1: key \"cache.stale\": found \"forever\"; allowed: a time up to 7 days, such as 1d, or 0 "
     "for none"},
    {"required-agreement", "policy \"x\" { required-agreement = unknown }",
     ":1: key \"policy.x.required-agreement\": found \"unknown\"; allowed: exact, forward, "
     "literal, "
     "domain, network, none"},
    {"tag-score", "policy \"x\" { tag-score = nan }",
     ":1: key \"policy.x.tag-score\": found \"nan\"; allowed: a number from 0 (off) to 1000"},
    {"reject-score", "policy \"x\" { reject-score = 1e3 }",
     ":1: key \"policy.x.reject-score\": found \"1e3\"; allowed: a number from 0 (off) to 1000"},
    {"action", "policy \"default\" {\n  check ptr-generic {\n    action = drop } }",
     ":3: key \"policy.default.check.ptr-generic.action\": found \"drop\"; allowed: " ACTIONS},
    {"score", "policy \"default\" { check ptr-generic { score = 1001 } }",
     ":1: key \"policy.default.check.ptr-generic.score\": found \"1001\"; allowed: a number from 0 "
     "to 1000"},
    {"score dots", "policy \"default\" { check ptr-generic { score = 1.2.3 } }",
     ":1: key \"policy.default.check.ptr-generic.score\": found \"1.2.3\"; allowed: a number from "
     "0 "
     "to 1000"},
    {"percent", "policy \"default\" { check ptr-generic { percent = 101 } }",
     ":1: key \"policy.default.check.ptr-generic.percent\": found \"101\"; allowed: a number from "
     "0 "
     "to 100"},
    {"monitor", "policy \"default\" { check ptr-generic { monitor = 7 } }",
     ":1: key \"policy.default.check.ptr-generic.monitor\": found \"7\"; allowed: true, false"},
    {"reply placeholder",
     "policy \"default\" { check ptr-missing { reply = \"550 5.7.25 no %{foo}\" } }",
     ":1: key \"policy.default.check.ptr-missing.reply\": found \"%{foo}\": unknown placeholder; "
     "allowed: \"550 5.7.25 text\" or \"text\" with %{client} %{ptr} %{helo} %{reason} %{url} "
     "%{check} %{fix} %% and \\n between lines"},
    {"reply class", "policy \"default\" { check dns-temperror { reply = \"550 5.7.25 no\" } }",
     ":1: key \"policy.default.check.dns-temperror.reply\": found \"550 5.7.25 no\": code 5xx with "
     "action tempfail; allowed: \"550 5.7.25 text\" or \"text\" with %{client} %{ptr} %{helo} "
     "%{reason} %{url} %{check} %{fix} %% and \\n between lines"},
    {"client", "match \"a\" { policy = none client = {\"192.0.2.0/33\"} }",
     ":1: key \"match.a.client\": found \"192.0.2.0/33\"; allowed: a list of addresses, networks "
     "and cidr: files such as {\"192.0.2.0/24\", \"cidr:/etc/postfix/partners.cidr\"}"},
    {"client table", "match \"a\" { policy = none client = {\"pcre:/x\"} }",
     ":1: key \"match.a.client\": found \"pcre:/x\": of the table files, cidr: only"},
    {"client table missing", "match \"a\" { policy = none client = {\"cidr:/nonexistent\"} }",
     ":1: key \"match.a.client\": found \"cidr:/nonexistent\": /nonexistent: No such file or "
     "directory"},
    {"ptr", "match \"a\" { policy = none ptr = {\"a/b\"} }",
     ":1: key \"match.a.ptr\": found \"a/b\"; allowed: " NAMES},
    {"unconfirmed-ptr", "match \"a\" { policy = none unconfirmed-ptr = {\"\"} }",
     ":1: key \"match.a.unconfirmed-ptr\": found \"\"; allowed: " NAMES},
    {"listed", "match \"a\" { policy = none listed = {\"list.example=127.0.0.2*3\"} }",
     ":1: key \"match.a.listed\": found \"list.example=127.0.0.2*3\": weights are postscreen's: "
     "here a list fits or not; allowed: a list of DNS lists such as "
     "{\"list.dnswl.org=127.0.[0..255].[1..3]\"}"},
    {"listed, nothing", "match \"a\" { policy = none listed = {} }",
     ":1: key \"match.a.listed\": found an empty list, which nothing matches; allowed: at least "
     "one "
     "value, or no such line"},
    {"listed, too many",
     "match \"a\" { policy = none listed = {\"l1.example\", \"l2.example\", \"l3.example\", "
     "\"l4.example\", \"l5.example\", \"l6.example\", \"l7.example\", \"l8.example\"} }\n"
     "match \"b\" { policy = none listed = {\"l8.example\", \"l9.example\", \"l10.example\", "
     "\"l11.example\", \"l12.example\", \"l13.example\", \"l14.example\", \"l15.example\", "
     "\"l16.example=127.0.0.4\", \"l17.example\"} }",
     ":2: key \"match.b.listed\": found \"l17.example\", one DNS list too many; allowed: 16 "
     "different ones in all"},
    {"helo", "match \"a\" { policy = none helo = {\"a..b\"} }",
     ":1: key \"match.a.helo\": found \"a..b\"; allowed: " NAMES},
    {"sender", "match \"a\" { policy = none sender = {\"a b\"} }",
     ":1: key \"match.a.sender\": found \"a b\"; allowed: " MAIL},
    {"recipient", "match \"a\" { policy = none recipient = {\"user@\"} }",
     ":1: key \"match.a.recipient\": found \"user@\"; allowed: " MAIL},
    {"recipient table", "match \"a\" { policy = none recipient = {\"cidr:/x\"} }",
     ":1: key \"match.a.recipient\": found \"cidr:/x\": cidr: files hold addresses"},
    {"listener", "match \"a\" { policy = none listener = {\"a b\"} }",
     ":1: key \"match.a.listener\": found \"a b\"; allowed: a list of {daemon_name} values such as "
     "{\"smtpd\", \"submission*\"}"},
    {"policy unknown", "match \"a\" { policy = \"nix\" }\npolicy \"lenient\" { }",
     ":1: key \"match.a.policy\": found \"nix\"; allowed: none, default, lenient"},
    {"policy missing", "match \"a\" { helo = {\"x.example\"} }",
     ":1: key \"match.a.policy\": found nothing; allowed: the name of a policy block, default, or "
     "none"},
    {"reason", "match \"a\" { policy = none reason = \"\" }",
     ":1: key \"match.a.reason\": found \"\"; allowed: one line of text in UTF-8 of at most 200 "
     "characters"},
    {"until", "match \"a\" { policy = none until = \"2027-02-30\" }",
     ":1: key \"match.a.until\": found \"2027-02-30\"; allowed: a day such as 2027-01-31 (through "
     "its end, UTC) or a minute such as 2027-01-31T18:00Z"},

    /* What is not there, twice there, or in the wrong place. */
    {"no option at all", "[",
     ":1: key \"[\": found an unknown option; allowed: name = value, or a block; comments begin "
     "with #"},
    {"a comment of another language", "; mode",
     ":1: key \";\": found an unknown option; allowed: name = value, or a block; comments begin "
     "with #"},
    {"capital letters", "Mode = enforce",
     ":1: key \"Mode\": found an unknown option; did you mean \"mode\"?"},
    {"capital letters only", "LISTEN = x",
     ":1: key \"LISTEN\": found an unknown option; did you mean \"listen\"?"},
    {"unknown option", "mod = enforce",
     ":1: key \"mod\": found an unknown option; did you mean \"mode\"?"},
    {"swapped letters", "dealdine = 3",
     ":1: key \"dealdine\": found an unknown option; did you mean \"deadline\"?"},
    {"unknown in a block", "cache { sise = 3M }",
     ":1: key \"cache.sise\": found an unknown option; did you mean \"size\"?"},
    {"nothing close", "cache { frobnicate = 3M }",
     ":1: key \"cache.frobnicate\": found an unknown option; allowed: size, max-ttl, "
     "negative-max-ttl, failure-ttl, stale"},
    {"option of a block", "timeout = 3",
     ":1: key \"timeout\": found an unknown option; it belongs in a block \"dns\""},
    {"option of the file", "dns { deadline = 3 }",
     ":1: key \"dns.deadline\": found an unknown option; it belongs outside of all blocks"},
    {"unknown check", "policy \"x\" { check ptr-generik { } }",
     ":1: key \"policy.x.check\": found \"ptr-generik\"; did you mean \"ptr-generic\"?"},
    {"twice", "mode = monitor\n\nmode = enforce",
     ":3: key \"mode\": found a second time (first on line 1); allowed: once"},
    {"list twice", "own-names = {\"a.example\"}\nown-names = {\"b.example\", \"c.example\"}",
     ":2: key \"own-names\": found a second time (first on line 1); allowed: once"},
    {"in a block twice", "policy \"x\" { check ptr-missing { score = 1 score = 2 } }",
     ":1: key \"policy.x.check.ptr-missing.score\": found a second time (first on line 1); "
     "allowed: "
     "once"},
    {"block twice", "dns { }\ncache { }\ndns { }",
     ":3: key \"dns\": found a second time (first on line 1); allowed: once"},
    {"policy twice", "policy \"a\" { }\npolicy \"a\" { }",
     ":2: found the name \"a\" a second time (first on line 1); allowed: one block of a "
     "kind with a name"},
    {"match twice", "match \"a\" { policy = none }\nmatch \"a\" { policy = none }",
     ":2: found the name \"a\" a second time (first on line 1); allowed: one block of a "
     "kind with a name"},
    {"check twice", "policy \"a\" { check helo-self { }\ncheck helo-self { } }",
     ":2: found the name \"helo-self\" a second time (first on line 1); allowed: one block of a "
     "kind with a name"},
    {"policy none", "policy \"none\" { }",
     ":1: key \"policy\": found \"none\"; allowed: another name (none is built in: no checks)"},
    {"policy without a name", "policy \"\" { }",
     ":1: key \"policy\": found \"\"; allowed: a name of 1 to 64 bytes without control "
     "characters"},

    /* Syntax. */
    {"comma between options", "policy \"a\" { check ptr-missing { action = reject, score = 5 } }",
     ":1: key \"action\": found \",\"; allowed: white space or line breaks between options, a "
     "comma "
     "only between the values of a list"},
    {"list without commas", "own-names = {\"a.example\" \"b.example\"}",
     ":1: key \"own-names\": found \"b.example\"; allowed: a comma between the values of a list"},
    {"braces around one value", "max-ptr = 3 mode = {monitor}",
     ":1: key \"max-ptr\": found \"{\"; allowed: one value without braces, or a block's name "
     "before "
     "the brace"},
    {"no equal sign", "mode monitor", ":1: key \"mode\": found no \"=\"; allowed: mode = value"},
    {"end after the name", "max-ptr = 3\nmode",
     ":2: found the end of the file after \"mode\"; allowed: name = value"},
    {"end after the sign", "mode = \n\n",
     ":3: found the end of the file after \"mode = \"; allowed: name = value"},
    {"brace after the sign", "dns { timeout = }",
     ":1: found \"}\"; allowed: a value before the brace"},
    {"append to one value", "mode += monitor",
     ":1: key \"mode\": found \"+=\"; allowed: mode = value (only lists can be added to)"},
    {"policy without title", "policy { }",
     ":1: key \"policy\": found no name; allowed: policy \"name\" { ... }"},
    {"dns with title", "dns \"x\" { }", ":1: key \"dns\": found no \"{\"; allowed: dns { ... }"},
    {"stray sign", "= 3", ":1: found \"=\"; allowed: name = value"},
    {"open string", "mode = enforce\nhelp-url = \"https://x\nmax-ptr = 3",
     ":2: string without closing double quote; allowed: strings end on the line on which they "
     "begin "
     "(\\n stands for a line break)"},
    {"open single quote", "mode = 'enforce",
     ":1: string without closing single quote; allowed: strings end on the line on which they "
     "begin "
     "(\\n stands for a line break)"},
    {"backslashes in single quotes", "help-url = 'x\\\\' max-ptr = 0'",
     ":1: string without closing single quote; allowed: strings end on the line on which they "
     "begin "
     "(\\n stands for a line break)"},
    {"open brace", "mode = enforce\ndns {\n timeout = 2\n", ":2: \"{\" without \"}\" after it"},
    {"closing brace", "mode = enforce }", ":1: found \"}\" without \"{\" before it"},
    {"open comment", "mode = enforce\n/* x", ":2: comment without end; allowed: /* ... */"},
    {"include of nothing", "include()",
     ":1: found include; allowed: include(\"conf.d/*.conf\"), a file or a pattern"},
    {"include without parentheses", "\ninclude \"conf.d/a.conf\"",
     ":2: found include; allowed: include(\"conf.d/*.conf\"), a file or a pattern"},
    {"include in a block", "dns { include(\"x\") }",
     ":1: found include inside of a block; allowed: include() outside of blocks"},
    {"another function", "help-url = env(\"x\")",
     ":1: found \"(\"; allowed: include(\"conf.d/*.conf\") outside of blocks, and parentheses in "
     "values in double quotes"},
    {"unit behind a blank", "deadline = 8 s",
     ":1: key \"deadline\": found \"s\"; allowed: the unit right behind its number, as in 8s, "
     "500ms, 64M"},
    {"size behind a blank", "cache { size = 64 MB }",
     ":1: key \"size\": found \"MB\"; allowed: the unit right behind its number, as in 8s, 500ms, "
     "64M"},
    {"list in brackets", "own-names = [\"a.example\"]",
     ":1: found \"[\"; allowed: a list in braces, such as {\"one\", \"two\"}"},
    {"names in brackets", "own-names = [a.example, b.example]",
     ":1: found \"[\"; allowed: a list in braces, such as {\"one\", \"two\"}"},
    {"environment", "user = ${HOME}",
     ":1: found \"${\"; environment variables are not read: write the value itself, or \"\\${\" "
     "for "
     "these characters"},
    {"environment in a string", "user = \"x${HOME}\"",
     ":1: found \"${\"; environment variables are not read: write the value itself, or \"\\${\" "
     "for "
     "these characters"},
    {"number sign in a value", "match \"a\" { reason = INC#4711 policy = none }",
     ":1: found \"#\" outside of a string" QUOTES},
    {"broken UTF-8", "match \"a\" { reason = \"M\303ller\" policy = none }",
     ":1: key \"match.a.reason\": found \"M\\xc3ller\"; allowed: one line of text in UTF-8 of at "
     "most 200 characters"},
    {"bare star", "own-names = {*.example}", ":1: found \"*\" outside of a string" QUOTES},
    {"bar in a name", "dns|timeout = 3", ":1: found \"|\" outside of a string" QUOTES},
    {"bar in a quoted name", "\"dns|timeout\" = 3",
     ":1: found a name with \"|\" or \"=\" in it; allowed: the names of options as they are"},
    {"empty name", "\"\" = 3", ":1: found a name without characters, or out of memory"},
    {"octal escape", "user = \"a\\000b\"",
     ":1: found \"\\0\" in a string; allowed: \\\\ \\\" \\$ \\n \\t"},
    {"control character", "mode = en\001force",
     ":1: found the control character 0x01; allowed: text"},
    {"8-bit outside of a comment", "mode = \303\244",
     ":1: found \"\\xc3\" outside of a string" QUOTES},
    {"line after a block comment", "/* a\n b */ mode = monitor\nmax-ptr = 0",
     ":3: key \"max-ptr\": found \"0\"; allowed: a number from 1 to 100"},
    {"policy inside a policy", "policy \"a\" { policy \"b\" { } }",
     ":1: key \"policy.a.policy\": found an unknown option; it belongs outside of all blocks"},

    /* Contradictions. */
    {"zone file and servers", "dns {\n nameservers = {\"::1\"}\n zone-file = \"iprevd.conf\" }",
     ":3: key \"dns.zone-file\": found together with nameservers on line 2; allowed: one of them "
     "(embedded answers, or servers)"},
    {"scores", "policy \"default\" { tag-score = 5 reject-score = 4 }",
     ":1: key \"policy.default.tag-score\": found 5 with reject-score 4; allowed: a tag-score that "
     "is not above reject-score, or 0 for either"},
    {"score against the default", "policy \"default\" {\n reject-score = 2 }",
     ":2: key \"policy.default.tag-score\": found 3 with reject-score 2; allowed: a tag-score that "
     "is not above reject-score, or 0 for either"},
    {"recipient before rcpt",
     "stage = mail\nmatch \"a\" {\n recipient = {\"postmaster\"} policy = none }",
     ":3: key \"match.a.recipient\": found with stage = mail, where the recipient is not known "
     "yet; "
     "allowed: stage = rcpt"},
    {"sender before mail", "stage = helo\nmatch \"a\" { sender = {\"a@b.c\"} policy = none }",
     ":2: key \"match.a.sender\": found with stage = helo, where the sender is not known yet; "
     "allowed: stage = mail or rcpt"},
    {"helo before helo", "stage = connect\nmatch \"a\" { helo = {\"b.c\"} policy = none }",
     ":2: key \"match.a.helo\": found with stage = connect, where the helo is not known yet; "
     "allowed: stage = helo, mail or rcpt"},
    {"empty condition", "match \"a\" { client = {} policy = none }",
     ":1: key \"match.a.client\": found an empty list, which nothing matches; allowed: at least "
     "one "
     "value, or no such line"},
};

START_TEST(test_error)
{
    struct conf *conf = load(error_cases[_i].text);
    ck_assert_msg(conf == NULL, "%s: loaded", error_cases[_i].label);
    ck_assert_uint_eq(heard.error_count, 1);
    char want[2048];
    size_t length = 0;
    /* What is not printable is told escaped. */
    for (const char *p = error_cases[_i].want; *p != '\0'; p++)
        length +=
            (size_t)snprintf(want + length, sizeof want - length, *p == '\n' ? "\\x0a" : "%c", *p);
    ck_assert_msg(strcmp(tail(heard.errors[0]), want) == 0, "%s:\n  got  %s\n  want %s",
                  error_cases[_i].label, tail(heard.errors[0]), want);
}
END_TEST

static void write_text(const char *file, const char *text)
{
    char name[96];
    in_folder(file, name, sizeof name);
    write_bytes(name, text, strlen(text));
}

/* The one error of a configuration that includes files. */
static void check_include_error(const char *text, const char *want)
{
    ck_assert_ptr_null(load(text));
    ck_assert_uint_eq(heard.error_count, 1);
    ck_assert_msg(strstr(heard.errors[0], want) != NULL, "got  %s\nwant %s", heard.errors[0], want);
}

/* In the order of names, each once; an error names the file and its line. */
START_TEST(test_include)
{
    char name[96];
    in_folder("conf.d", name, sizeof name);
    ck_assert_int_eq(mkdir(name, 0755), 0);
    struct conf *conf = load_good("include(\"conf.d/*.conf\")\n");
    conf_unref(conf);
    write_text("conf.d/b.conf",
               "match \"b\" { client = {\"cidr:partners.cidr\"} policy = none }\n");
    write_text("conf.d/a.conf",
               "\nmode = enforce\nmatch \"a\" {\n helo = {\"x.y\"} policy = none }");
    write_text("conf.d/c.conf.bak", "nonsense");
    write_text("partners.cidr", "192.0.2.0/24 OK\n");
    conf = load_good("deadline = 9 include( 'conf.d/*.conf' ) max-ptr = 3\n"
                     "match \"c\" { client = {\"192.0.2.1\"} policy = none }\n");
    ck_assert_uint_eq(conf->deadline_s, 9);
    ck_assert_uint_eq(conf->max_ptr, 3);
    ck_assert(!conf->monitor);
    char mode[CONF_MODE_TEXT_MAX];
    ck_assert_ptr_nonnull(strstr(conf_mode_text(conf, mode), "/conf.d/a.conf:2)"));
    ck_assert_uint_eq(conf->match_count, 3);
    ck_assert_str_eq(conf->matches[0].name, "a");
    ck_assert_uint_eq(conf->matches[0].line, 3);
    ck_assert_str_eq(conf->matches[1].name, "b");
    ck_assert_str_eq(conf->matches[2].name, "c");
    ck_assert_str_eq(conf->matches[2].file, conf->path);
    ck_assert_uint_eq(conf->matches[2].line, 2);
    struct conf *again = conf_reread_tables(conf, &report);
    conf_unref(conf);
    ck_assert_str_eq(strrchr(again->matches[1].file, '/'), "/b.conf");
    conf_unref(again);
    write_text("conf.d/b.conf", "\nmode = monitor\n");
    check_include_error("\ninclude(\"conf.d/*.conf\")",
                        "/conf.d/b.conf:2: key \"mode\": found a second time (first on line 2 of ");
    write_text("conf.d/b.conf", "\n\nmax-pt = 3\n");
    check_include_error("include(\"conf.d/*.conf\")",
                        "/conf.d/b.conf:3: key \"max-pt\": found an unknown option; did you mean "
                        "\"max-ptr\"?");
    check_include_error("include(\"conf.d/a.conf\")\nmax-ptr = 0",
                        "/iprevd.conf:2: key \"max-ptr\": found \"0\"");
    write_text("conf.d/b.conf", "include(\"a.conf\")");
    check_include_error("include(\"conf.d/*.conf\")",
                        "/conf.d/b.conf:1: found include in a file that is included; allowed: "
                        "include() in the first file only");
    check_include_error("\ninclude(\"conf.d\")", "/iprevd.conf:2: include(): found \"");
    ck_assert_ptr_nonnull(strstr(heard.errors[0], "/conf.d\", a directory; allowed: a file, or a "
                                                  "pattern such as \""));
    check_include_error("include(\"conf.d/z.conf\")", "/conf.d/z.conf: No such file or directory");
    check_include_error("include(\"nodir/*.conf\")", "nodir/*.conf\"): No such file or directory");
}
END_TEST

/* Where the file lies is no pattern; a directory that a pattern may name need not be there. */
START_TEST(test_include_in_odd_places)
{
    char name[96];
    in_folder("mx[1]", name, sizeof name);
    ck_assert_int_eq(mkdir(name, 0755), 0);
    in_folder("sites", name, sizeof name);
    ck_assert_int_eq(mkdir(name, 0755), 0);
    write_text("mx[1]/iprevd.conf", "include(\"*.co[n]f\")\ninclude(\"../sites/*/a.conf\")\n");
    in_folder("mx[1]/iprevd.conf", name, sizeof name);
    memset(&heard, 0, sizeof heard);
    ck_assert_ptr_null(conf_load(name, NOW, &report)); /* it includes itself */
    ck_assert_msg(strstr(heard.errors[0], "in the first file only") != NULL, "%s", heard.errors[0]);
    write_text("mx[1]/iprevd.conf", "include(\"a.conf\")\ninclude(\"../sites/*/a.conf\")\n");
    write_text("mx[1]/a.conf", "max-ptr = 3\n");
    memset(&heard, 0, sizeof heard);
    struct conf *conf = conf_load(name, NOW, &report);
    ck_assert_msg(conf != NULL, "%s", heard.errors[0]);
    ck_assert_uint_eq(conf->max_ptr, 3);
    conf_unref(conf);
}
END_TEST

/* Every mistake in values is told at once. */
START_TEST(test_all_errors)
{
    ck_assert_ptr_null(load("mode = x\nstage = y\ndns { timeout = z }\nmax-ptr = 3\n"
                            "match \"m\" { policy = q client = {\"1\", \"2\"} }\n"));
    ck_assert_uint_eq(heard.error_count, 5);
}
END_TEST

static const struct {
    const char *label, *text, *want;
} warning_cases[] = {
    {"helo-mismatch refused", "policy \"default\" { check helo-mismatch { action = reject } }",
     ":1: policy \"default\" refuses mail for helo-mismatch alone, which RFC 5321 4.1.4 forbids; "
     "use accept or tag"},
    {"helo-mismatch refused by its score",
     "policy \"default\" { reject-score = 4 check helo-mismatch { score = 4 } }",
     ":1: policy \"default\" refuses mail for helo-mismatch alone, which RFC 5321 4.1.4 forbids; "
     "use accept or tag"},
    {"dns-temperror refused", "policy \"default\" { check dns-temperror { action = reject } }",
     ":1: policy \"default\": dns-temperror with action reject turns temporary failures of the DNS "
     "into bounces; tempfail does not"},
    {"dns-temperror refused by its score",
     "policy \"default\" { reject-score = 4 check dns-temperror { score = 4 } }",
     ":1: policy \"default\": dns-temperror with so high a score turns temporary failures of the "
     "DNS "
     "into bounces; tempfail does not"},
    {"no action before its time is no contradiction",
     "skip-authenticated = false stage = helo policy \"default\" { check sender-ptr-mismatch { "
     "action = accept } }\nlocal-networks += {\"::/0\"}",
     ":2: key \"local-networks\": every IPv6 client is local and nothing of it is judged"},
    {"expired", "\nmatch \"a\" {\n policy = none\n until = \"2026-12-31\" }",
     ":4: match \"a\" expired (until 2026-12-31) and matches nothing any more"},
    {"authenticated at helo", "stage = helo",
     ":1: key \"stage\": at helo it is not known who authenticates: skip-authenticated has no "
     "effect, and your own users are judged"},
    {"no EHLO at connect", "skip-authenticated = false stage = connect",
     ":1: key \"stage\": at connect there is no EHLO yet, so the checks helo-* are not made; "
     "Postfix "
     "and Sendmail refuse with a text of their own, without code 5.7.25 and evidence"},
    {"sender check at helo",
     "skip-authenticated = false stage = helo policy \"default\" { check sender-ptr-mismatch { "
     "action = tag } }",
     ":1: check \"sender-ptr-mismatch\" is never made with stage = helo"},
    {"all is local", "local-networks += {\"0.0.0.0/0\"}",
     ":1: key \"local-networks\": every IPv4 client is local and nothing of it is judged"},
    {"all is local, in two halves", "local-networks += {\"0.0.0.0/1\", \"128.0.0.0/1\"}",
     ":1: key \"local-networks\": every IPv4 client is local and nothing of it is judged"},
    {"refusing to relays", "relay-action = reject",
     ":1: key \"relay-action\": what reject refuses to a relay, the relay returns to senders who "
     "are often forged; tag or quarantine does not"},
    {"unused policy", "\npolicy \"x\" { }", ":2: policy \"x\" is used by no match block"},
    {"unreachable", "match \"all\" { policy = none }\nmatch \"b\" { policy = none }",
     ":1: match \"all\" has no condition: it matches everything, and the blocks after it are never "
     "reached"},
    {"no loopback", "local-networks = {\"203.0.113.0/24\"}",
     ":1: key \"local-networks\": loopback is not local any more, and mail of this machine itself "
     "is "
     "judged; local-networks += { ... } keeps the default networks"},
    {"no IPv6 loopback", "local-networks = {\"127.0.0.0/8\"}",
     ":1: key \"local-networks\": ::1 is not local any more, and mail of this machine itself is "
     "judged; local-networks += { ... } keeps the default networks"},
    {"listen without a host", "listen = \"inet:8896\"",
     ":1: key \"listen\": all addresses of this machine, and the milter protocol has no "
     "authentication; inet:PORT@localhost is not reached from elsewhere"},
    {"listen on 0", "listen = \"inet:8896@0\"",
     ":1: key \"listen\": all addresses of this machine, and the milter protocol has no "
     "authentication; inet:PORT@localhost is not reached from elsewhere"},
    {"listen on a long ::", "listen = \"inet6:8896@0:0:0:0:0:0:0:0\"",
     ":1: key \"listen\": all addresses of this machine, and the milter protocol has no "
     "authentication; inet:PORT@localhost is not reached from elsewhere"},
    {"no directory for the socket", "listen = \"unix:/nonexistent/x/milter\"",
     ":1: key \"listen\": /nonexistent/x: No such file or directory: the service does not start"},
    {"the socket is a directory", "\nlisten = \"unix:/tmp\"",
     ":2: key \"listen\": /tmp: Is a directory: the service does not start"},
    {"no directory for the pid file", "pid-file = \"/nonexistent/x.pid\"",
     ":1: key \"pid-file\": /nonexistent: No such file or directory: the service does not start"},
    {"no directory for the control socket", "control = \"/nonexistent/control\"",
     ":1: key \"control\": /nonexistent: No such file or directory: iprevctl does not reach the "
     "daemon"},
    {"the decision log is a directory", "decision-log = \"/tmp\"",
     ":1: key \"decision-log\": /tmp: Is a directory: nothing is written"},
    {"metrics on a long ::", "metrics = \"[::0]:9797\"",
     ":1: key \"metrics\": everybody who reaches this machine can read them"},
    {"metrics on a mapped 0.0.0.0", "metrics = \"[::ffff:0.0.0.0]:9797\"",
     ":1: key \"metrics\": everybody who reaches this machine can read them"},
    {"metrics for everybody", "metrics = \"0.0.0.0:9797\"",
     ":1: key \"metrics\": everybody who reaches this machine can read them"},
    {"narrow behind wide",
     "match \"net\" { client = {\"192.0.2.0/24\"} policy = none }\n"
     "match \"host\" { client = {\"192.0.2.5\"} policy = default }",
     ":2: match \"host\" is never reached: match \"net\" (line 1) decides for all clients in its "
     "networks"},
    {"equal networks, several",
     "match \"a\" { client = {\"2001:db8::/32\", \"192.0.2.0/24\"} policy = none }\n"
     "match \"b\" { helo = {\"x.y\"} client = {\"192.0.2.0/24\", \"2001:db8:1::/48\"} policy = "
     "none }",
     ":2: match \"b\" is never reached: match \"a\" (line 1) decides for all clients in its "
     "networks"},
    {"a name behind its domain",
     "match \"wide\" { ptr = {\"*.example.org\"} policy = none }\n"
     "match \"narrow\" { ptr = {\"mail.example.org\"} client = {\"192.0.2.1\"} policy = default }",
     ":2: match \"narrow\" is never reached: match \"wide\" (line 1) fits whenever it does, and is "
     "before it"},
    {"a part of a DNS list behind more of it",
     "match \"wide\" { listed = {\"l.example=127.0.0.[1..3]\", \"m.example\"} policy = none }\n"
     "match \"narrow\" { listed = {\"l.example=127.0.0.2\"} helo = {\"x.y\"} policy = default }",
     ":2: match \"narrow\" is never reached: match \"wide\" (line 1) fits whenever it does, and is "
     "before it"},
    {"a sender behind its domain, and a network in another",
     "match \"wide\" { client = {\"192.0.2.0/24\"} sender = {\"@a.example\", \"<>\"} policy = none "
     "}\nmatch \"narrow\" { client = {\"192.0.2.7\"} sender = {\"x@a.example\"} policy = default }",
     ":2: match \"narrow\" is never reached: match \"wide\" (line 1) fits whenever it does, and is "
     "before it"},
    {"one that ends before the wider one",
     "match \"wide\" { recipient = {\"postmaster\"} policy = none until = \"2099-12-31\" }\n"
     "match \"narrow\" { recipient = {\"postmaster@a.example\"} policy = default until = "
     "\"2099-12-30\" }",
     ":2: match \"narrow\" is never reached: match \"wide\" (line 1) fits whenever it does, and is "
     "before it"},
    {"everybody by address", "\nmatch \"a\" { client = {\"0.0.0.0/0\", \"::/0\"} policy = none }",
     ":2: match \"a\" has policy \"none\" for every client: nothing is checked any more; mode = "
     "monitor refuses nobody and still logs"},
    {"everybody in two halves",
     "match \"a\" { client = {\"128.0.0.0/1\", \"0.0.0.0/1\"} policy = none }",
     ":1: match \"a\" has policy \"none\" for every IPv4 client: nothing is checked any more; mode "
     "= monitor refuses nobody and still logs"},
    {"everybody by sender", "match \"a\" { sender = {\"*\"} policy = none }",
     ":1: match \"a\" has policy \"none\" for every client: nothing is checked any more; mode = "
     "monitor refuses nobody and still logs"},
    {"everybody a relay", "trusted-relays = {\"::/0\"}",
     ":1: key \"trusted-relays\": every IPv6 client is trusted: what it writes into Received "
     "fields "
     "chooses who is judged"},
    {"a group without a user", "\ngroup = \"mail\"",
     ":2: key \"group\": without user it has no effect"},
    {"a mode of no file", "socket-mode = 0600",
     ":1: key \"socket-mode\": has no effect, as listen is "
     "not a unix socket"},
    {"a group of no file", "listen = \"inet:8896@127.0.0.1\"\nsocket-group = \"mail\"",
     ":2: key \"socket-group\": has no effect, as listen is not a unix socket"},
    {"resolv.conf beside servers",
     "dns {\n nameservers = {127.0.0.1}\n resolv-conf = \"/etc/resolv.conf\" }",
     ":3: key \"dns.resolv-conf\": has no effect beside nameservers"},
    {"a recipient without a name", "match \"m\" { recipient = {\"<>\"} policy = \"none\" }",
     ":1: key \"match.m.recipient\": \"<>\" fits nobody: only a sender can be empty"},
    {"a PTR of one label", "match \"m\" {\n ptr = {\"example\"} policy = \"none\" }",
     ":2: key \"match.m.ptr\": \"example\" fits no confirmed PTR name, which has a dot; "
     "\".example\" fits names that end so, \"*example*\" names that contain it"},
    {"a word of generic names", "generic-names = {\"*cable*\", \"dsl\"}",
     ":1: key \"generic-names\": \"dsl\" fits no confirmed PTR name, which has a dot; "
     "\".dsl\" fits names that end so, \"*dsl*\" names that contain it"},
    {"no state-dir", "state-dir = \"/nonexistent/x\"",
     ":1: key \"state-dir\": /nonexistent/x: No such file or directory: neither the cache nor "
     "the memory of clients nor exemptions survive a restart"},
    {"no directory of the log", "decision-log = \"/nonexistent/x.json\"",
     ":1: key \"decision-log\": /nonexistent: No such file or directory: nothing is written"},
    {"timeout", "deadline = 2 dns { timeout = 2s }",
     ":1: key \"dns.timeout\": 2000 ms leave no time for a second try within the deadline of 2 s"},
};

START_TEST(test_warning)
{
    struct conf *conf = load(warning_cases[_i].text);
    ck_assert_msg(conf != NULL, "%s: %s", warning_cases[_i].label, heard.errors[0]);
    ck_assert_uint_eq(heard.warning_count, 1);
    ck_assert_msg(strcmp(tail(heard.warnings[0]), warning_cases[_i].want) == 0,
                  "%s:\n  got  %s\n  want %s", warning_cases[_i].label, tail(heard.warnings[0]),
                  warning_cases[_i].want);
    conf_unref(conf);
}
END_TEST

START_TEST(test_world_writable)
{
    conf_unref(load_good("mode = monitor"));
    ck_assert_uint_eq(heard.warning_count, 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    struct conf *conf = conf_load(path, NOW, &report);
    ck_assert_ptr_nonnull(conf);
    ck_assert_str_eq(tail(heard.warnings[0]), ": everybody on this machine may change this file");
    conf_unref(conf);
}
END_TEST

/* --- files that are no configurations ----------------------------------------------------------
 */

START_TEST(test_no_file)
{
    memset(&heard, 0, sizeof heard);
    ck_assert_ptr_null(conf_load("/nonexistent/iprevd.conf", NOW, &report));
    ck_assert_str_eq(heard.errors[0],
                     "/nonexistent/iprevd.conf: cannot be read: No such file or directory");
    ck_assert_ptr_null(conf_load("/", NOW, &report));
    ck_assert_str_eq(heard.errors[1], "/: not a regular file");
    ck_assert_ptr_null(conf_load("/dev/zero", NOW, &report));
    ck_assert_str_eq(heard.errors[2], "/dev/zero: not a regular file");
}
END_TEST

START_TEST(test_nul)
{
    static const char text[] = "mode = monitor\n\0stage = x";
    ck_assert_ptr_null(load_bytes(text, sizeof text - 1));
    ck_assert_str_eq(tail(heard.errors[0]), ":2: found the control character 0x00; allowed: text");
}
END_TEST

START_TEST(test_large)
{
    size_t size = 1 << 20;
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, '#', size);
    text[size] = '\0';
    ck_assert_ptr_null(load_bytes(text, size));
    ck_assert_str_eq(tail(heard.errors[0]),
                     ": larger than 1 MiB; allowed: up to 1048575 bytes (long lists belong in "
                     "table files: cidr:, pcre:, regexp:, texthash:)");
    struct conf *conf = load_bytes(text, size - 1);
    ck_assert_ptr_nonnull(conf);
    conf_unref(conf);
    free(text);
}
END_TEST

START_TEST(test_deep)
{
    char text[4096];
    memset(text, '{', sizeof text);
    ck_assert_ptr_null(load_bytes(text, sizeof text));
    ck_assert_str_eq(tail(heard.errors[0]), ":1: braces nested deeper than 16");
}
END_TEST

START_TEST(test_long_value)
{
    char text[6000] = "mode = \"";
    memset(text + strlen(text), 'x', 5000);
    strcat(text, "\"");
    ck_assert_ptr_null(load(text));
    ck_assert_uint_lt(strlen(heard.errors[0]), 400);
    ck_assert_ptr_nonnull(strstr(heard.errors[0], "xxx...\"; allowed: enforce, monitor"));
}
END_TEST

START_TEST(test_line_ends)
{
    struct conf *conf = load_good("# windows\r\nmode = monitor\r\nown-names = {\"a.example\",\r\n"
                                  "\"b.example\"}\r\n");
    ck_assert(conf->monitor);
    ck_assert_uint_eq(conf->own_name_count, 2);
    conf_unref(conf);
}
END_TEST

/* --- what values mean ------------------------------------------------------------------------ */

START_TEST(test_defaults)
{
    struct conf *conf = load_good("");
    struct ipaddr addr;
    ck_assert_uint_eq(heard.warning_count, 0);
    ck_assert_str_eq(conf->listen, "inet:8896@localhost");
    ck_assert(conf->monitor);
    ck_assert_int_eq(conf->stage, STAGE_RCPT);
    ck_assert_ptr_null(conf->authserv_id);
    ck_assert_uint_eq(conf->deadline_s, 8);
    ck_assert_uint_eq(conf->max_ptr, 10);
    ck_assert(conf->skip_authenticated);
    ck_assert_uint_eq(conf->neighbours.v4, 24);
    ck_assert_uint_eq(conf->neighbours.v6, 64);
    ck_assert_int_eq(conf->relay_action, ACTION_TAG);
    ck_assert_int_eq(conf->outage_action, ACTION_TAG);
    ck_assert_uint_eq(conf->socket_mode, 0660);
    ck_assert_uint_eq(conf->cache.size_bytes, 64U << 20);
    ck_assert_uint_eq(conf->cache.max_ttl_s, 86400);
    ck_assert_uint_eq(conf->cache.negative_max_ttl_s, 300);
    ck_assert_uint_eq(conf->cache.failure_ttl_s, 30);
    ck_assert_uint_eq(conf->cache.stale_s, 86400);
    ck_assert_uint_eq(conf->clients.size_bytes, 16U << 20);
    ck_assert_uint_eq(conf->clients.keep_s, 35 * 86400);
    ck_assert_uint_eq(conf->policies[0].grace_s, 3 * 86400);
    ck_assert_int_eq(conf->policies[0].grace_action, ACTION_TEMPFAIL);
    ck_assert_str_eq(conf->network.resolv_conf, "/etc/resolv.conf");
    ck_assert_uint_eq(conf->network.server_count, 0);
    ck_assert_uint_eq(conf->resolver.max_cname_hops, 11);
    ck_assert_ptr_null(conf->zone_file);
    ck_assert_ptr_null(conf->metrics);
    ck_assert_uint_eq(conf->policy_count, 1);
    ck_assert_uint_eq(conf->match_count, 0);
    ck_assert_ptr_eq(conf_policy(conf, "default"), &conf->policies[0]);
    ck_assert_ptr_null(conf_policy(conf, "none"));
    static const char *const local[] = {"127.0.0.1",   "10.9.8.7", "192.168.1.1", "172.31.0.1",
                                        "169.254.1.1", "::1",      "fe80::1",     "fd00::1"};
    static const char *const foreign[] = {"192.0.2.1", "172.32.0.1", "2001:db8::1", "128.0.0.1"};
    for (size_t i = 0; i < COUNT(local); i++) {
        ck_assert(ipaddr_parse(local[i], &addr) == RESULT_OK);
        ck_assert_msg(conf_is_local(conf, &addr), "%s", local[i]);
    }
    for (size_t i = 0; i < COUNT(foreign); i++) {
        ck_assert(ipaddr_parse(foreign[i], &addr) == RESULT_OK);
        ck_assert_msg(!conf_is_local(conf, &addr), "%s", foreign[i]);
    }
    conf_unref(conf);
}
END_TEST

/* What draws no warning: a part that is reached, an earlier block that is not for everybody. */
START_TEST(test_reached)
{
    static const char *const texts[] = {
        "match \"host\" { client = {\"192.0.2.5\"} policy = none }\n"
        "match \"net\" { client = {\"192.0.2.0/24\"} policy = none }",
        "match \"a\" { client = {\"192.0.2.0/24\"} policy = none }\n"
        "match \"b\" { client = {\"192.0.2.5\", \"192.0.3.5\"} policy = none }",
        "match \"a\" { client = {\"192.0.2.0/24\"} helo = {\"x.y\"} policy = none }\n"
        "match \"b\" { client = {\"192.0.2.5\"} policy = none }",
        "match \"a\" { client = {\"192.0.2.0/24\"} until = \"2028-01-01\" policy = none }\n"
        "match \"b\" { client = {\"192.0.2.5\"} policy = none }",
        "local-networks = {}",
        "listen = \"inet:8896@192.0.2.1\" metrics = \"127.0.0.1:9797\"",
        "\357\273\277mode = monitor",
        "match \"M\303\274ller\" { helo = {\"x.y\"} reason = \"f\303\274r M\303\274ller\" policy = "
        "none }",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        conf_unref(load_good(texts[i]));
        ck_assert_msg(heard.warning_count == 0, "%s: %s", texts[i], heard.warnings[0]);
    }
}
END_TEST

static struct {
    char text[2048];
    size_t count;
} noticed;

static void hear_notice(void *arg, const char *message)
{
    (void)arg;
    snprintf(noticed.text, sizeof noticed.text, "%s", message);
    noticed.count++;
}

/* What is good, and is worth a word when somebody asks. */
START_TEST(test_notices)
{
    static const struct {
        const char *text, *want;
    } notices[] = {
        {"match \"a\" { client = {\"cidr:partners.cidr\"} policy = none }",
         ":1: match \"a\": 2 lines of its tables refuse and exempt nobody under policy \"none\""},
        {"match \"a\" { client = {\"cidr:partners.cidr\"} policy = default }", NULL},
        {"match \"a\" { helo = {\"texthash:access\"} policy = none }",
         ":1: match \"a\": 1 line of its tables refuses and exempts nobody under policy \"none\""},
        {"match \"a\" { helo = {\"regexp:helo\"} policy = none }",
         ":1: match \"a\": 1 line of its tables refuses and exempts nobody under policy \"none\""},
        {"generic-names = {\"pcre:fqrdns.pcre\"}",
         ":1: key \"generic-names\": 1 line of its tables permits and means no generic name"},
        {"\nmatch \"a\" { ptr = {\".example.org\"} policy = none }",
         ":2: key \"match.a.ptr\": \".example.org\" means example.org, too, and not only what is "
         "below it as in 1.0"},
        {"match \"a\" { ptr = {\".*.example.org\"} policy = none }", NULL},
    };
    const struct conf_report listening = {hear_error, hear_warning, hear_notice, NULL};
    char name[96];
    in_folder("partners.cidr", name, sizeof name);
    write_bytes(name, "192.0.2.0/24 OK\n10.0.0.0/8 REJECT\n10.1.0.0/16 550 no\n", 53);
    in_folder("fqrdns.pcre", name, sizeof name);
    write_bytes(name, "/^mail\\./ OK\n/dsl/ REJECT\n", 26);
    in_folder("access", name, sizeof name);
    write_bytes(name, "a.example OK\nb.example REJECT\na.example REJECT\n", 47);
    in_folder("helo", name, sizeof name);
    write_bytes(name, "/^a/ OK\n/^b/ REJECT\n", 20);
    for (size_t i = 0; i < COUNT(notices); i++) {
        write_bytes(path, notices[i].text, strlen(notices[i].text));
        memset(&noticed, 0, sizeof noticed);
        struct conf *conf = conf_load(path, NOW, &listening);
        ck_assert_ptr_nonnull(conf);
        ck_assert_uint_eq(noticed.count, notices[i].want != NULL);
        if (notices[i].want != NULL)
            ck_assert_str_eq(tail(noticed.text), notices[i].want);
        conf_unref(conf);
    }
}
END_TEST

/* The mode, and where it is set. */
START_TEST(test_mode)
{
    static const struct {
        const char *text, *want;
    } modes[] = {
        {"", "monitor (mode is not set: nothing is refused)"},
        {"stage = mail\n", "monitor (mode is not set: nothing is refused)"},
        {"\nmode = enforce", "enforce"},
        {"mode = monitor", "monitor"},
    };
    static const unsigned lines[] = {0, 0, 2, 1};
    for (size_t i = 0; i < COUNT(modes); i++) {
        char want[CONF_MODE_TEXT_MAX], got[CONF_MODE_TEXT_MAX];
        struct conf *conf = load_good(modes[i].text);
        snprintf(want, sizeof want, lines[i] > 0 ? "%s (%s:%u)" : "%s", modes[i].want, path,
                 lines[i]);
        ck_assert_str_eq(conf_mode_text(conf, got), want);
        conf_unref(conf);
    }
}
END_TEST

START_TEST(test_values)
{
    struct conf *conf = load_good(
        "mode=monitor stage=mail // comment\ndeadline = \"5s\"\nsocket-mode = 0600 control = none\n"
        "own-names = {\"MX.Example.NET.\"}\nstatic-is-intent = yes\nmetrics = \"[::1]:9797\"\n"
        "trusted-relays = {192.0.2.1}\n"
        "listen = \"unix:/run/x\"\n"
        "dns { nameservers = {127.0.0.1, \"[::1]:5353\"} timeout = 1500ms trust-ad = on }\n"
        "cache { size = 2G stale = 0 max-ttl = 12h }\nmemory { size = 1M keep = 90d }\n"
        "policy \"default\" { grace = 0 grace-action = tag }\n");
    ck_assert(conf->monitor && conf->stage == STAGE_MAIL && conf->deadline_s == 5);
    ck_assert_uint_eq(conf->socket_mode, 0600);
    ck_assert_ptr_null(conf->control);
    ck_assert_str_eq(conf->own_names[0], "mx.example.net");
    ck_assert(conf->static_is_intent && conf->network.trust_ad);
    ck_assert_str_eq(conf->metrics, "[::1]:9797");
    ck_assert_uint_eq(conf->trusted_relay_count, 1);
    ck_assert_uint_eq(conf->network.server_count, 2);
    ck_assert_uint_eq(conf->network.servers[1].port, 5353);
    ck_assert_uint_eq(conf->network.timeout_ms, 1500);
    ck_assert_uint_eq(conf->cache.size_bytes, (size_t)2 << 30);
    ck_assert_uint_eq(conf->cache.stale_s, 0);
    ck_assert_uint_eq(conf->cache.max_ttl_s, 43200);
    ck_assert_uint_eq(conf->clients.size_bytes, 1U << 20);
    ck_assert_uint_eq(conf->clients.keep_s, 90 * 86400);
    ck_assert_uint_eq(conf->policies[0].grace_s, 0);
    ck_assert_int_eq(conf->policies[0].grace_action, ACTION_TAG);
    conf_unref(conf);
}
END_TEST

START_TEST(test_append)
{
    struct conf *conf = load_good("local-networks += {\"203.0.113.0/24\"}");
    ck_assert_uint_eq(conf->local_network_count, 9);
    conf_unref(conf);
    conf = load_good("local-networks = {\"203.0.113.0/24\"}\nlocal-networks += {\"192.0.2.0/24\"}");
    ck_assert_uint_eq(conf->local_network_count, 2);
    conf_unref(conf);
    conf = load_good("local-networks = {}");
    ck_assert_uint_eq(conf->local_network_count, 0);
    conf_unref(conf);
}
END_TEST

START_TEST(test_policies)
{
    struct conf *conf = load_good(
        "match \"m\" { client = {\"192.0.2.0/24\"} policy = lenient reason = \"x\" }\n"
        "policy \"lenient\" { check ptr-mismatch { action = tag percent = 50 monitor = true } }\n"
        "policy \"default\" { tag-score = 4.5 check ptr-missing { action = tempfail } }\n");
    struct policy built_in;
    policy_defaults(&built_in, "x");
    ck_assert_uint_eq(conf->policy_count, 2);
    ck_assert_str_eq(conf->policies[0].name, "default");
    const struct policy *lenient = conf_policy(conf, "lenient");
    ck_assert_ptr_eq(conf->matches[0].policy, lenient);
    ck_assert_uint_eq(conf->matches[0].line, 1);
    ck_assert_str_eq(conf->matches[0].reason, "x");
    ck_assert_int_eq(lenient->rules[CHECK_PTR_MISMATCH].action, ACTION_TAG);
    ck_assert_uint_eq(lenient->rules[CHECK_PTR_MISMATCH].percent, 50);
    ck_assert(lenient->rules[CHECK_PTR_MISMATCH].monitor);
    /* It starts from the built-in values, not from "default". */
    ck_assert_int_eq(lenient->rules[CHECK_PTR_MISSING].action,
                     built_in.rules[CHECK_PTR_MISSING].action);
    ck_assert(lenient->tag_score == built_in.tag_score);
    ck_assert(conf->policies[0].tag_score == 4.5);
    ck_assert_int_eq(conf->policies[0].rules[CHECK_PTR_MISSING].action, ACTION_TEMPFAIL);
    ck_assert(!conf->matches_sender && !conf->matches_recipient);
    conf_unref(conf);
}
END_TEST

START_TEST(test_relative_files)
{
    char name[96];
    in_folder("partners.cidr", name, sizeof name);
    write_bytes(name, "192.0.2.0/24 OK\n", 16);
    struct conf *conf =
        load_good("match \"m\" { client = {\"cidr:partners.cidr\"} policy = none }\n");
    bool unseen = false;
    ck_assert(!conf_tables_changed(conf, &unseen));
    write_bytes(name, "192.0.2.0/24 OK\n# more\n", 23);
    ck_assert(conf_tables_changed(conf, &unseen) && !unseen);
    ck_assert(unlink(name) == 0);
    ck_assert(!conf_tables_changed(conf, &unseen) && unseen);
    conf_unref(conf);
    in_folder("broken.cidr", name, sizeof name);
    write_bytes(name, "\nnonsense OK\n", 13);
    conf_unref(load_good("match \"m\" {\n client = {\"cidr:broken.cidr\"} policy = none }\n"));
    ck_assert_ptr_nonnull(strstr(heard.warnings[0],
                                 "broken.cidr:2: found \"nonsense\"; allowed: an "
                                 "address"));
    write_bytes(name, "192.0.2.1 \0OK\n", 14);
    ck_assert_ptr_null(load("match \"m\" {\n client = {\"cidr:broken.cidr\"} policy = none }\n"));
    ck_assert_ptr_nonnull(strstr(heard.errors[0], ":2: key \"match.m.client\": found "
                                                  "\"cidr:broken.cidr\": "));
    ck_assert_ptr_nonnull(strstr(heard.errors[0], "broken.cidr:1: a NUL byte"));
}
END_TEST

/* Reading tables again reads nothing else, and what else is named may be away. */
START_TEST(test_tables_again)
{
    static const char list[] = "com\nuk\nco.uk\nexample\n";
    char table[96], suffixes[96];
    in_folder("partners.cidr", table, sizeof table);
    in_folder("suffixes", suffixes, sizeof suffixes);
    write_bytes(table, "192.0.2.0/24 OK\n", 16);
    write_bytes(suffixes, list, strlen(list));
    struct conf *conf = load_good("public-suffix-list = \"suffixes\"\n"
                                  "match \"m\" { client = {\"cidr:partners.cidr\"} policy = "
                                  "none until = \"2020-01-01\" }\n");
    ck_assert_uint_eq(heard.warning_count, 1); /* the block has expired */
    write_bytes(suffixes, "Nov 1 mx postfix\n", 17);
    memset(&heard, 0, sizeof heard);
    conf_unref(load_good("public-suffix-list = \"suffixes\"\n"));
    ck_assert_uint_eq(heard.warning_count, 1);
    ck_assert_ptr_nonnull(strstr(heard.warnings[0], "has no co.uk: hardly a Public Suffix List"));
    unlink(suffixes);
    write_bytes(table, "198.51.100.0/24 OK\n# more\n", 26);
    memset(&heard, 0, sizeof heard);
    struct conf *again = conf_reread_tables(conf, &report);
    ck_assert_msg(again != NULL, "%s", heard.errors[0]);
    ck_assert_uint_eq(heard.warning_count, 0);
    ck_assert_ptr_nonnull(again->orgdomains);
    bool unseen = false;
    ck_assert(!conf_tables_changed(again, &unseen) && !unseen);
    /* Half of a file that somebody is writing. */
    write_bytes(table, "192.0.2.0/24 OK\nif 198.51.100.0/24\n198.51.100.9 OK\n", 51);
    ck_assert_ptr_null(conf_reread_tables(conf, &report));
    ck_assert_ptr_nonnull(strstr(heard.errors[0], ":2: if without endif"));
    conf_unref(conf); /* the list lives on */
    ck_assert_str_eq(orgdomain_of(again->orgdomains, "a.b.example"), "b.example");
    conf_unref(again);
}
END_TEST

START_TEST(test_until)
{
    static const struct {
        const char *text;
        int64_t want; /* 0: refused */
    } cases[] = {
        {"2027-01-31", 1801440000}, /* 2027-02-01T00:00Z */
        {"2027-01-31T00:00Z", 1801353600},
        {"2027-01-31T18:30Z", 1801420200},
        {"2028-02-29", 1835481600},
        {"2027-02-29", 0},
        {"2100-02-29", 0},
        {"2000-02-29", 951868800},
        {"1970-01-01", 86400},
        {"1970-01-01T00:00Z", 0},
        {"1969-12-31", 0},
        {"2027-13-01", 0},
        {"2027-00-01", 0},
        {"2027-01-00", 0},
        {"2027-1-1", 0},
        {"2027-01-31T24:00Z", 0},
        {"2027-01-31T18:60Z", 0},
        {"2027-01-31T18:30", 0},
        {"2027-01-31T18:30:00Z", 0},
        {"2027-01-31 ", 0},
        {"", 0},
        {"tomorrow", 0},
        {"9999-12-31", 253402300800},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t got = 0;
        bool ok = conf_parse_until(cases[i].text, &got);
        ck_assert_msg(ok == (cases[i].want != 0), "%s", cases[i].text);
        if (ok)
            ck_assert_msg(got == cases[i].want, "%s: %lld", cases[i].text, (long long)got);
    }
}
END_TEST

/* What is printed is read as the same second: each day of the calendar in some year. */
START_TEST(test_until_printed)
{
    const int64_t end_s = INT64_C(253402300800); /* the last that can be written: 9999-12-31 */
    for (int64_t day_s = end_s; day_s > 0; day_s -= 17 * 86400)
        for (int64_t want = day_s; want <= day_s + 3660 && want <= end_s; want += 3660) {
            char text[CONF_UNTIL_SIZE];
            int64_t got = 0;
            conf_format_until(want, text);
            ck_assert_msg(conf_parse_until(text, &got) && got == want, "%s: %lld", text,
                          (long long)want);
            ck_assert_msg((strlen(text) == strlen("2027-01-31")) == (want == day_s), "%s", text);
        }
}
END_TEST

static void remember_name(void *arg, const struct match *match)
{
    strcat(arg, match->name);
}

START_TEST(test_expiry)
{
    struct conf *conf =
        load_good("match a { policy = none client = {::1} until = \"2027-01-01\" }\n"
                  "match b { policy = none client = {::1} until = "
                  "\"2027-01-01T12:00Z\" }\n"
                  "match c { policy = none }\n");
    static const struct {
        int64_t from, to;
        const char *want;
    } cases[] = {
        {NOW, NOW + 43199, ""},         {NOW, NOW + 43200, "b"},  {NOW + 43199, NOW + 43200, "b"},
        {NOW + 43200, NOW + 86399, ""}, {NOW, NOW + 86400, "ab"}, {NOW + 86400, NOW + 99999, ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char names[16] = "";
        conf_each_expired(conf, cases[i].from, cases[i].to, remember_name, names);
        ck_assert_str_eq(names, cases[i].want);
    }
    conf_unref(conf);
}
END_TEST

START_TEST(test_distance)
{
    ck_assert_uint_eq(conf_distance("", "abc"), 3);
    ck_assert_uint_eq(conf_distance("abc", "abc"), 0);
    ck_assert_uint_eq(conf_distance("abc", "acb"), 1);
    ck_assert_uint_eq(conf_distance("mode", "mod"), 1);
    ck_assert_uint_eq(conf_distance("kitten", "sitting"), 3);
}
END_TEST

START_TEST(test_references)
{
    struct conf *conf = load_good("");
    ck_assert_ptr_eq(conf_ref(conf), conf);
    conf_unref(conf);
    ck_assert_uint_eq(conf->deadline_s, 8);
    conf_unref(conf);
    conf_unref(NULL);
}
END_TEST

/* --- printing -------------------------------------------------------------------------------- */

static char *print(const struct conf *conf)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    ck_assert(conf_print(conf, stream) == RESULT_OK);
    fclose(stream);
    return text;
}

static char *read_source(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char where[4096];
    snprintf(where, sizeof where, "%s/%s", srcdir == NULL ? "." : srcdir, name);
    FILE *file = fopen(where, "rb");
    ck_assert_msg(file != NULL, "%s", where);
    char *text = calloc(1, 1 << 20);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

/* What is printed loads again, and prints the same. */
static void check_round_trip(const struct conf *conf)
{
    char *first = print(conf);
    struct conf *again = load(first);
    ck_assert_msg(again != NULL, "%s\n%s", heard.errors[0], first);
    char *second = print(again);
    ck_assert_str_eq(first, second);
    ck_assert_uint_eq(conf->policy_count, again->policy_count);
    for (size_t i = 0; i < conf->policy_count; i++) {
        const struct policy *a = &conf->policies[i], *b = &again->policies[i];
        ck_assert_str_eq(a->name, b->name);
        ck_assert(a->tag_score == b->tag_score && a->reject_score == b->reject_score);
        for (size_t check = 0; check < CHECK_COUNT; check++) {
            const struct check_rule *x = &a->rules[check], *y = &b->rules[check];
            ck_assert(x->action == y->action && x->score == y->score && x->monitor == y->monitor &&
                      x->percent == y->percent);
            ck_assert((x->reply == NULL) == (y->reply == NULL));
            if (x->reply != NULL)
                ck_assert_str_eq(x->reply, y->reply);
        }
    }
    ck_assert_uint_eq(conf->match_count, again->match_count);
    for (size_t i = 0; i < conf->match_count; i++)
        ck_assert_int_eq(conf->matches[i].until_s, again->matches[i].until_s);
    ck_assert_mem_eq(&conf->cache, &again->cache, sizeof conf->cache);
    ck_assert_uint_eq(conf->clients.size_bytes, again->clients.size_bytes);
    ck_assert_uint_eq(conf->clients.keep_s, again->clients.keep_s);
    ck_assert_mem_eq(&conf->resolver, &again->resolver, sizeof conf->resolver);
    conf_unref(again);
    free(first);
    free(second);
}

static const char *const printed[] = {
    "",
    "mode = monitor stage = mail help-url = \"https://x.example/\" control = none",
    "policy \"a \\\"b\\\" \\${c} \\\\\" { tag-score = 3.3 reject-score = 12.75 check ptr-missing { "
    "reply = \"550 5.7.25 \\\"no\\\" \\\\ \\${x} %{client}\\nnext %%\" score = 0.1 } }\n"
    "match \"x\" { sender = {\"\", \"*@example.org\"} recipient = {postmaster} listener = {\"s*\"} "
    "policy = \"a \\\"b\\\" \\${c} \\\\\" until = \"2030-02-28T23:59Z\" reason = \"it's\" }",
    "memory { size = 65K keep = 3d } policy \"a\" { grace = 12h grace-action = accept }",
    "local-networks = {} cache { size = 1025K } dns { nameservers = {\"::1\"} timeout = 250ms }",
};

START_TEST(test_print)
{
    struct conf *conf = load_good(printed[_i]);
    check_round_trip(conf);
    conf_unref(conf);
}
END_TEST

/* --- sample and manual ----------------------------------------------------------------------- */

/* Is the sample's line an example: a # before anything but a space, or before an indentation? */
static bool is_example(const char *hash)
{
    return (!isspace((unsigned char)hash[1])) || strncmp(hash + 1, "    ", 4) == 0;
}

/* Take the # from all examples; files are looked for in the test's folder. */
static char *uncomment(const char *sample)
{
    char *out = malloc(strlen(sample) + 65536), *to = out;
    char here[4096];
    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    bool line_start = true;
    for (const char *p = sample; *p != '\0'; p++) {
        if (line_start && *p == '#' && is_example(p)) {
            line_start = false;
            continue;
        }
        if (strncmp(p, "/etc/postfix/", 13) == 0) {
            to += sprintf(to, "%s/%s/", here, folder);
            p += 12;
            continue;
        }
        line_start = *p == '\n' || (line_start && *p == ' ');
        *to++ = *p;
    }
    *to = '\0';
    return out;
}

static void make_tables(void)
{
    char name[96];
    in_folder("partners.cidr", name, sizeof name);
    write_bytes(name, "192.0.2.0/24 OK\n", 16);
    in_folder("fqrdns.pcre", name, sizeof name);
    write_bytes(name, "/^dsl/ REJECT\n", 14);
    in_folder("isp.regexp", name, sizeof name);
    write_bytes(name, "/^isp/ OK\n", 10);
}

START_TEST(test_sample)
{
    char *sample = read_source("conf/iprevd.conf");
    struct conf *conf = load_good(sample);
    ck_assert_uint_eq(heard.warning_count, 0);
    ck_assert(conf->monitor);
    /* As it ships it says that, what doc/policy.md argues for, and nothing else. */
    char *ours = print(conf);
    struct conf *plain = load_good("mode = monitor\npolicy \"default\" {\n"
                                   "check helo-disagrees { action = accept }\n"
                                   "check helo-literal-mismatch { action = accept score = 1 }\n}");
    char *theirs = print(plain);
    ck_assert_str_eq(ours, theirs);
    free(ours);
    free(theirs);
    conf_unref(plain);
    conf_unref(conf);
    free(sample);
}
END_TEST

START_TEST(test_sample_examples)
{
    char *sample = read_source("conf/iprevd.conf");
    char *examples = uncomment(sample);
    make_tables();
    /* What this machine may not have, and what goes with that or with something else than an
     * example. */
    static const char *const keys[] = {
        "public-suffix-list =", "state-dir =",   "decision-log =", "listen =",
        "socket-group =",       "socket-mode =", "resolv-conf ="};
    for (size_t i = 0; i < COUNT(keys); i++) {
        char *line = strstr(examples, keys[i]);
        ck_assert_ptr_nonnull(line);
        memset(line, ' ', strcspn(line, "\n"));
    }
    struct conf *conf = load(examples);
    ck_assert_msg(conf != NULL, "%s", heard.errors[0]);
    ck_assert_uint_eq(heard.warning_count, 0);
    ck_assert_uint_eq(conf->match_count, 6);
    ck_assert_uint_eq(conf->policy_count, 3);
    check_round_trip(conf);
    conf_unref(conf);
    free(examples);
    free(sample);
}
END_TEST

/* Does the sample set the option in an example, or name it in one that is prose? */
static bool sample_has(const char *sample, const char *name)
{
    size_t length = strlen(name);
    for (const char *p = sample; (p = strstr(p, name)) != NULL; p += length) {
        const char *before = p;
        while (before > sample && before[-1] == ' ')
            before--;
        bool starts = before == sample || strchr("#\n:", before[-1]) != NULL;
        const char *after = p + length + strspn(p + length, " ");
        if (starts && (after[0] == '=' || (after[0] == '+' && after[1] == '=')))
            return true;
    }
    return false;
}

static void check_sample_schema(const char *sample, const struct conf_schema *schema)
{
    for (size_t i = 0; i < schema->option_count; i++)
        ck_assert_msg(sample_has(sample, schema->options[i].name),
                      "conf/iprevd.conf does not show \"%s\" of \"%s\"", schema->options[i].name,
                      schema->name);
    for (size_t i = 0; i < schema->block_count; i++)
        check_sample_schema(sample, schema->blocks[i]);
}

/* Where the sample begins to show the schema's options. */
static const char *sample_of(const char *sample, const struct conf_schema *schema)
{
    char head[64];
    snprintf(head, sizeof head, "\n%s {\n", schema->name);
    const char *found = strstr(sample, head);
    if (found == NULL) { /* a block that is an example as a whole */
        head[0] = '#';
        found = strstr(sample, head);
    }
    return found != NULL ? found : sample;
}

/* "# Default: X" before an example of the option says what the program has. */
static void check_sample_defaults(const char *sample, const struct conf_schema *schema)
{
    for (size_t i = 0; i < schema->option_count; i++) {
        const struct conf_option *option = &schema->options[i];
        char shown[512];
        const char *p = sample_of(sample, schema);
        do {
            p = strstr(p + 1, option->name);
            ck_assert_ptr_nonnull(p);
        } while (!sample_has(p - 1, option->name) || strchr("# :\n", p[-1]) == NULL ||
                 p[strlen(option->name)] != ' ' ||
                 strchr("=+", p[strlen(option->name) + 1]) == NULL);
        /* The last "Default:" before it. */
        const char *found = NULL;
        for (const char *q = sample; q < p; q++)
            if (strncmp(q, "# Default: ", 11) == 0)
                found = q + 11;
        ck_assert_msg(found != NULL, "no default shown for %s", option->name);
        snprintf(shown, sizeof shown, "%.*s", (int)strcspn(found, "\n("), found);
        while (shown[0] != '\0' && shown[strlen(shown) - 1] == ' ')
            shown[strlen(shown) - 1] = '\0';
        const char *want =
            option->fallback == NULL || option->fallback[0] == '\0' ? "none" : option->fallback;
        /* Where things live depends on how it was built. */
        if (option->text == TEXT_PATH && want[0] == '/')
            ck_assert_str_eq(strrchr(shown, '/'), strrchr(want, '/'));
        else
            ck_assert_msg(strcmp(shown, want) == 0, "%s: the sample says %s, the program %s",
                          option->name, shown, want);
    }
}

START_TEST(test_sample_is_complete)
{
    char *sample = read_source("conf/iprevd.conf");
    check_sample_schema(sample, &conf_schema_file);
    check_sample_defaults(sample, &conf_schema_file);
    check_sample_defaults(sample, &conf_schema_dns);
    check_sample_defaults(sample, &conf_schema_cache);
    check_sample_defaults(sample, &conf_schema_memory);
    check_sample_defaults(sample, &conf_schema_farm);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        char row[400];
        snprintf(row, sizeof row, "# %-22s  %-8s  %-5g  %s\n", checks[i].name,
                 action_text(checks[i].default_action), checks[i].default_score, checks[i].when);
        ck_assert_msg(strstr(sample, row) != NULL, "the sample lacks the row\n%s", row);
    }
    free(sample);
}
END_TEST

/* ".It Cm name" under ".Ss Block x": options of that block.  Returns how many there are. */
static size_t manual_section(const char *manual, const char *heading, char names[64][64])
{
    const char *p = strstr(manual, heading);
    size_t count = 0;
    ck_assert_msg(p != NULL, "iprevd.conf.5 has no \"%s\"", heading);
    p += strlen(heading);
    const char *end = strstr(p, "\n.Ss "), *other = strstr(p, "\n.Sh ");
    if (end == NULL || (other != NULL && other < end))
        end = other;
    for (; (p = strstr(p, "\n.It Cm ")) != NULL && (end == NULL || p < end); p++) {
        ck_assert_uint_lt(count, 64);
        snprintf(names[count++], 64, "%.*s", (int)strcspn(p + 8, " \n"), p + 8);
    }
    return count;
}

static void check_manual_section(const char *manual, const char *heading,
                                 const struct conf_schema *schema)
{
    char names[64][64];
    size_t count = manual_section(manual, heading, names);
    for (size_t i = 0; i < schema->option_count; i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++)
            found = found || strcmp(names[j], schema->options[i].name) == 0;
        ck_assert_msg(found, "iprevd.conf.5 lacks \"%s\" under %s", schema->options[i].name,
                      heading);
    }
    ck_assert_msg(count == schema->option_count,
                  "iprevd.conf.5 has %zu options under %s, the program %zu", count, heading,
                  schema->option_count);
}

START_TEST(test_manual_is_complete)
{
    char *manual = read_source("doc/iprevd.conf.5");
    check_manual_section(manual, ".Ss The file", &conf_schema_file);
    check_manual_section(manual, ".Ss Block dns", &conf_schema_dns);
    check_manual_section(manual, ".Ss Block cache", &conf_schema_cache);
    check_manual_section(manual, ".Ss Block memory", &conf_schema_memory);
    check_manual_section(manual, ".Ss Block farm", &conf_schema_farm);
    check_manual_section(manual, ".Ss Block policy", &conf_schema_policy);
    check_manual_section(manual, ".Ss Block check", &conf_schema_check);
    check_manual_section(manual, ".Ss Block match", &conf_schema_match);
    for (size_t i = 0; i < CHECK_COUNT; i++) {
        char row[300];
        snprintf(row, sizeof row, ".It Sy %s Ta %s Ta %g\n", checks[i].name,
                 action_text(checks[i].default_action), checks[i].default_score);
        ck_assert_msg(strstr(manual, row) != NULL, "iprevd.conf.5 lacks\n%s", row);
    }
    free(manual);
}
END_TEST

/* Which options need a restart, in the manual's words: those, and no others. */
START_TEST(test_manual_names_what_needs_a_restart)
{
    char *manual = read_source("doc/iprevd.conf.5"), names[512], *saved = NULL;
    char *begin = strstr(manual, "A change of\n.Cm "),
         *end = strstr(manual, "takes effect with a restart");
    struct textbuf buf;
    size_t found = 0, wanted = 0;
    ck_assert(begin != NULL && end > begin);
    *end = '\0';
    textbuf_init(&buf, names, sizeof names);
    conf_restart_put_names(&buf);
    for (size_t i = 0; i < conf_schema_file.option_count; i++)
        wanted += conf_schema_file.options[i].at_start;
    for (char *word = strtok_r(begin + strlen("A change of"), " ,\n", &saved); word != NULL;
         word = strtok_r(NULL, " ,\n", &saved)) {
        bool markup = strcmp(word, ".Cm") == 0 || strcmp(word, "or") == 0;
        ck_assert_msg(markup || strstr(names, word) != NULL, "%s does not need a restart", word);
        found += !markup;
    }
    ck_assert_uint_eq(found, wanted);
    free(manual);
}
END_TEST

struct restart_names {
    char text[512];
};

static void keep_restart(void *arg, const char *name, const char *was, const char *is)
{
    struct restart_names *names = arg;
    size_t used = strlen(names->text);
    snprintf(names->text + used, sizeof names->text - used, "%s \"%s\" \"%s\"; ", name, was, is);
}

START_TEST(test_restart)
{
    struct restart_names names = {""};
    struct conf_restart_values started;
    struct conf *old = load_good("metrics = \"127.0.0.1:9000\"\n");
    struct conf *fresh = load_good("socket-mode = 0600\ndeadline = 5\ncontrol = none\n");
    conf_restart_keep(old, &started);
    conf_restart_each(&started, fresh, keep_restart, &names);
    ck_assert_str_eq(names.text, "control \"" RUNSTATEDIR
                                 "/iprevd/control\" \"\"; metrics \"127.0.0.1:9000\" \"\"; "
                                 "socket-mode \"0660\" \"0600\"; ");
    names.text[0] = '\0';
    conf_restart_each(&started, old, keep_restart, &names);
    ck_assert_str_eq(names.text, "");
    conf_unref(old);
    conf_unref(fresh);
}
END_TEST

#define LOOP(tcase, test, cases) tcase_add_loop_test(tcase, test, 0, (int)COUNT(cases))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conf");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    LOOP(tcase, test_error, error_cases);
    tcase_add_test(tcase, test_all_errors);
    tcase_add_test(tcase, test_include);
    tcase_add_test(tcase, test_include_in_odd_places);
    LOOP(tcase, test_warning, warning_cases);
    tcase_add_test(tcase, test_world_writable);
    tcase_add_test(tcase, test_no_file);
    tcase_add_test(tcase, test_nul);
    tcase_add_test(tcase, test_large);
    tcase_add_test(tcase, test_deep);
    tcase_add_test(tcase, test_long_value);
    tcase_add_test(tcase, test_line_ends);
    tcase_add_test(tcase, test_defaults);
    tcase_add_test(tcase, test_mode);
    tcase_add_test(tcase, test_reached);
    tcase_add_test(tcase, test_notices);
    tcase_add_test(tcase, test_values);
    tcase_add_test(tcase, test_append);
    tcase_add_test(tcase, test_policies);
    tcase_add_test(tcase, test_relative_files);
    tcase_add_test(tcase, test_tables_again);
    tcase_add_test(tcase, test_until);
    tcase_add_test(tcase, test_until_printed);
    tcase_add_test(tcase, test_expiry);
    tcase_add_test(tcase, test_distance);
    tcase_add_test(tcase, test_references);
    LOOP(tcase, test_print, printed);
    tcase_add_test(tcase, test_sample);
    tcase_add_test(tcase, test_sample_examples);
    tcase_add_test(tcase, test_sample_is_complete);
    tcase_add_test(tcase, test_manual_is_complete);
    tcase_add_test(tcase, test_manual_names_what_needs_a_restart);
    tcase_add_test(tcase, test_restart);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
