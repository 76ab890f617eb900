#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where weir print finds a program's files: replaced, deleted, in another mount namespace, loaded
later, at fixed and at chosen addresses; and headers, which are compiled once.

usage: files.py WEIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

WEIR = os.path.abspath(sys.argv[1])
failed = 0
children = []
scratch = tempfile.mkdtemp(prefix="weir-print-")

LIBRARY = """
struct plugged { unsigned low : 5, high : 27; long wide : 60; enum { ONE = 1, MANY = 100 } kind; };
struct plugged plugged = { 17, 99, -5, MANY };
__thread int plug_tls = 88;
int plug_start(void) { static int calls = 3; plug_tls++; return ++calls; }
"""
PROGRAM = """
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
#ifdef NEWER
long padding[100];
#endif
struct item { int id; char name[8]; } item = { VERSION, "item" };
static __thread int own = 5;
int main(int argc, char **argv)
{
	int (*start)(void) = argc > 1 ? (int (*)(void))dlsym(dlopen(argv[1], RTLD_NOW), "plug_start") : NULL;

	own += start ? start() : 0;
	printf("%d\\n", getpid());
	fflush(stdout);
	pause();
	return 0;
}
"""


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def path(name):
    return os.path.join(scratch, name)


def write(name, text):
    with open(path(name), "w") as file:
        file.write(text)
    return path(name)


def cc(output, source, *flags):
    done = subprocess.run(["cc", "-g", "-w", *flags, source, "-o", path(output), "-ldl"], capture_output=True, text=True)
    return None if done.returncode else path(output)


def start(*argv):
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    children.append(child)
    child.stdout.readline()
    return child.pid


def values(pid, *args):
    done = subprocess.run([WEIR, "print", "-p", str(pid), "--json", *args], capture_output=True, text=True, timeout=60)
    return {e["expression"]: e["value"] for e in map(json.loads, done.stdout.splitlines())}, done.stderr


def kinds(program, library):
    for name, flags in {"position independent": ["-pie", "-fPIE"], "at fixed addresses": ["-no-pie"],
                        "optimised": ["-O2"], "relative relocations": ["-Wl,-z,pack-relative-relocs"]}.items():
        built = cc("kind", program, "-DVERSION=1", *flags)
        if not built:
            print(f"# skipped: {name}: cc cannot")
            continue
        mine, errors = values(start(built, library), "item", "own", "plugged", "plug_tls", "plug_start::calls")
        check(name, mine == {"item": {"id": 1, "name": "item"}, "own": 9, "plug_tls": 89, "plug_start::calls": 4,
                             "plugged": {"low": 17, "high": 99, "wide": -5, "kind": "MANY"}}, f"{mine} {errors}")
    built = cc("static", program, "-DVERSION=1", "-static", "-Wl,--no-warnings") or cc("static", program, "-DVERSION=1", "-static")
    if built:
        pid = start(built)
        mine, errors = values(pid, "item.name", "own")
        check("static", mine == {"item.name": "item"} and "linked dynamically" in errors, f"{mine} {errors}")


def replaced(program, library):
    built = cc("server", program, "-DVERSION=1")
    pid = start(built, library)
    os.rename(cc("server.new", program, "-DVERSION=2", "-DNEWER"), built)
    mine, errors = values(pid, "item.id")
    check("an upgraded program: what runs, not what lies there", mine == {"item.id": 1}, errors)
    os.unlink(built)
    shutil.copy(library, path("other.so"))
    second = start(path("kind"), path("other.so"))
    os.unlink(path("other.so"))
    os.environ["XDG_CACHE_HOME"] = path("cache2")  # nothing known from before
    mine, errors = values(pid, "item.id")
    check("a deleted program", mine == {"item.id": 1}, errors)
    mine, errors = values(second, "plugged.high")
    check("a deleted library", mine == {"plugged.high": 99}, errors)


def without_debug():
    """One object of a program has no debug information: its names are in the symbol table."""
    write("main.c", '#include <stdio.h>\n#include <unistd.h>\nint typed = 7;\n'
          'int main(void) { printf("%d\\n", getpid()); fflush(stdout); pause(); return 0; }\n')
    write("plain.c", "int plain_counter = 41;\n")
    subprocess.run(["cc", "-g0", "-c", path("plain.c"), "-o", path("plain.o")], check=True)
    pid = start(cc("mixed", path("main.c"), path("plain.o")))
    mine, errors = values(pid, "typed", "(int)plain_counter", "*(int *)&plain_counter + 1")
    check("names without debug information", list(mine.values()) == [7, 41, 42], f"{mine} {errors}")
    check("... have no type", "the type of `plain_counter` is not known" in values(pid, "plain_counter")[1])


