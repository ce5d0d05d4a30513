#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A reload: a bad file changes nothing and is shown with its place, a good one
# swaps the rules under traffic and keeps what is known of nodes that stay.
# $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
rules()
{
	conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> $1
	fallback: direct"
	config_write
}
generation() { status .config.generation; }
is_generation() { [ "$(generation)" = "$1" ]; }
ok_total()
{
	daectl nodes show wan1 --json |
		jq '.data.checks[] | select(.class == "tcp4") | .ok_total'
}

product_lab
conf_attach=$1
rules second
daemon_start
daemon_settle
check_way wan1 tcp "$f.66"
sleep 2

# bad
good=$conf_group
conf_group=${conf_group/fallback/falback}
config_write
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code of a bad reload" 6 "$r"
check_has "the place" 'config\.dae:[0-9]+:[0-9]+: .*falback' "$out"
check_has "the caret" '\^~+' "$out"
check_has "the suggestion" "did you mean 'fallback'" "$out"
check "generation" 1 "$(generation)"
check_way wan1 tcp "$f.66"
conf_group=$good
rules nowhere
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code of a rule that leads nowhere" 6 "$r"
check_has "its place" 'config\.dae:[0-9]+:[0-9]+: .*nowhere' "$out"
daectl reload --dry-run >/dev/null 2>&1 && r=0 || r=$?
check "exit code of a dry run" 6 "$r"
conf_attach=bad
config_write
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code of a bad word" 6 "$r"
conf_attach=$1
check_way wan1 tcp "$f.66"

# good, while something flows
before=$(ok_total)
stream_start "$f.64" 8
rules block
daectl reload --dry-run >/dev/null
check_way wan1 tcp "$f.66"
daectl reload >/dev/null && r=0 || r=$?
check "exit code of a good reload" 0 "$r"
check "generation" 2 "$(generation)"
check_way block tcp "$f.66"
check_way block udp "$f.66"
check_that "what is known of a node that stays" "$(ok_total) >= $before"
check "its state" up "$(node_state wan1)"

# nodes and groups that come and go, by SIGHUP
conf_node="$conf_node
	extra: 'direct://'"
conf_group="$conf_group
	more {
		filter: name(extra)
		policy: fixed(0)
		on_all_dead: block
	}"
rules more
kill -HUP "$(cat "$lab/pids/supervisor")"
wait_for 3 "the reload by SIGHUP" is_generation 3
wait_for 3 "the new node" is_up extra
check_way direct tcp "$f.66"
check_that "what is known of a node that stays" "$(ok_total) >= $before"
conf_node=${conf_node%extra:*}
conf_group=$good
rules second
daectl reload >/dev/null
check "a node that went" "" "$(node_state extra)"
check "a group that went" "" "$(selected more tcp4)"
check_way wan1 tcp "$f.66"

# many, and flows of either kind meanwhile
lost=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	for to in direct second; do
		want=wan1
		[ $to != direct ] || want=direct
		rules $to
		daectl reload >/dev/null || lost=$((lost + 1))
		[ "$(way udp "$f.66")" = $want ] || lost=$((lost + 1))
		[ "$(way tcp "$f.64")" = engine ] || lost=$((lost + 1))
	done
done
check "of 20 reloads, failed or with a flow that went astray" 0 $lost
stream_check "the transfer through the engine" 400
sleep 1
check "nodes that are up" 4 "$(daectl nodes --json | jq '[.data[] |
	select(.name != "direct" and .state == "up")] | length')"
check "checks that were lost" 0 "$(status '.checks | .ours + .late')"
check "programs of ours" 1 "$(status .kernel.links)"
finish
