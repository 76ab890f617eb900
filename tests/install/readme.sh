#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: readme.sh ROOT BUILD
# Do the one-liners of README.md work, as they stand there, beside a shop under load?
set -eu
root=$1
# shellcheck source=tests/install/prefix.sh
. "$root/tests/install/prefix.sh"
need cmake cmake
need jq jq
need wrk wrk
need bpftrace bpftrace
install_somewhere "$2"
build_example shopd
build_example jobs
export PATH="$prefix/bin:$work/shopd:$work/jobs:$PATH"
cd "$root"

shopd >"$work/shopd.out" &
shop=$!
started="$started $shop"
for _ in $(seq 100); do
	url=$(sed -n 's|.*\(http://127[^ ]*\).*|\1|p' "$work/shopd.out")
	[ -z "$url" ] || break
	sleep 0.1
done
[ -n "$url" ] || fail "shopd did not start"
wrk -t1 -c8 -d120s -s examples/shopd/load.lua "$url" >/dev/null &
started="$started $!"

sed -n '/readme.sh runs/,/^```$/p' README.md | grep -v '^<!--\|^```' >"$work/lines"
[ "$(wc -l <"$work/lines")" -ge 5 ] || fail "README.md has fewer than five one-liners"
while read -r line; do
	echo "# $line"
	case $line in
	bpftrace*) [ "$(id -u)" = 0 ] || {
		echo "ok 1 - bpftrace # SKIP not root"
		continue
	} ;;
	esac
	# Others may run a shopd of their own at the same time.
	command=$(printf '%s' "$line" | sed "s/\$(pidof shopd)/$shop/g")
	status=0
	timeout 60 sh -c "$command" >"$work/out" 2>"$work/err" </dev/null || status=$?
	if [ $status != 0 ] && grep 'Creation of the required BPF maps has failed' "$work/err"; then
		# Seen once in many runs of bpftrace 0.17, before it looks at any probe.
		status=0
		timeout 60 sh -c "$command" >"$work/out" 2>"$work/err" </dev/null || status=$?
	fi
	[ $status = 0 ] || fail "exit status $status: $(tail -n 20 "$work/err")"
	[ -s "$work/out" ] || fail "it printed nothing; $(cat "$work/err")"
	head -n 12 "$work/out" | cut -c1-160
	case $line in
	*jq*) grep -q '^/order/N' "$work/out" ;;
	*'--count 10'*) [ "$(wc -l <"$work/out")" -ge 10 ] ;;
	bpftrace*) grep -q '^@us\[/cart\]' "$work/out" ;;
	*jobs*) [ "$(grep -c 'jobs:done' "$work/out")" -ge 5 ] ;;
	*) grep -q 'request__done' "$work/out" ;;
	esac || fail "that is not what it should print"
done <"$work/lines"
