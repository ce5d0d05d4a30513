#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A worker that is heard but swallows its jobs is killed for it, and no node is
# judged by its silence; an honest one in its place makes all well.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

stuck() { [ "$(status .workers.recycles.stuck)" -ge 1 ]; }
all_up() { [ "$(daectl monitors --json | jq -r \
	'[.data[] | .state] | unique | join(" ")')" = up ]; }

product_lab
slow_web 8080 10
ln -sf "$DAE_BUILD/tests/harness/silent_worker" "$lab/libexec/dae-worker"
no_nodes
conf_supervisor="	probe_timeout: 2s
		recycle {
			min_gap: 200ms
		}
		monitor {
			$(monitors_of 8080 8 1s)
		}"
config_write
daemon_start
wait_for 15 "a worker that is killed as stuck" stuck
check "monitors that were judged" unknown "$(daectl monitors --json | jq -r \
	'[.data[] | .state] | unique | join(" ")')"
check "held targets" 0 "$(daectl monitors --json | jq -r \
	'[.data[] | select(.state == "quarantined")] | length')"

ln -sf "$worker" "$lab/libexec/dae-worker"
wait_for 30 "all monitors up" all_up
finish
