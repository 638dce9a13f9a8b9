# SPDX-License-Identifier: BSD-2-Clause
# Samples for systems that are not Debian.
EXTRA_DIST += contrib/iprevd.openrc contrib/iprevd.rc contrib/iprevd.spec

# For Prometheus and Grafana.
EXTRA_DIST += contrib/grafana/iprevd.json contrib/prometheus/iprevd.rules.yml \
	contrib/prometheus/iprevd.rules.test.yml
