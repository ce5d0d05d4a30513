#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The supervisor dies: what flows goes on, the next one takes over what is in
# the kernel and doubles nothing. Cleanup leaves no trace, and can be run
# twice. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

count_programs()
{
	if [ "$1" = clsact ]; then
		in_router tc filter show dev lan0 ingress | grep -c dae_lan || :
	else
		find "$lab/bpf/dae" -name 'link-*' | wc -l
	fi
}

f=$lab_far
product_lab
conf_attach=$1
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	dip($f.67/32) -> block
	fallback: direct"
config_write
kernel_view >"$lab/before"
daemon_start
daemon_settle
check_way engine tcp "$f.64"
check_way wan1 udp "$f.66"
kernel_view | grep -v '^pin' >"$lab/running"

in_client "$flowtool" stream "$f.66" 7000 6 >"$lab/stream2.out" &
second=$!
stream_start "$f.64" 6
sleep 0.5
mapfile -t old < <(worker_pids)
lab_stop supervisor KILL
sleep 1
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
	check_way block $proto "$f.67"
	check_way direct $proto "$f.10"
done
left=0
for pid in "${old[@]}"; do
	# a corpse that nobody has fetched yet runs no program
	! readlink "/proc/$pid/exe" >/dev/null || left=$((left + 1))
done
check "workers that outlived it" 0 "$left"
daemon_start
daemon_settle
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
	check_way block $proto "$f.67"
done
wait "$second" || :
check_has "the other transfer" '^longest silence ([123]?[0-9]{1,2}) ms' \
	"$(cat "$lab/stream2.out")"
stream_check "the transfer through the engine" 400
check "programs on the interface" 1 "$(count_programs "$1")"
kernel_view | grep -v '^pin' >"$lab/again"
check "differences of rules, routes, filters and sysctls" "" \
	"$(diff "$lab/running" "$lab/again" | head -n 5)"

# A stop leaves what flows in force; cleanup takes it away.
lab_stop supervisor
check_way wan1 tcp "$f.66"
for run in first second; do
	in_router "$supervisor" --cleanup --bpf-dir "$lab/bpf/dae" \
		--state-dir "$lab/state" && r=0 || r=$?
	check "exit code of the $run cleanup" 0 "$r"
	kernel_view >"$lab/after"
	check "what is left after the $run" "" \
		"$(diff "$lab/before" "$lab/after" | head -n 5)"
done
check_way direct tcp "$f.66"
check_way direct tcp "$f.67"
check "saved sysctls" no "$([ -e "$lab/state/sysctls" ] && echo yes || echo no)"
finish
