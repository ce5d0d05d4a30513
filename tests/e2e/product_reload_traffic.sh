#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reloads in a row of a thousand rules that differ each time, while numbered
# datagrams of old and new flows, new connections and long ones run through the
# router: none is lost, doubled or led astray. Before it the same without a
# reload, which shows what the test itself loses.
# product_reload_traffic.sh ATTACH [RELOADS [DATAGRAMS-A-SECOND [FOLDER]]]
# FOLDER: of other rules, rules.0 and rules.1, and the geo data they name.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

reloads=${2:-20}
rate=${3:-10000}
folder=${4:-}
loadtool=$DAE_BUILD/tests/harness/loadtool
f=$lab_far
port=7100
direct=10.77.2.1 second=10.77.3.1

# rules FLAVOUR: what the test sends is decided by the first three and by the
# last.
rules()
{
	printf '\tdip(%s/32) -> %s\n' "$f.66" second "$f.67" engine "$f.68" direct
	if [ -n "$folder" ]; then
		cat "$folder/rules.$1"
	else
		made_rules "$1"
	fi
	printf '\tfallback: direct\n'
}

# made_rules FLAVOUR: of every kind that needs no data of others.
made_rules()
{
	awk -v n=996 -v flavour="$1" 'BEGIN {
		split("direct block second engine", to, " ")
		for (i = 0; i < n; i++) {
			out = to[(i + flavour) % 4 + 1]
			a = 20 + i % 60; b = (i * 7 + flavour) % 256
			net = a "." b "." i % 256 ".0/24"
			if (i % 5 == 0)
				c = "dport(" 20000 + i * 7 "-" 20005 + i * 7 ")"
			else if (i % 5 == 1)
				c = "dip(" net ", \0472001:db8:" b ":" i "::/64\047)"
			else if (i % 5 == 2)
				c = "sip(" net ") && !dport(443)"
			else if (i % 5 == 3)
				c = "dip(" net ") && l4proto(udp)"
			else
				c = "dscp(" 1 + i % 60 ") && dip(" net ")"
			print "\t" c " -> " out
		}
	}'
}

# job NAME ARGUMENT...: of the client's, in the background.
job()
{
	local name=$1

	shift
	lab_start "load-$name" client "$loadtool" "$@"
	jobs+=("$name")
}

traffic_start()
{
	jobs=()
	rm -f "$lab/sink.log" # the last one was ready, too
	lab_start sink far "$loadtool" sink $port
	lab_wait 5 "the sink" grep -q ready "$lab/sink.log"
	job direct blast "$f.64" $port 3600 1 $((rate / 2)) 997
	job second blast "$f.66" $port 3600 2 $((rate / 2)) 991
	job dial-direct dial "$f.65" $port 3600 1000 $direct
	job dial-second dial "$f.66" $port 3600 1000 $second
	job dial-engine dial "$f.67" $port 3600 1000 "$engine"
	job long-direct long "$f.68" $port 3600
	job long-engine long "$f.67" $port 3600
}

traffic_stop()
{
	local name

	for name in "${jobs[@]}"; do
		lab_stop "load-$name"
	done
	sleep 0.5
	lab_stop sink
}

# sum KEY FILE...: of the numbers that stand behind the word.
sum()
{
	local key=$1

	shift
	cat "$@" | awk -v k="$key" '{ for (i = 1; i < NF; i++)
		if ($i == k) n += $(i + 1) } END { printf "%.0f", n }'
}

# Packets that CPUs of this machine had no room for in their queues.
backlog_drops()
{
	local n=0 x

	while read -r _ x _; do
		n=$((n + 16#$x))
	done </proc/net/softnet_stat
	echo $n
}

# other NUMBER ADDRESS: datagrams of the stream from anywhere else.
other()
{
	awk -v s="$1" -v a="$2" '$1 == "stream" && $2 == s {
		for (i = 3; i < NF; i++)
			if ($i == "from" && $(i + 1) != a) n += $(i + 2)
	} END { print n + 0 }' "$lab/sink.log"
}

# account PREFIX: what became of it all, as "PREFIX_name value" lines.
account()
{
	local sent received overflow dials=() n
	local longs=("$lab"/load-long-{direct,engine}.log)

	for n in direct second engine; do
		dials+=("$lab/load-dial-$n.log")
	done
	sent=$(sum sent "$lab/load-direct.log" "$lab/load-second.log")
	received=$(sum received "$lab/sink.log")
	overflow=$(sum overflow "$lab/sink.log")
	echo "$1_sent $sent"
	echo "$1_rate $((sent * 1000 / ($(sum ns "$lab/load-direct.log") / 1000000)))"
	echo "$1_overflow $overflow"
	echo "$1_lost $((sent - received - overflow))"
	echo "$1_duplicates $(sum duplicates "$lab/sink.log")"
	echo "$1_astray $(($(other 1 $direct) + $(other 2 $second) +
		$(sum astray "${dials[@]}")))"
	echo "$1_connections $(sum ok "${dials[@]}")"
	echo "$1_failed $(sum failed "${dials[@]}")"
	echo "$1_slow $(sum slow "${dials[@]}")"
	echo "$1_broken $(sum broken "${longs[@]}")"
	echo "$1_blocks $(sum blocks "${longs[@]}")"
}

of() { awk -v k="$1" '$1 == k { print $2 }' "$lab/account"; }

product_lab
conf_attach=$1
[ -z "$folder" ] || cp "$folder"/*.dat "$lab/"
for flavour in 0 1; do
	conf_routing="
$(rules $flavour)"
	config_write
	mv "$lab/config.dae" "$lab/config.$flavour"
done
cp "$lab/config.0" "$lab/config.dae"
daemon_start
daemon_settle
check_way engine tcp "$f.67"
check_way wan1 udp "$f.66"
engine=$(in_client "$flowtool" tcp "$f.67" 7000)

drops=$(backlog_drops)
traffic_start
sleep $((reloads < 100 ? 3 : 20))
traffic_stop
{
	account before
	echo "before_backlog $(($(backlog_drops) - drops))"
} >"$lab/account"

drops=$(backlog_drops)
failed=0
traffic_start
began=$(date +%s%3N)
for ((i = 1; i <= reloads; i++)); do
	cp "$lab/config.$((i % 2))" "$lab/config.dae"
	daectl reload >"$lab/reload.out" 2>&1 || failed=$((failed + 1))
done
took=$(($(date +%s%3N) - began))
traffic_stop
{
	account reloads
	echo "reloads_backlog $(($(backlog_drops) - drops))"
	echo "reloads_ms $((took / reloads))"
} >>"$lab/account"
cat "$lab/account"

check "reloads that failed" 0 $failed
check "generation" $((reloads + 1)) "$(status .config.generation)"
check_that "datagrams sent" "$(of reloads_sent) > 1000"
check_that "datagrams lost, but for those that had no room in the machine" \
	"$(of reloads_lost) <= $(of reloads_backlog)"
check "datagrams that came twice" 0 "$(of reloads_duplicates)"
check "what went astray" 0 "$(of reloads_astray)"
check_that "connections" "$(of reloads_connections) > 100"
check "connections that failed" 0 "$(of reloads_failed)"
check "long connections that broke" 0 "$(of reloads_broken)"
finish
