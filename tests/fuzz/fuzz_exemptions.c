/* SPDX-License-Identifier: BSD-2-Clause */
/* Whatever stands where the exemptions' file should be: what was loaded is sound, works, and saves
 * and loads again. */
#include "fuzz.h"

#include "site/exemptions.h"

#include <string.h>

#define WALL_S INT64_C(1790000000)

enum place { WHOLE, DAMAGED, NETWORKS, DOMAINS, KEPT, EXEMPT };

FUZZ_PLACES([WHOLE] = "whole", [DAMAGED] = "damaged", [NETWORKS] = "network", [DOMAINS] = "domain",
            [KEPT] = "kept-in-spite-of-damage", [EXEMPT] = "exempt");

/* Is a client that the exemption speaks of exempt? */
static void check_found(struct exemptions *exemptions, const struct exemption *exemption)
{
    char reason[EXEMPTION_REASON_MAX] = "";
    struct facts facts = {.client = {.family = IP_V4, .bytes = {192, 0, 2, 200}},
                          .ptr = {.outcome = DNS_FOUND}};
    struct name_facts name = {.name = exemption->subject + 1,
                              .forward = {.outcome = DNS_FOUND},
                              .addresses = &facts.client,
                              .address_count = 1,
                              .confirmed = true};
    struct ipnet net;
    if (exemption->subject[0] == '.') {
        facts.names = &name;
        facts.name_count = 1;
        fuzz_reach(DOMAINS);
    } else {
        CHECK(ipnet_parse(exemption->subject, &net) == RESULT_OK);
        facts.client = net.addr;
        fuzz_reach(NETWORKS);
    }
    CHECK(exemptions_find(exemptions, &facts, WALL_S, reason, sizeof reason));
    CHECK(reason[0] != '\0');
    CHECK(!exemptions_find(exemptions, &facts, INT64_MAX, reason, sizeof reason));
    fuzz_reach(EXEMPT);
}

#define LIST_MAX 16

struct list {
    size_t count;
    struct exemption items[LIST_MAX];
};

static void take(void *arg, const struct exemption *exemption)
{
    struct list *list = arg;
    char again[EXEMPTION_SUBJECT_MAX];
    CHECK(exemption_subject(exemption->subject, again) == RESULT_OK);
    CHECK(strcmp(again, exemption->subject) == 0); /* canonical */
    char reason[EXEMPTION_REASON_MAX];
    CHECK(strnlen(exemption->reason, EXEMPTION_REASON_MAX) < EXEMPTION_REASON_MAX);
    CHECK(exemption_reason(exemption->reason, reason) == RESULT_OK);
    CHECK(strcmp(reason, exemption->reason) == 0);
    CHECK(exemption->until_s > WALL_S);
    if (list->count < LIST_MAX)
        list->items[list->count] = *exemption;
    list->count++;
}

static void check_again(struct exemptions *exemptions, const struct list *list)
{
    char path[128];
    unsigned line;
    static struct list again;
    struct exemptions *other = exemptions_new();
    CHECK(other != NULL);
    (void)snprintf(path, sizeof path, "%s/exemptions", fuzz_directory());
    CHECK(exemptions_save(exemptions, path) == RESULT_OK);
    CHECK(exemptions_load(other, path, WALL_S, &line) == RESULT_OK);
    again.count = 0;
    exemptions_each(other, take, &again);
    CHECK(again.count == list->count);
    for (size_t i = 0; i < list->count && i < LIST_MAX; i++) {
        CHECK(strcmp(again.items[i].subject, list->items[i].subject) == 0);
        CHECK(strcmp(again.items[i].reason, list->items[i].reason) == 0);
        CHECK(again.items[i].made_s == list->items[i].made_s);
        CHECK(again.items[i].until_s == list->items[i].until_s);
    }
    exemptions_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct list list;
    struct fuzz_file file;
    unsigned line = 0;
    struct exemptions *exemptions = exemptions_new();
    CHECK(exemptions != NULL);
    fuzz_file_open(&file, data, size);
    enum result status = exemptions_load(exemptions, file.path, WALL_S, &line);
    fuzz_file_close(&file);
    CHECK(status == RESULT_OK || (status == RESULT_INVALID && line >= 1));
    list.count = 0;
    exemptions_each(exemptions, take, &list);
    CHECK(list.count == exemptions_count(exemptions));
    CHECK(exemptions_expire(exemptions, WALL_S) == 0);
    fuzz_reach(status == RESULT_OK ? WHOLE : DAMAGED);
    if (status != RESULT_OK && list.count > 0)
        fuzz_reach(KEPT);
    for (size_t i = 0; i < list.count && i < LIST_MAX; i++)
        if (list.items[i].until_s < INT64_MAX)
            check_found(exemptions, &list.items[i]);
    if (list.count > 0)
        check_again(exemptions, &list);
    exemptions_free(exemptions);
    return 0;
}
