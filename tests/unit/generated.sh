#!/bin/sh
# Are the committed headers what their generators write?
set -eu
cd "$1"
python3 scripts/gen-fire.py | diff -u include/weir/fire.h -
python3 scripts/gen-probe.py | diff -u include/weir/each.h -
