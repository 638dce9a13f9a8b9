/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/running_memory.h"

#include "ctl/client.h"

/* A number of the answer that fits; else 0, which is nothing. */
static uint32_t number_of(const struct json_value *json, const char *key, uint32_t most)
{
    int64_t number = 0;
    (void)json_value_int(json_value_member(json, key), &number);
    return number > 0 && number <= most ? (uint32_t)number : 0;
}

enum result running_memory_ask(const struct conf *conf, const struct ipaddr *client,
                               struct history *out, bool *others_silent)
{
    char address[IPADDR_TEXT_MAX];
    struct json_value *last = NULL;
    enum result status = client_try_running(
        conf->control, client_request("remembered", "name", ipaddr_format(client, address)), NULL,
        &last);
    *out = (struct history){0};
    *others_silent = false;
    if (status == RESULT_NOMEM)
        return status;
    if (status != RESULT_OK)
        return RESULT_OK;
    out->last_day = (uint16_t)number_of(last, "last_day", UINT16_MAX);
    out->previous_day = (uint16_t)number_of(last, "previous_day", UINT16_MAX);
    out->failed_s = number_of(last, "failed", UINT32_MAX);
    *others_silent = json_value_bool_of(last, "others_silent");
    out->passed_since = json_value_bool_of(last, "passed_since");
    json_value_free(last);
    return RESULT_OK;
}
