#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The uplink is gone, then back with another address: no node's verdict and no
# selection changes, and checks succeed again within two seconds. The same when
# the link stays but nothing answers. One dead node among living ones is
# noticed all the same.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

nodes=80
changes() { status .checks.verdict_changes; }
picks() { daectl groups --json | jq -c '[.data[].selection[] | [.class, .node]]'; }
ok_total() { daectl nodes --json | jq '[.data[].checks[].ok_total] | add'; }
uplink() { status .uplink.state; }
is_offline() { [ "$(uplink)" = offline ]; }
is_online() { [ "$(uplink)" = online ]; }
is_down() { [ "$(node_state "$1")" = down ]; }
are_up() { [ "$(status .nodes.up)" = "$1" ]; }
has_more_than() { [ "$(ok_total)" -gt "$1" ]; }

# away HOW BACK: the uplink goes and returns.
away()
{
	local before_changes before_picks ok gone back n most=0

	before_changes=$(changes)
	before_picks=$(picks)
	"$1"
	wait_for 15 "that we are offline ($1)" is_offline
	sleep 5
	check "verdict changes meanwhile ($1)" "$before_changes" "$(changes)"
	check "nodes that are up" $((nodes - 1)) "$(status .nodes.up)"
	check "selection" "$before_picks" "$(picks)"
	ok=$(ok_total)
	back=$(date +%s%3N)
	"$2"
	wait_for 10 "a check that succeeds" has_more_than "$ok"
	gone=$(($(date +%s%3N) - back))
	check_that "ms until then" "$gone <= 2000"
	for _ in {1..20}; do
		n=$(status .checks.in_flight)
		[ "$n" -le "$most" ] || most=$n
		sleep 0.05
	done
	check_that "checks under way at once" "$most <= 24"
	wait_for 5 "that we are online" is_online
	sleep 3
	check "verdict changes after the return ($1)" "$before_changes" "$(changes)"
	check "selection after the return" "$before_picks" "$(picks)"
	check "nodes that are up after the return" $((nodes - 1)) \
		"$(status .nodes.up)"
}

pull() { in_router ip link set wan0 down; }
plug()
{
	in_router ip link set wan0 up
	in_router ip addr flush dev wan0
	in_router ip addr add 10.77.2.99/24 dev wan0
	in_router ip route replace default via 10.77.2.2
}
cut()
{
	in_far nft -f - <<-'NFT'
		table inet cut {
			chain in {
				type filter hook prerouting priority -300
				iifname "up0" drop
			}
		}
	NFT
}
mend() { in_far nft delete table inet cut; }

product_lab
# one proxy behind as many ports as there are nodes
in_far nft -f - <<-NFT
	table ip lab {
		chain pre {
			type nat hook prerouting priority -100
			ip daddr $lab_far.21 tcp dport 20001-20100 dnat to :8888
		}
		chain dead {
			type filter hook prerouting priority -300
		}
	}
NFT
conf_node=$(for ((i = 1; i <= nodes; i++)); do
	printf "\n\tn%d: 'http://%s.21:%d'" $i "$lab_far" $((20000 + i))
done)
conf_group='
	proxies {
		policy: min_moving_avg
	}'
conf_mode=observe
conf_global="
	check_interval: 2s
	check_tolerance: 1s
	tcp_check_url: 'http://web.lab/generate_204', '$lab_web'
	udp_check_dns: 'dns.lab:53', '$lab_dns'"
conf_supervisor='	max_concurrent: 24
		probe_timeout: 1s'
config_write
daemon_start
wait_for 20 "all nodes" are_up $nodes
sleep 1

# one of them dies
in_far nft add rule ip lab dead tcp dport 20007 drop
wait_for 6 "the one that died" is_down n7
check "nodes that are up" $((nodes - 1)) "$(status .nodes.up)"
sleep 2
away pull plug
away cut mend
check "events that a node went down" 1 \
	"$(events_since 0 | grep -c '^[^ ]* verdict .*-> down' || :)"
finish
