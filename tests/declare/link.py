#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Declared probes in real programs: tests/declare/*.c built in every way that linkers differ in,
linked with this build's libweir, and run. `link.py SOURCE BUILD CC CXX`. Prints TAP."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

WAYS = {
    "-O0": ["-O0"],
    "-O2, hidden": ["-O2", "-fvisibility=hidden"],
    "-O2, lto": ["-O2", "-flto"],
    "-Os, gc-sections": ["-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"],
    "no pie": ["-O2", "-no-pie", "-fno-pic"],
}


def call(command, env):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, env=env)


def can(compiler, options, folder, env):
    source = folder / "empty.c"
    source.write_text("int main(void) { return 0; }\n")
    return call([compiler, *options, source, "-o", folder / "empty"], env).returncode == 0


class Build:
    def __init__(self, source, build, cc, cxx, folder):
        self.here, self.folder = source / "tests" / "declare", folder
        self.cc, self.cxx = cc, cxx
        self.flags = ["-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", f"-I{source / 'include'}", f"-I{source}"]
        self.shared = [f"-L{build / 'lib'}", f"-Wl,-rpath,{build / 'lib'}", "-lweir"]
        self.static = [build / "lib" / "libweir.a", "-lpthread", "-ldl"]
        self.extra = [source / "bench" / "session.c", source / "bench" / "bench.c"]
        self.env = {**os.environ, "LC_ALL": "C", "WEIR_DIR": str(folder / "stubs")}
        (folder / "stubs").mkdir(mode=0o700, exist_ok=True)

    def run(self, *command):
        done = call(command, self.env)
        if done.returncode:
            raise RuntimeError(" ".join(map(str, command)) + "\n" + done.stdout + done.stderr)

    def plugin(self, name, options):
        path = self.folder / f"{name}.so"
        options = [o for o in options if o not in ("-no-pie", "-fno-pic")]
        self.run(self.cc, *self.flags, *options, "-shared", "-fPIC", self.here / f"{name}.c", *self.shared, "-o", path)
        return path

    def program(self, options, libraries):
        objects = []
        for source in [self.here / "main.c", self.here / "file.c", *self.extra]:
            objects.append(self.folder / f"{source.stem}.o")
            self.run(self.cc, *self.flags, *options, "-c", source, "-o", objects[-1])
        objects.append(self.folder / "cc.o")
        self.run(self.cxx, *self.flags, *options, "-std=c++11", "-c", self.here / "cc.cc", "-o", objects[-1])
        self.run(self.cxx, *options, *objects, *libraries, "-ldl", "-o", self.folder / "declare")
        return self.folder / "declare"


def main():
    source, built, cc, cxx = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    for compiler in (cc, cxx):
        if not shutil.which(compiler):
            print(f"1..0 # SKIP {compiler} is not installed")
            return 0
    number = failed = 0
    for static in (False, True):
        for name, options in WAYS.items():
            number += 1
            what = f"{cc}, {name}, {'static' if static else 'shared'} libweir"
            with tempfile.TemporaryDirectory() as temporary:
                build = Build(source, built, cc, cxx, pathlib.Path(temporary))
                if not can(cc, options, build.folder, build.env):
                    print(f"ok {number} - {what} # SKIP {cc} cannot link with {' '.join(options)} here")
                    continue
                try:
                    arguments = [] if static else [build.plugin("plugin", options), build.plugin("stranger", options)]
                    build.run(build.program(options, build.static if static else build.shared), *arguments)
                    print(f"ok {number} - {what}", flush=True)
                except RuntimeError as error:
                    failed += 1
                    print(f"not ok {number} - {what}")
                    print("\n".join("# " + line for line in str(error).splitlines()[:40]), flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
