/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/cidr_table.h"

#include "site/tables/table_rules.h"

#include <stdlib.h>
#include <string.h>

#define NONE     UINT32_MAX
#define V4_BITS  32
#define V6_BITS  128
#define LENGTHS  (V4_BITS + 1 + V6_BITS + 1)
#define FIRST_V6 (V4_BITS + 1)

/* A network under a condition: a line, or an if. */
struct cidr_rule {
    struct ipnet net;
    bool negated;
    uint32_t guard; /* the innermost if around it, or TABLE_UNGUARDED */
};

struct cidr_entry {
    struct cidr_rule rule;
    uint32_t next; /* the next line for the same network, or NONE; ascending */
    const char *value;
};

struct cidr_table {
    struct cidr_entry *entries;
    size_t count, room;
    struct cidr_rule *guards; /* the ifs */
    size_t guard_count, guard_room;
    uint32_t *negated; /* entries with '!': they match nearly everything, so they are scanned */
    size_t negated_count;
    uint32_t *slots; /* open addressing: the first entry for a network, or NONE */
    size_t slot_mask;
    uint8_t lengths[LENGTHS]; /* prefix lengths that occur, as indices into this numbering */
    size_t length_count;
};

/* --- reading --------------------------------------------------------------------------------- */

/* Strip the brackets of "[addr]/len", "[addr/len]" and "[addr]" in place. */
static bool strip_brackets(char **pattern)
{
    char *text = *pattern;
    if (*text != '[')
        return true;
    char *close = strchr(text, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != '/'))
        return false;
    memmove(close, close + 1, strlen(close + 1) + 1);
    *pattern = text + 1;
    return true;
}

static enum result parse_rule(char *pattern, unsigned line, struct cidr_rule *out,
                              struct table_error *error)
{
    const char *whole = pattern;
    out->negated = false;
    for (; *pattern == '!'; pattern++)
        out->negated = !out->negated;
    if (!strip_brackets(&pattern) || ipnet_parse(pattern, &out->net) != RESULT_OK) {
        table_error(error, line,
                    "found \"%.80s\"; allowed: an address or a network such as 192.0.2.0/24 or "
                    "2001:db8::/32 without bits set after the prefix, with '!' in front to negate",
                    whole);
        return RESULT_INVALID;
    }
    return RESULT_OK;
}

static enum result open_guard(void *of, char *pattern, unsigned line, uint32_t *guard,
                              struct table_error *error)
{
    struct cidr_table *table = of;
    struct cidr_rule rule = {.guard = *guard};
    if (pattern[strcspn(pattern, " \t\n\v\f\r")] != '\0') { /* as Postfix does */
        table_warning(
            error, line,
            "\"%.80s\" behind if is no network: the if is passed over, and what is inside "
            "of it holds for all",
            pattern);
        return RESULT_OK;
    }
    enum result status = parse_rule(pattern, line, &rule, error);
    if (status != RESULT_OK)
        return status;
    struct cidr_rule *guards =
        table_rules_grown(table->guards, &table->guard_room, table->guard_count, sizeof *guards);
    if (guards == NULL)
        return RESULT_NOMEM;
    table->guards = guards;
    guards[table->guard_count] = rule;
    *guard = (uint32_t)table->guard_count++;
    return RESULT_OK;
}

static enum result add_entry(void *of, char *text, unsigned line, uint32_t guard,
                             struct table_error *error)
{
    struct cidr_table *table = of;
    size_t length = strcspn(text, " \t\n\v\f\r");
    char *value = text + length;
    if (*value != '\0')
        *value++ = '\0';
    while (table_lines_space(*value))
        value++;
    struct cidr_entry entry = {.rule.guard = guard, .next = NONE, .value = value};
    enum result status = parse_rule(text, line, &entry.rule, error);
    if (status != RESULT_OK)
        return status;
    if (*value == '\0') { /* as Postfix does */
        table_warning(error, line, "\"%.80s\" has no result and is passed over", text);
        return RESULT_OK;
    }
    struct cidr_entry *entries =
        table_rules_grown(table->entries, &table->room, table->count, sizeof *entries);
    if (entries == NULL)
        return RESULT_NOMEM;
    table->entries = entries;
    entries[table->count++] = entry;
    table->negated_count += entry.rule.negated;
    return RESULT_OK;
}

static const struct table_rules lines_become = {.open = open_guard, .add = add_entry};

/* --- index ----------------------------------------------------------------------------------- */

static size_t length_index(const struct ipnet *net)
{
    return net->addr.family == IP_V4 ? net->bits : (size_t)FIRST_V6 + net->bits;
}

