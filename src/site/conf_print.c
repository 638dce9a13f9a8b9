/* SPDX-License-Identifier: BSD-2-Clause */
/* The effective configuration in its own syntax. */
#include "site/conf_value.h"

#include <inttypes.h>
#include <string.h>

#define INDENT "    "

/* A string in double quotes, escaped for the lexer. */
static void print_quoted(const char *text, FILE *stream)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            fputs("\\n", stream);
        } else if (*text == '\t') {
            fputs("\\t", stream);
        } else {
            if (strchr("\"\\$", *text) != NULL)
                fputc('\\', stream);
            fputc(*text, stream);
        }
    }
    fputc('"', stream);
}

/* The words of a list, one after another. */
struct list {
    FILE *stream;
    bool first;
};

static void list_word(struct list *list, const char *word)
{
    if (!list->first)
        fputs(", ", list->stream);
    list->first = false;
    print_quoted(word, list->stream);
}

static void print_nets(const void *field, size_t count, struct list *list)
{
    const struct ipnet *nets;
    char text[IPNET_TEXT_MAX];
    memcpy(&nets, field, sizeof nets);
    for (size_t i = 0; i < count; i++)
        list_word(list, ipnet_format(&nets[i], text));
}

static void print_names(const void *field, size_t count, struct list *list)
{
    char *const *names;
    memcpy(&names, field, sizeof names);
    for (size_t i = 0; i < count; i++)
        list_word(list, names[i]);
}

static void print_servers(const struct network_settings *network, struct list *list)
{
    char text[SERVER_TEXT_MAX];
    for (unsigned i = 0; i < network->server_count; i++)
        list_word(list, network_server_format(&network->servers[i], text));
}

static void print_table_words(const struct conf_option *option, const void *field,
                              struct list *list)
{
    const char *const *words = NULL;
    const void *value;
    size_t count = 0;
    memcpy(&value, field, sizeof value);
    if (value != NULL)
        words = option->type == CONF_NET_LIST ? net_list_words(value, &count)
                : option->type == CONF_LISTED ? listed_words(value, &count)
                                              : pattern_list_words(value, &count);
    for (size_t i = 0; i < count; i++)
        list_word(list, words[i]);
}

static void print_list(const struct conf_option *option, const char *object, FILE *stream)
{
    const void *field = object + option->offset;
    struct list list = {stream, true};
    size_t count = 0;
    if (option->count_offset != 0)
        memcpy(&count, object + option->count_offset, sizeof count);
    fputc('{', stream);
    if (option->type == CONF_NETS)
        print_nets(field, count, &list);
    else if (option->type == CONF_NAMES || option->type == CONF_STORES)
        print_names(field, count, &list);
    else if (option->type == CONF_SERVERS)
        print_servers(field, &list);
    else
        print_table_words(option, field, &list);
    fputc('}', stream);
}

static void print_until(int64_t until_s, FILE *stream)
{
    char text[CONF_UNTIL_SIZE];
    conf_format_until(until_s, text);
    print_quoted(text, stream);
}

