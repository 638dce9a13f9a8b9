/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The management loop's one word for the start of the program; the rest of it is private to the
 * service (service_state.h).
 */
#ifndef IPREVD_MANAGEMENT_H
#define IPREVD_MANAGEMENT_H

/*
 * Block the signals that the management loop takes, in this and every later thread, so that one
 * that comes before there is a loop waits for it; SIGPIPE is ignored.  Call before there is
 * anything to clean up.
 */
void management_block_signals(void);

#endif
