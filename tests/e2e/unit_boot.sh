#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The unit as it is installed, under a booted systemd: what README says makes it
# run; who may look; routing as _dae with six capabilities; reload, death,
# restart and stop, with what each leaves in the kernel.
set -uo pipefail
: "${DAE_SOURCE:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${DAE_BUILD:?the build folder}"
: "${DAE_DEPS:=/var/cache/dae-supervisor-deps/current}"
# shellcheck source-path=SCRIPTDIR source=../harness/boot.bash
. "$DAE_SOURCE/tests/harness/boot.bash"

unit=dae-supervisor
config=/etc/dae-supervisor/config.dae
blocked=198.51.100.13
failures=0

found() { echo "FAILED: $*"; failures=$((failures + 1)); }
ok() { echo "ok: $*"; }
# is WHAT EXPECTED ACTUAL; has WHAT PATTERN TEXT; does WHAT COMMAND...
is() { if [ "$2" = "$3" ]; then ok "$1: $3"; else found "$1: not '$2': $3"; fi; }
has()
{
	if grep -qE -- "$2" <<<"$3"; then
		ok "$1"
	else
		found "$1: no '$2' in: $3"
	fi
}
does()
{
	local what=$1

	shift
	if "$@" >"$boot/out" 2>&1; then
		ok "$what"
	else
		found "$what: $(tail -n 5 "$boot/out")"
	fi
}
# until_is SECONDS WHAT COMMAND...
until_is()
{
	local end=$((SECONDS + $1)) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { found "$what: did not come about"; return; }
		sleep 0.1
	done
	echo "ok: $what"
}

ctl() { inside systemctl "$@" $unit; }
show() { ctl show -P "$1"; }
main_pid() { show MainPID; }
status() { inside daectl status --json | jq -r "$1"; }
as() { inside setpriv --reuid "$1" --regid "$1" --init-groups "${@:2}"; }
bpftool() { "$(PATH=$DAE_DEPS/bin:$PATH type -P bpftool)" "$@"; }
link_id()
{
	bpftool -j link show pinned "$(echo "$boot"/bpf/dae-supervisor/link-*)" |
		jq .id
}
is_new_main() { [ "$(main_pid)" != "$1" ] && [ "$(main_pid)" != 0 ] && is_active; }
is_active() { [ "$(show ActiveState)" = active ]; }

says_status() { ctl status | grep -q 'Status: .*nodes up, . workers, observe'; }

# What README says after cmake --install.
test_install()
{
	does "systemd-sysusers" inside systemd-sysusers $unit.conf
	does "systemd-tmpfiles" inside systemd-tmpfiles --create $unit.conf
	is "the configuration is root's, for _dae to read" "640 root _dae" \
		"$(inside stat -c '%a %U %G' $config)"
	is "the pins' folder" "700 _dae _dae" \
		"$(inside stat -c '%a %U %G' /sys/fs/bpf/dae-supervisor)"
	does "enable --now" inside systemctl enable --now $unit
	is "mode as packaged" observe "$(status .data.config.mode)"
	is "nothing in the kernel" "" "$(inside ls /sys/fs/bpf/dae-supervisor)"
	until_is 3 "systemctl status has a line of ours" says_status
	is "the state's folder" "700 _dae _dae" \
		"$(inside stat -c '%a %U %G' /var/lib/dae-supervisor)"
}

test_who_may_look()
{
	inside useradd looker
	inside useradd changer
	inside useradd stranger
	inside usermod -aG _dae looker
	inside usermod -aG _dae-admin changer
	does "a member of _dae looks" as looker daectl status
	is "and changes nothing" 5 "$(as looker daectl reload >/dev/null 2>&1; echo $?)"
	does "a member of _dae-admin changes" as changer daectl reload
	as stranger daectl status >"$boot/out" 2>&1
	is "anybody else is refused" 5 $?
	has "and told how" "join the group _dae" "$(cat "$boot/out")"
}

# client --lan0-- router --up0-- far
hosts()
{
	inside sh -e <<-'SH'
	for h in client far; do ip netns add $h; ip -n $h link set lo up; done
	ip link add lan0 type veth peer name eth0 netns client
	ip link add up0 type veth peer name eth0 netns far
	ip addr add 10.77.1.1/24 dev lan0
	ip -n client addr add 10.77.1.2/24 dev eth0
	ip addr add 10.77.2.1/24 dev up0
	ip -n far addr add 10.77.2.2/24 dev eth0
	ip -n far addr add 198.51.100.10/32 dev lo
	ip -n far addr add 198.51.100.13/32 dev lo
	ip link set lan0 up
	ip link set up0 up
	ip -n client link set eth0 up
	ip -n far link set eth0 up
	ip -n client route add default via 10.77.1.1
	ip -n far route add 10.77.1.0/24 via 10.77.2.1
	ip route add default via 10.77.2.2
	echo 1 >/proc/sys/net/ipv4/ip_forward
	SH
	cp "$DAE_BUILD/tests/harness/flowtool" "$boot/root/usr/local/bin/"
	# a service: what nsenter runs for us is stopped, not ended, at shutdown
	inside systemd-run -q --unit=flowtool \
		nsenter --net=/run/netns/far flowtool serve 7000
	cat >"$boot/root$config" <<-CONFIG
	global { lan_interface: lan0
		log_level: info }
	node { far: 'iface://up0?gateway=10.77.2.2' }
	group { far { filter: name(far)
		policy: fallback
		on_all_dead: last } }
	routing {
		dip($blocked/32) -> block
		dip(198.51.100.10/32) -> far
		fallback: direct
	}
	supervisor { mode: route
		memory_total: 96M }
	CONFIG
}

