# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What run-tests and the demo both do before they begin. Who reads this sets
# root (the checkout), log (a file) and, for setup_build, build_targets.
# shellcheck disable=SC2154

die() { echo "${0##*/}: $*" >&2; exit 1; }
step() { printf '\n== %s\n' "$*"; }

# ticking COMMAND...: says every 15 s that it still runs.
ticking()
{
	local start=$SECONDS status=0 ticker

	while sleep 15 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		echo "   $((SECONDS - start)) s"
	done &
	ticker=$!
	"$@" || status=$?
	kill "$ticker"
	wait "$ticker" 2>/dev/null || :
	return $status
}

# One line about what is missing, before anything was changed.
setup_require_system()
{
	[ "$(id -u)" = 0 ] || die "needs root: sudo $0"
	release=$(. /etc/os-release 2>/dev/null && echo "$ID ${VERSION_ID:-}") ||
		release=unknown
	case $release in
	"debian 12" | "debian 13") release=${release#debian } ;;
	*) die "needs Debian 12 or 13, this is $release" ;;
	esac
}

# What hosts in network namespaces and programs in the kernel need. bpf() with a
# command that does not exist says EINVAL where it may be called at all.
setup_require_kernel()
{
	local caps cap missing="" nr

	caps=$((16#$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)))
	for cap in kill=5 setgid=6 setuid=7 net_admin=12 sys_admin=21 \
		perfmon=38 bpf=39; do
		((caps >> ${cap#*=} & 1)) || missing+=" CAP_${cap%=*}"
	done
	[ -z "$missing" ] || die "not permitted here:${missing^^}" \
		"(a container has to be privileged)"
	[ "$(awk '{ print $3 }' /proc/self/uid_map)" = 4294967295 ] ||
		die "root of a user namespace may not load programs"
	case $(uname -m) in
	x86_64) nr=321 ;;
	aarch64) nr=280 ;;
	*) die "needs x86_64 or aarch64, this is $(uname -m)" ;;
	esac
	perl -MPOSIX -e 'syscall(shift() + 0, -1, 0, 0);
		exit($! == EPERM || $! == ENOSYS)' "$nr" ||
		die "bpf() is not permitted here (by seccomp, or no BPF in" \
			"the kernel)"
	unshare -m mount -t bpf bpf /mnt 2>/dev/null ||
		die "bpffs cannot be mounted here (mount -t bpf)"
	unshare -n true 2>/dev/null ||
		die "network namespaces cannot be made here"
}

# setup_list GROUP...: the packages of the groups, on this release.
setup_list()
{
	local group

	for group in "$@"; do
		awk -v g="$group" -v r="$release" '$1 == g {
			for (i = 2; i <= NF; i++) {
				n = split($i, p, "=")
				if (n == 1 || p[2] == r)
					print p[1]
			}
		}' "$root/packaging/packages"
	done
}

# Of the names on the input, those that are not installed.
setup_absent()
{
	sort -u | while read -r package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
			grep -q 'ok installed' || echo "$package"
	done
}

# setup_missing GROUP...: those of the groups that are not installed.
setup_missing()
{
	setup_list "$@" | setup_absent
}

# What is installed here is for tests: its services are not started. The way
# to say so is a file, which is taken away again.
setup_install()
{
	local policy=/usr/sbin/policy-rc.d made=0 status=0

	echo "installing $*"
	export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
	apt-get -q update >"$log" 2>&1 || setup_no_packages
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		made=1
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	apt-get -q -y install --no-install-recommends \
		-o APT::Keep-Downloaded-Packages=false "$@" >>"$log" 2>&1 \
		</dev/null || status=1
	if [ "$made" = 1 ]; then
		rm -f "$policy"
		trap - EXIT
	fi
	[ "$status" = 0 ] || setup_no_packages
}

setup_no_packages()
{
	die "packages cannot be installed (is the registry reachable?):" \
		"$(grep -m 1 -E '^(E|W|Err):' "$log" || echo unknown) (see $log)"
}

setup_packages()
{
	local missing

	mapfile -t missing < <(setup_missing "$@")
	[ ${#missing[@]} -eq 0 ] || setup_install "${missing[@]}"
}

# The accounts that the package would make.
setup_users()
{
	getent passwd _dae >/dev/null && getent passwd _dae-worker >/dev/null &&
		getent group _dae-admin >/dev/null && return 0
	systemd-sysusers "$root/packaging/systemd/sysusers.conf" ||
		die "could not make the users of sysusers.conf"
}

# setup_build DIR CMAKE-ARGUMENT...: configures, and builds with the targets
# in the array build_targets.
setup_build()
{
	local dir=$1

	shift
	cmake -S "$root" -B "$dir" -G Ninja "$@" >"$log" 2>&1 ||
		die "configure failed: $(tail -n 20 "$log")"
	ninja -C "$dir" "${build_targets[@]}" >"$log" 2>&1 ||
		die "build failed: $(grep -vE '^\[[0-9]+/|^/usr/bin/' "$log" |
			tail -n 40)"
}
