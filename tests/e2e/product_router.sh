#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A router as it is found in homes and offices: a bridge of two ports, NAT with
# connection tracking, two uplinks whose marks share the traffic, services of its
# own and one that it publishes, reverse path filters. Of sysctls no more is
# touched than must be. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
six=2001:db8:100:1:
lab_more=second

in_second() { in_host second "$@"; }

# port NAME HOST ADDRESS: a port of the bridge, HOST behind it.
port()
{
	ip link add "$lab_name-x" type veth peer name "$lab_name-y"
	ip link set "$lab_name-x" netns "$lab_name-router" name "$1"
	ip link set "$lab_name-y" netns "$lab_name-$2" name lan
	in_router ip link set "$1" master br-lan
	in_router ip link set "$1" up
	in_host "$2" ip addr add "10.78.1.$3/24" dev lan
	in_host "$2" ip addr add "fd78:1::$3/64" dev lan nodad
	in_host "$2" ip link set lan up
	in_host "$2" ip route replace default via 10.78.1.1
	in_host "$2" ip -6 route replace default via fd78:1::1
}

# As mwan3 does: new connections of the LAN get a mark of their own bits, by
# which rules choose the uplink; here by the source port, so that one can tell.
share_uplinks()
{
	local v

	in_router nft -f - <<-'NFT'
	table inet share {
		chain pre {
			type filter hook prerouting priority mangle
			iifname != "br-lan" return
			meta mark and 0x3f00 != 0 return
			th sport 20000-20999 meta mark set meta mark or 0x200
			th sport 30000-30999 meta mark set meta mark or 0x300
		}
	}
	NFT
	for v in 4 6; do
		in_router ip -$v rule add priority 2002 fwmark 0x200/0x3f00 lookup 2
		in_router ip -$v rule add priority 2003 fwmark 0x300/0x3f00 lookup 3
	done
	in_router ip route add default via 10.77.2.2 table 2
	in_router ip route add default via 10.77.3.2 table 3
	in_router ip -6 route add default via fd77:2::2 table 2
	in_router ip -6 route add default via fd77:3::2 table 3
}

doctor()
{
	in_router "$DAE_BUILD/supervisor/ctl/daectl" \
		-s "$lab/run/control.sock" doctor --json || :
}

sysctls()
{
	in_router sysctl -a -r '^net\.' 2>/dev/null | grep -vE \
		'^net\.(ipv4\.(tcp_fastopen_key|route\.|tcp_mem|udp_mem)|netfilter\.nf_conntrack_count|core\.bpf_jit_current)'
}

# answer HOST ADDRESS PORT [PROTO]: whom the server saw, or nothing
answer() { in_host "$1" "$flowtool" "${4:-tcp}" "$2" "$3" wait=1000 || :; }

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
	done
}

product_lab
ip netns add "$lab_name-second"
in_second ip link set lo up
# so that the bridge's packets pass iptables, as Docker wants it
lab_sysctl router net.bridge.bridge-nf-call-iptables=1 \
	net.bridge.bridge-nf-call-ip6tables=1
in_router ip link add br-lan address 02:00:00:00:78:01 type bridge
in_router ip addr add 10.78.1.1/24 dev br-lan
in_router ip -6 addr add fd78:1::1/64 dev br-lan nodad
in_router ip link set br-lan up
port port0 client 2
port port1 second 3
for number in 22 53; do
	lab_start "own$number" router "$flowtool" serve $number
