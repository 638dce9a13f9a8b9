/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program wrote a Received field, where that says how it is to be read.  `tail` is the field
 * from "by" on.  Pure; thread safe.
 */
#ifndef IPREVD_RECEIVED_WRITER_H
#define IPREVD_RECEIVED_WRITER_H

#include "core/received_scan.h"

enum received_writer {
    RECEIVED_WRITER_UNKNOWN,
    RECEIVED_WRITER_SENDMAIL,
    RECEIVED_WRITER_EXIM,
    RECEIVED_WRITER_AMAVIS,
    RECEIVED_WRITER_GMAIL
};

/*
 * What programs say of themselves behind "by": "by mx.example.org (8.17.1/8.17.1) with ESMTP", "by
 * mx.example.org with esmtps (TLS1.3) tls X (Exim 4.97)", "by localhost (mx.example.org
 * [127.0.0.1]) (amavis, port 10024)".  What a client chose stands behind "id" and in comments that
 * begin otherwise.
 */
enum received_writer received_writer_find(struct received_span tail);

/* "by mx.example.org with esmtps": in Exim's words EHLO was said, not HELO or nothing. */
bool received_writer_said_ehlo(struct received_span tail);

/*
 * The writer took the message over the network and does not say from whom: "by mx.example.org
 * (Postfix) id 4Zk" with smtpd_hide_client_session, "by mx.example.org (OpenSMTPD) with ESMTPSA"
 * with mask-src.  What stands below such a field may come from anybody.  Gmail, between its own
 * hosts, does not name its program.
 */
bool received_writer_hides_client(struct received_span tail);

#endif
