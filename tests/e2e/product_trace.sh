#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# daectl route trace: new flows as they are decided.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
product_lab
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	dip($f.67/32) -> block
	fallback: direct"
config_write
daemon_start
daemon_settle
rule_line=$(grep -n "dip($f.64/32)" "$lab/config.dae" | cut -d: -f1)

# trace_start NAME [OPTION...]: in the background, to $lab/NAME.
trace_start()
{
	local name=$1
	shift
	"$DAE_BUILD/supervisor/ctl/daectl" -s "$lab/run/control.sock" \
		route trace "$@" >"$lab/$name" 2>"$lab/$name.err" &
	tracer=$!
	sleep 0.5
}
# trace_end: its exit code, at the latest after 10 s.
trace_end()
{
	local r=0

	for _ in $(seq 100); do
		kill -0 "$tracer" 2>/dev/null || break
		sleep 0.1
	done
	kill "$tracer" 2>/dev/null || :
	wait "$tracer" || r=$?
	echo "$r" >"$lab/trace.code"
}
traced() { jq -r "$2" "$lab/$1" | tr '\n' ' '; }

# by destination and count: two of three flows
trace_start two --dst="$f.64/30" --count=2
check_way direct tcp "$f.10"
check_way engine tcp "$f.64"
check_way wan1 udp "$f.66"
trace_end
check "exit code" 0 "$(cat "$lab/trace.code")"
check "lines" 2 "$(wc -l <"$lab/two")"
check_has "a proxied flow, its rule's line and node" \
	"^[0-9:.]+ lan tcp [0-9.]+:[0-9]+ -> $f.64:7000  config.dae:$rule_line  proxy engine engine\$" \
	"$(sed -n 1p "$lab/two")"
check_has "a flow over an uplink" \
	" lan udp .* -> $f.66:7000  config.dae:$((rule_line + 1))  direct second wan1\$" \
	"$(sed -n 2p "$lab/two")"

# as JSON, by port and protocol; each flow once, however many packets
trace_start json --proto=udp --port=7000 --count=3 --json
for address in "$f.67" "$f.10"; do
	way udp "$address" sport=41000 wait=300 >/dev/null
	way udp "$address" sport=41000 wait=300 >/dev/null
	way tcp "$address" wait=300 >/dev/null
done
way udp 2001:db8:100:1::7 >/dev/null
trace_end
check "verdicts" "block direct direct " "$(traced json .verdict)"
check "lines of rules" \
	"$((rule_line + 2)) $((rule_line + 3)) $((rule_line + 3)) " \
	"$(traced json .line)"
check "rules" "2 null null " "$(traced json .rule)"
check "destinations" "$f.67 $f.10 2001:db8:100:1::7 " "$(traced json .dst)"

# one at a time; it goes on over a reload
trace_start reload --dst="$f.66/32" --count=2
said=$(daectl route trace 2>&1) && r=0 || r=$?
check_that "exit code of the second" "$r != 0"
check_has "why" 'somebody else' "$said"
check_way wan1 udp "$f.66"
conf_routing="
	dip($f.66/32) -> engine
	fallback: direct"
config_write
daectl reload >/dev/null
check_way engine udp "$f.66"
trace_end
check_has "before the reload" 'direct second wan1$' "$(sed -n 1p "$lab/reload")"
check_has "and after it" \
	"config.dae:$rule_line  proxy engine engine\$" "$(sed -n 2p "$lab/reload")"

# the time is over
began=$(date +%s%N)
trace_start time --for=2s
check_way direct tcp "$f.10"
trace_end
took=$((($(date +%s%N) - began) / 1000000))
check "exit code after the time" 0 "$(cat "$lab/trace.code")"
check_that "ms" "$took >= 2000 && $took < 4000"
check "lines until then" 1 "$(grep -c "$f.10:7000" "$lab/time")"

# who leaves turns it off: the next one need not wait
trace_start left
kill "$tracer"
wait "$tracer" || :
is_free() { daectl route trace --for=1ms >/dev/null 2>&1; }
wait_for 5 "the end of a trace whose client has gone" is_free

# more than it is told of
trace_start many --proto=udp --port=9 --for=6s
# shellcheck disable=SC2016
in_client bash -c 'for i in {40..59}; do for j in {1..60}; do
	echo x >/dev/udp/10.$i.$j.1/9; done; done'
trace_end
lost=$(sed -nE 's/^daectl: ([0-9]+) more were not told.*/\1/p' "$lab/many.err")
check "flows that were told or counted as lost (${lost:-0})" 1200 \
	"$(($(wc -l <"$lab/many") + ${lost:-0}))"
finish
