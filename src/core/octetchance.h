/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How unlikely is it that the numbers in a host name equal the last octets of its address by
 * chance?  Access providers number their lines by the last one or two octets ("d33-166",
 * "user157"), and hosts that are numbered in order equal an octet now and then ("web7", "gw2").
 * What counts is not how many octets there are but how seldom a coincidence is: in bits, the
 * logarithm of one chance in so many.  Pure; thread safe.
 */
#ifndef IPREVD_OCTETCHANCE_H
#define IPREVD_OCTETCHANCE_H

#include "core/addrtrace.h"

struct octetchance {
    unsigned bits;          /* of the numbers alone, 0 when there is no such number */
    bool pair;              /* the last two octets, side by side in the first label */
    bool hex;               /* they are hexadecimal */
    struct name_span shown; /* from the first to the last digit that counted; borrowed */
};

/* Look for the octets of an IPv4 address (4 bytes) in the first label of a name. */
void octetchance_find(const struct name_parts *parts, const uint8_t *octets,
                      struct octetchance *out);

#endif
