#!/bin/sh
# SPDX-License-Identifier: MIT
# Is every C and C++ file as clang-format would have it? `make format` makes it so.
exec "$1/scripts/format" --check
