#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every kind of interface, each of which appears while the daemon runs: it is
# bound, and flows behind it go by the rules. Renamed, made anew, moved to
# another namespace, many at once. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

links() { status .kernel.links; }
has_links() { [ "$(links)" = "$1" ]; }

# pair NAME NET: a pair between the router (NAME) and the client (cNAME).
pair()
{
	ip link add "$lab_name-x" type veth peer name "$lab_name-y"
	ip link set "$lab_name-x" netns "$lab_name-router" name "$1"
	ip link set "$lab_name-y" netns "$lab_name-client" name "c$1"
	in_router ip link set "$1" up
	in_client ip link set "c$1" up
}

# address ROUTER-DEV CLIENT-DEV NET: and the client's default route by it.
address()
{
	in_router ip addr add "10.78.$3.1/24" dev "$1"
	in_router ip addr add "fd78:$3::1/64" dev "$1" nodad
	in_client ip addr add "10.78.$3.2/24" dev "$2"
	in_client ip addr add "fd78:$3::2/64" dev "$2" nodad
	in_router ip link set "$1" up
	in_client ip link set "$2" up
	route_by "$2" "$3"
}

route_by()
{
	in_client ip route replace default via "10.78.$2.1" dev "$1"
	in_client ip -6 route replace default via "fd78:$2::1" dev "$1"
}

# check_kind KIND: flows of the client, as its default route goes now.
check_kind()
{
	echo "-- $1"
	check_kinds_of_ways
	# a longer one, in both directions
	check "$1: 3 MB to the far side" 3000000 "$(upload "$f.10")"
	check "$1: 3 MB to the engine" 3000000 "$(upload "$f.64")"
}

bulk() { "$@" "${python[@]}" "$DAE_SOURCE/tests/e2e/product_bulk.py" "${bulk[@]}"; }

# upload ADDRESS: the bytes that came there.
upload()
{
	local bulk=(send "$1" 7002 3000000)

	bulk in_client
}

# counter DEV DIRECTION COUNTER: of the router's.
counter()
{
	in_router ip -j -s link show "$1" | jq ".[0].stats64.$2.$3"
}

# check_large WHAT DEV DIRECTION LEAST COMMAND...: packets of a transfer are
# larger than the MTU, so nobody has cut them.
check_large()
{
	local what=$1 dev=$2 direction=$3 least=$4 packets bytes

	shift 4
	packets=$(counter "$dev" "$direction" packets)
	bytes=$(counter "$dev" "$direction" bytes)
	"$@" >/dev/null
	packets=$(($(counter "$dev" "$direction" packets) - packets))
	bytes=$(($(counter "$dev" "$direction" bytes) - bytes))
	check_that "$what: bytes to a packet on $dev" \
		"$bytes / ($packets > 0 ? $packets : 1) >= $least"
}

segments()
{
	local bulk=(segments "$1" 7003 24000 1200)

	bulk in_client
}

programs()
{
	if [ "$attach" = tcx ]; then
		find "$lab/bpf/dae" -name 'link-*' | wc -l
	else
		in_router tc qdisc show | grep -c clsact || :
	fi
}

attach=$1
python=(/usr/bin/python3 -B)
f=$lab_far
six=2001:db8:100:1:
product_lab
lab_start bulk far "${python[@]}" "$DAE_SOURCE/tests/e2e/product_bulk.py" \
	serve 7002
lab_wait 5 "the server of bulk" in_far sh -c "ss -ltn | grep -q :7002"
# the kernel takes the socket from what a port hands over, where bridged packets
# also go through iptables
lab_sysctl router net.bridge.bridge-nf-call-iptables=0 \
	net.bridge.bridge-nf-call-ip6tables=0
