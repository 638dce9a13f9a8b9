/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration from its text, for tests of what decides by it. */
#ifndef IPREVD_CONF_TEXT_H
#define IPREVD_CONF_TEXT_H

#include "site/conf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void conf_text_error(void *arg, const char *message)
{
    (void)arg;
    ck_abort_msg("%s", message);
}

static inline void conf_text_warning(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* The test fails where the text has an error. */
static inline struct conf *conf_text_load(const char *text, int64_t wall_s)
{
    char path[] = "/tmp/iprevd-test-XXXXXX";
    const struct conf_report report = {conf_text_error, conf_text_warning, NULL, NULL};
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    struct conf *conf = conf_load(path, wall_s, &report);
    (void)unlink(path);
    ck_assert_ptr_nonnull(conf);
    return conf;
}

#endif
