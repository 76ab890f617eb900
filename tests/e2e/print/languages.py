#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir print on C++ (libstdc++) and on Ruby. usage: languages.py WEIR CXX-FIXTURE | WEIR SCRIPT.rb"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

WEIR, FIXTURE = sys.argv[1:3]
failed = 0


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def values(pid, *expressions):
    done = subprocess.run([WEIR, "print", "-p", str(pid), "--json", *expressions], capture_output=True, text=True,
                          timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["expression"]: line["value"] for line in lines}, done.stderr


def cxx(pid):
    mine, errors = values(pid, "small_text", "large_text", "numbers", "words", "empty", "ages", "counts", "ns::inside",
                          "ns::object.b", "ns::object.d", "reference")
    wanted = {"small_text": "small one", "numbers": [1, 2, 3, 4], "words": ["alpha", "beta"], "empty": [],
              "ages": {"1": "one", "2": "two", "3": "three"}, "counts": {f"key{i}": i for i in range(100)},
              "ns::inside": 9, "ns::object.b": 1, "ns::object.d": 2, "reference": 9,
              "large_text": {"text": "L" * 200, "truncated": True}}
    for name, value in wanted.items():
        check(name, mine.get(name) == value, f"{mine.get(name)!r} {errors}")
    check("a map is in order", list(mine.get("ages", {})) == ["1", "2", "3"])


def ruby(pid):
    mine, errors = values(pid, "ruby:frames")
    threads = mine.get("ruby:frames", [])
    check("two threads", len(threads) == 2, errors)
    if len(threads) != 2:
        return
    main, worker = threads
    rows = [(f["label"], f.get("line")) for f in main["frames"]]
    wanted = [("sleep", None), ("block in wait", 10), ("each", None), ("wait", 9), ("order", 5), ("<main>", 21)]
    check("methods and lines", rows == wanted, rows)
    check("paths", all(f["path"] == FIXTURE for f in main["frames"] if "path" in f), main)
    check("a thread's name", worker.get("name") == "worker", worker)
    check("the other thread", worker["frames"][-1].get("label") == "block in <main>", worker)


def main():
    script = FIXTURE.endswith(".rb")
    if script and not (shutil.which("ruby") and glob.glob("/usr/include/*/ruby-*/rb_mjit_min_header-*.h")):
        print("skipped: no ruby with the header of its JIT compiler (Debian 12: ruby, ruby-dev)")
        return 77
    os.environ["XDG_CACHE_HOME"] = scratch = tempfile.mkdtemp(prefix="weir-print-")
    process = subprocess.Popen((["ruby"] if script else []) + [FIXTURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    try:
        pid = int(process.stdout.readline().split()[1])
        time.sleep(0.5)  # until the last call is made
        (ruby if script else cxx)(pid)
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(scratch)
    return 1 if failed else 0


sys.exit(main())
