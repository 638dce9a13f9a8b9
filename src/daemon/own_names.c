/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/own_names.h"

#include <string.h>

void own_names_init(struct own_names *own)
{
    (void)pthread_mutex_init(&own->lock, NULL);
    own->count = 0;
}

void own_names_clear(struct own_names *own)
{
    (void)pthread_mutex_destroy(&own->lock);
}

void own_names_saw(struct own_names *own, const char *name)
{
    char canonical[HOSTNAME_MAX + 1];
    size_t i = 0;
    if (hostname_parse(name, canonical) != HOSTNAME_OK)
        return;
    (void)pthread_mutex_lock(&own->lock);
    while (i < own->count && strcmp(own->names[i], canonical) != 0)
        i++;
    if (i == own->count && own->count < OWN_NAMES_MAX)
        memcpy(own->names[own->count++], canonical, sizeof canonical);
    (void)pthread_mutex_unlock(&own->lock);
}

void own_names_put(struct own_names *own, struct json_writer *json)
{
    json_writer_begin_list(json, "own_names");
    (void)pthread_mutex_lock(&own->lock);
    for (size_t i = 0; i < own->count; i++)
        json_writer_text(json, NULL, own->names[i]);
    (void)pthread_mutex_unlock(&own->lock);
    json_writer_end(json);
}
