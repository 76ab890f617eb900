#!/bin/sh
# Is the committed include/weir/fire.h what its generator writes?
set -eu
cd "$1"
python3 scripts/gen-fire.py | diff -u include/weir/fire.h -
