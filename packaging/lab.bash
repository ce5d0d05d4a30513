# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Three hosts in network namespaces and real servers on them, for the
# demonstration and for tests: a client behind a router, and a far side that the
# router reaches by two uplinks.
#
#   client --lan0-- router ==wan0,wan1== far
#
# Who reads this sets lab (a folder of its own, absolute), lab_name (a prefix of
# the namespaces) and flowtool (the program). Everything started is in
# $lab/pids and is stopped by lab_down; nothing outside of the namespaces and
# the folder is touched.
# shellcheck disable=SC2154

lab_far=198.51.100		# the far side's services, an address each
lab_web=$lab_far.10
lab_dns=$lab_far.53
lab_more=			# more hosts, for lab_down

in_host() { local h=$1; shift; nsenter --net="/run/netns/$lab_name-$h" "$@"; }
in_client() { in_host client "$@"; }
in_router() { in_host router "$@"; }
in_far() { in_host far "$@"; }

# lab_start NAME HOST COMMAND...: in the background, its output in NAME.log.
lab_start()
{
	local name=$1 host=$2

	shift 2
	nsenter --net="/run/netns/$lab_name-$host" setsid "$@" \
		>"$lab/$name.log" 2>&1 </dev/null &
	echo $! >"$lab/pids/$name"
	disown
}

# lab_stop NAME [SIGNAL]: and wait until it is gone.
lab_stop()
{
	local pid tries=0

	[ -f "$lab/pids/$1" ] || return 0
	pid=$(cat "$lab/pids/$1")
	rm -f "$lab/pids/$1"
	kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -ne 50 ] || kill -KILL "$pid" 2>/dev/null || :
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

# lab_wait SECONDS WHAT COMMAND...: until it succeeds. On a machine that is
# slower DAE_SLOW says how much.
lab_wait()
{
	local end=$((SECONDS + $1 * ${DAE_SLOW:-1})) what=$2

	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ]; then
			echo "lab: $what did not come about" >&2
			return 1
		fi
		sleep 0.1
	done
}

lab_link()
{
	ip link add "$lab_name-x" type veth peer name "$lab_name-y"
	ip link set "$lab_name-x" netns "$lab_name-$1" name "$2"
	ip link set "$lab_name-y" netns "$lab_name-$3" name "$4"
	in_host "$1" ip addr add "10.77.$5.1/24" dev "$2"
	in_host "$3" ip addr add "10.77.$5.2/24" dev "$4"
	in_host "$1" ip addr add "fd77:$5::1/64" dev "$2" nodad
	in_host "$3" ip addr add "fd77:$5::2/64" dev "$4" nodad
	in_host "$1" ip link set "$2" up
	in_host "$3" ip link set "$4" up
}

lab_sysctl()
{
	local host=$1 pair

	shift
	for pair in "$@"; do
		in_host "$host" sysctl -q -w "$pair"
	done
}

lab_network()
{
	local h a

	mkdir -p "$lab/pids"
	for h in client router far; do
		ip netns add "$lab_name-$h"
		in_host "$h" ip link set lo up
	done
	lab_link router lan0 client eth0 1
	lab_link router wan0 far up0 2
	lab_link router wan1 far up1 3
	in_client ip route add default via 10.77.1.1
	in_client ip -6 route add default via fd77:1::1
	in_router ip route add default via 10.77.2.2
	in_router ip -6 route add default via fd77:2::2
	for a in 10 11 12 13 14 20 21 30 53; do
		in_far ip addr add "$lab_far.$a/32" dev lo
		in_far ip addr add "2001:db8:100::$a/128" dev lo nodad
	done
	lab_sysctl router net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
	lab_sysctl far net.ipv4.ip_unprivileged_port_start=0
	# each uplink hides what is behind it, as a home router does
	in_router nft -f - <<-'NFT'
	table inet lab {
		chain post {
			type nat hook postrouting priority srcnat
			oifname { "wan0", "wan1" } masquerade
		}
	}
	NFT
}

