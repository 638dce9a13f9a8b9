/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/find_conditions.h"

#include <fnmatch.h>

bool find_conditions_parse(const struct find_texts *texts, struct find_conditions *out,
                           const char **wrong)
{
    *out = (struct find_conditions){.texts = texts, .check = CHECK_COUNT};
    *wrong = NULL;
    if (texts->client == NULL && texts->sender == NULL && texts->recipient == NULL &&
        texts->helo == NULL && texts->ptr == NULL && texts->queue_id == NULL &&
        texts->check == NULL)
        return false;
    if (texts->client != NULL && ipnet_parse(texts->client, &out->client) != RESULT_OK)
        *wrong = "--client: an address or a network is wanted";
    else if (texts->check != NULL && !check_by_name(texts->check, &out->check))
        *wrong = "--check: there is no such check";
    return *wrong == NULL;
}

/* Is `name` the domain, or below it? */
static bool is_within(const char *name, const char *domain)
{
    size_t length = strlen(name), tail = strlen(domain);
    if (length < tail || strcasecmp(name + length - tail, domain) != 0)
        return false;
    return length == tail || name[length - tail - 1] == '.';
}

static bool fits_name(const char *pattern, const char *name)
{
    if (strpbrk(pattern, "*?") != NULL)
        return fnmatch(pattern, name, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
    if (pattern[0] == '.')
        return is_within(name, pattern + 1);
    return strcasecmp(pattern, name) == 0;
}

/* One of the names in a list with commas between. */
static bool fits_any(const char *pattern, const char *list)
{
    char name[HOSTNAME_MAX + 1];
    while (*list != '\0') {
        size_t length = strcspn(list, ",");
        maillog_copy(name, sizeof name, list, length);
        if (fits_name(pattern, name))
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

/* "<a@b>" and a@b are one; "@b" and b are the domain and all below. */
static bool fits_address(const char *pattern, const char *address)
{
    char bare[REPLAY_ADDRESS_MAX + 1];
    size_t length = strlen(pattern);
    bool brackets = length >= 2 && pattern[0] == '<' && pattern[length - 1] == '>';
    maillog_copy(bare, sizeof bare, pattern + brackets, length - (brackets ? 2U : 0U));
    const char *at = strrchr(bare, '@'), *domain = strrchr(address, '@');
    if (bare[0] == '\0' || (at != NULL && at > bare))
        return strcasecmp(bare, address) == 0;
    return domain != NULL && is_within(domain + 1, bare + (at != NULL ? 1 : 0));
}

bool find_conditions_fit(const struct find_conditions *conditions, const struct report_entry *entry)
{
    const struct find_texts *texts = conditions->texts;
    return (texts->client == NULL || ipnet_contains(&conditions->client, &entry->client)) &&
           (texts->check == NULL || (entry->checks & CHECK_BIT(conditions->check)) != 0) &&
           (texts->sender == NULL || fits_address(texts->sender, entry->sender)) &&
           (texts->recipient == NULL || fits_address(texts->recipient, entry->recipient)) &&
           (texts->helo == NULL || fits_name(texts->helo, entry->helo)) &&
           (texts->ptr == NULL || fits_any(texts->ptr, entry->ptr_names)) &&
           (texts->queue_id == NULL || strcmp(texts->queue_id, entry->queue_id) == 0);
}
