# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The product's lab with links of kinds that the machine at hand need not have:
# for guest-*, which run in a booted kernel. A link has a number N, the addresses
# 10.78.N.0/24 and fd78:N::/64, and the router is the first on it.
# shellcheck source-path=SCRIPTDIR source=../e2e/product.bash
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/product.bash"

f=$lab_far
six=2001:db8:100:1:

links_need()
{
	local module

	for module in "$@"; do
		modprobe -q "$module" || skip "no module $module"
	done
}

# links_address HOST DEV N LAST
links_address()
{
	in_host "$1" ip addr add "10.78.$3.$4/24" dev "$2"
	in_host "$1" ip addr add "fd78:$3::$4/64" dev "$2" nodad
	in_host "$1" ip link set "$2" up
}

# links_uplink DEV N: what leaves there has the router's address.
links_uplink()
{
	in_router nft add rule inet lab post oifname "$1" masquerade
	ways[10.78.$2.1]=uplink
	ways[fd78:$2::1]=uplink
}

# links_vlan HOST PARENT DEV PROTOCOL ID
links_vlan()
{
	in_host "$1" ip link add link "$2" name "$3" type vlan protocol "$4" \
		id "$5"
	in_host "$1" ip link set "$3" up
}

tunnel_keys()
{
	local host

	for host in "$@"; do
		(umask 077 && wg genkey >"$lab/$host.key")
	done
}

# tunnel HOST DEV PORT N LAST PEER-HOST PEER-ENDPOINT PEER-ADDRESSES
tunnel()
{
	in_host "$1" ip link add "$2" type wireguard
	in_host "$1" wg set "$2" listen-port "$3" \
		private-key <(cat "$lab/$1.key") \
		peer "$(wg pubkey <"$lab/$6.key")" endpoint "$7" \
		allowed-ips "$8"
	links_address "$1" "$2" "$4" "$5"
}

mac_of() { in_host "$1" ip -j link show "$2" | jq -r '.[].address'; }
has_address() { in_host "$1" ip addr show "$2" | grep -q "inet 10.78.*peer"; }

# ppp_end NAME HOST NIC PEER-MAC N LOCAL REMOTE: of the session N
ppp_end()
{
	lab_start "$1" "$2" pppd plugin pppoe.so "nic-$3" pppoe-sess "$5:$4" \
		noauth nodetach nodefaultroute noipdefault nopersist \
		"10.78.$5.$6:10.78.$5.$7" ipcp-accept-local ipcp-accept-remote \
		ipv6 "::$6,::$7" mtu 1492 mru 1492 ifname "$1"
}

# ppp_link NAME-A HOST-A NIC-A NAME-B HOST-B NIC-B N: A is first.
ppp_link()
{
	ppp_end "$1" "$2" "$3" "$(mac_of "$5" "$6")" "$7" 1 2
	ppp_end "$4" "$5" "$6" "$(mac_of "$2" "$3")" "$7" 2 1
	wait_for 20 "the link $1" has_address "$2" "$1"
	wait_for 20 "the link $4" has_address "$5" "$4"
	in_host "$2" ip -6 addr add "fd78:$7::1/64" dev "$1" nodad
	in_host "$5" ip -6 addr add "fd78:$7::2/64" dev "$4" nodad
}

# client_by DEV GATEWAY4 GATEWAY6: the client's way to all.
client_by()
{
	in_client ip route replace default via "$2" dev "$1"
	in_client ip -6 route del default
	in_client ip -6 route add default via "$3" dev "$1"
}

# lan_is INTERFACES: by a reload; the daemon runs.
lan_is()
{
	local r=0

	conf_lan=$1
	config_write
	daectl reload >"$lab/reload.out" 2>&1 || r=$?
	check "exit code of the reload to $1" 0 "$r"
	[ "$r" = 0 ] || cat "$lab/reload.out"
}

links_conf()
{
	conf_routing="
	dip($f.64/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	dip($f.68/32, '$six:68/128') -> $1
	fallback: direct"
	config_write
}

# Every kind of verdict, both families and protocols, whole and in pieces.
check_verdicts()
{
	echo "-- client by $1"
	check_kinds_of_ways
	check_way direct udp "$f.10" size=4000
	check_way wan1 udp "$f.66" size=4000
	check_way wan1 udp "$six:66" size=4000
	check_way block udp "$f.67" size=4000
}

# The same in short.
check_some_verdicts()
{
	echo "-- client by $1"
	check_way direct tcp "$f.10"
	check_way engine tcp "$f.64"
	check_way engine udp "$six:64"
	check_way wan1 tcp "$six:66"
	check_way wan1 udp "$f.66" size=4000
	check_way block tcp "$f.67"
	check_way block udp "$six:67"
}

# check_uncaptured WHAT: the rules do not concern it.
check_uncaptured()
{
	echo "-- $1"
	check_way direct tcp "$f.67"
	check_way direct udp "$six:67"
}

# check_uplink: what the rules send to it goes there.
check_uplink()
{
	local proto

	for proto in tcp udp; do
		check_way uplink $proto "$f.68"
		check_way uplink $proto "$six:68"
	done
	check_way uplink udp "$f.68" size=4000
	# routers do not cut IPv6: the first one may only tell the sender how
	way udp "$six:68" size=4000 wait=500 >/dev/null
	check_way uplink udp "$six:68" size=4000
}

bulk_start()
{
	lab_start bulk far "$DAE_SOURCE/tests/long/transfer.py" serve 7100
	lab_wait 10 "the bulk server" in_far "$DAE_SOURCE/tests/long/transfer.py" \
		down "$lab_web" 7100 1
}

# bulk up|down ADDRESS BYTES: prints what became of it.
bulk()
{
	in_client "$DAE_SOURCE/tests/long/transfer.py" "$1" "$2" 7100 "$3" 2>&1 || :
}

# check_bulk PATTERN up|down ADDRESS BYTES
check_bulk()
{
	local want=$1 out

	shift
	out=$(bulk "$@")
	check_has "$* ($out)" "$want" "$out"
}
