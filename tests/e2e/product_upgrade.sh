#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An upgrade to a version with another ABI of the maps: what runs goes on until
# the new programs take its place, nothing is lost. Numbers of groups and nodes
# keep their meaning through it, too. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

mapabi=$DAE_BUILD/tests/harness/mapabi
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
abi=$(in_router "$mapabi" "$lab/bpf/dae/control")

in_client "$flowtool" stream "$f.66" 7000 7 >"$lab/stream2.out" &
second=$!
in_client "$flowtool" watch udp "$f.66" 7000 6 >"$lab/watch.out" &
watch=$!
stream_start "$f.64" 7
lab_stop supervisor KILL
in_router "$mapabi" "$lab/bpf/dae/control" 9999
check "the ABI of before" 9999 "$(in_router "$mapabi" "$lab/bpf/dae/control")"
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
done
daemon_start
check "the ABI now" "$abi" "$(in_router "$mapabi" "$lab/bpf/dae/control")"
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
	check_way block $proto "$f.67"
	check_way direct $proto "$f.10"
done
wait "$second" || :
check_has "the transfer over the uplink" \
	'^longest silence ([123]?[0-9]{1,2}) ms' "$(cat "$lab/stream2.out")"
stream_check "the transfer through the engine" 400
wait "$watch" || :
# one line a change of the answer: that is one, the first
check "answers to new flows, as they changed ($(tr '\n' ' ' <"$lab/watch.out"))" \
	1 "$(wc -l <"$lab/watch.out")"
check "programs" 1 "$(status .kernel.links)"

lab_stop supervisor
in_router "$supervisor" --cleanup --bpf-dir "$lab/bpf/dae" \
	--state-dir "$lab/state" && r=0 || r=$?
check "exit code of the cleanup" 0 "$r"
kernel_view >"$lab/after"
check "what is left of rules, routes, filters, pins and sysctls" "" \
	"$(diff "$lab/before" "$lab/after" | head -n 5)"
finish
