/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/orgdomain.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63 /* bytes of a label */

struct orgdomain {
    psl_ctx_t *psl;
};

struct orgdomain *orgdomain_load(const char *path)
{
    errno = 0;
    struct orgdomain *list = malloc(sizeof *list);
    if (list == NULL)
        return NULL;
    /* A file that the administrator names is the one to use, newest or not. */
    list->psl = path != NULL ? psl_load_file(path) : psl_latest(NULL);
    if (list->psl == NULL) {
        free(list);
        return NULL;
    }
    return list;
}

void orgdomain_free(struct orgdomain *list)
{
    if (list == NULL)
        return;
    psl_free(list->psl);
    free(list);
}

const char *orgdomain_of(const struct orgdomain *list, const char *name)
{
    if (list == NULL || name[0] == '\0')
        return NULL;
    return psl_registrable_domain(list->psl, name);
}

bool orgdomain_exists(const struct orgdomain *list, const char *name)
{
    return list != NULL && name[0] != '\0' && psl_is_public_suffix(list->psl, name) == 0;
}

/* The longest end that both names share, as whole labels: a pointer into `a`; NULL: none. */
static const char *shared_end(const char *a, const char *b)
{
    const char *at = a + strlen(a), *other = b + strlen(b), *shared = NULL;
    while (at > a && other > b && at[-1] == other[-1]) {
        at--;
        other--;
        if ((at == a || at[-1] == '.') && (other == b || other[-1] == '.') && *at != '.')
            shared = at;
    }
    return shared;
}

/* Is `name`, or an end of it that is longer than `length`, a public suffix? */
static bool suffix_above(const struct orgdomain *list, const char *name, size_t length)
{
    size_t left = strlen(name);
    while (left > length) {
        if (psl_is_public_suffix(list->psl, name))
            return true;
        size_t label = strcspn(name, ".") + 1;
        name += label;
        left -= label;
    }
    return false;
}

/*
 * The organizational domain is the label before the longest public suffix.  So two names have the
 * same one when what they share is none, and nothing longer in either is: to ask that takes fewer
 * searches of the list than to find both, and for most names of different organizations none,
 * since a top-level domain needs no search.
 */
bool orgdomain_same(const struct orgdomain *list, const char *a, const char *b)
{
    const char *shared = list == NULL ? NULL : shared_end(a, b);
    if (shared == NULL || psl_is_public_suffix(list->psl, shared))
        return false;
    size_t length = strlen(shared);
    return !suffix_above(list, a, length) && !suffix_above(list, b, length);
}

bool orgdomain_is_toplevel(const char *label)
{
    const psl_ctx_t *psl = psl_builtin();
    char below[LABEL_MAX + 3] = "x.";
    if (psl == NULL || strlen(label) > LABEL_MAX)
        return true;
    memcpy(below + 2, label, strlen(label) + 1);
    /* Of some ("*.ck") the list has only what is below. */
    return psl_is_public_suffix2(psl, label, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) ||
           psl_is_public_suffix2(psl, below, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}
