#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ruby:frames of a program whose threads change fibers all the time: no stack is made up.

usage: ruby_hot.py WEIR SCRIPT.rb [READINGS]
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

WEIR, SCRIPT = sys.argv[1:3]
READINGS = int(sys.argv[3]) if len(sys.argv) > 3 else 25
DEEPEST = 330
ENUMERATORS, FIBERS = {"enumerators", "each_slice", "next"}, {"deep", "fibers"}


def problems_of(threads):
    for thread in threads:
        frames = thread.get("frames")
        if frames is None:
            yield f"no frames: {thread}"
            continue
        labels = {f.get("label") for f in frames}
        if len(frames) > DEEPEST:
            yield f"{len(frames)} frames"
        if labels & ENUMERATORS and labels & FIBERS:
            yield f"two threads in one stack: {sorted(map(str, labels))}"


def main():
    if not (shutil.which("ruby") and glob.glob("/usr/include/*/ruby-*/rb_mjit_min_header-*.h")):
        print("skipped: no ruby with the header of its JIT compiler (Debian 12: ruby, ruby-dev)")
        return 77
    os.environ["XDG_CACHE_HOME"] = scratch = tempfile.mkdtemp(prefix="weir-hot-")
    process = subprocess.Popen(["ruby", SCRIPT], stdout=subprocess.PIPE, text=True)
    seen, problems = 0, []
    try:
        pid = process.stdout.readline().split()[1]
        for _ in range(READINGS):
            done = subprocess.run([WEIR, "print", "-p", pid, "--json", "ruby:frames"], capture_output=True, text=True,
                                  timeout=300)
            if done.returncode:
                problems.append(f"exit {done.returncode}: {done.stderr}")
                continue
            threads = json.loads(done.stdout)["value"]
            seen += sum(len(t.get("frames") or []) for t in threads)
            problems += problems_of(threads)
        if process.poll() is not None:
            problems.append("the program ended")
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(scratch)
    print(f"{READINGS} readings, {seen} frames, {len(problems)} problems")
    print("\n".join(problems[:10]))
    return 1 if problems or not seen else 0


sys.exit(main())
