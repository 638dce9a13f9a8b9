/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/orgdomain.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

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

bool orgdomain_same(const struct orgdomain *list, const char *a, const char *b)
{
    const char *domain_a = orgdomain_of(list, a);
    const char *domain_b = orgdomain_of(list, b);
    return domain_a != NULL && domain_b != NULL && strcmp(domain_a, domain_b) == 0;
}
