#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir print on values that other tools get wrong easily, compiled by every compiler there is.

usage: values.py WEIR SOURCE-DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

WEIR, HERE = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
failed = 0

REALS = {"quad": "1.25", "third": "0.3333333333333333333333333333333333", "quads": ["1", "2.5"],
         "(double)quad": 1.25, "third*3": "1", "quad == 1.25": 1, "wide": "1.1", "single": 0.1, "real": 0.1,
         "real+0x1.8p1": 3.1, "0x1p3": 8, "L'a'": 97, "u8'a'": 97, "U'\\x41'": 65}
GCC_REALS = {"half": 1.5, "half*3": 4.5, "halves": [0.1, -65500], "complex_quad": {"real": "3.5", "imag": "0"},
             "complex_half": {"real": 0, "imag": 0}}
TYPES = {"qualified": "const char * const volatile *", "restricted": "const volatile int * const restrict",
         "called": "int (* const)(const char * const, volatile int *)"}
CLASSES = {"closed::B": "B", "one == closed::B": 1, "open_one::P2": "P2", "outer::other::P2 == 8": 1,
           "outer::scope::inner::Y == 3": 1, "outer::scope::MOST == 9": 1, "outer::scope::SIZE": "SIZE",
           "sizeof(scope.n) / 4 == outer::scope::SIZE": 1, "::plain": 9, "wide == L'é'": 1,
           "((derived*)part)->d": 30, "((derived*)innermost)->d": 30, "((second*)whole)->b": 20,
           "(long)(second*)whole == (long)part": 1, "(derived*)no_part": None, "(second*)nothing": None,
           "((top*)alone)->v": 40, "((top*)of_diamond)->v": 40, "((top*)&diamond)->v": 40,
           "(long)(zero*)(twin2*)pair - (long)pair": 16, "(long)whole == (long)(first*)whole": 1}
CONSTANTS = {"pi": 3.25, "half": 0.5, "large": 1e10, "pi*2": 6.5, "pi == 3.25": 1, "answer": 42,
             "members::number": 7, "members::on": True, "members::minus": -5, "members::real": 3.25,
             "(int)third::lim": 7, "counted": 7, "three": 7, "flags": "F1|F4", "more": "F1|0x8"}
ENUMERATORS = {"first::k == 1": 1, "second::k == 2": 1, "first::lim": "lim", "space::inside": "inside"}
REFUSED = {"P2": "ambiguous", "(left*)its_top": "virtual base", "(zero*)pair": "several base classes",
           "closed::C": "no variable", "plain::B": "no variable", "outer::scope::NONE": "no variable"}


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def run(*argv):
    return subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=120)


def value(pid, expression, *more):
    done = run(WEIR, "print", "-p", pid, "--json", *more, "--", expression)
    return (json.loads(done.stdout)["value"] if done.stdout else "none"), done.stderr


def each(name, pid, wanted):
    for expression, expected in wanted.items():
        got, errors = value(pid, expression)
        check(f"{name}: {expression}", got == expected, f"{got!r} {errors}")


