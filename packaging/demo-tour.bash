# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The tour of the demonstration: one function a stop. Read by packaging/demo.
# shellcheck disable=SC2154

worker_pids() { daectl workers --json | jq -r '.data[] | .pid // empty'; }
recycles() { daectl status --json | jq '.data.workers.recycles.rss_soft'; }

tour_status()
{
	say "What there is, and how it is. Checks run in sandboxed workers."
	lab_wait 20 "the first verdicts" sh -c "
		'$bin/supervisor/ctl/daectl' -s '$lab/run/control.sock' status \
			--json | jq -e '.data.nodes.unknown == 0 and
			.data.monitors.up == .data.monitors.total'"
	show daectl status
	show daectl nodes
	show daectl groups
	show daectl monitors
	show daectl workers
}

tour_flow()
{
	local what=$1 address=$2 proto

	for proto in tcp udp; do
		printf '  %-28s %s %s: the far side saw %s\n' "$what" "$proto" \
			"$address" \
			"$(in_client "$flowtool" $proto "$address" 7000 || :)"
	done
}

tour_flows()
{
	say "Flows of the client, by rule. 10.77.2.1 is the router's first" \
		"uplink, 10.77.3.1 its second; another address is the engine's."
	tour_flow "direct (fallback)" "$lab_far.10"
	tour_flow "engine (tproxy://)" "$lab_far.11"
	tour_flow "second uplink (iface://)" "$lab_far.12"
	tour_flow "block" "$lab_far.13"
	show daectl route test 10.77.1.2 "$lab_far.12:7000" -p tcp
}

tour_failover()
{
	say "The group 'game' prefers the engine. Its engine is killed; the" \
		"next flow is already on the second uplink."
	tour_flow "before" "$lab_far.14"
	lab_stop engine KILL
	tour_flow "after" "$lab_far.14"
	lab_engine
}

tour_leak()
{
	local before after end=$((SECONDS + 25))

	say "A worker that leaks (a test build) is put in its place: it is" \
		"replaced before its memory matters, and no check is lost."
	ln -sf "$bin/tests/harness/leaky_worker" "$lab/libexec/dae-worker"
	daectl recycle --all >/dev/null
	before=$(recycles)
	while [ $SECONDS -lt $end ]; do
		after=$(recycles)
		[ "$after" -lt $((before + 2)) ] || break
		sleep 0.5
	done
	show daectl events -n 6
	show daectl workers
	ln -sf "$bin/worker/dae-worker" "$lab/libexec/dae-worker"
	daectl recycle --all >/dev/null
	printf '  of %s checks since the start, ended late or by our fault: %s\n' \
		"$(daectl status --json | jq .data.checks.results)" \
		"$(daectl status --json | jq '.data.checks | .ours + .late')"
}

tour_kill()
{
	local out=$lab/stream.out transfer

	say "A transfer through the engine runs while a worker, then the" \
		"supervisor, is killed with SIGKILL."
	in_client "$flowtool" stream "$lab_far.11" 7000 6 >"$out" &
	transfer=$!
	sleep 1.5
	kill -KILL "$(worker_pids | head -n 1)"
	sleep 1
	lab_stop supervisor KILL
	sleep 1
	daemon_start
	wait $transfer || :
	printf '  the transfer: %s\n' "$(cat "$out")"
	tour_flow "and a new flow" "$lab_far.11"
	show daectl status
}

tour_reload()
{
	say "A reload. A mistake changes nothing and is shown with its place."
	cp -p "$lab/config.dae" "$lab/good.dae"
	sed -i 's/policy: min_moving_avg/policy: min_moving_average/' \
		"$lab/config.dae"
	show daectl reload || :
	cat "$lab/good.dae" >"$lab/config.dae"
	sed -i "s/$lab_far.13\/32/$lab_far.10\/32/" "$lab/config.dae"
	show daectl reload
	tour_flow "blocked since the reload" "$lab_far.10"
	cat "$lab/good.dae" >"$lab/config.dae"
	daectl reload >/dev/null
}

tour()
{
	local stop

	for stop in status flows failover leak kill reload; do
		"tour_$stop"
	done
}
