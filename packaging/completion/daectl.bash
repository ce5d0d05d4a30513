# SPDX-License-Identifier: GPL-2.0-or-later
# Made by 'daectl completion bash'.
_daectl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' object='' verb=''
	local objects verbs='' opts='' arg='' values='' global word name n=0
	local i words=''
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word == -* || $word == = || ${COMP_WORDS[i-1]} == = ]] && continue
		n=$((n + 1))
		[[ $n == 1 ]] && object=$word
		[[ $n == 2 ]] && verb=$word
	done
	if [[ $cur == = ]]; then prev=${COMP_WORDS[COMP_CWORD-1]} cur=''
	elif ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $prev in
	--json) values='short pretty' ;;
	--color) values='auto always never' ;;
	--state) values='up degraded down unknown quarantined unsupported' ;;
	--sort) values='name rtt state' ;;
	--class) values='tcp udp quic tcp4 tcp6 udp4 udp6 quic4 quic6 tls https h3' ;;
	--family) values='4 6' ;;
	--proto) values='tcp udp' ;;
	--outbound) values='direct block proxy pass' ;;
	esac
	case $object in
	status) verbs='' ;;
	nodes) verbs='list show drain maint up auto quarantine release' ;;
	monitors) verbs='list show' ;;
	groups) verbs='list show select auto' ;;
	workers) verbs='list show' ;;
	recycle) verbs='policy' ;;
	probe) verbs='' ;;
	events) verbs='' ;;
	reload) verbs='' ;;
	confirm) verbs='' ;;
	check-config) verbs='' ;;
	route) verbs='test rules trace learn learned forget' ;;
	flows) verbs='' ;;
	doctor) verbs='' ;;
	cleanup) verbs='' ;;
	version) verbs='' ;;
	schema) verbs='' ;;
	completion) verbs='' ;;
	help) verbs='' ;;
	esac
	case "$object $verb" in
	'nodes list') opts='--group= --state= --sort= --class= --family= --leaks' arg='' ;;
	'nodes show') opts='--evidence' arg='nodes' ;;
	'nodes drain') opts='--for=' arg='nodes' ;;
	'nodes maint') opts='--for=' arg='nodes' ;;
	'nodes up') opts='--for=' arg='nodes' ;;
	'nodes auto') opts='' arg='nodes' ;;
	'nodes quarantine') opts='' arg='nodes' ;;
	'nodes release') opts='' arg='nodes' ;;
	'monitors list') opts='--state= --sort= --leaks' arg='' ;;
	'monitors show') opts='--evidence' arg='monitors' ;;
	'groups list') opts='' arg='' ;;
	'groups show') opts='' arg='groups' ;;
	'groups select') opts='' arg='groups' ;;
	'groups auto') opts='' arg='groups' ;;
	'workers list') opts='' arg='' ;;
	'workers show') opts='' arg='workers' ;;
	'recycle policy') opts='' arg='' ;;
	'route test') opts='--proto= --sport= --dscp= --mac= --domain= --process=' arg='' ;;
	'route rules') opts='' arg='' ;;
	'route trace') opts='--for= --count= --proto= --src= --dst= --port=' arg='' ;;
	'route learn') opts='--ttl=' arg='' ;;
	'route learned') opts='' arg='' ;;
	'route forget') opts='' arg='' ;;
	'status '*) opts='--brief --wait' arg='' ;;
	'nodes '*) opts='--group= --state= --sort= --class= --family= --leaks' arg='' ;;
	'monitors '*) opts='--state= --sort= --leaks' arg='' ;;
	'groups '*) opts='' arg='' ;;
	'workers '*) opts='' arg='' ;;
	'recycle '*) opts='--all --now' arg='workers' ;;
	'probe '*) opts='--class= --family= --count= --commit --standalone --resolver= --insecure' arg='nodes' ;;
	'events '*) opts='--count= --follow --since=' arg='' ;;
	'reload '*) opts='--dry-run --confirm=' arg='' ;;
	'confirm '*) opts='--revert' arg='' ;;
	'check-config '*) opts='' arg='-file' ;;
	'flows '*) opts='--group= --proto= --src= --dst= --port= --outbound= --node= --limit= --cursor= --count-only' arg='' ;;
	'doctor '*) opts='' arg='' ;;
	'cleanup '*) opts='--bpf-dir= --state-dir=' arg='' ;;
	'version '*) opts='' arg='' ;;
	'schema '*) opts='' arg='' ;;
	'completion '*) opts='' arg='-shell' ;;
	'help '*) opts='' arg='' ;;
	esac
	objects='status nodes monitors groups workers recycle probe events reload confirm check-config route flows doctor cleanup version schema completion help'
	global='--socket= --json --ndjson --tsv --no-legend --color= --quiet --timeout= --exit-status --version --help'
	COMPREPLY=()
	if [[ $prev == --* ]]; then words=$values
	elif [[ $cur == -* ]]; then words="$opts $global"
	elif ((n == 0)); then words=$objects
	elif ((n == 1)) && [[ $verbs ]]; then words=$verbs
	fi
	if [[ $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
	fi
	[[ $prev == --* || $cur == -* ]] && return
	case $arg in
	-file) compopt -o default ;;
	-shell) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W 'bash zsh fish' -- "$cur") ;;
	?*)	# names are data: never through compgen -W
		while IFS= read -r name; do
			name=${name%%$'\t'*}
			[[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
		done < <(daectl "$arg" --tsv --no-legend 2>/dev/null) ;;
	esac
}
complete -F _daectl daectl
