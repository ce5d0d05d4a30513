# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The whole product on the lab's three hosts: what its tests have in common.
# Read by product_*.sh, which then call product_lab, daemon_start and, last,
# finish. Everything made is taken away in any case.
set -euo pipefail
: "${DAE_SOURCE:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${DAE_BUILD:?the build folder}"
# shellcheck source-path=SCRIPTDIR source=../../packaging/lab.bash
. "$DAE_SOURCE/packaging/lab.bash"

supervisor=$DAE_BUILD/supervisor/dae-supervisor
worker=$DAE_BUILD/worker/dae-worker
compile=$DAE_BUILD/supervisor/compile/dae-compile
flowtool=$DAE_BUILD/tests/harness/flowtool
lab_name=e2e$$
lab=
failures=0

skip() { echo "SKIP: $*"; exit 77; }

# --- what is found right or wrong ---

# check WHAT EXPECTED ACTUAL
check()
{
	if [ "$2" = "$3" ]; then
		echo "ok: $1: $3"
	else
		echo "FAILED: $1: expected '$2', got '$3'"
		failures=$((failures + 1))
	fi
}

# check_that WHAT EXPRESSION: arithmetic, shown as it is.
check_that()
{
	if (($2)); then
		echo "ok: $1: $2"
	else
		echo "FAILED: $1: expected $2"
		failures=$((failures + 1))
	fi
}

# check_has WHAT PATTERN TEXT: an extended regular expression.
check_has()
{
	if grep -qE -- "$2" <<<"$3"; then
		echo "ok: $1"
	else
		echo "FAILED: $1: expected something like '$2', got: $3"
		failures=$((failures + 1))
	fi
}

# wait_for SECONDS WHAT COMMAND...: a failed test if it does not come about.
wait_for()
{
	lab_wait "$@" && return
	echo "FAILED: $2: not within $1 s"
	failures=$((failures + 1))
}

finish()
{
	if [ "$failures" -gt 0 ]; then
		echo "$failures checks failed"
		# to look at what a failed test leaves behind
		[ -z "${DAE_E2E_KEEP:-}" ] || cp -r "$lab" "$DAE_E2E_KEEP"
		[ ! -f "$lab/supervisor.log" ] ||
			tail -n 40 "$lab/supervisor.log"
		exit 1
	fi
	echo "all as expected"
}

# --- the lab ---

product_need()
{
	local tool

	[ "$(id -u)" = 0 ] || skip "needs root"
	for tool in "$@" jq nsenter nft ip; do
		[ -n "$(type -P "$tool")" ] || skip "no $tool"
	done
	getent passwd _dae-worker >/dev/null || skip "no user _dae-worker"
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[ -n "$cgroup" ] || skip "no cgroup v2"
	cgroup=$cgroup/$lab_name
}

# With what daemons made in it, as systemd does once nothing runs there.
cgroup_remove()
{
	[ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} +
}

product_down()
{
	set +e
	lab_stop supervisor
	if [ -e "/run/netns/$lab_name-router" ]; then
		in_router "$supervisor" --cleanup --bpf-dir "$lab/bpf/dae" \
			--state-dir "$lab/state" >/dev/null 2>&1
	fi
	[ ! -d "$lab/pids" ] || lab_down
	mountpoint -q "$lab/bpf" && umount "$lab/bpf"
	rm -rf "$lab"
	cgroup_remove
}

# Folders only: for what needs no hosts.
product_folder()
{
	lab=$(mktemp -d /tmp/dae-e2e.XXXXXX)
	chmod 755 "$lab"
	trap product_down EXIT
	trap 'exit 1' INT TERM HUP
	mkdir -p "$lab/pids" "$lab/run" "$lab/state" "$lab/libexec"
	ln -s "$worker" "$lab/libexec/dae-worker"
	ln -s "$compile" "$lab/libexec/dae-compile"
}

# The hosts and the servers. All of 198.51.100.64/26 and 2001:db8:100:1::/64
# answer on the far side, so that each rule can have addresses of its own.
product_lab()
{
	product_need unbound tinyproxy ss-redir caddy dig curl
	product_folder
	mkdir -p "$lab/bpf"
	mount -t bpf bpf "$lab/bpf"
	lab_up
	in_far ip route add local "$lab_far.64/26" dev lo
	in_far ip -6 route add local 2001:db8:100:1::/64 dev lo
	# what is behind the uplinks is reached by their gateways alone
	lab_sysctl far net.ipv6.ip_nonlocal_bind=1 net.ipv4.conf.all.arp_ignore=1
	lab_engine6
}