def two_libraries():
    """FILE::NAME that is in two libraries is ambiguous; the library chooses, also together with the file."""
    write("twin.c", "struct twin { char c[SIZE]; }; struct twin made; static int own = SIZE;\n"
          "int *NAME(void) { made.c[0] = 1; return &own; }\n")
    for size, name in ((1, "one"), (2, "two")):
        cc(f"lib{name}.so", path("twin.c"), f"-DSIZE={size}", f"-DNAME={name}", "-shared", "-fPIC")
    write("twins.c", '#include <stdio.h>\n#include <unistd.h>\nint *one(void), *two(void);\n'
          'int main(void) { one(); two(); printf("%d\\n", getpid()); fflush(stdout); pause(); return 0; }\n')
    pid = start(cc("twins", path("twins.c"), "-Wl,--no-as-needed", path("libone.so"), path("libtwo.so")))
    mine, errors = values(pid, "'libtwo.so'::own", "'libone.so'::twin.c::own", "'libtwo.so'::twin.c::own",
                          "sizeof(struct 'libtwo.so'::twin)", "sizeof(struct 'libone.so'::twin.c::twin)",
                          "sizeof('libtwo.so'::twin.c::twin)")
    check("a library chooses", list(mine.values()) == [2, 1, 2, 2, 1, 2], f"{mine} {errors}")
    for name in ("twin.c::own", "sizeof(struct twin.c::twin)", "sizeof(twin.c::twin)"):
        mine, errors = values(pid, name)
        check(f"{name} of two libraries", not mine and "'libone.so'::" in errors and "'libtwo.so'::" in errors and
              "write 'LIBRARY'::" in errors, f"{mine} {errors}")


def core_of_another(program):
    """What the core's process ran is not there any more, or another program is."""
    if not shutil.which("gcore"):
        print("# skipped: cores (no gcore)")
        return
    built = cc("dumped", program, "-DVERSION=1", "-Wl,--build-id")
    pid = start(built)
    subprocess.run(["gcore", "-o", path("core"), str(pid)], capture_output=True, timeout=60)
    os.rename(cc("dumped.new", program, "-DVERSION=2", "-DNEWER", "-Wl,--build-id"), built)
    args = [WEIR, "print", "--core", f"{path('core')}.{pid}", "item.id"]
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    check("a core of another program", done.returncode == 1 and "another build-id" in done.stderr, done.stderr)
    os.unlink(built)
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    check("a core of a deleted program", done.returncode == 1 and f"{built}, which" in done.stderr, done.stderr)


def namespace(library):
    if os.geteuid() or not shutil.which("unshare"):
        print("# skipped: another mount namespace (needs root)")
        return
    os.mkdir(path("inside"))
    script = f"mount -t tmpfs none {path('inside')} && cp {path('kind')} {path('inside')}/only && exec {path('inside')}/only {library}"
    pid = start("unshare", "--mount", "sh", "-c", script)
    mine, errors = values(pid, "item.id", "own", "plugged.low")
    check("another mount namespace", mine == {"item.id": 1, "own": 9, "plugged.low": 17}, errors)


def header(library):
    """The compiler is run once, and again when a header that is included has changed."""
    stripped = path("stripped")
    subprocess.run(["objcopy", "--strip-all", path("exports"), stripped], check=True)
    pid = start(stripped, library)
    log, compiler = path("log"), write("compiler", f'#!/bin/sh\necho run >>{path("log")}\nexec gcc "$@"\n')
    os.chmod(compiler, 0o755)
    os.makedirs(path("include"))
    write("include/item.h", "struct item { int id; char name[8]; }; extern struct item item;\n")
    outer = write("outer.h", "#include <item.h>\n")
    for name in ("include/item.h", "outer.h"):
        os.utime(path(name), (1, 1))
    flags = ["--header", outer, "--cc", compiler, "--cflag", f"-I{path('include')}"]
    for expected, text in ((1, "compiled"), (1, "kept")):
        mine, errors = values(pid, *flags, "item")
        runs = len(open(log).readlines())
        check(f"a header: {text}", mine == {"item": {"id": 1, "name": "item"}} and runs == expected, f"{mine} {runs} {errors}")
    write("include/item.h", "struct item { short low, high; char name[8]; }; extern struct item item;\n")
    os.utime(path("include/item.h"), (1, 1))
    mine, errors = values(pid, *flags, "item.low")
    check("a header that is included changed", mine == {"item.low": 1} and len(open(log).readlines()) == 2, errors)
    os.unlink(path("include/item.h"))
    done = subprocess.run([WEIR, "print", "-p", str(pid), *flags, "item"], capture_output=True, text=True)
    check("a header that is missing", done.returncode == 1 and "does not compile" in done.stderr, done.stderr)


def main():
    if not shutil.which("gcc"):
        print("skipped: no gcc")
        return 77
    os.environ["XDG_CACHE_HOME"] = path("cache")
    program = write("program.c", PROGRAM)
    library = cc("plug.so", write("plug.c", LIBRARY), "-shared", "-fPIC")
    cc("exports", program, "-DVERSION=1", "-rdynamic")
    try:
        kinds(program, library)
        replaced(program, library)
        without_debug()
        two_libraries()
        core_of_another(program)
        namespace(library)
        header(library)
    finally:
        for child in children:
            child.kill()
            child.communicate()
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main())
