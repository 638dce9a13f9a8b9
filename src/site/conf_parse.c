/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/conf_parse.h"

#include "site/conf_suggest.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <confuse.h>

/* The lexer's buffer and tables, and the library's first nodes. */
#define LEXER_BYTES 65536

struct parser;

/*
 * libconfuse hands its callbacks no argument of ours, but the address of a "simple" option's
 * variable: the first member here, so the slot can be found from it.
 */
struct slot {
    void *value; /* what libconfuse stores; unused */
    struct level *level;
    struct conf_entry entry;
};

/* A kind of block.  No block contains its own kind, so each is open once at most. */
struct level {
    struct parser *parser;
    struct level *parent; /* NULL: the file */
    const struct conf_schema *schema;
    struct slot *slots;
    cfg_opt_t *opts; /* options, then blocks, then the end */
    struct level *levels;
    unsigned line;                    /* where the open block begins; 0: not known yet */
    struct conf_block *first, **last; /* finished ones, not taken by the parent yet */
};

struct parser {
    struct conf_messages *messages;
    cfg_t *root;
    struct level file;
    const char *text;
    const char *last_key; /* the option that was read last, for messages; or NULL */
    unsigned last_line;   /* and where */
    bool nomem;
};

/* --- blocks ---------------------------------------------------------------------------------- */

static void entry_free(struct conf_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++)
        free(entry->words[i].text);
    free(entry->words);
    *entry = (struct conf_entry){0};
}

void conf_block_free(struct conf_block *block)
{
    while (block != NULL) {
        struct conf_block *next = block->next;
        for (size_t i = 0; block->entries != NULL && i < block->schema->option_count; i++)
            entry_free(&block->entries[i]);
        conf_block_free(block->blocks);
        free(block->entries);
        free(block->title);
        free(block);
        block = next;
    }
}

/* The section that is open at a level. */
static cfg_t *open_section(const struct level *level)
{
    if (level->parent == NULL)
        return level->parser->root;
    cfg_opt_t *opt = cfg_getopt(open_section(level->parent), level->schema->name);
    return cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
}

static struct level *level_of(const cfg_t *cfg)
{
    return ((struct slot *)(void *)cfg->opts[0].simple_value.ptr)->level;
}

/* "policy.default.check.ptr-generic.action" */
static void put_key(const struct level *level, const char *name, char *out, size_t size)
{
    char prefix[CONF_KEY_MAX] = "";
    if (level->parent == NULL) {
        snprintf(out, size, "%s", name);
        return;
    }
    const cfg_t *section = open_section(level);
    put_key(level->parent, level->schema->name, prefix, sizeof prefix);
    if (section->title != NULL)
        snprintf(out, size, "%s.%s.%s", prefix, section->title, name);
    else
        snprintf(out, size, "%s.%s", prefix, name);
}

static int by_title(const void *a, const void *b)
{
    const struct conf_block *x = *(const struct conf_block *const *)a,
                            *y = *(const struct conf_block *const *)b;
    int order = strcmp(x->title, y->title);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void titled_twice(struct conf_messages *messages, const struct conf_block *block,
                         const struct conf_block *first)
{
    char where[CONF_WHERE_MAX];
    conf_error(
        messages, block->line,
        "found the name \"%.100s\" a second time (first on %s); allowed: one block of a kind "
        "with a name",
        block->title, conf_where(messages, first->line, block->line, where));
}

/* Report titles that stand beside each other twice.  False: memory is out. */
static bool check_titles(const struct level *level)
{
    size_t count = 0, used = 0;
    for (const struct conf_block *block = level->first; block != NULL; block = block->next)
        count++;
    if (level->schema->title == NULL || count < 2)
        return true;
    const struct conf_block **sorted = calloc(count, sizeof *sorted);
    if (sorted == NULL)
        return false;
    for (const struct conf_block *block = level->first; block != NULL; block = block->next)
        sorted[used++] = block;
    qsort(sorted, count, sizeof *sorted, by_title);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i - 1]->title, sorted[i]->title) == 0)
            titled_twice(level->parser->messages, sorted[i], sorted[i - 1]);
    free(sorted);
    return true;
}

