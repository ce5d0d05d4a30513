#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What daectl shows of live flows and rules.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

# flow PROTO ADDRESS FIELD: of the flow to it.
flow()
{
	daectl flows --json --proto="$1" --dst="$2" |
		jq -r ".data.flows[0].$3 // \"-\""
}

f=$lab_far
product_lab
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	dip($f.67/32) -> block
	dip($f.68/32) -> direct(mark: 0x40)
	fallback: direct"
config_write
daemon_start
daemon_settle
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
	check_way block $proto "$f.67"
	check_way direct $proto "$f.68"
done

for proto in tcp udp; do
	check "verdict ($proto)" proxy "$(flow $proto "$f.64" verdict)"
	check "group ($proto)" engine "$(flow $proto "$f.64" group)"
	check "node ($proto)" engine "$(flow $proto "$f.64" node)"
	check "node of an uplink ($proto)" wan1 "$(flow $proto "$f.66" node)"
	check "verdict of an uplink ($proto)" direct \
		"$(flow $proto "$f.66" verdict)"
	check "mark ($proto)" 64 "$(flow $proto "$f.68" mark)"
	check "port ($proto)" 7000 "$(flow $proto "$f.68" dport)"
done
check "verdict of a datagram that is blocked" block "$(flow udp "$f.67" verdict)"
check_that "idle time" "$(flow udp "$f.66" idle_us) < 20000000"
check "flows of a group" 2 "$(daectl flows --group=second --count-only)"
check "flows of a node" 2 "$(daectl flows --node=engine --count-only)"
check "flows of nowhere" 0 "$(daectl flows --dst=192.0.2.0/24 --count-only)"

# pages: every flow once
all=$(daectl flows --json | jq -c '[.data.flows[].position] | sort')
at=0
pages=
while :; do
	page=$(daectl flows --json --limit=3 --cursor="$at")
	pages+=$(jq -c '.data.flows[].position' <<<"$page")$'\n'
	at=$(jq '.data.cursor' <<<"$page")
	[ "$at" != null ] || break
done
check "flows in pages of three" "$all" "$(jq -cs 'sort' <<<"$pages")"

# a stranger may not, who may look may
setpriv --reuid nobody --regid nogroup --groups _dae \
	"$DAE_BUILD/supervisor/ctl/daectl" -s "$lab/run/control.sock" \
	flows --count-only >/dev/null && r=0 || r=$?
check "exit code for a member of _dae" 0 "$r"
finish