lab_engine6()
{
	lab_start engine6 router ss-redir -s "$lab_far.30" -p 8388 -b ::1 \
		-l 12346 -k lab -m chacha20-ietf-poly1305 -T -u
}

# --- the daemon ---

# The parts of the configuration, for a test to change before config_write.
conf_global="
	check_interval: 1s
	tcp_check_url: 'http://web.lab/generate_204', '$lab_web', '2001:db8:100::10'
	udp_check_dns: 'dns.lab:53', '$lab_dns', '2001:db8:100::53'"
conf_node="
	engine: 'tproxy://127.0.0.1:12346'
	engine6: 'tproxy://[::1]:12346'
	wan1: 'iface://wan1?gateway=10.77.3.2'
	wan1v6: 'iface://wan1?gateway=fd77:3::2'"
conf_group='
	engine {
		filter: name(engine, engine6)
		policy: fallback
		on_all_dead: block
	}
	second {
		filter: name(wan1, wan1v6)
		policy: fallback
		on_all_dead: block
	}'
conf_routing='
	fallback: direct'
conf_lan=lan0
conf_mode=route
conf_attach=auto
conf_supervisor=
conf_lan=lan0

config_write()
{
	cat >"$lab/config.dae" <<-CONFIG
	global {
		lan_interface: $conf_lan
		log_level: info
		bootstrap_resolver: '$lab_dns:53'
	$conf_global
	}
	node {$conf_node
	}
	group {$conf_group
	}
	routing {$conf_routing
	}
	supervisor {
		mode: $conf_mode
		attach: $conf_attach
		ca_file: '$lab/certs/ca.pem'
		memory_total: 96M
		adaptive: off
	$conf_supervisor
	}
	CONFIG
	chmod 640 "$lab/config.dae"
}

daectl() { "$DAE_BUILD/supervisor/ctl/daectl" -s "$lab/run/control.sock" "$@"; }

# status FILTER: of the status as JSON.
status() { daectl status --json | jq -r ".data$1"; }
node_state() { daectl nodes --json | jq -r ".data[] | select(.name == \"$1\") | .state"; }
# selected GROUP CLASS: the node that flows of the class take.
selected()
{
	daectl groups --json | jq -r ".data[] | select(.name == \"$1\") |
		.selection[] | select(.class == \"$2\") | .node"
}
is_up() { [ "$(node_state "$1")" = up ]; }
is_settled() { [ "$(status .checks.unknown)" = 0 ]; }
worker_pids() { daectl workers --json | jq -r '.data[] | .pid // empty'; }
# last_seq: of the newest event; events_since SEQ [FILTER]: one line each.
last_seq() { daectl events --json -n 1 | jq '.data[0].seq // 0'; }
events_since()
{
	daectl events --json --since "$1" | jq -r ".data[] | ${2:-.} |
		\"\\(.at) \\(.kind) \\(.subject): \\(.text)\""
}

# How this kernel is attached to if nothing is said.
best_attach()
{
	case $(uname -r) in
	[0-5].* | 6.[0-5].*) echo clsact ;;
	*) echo tcx ;;
	esac
}

# In a cgroup of the test's: the second fence concerns nobody else.
daemon_spawn()
{
	lab_wait 5 "the end of the last daemon's processes" cgroup_remove
	mkdir -p "$cgroup"
	# shellcheck disable=SC2016
	lab_start supervisor router sh -c \
		'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroup" \
		"${daemon_as[@]}" "$supervisor" -c "$lab/config.dae" \
		--runtime-dir "$lab/run" --state-dir "$lab/state" \
		--bpf-dir "$lab/bpf/dae" --libexec "$lab/libexec"
}
daemon_as=()

# The first rules are in force.
is_ready() { daectl status && grep -q 'supervisor: ready' "$lab/supervisor.log"; }

daemon_start()
{
	daemon_spawn
	lab_wait 15 "the daemon" is_ready || {
		cat "$lab/supervisor.log"
		exit 1
	}
}

daemon_settle() { wait_for 20 "verdicts of all checks" is_settled; }

# --- flows of the client ---

# The router's address on each uplink.
declare -A ways=([10.77.2.1]=direct [fd77:2::1]=direct
	[10.77.3.1]=wan1 [fd77:3::1]=wan1)

