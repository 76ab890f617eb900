#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: symbols.sh LIBWEIR.SO WEIR.MAP
# Does libweir export what its version script lists, and nothing else; need libc, and nothing else;
# and keep a guest's manners: it never prints, exits, starts a thread, handles a signal, changes the
# environment, or runs code at load?
set -eu
library=$1
map=$2
status=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n '/global:/,/local:/s/^\t\([a-z_0-9]*\);$/\1/p' "$map" | sort >"$work/listed"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort >"$work/exported"
[ -s "$work/listed" ] || {
	echo "$map lists no symbol"
	exit 1
}
if ! diff -u "$work/listed" "$work/exported"; then
	echo "(-: only in $map, +: only exported)"
	status=1
fi

readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
	grep -v '^libc\.\|^ld-linux\|^ld-musl' >"$work/needed" || true
if [ -s "$work/needed" ]; then
	echo "libweir needs more than libc:"
	cat "$work/needed"
	status=1
fi

nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' | grep -xE \
	'_?printf(_chk)?|__printf_chk|v?f?printf|__v?fprintf_chk|puts|perror|fputs|exit|_exit|_Exit|quick_exit|abort|__assert_fail|pthread_create|thrd_create|fork|vfork|system|popen|signal|sigaction|sigprocmask|pthread_sigmask|setenv|putenv|unsetenv|srand|setlocale' \
	>"$work/rude" || true
if [ -s "$work/rude" ]; then
	echo "libweir calls what a guest must not:"
	cat "$work/rude"
	status=1
fi

# crtbegin's own entry is one pointer in each; anything more is a constructor or destructor.
for section in .init_array .fini_array; do
	size=$(readelf -SW "$library" | sed -n "s/.* $section  *[A-Z_]* *[0-9a-f]* [0-9a-f]* \([0-9a-f]*\) .*/\1/p")
	if [ $((0x${size:-0})) -gt 8 ]; then
		echo "libweir has constructors or destructors: $section is 0x$size bytes long"
		status=1
	fi
done
echo "$(wc -l <"$work/exported") exported symbols"
exit $status
