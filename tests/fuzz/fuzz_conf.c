/* SPDX-License-Identifier: BSD-2-Clause */
/* Every byte of a configuration file: it loads, or it says why not; what it prints loads again. */
#include "site/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1798761600) /* 2027-01-01T00:00:00Z */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Messages are one printable line. */
static void hear(void *arg, const char *message)
{
    unsigned *count = arg;
    CHECK(message[0] != '\0' && strlen(message) < 4096);
    for (const char *p = message; *p != '\0'; p++)
        CHECK(*p >= 0x20 && *p <= 0x7e);
    if (count != NULL)
        (*count)++;
}

static void ignore(void *arg, const char *message)
{
    (void)arg;
    hear(NULL, message);
}

/* NULL exactly when an error was told. */
static struct conf *load(const void *text, size_t size)
{
    unsigned errors = 0;
    const struct conf_report report = {hear, ignore, &errors};
    char path[] = "fuzz_conf.tmp.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK(write(fd, text, size) == (ssize_t)size);
    close(fd);
    struct conf *conf = conf_load(path, NOW, &report);
    unlink(path);
    CHECK((conf == NULL) == (errors > 0));
    return conf;
}

static char *print(const struct conf *conf, size_t *size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, size);
    CHECK(stream != NULL);
    CHECK(conf_print(conf, stream) == STATUS_OK);
    CHECK(fclose(stream) == 0);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first_size, second_size;
    if (size > 1 << 16)
        return 0;
    struct conf *conf = load(data, size);
    if (conf == NULL)
        return 0;
    char *first = print(conf, &first_size);
    struct conf *again = load(first, first_size);
    CHECK(again != NULL);
    char *second = print(again, &second_size);
    CHECK(first_size == second_size && memcmp(first, second, first_size) == 0);
    conf_unref(conf);
    conf_unref(again);
    free(first);
    free(second);
    return 0;
}
