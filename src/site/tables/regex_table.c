/* SPDX-License-Identifier: BSD-2-Clause */
#include "site/tables/regex_table.h"

#include "base/log.h"
#include "site/tables/ere.h"
#include "site/tables/literal_index.h"
#include "site/tables/table_rules.h"

#include <ctype.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define WORDS_MAX (REGEX_RULES_MAX / 64)

/* Of one pattern on one subject.  A sound pattern takes some hundred steps on a host name. */
#define MATCH_LIMIT      50000
#define DEPTH_LIMIT      2000
#define HEAP_LIMIT_KIB   4096
#define PATTERN_SIZE_MAX 16384 /* bytes: the parser's own nesting limit is 250 parentheses */

/* Scratch memory of PCRE2 for as many lookups at a time as there may be busy processors. */
#define SCRATCH_COUNT 32

struct regex_pattern {
    pcre2_code *code; /* NULL: there is none */
    bool negated;
};

struct regex_rule {
    struct regex_pattern first, second; /* both must hold; second: regexp's /one/!/two/ */
    uint32_t guard;                     /* the innermost if around it, or TABLE_UNGUARDED */
    unsigned line;
    const char *value;
};

struct scratch {
    atomic_flag busy;
    pcre2_match_data *data;
};

struct regex_table {
    char *path;
    bool perl;
    struct regex_rule *rules;
    size_t count, room;
    struct regex_rule *guards; /* the ifs: only `first` and `guard` count */
    size_t guard_count, guard_room;
    char (*literals)[LITERAL_MAX + 1]; /* of each rule, until the index is built */
    size_t literal_room;
    struct literal_index *index;
    uint64_t *always; /* rules that every lookup must try */
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    struct scratch *scratch;
    _Atomic uint64_t limit_hits;
};

/* --- reading --------------------------------------------------------------------------------- */

/* A pattern as it stands in the file, and what follows it. */
struct regex_source {
    char *text;
    char *flags;
    size_t flag_count;
    bool negated;
    char *rest;
};

/* Cut "!/pattern/flags" out in place. */
static enum result cut_pattern(char *p, bool perl, unsigned line, struct regex_source *out,
                               struct table_error *error)
{
    out->negated = false;
    for (; *p == '!' || table_lines_space(*p); p++)
        if (*p == '!')
            out->negated = !out->negated;
    char delimiter = *p;
    if (delimiter == '\0' || isalnum((unsigned char)delimiter)) {
        table_error(error, line,
                    "found \"%.80s\"; allowed: /pattern/flags value, !/pattern/flags value, if "
                    "/pattern/flags, endif",
                    p);
        return RESULT_INVALID;
    }
    out->text = ++p;
    while (*p != '\0' && *p != delimiter)
        p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    if (*p == '\0') {
        table_error(error, line, "found \"%.80s\"; no closing delimiter \"%c\"", out->text - 1,
                    isprint((unsigned char)delimiter) ? delimiter : '?');
        return RESULT_INVALID;
    }
    *p++ = '\0';
    out->flags = p;
    while (*p != '\0' && !table_lines_space(*p) && (perl || *p != '!'))
        p++;
    out->flag_count = (size_t)(p - out->flags);
    out->rest = p;
    return RESULT_OK;
}

static enum result bad_flag(char flag, const char *allowed, unsigned line,
                            struct table_error *error)
{
    table_error(error, line, "found flag \"%c\"; allowed: %s",
                isprint((unsigned char)flag) ? flag : '?', allowed);
    return RESULT_INVALID;
}

/* Every flag turns its option over, as in pcre_table(5). */
static enum result perl_options(const struct regex_source *source, unsigned line, uint32_t *options,
                                struct table_error *error)
{
    static const struct {
        char flag;
        uint32_t option;
    } flags[] = {
        {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE},       {'s', PCRE2_DOTALL},
        {'x', PCRE2_EXTENDED}, {'A', PCRE2_ANCHORED},        {'E', PCRE2_DOLLAR_ENDONLY},
        {'U', PCRE2_UNGREEDY}, {'X', 0 /* gone in PCRE2 */},
    };
    *options = PCRE2_CASELESS | PCRE2_DOTALL;
    for (size_t i = 0; i < source->flag_count; i++) {
        size_t at = 0;
        while (at < sizeof flags / sizeof flags[0] && flags[at].flag != source->flags[i])
            at++;
        if (at == sizeof flags / sizeof flags[0])
            return bad_flag(source->flags[i], "i m s x A E U X", line, error);
        *options ^= flags[at].option;
    }
    return RESULT_OK;
}

