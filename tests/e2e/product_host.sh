#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The router's own processes: their flows go where the rules say, by name too;
# the engine, in the same cgroup, is not captured; reload, fail-over, kill -9
# and cleanup. $1: how the program on lo is attached.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
six=2001:db8:100:1:
product_lab
apps=$cgroup-apps
mkdir "$apps"

apps_remove()
{
	lab_stop engine || :
	lab_stop engine6 || :
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmdir "$apps" 2>/dev/null && break
		sleep 0.2
	done
	product_down
}
trap apps_remove EXIT

# in_apps [NAME]: a command as a process of the host.
in_apps()
{
	# shellcheck disable=SC2016
	in_router sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$apps" "$@"
}

host_way()
{
	local proto=$1 address=$2 answer

	shift 2
	answer=$(in_apps "$flowtool" "$proto" "$address" 7000 "$@" 2>&1 || :)
	case $answer in
	10.77.2.1 | fd77:2::1) echo direct ;;
	10.77.3.1 | fd77:3::1) echo wan1 ;;
	*.*.*.* | *:*:*:*) echo engine ;;
	*) echo block ;;
	esac
}

check_host()
{
	local want=$1

	shift
	check "host: $*" "$want" "$(host_way "$@")"
}

check_all()
{
	for proto in tcp udp; do
		check_host direct $proto "$f.10"
		check_host direct $proto 2001:db8:100::10
		check_host engine $proto "$f.64"
		check_host engine $proto "$six:64"
		check_host wan1 $proto "$f.66"
		check_host wan1 $proto "$six:66"
		check_host block $proto "$f.67"
		check_host block $proto "$six:67"
		check_host wan1 $proto "$f.68"
		check_host direct $proto "$f.69"
	done
}

# The engines as processes of the host: the rules send their server to them.
lab_stop engine
lab_stop engine6
lab_start engine router sh -c "echo \$\$ >$apps/cgroup.procs && exec ss-redir \
	-s $f.30 -p 8388 -b 127.0.0.1 -l 12346 -k lab \
	-m chacha20-ietf-poly1305 -T -u"
lab_start engine6 router sh -c "echo \$\$ >$apps/cgroup.procs && exec ss-redir \
	-s $f.30 -p 8388 -b ::1 -l 12346 -k lab \
	-m chacha20-ietf-poly1305 -T -u"

conf_attach=$1
conf_global="$conf_global
	wan_interface: auto"
conf_supervisor="
	cgroup: '$apps'"
conf_routing="
	dip($f.64/32, '$six:64/128', $f.30/32) -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	dip($f.68/32) && pname(flowtool) -> second
	dip($f.69/32) && pname(other) -> block
	fallback: direct"
config_write
kernel_view >"$lab/before"
daemon_start
daemon_settle
check_all
check "status" true "$(status .kernel.host)"
# what is no process of the host goes its own way, and the LAN as before
check "another process" 10.77.2.1 \
	"$(in_router "$flowtool" tcp "$f.67" 7000 || :)"
check_way engine tcp "$f.64"
check_way block udp "$f.67"

# Its decisions are told as the LAN's are.
"$DAE_BUILD/supervisor/ctl/daectl" -s "$lab/run/control.sock" route trace \
	--dst="$f.64/30" --count=2 --for=10s >"$lab/trace" &
tracer=$!
sleep 0.5
check_host engine tcp "$f.64"
check_host wan1 udp "$f.66"
wait "$tracer" || :
check_has "a decision for the host, proxied" \
	" host tcp .* -> $f.64:7000  config.dae:[0-9]+  proxy engine engine\$" \
	"$(sed -n 1p "$lab/trace")"
check_has "a decision for the host, over an uplink" \
	" host udp .* -> $f.66:7000  config.dae:[0-9]+  direct second wan1\$" \
	"$(sed -n 2p "$lab/trace")"

# A reload changes the host's rules as the LAN's.
conf_routing="
	dip($f.67/32) -> second
	fallback: direct"
config_write
daectl reload >/dev/null
check_host wan1 tcp "$f.67"
check_host direct udp "$f.64"
conf_routing="
	dip($f.64/32, '$six:64/128', $f.30/32) -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	dip($f.68/32) && pname(flowtool) -> second
	dip($f.69/32) && pname(other) -> block
	fallback: direct"
config_write
daectl reload >/dev/null
check_all

# Nobody there to decide, and somebody again.
lab_stop supervisor KILL
check_all
daemon_start
daemon_settle
check_all
check "links of hooks" 12 \
	"$(find "$lab/bpf/dae" -name 'host-*[46s]' ! -name 'host-host*' \
		-o -name host-getsockopt | wc -l)"

lab_stop supervisor
check_host wan1 tcp "$f.66"
in_router "$supervisor" --cleanup --bpf-dir "$lab/bpf/dae" \
	--state-dir "$lab/state"
check_host direct tcp "$f.66"
kernel_view >"$lab/after"
check "what is left" "" "$(diff "$lab/before" "$lab/after" | head -n 5)"
finish
