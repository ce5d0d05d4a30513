#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Workers are replaced under load, because they leak, by order, and by a policy
# that is changed at run time. No check is lost.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

recycles() { status ".workers.recycles.$1"; }

product_lab
slow_web 8080 50
ln -sf "$DAE_BUILD/tests/harness/leaky_worker" "$lab/libexec/dae-worker"
no_nodes
conf_supervisor="	recycle {
			rss_soft: 8M
			rss_hard: 20M
			min_gap: 200ms
		}
		monitor {
			$(monitors_of 8080 16 1s)
		}"
config_write
daemon_start
daemon_settle

# it leaks half a megabyte a check, so 8 MiB are some 16 checks
sleep 8
check_that "workers that were replaced for their memory" "$(recycles rss_soft) >= 4"
check "workers that had to be killed for it" 0 "$(recycles rss_hard)"
check_that "the largest, in bytes" "$(status .workers.rss_max_bytes) < 24 << 20"
check_ledger

# by order, with a worker that does not leak
ln -sf "$worker" "$lab/libexec/dae-worker"
before=$(recycles admin)
for _ in {1..50}; do
	daectl recycle --all >/dev/null || :
	sleep 0.1
done
check_that "workers that were replaced by order" "$(recycles admin) - $before >= 50"
sleep 1
check_ledger

# by a policy
before=$(recycles probes)
daectl recycle policy max_probes=10 min_gap=100ms >/dev/null
check_has "the policy" '^max_probes=10$' "$(daectl recycle policy)"
sleep 5
check_that "workers that were replaced for their probes" \
	"$(recycles probes) - $before >= 2"
daectl recycle policy rss_soft=40M >/dev/null 2>&1 && r=0 || r=$?
check "exit code of a policy that contradicts itself" 2 "$r"
check_has "the policy then" '^rss_soft=8M$' "$(daectl recycle policy)"
sleep 1
check_ledger
check "checks that failed" 0 "$(total_of fail)"
check "crashes" 0 "$(status .workers.crashes)"
check_that "memory of all workers" "$(status .workers.rss_bytes) < 96 << 20"
finish
