#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who may do what at the control socket, and what daectl's exit codes say.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

ctl=$DAE_BUILD/supervisor/ctl/daectl

# as GROUP COMMAND...: nobody, in that group. code: how it ended.
as()
{
	local groups=(--clear-groups)

	[ "$1" = none ] || groups=(--groups "$1")
	shift
	setpriv --reuid nobody --regid nogroup "${groups[@]}" \
		"$ctl" -s "$lab/run/control.sock" "$@" >"$lab/out" 2>&1 &&
		r=0 || r=$?
}

# ends WANT GROUP COMMAND...
ends()
{
	local want=$1

	shift
	as "$@"
	check "$*" "$want" "$r"
}

getent group _dae-admin >/dev/null || skip "no group _dae-admin"
product_lab
conf_mode=observe
conf_global="
	check_interval: 1s
	tcp_check_url: 'http://web.lab/generate_204', '$lab_web'
	udp_check_dns: 'dns.lab:53', '$lab_dns'"
conf_node="
	good: 'http://$lab_far.21:8888'
	bad: 'socks5://$lab_far.12:1080'"
conf_group='
	proxies {
		policy: min
	}'
config_write

ends 3 none status
check_has "the message" 'dae-supervisor' "$(cat "$lab/out")"
daemon_start
wait_for 10 "a verdict" is_up good

# who belongs to no group is told which to join
ends 5 none status
check_has "the hint" '_dae' "$(cat "$lab/out")"
ends 5 none reload

# one group may look
ends 0 _dae status
ends 0 _dae nodes
ends 0 _dae events
ends 0 _dae route test 10.77.1.2 "$lab_web:80"
ends 5 _dae reload
check_has "the hint" '_dae-admin' "$(cat "$lab/out")"
ends 5 _dae recycle --all
ends 5 _dae nodes drain good
ends 5 _dae groups select proxies good
ends 5 _dae recycle policy max_probes=5
ends 5 _dae probe good
check "the policy" "" "$(daectl recycle policy | grep 'max_probes=5$' || :)"
check "the node" auto "$(daectl nodes show good --json | jq -r .data.admin)"

# the other may change things
ends 0 _dae-admin status
ends 0 _dae-admin nodes drain good
ends 0 _dae-admin nodes auto good
ends 0 _dae-admin groups select proxies good
ends 0 _dae-admin reload
ends 0 _dae-admin probe good --class tcp4
ends 0 _dae-admin recycle --all

# what else an exit code says
ends 4 _dae nodes show god
check_has "the hint" "did you mean 'good'" "$(cat "$lab/out")"
ends 4 _dae groups show none
ends 4 _dae monitors show none
ends 2 _dae statsu
ends 2 _dae nodes --nonsense
ends 2 _dae nodes show
ends 2 _dae-admin recycle policy max_probes=many
wait_for 10 "the bad node's verdict" [ "$(node_state bad)" = down ]
ends 8 _dae status --exit-status
sed -i "s/policy: min/policy: mni/" "$lab/config.dae"
ends 6 _dae-admin reload
ends 6 _dae check-config "$lab/config.dae"
finish
