#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# In observe mode everything is probed and shown, and nothing in the kernel or
# its settings is touched.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"


monitors_up()
{
	daectl monitors --json | jq '[.data[] | select(.state == "up")] | length'
}
are_monitors_up() { [ "$(monitors_up)" = 2 ]; }

f=$lab_far
product_lab
conf_mode=observe
conf_node="$conf_node
	dante: 'socks5://$lab_far.20:1080'
	tiny: 'http://$lab_far.21:8888'"
conf_group="$conf_group
	proxies {
		filter: name(dante, tiny)
		policy: min_moving_avg
	}"
conf_routing="
	dip($f.64/32) -> engine
	dip($f.67/32) -> block
	fallback: proxies"
conf_supervisor="	monitor {
			web: 'h3://$lab_web/' [sni: web.lab, interval: 1s]
			names: 'tls://$lab_dns/?name=web.lab' [sni: dns.lab, interval: 1s]
		}"
config_write
# addresses of the links are settled, lest they look like our doing
sleep 2
kernel_view >"$lab/before"
daemon_start
wait_for 10 "the monitors" are_monitors_up
wait_for 10 "a proxy" is_up tiny
check "mode" observe "$(status .config.mode)"
check "the kernel's part" false "$(status .kernel.active)"
for node in tiny engine; do
	check "$node" up "$(node_state $node)"
done

for proto in tcp udp; do
	check_way direct $proto "$f.64"
	check_way direct $proto "$f.67"
done
check_has "route test" block "$(daectl route test 10.77.1.2 "$f.67:7000")"
daectl reload >/dev/null
kernel_view >"$lab/during"
check "differences in the kernel" "" \
	"$(diff "$lab/before" "$lab/during" | head -n 5)"
lab_stop supervisor
kernel_view >"$lab/after"
check "differences after the end" "" \
	"$(diff "$lab/before" "$lab/after" | head -n 5)"
finish
