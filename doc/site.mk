# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS += doc/iprevd.conf.5
