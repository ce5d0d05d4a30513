#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From route to observe and back, by reload and by restart: in observe nothing
# of ours is left in the kernel. And a reload that fails when half of it has
# been told to the kernel changes nothing.
# $1: how the programs are attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
same_kernel()
{
	kernel_view >"$lab/after"
	diff "$lab/before" "$lab/after" >&2 && echo same || echo different
}
mode()
{
	conf_mode=$1
	config_write
}

product_lab
conf_attach=$1
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	fallback: direct"
sleep 2
kernel_view >"$lab/before"
mode route
daemon_start
daemon_settle
check_way wan1 tcp "$f.66"

# a second daemon is turned away before it does anything
in_router tc filter show dev lan0 ingress >"$lab/filter"
in_router timeout 10 "$supervisor" -c "$lab/config.dae" \
	--runtime-dir "$lab/run" --state-dir "$lab/state" \
	--bpf-dir "$lab/bpf/dae" --libexec "$lab/libexec" \
	>"$lab/second.log" 2>&1 && r=0 || r=$?
check "exit code of a second daemon" 1 "$r"
check_has "what it says" "control: cannot open .*in use" \
	"$(cat "$lab/second.log")"
check "the filter" "$(cat "$lab/filter")" \
	"$(in_router tc filter show dev lan0 ingress)"
check_way wan1 tcp "$f.66"

# by reload
mode observe
daectl reload >/dev/null && r=0 || r=$?
check "exit code" 0 "$r"
check "the kernel in observe" same "$(same_kernel)"
check_way direct tcp "$f.66"
check "its mode" observe "$(status .config.mode)"
mode route
daectl reload >/dev/null && r=0 || r=$?
check "exit code" 0 "$r"
check_way wan1 tcp "$f.66"
check_way engine tcp "$f.64"

# by restart
lab_stop supervisor
check_way wan1 tcp "$f.66"
mode observe
daemon_start
check "the kernel in observe" same "$(same_kernel)"
check_way direct tcp "$f.66"

# a restart with other interfaces
wan0=$(in_router ip -o link show wan0 | cut -d: -f1)
lab_stop supervisor
mode route
sed -i 's/lan_interface: lan0/lan_interface: lan0, wan0/' "$lab/config.dae"
daemon_start
check "interfaces" 2 "$(status .kernel.links)"
check "the host's own traffic" false "$(status .kernel.host)"
lab_stop supervisor
mode route
daemon_start
daemon_settle
check "interfaces" 1 "$(status .kernel.links)"
check "programs on the other" "" "$(in_router tc filter show dev wan0 ingress)"
check "links of it" 0 "$(find "$lab/bpf/dae" \
	-name "link-$wan0" | wc -l)"

[ "$1" = tcx ] || { finish; exit 0; }

# a reload that fails at its last step: the link of wan0 cannot be pinned
mkdir "$lab/bpf/dae/link-$wan0"
conf_group=${conf_group/name(wan1, wan1v6)/name(engine, engine6)}
conf_node="$conf_node
	extra: 'direct://'"
mode route
sed -i 's/lan_interface: lan0/lan_interface: lan0, wan0/' "$lab/config.dae"
out=$(daectl reload 2>&1) && r=0 || r=$?
check_that "exit code of the reload ($out)" "$r != 0"
check "generation" 1 "$(status .config.generation)"
check "a node that was not to be" "" "$(node_state extra)"
check_way wan1 tcp "$f.66"
check_way engine tcp "$f.64"
# whatever comes of the network now does not bring it into force
in_router ip route add 203.0.113.0/24 dev wan0
sleep 1
check_way wan1 tcp "$f.66"
check "its selection" wan1 "$(selected second tcp4)"
finish
