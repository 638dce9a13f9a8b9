/* SPDX-License-Identifier: BSD-2-Clause */
/* Plays scenario files: tests/scenario/README. */
#include "play.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        bool ok = play_file(argv[i], stdout, NULL);
        printf("%s %s\n", ok ? "ok  " : "FAIL", argv[i]);
        failed += !ok;
    }
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed == 0 && argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
