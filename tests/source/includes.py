#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do includes go only where the arrows of DESIGN.md point?

usage: includes.py ROOT

A folder may include its own files, <weir/...>, and the folders that ALLOWED names. The library is a
guest in other people's processes: it gets nothing but libc besides. Public headers include public
headers only.
"""

import os
import re
import sys

ALLOWED = {
    "include": set(),
    "lib": set(),
    "types": set(),
    "reader": set(),
    "script": {"types"},
    "stack": {"types", "reader"},
    "engine": {"types", "reader", "script", "stack"},
    "export": {"types", "reader", "script", "stack"},
    "cli": {"types", "reader", "script", "stack", "engine", "export"},
    "examples": set(),
}
# Headers of other libraries, by what their names begin with; libweir includes none of them.
FOREIGN = re.compile(r"(json-c/|json\.h|libsmartcols|elf(utils)?/|gelf|libelf|libdw|dwarf|bpf/|cmocka"
                     r"|lttng/|babeltrace2/|zlib|zstd)")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)
SOURCE = (".c", ".h", ".cc", ".S")


def sources(root, folder):
    for path, dirs, files in os.walk(os.path.join(root, folder)):
        dirs[:] = [d for d in dirs if not d.startswith("build")]
        for name in files:
            if name.endswith(SOURCE):
                yield os.path.join(path, name)


def check(root, folder, path):
    """Yields what is wrong with each include of one file."""
    with open(path, errors="replace") as file:
        text = file.read()
    for quote, name in INCLUDE.findall(text):
        first = name.split("/")[0]
        if first == "weir":
            continue
        if quote == "<":
            if folder == "lib" and FOREIGN.match(name):
                yield f"<{name}>: libweir knows libc and <weir/...>, nothing else"
            continue
        beside = os.path.join(os.path.dirname(path), name)
        if os.path.exists(beside):
            owner = os.path.relpath(os.path.normpath(beside), root).split(os.sep)[0]
        elif os.path.isdir(os.path.join(root, first)) and "/" in name:
            owner = first
        else:
            continue  # made by the build, such as a BPF skeleton
        if owner != folder and owner not in ALLOWED[folder]:
            yield f'"{name}": {folder}/ may not know {owner}/'


def main():
    root = sys.argv[1]
    bad = files = 0
    for folder in ALLOWED:
        for path in sources(root, folder):
            files += 1
            for complaint in check(root, folder, path):
                print(f"{os.path.relpath(path, root)}: {complaint}")
                bad += 1
    print(f"{files} files, {bad} wrong includes")
    return 1 if bad or not files else 0


sys.exit(main())
