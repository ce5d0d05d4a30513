#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A resolver that no route leads to: the next one is asked, and where there is
# none, nobody is judged by it.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

unreachable=2001:db8:dead::1
resolvers()
{
	printf 'nameserver %s\n' "$@" >"$lab/resolv.conf"
}

product_lab
conf_mode=observe
conf_global="
	check_interval: 1s
	tcp_check_url: 'http://web.lab/generate_204'
	udp_check_dns: 'dns.lab:53'"
conf_node="
	plain: 'direct://'"
conf_group="
	only {
		filter: name(plain)
		policy: min
	}"
config_write
sed -i "/bootstrap_resolver/d" "$lab/config.dae"
in_router ip -6 route add unreachable "${unreachable%1}/48"
# shellcheck disable=SC2016
daemon_as=(unshare -m sh -c
	'mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"' "$lab")
resolvers $unreachable "$lab_dns"
daemon_start
wait_for 8 "a node by the second resolver" is_up plain
lab_stop supervisor
rm -f "$lab/state/state"
resolvers $unreachable
daemon_start
sleep 4
check "its state without any" unknown "$(node_state plain)"
check_that "why: failures of our own" "$(status .checks.ours) > 0"
finish
