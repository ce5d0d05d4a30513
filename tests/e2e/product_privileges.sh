#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon as the unit runs it: a user of its own with six capabilities. It
# routes, and its workers are another user's, with no capability and nothing
# open. What was known survives a restart; a damaged file is set aside.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

caps=+bpf,+net_admin,+perfmon,+setuid,+setgid,+kill
field() { awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"; }
ok_total()
{
	daectl nodes show wan1 --json |
		jq '.data.checks[] | select(.class == "tcp4") | .ok_total'
}

# Not the channel, sockets of probes, stderr, nor what its loop is made of: of
# the loop's pipe it has both ends.
others_open()
{
	find "/proc/$1/fd" -type l -printf '%l\n' | sort | uniq -c |
		grep -vE " socket:| anon_inode:\\[(eventpoll|timerfd|eventfd)\\]$\
| $lab/supervisor.log$| /dev/null$| 2 pipe:" | xargs
}

getent passwd _dae >/dev/null || skip "no user _dae"
f=$lab_far
product_lab
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	dip($f.67/32) -> block
	fallback: direct"
config_write
mkdir "$lab/bpf/dae"
chown -R _dae:_dae "$lab/run" "$lab/state" "$lab/config.dae" "$lab/bpf/dae"
chmod 700 "$lab/bpf/dae"
daemon_as=(setpriv --reuid _dae --regid _dae --init-groups
	--bounding-set "-all,$caps" --inh-caps "-all,$caps"
	--ambient-caps "-all,$caps" --no-new-privs)
daemon_start
daemon_settle

pid=$(cat "$lab/pids/supervisor")
check "the daemon's user" "$(id -u _dae)" "$(field "$pid" Uid)"
check "its capabilities" 000000c0000010e0 "$(field "$pid" CapEff)"
check "how it is attached" "$(best_attach)" "$(status .kernel.attach)"
for proto in tcp udp; do
	check_way engine $proto "$f.64"
	check_way wan1 $proto "$f.66"
	check_way block $proto "$f.67"
	check_way direct $proto "$f.10"
done
check "warnings" "" "$(status '.warnings[]' | grep -v 'port 53' || :)"

workers=0
for pid in $(worker_pids); do
	workers=$((workers + 1))
	check "worker $pid: user" "$(id -u _dae-worker)" "$(field "$pid" Uid)"
	check "worker $pid: group" "$(id -g _dae-worker)" "$(field "$pid" Gid)"
	check "worker $pid: groups" "" "$(field "$pid" Groups)"
	for set in CapInh CapPrm CapEff CapAmb; do
		check "worker $pid: $set" 0000000000000000 "$(field "$pid" $set)"
	done
	check "worker $pid: seccomp" 2 "$(field "$pid" Seccomp)"
	check "worker $pid: no new privileges" 1 "$(field "$pid" NoNewPrivs)"
	check "worker $pid: other things open" "" "$(others_open "$pid")"
done
check_that "workers" "$workers >= 2"

# what was known survives
sleep 1
before=$(ok_total)
lab_stop supervisor
rm -f "$lab/supervisor.log"
daemon_start
check "a node's state at once" up "$(node_state wan1)"
check "verdicts that changed" "" \
	"$(grep -E 'verdict: .* -> (up|down)' "$lab/supervisor.log" || :)"
echo "$before checks of a node were known before, $(ok_total) are now"
check_way wan1 tcp "$f.66"

# unless it is damaged
lab_stop supervisor
find "$lab/state" -type f -name 'state*' | grep -q . || skip "no saved state"
for file in "$lab"/state/state*; do
	dd if=/dev/urandom of="$file" bs=64 count=1 conv=notrunc status=none
done
daemon_start
check "damaged files that were set aside" 1 \
	"$(find "$lab/state" -name '*.damaged-*' | wc -l)"
daemon_settle
check_way wan1 tcp "$f.66"
check_way engine udp "$f.64"
finish
