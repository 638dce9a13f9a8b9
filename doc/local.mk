# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += doc/iprevd.8 doc/iprevctl.1
dist_doc_DATA += doc/architecture.md doc/benchmarks.md doc/benchmarks-method.md doc/scale.md doc/growth-cache.svg \
	doc/growth-ptr.svg doc/growth-rules.svg doc/growth-sessions.svg doc/growth-slow.svg doc/differences.md doc/farm.md doc/monitor-first.md doc/policy.md \
	doc/postfix.md doc/reliability.md doc/sendmail.md doc/session.md doc/why-was-i-refused.md doc/why-was-i-refused.html

include doc/site.mk
