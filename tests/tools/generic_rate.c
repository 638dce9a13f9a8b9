/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often is a name judged generic?  Reads lines of address, host name and label, separated by
 * tabs ('#' begins a comment), and prints for each label how many names were judged generic.
 *
 *     generic_rate [-v LABEL | -m LABEL] [-s] FILE
 *
 * -v lists the names of LABEL that are judged generic with the reason, -m those that are not;
 * -s counts "static" as a word of intent.
 */
#include "core/generic.h"
#include "core/hostname.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABELS_MAX     16
#define LINE_MAX_BYTES 1024
#define LABEL_TEXT_MAX 63

struct tally {
    char label[LABEL_TEXT_MAX + 1];
    size_t total, generic;
    size_t unusable; /* not host names: nothing to judge */
};

struct options {
    const char *list_generic, *list_missed;
    bool static_is_intent;
};

static struct tally *find_tally(struct tally tallies[LABELS_MAX], const char *label)
{
    for (size_t i = 0; i < LABELS_MAX; i++) {
        if (tallies[i].label[0] == '\0')
            snprintf(tallies[i].label, sizeof tallies[i].label, "%s", label);
        if (strcmp(tallies[i].label, label) == 0)
            return &tallies[i];
    }
    return NULL;
}

/* False when the line is neither data nor comment. */
static bool judge_line(char *line, const struct options *options, struct tally tallies[LABELS_MAX])
{
    char *save = NULL;
    char name[HOSTNAME_MAX + 1];
    struct ipaddr addr;
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '#' || line[0] == '\0')
        return true;
    const char *address = strtok_r(line, "\t", &save);
    const char *text = strtok_r(NULL, "\t", &save);
    const char *label = strtok_r(NULL, "\t", &save);
    if (label == NULL || strlen(label) > LABEL_TEXT_MAX ||
        ipaddr_parse(address, &addr) != RESULT_OK)
        return false;
    struct tally *tally = find_tally(tallies, label);
    if (tally == NULL)
        return false;
    if (hostname_parse(text, name) != HOSTNAME_OK) {
        tally->unusable++;
        return true;
    }
    struct generic generic = generic_evaluate(name, &addr, options->static_is_intent);
    tally->total++;
    tally->generic += generic.generic;
    if (generic.generic && options->list_generic != NULL &&
        strcmp(label, options->list_generic) == 0)
        printf("%s\t%s\t%s\n", address, name, generic.why);
    if (!generic.generic && options->list_missed != NULL &&
        strcmp(label, options->list_missed) == 0)
        printf("%s\t%s\n", address, name);
    return true;
}

static bool judge_file(FILE *file, const struct options *options, struct tally tallies[LABELS_MAX])
{
    char line[LINE_MAX_BYTES];
    bool sound = true;
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        if (!judge_line(line, options, tallies)) {
            fprintf(stderr, "generic_rate: line %u: not an address, a host name and a label\n",
                    number);
            sound = false;
        }
    }
    return sound;
}

static void print_tally(const struct tally *tally)
{
    double percent = tally->total > 0 ? 100.0 * (double)tally->generic / (double)tally->total : 0.0;
    printf("%s %zu of %zu generic (%.1f %%)", tally->label, tally->generic, tally->total, percent);
    if (tally->unusable > 0)
        printf(", %zu not host names", tally->unusable);
    printf("\n");
}

int main(int argc, char **argv)
{
    struct tally tallies[LABELS_MAX];
    struct options options = {NULL, NULL, false};
    int option;
    memset(tallies, 0, sizeof tallies);
    while ((option = getopt(argc, argv, "v:m:s")) != -1) {
        if (option == 'v')
            options.list_generic = optarg;
        else if (option == 'm')
            options.list_missed = optarg;
        else if (option == 's')
            options.static_is_intent = true;
        else
            return EXIT_FAILURE;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: generic_rate [-v LABEL | -m LABEL] [-s] FILE\n");
        return EXIT_FAILURE;
    }
    FILE *file = fopen(argv[optind], "r");
    if (file == NULL) {
        perror(argv[optind]);
        return EXIT_FAILURE;
    }
    bool sound = judge_file(file, &options, tallies);
    fclose(file);
    for (size_t i = 0; i < LABELS_MAX && tallies[i].label[0] != '\0'; i++)
        print_tally(&tallies[i]);
    return sound ? EXIT_SUCCESS : EXIT_FAILURE;
}