class Program:
    def __init__(self, compiler, source, folder, *flags):
        path = os.path.join(folder, "program")
        if os.path.exists(path):
            os.unlink(path)
        done = run(compiler, "-g", "-O0", *flags, os.path.join(HERE, source), "-o", path)
        if done.returncode:
            raise SystemExit(f"{compiler}: {done.stderr}")
        self.process = subprocess.Popen([path], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self.process.stdout.readline().split()[1]

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def c(compiler, folder):
    with Program(compiler, "values.c", folder, "-w") as pid:
        x86 = os.uname().machine == "x86_64"
        each(compiler, pid, {e: v for e, v in REALS.items() if x86 or "quad" not in e and "third" not in e})
        for expression, wanted in TYPES.items():
            got = run(WEIR, "print", "-p", pid, "--type", expression).stdout.strip()
            check(f"{compiler}: type of {expression}", got == f"{expression}: {wanted}", got)
        if compiler != "gcc":
            return
        each(compiler, pid, GCC_REALS if x86 else {})
        got, errors = value(pid, "other_order")
        check("the other byte order is not taken for this one", "00 00 00 01" in str(got["x"]) and
              got["c"] == 120 and "bits" not in got, f"{got} {errors}")
        got, errors = value(pid, "other_order.x == 1")
        check("nor computed with", got == "none" and "a number is wanted" in errors, errors)


def cxx(compiler, folder):
    flags = ["-fstandalone-debug"] if compiler == "clang++" else []
    with Program(compiler, "values.cc", folder, *flags) as pid:
        # clang leaves out what it thinks is not used
        each(compiler, pid, {e: v for e, v in CLASSES.items() if compiler == "g++" or "SIZE" not in e})
        for expression, why in REFUSED.items():
            got, errors = value(pid, expression)
            check(f"{compiler}: {expression} is refused", got == "none" and why in errors, f"{got} {errors}")


def cxx_declared(folder):
    """Of a class without vtable in any unit that has debug information, clang says the name only."""
    with Program("clang++", "values.cc", folder) as pid:
        each("clang++, short", pid, {"((derived*)part)->d": 30, "(long)(second*)whole == (long)part": 1})
        for expression in ("((derived*)innermost)->d", "((second*)whole)->b"):
            got, errors = value(pid, expression)
            check(f"clang++, short: {expression} is refused", got == "none" and "only declared" in errors,
                  f"{got} {errors}")


def constants(compiler, folder):
    for flags in (["-O1"], ["-gdwarf-4", "-O1"]):
        with Program(compiler, "constants.cc", folder, *flags) as pid:
            each(" ".join([compiler, *flags]), pid, CONSTANTS)
            if compiler == "g++":  # clang leaves enums out that only constants were made of
                each(" ".join([compiler, *flags]), pid, ENUMERATORS)
            for expression in ("(int)fourth::lim", "second::lim"):
                got, errors = value(pid, expression)
                check(f"{compiler}: {expression} is refused", got == "none" and "there is no" in errors,
                      f"{got} {errors}")


def fortran(folder):
    with Program("gfortran", "arrays.f90", folder, f"-J{folder}") as pid:
        each("gfortran", pid, {"plain": list(range(1, 11)), "from_minus_two": [1, 2, 3, 4, 5],
                               "matrix": [[1, 2], [3, 4], [5, 6]], "sizeof(plain)": 40, "sizeof(matrix)": 24,
                               "g": {"x": 1.5, "fixed": [[1, 2, 3], [4, 5, 6]], "behind": -1}})


# A library that is loaded late, with the initial-exec model; one that takes the number of another.
LIBRARIES = {
    "early": "__thread long early = 111; long *get(void) { return &early; }",
    "late": "__thread long late = 222; long *get(void) { return &late; }",
    "fixed": '__attribute__((tls_model("initial-exec"))) __thread long fixed = -9;'
             "long *get(void) { return &fixed; }",
}
TLS = """
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
static long *(*get)(void);
static pthread_barrier_t barrier;
static long tid;
static void *thread(void *arg)
{
	*get() += 1;
	tid = syscall(SYS_gettid);
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return arg;
}
static void *load(const char *name)
{
	void *library = dlopen(name, RTLD_NOW);
	get = dlsym(library, "get");
	return library;
}
int main(void)
{
	pthread_t t;
	void *early = load("./early.so");
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, thread, NULL);
	pthread_barrier_wait(&barrier);
	dlclose(early);
	load("./late.so");
	*get() += 1;
	load("./fixed.so");
	*get() -= 2;
	printf("ready %d %ld\\n", getpid(), tid);
	fflush(stdout);
	pause();
	return 0;
}
"""


def tls(folder):
    for name, text in {**LIBRARIES, "tls": TLS}.items():
        with open(os.path.join(folder, name + ".c"), "w") as f:
            f.write(text)
        more = [] if name == "tls" else ["-shared", "-fPIC"]
        done = run("gcc", "-g", *more, f.name, "-o", os.path.join(folder, name + ("" if name == "tls" else ".so")),
                   "-pthread", "-ldl")
        check(f"{name} compiles", not done.returncode, done.stderr)
    process = subprocess.Popen(["./tls"], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        _, pid, thread = process.stdout.readline().split()
        for tid, expression, expected in ((pid, "late", 223), (pid, "fixed", -11), (thread, "fixed", -9)):
            got, errors = value(pid, expression, "--tid", tid)
            check(f"{expression} of {'the first thread' if tid == pid else 'a thread'}", got == expected,
                  f"{got} {errors}")
        got, errors = value(pid, "late", "--tid", thread)
        check("another library's old block is not taken for this one's", "not touched" in errors, f"{got} {errors}")
    finally:
        process.kill()
        process.communicate()


def main():
    os.environ["XDG_CACHE_HOME"] = folder = tempfile.mkdtemp(prefix="weir-values-")
    try:
        for compiler in filter(shutil.which, ("gcc", "clang")):
            c(compiler, folder)
        for compiler in filter(shutil.which, ("g++", "clang++")):
            cxx(compiler, folder)
            constants(compiler, folder)
        if shutil.which("clang++"):
            cxx_declared(folder)
        if shutil.which("gfortran"):
            fortran(folder)
        tls(folder)
    finally:
        shutil.rmtree(folder)
    return 1 if failed else 0


sys.exit(main())
