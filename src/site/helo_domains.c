/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/helo_domains.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "site/client_table.h"

#include <stdlib.h>
#include <string.h>

/* Entries of a bucket. */
#define WAYS 4

struct helo_entry {
    uint64_t hash; /* of the address; 0: the place is free */
    uint32_t since_s;
    uint32_t more : 1;                  /* there were more than there is room for */
    uint32_t last : 31;                 /* hash of the name that was said last */
    uint32_t domains[HELO_DOMAINS_MAX]; /* hashes; 0: none */
};

struct helo_domains {
    struct client_table table; /* of struct helo_entry */
};

struct helo_domains *helo_domains_new(size_t size_bytes, const uint8_t key[SIPHASH_KEY_LENGTH])
{
    size_t size = size_bytes > HELO_DOMAINS_SIZE_MIN ? size_bytes : HELO_DOMAINS_SIZE_MIN;
    struct helo_domains *domains = calloc(1, sizeof *domains);
    if (domains == NULL)
        return NULL;
    if (!client_table_begin(&domains->table, size, WAYS * sizeof(struct helo_entry), key)) {
        free(domains);
        return NULL;
    }
    return domains;
}

void helo_domains_free(struct helo_domains *domains)
{
    if (domains == NULL)
        return;
    client_table_end(&domains->table);
    free(domains);
}

/* An entry that began after `now` is of a clock that was set back since. */
static bool is_over(const struct helo_entry *entry, uint32_t now)
{
    return entry->hash == 0 || now < entry->since_s || now - entry->since_s >= CALENDAR_DAY_S;
}

/* Its entry, if it has one that is not over; else NULL. */
static struct helo_entry *find(const struct helo_domains *domains, uint64_t hash, uint32_t now)
{
    struct helo_entry *bucket = client_table_bucket(&domains->table, hash);
    for (size_t i = 0; i < WAYS; i++)
        if (bucket[i].hash == hash && !is_over(&bucket[i], now))
            return &bucket[i];
    return NULL;
}

/* Its entry, or a new one in the place of one that is over, or of the oldest. */
static struct helo_entry *entry_of(struct helo_domains *domains, uint64_t hash, uint32_t now)
{
    struct helo_entry *known = find(domains, hash, now);
    if (known != NULL)
        return known;
    struct helo_entry *bucket = client_table_bucket(&domains->table, hash);
    struct helo_entry *oldest = &bucket[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (bucket[i].hash == hash || (!is_over(oldest, now) && is_over(&bucket[i], now)) ||
            (is_over(oldest, now) == is_over(&bucket[i], now) &&
             bucket[i].since_s < oldest->since_s))
            oldest = &bucket[i];
        if (bucket[i].hash == hash)
            break;
    }
    *oldest = (struct helo_entry){.hash = hash, .since_s = now};
    return oldest;
}

/* How many domains there are with this one.  0: none is added. */
static unsigned note(struct helo_entry *entry, uint32_t domain)
{
    unsigned count = 0;
    while (count < HELO_DOMAINS_MAX && entry->domains[count] != 0) {
        if (entry->domains[count] == domain)
            domain = 0; /* known */
        count++;
    }
    if (domain != 0 && count < HELO_DOMAINS_MAX)
        entry->domains[count++] = domain;
    else if (domain != 0)
        entry->more = 1;
    return count + entry->more;
}

static uint32_t hash_of(const struct helo_domains *domains, const char *name)
{
    return (uint32_t)(siphash(domains->table.key, (const uint8_t *)name, strlen(name)) >> 32) | 1;
}

unsigned helo_domains_note(struct helo_domains *domains, const struct orgdomain *list,
                           const struct ipaddr *client, const char *name, int64_t wall_s)
{
    if (domains == NULL || client->family == IP_NONE)
        return 0;
    uint32_t now = clock_kept_s(wall_s), of_name = hash_of(domains, name) >> 1;
    uint64_t hash =
        client_table_hash(&domains->table, client, client->family == IP_V6 ? 64 : 32) | 1;
    pthread_mutex_lock(&domains->table.lock);
    struct helo_entry *entry = find(domains, hash, now);
    unsigned count = entry != NULL && entry->last == of_name ? note(entry, 0) : 0;
    pthread_mutex_unlock(&domains->table.lock);
    const char *domain = count == 0 ? orgdomain_of(list, name) : NULL;
    if (domain == NULL || domain[0] == '\0')
        return count;
    uint32_t of_domain = hash_of(domains, domain);
    pthread_mutex_lock(&domains->table.lock);
    entry = entry_of(domains, hash, now);
    count = note(entry, of_domain);
    entry->last = of_name & INT32_MAX;
    pthread_mutex_unlock(&domains->table.lock);
    return count;
}
