#!/bin/sh
# SPDX-License-Identifier: MIT
# The LTTng scenarios with the LTTng of another Debian release: scripts/test-roots calls this.
#
#     tests/roots/lttng.sh ROOT      ROOT: a chroot with /proc, /dev and /tmp; BUILD: the build folder
#
# libweir and the target are this build's; liblttng-ust, the daemons and babeltrace2 are the root's.
# The last line is `N passed, N failed, N skipped`; status 77: nothing could run.
set -eu

root=$1
cd "$(dirname "$0")/../.."
build=$(realpath "${BUILD:-build}")
packages="lttng-tools babeltrace2 liblttng-ust-dev python3 util-linux"

if ! chroot "$root" sh -c 'command -v lttng babeltrace2 python3 unshare' >/dev/null ||
	[ ! -e "$root/usr/include/$(gcc -print-multiarch)/lttng/ust-events.h" ]; then
	valid=$(apt-config dump --no-empty --format '%v%n' Acquire::Check-Valid-Until)
	# shellcheck disable=SC2086 # a list
	DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q -y \
		-o "Acquire::Check-Valid-Until=${valid:-true}" install --no-install-recommends \
		$packages >/dev/null || {
		echo "skipped: apt-get could not install $packages in $root"
		exit 77
	}
fi
ninja -C "$build" --quiet tests/e2e/lttng/lttng-target tests/e2e/lttng/lttng-clock.so \
	tests/e2e/lttng/lttng-plugin.so >&2

work=$(mktemp -d /tmp/weir-lttng-root-XXXXXX)
inside=$work
if [ ! -d "$root$work" ]; then # /tmp is the root's own
	mkdir "$root$work"
	trap 'rm -rf "$work" "$root$work"' EXIT
	work=$root$work
else
	trap 'rm -rf "$work"' EXIT
fi
cp tests/e2e/lttng/*.py "$build/tests/e2e/lttng/lttng-target" "$build/tests/e2e/lttng/lttng-clock.so" \
	"$build/tests/e2e/lttng/lttng-plugin.so" \
	"$build/lib/libweir.so.0" "$work"

passed=0 failed=0 skipped=0
count() {
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# What lib/lttng_abi.h says against that release's headers.
if gcc -I. -Iinclude -I"$root/usr/include/$(gcc -print-multiarch)" -I"$root/usr/include" \
	-o "$work/abi" tests/unit/lttng_abi.c >"$work/log" 2>&1 && "$work/abi" >"$work/log" 2>&1; then
	echo "ok 1 - abi: $(tail -n 1 "$work/log")"
	count 1 0 0
else
	echo "not ok 1 - abi"
	cat "$work/log"
	count 0 1 0
fi

# The chroot becomes a mount of its own, without which it cannot have private mounts.
# shellcheck disable=SC2016 # $ of the inner shell
for name in record sessions life hardship identical; do
	status=0 unstarted=
	PYTHONDONTWRITEBYTECODE=1 LD_LIBRARY_PATH=$inside WEIR_TEST_CLOCK=$inside/lttng-clock.so \
		WEIR_TEST_PLUGIN=$inside/lttng-plugin.so \
		unshare --mount --propagation private sh -c \
		'mount --rbind "$1" "$1" && exec chroot "$1" python3 "$2" "$3"' sh \
		"$root" "$inside/$name.py" "$inside/lttng-target" >"$work/log" 2>&1 || status=$?
	sed -n -e 's/^ok test_\([^ ]*\).*/ok 1 - '"$name"': \1/p' \
		-e 's/^FAILED test_\(.*\)/not ok 1 - '"$name"': \1/p' \
		-e 's/^skipped test_\(.*\)/ok 1 - '"$name"': # SKIP \1/p' "$work/log"
	[ "$status" = 0 ] || [ "$status" = 77 ] || cat "$work/log"
	sed -n "s/^skipped: /ok 1 - $name: # SKIP /p" "$work/log"
	[ "$status" != 77 ] || unstarted="0 0 1"
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$work/log")
	# shellcheck disable=SC2086 # three numbers
	count ${counts:-${unstarted:-0 1 0}}
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
