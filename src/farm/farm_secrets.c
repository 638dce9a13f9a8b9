/* SPDX-License-Identifier: BSD-2-Clause */
#include "farm/farm_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* All of a regular file but line feeds at its end.  NULL: well; else what is wrong with it. */
static const char *read_file(const char *path, uint8_t *out, size_t size, size_t *length)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    const char *wrong = NULL;
    ssize_t got = 0;
    if (fstat(fd, &st) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = "not a regular file";
    else if ((got = read(fd, out, size)) < 0)
        wrong = strerror(errno);
    else if ((size_t)got == size)
        wrong = "too long";
    (void)close(fd);
    while (got > 0 && (out[got - 1] == '\n' || out[got - 1] == '\r'))
        got--;
    *length = (size_t)got;
    return wrong;
}

static enum result fail(const char *key, const char *path, const char *wrong,
                        char error[FARM_SECRETS_ERROR_MAX])
{
    (void)snprintf(error, FARM_SECRETS_ERROR_MAX, "key \"farm.%s\": %.300s: %s", key, path, wrong);
    return RESULT_INVALID;
}

static enum result read_password(const char *path, struct farm_secrets *out,
                                 char error[FARM_SECRETS_ERROR_MAX])
{
    size_t length = 0;
    const char *wrong = read_file(path, (uint8_t *)out->password, sizeof out->password, &length);
    if (wrong != NULL)
        return fail("password-file", path, wrong, error);
    out->password[length] = '\0';
    if (length == 0 || strlen(out->password) != length || strchr(out->password, '\n') != NULL)
        return fail("password-file", path, "found no password; allowed: one line", error);
    return RESULT_OK;
}

enum result farm_secrets_read(const struct conf *conf, struct farm_secrets *out,
                              char error[FARM_SECRETS_ERROR_MAX])
{
    struct farm_secrets secrets = {.key_length = 0};
    const char *wrong =
        read_file(conf->farm.key_file, secrets.key, sizeof secrets.key, &secrets.key_length);
    if (wrong != NULL)
        return fail("key-file", conf->farm.key_file, wrong, error);
    if (secrets.key_length < FARM_KEY_MIN) {
        char found[80];
        (void)snprintf(found, sizeof found, "found a key of %zu bytes; allowed: at least %d bytes",
                       secrets.key_length, FARM_KEY_MIN);
        return fail("key-file", conf->farm.key_file, found, error);
    }
    enum result status = conf->farm.password_file == NULL
                             ? RESULT_OK
                             : read_password(conf->farm.password_file, &secrets, error);
    if (status == RESULT_OK)
        *out = secrets;
    return status;
}
