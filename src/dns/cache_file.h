/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache's file: blocks of records (base/block_file.h).  Only what the loader and its fuzz
 * target share is here.
 */
#ifndef IPREVD_CACHE_FILE_H
#define IPREVD_CACHE_FILE_H

#define CACHE_FILE_MAGIC   "\x8ciprevd\n"
#define CACHE_FILE_VERSION 2U
/* As version 2, but its denials were believed without the proof that denial.h asks for. */
#define CACHE_FILE_VERSION_UNPROVED 1U

#endif
