/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Word to the service manager (systemd's sd_notify(3)); nothing where there is none.  Thread safe.
 */
#ifndef IPREVD_NOTIFY_H
#define IPREVD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);

/* Milliseconds between two notify_alive() that the manager expects at most; 0: none. */
int64_t notify_watchdog_ms(void);

#endif
