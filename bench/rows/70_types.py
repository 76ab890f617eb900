# SPDX-License-Identifier: MIT
"""types/*: BTF of real programs, beside pahole. CPU time and peak memory of both, in turns."""

import functools
import os
import pathlib
import subprocess
import time

from harness import Failure, Result, Row, Samples, Skip

MIB = 1 << 20


def debug_file(library):
    """The separate debug file of an installed library, by its build-id."""
    notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True).stdout
    for line in notes.splitlines():
        if "Build ID:" in line:
            build_id = line.split()[-1]
            path = pathlib.Path(f"/usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug")
            return path if path.exists() else None
    return None


def find(variable, library, package):
    """The file that $VARIABLE names, or the debug file of the first of these libraries that is there."""
    named = os.environ.get(variable)
    if named:
        if not os.path.exists(named):
            raise Skip(f"{variable}={named} is not there")
        return os.path.realpath(named)
    for path in sorted(pathlib.Path("/").glob(library)):
        found = debug_file(str(path))
        if found:
            return str(found)
    raise Skip(f"no debug symbols: install {package}, or build it with -g and set {variable} to the file")


def run(command, environment):
    """CPU seconds, peak MiB and wall seconds of one process."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=environment)
    said = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise Failure(f"{command[0]}: exit status {process.returncode}: {said.strip()[-200:]}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MIB, wall


def btf_size(path):
    """pahole has been seen to succeed and write none."""
    return path.stat().st_size if path.exists() else 0


@functools.lru_cache(maxsize=None)
def measure(context, name, path, rounds):
    weir = context.need_command("types")
    pahole = context.need_tool("pahole", "dwarves")
    folder = context.folder()
    ours, theirs = folder / "weir.btf", folder / "pahole.btf"
    commands = {
        "weir": [weir, "types", "build", "--no-cache", "--allow-loss", "-o", str(ours), path],
        "pahole": [pahole, "-J", f"--btf_encode_detached={theirs}", path],
    }
    samples = Samples()
    for i in range(rounds):
        for who in sorted(commands, reverse=i % 2 == 0):
            cpu, memory, wall = run(commands[who], context.environment)
            for what, value in (("cpu", cpu), ("memory", memory), ("wall", wall)):
                samples.setdefault(f"{who}-{what}", []).append(value)
    if btf_size(ours) < 1000:
        raise Failure("weir wrote no BTF")
    if btf_size(theirs) < 1000:
        raise Failure("pahole wrote no BTF: nothing to compare with")
    return samples


def compare(what, unit, name, *where):
    def row(context):
        path = find(*where)
        samples = measure(context, name, path, context.rounds(24))
        a, b = f"weir-{what}", f"pahole-{what}"
        return Result(value=samples.ratio(a, b), median=samples.median_ratio(a, b), spread=samples.spread(a),
                      peer="pahole", peer_value=samples.min(b), peer_unit=unit, ratio=samples.ratio(a, b),
                      detail={"file": path, **samples.detail()})
    return row


CEPH = "usr/lib/debug/.build-id/fb/66b3cec5f264a2f863d96fa875eb4ae39bb0bf.debug"


@functools.lru_cache(maxsize=None)
def ceph_samples(context):
    path = os.environ.get("WEIR_BENCH_CEPH", f"/{CEPH}")
    if not os.path.exists(path):
        raise Skip("ceph-osd's debug file is not there: 512 MB; apt-get download ceph-osd-dbg, dpkg -x it, and set "
                   f"WEIR_BENCH_CEPH to its {CEPH}")
    weir = context.need_command("types")
    output = context.folder() / "ceph.btf"
    command = [weir, "types", "build", "--no-cache", "--allow-loss", "-o", str(output), path]
    samples = Samples()
    for _ in range(1 if context.quick else 3):
        for what, value in zip(("cpu", "memory", "wall"), run(command, context.environment)):
            samples.setdefault(what, []).append(value)
    return samples


def ceph(what):
    def row(context):
        samples = ceph_samples(context)
        return Result(value=samples.min(what), median=samples.median(what), spread=samples.spread(what),
                      detail=samples.detail())
    return row


FILES = [
    ("libruby", "WEIR_BENCH_LIBRUBY", "usr/lib/x86_64-linux-gnu/libruby-3.*.so.3.*.*",
     "libruby3.1-dbgsym (deb.debian.org/debian-debug bookworm-debug main)"),
    ("postgres", "WEIR_BENCH_POSTGRES", "usr/lib/postgresql/*/bin/postgres",
     "postgresql-15-dbgsym (deb.debian.org/debian-debug bookworm-debug main)"),
    ("libc", "WEIR_BENCH_LIBC", "lib/*-linux-gnu/libc.so.6", "libc6-dbg"),
    ("libdb", "WEIR_BENCH_LIBDB", "usr/lib/*-linux-gnu/libdb-5.3.so", "libdb5.3-dbg"),
]

ROWS = []
for file in FILES:
    ROWS.append(Row(f"types/{file[0]}", "CPU time of `weir types build` over pahole's", "x", "<= 0.6",
                    compare("cpu", "s", *file)))
    ROWS.append(Row(f"types/{file[0]}/memory", "the same, peak memory", "x", "<= 0.8", compare("memory", "MiB", *file)))
ROWS += [
    Row("types/ceph", "BTF of ceph-osd (C++, 230 MB of compressed DWARF)", "s", "<= 4", ceph("wall")),
    Row("types/ceph/memory", "the same, peak memory", "MiB", "<= 600", ceph("memory")),
]
