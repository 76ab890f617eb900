#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does scripts/run-tests count right, also when meson or the build breaks? usage: run_tests.py ROOT"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]

MESON = "project('tiny')\n"
MESON_C = "project('tiny', 'c')\n"
PASS = "test('good', find_program('good.sh'), suite: 'unit')\n"
FAIL = "test('bad', find_program('bad.sh'), suite: 'unit')\n"
SKIP = "test('no', find_program('no.sh'), suite: 'unit')\n"
CASE = "test('case', find_program('case.sh'), suite: 'unit')\n"
LONG = "test('long', find_program('bad.sh'), suite: 'soak')\n"
BROKEN = "executable('broken', 'broken.c')\n"

SCRIPTS = {
    "good.sh": "exit 0",
    "bad.sh": "echo oh no; exit 3",
    "no.sh": "echo skipped: the moon is not full; exit 77",
    "case.sh": "echo 1..2; echo ok 1 - one; echo 'ok 2 - two # SKIP no second one';"
               " echo '# skipped: no third one'; echo 'skipped four: nor that'; echo '0 skipped'",
}


def run(meson, *args):
    with tempfile.TemporaryDirectory() as tree:
        os.mkdir(f"{tree}/scripts")
        shutil.copy(f"{ROOT}/scripts/run-tests", f"{tree}/scripts/run-tests")
        for name, body in SCRIPTS.items():
            with open(f"{tree}/{name}", "w") as file:
                file.write(f"#!/bin/sh\n{body}\n")
            os.chmod(f"{tree}/{name}", stat.S_IRWXU)
        with open(f"{tree}/broken.c", "w") as file:
            file.write("int main(void) { return nothing; }\n")
        with open(f"{tree}/meson.build", "w") as file:
            file.write(meson)
        env = {k: v for k, v in os.environ.items() if k != "BUILD" and not k.startswith("MESON")}
        done = subprocess.run([f"{tree}/scripts/run-tests", *args], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout


def expect(what, meson, args, last, ok, *says):
    status, out = run(meson, *args)
    lines = out.splitlines()
    wrong = []
    if not lines or lines[-1] != last:
        wrong.append(f"last line is {lines[-1:]}, not {last!r}")
    if (status == 0) != ok:
        wrong.append(f"exit status {status}")
    wrong += [f"does not say {text!r}" for text in says if text not in out]
    print(f"{'not ok' if wrong else 'ok'} - {what}: {'; '.join(wrong) or last}")
    if wrong:
        print(out)
    return not wrong


PLAIN = ["--build", "plain"]
RESULTS = [
    expect("one of each", MESON + PASS + FAIL + SKIP, PLAIN, "1 passed, 1 failed, 1 skipped", False,
           "skipped: no: skipped: the moon is not full", "FAILED: bad: ", "oh no"),
    expect("all pass, the long suite stays out", MESON + PASS + LONG, PLAIN,
           "1 passed, 0 failed, 0 skipped", True),
    expect("the long suite by name", MESON + PASS + LONG, ["--suite", "soak"],
           "0 passed, 1 failed, 0 skipped", False),
    expect("cases that skip inside a test", MESON + CASE, PLAIN, "1 passed, 0 failed, 3 skipped",
           True, "skipped: case: two: no second one", "skipped: case: four: nor that"),
    expect("no test at all", MESON, PLAIN, "0 passed, 1 failed, 0 skipped", False),
    expect("everything skipped", MESON + SKIP, PLAIN, "0 passed, 0 failed, 1 skipped", False),
    expect("meson setup fails", MESON + "error('no')\n", PLAIN, "0 passed, 1 failed, 0 skipped",
           False, "meson setup"),
    expect("the build fails", MESON_C + PASS + BROKEN, PLAIN, "0 passed, 1 failed, 0 skipped", False,
           "plain: build"),
    expect("three builds", MESON_C + PASS, [], "3 passed, 0 failed, 0 skipped", True),
]
sys.exit(0 if all(RESULTS) else 1)