static enum result posix_options(const struct regex_source *source, unsigned line,
                                 uint32_t *options, bool *extended, struct table_error *error)
{
    bool newline = false;
    *options = PCRE2_CASELESS | PCRE2_DOLLAR_ENDONLY;
    *extended = true;
    for (size_t i = 0; i < source->flag_count; i++) {
        switch (source->flags[i]) {
        case 'i':
            *options ^= PCRE2_CASELESS;
            break;
        case 'm':
            newline = !newline;
            break;
        case 'x':
            *extended = !*extended;
            break;
        default:
            return bad_flag(source->flags[i], "i m x", line, error);
        }
    }
    *options |= newline ? PCRE2_MULTILINE : PCRE2_DOTALL;
    return RESULT_OK;
}

static enum result compile_text(const struct regex_table *table, const char *text, uint32_t options,
                                unsigned line, pcre2_code **out, struct table_error *error)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &code, &at, table->compile);
    if (compiled == NULL) {
        char why[160];
        if (code == PCRE2_ERROR_NOMEMORY || code == 121 /* out of memory while compiling */)
            return RESULT_NOMEM;
        if (pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why) < 0)
            why[0] = '\0';
        table_error(error, line, "found \"%.80s\"; at character %zu: %s", text, at + 1, why);
        return RESULT_INVALID;
    }
    /* Without JIT the interpreter does it, only slower. */
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
    *out = compiled;
    return RESULT_OK;
}

/* Compile; `literal` (NULL: not wanted) gets the text that every match must contain. */
static enum result compile_pattern(const struct regex_table *table,
                                   const struct regex_source *source, unsigned line,
                                   struct regex_pattern *out, char literal[LITERAL_MAX + 1],
                                   struct table_error *error)
{
    uint32_t options;
    bool extended = true;
    char *translated = NULL;
    const char *text = source->text, *why;
    enum result status = table->perl ? perl_options(source, line, &options, error)
                                     : posix_options(source, line, &options, &extended, error);
    if (status != RESULT_OK)
        return status;
    if (!table->perl) {
        status = ere_translate(text, extended, &translated, &why);
        if (status == RESULT_INVALID)
            table_error(error, line, "found \"%.80s\"; %s", text, why);
        if (status != RESULT_OK)
            return status;
        if (why != NULL)
            table_warning(error, line, "found \"%.40s\"; %s", text, why);
        text = translated;
    }
    out->negated = source->negated;
    status = compile_text(table, text, options, line, &out->code, error);
    if (status == RESULT_OK && literal != NULL) {
        literal[0] = '\0';
        if (!source->negated && (options & PCRE2_EXTENDED) == 0)
            literal_index_of_pattern(text, literal);
    }
    free(translated);
    return status;
}

static enum result open_guard(void *of, char *text, unsigned line, uint32_t *guard,
                              struct table_error *error)
{
    struct regex_table *table = of;
    struct regex_source source;
    enum result status = cut_pattern(text, table->perl, line, &source, error);
    if (status != RESULT_OK)
        return status;
    /* Indented lines continue the one before: so a rule gets here. */
    if (source.rest[strspn(source.rest, " \t\n\v\f\r")] != '\0')
        table_warning(error, line,
                      "\"%.80s\" behind the pattern of an if means nothing: a rule begins at the "
                      "start of a line",
                      source.rest + strspn(source.rest, " \t\n\v\f\r"));
    struct regex_rule *guards =
        table_rules_grown(table->guards, &table->guard_room, table->guard_count, sizeof *guards);
    if (guards == NULL)
        return RESULT_NOMEM;
    table->guards = guards;
    struct regex_rule rule = {.guard = *guard, .line = line};
    status = compile_pattern(table, &source, line, &rule.first, NULL, error);
    if (status != RESULT_OK)
        return status; /* nothing was compiled */
    guards[table->guard_count] = rule;
    *guard = (uint32_t)table->guard_count++;
    return RESULT_OK;
}

static void free_rule(struct regex_rule *rule)
{
    pcre2_code_free(rule->first.code);
    pcre2_code_free(rule->second.code);
}

static enum result make_room(struct regex_table *table)
{
    struct regex_rule *rules =
        table_rules_grown(table->rules, &table->room, table->count, sizeof *rules);
    if (rules == NULL)
        return RESULT_NOMEM;
    table->rules = rules;
    void *literals = table_rules_grown(table->literals, &table->literal_room, table->count,
                                       sizeof *table->literals);
    if (literals == NULL)
        return RESULT_NOMEM;
    table->literals = literals;
    return RESULT_OK;
}

