#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the compiler refuse what <weir/probe.h> promises it refuses, and accept the rest?

    compile.py INCLUDE CC CXX

A file in cases/ holds a mistake under #ifdef WRONG, its remedy under #else, and says in its first
lines what a C and a C++ compiler (`// c:`, `// c++:`, regular expressions) must say of the mistake.
A .c file is compiled as both languages, a .cc file as C++. With WRONG the compiler must fail with
that message as an *error*, without any warning option; without it, it must be silent under
-Wall -Wextra -pedantic -Werror. accepted.c is everything that must be accepted, in several
standards. The last test compares the code that is run while nobody looks with WEIR_FIRE's.

Prints TAP.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STRICT = ["-Wall", "-Wextra", "-Wshadow", "-pedantic", "-Werror"]
STRICTEST = ["-Wconversion", "-Wsign-conversion", "-Wcast-qual", "-Wundef", "-Wdouble-promotion"]
STANDARDS = {"c": ["c11", "gnu17"], "c++": ["c++11", "gnu++17", "c++20"]}

failed = 0
number = 0


def report(ok, what, why=""):
    global failed, number
    number += 1
    print(f"{'ok' if ok else 'not ok'} {number} - {what}")
    if not ok:
        failed += 1
        print("\n".join("# " + line for line in why.splitlines()[:30]))


def run(compiler, language, include, source, *options):
    """Exit status and messages. Compiled for real: some errors come late."""
    command = [compiler, "-x", language, "-I", include, "-c", "-O1", "-o", "/dev/null", *options, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    return done.returncode, done.stderr


def errors(messages):
    """Errors and what clang says of candidates; no warnings."""
    return "\n".join(l for l in messages.splitlines() if re.search("error:|note: candidate", l))


def check_case(compiler, language, include, source, message):
    name = f"{compiler} {language} {source.name}"
    status, said = run(compiler, language, include, source, "-std=" + STANDARDS[language][0], "-DWRONG")
    report(status != 0 and re.search(message, errors(said)), f"{name}: refused",
           f"exit status {status}, wanted an error like /{message}/, got:\n{said}")
    status, said = run(compiler, language, include, source, "-std=" + STANDARDS[language][0], *STRICT)
    report(status == 0, f"{name}: accepted when mended", said)


def check_accepted(compiler, language, include):
    for standard in STANDARDS[language]:
        for options in (["-O0"], ["-O2", "-fvisibility=hidden", "-fPIC"], ["-Os", "-flto"]):
            status, said = run(compiler, language, include, HERE / "accepted.c", "-std=" + standard, *STRICT,
                               *options)
            report(status == 0, f"{compiler} -std={standard} {' '.join(options)} accepted.c", said)
    # With arguments of the very types, an installed header has nothing to warn of.
    own = STRICTEST + (["-Wold-style-cast"] if language == "c++" else ["-Wmissing-prototypes"])
    done = subprocess.run([compiler, "-x", language, "-isystem", include, *STRICT, *own, "-fsyntax-only",
                           str(HERE / "exact.c")], capture_output=True, text=True)
    report(done.returncode == 0, f"{compiler} {language} exact.c under every warning", done.stderr)


OFF = """
#include <weir/probe.h>
WEIR_PROBE(shop, order, (u64, id), (string, path))
#ifdef __cplusplus
extern "C" {
#endif
extern struct weir_probe *probe __attribute__((visibility("hidden")));
void dynamic_(uint64_t id, const char *path);
void declared_(uint64_t id, const char *path);
void dynamic_(uint64_t id, const char *path) { WEIR_FIRE(probe, id, path); }
void declared_(uint64_t id, const char *path) { shop_order_fire(id, path); }
#ifdef __cplusplus
}
#endif
"""


def instructions(assembly, function):
    """Mnemonics and operands of a function, without the names in them."""
    body = re.search(rf"^{function}:.*?^\s*\.size\s+{function},", assembly, re.S | re.M).group(0)
    lines = [l.split("#")[0].strip() for l in body.splitlines()]
    code = [l for l in lines if re.match(r"[a-z]", l) and not l.endswith(":") and not l.startswith(function)]
    return [re.sub(r"\.L\w+", ".L", re.sub(r"probe\b|shop_weir_order\b", "P", re.sub(r"@GOTPCREL", "", l)))
            for l in code]


def check_off(compiler, language, include):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "off.c"
        source.write_text(OFF)
        done = subprocess.run([compiler, "-x", language, "-I", include, "-O2", "-S", "-o", "-",
                               "-fvisibility=hidden", "-fno-asynchronous-unwind-tables", str(source)],
                              capture_output=True, text=True, check=True)
    dynamic, declared = (instructions(done.stdout, f) for f in ("dynamic_", "declared_"))
    report(len(dynamic) > 5 and dynamic == declared, f"{compiler} {language}: off costs what WEIR_FIRE costs",
           "dynamic:\n" + "\n".join(dynamic) + "\ndeclared:\n" + "\n".join(declared))


def main():
    include, compilers = sys.argv[1], {"c": sys.argv[2], "c++": sys.argv[3]}
    for compiler in compilers.values():
        if not shutil.which(compiler):
            print(f"1..0 # SKIP {compiler} is not installed")
            return 0
    cases = sorted((HERE / "cases").iterdir())
    for source in cases:
        wanted = dict(re.findall(r"^// (c|c\+\+): (.*)$", source.read_text(), re.M))
        if not wanted:
            report(False, source.name, "the file says no expected message")
        for language, message in wanted.items():
            check_case(compilers[language], language, include, source, message)
    for language, compiler in compilers.items():
        check_accepted(compiler, language, include)
        check_off(compiler, language, include)
    print(f"1..{number}")
    return 1 if failed else 0


sys.exit(main())
