/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is replaced as a whole: until the end of a save the old one is there, afterwards the
 * new one, whatever is cut off in between.  Does I/O; one caller a file at a time.
 */
#ifndef IPREVD_REPLACE_FILE_H
#define IPREVD_REPLACE_FILE_H

#include "base/result.h"

#include <stddef.h>
#include <sys/types.h>

struct replace_file {
    const char *path; /* borrowed until the end */
    char *temporary;
    int fd; /* to write to */
};

/*
 * Make PATH.new with that mode.  What another save has left there is not continued, nor followed if
 * it is a link.  RESULT_IO with errno, RESULT_NOMEM: nothing is left behind.
 */
enum result replace_file_begin(struct replace_file *file, const char *path, mode_t mode) MUST_CHECK;

/* All of it, however many calls that takes.  RESULT_IO with errno; the end is still due. */
enum result replace_file_write(struct replace_file *file, const void *bytes,
                               size_t length) MUST_CHECK;

/*
 * After `status` RESULT_OK put it in the place of `path`, on the disk; else remove it.  Written by
 * root it belongs to the owner of the directory, where the system lets: after one run by hand the
 * service, which is not root, could not read it.  Returns `status`, or RESULT_IO with errno, and
 * then the old file is still there.
 */
enum result replace_file_end(struct replace_file *file, enum result status) MUST_CHECK;

#endif