static void print_size(uint64_t bytes, FILE *stream)
{
    static const char *const units[] = {"", "K", "M", "G"};
    size_t unit = 0;
    for (; unit < 3 && bytes != 0 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    fprintf(stream, "%" PRIu64 "%s", bytes, units[unit]);
}

static void print_unsigned(const struct conf_option *option, unsigned value, FILE *stream)
{
    if (option->type == CONF_CHOICE)
        fputs(option->words[value], stream);
    else if (option->type == CONF_OCTAL)
        fprintf(stream, "%04o", value);
    else if (option->type == CONF_MILLISECONDS && value != 0)
        fprintf(stream, "%ums", value);
    else
        fprintf(stream, "%u", value);
}

static void print_scalar(const struct conf_option *option, const void *field, FILE *stream)
{
    bool flag;
    double score;
    size_t size;
    int64_t until;
    const char *text;
    const struct policy *policy;
    unsigned number;
    switch (option->type) {
    case CONF_MODE:
    case CONF_BOOL:
        memcpy(&flag, field, sizeof flag);
        if (option->type == CONF_MODE)
            fputs(flag ? "monitor" : "enforce", stream);
        else
            fputs(flag ? "true" : "false", stream);
        break;
    case CONF_SCORE:
        memcpy(&score, field, sizeof score);
        fprintf(stream, "%.15g", score);
        break;
    case CONF_SIZE:
        memcpy(&size, field, sizeof size);
        print_size(size, stream);
        break;
    case CONF_UNTIL:
        memcpy(&until, field, sizeof until);
        print_until(until, stream);
        break;
    case CONF_TEXT:
        memcpy(&text, field, sizeof text);
        print_quoted(text == NULL ? "none" : text, stream);
        break;
    case CONF_POLICY:
        memcpy(&policy, field, sizeof policy);
        print_quoted(policy == NULL ? "none" : policy->name, stream);
        break;
    default:
        memcpy(&number, field, sizeof number);
        print_unsigned(option, number, stream);
        break;
    }
}

/* Nothing set, and nothing by default: there is nothing to write. */
static bool is_absent(const struct conf_option *option, const void *field)
{
    const void *pointer;
    int64_t until;
    switch (option->type) {
    case CONF_TEXT:
    case CONF_NET_LIST:
    case CONF_PATTERNS:
    case CONF_LISTED:
        memcpy(&pointer, field, sizeof pointer);
        return pointer == NULL && option->fallback == NULL;
    case CONF_UNTIL:
        memcpy(&until, field, sizeof until);
        return until == 0;
    default:
        return false;
    }
}

/* Print `name = value`, indented; nothing when the field holds none and that is the default. */
static void print_value(const struct conf_option *option, const void *object, const char *indent,
                        FILE *stream)
{
    const char *base = object;
    if (is_absent(option, base + option->offset))
        return;
    fprintf(stream, "%s%s = ", indent, option->name);
    if (conf_is_list(option))
        print_list(option, base, stream);
    else
        print_scalar(option, base + option->offset, stream);
    fputc('\n', stream);
}

static void print_options(const struct conf_schema *schema, const void *object, const char *indent,
                          FILE *stream)
{
    for (size_t i = 0; i < schema->option_count; i++)
        print_value(&schema->options[i], object, indent, stream);
}

static void print_policy(const struct policy *policy, FILE *stream)
{
    fputs("\npolicy ", stream);
    print_quoted(policy->name, stream);
    fputs(" {\n", stream);
    print_options(&conf_schema_policy, policy, INDENT, stream);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        fprintf(stream, INDENT "check %s {\n", checks[i].name);
        print_options(&conf_schema_check, &policy->rules[i], INDENT INDENT, stream);
        fputs(INDENT "}\n", stream);
    }
    fputs("}\n", stream);
}

static void print_blocks(const struct conf *conf, FILE *stream)
{
    fputs("\ndns {\n", stream);
    print_options(&conf_schema_dns, conf, INDENT, stream);
    fputs("}\n\ncache {\n", stream);
    print_options(&conf_schema_cache, conf, INDENT, stream);
    fputs("}\n\nmemory {\n", stream);
    print_options(&conf_schema_memory, conf, INDENT, stream);
    fputs("}\n", stream);
    for (size_t i = 0; i < conf->policy_count; i++)
        print_policy(&conf->policies[i], stream);
    for (size_t i = 0; i < conf->match_count; i++) {
        fputs("\nmatch ", stream);
        print_quoted(conf->matches[i].name, stream);
        fputs(" {\n", stream);
        print_options(&conf_schema_match, &conf->matches[i], INDENT, stream);
        fputs("}\n", stream);
    }
}

enum result conf_print(const struct conf *conf, FILE *stream)
{
    print_options(&conf_schema_file, conf, "", stream);
    if (conf->farm.server_count > 0) {
        fputs("\nfarm {\n", stream);
        print_options(&conf_schema_farm, conf, INDENT, stream);
        fputs("}\n", stream);
    }
    print_blocks(conf, stream);
    return ferror(stream) != 0 ? RESULT_IO : RESULT_OK;
}

enum result conf_print_deciding(const struct conf *conf, FILE *stream)
{
    for (size_t i = 0; i < conf_schema_file.option_count; i++) {
        const struct conf_option *option = &conf_schema_file.options[i];
        if (!option->at_start && !option->own)
            print_value(option, conf, "", stream);
    }
    print_blocks(conf, stream);
    return ferror(stream) != 0 ? RESULT_IO : RESULT_OK;
}
