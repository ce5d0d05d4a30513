# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the lint tests share. A finding is one line, FILE:LINE: what; a test
# fails if it printed any. With --root DIR another tree is looked at.

root=${DAE_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
if [ "${1:-}" = --root ]; then
	root=$2
	shift 2
fi
cd "$root" || exit 1
findings=0

found()
{
	echo "$*"
	findings=$((findings + 1))
}

# Every file of the project, NUL-separated, without what a build made.
all_files()
{
	find . \( -path ./.git -o -path ./build -o -name __pycache__ \) -prune \
		-o -type f -printf '%P\0' | sort -z
}

# files_matching REGEX: those whose path matches.
files_matching()
{
	all_files | grep -zE "$1" || :
}

# Our shell scripts, by their name or first line.
shell_files()
{
	local file line

	while IFS= read -r -d '' file; do
		case $file in
		*.bash | *.sh | packaging/deps/recipe.d/*)
			printf '%s\0' "$file" ;;
		tests/*/corpus/* | *.[ch] | *.py) ;;
		*)
			IFS= read -r line 2>/dev/null <"$file" || :
			case $line in
			'#!'*sh) printf '%s\0' "$file" ;;
			esac ;;
		esac
	done < <(all_files)
}

skip()
{
	echo "skipped: $*"
	exit 77
}

need()
{
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

finish()
{
	[ "$findings" -eq 0 ] || { echo "$findings found"; exit 1; }
	exit 0
}