lab_certificates()
{
	local d=$lab/certs

	mkdir -p "$d"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 3650 -subj '/CN=Lab CA' -keyout "$d/ca.key" \
		-out "$d/ca.pem" 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=web.lab -keyout "$d/web.key" -out "$d/web.csr" \
		2>/dev/null
	printf 'subjectAltName=DNS:web.lab,DNS:dns.lab,IP:%s,IP:%s\n' \
		"$lab_web" "$lab_dns" >"$d/ext"
	openssl x509 -req -in "$d/web.csr" -CA "$d/ca.pem" -CAkey "$d/ca.key" \
		-CAcreateserial -days 3650 -extfile "$d/ext" \
		-out "$d/web.pem" 2>/dev/null
	chmod 644 "$d"/*
}

# HTTP/1, HTTP/2 and HTTP/3; the body is the address that asked.
lab_web()
{
	cat >"$lab/Caddyfile" <<-CADDY
	{
		admin off
		skip_install_trust
		auto_https off
		default_bind $lab_web 2001:db8:100::10
	}
	(answers) {
		respond /generate_204 204
		respond "{remote_host}" 200
	}
	http:// {
		import answers
	}
	https://web.lab {
		tls $lab/certs/web.pem $lab/certs/web.key
		import answers
	}
	CADDY
	mkdir -p "$lab/home"
	chown nobody "$lab/home"
	lab_start web far setpriv --reuid nobody --regid nogroup \
		--clear-groups env HOME="$lab/home" XDG_DATA_HOME="$lab/home" \
		caddy run --config "$lab/Caddyfile" --adapter caddyfile
	lab_wait 20 "the web server" in_far \
		curl -s -m 1 "http://$lab_web/"
}

lab_dns()
{
	cat >"$lab/unbound.conf" <<-UNBOUND
	server:
		interface: $lab_dns
		interface: 2001:db8:100::53
		interface: $lab_dns@853
		interface: $lab_dns@443
		https-port: 443
		tls-service-key: $lab/certs/web.key
		tls-service-pem: $lab/certs/web.pem
		access-control: 0.0.0.0/0 allow
		access-control: ::/0 allow
		username: ""
		chroot: ""
		directory: "$lab"
		pidfile: ""
		use-syslog: no
		do-not-query-localhost: no
		local-zone: "lab." static
		local-data: "web.lab. 60 A $lab_web"
		local-data: "dns.lab. 60 A $lab_dns"
		local-data: "connectivitycheck.gstatic.com. 60 A $lab_web"
		local-zone: "." refuse
	UNBOUND
	lab_start dns far unbound -d -p -c "$lab/unbound.conf"
	lab_wait 10 "the name server" in_far \
		dig +time=1 +tries=1 @"$lab_dns" web.lab
}

# Debian 13 has no dante: there the engine's client is the SOCKS proxy.
lab_socks()
{
	if [ -z "$(type -P danted)" ]; then
		lab_start socks far ss-local -s "$lab_far.30" -p 8388 \
			-b "$lab_far.20" -l 1080 -k lab \
			-m chacha20-ietf-poly1305 -u
		return
	fi
	cat >"$lab/danted.conf" <<-DANTE
	logoutput: stderr
	internal: $lab_far.20 port = 1080
	external: lo
	external.rotation: route
	socksmethod: none
	clientmethod: none
	user.privileged: root
	user.unprivileged: nobody
	client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
	socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0
		command: bind connect udpassociate }
	socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0
		command: bindreply udpreply }
	DANTE
	lab_start socks far danted -f "$lab/danted.conf" \
		-p "$lab/danted.pid"
}

lab_proxies()
{
	cat >"$lab/tinyproxy.conf" <<-TINY
	Port 8888
	Listen $lab_far.21
	Timeout 30
	MaxClients 50
	Allow 0.0.0.0/0
	LogLevel Warning
	TINY
	lab_socks
	lab_start http far tinyproxy -d -c "$lab/tinyproxy.conf"
	lab_start engine-server far ss-server -s "$lab_far.30" -p 8388 \
		-k lab -m chacha20-ietf-poly1305 -u
	lab_engine
}

# A transparent proxy as it is found on routers, nothing of ours in it.
lab_engine()
{
	lab_start engine router ss-redir -s "$lab_far.30" -p 8388 \
		-b 127.0.0.1 -l 12346 -k lab -m chacha20-ietf-poly1305 -T -u
}

lab_up()
{
	lab_network
	lab_certificates
	lab_web
	lab_dns
	lab_proxies
	lab_start flows far "$flowtool" serve 7000
	lab_wait 5 "the flow server" in_far "$flowtool" tcp "$lab_web" 7000
}

# Stop what was started, in any state, and take the hosts away.
lab_down()
{
	local f h

	for f in "$lab"/pids/*; do
		[ -f "$f" ] && lab_stop "${f##*/}"
	done
	for h in client router far $lab_more; do
		[ ! -e "/run/netns/$lab_name-$h" ] || ip netns del \
			"$lab_name-$h"
	done
}
