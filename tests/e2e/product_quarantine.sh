#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One target makes each worker crash that probes it: it is held, those beside
# it are not, and it is probed again when it is let go.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

monitor() { daectl monitors show "$1" --json | jq -r ".data$2"; }
is_innocent() { [ "$(monitor culprit .state)" = up ]; }
is_held() { [ "$(monitor culprit .state)" = quarantined ]; }

product_lab
slow_web 8080 100
ln -sf "$DAE_BUILD/tests/harness/crashy_worker" "$lab/libexec/dae-worker"
no_nodes
conf_supervisor="	quarantine {
			crashes: 3
			hold: 1h
		}
		monitor {
			$(monitors_of 8080 10 500ms)
			culprit: 'http://$lab_web:8080/crash-me' [interval: 500ms]
		}"
config_write
daemon_start
wait_for 30 "the culprit is held" is_held
crashes=$(status .workers.crashes)
check_that "workers that it took" "$crashes >= 3 && $crashes <= 6"
sleep 3
check "crashes since" "$crashes" "$(status .workers.crashes)"
check "held" 1 "$(status .monitors.quarantined)"
check "innocent ones that are up" 10 "$(status .monitors.up)"
check "checks of theirs that failed" 0 "$(total_of fail)"
check "checks of theirs that were ours" 0 "$(total_of ours)"
check_has "the event" 'quarantine culprit' "$(events_since 0)"

daectl nodes release culprit >/dev/null
sleep 3
check_that "crashes once it was let go" "$(status .workers.crashes) > $crashes"
wait_for 30 "it is held again" is_held

# with a worker that does not crash it is innocent
ln -sf "$worker" "$lab/libexec/dae-worker"
daectl recycle --all >/dev/null
daectl nodes release culprit >/dev/null || :
wait_for 10 "the culprit is up" is_innocent
finish
