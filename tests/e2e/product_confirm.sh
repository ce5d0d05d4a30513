#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reload --confirm: in force at once, back to what was before unless confirmed
# in time, whatever becomes of the daemon; the file is never touched.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
# rules WAY: where flows to .66 go; part of it in a file that is included.
rules()
{
	conf_routing="
	dip($f.64/32) -> engine
	fallback: direct"
	config_write
	{
		echo "include { 'more.dae' }"
		cat "$lab/config.dae"
	} >"$lab/config.tmp"
	mv "$lab/config.tmp" "$lab/config.dae"
	echo "routing { dip($f.66/32) -> $1 }" >"$lab/more.dae"
	chmod 640 "$lab/config.dae" "$lab/more.dae"
}
goes() { [ "$(way udp "$f.66" wait=300)" = "$1" ]; }
pending() { status .config.goes_back_in_us; }
reload_to()
{
	rules "$1"
	sum=$(cat "$lab/config.dae" "$lab/more.dae" | sha256sum)
	daectl reload --confirm "$2" >"$lab/out"
	check "the way to $1" "$3" "$(way udp "$f.66" wait=300)"
}
check_untouched()
{
	check "the files" "$sum" \
		"$(cat "$lab/config.dae" "$lab/more.dae" | sha256sum)"
}
# check_kept WHAT MODE
check_kept()
{
	check "$1" "$2" "$(stat -c %a "$lab/state/confirm" 2>&- || echo none)"
}

product_lab
rules second
daemon_start
daemon_settle
check_way wan1 udp "$f.66"
daectl confirm >"$lab/out" 2>&1 && r=0 || r=$?
check "exit code of a confirmation of nothing" 4 "$r"

# confirmed
reload_to block 30s block
check_has "what reload says" 'goes back in 30' "$(cat "$lab/out")"
check_that "time left in us" "$(pending) > 20000000 && $(pending) <= 30000000"
check_has "status" 'goes back in' "$(daectl status)"
check_kept "mode of what is kept" 600
daectl reload >"$lab/out" 2>&1 && r=0 || r=$?
check "exit code of a second reload" 1 "$r"
check_has "its hint" 'daectl confirm' "$(cat "$lab/out")"
kill -HUP "$(cat "$lab/pids/supervisor")"
check "what daectl confirm says" confirmed "$(daectl confirm)"
check "time left" null "$(pending)"
check_kept "what is kept" none
check_way block udp "$f.66"

# not confirmed
reload_to direct 2s direct
wait_for 5 "going back" goes block
check_untouched
check_has "the warning" 'was not confirmed' "$(daectl status)"
check "gone back" true "$(status .config.has_gone_back)"
# the file's rules are in force by a reload only
daectl reload >/dev/null
check_way direct udp "$f.66"
check "gone back" false "$(status .config.has_gone_back)"
check_kept "what is kept" none

# at once
reload_to second 60s wan1
check "what daectl confirm --revert says" reverted "$(daectl confirm --revert)"
check_way direct udp "$f.66"
check_untouched
daectl reload >/dev/null
check_way wan1 udp "$f.66"

# a bad file keeps nothing and waits for nothing
rules nowhere
daectl reload --confirm 60s >"$lab/out" 2>&1 && r=0 || r=$?
check "exit code of a bad file" 6 "$r"
check "time left" null "$(pending)"
check_kept "what is kept" none

# killed, and back before the time is over: the rest of it is waited for
reload_to block 6s block
lab_stop supervisor KILL
check_way block udp "$f.66"
daemon_start
check_that "time left in us" "$(pending) > 0 && $(pending) <= 6000000"
check_way block udp "$f.66"
wait_for 8 "going back" goes wan1
check_untouched

# and again: what was not confirmed is not begun with
lab_stop supervisor KILL
daemon_start
check_way wan1 udp "$f.66"
check "gone back" true "$(status .config.has_gone_back)"
daectl reload >/dev/null
check_way block udp "$f.66"

# killed, and back when the time is over
rules second
daectl reload >/dev/null
reload_to block 3s block
lab_stop supervisor KILL
sleep 3
daemon_start
check_way wan1 udp "$f.66"
check_untouched
check_has "the warning" 'was not confirmed' "$(daectl status)"

# another file since: it is taken
lab_stop supervisor KILL
rules direct
daemon_start
check_way direct udp "$f.66"
check "gone back" false "$(status .config.has_gone_back)"
check_kept "what is kept" none
finish
