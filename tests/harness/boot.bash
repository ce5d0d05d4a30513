# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A Debian system with its own systemd, booted in namespaces on this kernel, with
# what the build installs in it. Read by tests; who reads it sets DAE_SOURCE and
# DAE_BUILD, calls boot_prepare and boot_up, and boot_down in any case.
# Everything is in $boot, a tmpfs of the test's, and in control groups of its own;
# only the plain system below it is kept for the next time.

boot_cache=${DAE_DEPS_CACHE:-/var/cache/dae-supervisor-deps}
boot_packages=systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates,jq
boot=""
boot_leader=""

boot_skip() { echo "SKIP: $*"; exit 77; }

boot_need()
{
	local tool

	[ "$(id -u)" = 0 ] || boot_skip "needs root"
	for tool in debootstrap systemd-nspawn nsenter cmake; do
		[ -n "$(type -P $tool)" ] || boot_skip "no $tool"
	done
	unshare -m mount -t bpf bpf /mnt 2>/dev/null || boot_skip "no bpffs"
	grep -q ' cgroup2 ' /proc/self/mounts || boot_skip "no cgroup v2"
}

# The packages of the libraries that the programs need.
boot_libraries()
{
	local lib

	ldd "$DAE_BUILD/supervisor/dae-supervisor" \
		"$DAE_BUILD/supervisor/ctl/daectl" \
		"$DAE_BUILD/supervisor/compile/dae-compile" \
		"$DAE_BUILD/worker/dae-worker" |
		awk '$3 ~ /^\// { print $3 }' | sort -u |
		while IFS= read -r lib; do
			dpkg -S "*${lib#/usr}" | head -n 1 | cut -d: -f1
		done | sort -u
}

# boot_root: makes the plain system of this release once, prints its folder.
boot_root()
{
	local codename proxy="" root work status=0

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	boot_packages+=$(boot_libraries | sed 's/^/,/' | tr -d '\n')
	root=$boot_cache/root-$codename-$(echo "$boot_packages" "$(uname -m)" |
		sha256sum | cut -c1-12)
	if [ ! -d "$root" ]; then
		mkdir -p "$boot_cache"
		work=$(mktemp -d "$boot_cache/root.XXXXXX")
		chmod 755 "$work"
		eval "$(apt-config shell proxy Acquire::http::Proxy)"
		${proxy:+env http_proxy="$proxy"} debootstrap \
			--variant=minbase --include="$boot_packages" \
			"$codename" "$work" >"$work.log" 2>&1 || status=1
		if [ $status -ne 0 ]; then
			tail -n 3 "$work.log" >&2
			rm -rf "$work" "$work.log"
			return 1
		fi
		rm -rf "$work.log" "$work"/var/cache/apt/archives/*.deb \
			"$work"/var/lib/apt/lists/*
		mv -T "$work" "$root"
	fi
	echo "$root"
}

# boot_prepare: the system on top of which everything is thrown away, with
# cmake --install done.
boot_prepare()
{
	local root

	root=$(boot_root) || boot_skip "debootstrap failed"
	boot=$(mktemp -d /tmp/dae-boot.XXXXXX)
	mount -t tmpfs -o mode=755 boot "$boot"
	mkdir "$boot/upper" "$boot/work" "$boot/root" "$boot/bpf"
	mount -t overlay -o \
		"lowerdir=$root,upperdir=$boot/upper,workdir=$boot/work" \
		overlay "$boot/root"
	mount -t bpf -o mode=700,nosuid,nodev,noexec bpf "$boot/bpf"
	DESTDIR=$boot/root cmake --install "$DAE_BUILD" --prefix /usr >/dev/null
}

# The test's own control group in each hierarchy where systemd has one.
boot_cgroups()
{
	awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /name=systemd/) {
		print $2 "/'"${boot##*/}"'" }' /proc/self/mounts
}

boot_up()
{
	local d tries=0

	for d in $(boot_cgroups); do mkdir "$d"; done
	(
		for d in $(boot_cgroups); do echo $BASHPID >"$d/cgroup.procs"; done
		exec systemd-nspawn -q -D "$boot/root" -b --register=no \
			--keep-unit --private-network --capability=all \
			--system-call-filter=bpf --link-journal=no \
			--bind="$boot/bpf:/sys/fs/bpf" \
			--machine="${boot##*.}" </dev/null >"$boot/console" 2>&1
	) &
	boot_nspawn=$!
	disown
	until boot_is_up; do
		kill -0 $boot_nspawn 2>/dev/null || return 1
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.1
	done
}

boot_is_up()
{
	boot_leader=$(pgrep -P "$boot_nspawn" -x systemd) || return 1
	case $(inside systemctl is-system-running 2>/dev/null) in
	running | degraded) ;;
	*) return 1 ;;
	esac
}

# inside COMMAND...: in the booted system, as root.
inside()
{
	nsenter -t "$boot_leader" -m -u -i -n -p -r -w env -i \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
		TERM=dumb SYSTEMD_PAGER= "$@"
}

boot_down()
{
	local d

	if [ -n "$boot_leader" ]; then
		# systemd's way to be told to power off
		kill -s RTMIN+4 "$boot_leader" 2>/dev/null
		for d in $(seq 100); do
			kill -0 "$boot_nspawn" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$boot_leader" "$boot_nspawn" 2>/dev/null
		while kill -0 "$boot_nspawn" 2>/dev/null; do sleep 0.1; done
	fi
	[ -n "$boot" ] || return 0
	for d in $(boot_cgroups); do
		[ ! -d "$d" ] || find "$d" -depth -type d -exec rmdir {} +
	done
	umount "$boot/bpf" "$boot/root" "$boot"
	rmdir "$boot"
}
