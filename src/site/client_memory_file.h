/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of the memory of clients, as site/client_table.h has it, of entries as the table has
 * them: word (8 bytes), failed_s (4), last_day (2), previous_day (2).  Only what the loader and its
 * fuzz target share is here.
 */
#ifndef IPREVD_CLIENT_MEMORY_FILE_H
#define IPREVD_CLIENT_MEMORY_FILE_H

#define CLIENT_MEMORY_FILE_MAGIC   "\x8diprevd\n"
#define CLIENT_MEMORY_FILE_VERSION 1U
#define CLIENT_MEMORY_FILE_ENTRY   16

#endif