client() { inside nsenter --net=/run/netns/client flowtool "$@"; }

test_route()
{
	hosts
	until_is 5 "before: nothing is blocked" client udp $blocked 7000
	does "restart into mode route" ctl restart
	is "mode" route "$(status .data.config.mode)"
	is "no warning" "" "$(status '.data.warnings[]?' | grep -v 'port 53')"
	has "pins under the unit's own folder" link- \
		"$(inside ls /sys/fs/bpf/dae-supervisor)"
	is "the daemon's user" _dae \
		"$(inside stat -c %U "/proc/$(main_pid)")"
	has "no more capabilities than six" '^CapEff:.*000000c0000010e0$' \
		"$(inside cat "/proc/$(main_pid)/status")"
	has "blocked" "no answer" "$(client udp $blocked 7000 wait=300)"
	has "by the uplink" 10.77 "$(client udp 198.51.100.10 7000)"
	is "the workers' memory is seen" true "$(inside daectl workers --json |
		jq '[.data[] | select(.rss_bytes > 0)] | length >= 1')"
}

test_reload()
{
	local before

	before=$(status .data.config.generation)
	does "reload" ctl reload
	is "another configuration" $((before + 1)) "$(status .data.config.generation)"
	cp "$boot/root$config" "$boot/good"
	sed -i 's/policy: fallback/policy: no-such-thing/' "$boot/root$config"
	is "a bad one is refused" 1 "$(ctl reload >/dev/null 2>&1; echo $?)"
	cat "$boot/good" >"$boot/root$config"
	is "and changes nothing" $((before + 1)) "$(status .data.config.generation)"
	is "nor ends the service" active "$(show ActiveState)"
	has "the journal says where" "config.dae:[0-9]+:[0-9]+.*no-such-thing" \
		"$(inside journalctl -u $unit -n 20 --no-pager -o cat)"
}

# While a client asks without a pause: not one of its flows slips through.
test_survive()
{
	local id pid watch

	id=$(link_id)
	has "a link is pinned" '^[0-9]+$' "$id"
	client watch udp $blocked 7000 9 >"$boot/watch" 2>&1 &
	watch=$!
	pid=$(main_pid)
	inside kill -KILL "$pid"
	until_is 5 "killed: systemd starts it anew" is_new_main "$pid"
	is "killed: the link is adopted" "$id" "$(link_id)"
	is "killed: no worker of the old one is left" "" \
		"$(inside pgrep -f "dae-worker .*--parent $pid ")"
	pid=$(main_pid)
	does "restart" ctl restart
	is_new_main "$pid" || found "restart: no new process"
	is "restart: the link is adopted" "$id" "$(link_id)"
	wait $watch
	has "nothing slipped through meanwhile" "no answer" "$(cat "$boot/watch")"
	is "not once" 0 "$(grep -c 10.77 "$boot/watch")"
}

test_watchdog()
{
	local pid

	inside mkdir -p /run/systemd/system/$unit.service.d
	inside sh -c "printf '[Service]\nWatchdogSec=3\nTimeoutAbortSec=1\n' \
		>/run/systemd/system/$unit.service.d/watchdog.conf"
	inside systemctl daemon-reload
	does "restart with a shorter watchdog" ctl restart
	pid=$(main_pid)
	sleep 3.5
	is "it barks in time" "$pid" "$(main_pid)"
	inside kill -STOP "$pid"
	until_is 10 "a daemon that stands still is replaced" is_new_main "$pid"
	inside rm -r /run/systemd/system/$unit.service.d
	inside systemctl daemon-reload
}

test_stop()
{
	does "stop" ctl stop
	is "no pin is left" "" "$(inside ls /sys/fs/bpf/dae-supervisor)"
	is "nor a rule" "0:32766:32767:" "$(inside ip rule |
		awk '{ printf "%s", $1 }')"
	is "nor a process" "" "$(inside pgrep -f 'dae-(worker|supervisor)')"
	is "nor a control group" "" \
		"$(boot_cgroups | xargs -I{} find {} -mindepth 1 -name '*dae*')"
	is "nor the run-time folder" "" "$(inside ls -d /run/dae-supervisor 2>&1 |
		grep -v 'No such')"
	has "traffic goes its own way" 10.77.1.2 "$(client udp $blocked 7000)"
	does "and it can be started again" ctl start
	has "and blocks" "no answer" "$(client udp $blocked 7000 wait=300)"
}

boot_need
trap boot_down EXIT
trap 'exit 1' INT TERM HUP
boot_prepare || exit 1
boot_up || { tail -n 20 "$boot/console"; exit 1; }
test_install
test_who_may_look
test_route
test_reload
test_survive
test_watchdog
test_stop
inside systemd-analyze security --no-pager $unit 2>&1 | tail -n 1
if [ $failures -gt 0 ]; then
	inside journalctl -u $unit --no-pager -n 60
	echo "$failures checks failed"
	exit 1
fi
echo "all as expected"
