/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is an address one of this machine's own?  Found without netlink, which the service's unit forbids
 * (RestrictAddressFamilies): a UDP socket that is connected to an address of this machine has that
 * address as its own.  No packet is sent.
 */
#ifndef IPREVD_OWN_ADDRESS_H
#define IPREVD_OWN_ADDRESS_H

#include "core/ipaddr.h"

/*
 * False also when it is not known (no descriptor, no route).  Of the loopback network only the
 * address from which this machine speaks counts (127.0.0.1).  Thread safe; three system calls.
 */
bool own_address_is(const struct ipaddr *addr);

#endif