/* Move what was read at a level into a block.  `section` is the one that ended. */
static bool finish_block(struct level *level, const cfg_t *section)
{
    size_t count = level->schema->option_count;
    struct conf_block *block = calloc(1, sizeof *block);
    if (block == NULL)
        return false;
    *level->last = block;
    level->last = &block->next;
    block->schema = level->schema;
    block->line = level->line != 0 ? level->line : (unsigned)section->line;
    block->title = section->title != NULL ? strdup(section->title) : NULL;
    block->entries = calloc(count, sizeof *block->entries);
    if (block->entries == NULL || (section->title != NULL && block->title == NULL))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct conf_entry *entry = &level->slots[i].entry;
        bool set = (section->opts[i].flags & CFGF_MODIFIED) != 0;
        if (set && !entry->given) { /* an empty list calls nobody back */
            entry->given = true;
            entry->line = block->line;
        }
        block->entries[i] = *entry;
        *entry = (struct conf_entry){0};
    }
    struct conf_block **end = &block->blocks;
    for (size_t i = 0; i < level->schema->block_count; i++) {
        struct level *inner = &level->levels[i];
        if (!check_titles(inner))
            return false;
        *end = inner->first;
        if (inner->first != NULL)
            end = inner->last;
        inner->first = NULL;
        inner->last = &inner->first;
    }
    level->line = 0;
    return true;
}

/*
 * libconfuse: a section has ended; it is the last of its option.  It is removed, as each title
 * would be compared with all that are kept.
 */
