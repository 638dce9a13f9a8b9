/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message's header: forged fields out, our own in (RFC 8601 4, 5).  Whose fields stay:
 * iprevd(8), HEADER FIELDS, and tests/scenario/whose-fields*.scn.
 */
#include "core/authresults.h"
#include "daemon/session_state.h"

#include <strings.h>

static const char AUTHRES_FIELD[] = "Authentication-Results";
static const char TAG_FIELD[] = "X-Iprevd";

static const char *authserv_id(const struct session *session)
{
    if (session->conf->authserv_id != NULL)
        return session->conf->authserv_id;
    return session->mta[0] != '\0' ? session->mta : "localhost";
}

void header_note(struct session *session, const char *name, const char *value)
{
    struct header_marks *marks = &session->header;
    if (strcasecmp(name, TAG_FIELD) == 0) {
        marks->tag_count++;
    } else if (strcasecmp(name, AUTHRES_FIELD) == 0) {
        unsigned i = marks->authres_count++;
        if (i < AUTHRES_MAX && authresults_forges(value, authserv_id(session)))
            marks->forged[i / 8] |= (uint8_t)(1U << i % 8);
    }
}

static bool is_forged(const struct header_marks *marks, unsigned i)
{
    return i >= AUTHRES_MAX || (marks->forged[i / 8] & 1U << i % 8) != 0;
}

/* Highest index first, so that no removal moves the ones that are still to come. */
static void remove_forged(const struct session *session)
{
    const struct session_edits *edits = &session->edits;
    /* In monitor mode there is none of ours, and one before us may have enforced. */
    unsigned tags = session->conf->monitor ? 0 : session->header.tag_count;
    for (unsigned i = tags; i > 0; i--)
        edits->remove(edits->arg, TAG_FIELD, i);
    for (unsigned i = session->header.authres_count; i > 0; i--)
        if (is_forged(&session->header, i - 1))
            edits->remove(edits->arg, AUTHRES_FIELD, i);
}

void header_edit(const struct session *session, const struct decision *decision)
{
    const struct session_edits *edits = &session->edits;
    char value[DECISION_HEADER_MAX];
    remove_forged(session);
    if (decision == NULL)
        return;
    enum action action = decision->verdict.done.action;
    if (action == ACTION_TAG || action == ACTION_QUARANTINE) {
        decision_tag_header(decision, value);
        edits->insert(edits->arg, TAG_FIELD, value);
    }
    decision_auth_results(decision, authserv_id(session), value);
    edits->insert(edits->arg, AUTHRES_FIELD, value);
    if (action == ACTION_QUARANTINE)
        edits->quarantine(edits->arg, decision->reason);
}
