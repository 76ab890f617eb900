#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs shellcheck over every shell script of the tree, found by its first line.
set -eu
cd "$1"
command -v shellcheck >/dev/null || {
	echo "skipped: there is no shellcheck (package shellcheck)"
	exit 77
}
scripts=$(find . -type d \( -name '.git' -o -name 'build' -o -name 'build-*' \) -prune -o -type f -print |
	while read -r file; do
		line=
		read -r line <"$file" 2>/dev/null || true
		case $line in
		'#!'*/sh | '#!'*/bash | '#!'*'env bash' | '#!'*'/sh '* | '#!'*'/bash '*) echo "$file" ;;
		esac
	done)
# shellcheck disable=SC2086 # a list; no file name here has a space
shellcheck -x $scripts tests/install/prefix.sh completion/weir.bash
# shellcheck disable=SC2086
echo "checked:" $scripts
