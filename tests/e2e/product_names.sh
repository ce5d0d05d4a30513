#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rules on names: addresses are taught, decide new flows, expire, are forgotten,
# and outlive a reload that numbers the lists anew.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

# rule ADDRESS [OPTION...]: the rule that takes a flow to it, and the answer of
# the kernel.
rule()
{
	local to=$1
	shift
	daectl route test --json 10.99.0.2 "$to:7000" "$@" |
		jq -r '.data | "\(.rule.index // "-") \(.match // "-")"'
}

f=$lab_far
product_lab
conf_routing='
	domain(regex: "^[a-z.]*a[.]test$") -> engine
	!domain(keyword: known, full: only.test) && dport(9) -> block
	domain(full: only.test) -> block
	fallback: direct'
config_write
daemon_start
daemon_settle
check "rules on names" 3 "$(status .names.rules)"
check_has "nobody feeds" 'nothing has learned' "$(daectl status)"
check "not learned" "- true" "$(rule "$f.64")"
check_way direct tcp "$f.64"

said=$(daectl route learn WWW.a.test. "$f.64" "$f.65" --ttl=1h)
check "what learn says" \
	"www.a.test is in 1 list of names that rules ask for" "$said"
check "learned" "0 true" "$(rule "$f.64")"
check_way engine tcp "$f.64"
check_way engine udp "$f.65"
check_way direct tcp "$f.66"
check "a flow before goes on; names" 1 "$(status .names.names)"
check "addresses" 2 "$(status .names.addresses)"
check "entries of the kernel" 2 "$(status .names.kernel_entries)"
check_that "a feeder has spoken" \
	"$(daectl status | grep -c 'nothing has learned' || true) == 0"

# of two names the first rule that holds decides
daectl route learn only.test "$f.65" "$f.66" -q
check "two names" "0 true" "$(rule "$f.65")"
check "the other one" "2 true" "$(rule "$f.66")"
check_way block tcp "$f.66"
check "as if it had a name" "2 -" "$(rule "$f.67" --domain=only.test)"
check "as it has" "2 -" "$(rule "$f.66" --domain=Only.Test)"

# lists in another order: known names keep their meaning
conf_routing='
	domain(full: new.test) -> block
	domain(full: only.test) -> second
	domain(suffix: a.test) -> engine
	fallback: direct'
config_write
daectl reload >/dev/null
check "names after a reload" 2 "$(status .names.names)"
check "first list then, third now" "2 true" "$(rule "$f.64")"
check "and the other" "1 true" "$(rule "$f.66")"
check_way engine tcp "$f.64"
check_way wan1 tcp "$f.66"

# a reload that fails changes nothing
conf_routing='domain(full: x.test) -> nobody'
config_write
daectl reload >/dev/null 2>&1 && check "a bad reload" fails succeeds
check "after a bad reload" "2 true" "$(rule "$f.64")"

daectl route forget www.a.test -q
check "forgotten" "- true" "$(rule "$f.64")"
check_way direct tcp "$f.64"
check "of two names one is left" "1 true" "$(rule "$f.65")"
daectl route learn brief.a.test "$f.68" --ttl=1s -q
check "for a second" "2 true" "$(rule "$f.68")"
is_gone() { [ "$(rule "$f.68")" = "- true" ]; }
wait_for 5 "expiry" is_gone
check "what is listed" "only.test $f.65,only.test $f.66" \
	"$(daectl route learned --json |
		jq -r '[.data[] | "\(.name) \(.address)"] | sort | join(",")')"
check "nobody may be sent to loopback" 2 \
	"$(daectl route learn x.test 127.0.0.1 2>/dev/null; echo $?)"
finish
