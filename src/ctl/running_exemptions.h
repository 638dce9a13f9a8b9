/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exemptions in effect (iprevctl allow), for a command that answers as the daemon would.  The
 * running daemon is asked, whose memory is what counts; when none runs, the file is read that it
 * would start from.
 */
#ifndef IPREVD_RUNNING_EXEMPTIONS_H
#define IPREVD_RUNNING_EXEMPTIONS_H

#include "site/conf.h"
#include "site/exemptions.h"

#define EXEMPTIONS_NOTE_MAX 512

/*
 * NULL: out of memory.  The caller frees by exemptions_free().  `note` is "", or says why not all
 * of them are known.  Does I/O.
 */
struct exemptions *running_exemptions_load(const struct conf *conf, int64_t wall_s,
                                           char note[EXEMPTIONS_NOTE_MAX]) MUST_CHECK;

#endif
