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
FIXED = "fixed<short, 2>" if "clang" in FIXTURE else "fixed<short int, 2>"


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def values(pid, *expressions):
    done = subprocess.run([WEIR, "print", "-p", str(pid), "--json", *expressions], capture_output=True, text=True,
                          timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["expression"]: line["value"] for line in lines}, done.stderr


def wanted_hash():
    return {f"key{i}": i for i in range(100)}


def cxx(pid):
    mine, errors = values(pid, "small_text", "large_text", "numbers", "words", "empty", "ages", "counts", "ns::inside",
                          "ns::object.b", "ns::object.d", "reference", "colours", "hashed", "by_number", "numbers_seen",
                          "given", "not_given", "some_number", "view", "owner", "nobody", "one", "base->id",
                          "((circle *)base)->radius", "shape::made", "pair_of_shorts", "sizeof(circle)", "multi", "area", "cxx.cc::area", "diamond",
                          "diamond.t", "diamond.l", "diamond.r", "half->t + half->l", "*half",
                          f"sizeof('{FIXED}')")
    wanted = {"small_text": "small one", "numbers": [1, 2, 3, 4], "words": ["alpha", "beta"], "empty": [],
              "ages": {"1": "one", "2": "two", "3": "three"}, "counts": wanted_hash(),
              "ns::inside": 9, "ns::object.b": 1, "ns::object.d": 2, "reference": 9,
              "large_text": {"text": "L" * 200, "truncated": True}, "colours": ["green", "red"],
              "by_number": {"7": "seven"}, "numbers_seen": [42], "given": "given", "not_given": None,
              "some_number": 5, "view": "a view", "nobody": None, "base->id": 1, "((circle *)base)->radius": 2.5,
              "shape::made": 13, "pair_of_shorts": {"data": [1, 2]}, "sizeof(circle)": 24, "hashed": wanted_hash(),
              f"sizeof('{FIXED}')": 4,
              "area": 99, "cxx.cc::area": 99, "diamond.t": 11, "diamond.l": 12, "diamond.r": 13, "half->t + half->l": 23,
              "multi": [{"key": "a", "value": 1}, {"key": "a", "value": 2}, {"key": "b", "value": 3}]}
    for name, value in wanted.items():
        check(name, mine.get(name) == value, f"{mine.get(name)!r} {errors}")
    check("unique_ptr", mine["owner"]["value"]["id"] == 1, mine["owner"])
    check("shared_ptr", mine["one"]["value"] == 17, mine["one"])
    check("a member that may have been lost", "not all types could be expressed: print-cxx" in values(pid, "diamond.z")[1])
    check("virtual base classes", mine["*half"]["__base_top"] == {"t": 11} and
          mine["diamond"]["__base_left"]["__base_top"] == {"t": 11} and mine["diamond"]["b"] == 14, mine["diamond"])
    check("a map is in order", list(mine.get("ages", {})) == ["1", "2", "3"])


def ruby_values(pid, address):
    mine, errors = values(pid, f"(VALUE){address}")
    seen = {name: value for name, value in mine.get(f"(VALUE){address}", [])}
    wanted = {
        "embedded string": "short", "heap string": {"text": "L" * 200, "truncated": True}, "shared string": "L" * 100,
        "part of a string": "defghijklmnopqrstuvwxyzabcdefghijk", "NUL": "a\0b", "UTF-8": "gr\u00fc\u00dfe",
        "embedded array": [1, 2, None], "heap array": list(range(21)), "shared array": list(range(5, 21)),
        "small hash": {"a": 1, "b": 2.5, "3": [4]}, "large hash": {f"key{i}": i for i in range(21)},
        "small hash, one deleted": {"a": 1, "c": 3}, "large hash, some deleted": {str(i): i for i in range(10, 21)},
        "static symbol": ":puts", "new symbol": ":brand_new", "dynamic symbol": ":dynamic42", "numbers": [-17, 3.25, 1e300],
        "texts as keys": {'"\\377\\0x"': 1, 'a"b': 2, '"' + "l" * 200 + '"...': 3},
        "objects as keys": {"Outer::Inner": 1, "-1.5e+300": 2},
        "odd keys": {"nil": 0, "true": 1, "1.5": 2, "2.0": 3},
        "equal keys": [{"key": "1", "value": "a"}, {"key": "1", "value": "b"}], "quoted symbol": ':"dyn sym"',
        "floats as keys": {"100000000000000.0": 0, "1.0e+15": 1, "0.0001": 2, "1.0e-05": 3, "1.2345678901234568e+16": 4},
        "no numbers": ["Infinity", "-Infinity"],
        "words": [None, True, False], "nested class": "Outer::Inner", "nested module": "Outer::Deep", "named later": "Late",
    }
    for name, value in wanted.items():
        check(name, seen.get(name) == value, f"{seen.get(name)!r} {errors}")
    check("anonymous class", seen.get("anonymous class", "").startswith("#<Class:0x"), seen.get("anonymous class"))
    check("object", seen.get("object", "").startswith("#<Outer::Inner 0x"), seen.get("object"))
    check("object of a singleton class", seen.get("singleton", "").startswith("#<Outer::Inner 0x"), seen.get("singleton"))
    check("a symbol of no characters", "\\377" in str(seen.get("symbol of no characters")), seen.get("symbol of no characters"))
    check("cycle", seen.get("cycle") == [1, "..."], seen.get("cycle"))


def ruby(pid):
    mine, errors = values(pid, "ruby:frames")
    threads = mine.get("ruby:frames", [])
    check("two threads", len(threads) == 2, errors)
    if len(threads) != 2:
        return
    main, worker = threads
    rows = [(f["label"], f.get("line")) for f in main["frames"]]
    wanted = [("sleep", None), ("block in wait", 10), ("each", None), ("wait", 9), ("block in order", 5),
              ("(a block in C)", None), ("each", None), ("each_with_index", None), ("order", 5), ("<main>", 22)]
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
        ready = process.stdout.readline().split()
        pid = int(ready[1])
        time.sleep(0.5)  # until the last call is made
        (ruby if script else cxx)(pid)
        if script:
            ruby_values(pid, ready[2])
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(scratch)
    return 1 if failed else 0


sys.exit(main())
