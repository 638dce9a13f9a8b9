/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/client_memory_file.h"

#include "base/block_file.h"
#include "site/client_memory_table.h"

static uint8_t *put_entry(uint8_t *at, const void *place)
{
    const struct client_entry *entry = place;
    if (entry->word == 0)
        return at;
    at = block_file_put(at, entry->word, 8);
    at = block_file_put(at, entry->failed_s, 4);
    at = block_file_put(at, entry->last_day, 2);
    return block_file_put(at, entry->previous_day, 2);
}

static bool take_entry(void *owner, const uint8_t *at, int64_t wall_s)
{
    struct client_memory *memory = owner;
    struct client_entry saved;
    saved.word = block_file_get(&at, 8);
    saved.failed_s = (uint32_t)block_file_get(&at, 4);
    saved.last_day = (uint16_t)block_file_get(&at, 2);
    saved.previous_day = (uint16_t)block_file_get(&at, 2);
    if (client_entry_hash(&saved) == 0)
        return false;
    struct client_entry *entry =
        client_memory_place(memory, client_entry_hash(&saved), history_day(wall_s));
    memory->left_out += entry == NULL;
    if (entry != NULL)
        *entry = saved;
    return true;
}

static const struct client_table_form form = {
    .magic = CLIENT_MEMORY_FILE_MAGIC,
    .is_not = "is not a file of clients",
    .version = CLIENT_MEMORY_FILE_VERSION,
    .entry_bytes = CLIENT_MEMORY_FILE_ENTRY,
    .put = put_entry,
    .take = take_entry,
};
_Static_assert(sizeof(struct client_entry) == CLIENT_MEMORY_FILE_ENTRY, "as the manual says");

enum result client_memory_save(struct client_memory *memory, const char *path, int64_t wall_s)
{
    return client_table_save(&memory->table, &form, path, wall_s);
}

enum result client_memory_load(struct client_memory *memory, const char *path, int64_t wall_s,
                               const char **why)
{
    return client_table_load(&memory->table, &form, memory, path, wall_s, why);
}
