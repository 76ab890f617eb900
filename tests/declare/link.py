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

SECTIONS = ["-Os", "-ffunction-sections", "-fdata-sections"]

# name: (options of the compiler, of the linker)
WAYS = {
    "-O0": (["-O0"], []),
    "-O2, hidden": (["-O2", "-fvisibility=hidden"], []),
    "-O2, lto": (["-O2", "-flto"], ["-O2", "-flto"]),
    "-Os, gc-sections": (SECTIONS, ["-Wl,--gc-sections"]),
    "-Os, gc-sections, lld": (SECTIONS, ["-Wl,--gc-sections", "-fuse-ld=lld"]),
    "no pie": (["-O2", "-fno-pic"], ["-no-pie"]),
}

STATIC = ("-O2, lto", "-Os, gc-sections, lld")  # where a static library makes a difference


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

    def plugin(self, name, options, link):
        path = self.folder / f"{name}.so"
        link = [option for option in link if option != "-no-pie"]
        self.run(self.cc, *self.flags, *options, "-fPIC", "-shared", *link, self.here / f"{name}.c", *self.shared,
                 "-o", path)
        return path

    def program(self, options, link, libraries):
        objects = []
        for source in [self.here / "main.c", self.here / "file.c", *self.extra]:
            objects.append(self.folder / f"{source.stem}.o")
            self.run(self.cc, *self.flags, *options, "-c", source, "-o", objects[-1])
        objects.append(self.folder / "cc.o")
        self.run(self.cxx, *self.flags, *options, "-std=c++11", "-c", self.here / "cc.cc", "-o", objects[-1])
        self.run(self.cxx, *link, *objects, *libraries, "-ldl", "-o", self.folder / "declare")
        return self.folder / "declare"


def main():
    source, built, cc, cxx = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    for compiler in (cc, cxx):
        if not shutil.which(compiler):
            print(f"1..0 # SKIP {compiler} is not installed")
            return 0
    number = failed = 0
    for static in (False, True):
        for name, (options, link) in WAYS.items():
            if static and name not in STATIC:
                continue
            number += 1
            what = f"{cc}, {name}, {'static' if static else 'shared'} libweir"
            with tempfile.TemporaryDirectory() as temporary:
                build = Build(source, built, cc, cxx, pathlib.Path(temporary))
                if not can(cc, options + link, build.folder, build.env):
                    print(f"ok {number} - {what} # SKIP {cc} cannot link with {' '.join(options + link)} here")
                    continue
                try:
                    arguments = [] if static else [build.plugin(name, options, link) for name in ("plugin", "stranger")]
                    build.run(build.program(options, link, build.static if static else build.shared), *arguments)
                    print(f"ok {number} - {what}", flush=True)
                except RuntimeError as error:
                    failed += 1
                    print(f"not ok {number} - {what}")
                    print("\n".join("# " + line for line in str(error).splitlines()[:40]), flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
