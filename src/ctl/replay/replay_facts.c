/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay/replay_facts.h"

#include "base/textbuf.h"
#include "core/mailpath.h"

void replay_facts_envelope(const struct conf *conf, const struct maillog_event *event,
                           struct facts *out)
{
    out->client = event->client;
    helo_parse(event->helo_recorded && event->helo[0] != '\0' ? event->helo : NULL, &out->helo);
    out->helo_is_ours = conf_is_own_name(conf, out->helo.name);
    char mailbox[MAILPATH_MAX + 1];
    const char *sender = event->sender_recorded ? event->sender : "";
    if (mailpath_canonical(sender, mailbox) != NULL)
        (void)mailpath_domain(mailbox, out->sender_domain);
}

static const char recorded_problem[] = "recorded as failed";

/* The recorded name as the only one, confirmed or not. */
static void fill_name(const struct maillog_event *event, struct replay_facts *out)
{
    char canonical[HOSTNAME_MAX + 1];
    struct textbuf buf;
    textbuf_init(&buf, out->name_text, sizeof out->name_text);
    out->name.flaw = hostname_parse(event->ptr, canonical);
    if (out->name.flaw == HOSTNAME_OK)
        textbuf_put(&buf, canonical);
    else
        textbuf_put_untrusted(&buf, event->ptr, sizeof out->name_text - 1);
    out->name.name = out->name_text;
    out->facts.names = &out->name;
    out->facts.name_count = 1;
    if (out->name.flaw != HOSTNAME_OK)
        return;
    if (event->ptr_state == REPLAY_PTR_CONFIRMED) {
        out->name.forward.outcome = DNS_FOUND;
        out->name.addresses = &out->facts.client;
        out->name.address_count = 1;
    } else if (event->ptr_state == REPLAY_PTR_TEMPERROR) {
        out->name.forward.outcome = DNS_TEMPERROR;
        out->name.forward.problem = recorded_problem;
    } else {
        out->name.forward.outcome = DNS_NODATA;
    }
    out->name.forward.origin = DNS_FROM_ZONE;
    name_facts_confirm(&out->name, &out->facts.client);
}

bool replay_facts_are_recorded(const struct maillog_event *event)
{
    return event->ptr_state != REPLAY_PTR_UNRECORDED &&
           (event->ptr_state != REPLAY_PTR_TEMPERROR || event->ptr[0] != '\0');
}

bool replay_facts_recorded(const struct conf *conf, const struct maillog_event *event,
                           struct replay_facts *out)
{
    if (!replay_facts_are_recorded(event))
        return false;
    memset(&out->facts, 0, sizeof out->facts);
    memset(&out->name, 0, sizeof out->name);
    struct facts *facts = &out->facts;
    replay_facts_envelope(conf, event, facts);
    facts->ptr.origin = DNS_FROM_ZONE;
    facts->ptr.outcome = event->ptr_state == REPLAY_PTR_NONE ? DNS_NODATA : DNS_FOUND;
    if (event->ptr_state != REPLAY_PTR_NONE)
        fill_name(event, out);
    if (facts->helo.name[0] == '\0')
        return true;
    /* Asked and answered without an address: what was not asked would leave the agreement open, and
       without addresses nothing follows from it. */
    facts->helo_name.name = facts->helo.name;
    facts->helo_name.forward.outcome = DNS_FOUND;
    facts->helo_name.forward.origin = DNS_FROM_ZONE;
    return true;
}