static enum result add_rule(void *of, char *text, unsigned line, uint32_t guard,
                            struct table_error *error)
{
    struct regex_table *table = of;
    struct regex_source first, second;
    enum result status = cut_pattern(text, table->perl, line, &first, error);
    if (status != RESULT_OK)
        return status;
    if (table->count == REGEX_RULES_MAX) {
        table_error(error, line, "more than %d patterns", REGEX_RULES_MAX);
        return RESULT_LIMIT;
    }
    char *value = first.rest;
    bool both = !table->perl && *first.rest == '!';
    if (both) {
        status = cut_pattern(first.rest, false, line, &second, error);
        if (status != RESULT_OK)
            return status;
        value = second.rest;
    }
    status = make_room(table);
    if (status != RESULT_OK)
        return status;
    while (table_lines_space(*value))
        value++;
    if (*value == '\0') /* Postfix warns, too */
        table_warning(error, line, "\"%.80s\" has no result: it ends the search and fits nobody",
                      first.text);
    /* Counted before it is compiled, so that what was compiled is freed whatever happens. */
    size_t at = table->count++;
    struct regex_rule *rule = &table->rules[at];
    *rule = (struct regex_rule){.guard = guard, .line = line, .value = value};
    status = compile_pattern(table, &first, line, &rule->first, table->literals[at], error);
    if (status == RESULT_OK && both)
        status = compile_pattern(table, &second, line, &rule->second, NULL, error);
    if (status == RESULT_INVALID) {
        free_rule(rule);
        table->count--;
    }
    return status;
}

static const struct table_rules lines_become = {.open = open_guard, .add = add_rule};

/* --- life cycle ------------------------------------------------------------------------------ */

static enum result prepare(struct regex_table *table)
{
    table->compile = pcre2_compile_context_create(NULL);
    table->match = pcre2_match_context_create(NULL);
    table->scratch = calloc(SCRATCH_COUNT, sizeof *table->scratch);
    if (table->compile == NULL || table->match == NULL || table->scratch == NULL)
        return RESULT_NOMEM;
    pcre2_set_max_pattern_length(table->compile, PATTERN_SIZE_MAX);
    pcre2_set_match_limit(table->match, MATCH_LIMIT);
    pcre2_set_depth_limit(table->match, DEPTH_LIMIT);
    pcre2_set_heap_limit(table->match, HEAP_LIMIT_KIB);
    for (size_t i = 0; i < SCRATCH_COUNT; i++) {
        atomic_flag_clear(&table->scratch[i].busy);
        table->scratch[i].data = pcre2_match_data_create(1, NULL);
        if (table->scratch[i].data == NULL)
            return RESULT_NOMEM;
    }
    return RESULT_OK;
}

static enum result build_index(struct regex_table *table)
{
    table->always = calloc(table->count / 64 + 1, sizeof *table->always);
    if (table->always == NULL)
        return RESULT_NOMEM;
    for (size_t i = 0; i < table->count; i++)
        if (table->literals[i][0] == '\0')
            table->always[i / 64] |= UINT64_C(1) << (i % 64);
    enum result status = literal_index_new((const char(*)[LITERAL_MAX + 1]) table->literals,
                                           table->count, &table->index);
    free(table->literals);
    table->literals = NULL;
    return status;
}

enum result regex_table_new(struct table_text *text, bool perl, const char *path,
                            struct regex_table **out, struct table_error *error)
{
    struct regex_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return RESULT_NOMEM;
    table->perl = perl;
    table->path = strdup(path);
    enum result status = table->path == NULL ? RESULT_NOMEM : prepare(table);
    if (status == RESULT_OK)
        status = table_rules_read(&lines_become, table, text, error);
    if (status == RESULT_OK)
        status = build_index(table);
    if (status != RESULT_OK) {
        regex_table_free(table);
        return status;
    }
    *out = table;
    return RESULT_OK;
}

void regex_table_free(struct regex_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free_rule(&table->rules[i]);
    for (size_t i = 0; i < table->guard_count; i++)
        pcre2_code_free(table->guards[i].first.code);
    for (size_t i = 0; table->scratch != NULL && i < SCRATCH_COUNT; i++)
        pcre2_match_data_free(table->scratch[i].data);
    pcre2_compile_context_free(table->compile);
    pcre2_match_context_free(table->match);
    literal_index_free(table->index);
    free(table->always);
    free(table->scratch);
    free(table->literals);
    free(table->rules);
    free(table->guards);
    free(table->path);
    free(table);
}