done
lab_start published second "$flowtool" serve 7000
in_router nft -f - <<-'NFT'
table inet publish {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 10.77.2.1 tcp dport 8080 dnat ip to 10.78.1.3:7000
		ip daddr 10.77.2.1 udp dport 8080 dnat ip to 10.78.1.3:7000
	}
	chain post {
		type nat hook postrouting priority srcnat
		ct status dnat ip saddr 10.78.1.0/24 ip daddr 10.78.1.3 masquerade
	}
	chain seen {
		type filter hook postrouting priority 0
		ip daddr 198.51.100.64 ip saddr 10.78.1.0/24 counter
		ip6 daddr 2001:db8:100:1::64 ip6 saddr fd78:1::/64 counter
	}
}
NFT
conf_lan=br-lan
conf_attach=$1
conf_routing="
	dip($f.64/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	fallback: direct"
config_write
share_uplinks
sysctls >"$lab/sysctls-before"
daemon_start
daemon_settle

echo "-- marks of another"
ways
check_way direct udp "$f.10" sport=20001
check_way wan1 udp "$f.10" sport=30001
check_way wan1 udp "$f.66" sport=20002
# its rules come first: what is for an engine would leave by its uplink, which
# the kernel refuses
check_way block tcp "$f.64" sport=30003
hint=$(doctor | jq -r '[.data[] | select(.what == "rules" and .hint != null)
	| .hint][0]')
check "what the doctor says" "supervisor { rule_priority: 1000 }" "$hint"
lab_stop supervisor
conf_supervisor=${hint#supervisor \{ }
conf_supervisor=${conf_supervisor% \}}
config_write
daemon_start
daemon_settle
check "what it says then" "" "$(doctor | jq -r '.data[] |
	select(.what == "rules" and .hint != null) | .hint')"
ways
for proto in tcp udp; do
	check_way engine $proto "$f.64" sport=20004
	check_way engine $proto "$f.64" sport=30004
	check_way engine $proto "$six:64" sport=30005
	check_way direct $proto "$f.10" sport=20006
	check_way wan1 $proto "$f.10" sport=30006
	check_way wan1 $proto 2001:db8:100::10 sport=30007
	check_way wan1 $proto "$f.66" sport=20008
	check_way block $proto "$f.67" sport=30009
done
# what is proxied has ended here: no packet of the client's went out
check "proxied packets that were forwarded" "0 0" "$(in_router nft -j list \
	chain inet publish seen | jq -r '[.nftables[].rule.expr[]?.counter.packets
	| values] | map(tostring) | join(" ")')"

echo "-- services"
for proto in tcp udp; do
	for number in 22 53; do
		check "port $number of the LAN's address, $proto" 10.78.1.2 \
			"$(answer client 10.78.1.1 $number $proto)"
		check "port $number by IPv6, $proto" fd78:1::2 \
			"$(answer client fd78:1::1 $number $proto)"
		check "port $number of the uplink's address, $proto" 10.78.1.2 \
			"$(answer client 10.77.2.1 $number $proto)"
	done
	check "another station on the bridge, $proto" 10.78.1.2 \
		"$(answer client 10.78.1.3 7000 $proto)"
	check "what is published, from inside, $proto" 10.78.1.1 \
		"$(answer client 10.77.2.1 8080 $proto)"
	check "what is published, from outside, $proto" 10.77.2.2 \
		"$(answer far 10.77.2.1 8080 $proto)"
done

echo "-- reverse path filters"
# of which the uplink's is ours to loosen, whenever it becomes strict
lab_sysctl router net.ipv4.conf.all.rp_filter=1
# shellcheck disable=SC2016
wait_for 5 "the uplink's is loose" in_router sh -c \
	'[ $(sysctl -n net.ipv4.conf.wan1.rp_filter) = 2 ]'
for mode in 0 1 2; do
	lab_sysctl router net.ipv4.conf.br-lan.rp_filter=$mode \
		net.ipv4.conf.wan0.rp_filter=$mode
	ways
done
lab_sysctl router net.ipv4.conf.br-lan.rp_filter=0 \
	net.ipv4.conf.wan0.rp_filter=0
check "sysctls that are not as they were" \
	"net.ipv4.conf.all.rp_filter net.ipv4.conf.wan1.rp_filter" \
	"$(sysctls | diff "$lab/sysctls-before" - | awk '/^>/ { print $2 }' |
		tr '\n' ' ' | sed 's/ $//')"
lab_sysctl router net.ipv4.conf.all.src_valid_mark=1
check_way block tcp "$f.64"
hint=$(doctor | jq -r '.data[] | select(.what == "src_valid_mark") | .hint')
in_router sh -c "$hint" >/dev/null
check_way engine tcp "$f.64"

lab_stop supervisor
in_router "$supervisor" --cleanup --bpf-dir "$lab/bpf/dae" \
	--state-dir "$lab/state"
lab_sysctl router net.ipv4.conf.all.rp_filter=0
check "sysctls that are not as they were, afterwards" "" \
	"$(sysctls | diff "$lab/sysctls-before" -)"
finish
