#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Are declared probes what `weir list` and `weir trace` show? `listed.py WEIR PROGRAM`."""

import json
import os
import subprocess
import sys
import tempfile
import time

WANTED = {
    "idle": [],
    "order": [("id", "u64"), ("path", "string")],
    "all": [("a", "i8"), ("b", "i16"), ("c", "i32"), ("d", "i64"), ("e", "u8"), ("f", "u16"), ("g", "u32"),
            ("h", "f32"), ("i", "f64"), ("j", "bool"), ("k", "bytes"), ("l", "pointer")],
}


def check(weir, target):
    listed = subprocess.run([weir, "list", "--json", "-p", str(target.pid)], capture_output=True, text=True)
    if listed.returncode:
        sys.exit(f"weir list: {listed.stderr}")
    found = {}
    for line in listed.stdout.splitlines():
        probe = json.loads(line)
        if probe["provider"] == "shop":
            found[probe["probe"]] = [(field["name"], field["type"]) for field in probe["fields"]]
    if found != WANTED:
        sys.exit(f"weir list shows\n{found}\ninstead of\n{WANTED}")

    trace = subprocess.Popen([weir, "trace", "--json", "--count", "1", "-p", str(target.pid), "shop:order"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 30
    while trace.poll() is None and time.monotonic() < end:
        target.stdin.write("\n")
        target.stdin.flush()
        time.sleep(0.05)
    if trace.poll() is None:
        trace.kill()
    out, said = trace.communicate()
    events = [json.loads(line) for line in out.splitlines()]
    if not events or events[0]["fields"] != {"id": 42, "path": "/cart"}:
        sys.exit(f"weir trace shows {out!r} and says {said}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        target = subprocess.Popen([sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "WEIR_DIR": folder})
        try:
            if target.stdout.readline() != "ready\n":
                sys.exit("the program did not publish")
            check(sys.argv[1], target)
        finally:
            target.kill()
            target.communicate()


main()
