#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Together with a flowtable: forwarded flows take a way of their own behind our
# programs, which see each packet before. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
six=2001:db8:100:1:

flowtable()
{
	in_router nft -f - <<-'NFT'
	table inet fast {
		flowtable ft {
			hook ingress priority 0
			devices = { lan0, wan0, wan1 }
		}
		chain forward {
			type filter hook forward priority 0
			meta l4proto { tcp, udp } counter flow add @ft
		}
	}
	NFT
}

# Packets that took the usual way.
slow()
{
	in_router nft -j list chain inet fast forward |
		jq '[.nftables[].rule.expr[]?.counter.packets | values][0]'
}

ways()
{
	local proto

	for proto in tcp udp; do
		check_way direct $proto "$f.10"
		check_way direct $proto 2001:db8:100::10
		check_way engine $proto "$f.64"
		check_way engine $proto "$six:64"
		check_way wan1 $proto "$f.66"
		check_way wan1 $proto "$six:66"
		check_way block $proto "$f.67"
	done
}

product_lab
flowtable 2>/dev/null || skip "no flowtables in this kernel"
in_router nft delete table inet fast
conf_attach=$1
conf_group='
	engine {
		filter: name(engine, engine6)
		policy: fallback
		on_all_dead: block
	}
	second {
		filter: name(wan1, wan1v6)
		policy: fallback
		on_all_dead: direct
	}'
conf_routing="
	dip($f.64/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32) -> block
	fallback: direct"
config_write
daemon_start
daemon_settle
flowtable
ways
for address in 10 66; do
	before=$(slow)
	stream_start "$f.$address" 3
	sleep 1
	check_that "packets of a transfer on the usual way, $address" \
		"$(slow) - $before < 30"
	stream_check "a transfer by the flowtable, $address" 500
done
ways
# a datagram flow that the flowtable knows fails over with its group
check_way wan1 udp "$f.66" sport=4567
check_way wan1 udp "$f.66" sport=4567
in_router ip link set wan1 down
moved() { [ "$(way udp "$f.66" sport=4567 wait=300)" = direct ]; }
wait_for 15 "the flow is elsewhere" moved
finish
