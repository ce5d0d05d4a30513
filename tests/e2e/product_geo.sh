#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Geo data: lists decide flows; a file that is missing, broken or without the
# list is said at its place and leaves the rules running, as does a dae-compile
# that dies or never ends; while it computes, the daemon answers and probes.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
geodat() { /usr/bin/python3 -B "$DAE_SOURCE/tests/harness/geodat.py" "$lab" "$@"; }
generation() { status .config.generation; }
rules()
{
	conf_routing="
	$1
	fallback: direct"
	config_write
}
# bad_reload WHAT TEXT: refused with exit code 6 at line and column, and said.
bad_reload()
{
	local before out r=0

	before=$(generation)
	out=$(daectl reload 2>&1) || r=$?
	check "$1: exit code" 6 "$r"
	check_has "$1: its place" 'config\.dae:[0-9]+:[0-9]+: error: ' "$out"
	check_has "$1: the message" "$2" "$out"
	check "$1: generation" "$before" "$(generation)"
	check_way wan1 tcp "$f.66"
	r=0
	out=$("$DAE_BUILD/supervisor/ctl/daectl" check-config \
		"$lab/config.dae" 2>&1) || r=$?
	check "$1: exit code of check-config" 6 "$r"
	check_has "$1: what check-config says" "$2" "$out"
}

product_lab
geodat "$f.66/32" "$f.67/32"
good='dip(geoip:lab) -> second'
rules "$good"
daemon_start
daemon_settle
check_way wan1 tcp "$f.66"
check_way direct tcp "$f.68"

# the file changes, and the next reload sees it
geodat "$f.66/32" "$f.68/31"
daectl reload >/dev/null && r=0 || r=$?
check "exit code of a reload" 0 "$r"
check_way wan1 tcp "$f.69"
check_way direct tcp "$f.67"

# what is wrong with lists and files
rules 'dip(geoip:lap) -> second'
bad_reload "a misspelt list" "did you mean 'lab'"
rules 'domain(geosite:nothing-like-it) -> second'
bad_reload "no such list" "none of its 2 lists"
rules 'dip(ext: "absent.dat:lab") -> second'
bad_reload "no such file" "no absent.dat in"
rules 'domain(regex: "(?=a)") -> second'
bad_reload "an expression that is none" "looking ahead is not possible"
rules "$good"
cp "$lab/geoip.dat" "$lab/keep"
head -c 20 "$lab/keep" >"$lab/geoip.dat"
bad_reload "a file cut off" "geoip.dat: the file is damaged"
head -c 4096 /dev/urandom >"$lab/geoip.dat"
bad_reload "a file of noise" "geoip.dat: "
: >"$lab/geoip.dat"
bad_reload "an empty file" "geoip.dat: the file holds no list"
rm "$lab/geoip.dat"
mkdir "$lab/geoip.dat"
bad_reload "a folder" "it is no regular file"
rmdir "$lab/geoip.dat"
mkfifo "$lab/geoip.dat"
bad_reload "a pipe" "it is no regular file"
rm "$lab/geoip.dat"
truncate -s 300M "$lab/geoip.dat"
bad_reload "a file too large" "more than 256 MiB"
cp "$lab/keep" "$lab/geoip.dat"

# names: their sets are found without a daemon's help in any process of ours
rules "domain(geosite:lab) && dip(geoip:lab) -> block
	domain(geosite:lab@ads, other.example) -> second"
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code of rules with names" 0 "$r"
verdict()
{
	daectl route test 10.77.1.2 "$1:443" --json \
		${2:+--domain "$2"} | jq -r '.data | "\(.user.outbound) \(.rule.line)"'
}
line=$(grep -n 'geosite:lab@ads' "$lab/config.dae" | cut -d: -f1)
check "a name of the list" "second $line" "$(verdict "$f.70" www.lab.example)"
check "another" "second $line" "$(verdict "$f.70" x.other.example)"
check "without its attribute" "direct null" "$(verdict "$f.70" only.example)"
check "by expression, and its address" "block $((line - 1))" \
	"$(verdict "$f.66" r42.x.example)"
check "no name" "direct null" "$(verdict "$f.66")"
out=$(daectl route test 10.77.1.2 "$f.66" --domain 'a b' 2>&1) &&
	r=0 || r=$?
check_has "what is no name" "is no domain name" "$out"

# a compiler that dies, and one that never ends, while everything goes on
rules "$good"
daectl reload >/dev/null
ln -sf /bin/false "$lab/libexec/dae-compile"
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code where the compiler fails" 1 "$r"
check_has "what is said" "dae-compile ended with 1" "$out"
check_way wan1 tcp "$f.66"
cat >"$lab/libexec/slow" <<-'SLOW'
	#!/bin/sh
	exec sleep 20
SLOW
chmod 755 "$lab/libexec/slow"
ln -sf slow "$lab/libexec/dae-compile"
before=$(status .checks.results)
daectl reload >"$lab/slow.out" 2>&1 &
slow=$!
sleep 0.5
out=$(daectl reload 2>&1) && r=0 || r=$?
check "exit code of a second reload meanwhile" 1 "$r"
check_has "what is said" "a reload is under way" "$out"
sleep 3
check_that "results meanwhile" "$(status .checks.results) > $before"
check_way wan1 tcp "$f.66"
# a signal meanwhile is not lost: it has its turn
kill -HUP "$(cat "$lab/pids/supervisor")"
sleep 0.2
ln -sf "$compile" "$lab/libexec/dae-compile"
before=$(generation)
pid=$(pgrep -P "$(cat "$lab/pids/supervisor")" -f 'sleep 20')
kill -9 "$pid"
wait "$slow" && r=0 || r=$?
check "exit code of the first" 1 "$r"
check_has "what is said" "dae-compile was ended by Killed" \
	"$(cat "$lab/slow.out")"
is_next() { [ "$(generation)" = $((before + 1)) ]; }
wait_for 5 "the reload that the signal asked for" is_next
daectl reload >/dev/null && r=0 || r=$?
check "exit code of the next" 0 "$r"
check "processes left over" "" \
	"$(pgrep -P "$(cat "$lab/pids/supervisor")" -f 'compile|sleep' || :)"
check "checks that were lost" 0 "$(status '.checks | .ours + .late')"
check_way wan1 tcp "$f.66"

# a start with a broken file: what runs in the kernel runs on
lab_stop supervisor KILL
head -c 20 "$lab/keep" >"$lab/geoip.dat"
daemon_spawn
wait_for 10 "the end of the start" grep -q 'geoip.dat: the file is damaged' \
	"$lab/supervisor.log"
lab_stop supervisor
check_way wan1 tcp "$f.66"
cp "$lab/keep" "$lab/geoip.dat"
daemon_start
check_way wan1 tcp "$f.66"
finish