conf_attach=$1
conf_lan='lan0, brl, prt0, tun0, mv0, vx0, late*'
conf_routing="
	dip($f.64/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	fallback: direct"
config_write
daemon_start
daemon_settle
check "interfaces at the start" 1 "$(links)"
# a pair that matches a glob
pair late0
address late0 clate0 1
wait_for 5 "late0 is bound" has_links 2
check_kind veth
if [ "$(type -P ethtool)" ] &&
	in_client ethtool -k clate0 | grep -q 'tcp-segmentation-offload: on'; then
	check_large "TCP, direct, in" late0 rx 5000 upload "$f.10"
	check_large "TCP, direct, out" wan0 tx 5000 upload "$f.10"
	check_large "TCP, to the engine" late0 rx 5000 upload "$f.64"
	check_large "UDP, direct, in" late0 rx 5000 segments "$f.10"
	check_large "UDP, direct, out" wan0 tx 5000 segments "$f.10"
	check_large "UDP, another uplink" wan1 tx 5000 segments "$f.66"
fi

# a bridge, the client behind one of its ports
in_router ip link add brl type bridge
pair port0
in_router ip link set port0 master brl
address brl cport0 2
wait_for 5 "brl is bound" has_links 3
check_kind bridge

# the port itself; its bridge has an address of its own
in_router ip link add brp address 02:00:00:00:77:01 type bridge
pair prt0
in_router ip link set prt0 master brp
address brp cprt0 3
wait_for 5 "prt0 is bound" has_links 4
check_kind "bridge port"

# no header below IP
lab_start tunnel router /usr/bin/python3 -B \
	"$DAE_SOURCE/tests/e2e/product_tunnel.py" \
	"/run/netns/$lab_name-router" tun0 "/run/netns/$lab_name-client" ctun0
lab_wait 5 "tun devices" in_client ip link show ctun0
address tun0 ctun0 4
wait_for 5 "tun0 is bound" has_links 5
check_kind tun

# on top of a pair that is not bound
pair low0
# which would answer for the address of what is on top of it
lab_sysctl router net.ipv4.conf.low0.arp_ignore=1
in_router ip link add mv0 link low0 type macvlan mode bridge
address mv0 clow0 5
wait_for 5 "mv0 is bound" has_links 6
check_kind macvlan

pair und0
address und0 cund0 6
in_router ip link add vx0 type vxlan id 7 local 10.78.6.1 remote 10.78.6.2 dstport 4789
in_client ip link add cvx0 type vxlan id 7 local 10.78.6.2 remote 10.78.6.1 dstport 4789
address vx0 cvx0 7
wait_for 5 "vx0 is bound" has_links 7
check_kind vxlan

seq=$(last_seq)
echo "-- what becomes of them"
route_by clate0 1
# another name, which matches no pattern, and back
in_router ip link set late0 down
in_router ip link set late0 name other0
in_router ip link set other0 up
wait_for 5 "other0 is left" has_links 6
route_by clate0 1
check_way direct tcp "$f.67"
in_router ip link set other0 down
in_router ip link set other0 name late0
wait_for 5 "late0 is bound again" has_links 7
in_router ip link set late0 up
in_router ip -6 addr add fd78:1::1/64 dev late0 nodad 2>/dev/null || :
check_way block tcp "$f.67"
check_way wan1 udp "$f.66"

# made anew, with the number it had
for index in '' same; do
	old=$(in_router ip -j link show late0 | jq '.[].ifindex')
	in_router ip link del late0
	ip link add "$lab_name-x" netns "$lab_name-router" \
		${index:+index "$old"} type veth \
		peer name clate0 netns "$lab_name-client"
	in_router ip link set "$lab_name-x" name late0
	address late0 clate0 1
	wait_for 5 "late0 is bound, made anew" has_links 7
	check_bound() { [ "$(way tcp "$f.66" wait=300)" = wan1 ]; }
	wait_for 5 "flows go by the rules, made anew" check_bound
	check_way block tcp "$f.67"
	check_way engine udp "$f.64"
done

# what leaves takes nothing of ours along
in_router ip link set late0 netns "$lab_name-far"
wait_for 5 "late0 is gone" has_links 6
in_far ip addr add 10.78.1.1/24 dev late0
in_far ip link set late0 up
check "a qdisc on an interface that has left" "" \
	"$(in_far tc qdisc show dev late0 clsact)"
check "a program on an interface that has left" 10.78.1.2 \
	"$(in_client "$flowtool" tcp "$f.67" 7000 wait=500 || :)"
in_far ip link set late0 netns "$lab_name-router"
wait_for 5 "late0 is back" has_links 7
address late0 clate0 1 2>/dev/null || :
wait_for 5 "flows go by the rules, back again" check_bound
check_way block tcp "$f.67"

echo "-- many at once"
pid=$(cat "$lab/pids/supervisor")
before=$(programs)
open_files() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }
files=$(open_files)
# storm VERB [KIND]
storm()
{
	local i

	for ((i = 0; i < 200; i++)); do
		echo "link $1 dev late-s$i ${2:-}"
	done | in_router ip -batch -
}
for round in 1 2 3; do
	storm add "type ifb"
	check_way wan1 tcp "$f.66"
	[ "$round" != 3 ] || wait_for 10 "as many as can be are bound" \
		has_links 64
	[ "$round" != 3 ] || check_has "the others are said to be left out" \
		"lan_interface matches 207 interfaces, 64 can be bound" \
		"$(status '.warnings[]')"
	storm del
	check_way block tcp "$f.67"
done
wait_for 10 "all are gone" has_links 7
check "programs that are left" "$before" "$(programs)"
check "warnings that are left" 0 \
	"$(status '.warnings[] | select(test("lan_interface"))' | grep -c . || :)"
check "descriptors that are left" "$files" "$(open_files)"
check "verdicts that changed" 0 "$(events_since "$seq" \
	'select(.kind == "node_state" or .kind == "offline")' | grep -c . || :)"
check_ledger
finish
