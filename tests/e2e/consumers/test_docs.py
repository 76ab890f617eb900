#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the console blocks of docs/usdt.md and looks for the output that they show.

A line with "# " is a command; what follows up to the next one, or the end of the block, must be
found in its output, line by line and in that order. "..." stands for anything, blanks for any blanks.
A command that goes on after that is ended.
"""

import glob
import re
import tempfile

from consumers import *

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/usdt.md")


def sections():
    """Heading -> [(command, [expected line])]."""
    found = {}
    heading, inside = "", False
    with open(DOCUMENT) as document:
        for line in document.read().splitlines():
            if line.startswith("```"):
                inside = line == "```console"
            elif inside and line.startswith("# "):
                found.setdefault(heading, []).append((line[2:], []))
            elif inside:
                found[heading][-1][1].append(line)
            elif line.startswith("## "):
                heading = line[3:]
    return found


def pattern(line):
    parts = re.split(r"(\.\.\.|\s+)", line.strip())
    return "".join(".*" if p == "..." else r"\s+" if p.isspace() else re.escape(p) for p in parts)


def run_command(command, expected, env):
    """One that goes on when all was seen is ended."""
    with Tool(["bash", "-c", "exec " + command], env=env) as tool:
        # Each line after the one before it.
        lines = ".*\n(.*\n)*?.*".join(f"(?:{pattern(line)})" for line in expected)
        if expected:
            tool.wait_for(lines)
        tool.finish(10 if expected else TIMEOUT)
        if not expected:
            check(tool.process.returncode == 0, f"{command}\n  failed:\n{tool.output}")


def run_section(heading, needs=()):
    commands = sections()[heading]
    check(commands, f"no commands under {heading}")
    for program in needs:
        need(program)
    with Target() as target, tempfile.TemporaryDirectory(prefix="weir-docs-") as folder:
        env = {"PID": str(target.pid), "STUB": target.path, "DATA": folder + "/perf.data",
               "HOME": folder, "PYTHONUNBUFFERED": "1",
               "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
               "KERNEL_HEADERS": next(iter(glob.glob("/usr/src/linux-headers-*[!n]")), "")}
        for command, expected in commands:
            run_command(command, [line.replace("$STUB", target.path) for line in expected], env)


def test_bpftrace():
    run_section("bpftrace", ["bpftrace"])


def test_bcc():
    from test_bcc import need_headers
    need_headers()
    run_section("bcc", ["trace-bpfcc"])


def test_perf():
    run_section("perf", ["perf"])


def test_gdb():
    run_section("gdb", ["gdb"])


def test_systemtap():
    if not glob.glob("/usr/src/linux-headers-*"):
        raise Skip("stap needs the headers of some kernel (linux-headers-amd64)")
    run_section("SystemTap", ["stap"])


def test_readelf():
    run_section("readelf", ["readelf"])


def test_all_are_run():
    """A new section with commands needs a test here."""
    equal(set(sections()), {"bpftrace", "bcc", "perf", "gdb", "SystemTap", "readelf"}, "sections")


if __name__ == "__main__":
    main(test_bpftrace, test_bcc, test_perf, test_gdb, test_systemtap, test_readelf,
         test_all_are_run, needs=[need_tracefs])
