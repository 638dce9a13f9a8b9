/* SPDX-License-Identifier: BSD-2-Clause */
/* From the records of one name and type to an answer.  Thread safe. */
#ifndef IPREVD_RRSET_H
#define IPREVD_RRSET_H

#include "dns/rrcodec.h"

/*
 * The FOUND answer of `count` records of that type (at least one; reordered): sorted in canonical
 * order, those of MX by preference first, without duplicates, with the least of their TTLs (RFC
 * 2181 5.2).  NULL: out of memory.
 */
struct answer *rrset_answer(struct rr *records, unsigned count, uint16_t type) MUST_CHECK;

#endif
