/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/command.h"

#include "base/textbuf.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS_MAX 24 /* of one command, besides -c and --help */
#define LINE_WIDTH  79
#define TERM_COLUMN 20 /* of a longer term the help begins on the next line */
#define TERM_MAX    48 /* bytes of "--format postfix|sendmail|mbox|maildir|triples" */

static const struct command_option no_options[] = {{NULL, NULL, 0, NULL}};
static const struct command_word no_words[] = {{NULL, NULL}};

static const struct command_option *options_of(const struct command *command)
{
    return command->options != NULL ? command->options : no_options;
}

/* --- usage ---------------------------------------------------------------------------------- */

static const char *term_of(const struct command_option *option, char out[TERM_MAX])
{
    (void)snprintf(out, TERM_MAX, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                   option->argument != NULL ? option->argument : "");
    return out;
}

/* One more word of the usage line, which goes on below where it is full. */
static void put_usage_word(const char *word, size_t indent, size_t *column)
{
    if (*column + 1 + strlen(word) > LINE_WIDTH) {
        (void)printf("\n%*s", (int)indent, "");
        *column = indent;
    }
    (void)printf(" %s", word);
    *column += 1 + strlen(word);
}

static void put_usage_line(const struct command *command)
{
    char term[TERM_MAX], word[TERM_MAX + 2];
    int length = printf("Usage: iprevctl %s", command->name);
    size_t indent = length > 0 ? (size_t)length : 0, column = indent;
    if (command->operands[0] != '\0')
        put_usage_word(command->operands, indent, &column);
    for (const struct command_option *at = options_of(command); at->name != NULL; at++) {
        (void)snprintf(word, sizeof word, "[%s]", term_of(at, term));
        put_usage_word(word, indent, &column);
    }
    put_usage_word("[-c FILE]", indent, &column);
    (void)putchar('\n');
}

/* A term and its lines of help, in a column of their own. */
static void put_help(const char *term, const char *help, size_t width)
{
    bool wide = strlen(term) > width;
    (void)printf("  %-*s%s", (int)width, term, wide ? "\n" : "");
    for (bool first = !wide;; first = false) {
        size_t length = strcspn(help, "\n");
        (void)printf("%*s%.*s\n", first ? 2 : (int)width + 4, "", (int)length, help);
        if (help[length] == '\0')
            return;
        help += length + 1;
    }
}

/* The column fits all terms but those that are given a line of their own. */
static size_t wider(const char *term, size_t width)
{
    size_t length = strlen(term);
    return length > width && length <= TERM_COLUMN ? length : width;
}

static int usage(const struct command *command, bool asked)
{
    char term[TERM_MAX];
    size_t width = strlen("-c FILE");
    const struct command_word *words = command->words != NULL ? command->words : no_words;
    if (!asked) {
        (void)fprintf(stderr, "Try 'iprevctl %s --help'.\n", command->name);
        return EX_USAGE;
    }
    for (const struct command_word *at = words; at->word != NULL; at++)
        width = wider(at->word, width);
    for (const struct command_option *at = options_of(command); at->name != NULL; at++)
        width = wider(term_of(at, term), width);
    put_usage_line(command);
    (void)printf("\n%s\n\n", command->summary);
    for (const struct command_word *at = words; at->word != NULL; at++)
        put_help(at->word, at->help, width);
    for (const struct command_option *at = options_of(command); at->name != NULL; at++)
        put_help(term_of(at, term), at->help, width);
    put_help("-c FILE", "read this configuration", width);
    (void)printf("\n%s", command->notes);
    return EX_OK;
}

/* --- parsing -------------------------------------------------------------------------------- */

static void set(const struct command_option *option, void *request)
{
    char *member = (char *)request + option->offset;
    const bool yes = true;
    if (option->argument != NULL)
        memcpy(member, &optarg, sizeof optarg);
    else
        memcpy(member, &yes, sizeof yes);
}

int command_parse(const struct command *command, int argc, char **argv, void *request,
                  const char **conf_path)
{
    struct option known[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, 'h'}};
    const struct command_option *options = options_of(command);
    for (int i = 0; i < OPTIONS_MAX && options[i].name != NULL; i++)
        known[i + 1] = (struct option){
            options[i].name, options[i].argument != NULL ? required_argument : no_argument, NULL,
            256 + i};
    for (int option; (option = getopt_long(argc, argv, "c:h", known, NULL)) != -1;) {
        if (option == 'c')
            *conf_path = optarg;
        else if (option >= 256)
            set(&options[option - 256], request);
        else
            return usage(command, option == 'h');
    }
    return -1;
}

int command_parse_all(const struct command *command, int argc, char **argv, void *request,
                      const char **conf_path)
{
    int status = command_parse(command, argc, argv, request, conf_path);
    if (status < 0 && optind < argc)
        return command_misused(command, "unexpected argument \"%s\"", argv[optind]);
    return status;
}

int64_t command_seconds(const char *text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    int64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return -1;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    if (text[digits] == '\0')
        return value;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (text[digits] == units[i].unit && text[digits + 1] == '\0')
            return value * units[i].seconds;
    return -1;
}

int64_t command_age(const char *text)
{
    size_t length = strlen(text);
    int64_t seconds = command_seconds(text);
    bool unit = length > 0 && strchr("mhdw", text[length - 1]) != NULL;
    return unit && seconds > 0 ? seconds : -1;
}

unsigned command_count(const char *text, unsigned max)
{
    unsigned value = 0;
    for (; *text >= '0' && *text <= '9' && value <= max; text++)
        value = value * 10 + (unsigned)(*text - '0');
    return *text == '\0' && value <= max ? value : 0;
}

/* --- messages ------------------------------------------------------------------------------- */

PRINTF_LIKE(2, 0)
static void say(const struct command *command, const char *format, va_list args)
{
    (void)fprintf(stderr, "iprevctl %s: ", command->name);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
}

int command_misused(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    return usage(command, false);
}

int command_failed(const struct command *command, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    return status;
}

int command_finish(const struct command *command, int status)
{
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout) == 0 && !failed)
        return status;
    return command_failed(command, EX_IOERR, "the output cannot be written: %s",
                          failed ? "an earlier write failed" : strerror(errno));
}

/* --- what commands begin with --------------------------------------------------------------- */

static void print_message(void *arg, const char *message)
{
    (void)fprintf(stderr, "%s%s\n", (const char *)arg, message);
}

static void print_error(void *arg, const char *message)
{
    (void)arg;
    static char prefix[] = "error: ";
    print_message(prefix, message);
}

static void print_warning(void *arg, const char *message)
{
    (void)arg;
    static char prefix[] = "warning: ";
    print_message(prefix, message);
}

struct conf *command_conf(const char *path)
{
    static const struct conf_report report = {print_error, print_warning, NULL, NULL};
    if (path == NULL) {
        path = CONF_DEFAULT_PATH;
        if (access(path, F_OK) != 0 && errno == ENOENT) {
            (void)fprintf(stderr, "note: %s does not exist: the built-in settings are used\n",
                          path);
            path = "/dev/null";
        }
    }
    return conf_load(path, (int64_t)time(NULL), &report);
}

uint64_t command_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)time(NULL); /* the commands work before the pool is filled, too */
    return seed;
}
