#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A group's next flow is elsewhere when its node dies: at once if its listener
# is gone, with the verdict if probes find out. What happens when all are dead,
# and what a person chooses.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
product_lab
conf_node="$conf_node
	plain: 'direct://'"
conf_group="
	game {
		filter: name(engine)
		filter: name(wan1)
		policy: fallback
	}
	uplinks {
		filter: name(wan1)
		filter: name(plain)
		policy: fallback
	}
	blocks {
		filter: name(wan1)
		policy: fallback
		on_all_dead: block
	}
	directs {
		filter: name(wan1)
		policy: fallback
		on_all_dead: direct
	}
	lasts {
		filter: name(wan1)
		policy: fallback
		on_all_dead: last
	}"
conf_routing="
	dip($f.64/32) -> game
	dip($f.65/32) -> uplinks
	dip($f.66/32) -> blocks
	dip($f.67/32) -> directs
	dip($f.68/32) -> lasts
	fallback: direct"
conf_supervisor='	on_all_dead: block
		probe_timeout: 500ms'
config_write
daemon_start
daemon_settle

for proto in tcp udp; do
	check_way engine $proto "$f.64"
done
lab_stop engine KILL
for proto in tcp udp; do
	check_way wan1 $proto "$f.64"
done
lab_engine
wait_for 5 "the engine's return" is_up engine
for proto in tcp udp; do
	check_way engine $proto "$f.64"
done

# by hand, and back; udp and tcp alike
daectl groups select game wan1 >/dev/null
for proto in tcp udp; do
	check_way wan1 $proto "$f.64"
done
daectl groups auto game >/dev/null
check_way engine tcp "$f.64"
daectl nodes drain engine >/dev/null
check_way wan1 tcp "$f.64"
daectl nodes auto engine >/dev/null
check_way engine tcp "$f.64"

# Checks of wan1 go unanswered, flows do not: what is seen is our doing alone.
check_way wan1 tcp "$f.65"
seq=$(last_seq)
in_client "$flowtool" watch tcp "$f.65" 7000 6 >"$lab/watch.out" &
watch=$!
sleep 0.5
in_far nft -f - <<-'NFT'
	table inet cut {
		chain in {
			type filter hook input priority 0
			iifname "up1" tcp dport 80 drop
			iifname "up1" udp dport 53 drop
		}
	}
NFT
wait "$watch"
verdict=$(event_ms "$seq" '^verdict wan1: tcp4.* -> down')
moved=$(awk '$2 == "10.77.2.1" { print $1; exit }' "$lab/watch.out")
check_that "ms from the verdict to the first flow elsewhere" \
	"${moved:-0} - ${verdict:-999} <= 25"
check_that "ms, and not before" "${moved:-0} - ${verdict:-999} >= -25"
check "ways that flows took" "10.77.3.1 10.77.2.1" \
	"$(awk '{ print $2 }' "$lab/watch.out" | xargs)"
check_way block tcp "$f.66"
check_way direct tcp "$f.67"
check_way wan1 tcp "$f.68"
check "a node that is down" down "$(node_state wan1)"
in_far nft delete table inet cut
wait_for 5 "the return of the uplink" is_up wan1
check_way wan1 tcp "$f.65"
check_way wan1 tcp "$f.66"
check_way wan1 tcp "$f.67"
finish
