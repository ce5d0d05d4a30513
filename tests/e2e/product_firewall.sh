#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Together with what routers run. What a firewall drops, the doctor names with
# the command that mends it; that command is pasted here as it is printed, and
# then flows go by the rules. $1: nft, iptables, ufw, firewalld or docker.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

# Commands as the administrator's shell has them, on folders of the test's own.
admin()
{
	# shellcheck disable=SC2016
	in_router unshare -m sh -c '
		for d in ufw firewalld; do
			[ ! -d "$0/etc/$d" ] || mount --bind "$0/etc/$d" "/etc/$d"
		done
		[ ! -f "$0/etc/default-ufw" ] ||
			mount --bind "$0/etc/default-ufw" /etc/default/ufw
		export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$0/dbus.sock"
		export PATH="$0/bin:$PATH"
		exec "$@"' "$lab" "$@"
}

hints()
{
	in_router "$DAE_BUILD/supervisor/ctl/daectl" \
		-s "$lab/run/control.sock" doctor --json |
		jq -r '.data[] | select(.hint != null and (.what | test(
			"^(nftables|iptables|ufw|firewalld)$"))) | .hint'
}

# Paste what the doctor prints until it has nothing to say.
mend()
{
	local hint round pasted=0

	for round in 1 2 3 4 5; do
		mapfile -t list < <(hints)
		[ ${#list[@]} -gt 0 ] || break
		for hint in "${list[@]}"; do
			echo "pasted: $hint"
			admin sh -c "$hint" >"$lab/paste.log" 2>&1 || {
				cat "$lab/paste.log"
				check "exit code of it" 0 1
			}
			pasted=$((pasted + 1))
			[ ! -e "$lab/bin/restart" ] || {
				rm "$lab/bin/restart"
				lab_stop firewalld
				firewalld_start
			}
		done
	done
	check_that "commands that were pasted, in $round rounds" "$pasted >= $1"
	check "what the doctor still has to say" "" "$(hints)"
}

# ways WANT-DIRECT WANT-ENGINE WANT-UPLINK
ways()
{
	local proto address

	for proto in tcp udp; do
		for address in "$f.10=$1" "2001:db8:100::10=$1" \
			"$f.64=$2" "$six:64=$2" "$f.66=$3" "$six:66=$3"; do
			check_way "${address#*=}" $proto "${address%=*}"
		done
	done
}

# --- the firewalls ---

setup_nft()
{
	in_router nft -f - <<-'NFT'
	table inet filter {
		set lan { type ifname; elements = { "lan0", "lan1" } }
		chain input {
			type filter hook input priority filter; policy drop
			ct state vmap { established : accept, related : accept, invalid : drop }
			iif lo accept
			meta l4proto { icmp, ipv6-icmp } accept
			iifname @lan jump services
			limit rate 5/minute log prefix "input "
		}
		chain services {
			tcp dport { 22, 53, 80 } accept
			udp dport { 53, 67 } accept
		}
		chain forward {
			type filter hook forward priority filter; policy drop
			ct state established,related accept
			iifname @lan oifname "wan*" accept
		}
	}
	NFT
}

setup_iptables()
{
	local tool

	for tool in iptables ip6tables; do
		in_router $tool -P INPUT DROP
		in_router $tool -P FORWARD DROP
		in_router $tool -A INPUT -i lo -j ACCEPT
		in_router $tool -A INPUT -m conntrack \
			--ctstate ESTABLISHED,RELATED -j ACCEPT
		in_router $tool -A INPUT -i lan0 -p tcp -m multiport \
			--dports 22,53 -j ACCEPT
		in_router $tool -A INPUT -p icmp -j ACCEPT
		in_router $tool -A FORWARD -m conntrack \
			--ctstate ESTABLISHED,RELATED -j ACCEPT
		in_router $tool -A FORWARD -i lan0 -o wan0 -j ACCEPT
		in_router $tool -A FORWARD -i lan0 -o wan1 -j ACCEPT
	done
}

setup_ufw()
{
	[ -n "$(type -P ufw)" ] || skip "no ufw"
	cp -a /etc/ufw "$lab/etc/ufw"
	cp /etc/default/ufw "$lab/etc/default-ufw"
	admin ufw allow ssh >/dev/null
	admin ufw --force enable >"$lab/ufw.log" 2>&1
	check_has "ufw is on" "Status: active" "$(admin ufw status)"
}

firewalld_start()
{
	# shellcheck disable=SC2016
	lab_start firewalld router unshare -m env \
		DBUS_SYSTEM_BUS_ADDRESS="unix:path=$lab/dbus.sock" sh -c '
		mount --bind "$0/etc/firewalld" /etc/firewalld
		exec /usr/sbin/firewalld --nofork --nopid --log-file "$0/fw.log"' \
		"$lab"
	lab_wait 20 "firewalld" admin firewall-cmd --state
}

setup_firewalld()
{
	[ -n "$(type -P firewalld)" ] || skip "no firewalld"
	[ -n "$(type -P dbus-daemon)" ] || skip "no dbus-daemon"
	cp -a /etc/firewalld "$lab/etc/firewalld"
	cat >"$lab/dbus.conf" <<-DBUS
	<!DOCTYPE busconfig PUBLIC
		"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
		"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
	<busconfig>
		<type>system</type>
		<listen>unix:path=$lab/dbus.sock</listen>
		<auth>EXTERNAL</auth>
		<policy context="default">
			<allow send_destination="*" eavesdrop="true"/>
			<allow eavesdrop="true"/>
			<allow own="*"/>
			<allow user="*"/>
		</policy>
	</busconfig>
	DBUS
	lab_start dbus router dbus-daemon --nofork --nopidfile \
		--config-file="$lab/dbus.conf"
	lab_wait 5 "the bus" test -S "$lab/dbus.sock"
	# what the unit's restart does
	mkdir "$lab/bin"
	cat >"$lab/bin/systemctl" <<-'RESTART'
	#!/bin/sh
	[ "$*" = "restart firewalld" ] && touch "${0%/*}/restart"
	RESTART
	chmod 755 "$lab/bin/systemctl"
	firewalld_start
	# the LAN is in the default zone, where the first uplink is, too
	admin firewall-cmd --zone=external --change-interface=wan1 \
		--permanent >/dev/null
	admin firewall-cmd --reload >/dev/null
}

# What Docker makes of iptables: one bridge, one container, one port of it
# published.
docker_rules()
{
	local any=$1 net=$2 container=$3 loop=$4

	cat <<-RULES
	*nat
	:PREROUTING ACCEPT [0:0]
	:INPUT ACCEPT [0:0]
	:OUTPUT ACCEPT [0:0]
	:POSTROUTING ACCEPT [0:0]
	:DOCKER - [0:0]
	-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	-A OUTPUT ! -d $loop -m addrtype --dst-type LOCAL -j DOCKER
	-A POSTROUTING -s $net ! -o docker0 -j MASQUERADE
	-A POSTROUTING -s $container -d $container -p tcp -m tcp --dport 80 -j MASQUERADE
	-A DOCKER -i docker0 -j RETURN
	-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination $any
	COMMIT
	*filter
	:INPUT ACCEPT [0:0]
	:FORWARD DROP [0:0]
	:OUTPUT ACCEPT [0:0]
	:DOCKER - [0:0]
	:DOCKER-ISOLATION-STAGE-1 - [0:0]
	:DOCKER-ISOLATION-STAGE-2 - [0:0]
	:DOCKER-USER - [0:0]
	-A FORWARD -j DOCKER-USER
	-A FORWARD -j DOCKER-ISOLATION-STAGE-1
	-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	-A FORWARD -o docker0 -j DOCKER
	-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
	-A FORWARD -i docker0 -o docker0 -j ACCEPT
	-A DOCKER -d $container ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
	-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
	-A DOCKER-ISOLATION-STAGE-1 -j RETURN
	-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
	-A DOCKER-ISOLATION-STAGE-2 -j RETURN
	-A DOCKER-USER -j RETURN
	COMMIT
	RULES
}

setup_docker()
{
	in_router ip link add docker0 type bridge
	in_router ip addr add 172.17.0.1/16 dev docker0
	in_router ip -6 addr add fd17::1/64 dev docker0 nodad
	in_router ip link set docker0 up
	docker_rules 172.17.0.2:80 172.17.0.0/16 172.17.0.2/32 127.0.0.0/8 |
		in_router iptables-restore
	docker_rules '[fd17::2]:80' fd17::/64 fd17::2/128 ::1/128 |
		in_router ip6tables-restore
}

f=$lab_far
six=2001:db8:100:1:
product_lab
mkdir "$lab/etc"
case $1 in
iptables | docker) [ -n "$(type -P iptables)" ] || skip "no iptables" ;;
esac
conf_routing="
	dip($f.64/32, '$six:64/128') -> engine
	dip($f.66/32, '$six:66/128') -> second
	dip($f.67/32, '$six:67/128') -> block
	fallback: direct"
config_write
daemon_start
daemon_settle
ways direct engine wan1
check "what the doctor says without a firewall" "" "$(hints)"
"setup_$1"
case $1 in
nft | iptables) ways direct block wan1; mend 1 ;;
ufw) ways block block block; mend 2 ;;
firewalld) ways block block block; mend 4 ;;
docker) ways block engine block; mend 2 ;;
esac
ways direct engine wan1
check_way block tcp "$f.67"
finish
