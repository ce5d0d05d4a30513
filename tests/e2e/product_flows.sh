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

# route test: both sides agree with each other and with what was seen
test_of()
{
	daectl route test 10.77.1.2 "$f.$1:7000" --json -p "$2" |
		jq -r "[.data.kernel.outbound, .data.match, .data.rule.line != null] |
			join(\" \")"
}
for proto in tcp udp; do
	check "route test 64 $proto" "engine true true" "$(test_of 64 $proto)"
	check "route test 66 $proto" "second true true" "$(test_of 66 $proto)"
	check "route test 67 $proto" "block true true" "$(test_of 67 $proto)"
	check "route test 68 $proto" "direct true true" "$(test_of 68 $proto)"
	check "route test 9 $proto" "direct true false" "$(test_of 9 $proto)"
done

# counters of rules and outbounds, kept by a reload for rules that stay
rule_flows() { daectl route rules --json | jq ".data[] | select(.text | test(\"$1\")) | .flows"; }
engine=$(rule_flows '64/32')
check_that "flows of the rule for .64" "$engine >= 2"
check_that "flows of the rule for .67" "$(rule_flows '67/32') >= 2"
check "its line" "$(grep -n "$f.67/32" "$lab/config.dae" | cut -d: -f1)" \
	"$(daectl route rules --json | jq '.data[2].line')"
check_that "flows of a group" \
	"$(daectl groups --json | jq '.data[] | select(.name == "engine") | .flows') >= 2"
check_that "flows that were blocked" "$(status .kernel.decided.block) >= 2"
conf_routing="
	dip($f.69/32) -> block
	dip($f.67/32) -> direct
	dip($f.64/32) -> engine
	fallback: direct"
config_write
for _ in 1 2 3; do daectl reload >/dev/null; done
check "flows of a rule that stayed" "$engine" "$(rule_flows '64/32')"
check "flows of a rule that is new" 0 "$(rule_flows '69/32')"
check "flows of a rule with another way" 0 "$(rule_flows '67/32')"
check_way engine tcp "$f.64"
check "and one more" "$((engine + 1))" "$(rule_flows '64/32')"

# a stranger may not, who may look may
setpriv --reuid nobody --regid nogroup --groups _dae \
	"$DAE_BUILD/supervisor/ctl/daectl" -s "$lab/run/control.sock" \
	flows --count-only >/dev/null && r=0 || r=$?
check "exit code for a member of _dae" 0 "$r"
finish
