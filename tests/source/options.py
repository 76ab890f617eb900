#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do `weir COMMAND --help`, the man page and the completion name the same options?

usage: options.py ROOT WEIR
"""

import os
import re
import subprocess
import sys

ROOT, WEIR = sys.argv[1:3]
WEIR = os.path.abspath(WEIR)
ALWAYS = {"-h", "--help"}  # need not be described


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def leading_options(line):
    """-p and --pid of "-p, --pid PID  text"."""
    found = set()
    for word in re.split(r"[\s,=\[]+", line.strip()):
        if not re.fullmatch(r"--?[A-Za-z][A-Za-z0-9-]*", word):
            break
        found.add(word)
    return found


def help_options(text):
    return set().union(*(leading_options(line) for line in text.splitlines()
                         if re.match(r"\s+-", line)))


def man_options(text):
    plain = [re.sub(r"[*_]|\\(?=-)", "", line) for line in text.splitlines()
             if re.match(r"\*\\?-", line)]
    return set().union(*(leading_options(line) for line in plain))


def completed(line, *words):
    """What completion offers at the end of a command line."""
    script = (f". {ROOT}/completion/weir.bash; COMP_LINE=$1; COMP_POINT=${{#1}}; shift;"
              " COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _weir; printf '%s\\n' \"${COMPREPLY[@]}\"")
    status, out, err = output("bash", "-c", script, "-", line, WEIR, *words)
    if status or err:
        print(f"completion of `{line}`: exit status {status}: {err}")
    return set(out.split())


def compare(command, where, options, found):
    ok = True
    for option in sorted(options - found - ALWAYS):
        print(f"weir {command}: {where} lacks {option}, which --help names")
        ok = False
    for option in sorted(found - options - ALWAYS):
        print(f"weir {command}: --help lacks {option}, which {where} names")
        ok = False
    return ok


def check(command, pages):
    status, out, err = output(WEIR, command, "--help")
    if status or not out:
        print(f"`weir {command} --help`: exit status {status}, {len(out)} characters on stdout; {err}")
        return False
    options = help_options(out)
    if not options - ALWAYS:
        print(f"`weir {command} --help` lists no option that this test can read")
        return False
    ok = compare(command, "completion", options, completed(f"weir {command} -", command, "-"))
    page = f"weir-{command}.1"
    try:
        with open(f"{ROOT}/man/{page}.scd") as file:
            text = file.read()
    except OSError:
        print(f"weir {command}: there is no man/{page}.scd")
        return False
    if f"'{page}'" not in pages:
        print(f"man/meson.build does not list {page}")
        ok = False
    if compare(command, f"man/{page}.scd", options, man_options(text)) and ok:
        print(f"weir {command}: {len(options)} options agree")
        return True
    return False


def main():
    status, out, _ = output(WEIR, "--help")
    commands = re.findall(r"^  ([a-z][a-z-]*)\s", out, re.M)
    if status or not commands:
        print("`weir --help` lists no command")
        return 1
    ok = completed("weir ", "") == set(commands)
    if not ok:
        print(f"completion of commands: {sorted(completed('weir ', ''))}, not {commands}")
    with open(f"{ROOT}/man/meson.build") as file:
        pages = file.read()
    with open(f"{ROOT}/man/weir.1.scd") as file:
        overview = file.read()
    for command in commands:
        if f"*{command}*" not in overview:
            print(f"man/weir.1.scd does not name {command}")
            ok = False
        ok &= check(command, pages)
    return 0 if ok else 1


sys.exit(main())
