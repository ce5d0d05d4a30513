#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Absurd configurations: what fits is taken, what does not is one error that
# says where or what, and changes nothing that runs.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
first="
	dip($f.66/32) -> second"

# refused WHAT PATTERN: the configuration as it stands.
refused()
{
	local out r

	config_write
	out=$(daectl reload 2>&1) && r=0 || r=$?
	check_that "$1: exit code" "$r > 0"
	check_has "$1: what it says" "$2" "$out"
	check "$1: generation" "$generation" "$(status .config.generation)"
	check_way wan1 tcp "$f.66"
	check_way direct udp "$f.64"
}

# taken WHAT: the same, for what fits.
taken()
{
	local out r

	config_write
	out=$(daectl reload 2>&1) && r=0 || r=$?
	check "$1: exit code ($out)" 0 "$r"
	generation=$((generation + 1))
	check "$1: generation" "$generation" "$(status .config.generation)"
	check_way wan1 tcp "$f.66"
}

# ports COUNT: so many rules.
ports() { awk -v n="$1" 'BEGIN { while (n--) print "\tdport(" 20000 + n ") -> block" }'; }

# Of 131,072 networks each has other rules that hold: bit by bit.
classes()
{
	awk 'BEGIN {
		for (k = 1; k <= 17; k++) {
			list = ""
			for (v = 1; v < 2 ^ k; v += 2) {
				a = 11 * 2 ^ 24 + v * 2 ^ (24 - k)
				list = list (v > 1 ? ", " : "") \
					int(a / 2 ^ 24) "." \
					int(a / 65536) % 256 "." \
					int(a / 256) % 256 "." a % 256 \
					"/" 8 + k
			}
			print "\tdip(" list ") -> block"
		}
	}'
}

product_lab
conf_routing="$first
	fallback: direct"
config_write
daemon_start
daemon_settle
generation=1
check_way wan1 tcp "$f.66"

conf_routing="$first
$(ports 1023)
	fallback: direct"
taken "1,024 rules"
conf_routing="$first
$(ports 1024)
	fallback: direct"
refused "1,025 rules" 'config\.dae:[0-9]+:[0-9]+: .*1024 rules'

list=$(awk 'BEGIN { for (i = 0; i < 100000; i++)
	printf "%s%d.%d.%d.0/24", i ? ", " : "", 11 + i / 65536,
		i / 256 % 256, i % 256 }')
conf_routing="$first
	dip($list) -> block
	fallback: direct"
taken "a list of 100,000 networks"

conf_routing="$first
$(classes)
	fallback: direct"
refused "more classes of addresses than there can be" 'too many different'

conf_routing="$first
	fallback: direct"
groups=$conf_group
conf_group="$groups
$(awk 'BEGIN { for (i = 0; i < 300; i++)
	print "g" i " {\nfilter: name(wan1)\npolicy: fixed(0)\n}" }')"
refused "302 groups" 'config\.dae:[0-9]+:[0-9]+: .*250 groups'
conf_group=$groups

nodes=$conf_node
conf_node="$nodes
$(awk 'BEGIN { for (i = 0; i < 70000; i++) print "n" i ": \047direct://\047" }')"
refused "70,000 nodes" 'config\.dae:[0-9]+:[0-9]+: .*65536 nodes'

# nodes that carry flows are 1,024 at most to the kernel
conf_node="$nodes
$(awk 'BEGIN { for (i = 0; i < 1100; i++)
	print "t" i ": \047tproxy://127.0.0.1:" 20000 + i "\047" }')"
conf_group="$groups
	many {
		policy: fallback
		on_all_dead: block
	}"
refused "1,100 engines" 'more than 1024 nodes'
finish