/* --- lookup ---------------------------------------------------------------------------------- */

struct regex_lookup {
    struct regex_table *table; /* for its scratch and its count only */
    const char *subject;
    size_t length;
    struct scratch *scratch;
    uint32_t known_guard; /* the last if that was tried, and how that ended */
    bool known_holds;
};

/* Lookups take microseconds, so one of the scratch blocks is free very soon. */
static struct scratch *take_scratch(struct regex_table *table)
{
    for (;;) {
        for (size_t i = 0; i < SCRATCH_COUNT; i++)
            if (!atomic_flag_test_and_set_explicit(&table->scratch[i].busy, memory_order_acquire))
                return &table->scratch[i];
        sched_yield();
    }
}

static void limit_reached(const struct regex_lookup *lookup, unsigned line, int code)
{
    char why[120];
    if (atomic_fetch_add_explicit(&lookup->table->limit_hits, 1, memory_order_relaxed) != 0)
        return;
    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why) < 0)
        why[0] = '\0';
    log_warning("%s:%u: pattern given up on a name (%s); it counts as not matching; not logged "
                "again for this table",
                lookup->table->path, line, why);
}

/* An error is no match, negated or not, as in Postfix. */
static bool holds(const struct regex_lookup *lookup, const struct regex_pattern *pattern,
                  unsigned line)
{
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)lookup->subject, lookup->length, 0, 0,
                         lookup->scratch->data, lookup->table->match);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(pattern->code, (PCRE2_SPTR)lookup->subject, lookup->length, 0,
                         PCRE2_NO_JIT, lookup->scratch->data, lookup->table->match);
    if (rc >= 0)
        return !pattern->negated;
    if (rc == PCRE2_ERROR_NOMATCH)
        return pattern->negated;
    limit_reached(lookup, line, rc);
    return false;
}

static bool guards_hold(struct regex_lookup *lookup, uint32_t guard)
{
    if (guard == TABLE_UNGUARDED)
        return true;
    if (guard == lookup->known_guard)
        return lookup->known_holds;
    const struct regex_rule *rule = &lookup->table->guards[guard];
    bool result = guards_hold(lookup, rule->guard) && holds(lookup, &rule->first, rule->line);
    lookup->known_guard = guard;
    lookup->known_holds = result;
    return result;
}

static bool rule_matches(struct regex_lookup *lookup, const struct regex_rule *rule)
{
    return guards_hold(lookup, rule->guard) && holds(lookup, &rule->first, rule->line) &&
           (rule->second.code == NULL || holds(lookup, &rule->second, rule->line));
}

static const struct regex_rule *first_match(struct regex_lookup *lookup, const uint64_t *candidates,
                                            size_t words)
{
    for (size_t word = 0; word < words; word++) {
        for (uint64_t bits = candidates[word]; bits != 0; bits &= bits - 1) {
            size_t at = word * 64 + (size_t)__builtin_ctzll(bits);
            if (rule_matches(lookup, &lookup->table->rules[at]))
                return &lookup->table->rules[at];
        }
    }
    return NULL;
}

const char *regex_table_find(const struct regex_table *table, const char *subject)
{
    size_t length = strlen(subject), words = table->count / 64 + 1;
    char lower[REGEX_SUBJECT_MAX];
    uint64_t candidates[WORDS_MAX + 1];
    if (length > REGEX_SUBJECT_MAX)
        return NULL;
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)tolower((unsigned char)subject[i]);
    memcpy(candidates, table->always, words * sizeof *candidates);
    literal_index_mark(table->index, lower, length, candidates);
    /* The table is immutable for its callers; scratch and count are its own business. */
    struct regex_lookup lookup = {.table = (struct regex_table *)(uintptr_t)table,
                                  .subject = subject,
                                  .length = length,
                                  .known_guard = TABLE_UNGUARDED};
    lookup.scratch = take_scratch(lookup.table);
    const struct regex_rule *found = first_match(&lookup, candidates, words);
    atomic_flag_clear_explicit(&lookup.scratch->busy, memory_order_release);
    return found == NULL ? NULL : found->value;
}

const char *regex_table_value(const struct regex_table *table, size_t i)
{
    return i < table->count ? table->rules[i].value : NULL;
}

uint64_t regex_table_limit_hits(const struct regex_table *table)
{
    return atomic_load_explicit(&table->limit_hits, memory_order_relaxed);
}
