# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += doc/iprevd.8 doc/iprevctl.1
dist_doc_DATA += doc/architecture.md doc/benchmarks.md doc/policy.md doc/postfix.md \
	doc/sendmail.md

include doc/site.mk