static int section_ended(cfg_t *cfg, cfg_opt_t *opt)
{
    (void)cfg;
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    struct level *level = level_of(section);
    if (finish_block(level, section) && cfg_opt_rmnsec(opt, cfg_opt_size(opt) - 1) == CFG_SUCCESS)
        return 0;
    level->parser->nomem = true;
    return -1;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool add_word(struct conf_entry *entry, const char *text, unsigned line)
{
    struct conf_word *words = reallocarray(entry->words, entry->count + 1, sizeof *entry->words);
    if (words == NULL)
        return false;
    entry->words = words;
    words[entry->count].text = strdup(text);
    words[entry->count].line = line;
    if (words[entry->count].text == NULL)
        return false;
    entry->count++;
    return true;
}

/*
 * libconfuse: a value was read.  It sets CFGF_RESET at every "=", which tells the first value of an
 * assignment from the others of its list, and so a second assignment from a longer list.
 */
static int value_read(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
    struct slot *slot = (struct slot *)(void *)opt->simple_value.ptr;
    struct level *level = slot->level;
    struct parser *parser = level->parser;
    struct conf_entry *entry = &slot->entry;
    unsigned line = (unsigned)cfg->line;
    if (level->line == 0 && level->parent != NULL)
        level->line = (unsigned)open_section(level->parent)->line;
    parser->last_key = level->schema->options[slot - level->slots].name;
    parser->last_line = line;
    if ((opt->flags & CFGF_RESET) != 0 && entry->given) {
        char key[CONF_KEY_MAX], where[CONF_WHERE_MAX];
        put_key(level, opt->name, key, sizeof key);
        conf_error(parser->messages, line,
                   "key \"%s\": found a second time (first on %s); allowed: once", key,
                   conf_where(parser->messages, entry->line, line, where));
        return -1;
    }
    if (!entry->given) {
        entry->append = (opt->flags & CFGF_RESET) == 0;
        entry->given = true;
        entry->line = line;
    }
    opt->flags &= ~CFGF_RESET;
    *(void **)result = NULL;
    if (add_word(entry, value, line))
        return 0;
    parser->nomem = true;
    return -1;
}

/* --- messages -------------------------------------------------------------------------------- */

/* Of a duration or a size, behind a blank: "8 s". */
static bool is_unit(const char *name)
{
    static const char *const units[] = {"ms", "s",     "sec", "seconds", "m",   "min", "minutes",
                                        "h",  "hours", "d",   "days",    "k",   "kb",  "mb",
                                        "g",  "gb",    "b",   "bytes",   "kib", "mib", "gib"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcasecmp(name, units[i]) == 0)
            return true;
    return false;
}

static void unknown_option(const struct level *level, unsigned line, const char *name)
{
    char key[CONF_KEY_MAX], hint[CONF_HINT_MAX];
    const struct parser *parser = level->parser;
    if (parser->last_key != NULL && parser->last_line == line && is_unit(name)) {
        conf_bad_value(parser->messages, line, parser->last_key, name,
                       "the unit right behind its number, as in 8s, 500ms, 64M");
        return;
    }
    put_key(level, name, key, sizeof key);
    conf_suggest_option(level->schema, level->parser->file.schema, name, hint);
    conf_error(level->parser->messages, line, "key \"%.100s\": found an unknown option; %s", key,
               hint);
}

static const char *token_hint(const char *token)
{
    if (strcmp(token, ",") == 0)
        return "white space or line breaks between options, a comma only between the values of a "
               "list";
    if (strcmp(token, "{") == 0)
        return "one value without braces, or a block's name before the brace";
    if (strcmp(token, "}") == 0)
        return "a value before the brace";
    if (strcmp(token, "=") == 0 || strcmp(token, "+=") == 0)
        return "name = value";
    return "a comma between the values of a list";
}

static void unexpected_token(const struct level *level, unsigned line, const char *token)
{
    const char *last = level->parser->last_key;
    if (last != NULL)
        conf_bad_value(level->parser->messages, line, last, token, token_hint(token));
    else
        conf_error(level->parser->messages, line, "found \"%.100s\"; allowed: %s", token,
                   token_hint(token));
}

/* The text's last line that is not blank: what the end of the file came after. */
static const char *last_line(const char *text)
{
    size_t end = strlen(text);
    while (end > 0 && isspace((unsigned char)text[end - 1]))
        end--;
    while (end > 0 && text[end - 1] != '\n')
        end--;
    return text + end + strspn(text + end, " \t");
}

/* What libconfuse says with one name in it, and what we say instead. */
static const char *sentence_for(const char *format)
{
    static const struct {
        const char *format, *sentence;
    } sentences[] = {
        {"missing equal sign after option '%s'", "found no \"=\"; allowed: %s = value"},
        {"attempt to append to non-list option '%s'",
         "found \"+=\"; allowed: %s = value (only lists can be added to)"},
        {"missing opening brace for section '%s'", "found no \"{\"; allowed: %s { ... }"},
        {"missing title for section '%s'", "found no name; allowed: %s \"name\" { ... }"},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
        if (strcmp(format, sentences[i].format) == 0)
            return sentences[i].sentence;
    return NULL;
}

static void said_of_name(const struct level *level, unsigned line, const char *sentence,
                         const char *name)
{
    char key[CONF_KEY_MAX];
    put_key(level, name, key, sizeof key);
    const char *place = strstr(sentence, "%s");
    conf_error(level->parser->messages, line, "key \"%s\": %.*s%s%s", key, (int)(place - sentence),
               sentence, name, place + 2);
}

/* libconfuse: an error.  Its messages are reported in our words where we know them. */
PRINTF_LIKE(2, 0) static void parser_error(cfg_t *cfg, const char *format, va_list args)
{
    const struct level *level = level_of(cfg);
    struct conf_messages *messages = level->parser->messages;
    unsigned line = (unsigned)cfg->line;
    const char *sentence = sentence_for(format);
    if (strcmp(format, "no such option '%s'") == 0) {
        unknown_option(level, line, va_arg(args, const char *));
    } else if (strcmp(format, "unexpected token '%s'") == 0) {
        unexpected_token(level, line, va_arg(args, const char *));
    } else if (strcmp(format, "premature end of file") == 0) {
        const char *last = last_line(level->parser->text);
        conf_error(messages, line,
                   "found the end of the file after \"%.*s\"; allowed: name = value",
                   (int)strcspn(last, "\r\n"), last);
    } else if (strncmp(format, "no sub-section", strlen("no sub-section")) == 0) {
        conf_error(messages, line,
                   "found a name with \"|\" or \"=\" in it; allowed: the names of "
                   "options as they are");
    } else if (sentence != NULL) {
        said_of_name(level, line, sentence, va_arg(args, const char *));
    } else {
        char text[256];
        vsnprintf(text, sizeof text, format, args);
        conf_error(messages, line, "%s", text);
    }
}

/* --- life cycle ------------------------------------------------------------------------------ */

static void level_free(struct level *level)
{
    for (size_t i = 0; level->slots != NULL && i < level->schema->option_count; i++)
        entry_free(&level->slots[i].entry);
    for (size_t i = 0; level->levels != NULL && i < level->schema->block_count; i++)
        level_free(&level->levels[i]);
    conf_block_free(level->first);
    free(level->slots);
    free(level->levels);
    free(level->opts);
}

static cfg_opt_t value_option(const struct conf_option *option, struct slot *slot)
{
    cfg_opt_t opt = {.name = option->name,
                     .type = CFGT_PTR,
                     .flags = conf_is_list(option) ? CFGF_LIST : CFGF_NONE,
                     .parsecb = value_read};
    opt.simple_value.ptr = &slot->value;
    return opt;
}

static cfg_opt_t section_option(const struct level *level)
{
    return (cfg_opt_t){.name = level->schema->name,
                       .type = CFGT_SEC,
                       .flags =
                           CFGF_MULTI | (level->schema->title != NULL ? CFGF_TITLE : CFGF_NONE),
                       .subopts = level->opts,
                       .validcb = section_ended};
}

static bool level_init(struct level *level, struct parser *parser, struct level *parent,
                       const struct conf_schema *schema)
{
    *level = (struct level){.parser = parser, .parent = parent, .schema = schema};
    level->last = &level->first;
    level->slots = calloc(schema->option_count, sizeof *level->slots);
    level->levels = calloc(schema->block_count + 1, sizeof *level->levels);
    level->opts = calloc(schema->option_count + schema->block_count + 1, sizeof *level->opts);
    if (level->slots == NULL || level->levels == NULL || level->opts == NULL)
        return false;
    /* All of them before any fails, so that level_free() finds them sound. */
    bool ok = true;
    for (size_t i = 0; i < schema->block_count; i++)
        if (!level_init(&level->levels[i], parser, level, schema->blocks[i]))
            ok = false;
    for (size_t i = 0; i < schema->option_count; i++) {
        level->slots[i].level = level;
        level->opts[i] = value_option(&schema->options[i], &level->slots[i]);
    }
    for (size_t i = 0; i < schema->block_count; i++)
        level->opts[schema->option_count + i] = section_option(&level->levels[i]);
    return ok;
}

/*
 * libconfuse's lexer ends the program when it finds no memory for its buffers or a string.  Nothing
 * is said of what other threads take meanwhile, but where memory is out it mostly was before.
 */
static bool lexer_has_room(size_t length)
{
    void *volatile room = malloc(LEXER_BYTES + 2 * length); /* volatile: not to be left out */
    free(room);
    return room != NULL;
}

/* Run libconfuse over the text. */
static enum result run(struct parser *parser, const char *text, size_t length)
{
    int result = CFG_SUCCESS;
    unsigned errors = parser->messages->errors;
    parser->root = cfg_init(parser->file.opts, CFGF_NONE);
    if (parser->root == NULL)
        return RESULT_NOMEM;
    cfg_set_error_function(parser->root, parser_error);
    parser->root->line = 1;
    if (!lexer_has_room(length))
        return RESULT_NOMEM;
    if (length > 0) {
        /* "r" never writes: the cast only drops the const that fmemopen() does not have. */
        FILE *stream = fmemopen((void *)(uintptr_t)text, length, "r");
        if (stream == NULL)
            return RESULT_NOMEM;
        result = cfg_parse_fp(parser->root, stream);
        fclose(stream);
    }
    if (result != CFG_SUCCESS)
        return parser->nomem ? RESULT_NOMEM : RESULT_INVALID;
    if (!finish_block(&parser->file, parser->root))
        return RESULT_NOMEM;
    return parser->messages->errors == errors ? RESULT_OK : RESULT_INVALID;
}

enum result conf_parse(const char *text, size_t length, const struct conf_schema *schema,
                       struct conf_messages *messages, struct conf_block **out)
{
    struct parser parser = {.messages = messages, .text = text};
    unsigned before = messages->errors;
    enum result status = RESULT_NOMEM;
    if (level_init(&parser.file, &parser, NULL, schema))
        status = run(&parser, text, length);
    if (status == RESULT_OK) {
        *out = parser.file.first;
        parser.file.first = NULL;
    } else if (messages->errors == before) {
        /* libconfuse says nothing of an empty name, nor when memory is out. */
        if (status == RESULT_NOMEM || parser.root == NULL)
            conf_nomem(messages);
        else
            conf_error(messages, (unsigned)parser.root->line,
                       "found a name without characters, or out of memory");
    }
    if (parser.root != NULL)
        cfg_free(parser.root);
    level_free(&parser.file);
    return status;
}
