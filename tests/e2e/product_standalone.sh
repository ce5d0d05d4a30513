#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One probe without daemon, configuration and privilege, against real servers
# and against silence. A check of a configuration, without anything either.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

# Nobody, on a router that trusts the lab's authority.
as_nobody()
{
	# shellcheck disable=SC2016
	in_router unshare --mount sh -c '
		mount --bind "$0" /etc/ssl/certs/ca-certificates.crt
		exec setpriv --reuid nobody --regid nogroup --clear-groups \
			--bounding-set -all env -i PATH=/usr/bin:/bin "$@"' \
		"$lab/certs/ca.pem" "$DAE_BUILD/supervisor/ctl/daectl" "$@"
}

# probe WANT-OUTCOME-OF-IPV4 URL [OPTION]...
probe()
{
	local want=$1 url=$2 out r

	shift 2
	out=$(as_nobody probe --standalone "$url" --resolver "$lab_dns" \
		--family 4 --json "$@" 2>&1) && r=0 || r=$?
	check "$url $*" "$want" \
		"$(jq -r '[.data[].outcome] | unique | join(" ")' \
			<<<"$out" 2>/dev/null || echo "$out")"
	if [ "$want" = ok ]; then
		check "its exit code" 0 $r
	else
		check_that "its exit code" "$r != 0"
	fi
}

[ -f /etc/ssl/certs/ca-certificates.crt ] || skip "no ca-certificates"
product_lab
# what a node is asked for when no configuration says it
in_far nft -f - <<-NFT
	table ip lab {
		chain out {
			type nat hook output priority -100
			ip daddr 1.1.1.1 tcp dport 80 dnat to $lab_web
			ip daddr 8.8.8.8 udp dport 53 dnat to $lab_dns
		}
	}
NFT
in_far ip route add 1.1.1.1 dev lo
in_far ip route add 8.8.8.8 dev lo
lab_start wrong far openssl s_server -accept "$lab_far.13:443" -www -quiet \
	-cert "$lab/certs/web.pem" -key "$lab/certs/web.key"
lab_wait 5 "the server of a wrong name" in_far \
	curl -sk -m 1 "https://$lab_far.13/"
probe ok "h3://web.lab/"
probe ok "https://web.lab/"
probe ok "http://web.lab/generate_204"
probe ok "quic://web.lab/"
probe ok "dns://$lab_dns/?name=web.lab"
probe ok "tls://dns.lab/?name=web.lab"
probe ok "tcp://$lab_dns/?name=web.lab"
probe ok "socks5://$lab_far.20:1080"
probe ok "http://$lab_far.21:8888" --class tcp
probe refused "https://$lab_far.12/"
probe refused "http://$lab_far.12:81/"
probe refused "doq://$lab_far.12/?name=web.lab"
probe refused "socks5://$lab_far.12:1080"
probe cert_name "https://$lab_far.13/"
probe connect_timeout "http://192.0.2.1/" --timeout 1s

# the one probe, as a person sees it
out=$(as_nobody probe --standalone h3://web.lab/ --resolver "$lab_dns" \
	--family 4 -n 2 || :)
check "probes that were shown" 2 "$(grep -c '^h3://web.lab/ .* OK ' <<<"$out")"
check_has "phases" 'resolve .*handshake .*first_byte .*total ' "$out"

# a configuration, checked by nobody
config_write
chown nobody "$lab/config.dae"
chmod 600 "$lab/config.dae"
as_nobody check-config "$lab/config.dae" >/dev/null && r=0 || r=$?
check "exit code of a good configuration" 0 "$r"
sed -i 's/attach: auto/attach: atuo/' "$lab/config.dae"
out=$(as_nobody check-config "$lab/config.dae" 2>&1) && r=0 || r=$?
check "exit code of a bad one" 6 "$r"
check_has "its place" "config.dae:[0-9]+:9: .*atuo" "$out"
finish
