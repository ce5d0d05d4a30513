#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reload_flows: what becomes of flows when the rules change; and flows of nodes
# and groups that have gone. $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
# rules WAY: of flows to .66
rules()
{
	conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> $1
	fallback: direct"
	config_write
}
reload_to()
{
	rules "$1"
	daectl reload >/dev/null
	sleep 0.3 # the walk of the flow table
}
# One flow: the same ports each time.
udp() { way udp "$f.66" sport=40001 wait=300; }
# Its node, after one more packet: the router's NAT may still send it out with
# the address of the other uplink, so an answer is not to be expected.
udp_node()
{
	udp >/dev/null
	daectl flows --json --proto=udp --dst="$f.66" |
		jq -r '.data.flows[] | select(.sport == 40001) | .node'
}
anew() { status .kernel.counters.decided_anew; }
# stream_lives: whether the transfer to .66 still gets something
stream_end()
{
	wait "$stream" || :
	cat "$lab/stream.out"
}

product_lab
conf_attach=$1
rules direct
daemon_start
daemon_settle

# keep, the default
check "a datagram flow" direct "$(udp)"
stream_start "$f.66" 4
reload_to engine
check "the datagram flow, kept" direct "$(udp)"
check_way engine udp "$f.66"
check_way engine tcp "$f.66"
stream_check "the connection, kept" 400
check "flows that were decided anew" 0 "$(anew)"

# reclassify
conf_supervisor='reload_flows: reclassify'
reload_to direct
check "the datagram flow, moved" direct "$(udp)"
reload_to second
check "the datagram flow, moved again" wan1 "$(udp_node)"
reload_to block
check "the datagram flow, blocked" block "$(udp)"
reload_to direct
check "the datagram flow, let go" direct "$(udp)"
check_that "flows that were decided anew" "$(anew) >= 3"

# a connection that was direct and is to be proxied is reset, a new one goes there
stream_start "$f.66" 8
began=$(date +%s%N)
reload_to engine
stream_end >/dev/null
took=$((($(date +%s%N) - began) / 1000000))
check_that "ms until the client knows" "$took < 4000"
check_way engine tcp "$f.66"

# one through the engine stays with its socket
stream_start "$f.66" 4
reload_to direct
stream_check "the connection through the engine" 400
check_way direct tcp "$f.66"

# one that was direct and is to be blocked stops
stream_start "$f.66" 4
reload_to block
stream_end >/dev/null
check_that "silence in ms ($(cat "$lab/stream.out"))" \
	"$(awk '/^longest/ { print $3; f = 1 } END { if (!f) print 99999 }' \
		"$lab/stream.out") > 1500"

# rules that stay the same move nothing, not even to a better node
reload_to second
check "a flow of a group" wan1 "$(udp_node)"
before=$(anew)
reload_to second
check "the same flow" wan1 "$(udp_node)"
check_that "flows that were decided anew" "$(anew) > $before"

# flows of a node that has gone are forgotten, whoever gets its number
conf_supervisor=
conf_node=${conf_node/wan1:/other:}
conf_node=${conf_node/gateway=10.77.3.2/gateway=10.77.3.9}
conf_group=${conf_group/name(wan1, /name(other, }
reload_to second
check "flows through a node that has gone" 0 \
	"$(daectl flows --node=wan1 --count-only)"
check "flows of the group that are left" 0 \
	"$(daectl flows --proto=udp --group=second --dst="$f.66" --count-only)"
finish
