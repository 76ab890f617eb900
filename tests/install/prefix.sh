# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# shellcheck disable=SC2154 # $root is the sourcing script's
# Sourced by the tests here, which set $root: $work, a folder that goes with the test; install_somewhere BUILD, which
# installs, moves what was installed to a place that nothing knew of, and sets $prefix and
# PKG_CONFIG_PATH; and fail.
work=$(mktemp -d)
started=
cleanup() {
	for pid in $started; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAILED: $*"
	exit 1
}

need() {
	command -v "$1" >/dev/null || {
		echo "skipped: there is no $1 (package $2)"
		exit 77
	}
}

install_somewhere() {
	meson install -C "$1" --no-rebuild --quiet --destdir "$work/dest"
	prefix=$work/any/where
	mkdir -p "$work/any"
	mv "$(dirname "$(dirname "$(find "$work/dest" -path '*/bin/weir')")")" "$prefix"
	export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
}

# Build examples/$1 with its own CMake file into $work/$1.
build_example() {
	if ! cmake -S "$root/examples/$1" -B "$work/$1" >"$work/cmake.log" 2>&1 ||
		! cmake --build "$work/$1" >"$work/cmake.log" 2>&1; then
		fail "examples/$1: $(tail -n 20 "$work/cmake.log")"
	fi
	! grep warning "$work/cmake.log" || fail "examples/$1 compiles with warnings"
}
