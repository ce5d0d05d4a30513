#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every kind of check, asked by the daemon itself of real servers: the DNS
# upstreams of the configuration in all transports, monitors with expectations
# that are met and that are not, QUIC through nodes.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

coredns=$DAE_DEPS/../peers/coredns

# DNS over QUIC and over HTTP/3, beside unbound on the same address.
lab_coredns()
{
	local zone

	for zone in quic://.:8853 https3://.:8443; do
		cat <<-COREFILE
		$zone {
			bind $lab_dns
			tls $lab/certs/web.pem $lab/certs/web.key
			template IN A {
				answer "{{ .Name }} 60 IN A $lab_web"
			}
		}
		COREFILE
	done >"$lab/Corefile"
	lab_start coredns far "$coredns" -conf "$lab/Corefile"
}

show()
{
	daectl monitors show "$1" --json 2>/dev/null ||
		daectl nodes show "$1" --json
}

# found NAME: verdict of its IPv4 check, and why if it is not up.
found()
{
	show "$1" | jq -r '.data | .checks[] | select(.family == 4) | [.class, .verdict,
		(if .verdict == "up" then "" else .last_error.outcome end)] |
		join(" ")' | sed 's/ $//'
}
is_decided() { [ "$(show "$1" | jq -r '.data.checks |
	all(.family != 4 or .verdict != "unknown")')" = true ]; }

product_lab
[ -x "$coredns" ] || skip "no $coredns (tests/harness/peers makes it)"
lab_coredns
conf_global="$conf_global
	check_interval: 1s"
conf_routing="
	fallback: direct
}
dns {
	upstream {
		u-udp: 'udp://$lab_dns:53'
		u-tcp: 'tcp://$lab_dns:53'
		u-tls: 'tls://dns.lab:853'
		u-https: 'https://dns.lab:443/dns-query'
		u-quic: 'quic://dns.lab:8853'
		u-h3: 'h3://dns.lab:8443/dns-query'
	}"
conf_supervisor="
	quic_check_url: 'https://web.lab/'
	monitor {
		status: 'https://$lab_web/' [sni: web.lab, expect_status: 200-299]
		status-bad: 'https://$lab_web/' [sni: web.lab, expect_status: 204]
		body: 'http://$lab_web/' [iface: wan0, expect_body: '10.77.2.1']
		body-bad: 'http://$lab_web/' [expect_body: 'no such text']
		rcode: 'dns://$lab_dns/?name=absent.lab' [expect_rcode: NXDOMAIN]
		rcode-bad: 'dns://$lab_dns/?name=absent.lab' [fall: 1]
		rdata: 'dns://$lab_dns/?name=web.lab' [expect_rdata: '$lab_web']
		rdata-bad: 'dns://$lab_dns/?name=web.lab' [expect_rdata: '192.0.2.9', fall: 1]
		h3: 'h3://$lab_web/' [sni: web.lab]
		quic: 'quic://$lab_web:443' [sni: web.lab]
		doq: 'doq://$lab_dns:8853/?name=web.lab' [sni: dns.lab]
		doh3: 'doh3://$lab_dns:8443/?name=web.lab' [sni: dns.lab]
		doh: 'doh://$lab_dns/?name=web.lab' [sni: dns.lab]
		dot: 'dot://$lab_dns/?name=web.lab' [sni: dns.lab]
		name-bad: 'tls://$lab_dns/?name=web.lab' [sni: other.lab]
		sni-bad: 'https://$lab_web/' [sni: other.lab]
		closed: 'tcp://$lab_web:53/?name=web.lab'
	}"
config_write
daemon_start
for m in u-udp u-tcp u-tls u-https u-quic u-h3 status status-bad body body-bad \
	rcode rcode-bad rdata rdata-bad h3 quic doq doh3 doh dot name-bad sni-bad closed
do
	wait_for 15 "a verdict of $m" is_decided $m
done
while read -r name want; do
	check "$name" "$want" "$(found "$name")"
done <<'WANT'
u-udp udp up
u-tcp tcp up
u-tls tls up
u-https https up
u-quic quic up
u-h3 h3 up
status https up
status-bad https down http_status
body tcp up
body-bad tcp down body_mismatch
rcode udp up
rcode-bad udp down dns_rcode
rdata udp up
rdata-bad udp down body_mismatch
h3 h3 up
quic quic up
doq quic up
doh3 h3 up
doh https up
dot tls up
name-bad tls down cert_name
sni-bad https down tls_alert
closed tcp down refused
WANT
wait_for 10 "QUIC through the second uplink" is_up wan1
check "quic4 of a node" up "$(daectl nodes show direct --json | jq -r \
	'.data.checks[] | select(.class == "quic4") | .verdict')"
check_has "the certificate's end is known" '^20[0-9][0-9]-' \
	"$(show h3 | jq -r '.data.checks[0].cert_not_after')"
finish
