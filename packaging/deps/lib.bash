# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2016
#
# Fetching, verifying and unpacking, shared by build, update and the recipes.
#
# apt is asked through lists of our own in the cache: the system's sources,
# lists and preferences are read (for the mirror's address) and never written.

die() { echo "deps: $*" >&2; exit 1; }
say() { echo "deps: $*" >&2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
distro=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_ID") ||
	die "only Debian 12 and 13 are supported"
cache=${DAE_DEPS_CACHE:-/var/cache/dae-supervisor-deps}
aptdir=$cache/apt
export LC_ALL=C.UTF-8

apt_private()
{
	local cmd=$1

	shift
	"$cmd" -q -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$aptdir/sources" \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null \
		-o Dir::State::Lists="$aptdir/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User=root "$@"
}

# The mirror that this machine already uses for Debian's archive ($1: label).
mirror_of()
{
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' |
		awk -F'|' -v l="$1" '$1 == "Debian" && $2 == l { print $3; exit }'
}

write_source()
{
	local types=$1 uri=$2 suites=$3 option=${4:-}
	local key=/usr/share/keyrings/debian-archive-keyring.gpg

	printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\n' \
		"$types" "$uri" "$suites"
	[ ! -f "$key" ] || printf 'Signed-By: %s\n' "$key"
	[ -z "$option" ] || echo "$option"
	echo
}

# Makes the private lists once a run; a suite that is not reachable is left
# out, since each recipe says what it can do without.
apt_setup()
{
	local main security

	[ -z "${apt_is_ready:-}" ] || return 0
	main=$(mirror_of Debian)
	if [ -z "$main" ]; then
		apt-get -q update >&2 || die "apt-get update failed"
		main=$(mirror_of Debian)
	fi
	[ -n "$main" ] || die "no Debian mirror among the apt sources"
	security=$(mirror_of Debian-Security)
	rm -rf "$aptdir"
	mkdir -p "$aptdir/sources" "$aptdir/lists/partial"
	{
		write_source deb-src "$main" "trixie trixie-updates"
		# A list past its date does no harm: what is fetched by it
		# has a pinned digest.
		write_source deb-src "$main" sid "Check-Valid-Until: no"
		[ -z "$security" ] ||
			write_source deb-src "$security" trixie-security
		[ "$distro" != 12 ] ||
			write_source deb "$main" bookworm-backports
	} >"$aptdir/sources/deps.sources"
	say "reading the package lists"
	apt_private apt-get update >"$aptdir/log" 2>&1 ||
		say "some lists could not be read (see $aptdir/log)"
	apt_is_ready=1
}

# pins_of NAME [VERSION]: the matching lines of the pins table.
pins_of()
{
	awk -v n="$1" -v v="${2:-}" \
		'$1 == n && (v == "" || $2 == v)' "$here/pins"
}

# The Debian revision of source $1 that offers file $2, if any suite does.
revision_with()
{
	apt_private apt-cache showsrc "$1" 2>/dev/null | awk -v f="$2" '
		$1 == "Version:" { v = $2 }
		$3 == f { print v; exit }'
}

# fetch_pinned NAME KIND FILE SHA256: the file, verified, into the cache.
# Returns 1 when no mirror has it any more; a wrong digest is fatal.
fetch_pinned()
{
	local name=$1 kind=$2 file=$3 sum=$4 rev

	mkdir -p "$cache/src"
	if [ ! -f "$cache/src/$file" ]; then
		apt_setup
		rev=$(revision_with "$name" "$file")
		[ -n "$rev" ] || return 1
		(cd "$cache/src" && apt_private apt-get source \
			--download-only "--$kind-only" "$name=$rev") \
			>>"$aptdir/log" 2>&1 || return 1
		[ -f "$cache/src/$file" ] || return 1
	fi
	echo "$sum  $cache/src/$file" | sha256sum --check --status || {
		rm -f "$cache/src/$file"
		die "$file does not have the pinned SHA-256; it was removed"
	}
}

# fetch_version NAME VERSION: all files of one version. 1 if one is missing.
fetch_version()
{
	local n v kind file sum

	while read -r n v kind file sum; do
		fetch_pinned "$n" "$kind" "$file" "$sum" || {
			say "$n $v: $file is not on the mirror"
			return 1
		}
	done < <(pins_of "$1" "$2")
}

# unpack NAME VERSION DIR: the sources with Debian's and our own patches.
unpack()
{
	local name=$1 version=$2 dir=$3 kind file patch

	mkdir -p "$dir"
	while read -r _ _ kind file _; do
		if [ "$kind" = tar ]; then
			tar -xf "$cache/src/$file" -C "$dir" --strip-components=1
		else
			tar -xf "$cache/src/$file" -C "$dir"
		fi
	done < <(pins_of "$name" "$version")
	if [ -f "$dir/debian/patches/series" ]; then
		while read -r patch; do
			case $patch in CVE-*) ;; *) continue ;; esac
			patch -d "$dir" -p1 -s <"$dir/debian/patches/$patch" ||
				die "$name: Debian's $patch does not apply"
		done <"$dir/debian/patches/series"
	fi
	for patch in "$here/patches/$name-$version"/*.patch; do
		[ ! -f "$patch" ] || patch -d "$dir" -p1 -s <"$patch" ||
			die "$name: our $(basename "$patch") does not apply"
	done
}

# Makes the .pc files of prefix $1 find their files wherever the prefix is,
# and name the private libraries too, since all of ours are static.
relocate_pc()
{
	local pc

	for pc in "$1"/lib/pkgconfig/*.pc; do
		[ -f "$pc" ] || continue
		# shellcheck disable=SC2016
		sed -i -e 's|^prefix=.*|prefix=${pcfiledir}/../..|' \
			-e 's|^exec_prefix=.*|exec_prefix=${prefix}|' \
			-e 's|^libdir=.*|libdir=${prefix}/lib|' \
			-e 's|^includedir=.*|includedir=${prefix}/include|' \
			-e 's|^Requires.private:|Requires:|' \
			-e 's|^Libs.private:|Libs:|' "$pc"
		awk '/^(Requires|Libs):/ { k = $1; sub(/^[^:]*: */, "")
				v[k] = v[k] " " $0; next }
			{ print }
			END { for (k in v) if (v[k] !~ /^ *$/) print k v[k] }' \
			"$pc" >"$pc.new"
		mv "$pc.new" "$pc"
	done
	rm -f "$1"/lib/*.la
}
