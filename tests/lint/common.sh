# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What every lint starts with. A lint is `tests/lint/NAME [ROOT]`: it looks at the tree below ROOT (the
# repository, unless said otherwise), prints one line `FILE:LINE: what is wrong` a finding, and exits
#	0 nothing found	1 something found	2 the lint itself could not work
# 2 is kept apart from 1 so that self-test can tell a lint that found its bad sample from one that broke.
set -euo pipefail
export LC_ALL=C.UTF-8

lint_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
findings=0

die() {
	echo "$(basename "$0"): $*" >&2
	exit 2
}

# shellcheck disable=SC2034 # the flags are for the lints that compile
house_flags=(-std=gnu17 -D_GNU_SOURCE -I. -Wall -Wextra -Wshadow -Wvla -Wconversion -Wformat=2
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wundef
	-Wimplicit-fallthrough -Wno-missing-field-initializers -Wnull-dereference -Werror)

enter_root() {
	cd "${1:-$lint_dir/../..}" || die "no such folder: $1"
	root=$PWD
	export root
}

need() {
	local tool
	for tool; do
		command -v "$tool" >/dev/null || die "missing tool: $tool (make setup installs it)"
	done
}

complain() {
	echo "$*"
	findings=$((findings + 1))
}

# complain_each: one finding a line of stdin
complain_each() {
	local line
	while IFS= read -r line; do
		[[ -z $line ]] || complain "$line"
	done
}

finish() {
	((findings == 0)) || exit 1
	exit 0
}

# files NAME-PATTERN FOLDER...: the files below those of the folders that exist, in a stable order
files() {
	local pattern=$1 folder
	shift
	for folder; do
		[[ ! -d $folder ]] || find "$folder" -type f -name "$pattern"
	done | sort
}

# code FILE: its text with comments, strings and characters blanked out, line by line as before
code() {
	awk -f "$lint_dir/code.awk" "$1"
}
