#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Flows take the way that the rules say: each kind of condition, both families,
# TCP and UDP, each kind of outbound. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
six=2001:db8:100:1:
product_lab
mac=$(in_client ip -j link show eth0 | jq -r '.[].address')
conf_attach=$1
conf_routing="
	dip($f.64/32, $f.65/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	dip($f.68/30, '$six:68/126') && !dip($f.70/32, '$six:6a/128') -> block
	dip($f.72/32) && dport(7000, 1-100) && sip(10.77.1.0/24) -> second
	dip($f.73/32) && !sip(10.77.1.0/24) -> block
	dip($f.74/32, '$six:74/128') && sport(4000-4999) -> second
	dip($f.75/32, '$six:75/128') && l4proto(udp) -> second
	dip($f.76/32, '$six:76/128') && l4proto(tcp) -> block
	dip($f.77/32, '$six:77/128') && ipversion(6) -> block
	dip($f.78/32) && mac('$mac') -> second
	dip($f.79/32) && !mac('$mac') -> block
	dip($f.80/32) && mac('02:00:00:00:00:01') -> block
	dip($f.81/32, '$six:81/128') && dscp(0x10, 46) -> second
	dip($f.82/32) -> direct(mark: 0x5500)
	dip($f.83/32) -> must_rules
	dip($f.83/32) -> second
	dip($f.84/32) -> second(must)
	dip($f.85/32) && dport(7001) -> block
	dip($f.53/32) && dport(53) -> block
	fallback: direct"
config_write
in_router ip rule add fwmark 0x5500/0xff00 lookup 900 priority 900
in_router ip route add default via 10.77.3.2 table 900
daemon_start
check "how it is attached" "$1" "$(status .kernel.attach)"
daemon_settle

for proto in tcp udp; do
	check_way direct $proto "$f.10"
	check_way direct $proto 2001:db8:100::10
	check_way engine $proto "$f.64"
	check_way engine $proto "$f.65"
	check_way engine $proto "$six:64"
	check_way wan1 $proto "$f.66"
	check_way wan1 $proto "$six:66"
	check_way block $proto "$f.67"
	check_way block $proto "$six:67"
	check_way block $proto "$f.69"
	check_way block $proto "$six:69"
	check_way direct $proto "$f.70"
	check_way direct $proto "$six:6a"
	check_way wan1 $proto "$f.72"
	check_way direct $proto "$f.73"
	check_way wan1 $proto "$f.74" sport=4321
	check_way direct $proto "$f.74" sport=5321
	check_way wan1 $proto "$six:74" sport=4321
	check_way direct $proto "$six:74" sport=5321
	check_way direct $proto "$f.77"
	check_way block $proto "$six:77"
	check_way wan1 $proto "$f.78"
	check_way direct $proto "$f.79"
	check_way direct $proto "$f.80"
	check_way wan1 $proto "$f.81" dscp=16
	check_way direct $proto "$f.81" dscp=17
	check_way wan1 $proto "$six:81" dscp=46
	check_way wan1 $proto "$f.82"
	check_way wan1 $proto "$f.83"
	check_way wan1 $proto "$f.84"
	check_way direct $proto "$f.85"
done
check_way direct tcp "$f.75"
check_way wan1 udp "$f.75"
check_way direct tcp "$six:75"
check_way wan1 udp "$six:75"
check_way block tcp "$f.76"
check_way direct udp "$f.76"
check_way block tcp "$six:76"
check_way direct udp "$six:76"

# Only the first fragment has ports; the others go where it went.
check_way wan1 udp "$f.66" size=4000
check_way wan1 udp "$six:66" size=4000
check_way direct udp "$f.10" size=4000
check_way block udp "$f.67" size=4000
check_way wan1 udp "$f.72" size=4000

# Names are not answered by us: a question keeps where it goes, and is counted.
answer=$(in_client dig +short +time=2 +tries=1 @"$lab_dns" web.lab || :)
check "a question to a name server" "$lab_web" "$answer"
check_that "questions that were passed" "$(status .kernel.dns_passed) >= 1"
check_has "the status says so" "port 53 keeps its original destination" \
	"$(status '.warnings[]')"

# What the user space says is what the kernel did.
check_has "route test" "wan1|second" "$(daectl route test 10.77.1.2 "$f.66:7000")"
check_has "route test" block "$(daectl route test 10.77.1.2 "$f.67:7000")"
finish
