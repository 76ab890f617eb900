#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: install.sh ROOT BUILD
# Installs into a folder that nobody was told of beforehand, and uses everything from there as a
# stranger would: headers, the shared and the static library through pkg-config, bin/weir, man
# pages, completion, and the examples' own CMake files.
# shellcheck disable=SC2086,SC2046 # flags are lists of words
set -eu
root=$1
# shellcheck source=tests/install/prefix.sh
. "$root/tests/install/prefix.sh"
install_somewhere "$2"
cd "$work"

echo "# what is there"
for file in bin/weir lib/weir/weir-commands.so lib/weir/weir-types.so lib/libweir.so lib/libweir.a include/weir/weir.h include/weir/abi/shm.h \
	lib/pkgconfig/weir.pc share/bash-completion/completions/weir share/man/man1/weir.1; do
	[ -e "$prefix/$file" ] || fail "$file was not installed"
done
for command in $("$prefix/bin/weir" --help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\).*/\1/p'); do
	page=$prefix/share/man/man1/weir-$command.1
	[ -e "$page" ] || fail "weir-$command.1 was not installed"
	man -E UTF-8 --warnings -l "$page" >page.txt 2>page.err || fail "man cannot show weir-$command.1"
	[ ! -s page.err ] || fail "weir-$command.1: $(cat page.err)"
	"$prefix/bin/weir" "$command" --help >/dev/null || fail "weir $command --help"
done

echo "# what is missing is named, and what is not weir's is not loaded"
mv "$prefix/lib/weir/weir-commands.so" .
! "$prefix/bin/weir" list 2>error || fail "weir list without its module"
grep -q 'weir-commands.so is neither in .*/lib/weir nor beside weir' error || fail "weir list: $(cat error)"
"$prefix/bin/weir" print --help >/dev/null || fail "weir print needs a module"
cp weir-commands.so "$prefix/lib/weir"
chmod o+w "$prefix/lib/weir/weir-commands.so"
! "$prefix/bin/weir" list 2>error || fail "weir list with a module that anybody may write to"
grep -q 'anybody may write to it' error || fail "weir list: $(cat error)"
mv weir-commands.so "$prefix/lib/weir"

case $("$prefix/bin/weir" --version) in
"weir $(pkg-config --modversion weir | cut -d. -f1,2)"*) ;;
*) fail "weir --version: $("$prefix/bin/weir" --version); weir.pc: $(pkg-config --modversion weir)" ;;
esac

echo "# each header alone, as strict C and C++"
cflags=$(pkg-config --cflags weir)
find "$prefix/include" -name '*.h' ! -name fire.h ! -name each.h | while read -r header; do
	echo "#include \"$header\"" >header.c
	for compiler in gcc clang; do
		! command -v $compiler >/dev/null ||
			$compiler -std=c11 -Wall -Wextra -Werror -pedantic $cflags -fsyntax-only header.c ||
			fail "$header does not compile as C with $compiler"
	done
	case $header in
	*/abi/*) continue ;; # written for C
	esac
	for compiler in g++ clang++; do
		! command -v $compiler >/dev/null ||
			$compiler -std=c++17 -Wall -Wextra -Werror -pedantic $cflags -fsyntax-only -x c++ header.c ||
			fail "$header does not compile as C++ with $compiler"
	done
done

# Is the target that $1 starts seen by the installed weir? Its stdin is held open meanwhile.
watch() {
	mkfifo hold
	"$@" <hold >out 2>&1 &
	target=$!
	started="$started $target"
	exec 3>hold
	for _ in $(seq 100); do
		! grep -q published out || break
		kill -0 $target 2>/dev/null || fail "$*: $(cat out)"
		sleep 0.1
	done
	"$prefix/bin/weir" list -p $target --json >list.json || fail "weir list -p of $1"
	grep -q '"tick"' list.json || fail "weir list -p of $1 says: $(cat list.json)"
	"$prefix/bin/weir" trace -p $target --json --count 3 --duration 20 'stranger:tick' \
		>trace.json || fail "weir trace of $1"
	[ "$(grep -c '"/a/path"' trace.json)" = 3 ] || fail "weir trace of $1: $(cat trace.json)"
	exec 3>&-
	rm hold
	wait $target || fail "$1 ended with status $?"
}

echo "# a stranger's program, shared"
cc -Wall "$root/tests/install/stranger.c" -o shared $cflags $(pkg-config --libs weir)
export LD_LIBRARY_PATH="$prefix/lib"
ldd ./shared | grep -q "$prefix/lib/libweir.so" || fail "the program does not use the installed libweir"
watch ./shared

echo "# the same, static"
unset LD_LIBRARY_PATH
cc -Wall "$root/tests/install/stranger.c" -o static $cflags \
	$(pkg-config --static --libs weir | sed 's/-lweir/-l:libweir.a/')
! ldd ./static | grep libweir || fail "the static program needs libweir.so"
watch ./static

need cmake cmake
for example in "$root"/examples/*/CMakeLists.txt; do
	name=$(basename "$(dirname "$example")")
	echo "# examples/$name with CMake"
	build_example "$name"
	# It loads its libraries from the prefix, finds no such option or number, and ends.
	status=0
	timeout 20 "$name/$name" --no-such-option 2>/dev/null || status=$?
	[ $status -le 2 ] || fail "examples/$name: exit status $status"
done
