#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# reload --dry-run: what a reload would change, for rules, groups, nodes and
# live flows; nothing of it happens.
# shellcheck source-path=SCRIPTDIR source=product.bash
. "$(dirname "$0")/product.bash"

f=$lab_far
# dry FILTER: of the answer to a dry run.
dry() { daectl reload --dry-run --json | jq -r ".data$1"; }
moves() { dry '.flows.moves[] | "\(.count) \(.from) -> \(.to)"' | sort; }

product_lab
conf_routing="
	dip($f.64/32) -> engine
	dip($f.66/32) -> second
	dip($f.67/32) -> direct
	fallback: direct"
config_write
daemon_start
daemon_settle
for to in 64 66 67 68; do
	way tcp "$f.$to" >/dev/null
	way udp "$f.$to" >/dev/null
done
check "differences of the same file" 0 "$(dry '.diff | length')"
check "flows that would change" 0 "$(dry .flows.changed)"
check_that "flows looked at" "$(dry .flows.flows) >= 8"
check "exact" true "$(dry .flows.exact)"
check_has "what it says" 'what runs is what the file says' \
	"$(daectl reload --dry-run)"

conf_routing="
	dip($f.66/32) -> second
	dip($f.64/32) -> engine
	dip($f.67/32) -> block
	fallback: engine"
conf_node="$conf_node
	extra: 'socks5://user:secret@192.0.2.9:1080'"
conf_group=${conf_group/policy: fallback/policy: min}
conf_supervisor='workers: 3'
config_write
out=$(dry '.diff[] | "\(.what) \(.how) \(.name)"')
for line in "rule moved dip" "rule added dip.*67.*block" \
	"rule removed dip.*67.*direct" "fallback changed" \
	"group changed engine" "node added extra" \
	"key changed supervisor.workers"; do
	check_has "the difference" "$line" "$out"
done
check_has "the place of a rule" 'config\.dae:[0-9]+' \
	"$(dry '.diff[] | select(.what == "rule") | "\(.file):\(.line)"')"
out=$(daectl reload --dry-run)
check "secrets in the text" 0 "$(grep -c secret <<<"$out" || :)"
check_that "columns" "$(wc -L <<<"$out") <= 120"
before=$(moves)
check_has "flows that would be blocked" '^2 direct -> block' "$before"
check_has "flows that would be proxied" '^[0-9]+ direct -> engine' "$before"

# nothing has happened
check_way direct tcp "$f.67"
check_way direct udp "$f.68"
check "generation" 1 "$(status .config.generation)"
check "a node of the file" "" "$(node_state extra)"

# a rule that asks what the flow table does not know
conf_routing="
	dscp(8) -> block
	fallback: direct"
config_write
check "exact" false "$(dry .flows.exact)"
daectl reload >/dev/null
check "differences after the reload" 0 "$(dry '.diff | length')"

# in mode observe there are no flows
conf_mode=observe
config_write
check_has "the difference" 'supervisor.mode' "$(dry '.diff[].name')"
daectl reload >/dev/null
check "flows in mode observe" false "$(dry .flows.routing)"
finish