static bool same_net(const struct ipnet *a, const struct ipnet *b)
{
    return a->bits == b->bits && ipaddr_equal(&a->addr, &b->addr);
}

/* The slot of a network: its own, or the free one where it belongs. */
static uint32_t *slot_of(const struct cidr_table *table, const struct ipnet *net)
{
    size_t at = ipnet_hash(net) & table->slot_mask;
    while (table->slots[at] != NONE && !same_net(&table->entries[table->slots[at]].rule.net, net))
        at = (at + 1) & table->slot_mask;
    return &table->slots[at];
}

static enum result build_index(struct cidr_table *table)
{
    size_t slots = 16;
    while (slots < table->count * 2)
        slots *= 2;
    table->slots = malloc(slots * sizeof *table->slots);
    table->negated = calloc(table->negated_count + 1, sizeof *table->negated);
    if (table->slots == NULL || table->negated == NULL)
        return RESULT_NOMEM;
    table->slot_mask = slots - 1;
    memset(table->slots, 0xff, slots * sizeof *table->slots);
    bool seen[LENGTHS] = {false};
    size_t negated = table->negated_count;
    /* From the last to the first, so that every chain is in the order of the file. */
    for (size_t i = table->count; i-- > 0;) {
        struct cidr_entry *entry = &table->entries[i];
        if (entry->rule.negated) {
            table->negated[--negated] = (uint32_t)i;
            continue;
        }
        uint32_t *slot = slot_of(table, &entry->rule.net);
        entry->next = *slot;
        *slot = (uint32_t)i;
        seen[length_index(&entry->rule.net)] = true;
    }
    for (size_t i = 0; i < LENGTHS; i++)
        if (seen[i])
            table->lengths[table->length_count++] = (uint8_t)i;
    return RESULT_OK;
}

enum result cidr_table_new(struct table_text *text, struct cidr_table **out,
                           struct table_error *error)
{
    struct cidr_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return RESULT_NOMEM;
    enum result status = table_rules_read(&lines_become, table, text, error);
    if (status == RESULT_OK)
        status = build_index(table);
    if (status != RESULT_OK) {
        cidr_table_free(table);
        return status;
    }
    *out = table;
    return RESULT_OK;
}

void cidr_table_free(struct cidr_table *table)
{
    if (table == NULL)
        return;
    free(table->entries);
    free(table->guards);
    free(table->negated);
    free(table->slots);
    free(table);
}

/* --- lookup ---------------------------------------------------------------------------------- */

/* As in Postfix, a rule of one family says nothing about addresses of the other, negated or not. */
static bool rule_holds(const struct cidr_rule *rule, const struct ipaddr *addr)
{
    return rule->net.addr.family == addr->family &&
           ipnet_contains(&rule->net, addr) != rule->negated;
}

static bool guards_hold(const struct cidr_table *table, uint32_t guard, const struct ipaddr *addr)
{
    for (; guard != TABLE_UNGUARDED; guard = table->guards[guard].guard)
        if (!rule_holds(&table->guards[guard], addr))
            return false;
    return true;
}

/* The first line for exactly this network whose ifs hold. */
static uint32_t find_net(const struct cidr_table *table, const struct ipnet *net,
                         const struct ipaddr *addr)
{
    uint32_t at = *slot_of(table, net);
    while (at != NONE && !guards_hold(table, table->entries[at].rule.guard, addr))
        at = table->entries[at].next;
    return at;
}

const char *cidr_table_find(const struct cidr_table *table, const struct ipaddr *addr)
{
    if (addr->family == IP_NONE)
        return NULL;
    uint32_t best = NONE;
    for (size_t i = 0; i < table->length_count; i++) {
        unsigned length = table->lengths[i];
        if ((addr->family == IP_V4) != (length < FIRST_V6))
            continue;
        struct ipnet net = ipnet_around(addr, addr->family == IP_V4 ? length : length - FIRST_V6);
        uint32_t found = find_net(table, &net, addr);
        if (found < best)
            best = found;
    }
    for (size_t i = 0; i < table->negated_count && table->negated[i] < best; i++) {
        const struct cidr_rule *rule = &table->entries[table->negated[i]].rule;
        if (rule_holds(rule, addr) && guards_hold(table, rule->guard, addr))
            best = table->negated[i];
    }
    return best == NONE ? NULL : table->entries[best].value;
}

const char *cidr_table_value(const struct cidr_table *table, size_t i)
{
    return i < table->count ? table->entries[i].value : NULL;
}
