#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Workers are killed with SIGKILL in the middle of checks. The server's own
# book says what was asked: each check has one final record, and none was lost.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

product_lab
slow_web 8080 150
no_nodes
conf_supervisor="	monitor {
			$(monitors_of 8080 20 500ms)
		}"
config_write
daemon_start
daemon_settle

kills=0
end=$((SECONDS + 12))
while [ $SECONDS -lt $end ]; do
	pid=$(worker_pids | shuf -n 1)
	if [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; then
		kills=$((kills + 1))
	fi
	sleep 0.3
done
check_that "workers that were killed" "$kills >= 10"
check_that "crashes that were counted" "$(status .workers.crashes) >= $kills - 1"
sleep 2

# Nothing new is begun while both books are closed.
pid=$(cat "$lab/pids/supervisor")
kill -STOP "$pid"
sleep 0.5
asked=$(grep -c '^/m' "$lab/requests")
kill -CONT "$pid"
ok=$(total_of ok)
check_ledger
check "checks that failed" 0 "$(total_of fail)"
check "checks that were ours" 0 "$(total_of ours)"
again=$(status .checks.redispatched)
check_that "checks that were given to another worker" "$again >= 1"
echo "asked $asked, answered $ok, given to another $again"
check_that "asked of the server, at least as often as answered" "$asked >= $ok - 20"
check_that "and no more often than given to another" \
	"$asked - $ok <= $again + 20"
# 20 monitors, twice a second: none was left out
for ((i = 1; i <= 20; i++)); do
	[ "$(grep -c "^/m$i " "$lab/requests")" -ge 24 ] || echo "few: m$i"
done >"$lab/few"
check "monitors that were asked less often than they should" "" "$(cat "$lab/few")"
check "nodes held" 0 "$(status .monitors.quarantined)"
finish