# way PROTO ADDRESS [KEY=N]...: which way the flow took.
way()
{
	local proto=$1 address=$2 answer

	shift 2
	answer=$(in_client "$flowtool" "$proto" "$address" 7000 "$@" || :)
	[ -n "${ways[$answer]:-}" ] || case $answer in
	"no answer") answer=block ;;
	# which of the far side's addresses the engine took does not matter
	"$lab_far".* | 2001:db8:100:* | 127.0.0.1 | ::1) answer=engine ;;
	esac
	echo "${ways[$answer]:-$answer}"
}

# check_way WANT PROTO ADDRESS [KEY=N]...
check_way()
{
	local want=$1 wait=()

	shift
	# only silence is waited for in vain
	[ "$want" != block ] || wait=("wait=$((300 * ${DAE_SLOW:-1}))")
	check "$*" "$want" "$(way "$@" "${wait[@]}")"
}

# check_kinds_of_ways: direct, engine, uplink and block by TCP and UDP in both
# families, where rules say so for .64, .66 and .67 of the far side.
check_kinds_of_ways()
{
	local proto f=$lab_far six=2001:db8:100:1:

	for proto in tcp udp; do
		check_way direct $proto "$f.10"
		check_way direct $proto 2001:db8:100::10
		check_way engine $proto "$f.64"
		check_way engine $proto "$six:64"
		check_way wan1 $proto "$f.66"
		check_way wan1 $proto "$six:66"
		check_way block $proto "$f.67"
		check_way block $proto "$six:67"
	done
}

# stream_start ADDRESS SECONDS: a transfer in the background.
stream_start()
{
	in_client "$flowtool" stream "$1" 7000 "$2" >"$lab/stream.out" &
	stream=$!
	sleep 0.3
}

# stream_check WHAT LONGEST-SILENCE-IN-MS
stream_check()
{
	wait "$stream" || :
	check_that "$1: silence in ms ($(cat "$lab/stream.out"))" \
		"$(awk '/^longest/ { print $3; f = 1 }
			END { if (!f) print 99999 }' "$lab/stream.out") <= $2"
}

# All that we could leave in the router's kernel.
kernel_view()
{
	in_router ip rule show
	in_router ip -6 rule show
	in_router ip -4 route show table all
	# link-local addresses come when they come
	in_router ip -6 route show table all | grep -v ' fe80::'
	in_router tc qdisc show
	in_router tc filter show dev lan0 ingress |
		sed -E 's/:\[[0-9]+\]| id [0-9]+//g'
	in_router sysctl -a -r '^net\.(ipv4|ipv6)\.' 2>/dev/null | grep -vE \
		'^net\.ipv4\.(tcp_fastopen_key|route\.|tcp_mem|udp_mem)'
	find "$lab/bpf" -mindepth 1 -printf 'pin %P\n'
}

# Wall clock in ms of the first event on the input of some kind and text.
event_ms()
{
	local at

	at=$(daectl events --json --since "$1" | jq -r --arg text "$2" \
		'[.data[] | select("\(.kind) \(.subject): \(.text)" |
			test($text))][0].at // empty')
	[ -z "$at" ] || date -d "$at" +%s%3N
}

# A web server on the far side that answers after a while and writes path and
# time of each request to $lab/requests. slow_web PORT MS
slow_web()
{
	: >"$lab/requests"
	lab_start slow far /usr/bin/python3 -B \
		"$DAE_SOURCE/tests/e2e/product_slow_web.py" "$lab_web" "$1" \
		"$2" "$lab/requests"
	lab_wait 10 "the slow web server" in_far \
		curl -s -m 1 "http://$lab_web:$1/wake"
}

# monitors_of PORT COUNT INTERVAL: lines for the section monitor, m1 and on.
monitors_of()
{
	local i

	for ((i = 1; i <= $2; i++)); do
		echo "m$i: 'http://$lab_web:$1/m$i' [interval: $3]"
	done
}

# Of the monitors m1 and on: how many checks ended so. total_of ok|fail|ours
total_of()
{
	daectl monitors --json | jq "[.data[] | select(.name | test(\"^m[0-9]\"))
		| .checks[].${1}_total] | add"
}

# Monitors alone: nothing of which one cannot say how it must end.
no_nodes()
{
	conf_mode=observe
	conf_node=
	conf_group=
}

# Each check that was begun has ended or is under way, none by our fault.
check_ledger()
{
	local s

	s=$(status .checks)
	check "checks begun that neither ended nor are under way" 0 \
		"$(jq '.started - .results - .in_flight' <<<"$s")"
	check "checks that ended by our fault" 0 "$(jq .ours <<<"$s")"
	check "checks that ended late" 0 "$(jq .late <<<"$s")"
}
