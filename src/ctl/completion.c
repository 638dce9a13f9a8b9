/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/completion.h"

#include <ctype.h>
#include <string.h>

static const char head[] =
    "# bash completion for iprevctl(1), made by \"iprevctl --completion\"\n"
    "_iprevctl()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} name= i\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        -c) i=$((i + 1)) ;;\n"
    "        -*) ;;\n"
    "        *) name=${COMP_WORDS[i]}; break ;;\n"
    "        esac\n"
    "    done\n"
    "    if [ \"$before\" = -c ]; then\n"
    "        compopt -o filenames\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
    "        return\n"
    "    fi\n";

static const char tail[] = "}\ncomplete -F _iprevctl iprevctl\n";

static void put_words(FILE *stream, const char *indent, const char *words)
{
    (void)fprintf(stream, "%smapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\")\n", indent,
                  words);
}

static void put_files(FILE *stream, const char *indent)
{
    (void)fprintf(stream,
                  "%scompopt -o filenames\n%smapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n",
                  indent, indent);
}

/* What stands behind an option: a file, one of some words, or anything. */
static void put_argument(FILE *stream, const struct command_option *option)
{
    char words[256];
    size_t length = strlen(option->argument);
    (void)fprintf(stream, "        --%s)\n", option->name);
    if (strcmp(option->argument, "FILE") == 0) {
        put_files(stream, "            ");
    } else if (strchr(option->argument, '|') != NULL && length < sizeof words) {
        memcpy(words, option->argument, length + 1);
        for (char *at = words; *at != '\0'; at++)
            if (*at == '|')
                *at = ' ';
        put_words(stream, "            ", words);
    }
    (void)fputs("            return ;;\n", stream);
}

/* A word in lower case that is what one types: "get NAME|IP" is get. */
static size_t verb_length(const char *word)
{
    size_t length = 0;
    while (islower((unsigned char)word[length]))
        length++;
    return length;
}

static void put_command(FILE *stream, const struct command *command)
{
    (void)fprintf(stream, "    %s)\n        case $before in\n", command->name);
    for (const struct command_option *at = command->options; at != NULL && at->name != NULL; at++)
        if (at->argument != NULL)
            put_argument(stream, at);
    (void)fputs("        esac\n        case $word in\n        -*)\n"
                "            mapfile -t COMPREPLY < <(compgen -W '-c --help",
                stream);
    for (const struct command_option *at = command->options; at != NULL && at->name != NULL; at++)
        (void)fprintf(stream, " --%s", at->name);
    (void)fputs("' -- \"$word\")\n            return ;;\n        esac\n", stream);
    if (strstr(command->operands, "FILE") != NULL) {
        put_files(stream, "        ");
    } else if (command->words != NULL) {
        (void)fputs("        [ \"$before\" = \"$name\" ] &&\n"
                    "            mapfile -t COMPREPLY < <(compgen -W '",
                    stream);
        for (const struct command_word *at = command->words; at->word != NULL; at++)
            (void)fprintf(stream, "%s%.*s", at == command->words ? "" : " ",
                          (int)verb_length(at->word), at->word);
        (void)fputs("' -- \"$word\")\n", stream);
    }
    (void)fputs("        return ;;\n", stream);
}

void completion_print_bash(FILE *stream, const struct command *const commands[], size_t count)
{
    (void)fputs(head, stream);
    (void)fputs("    case $name in\n    '')\n"
                "        mapfile -t COMPREPLY < <(compgen -W '-c --help --version",
                stream);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(stream, " %s", commands[i]->name);
    (void)fputs("' -- \"$word\") ;;\n", stream);
    for (size_t i = 0; i < count; i++)
        put_command(stream, commands[i]);
    (void)fputs("    esac\n", stream);
    (void)fputs(tail, stream);
}
