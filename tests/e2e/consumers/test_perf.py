#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""perf on a weir probe: buildid-cache, list, probe, record, script; and strings, by symbol."""

import contextlib
import re
import tempfile

from consumers import *


@contextlib.contextmanager
def perf_for(target):
    """perf with a build-id cache of its own. Its events are the whole machine's: their group is
    named by the provider, which is named by us."""
    with tempfile.TemporaryDirectory(prefix="weir-perf-") as folder:
        base = [*need("perf"), "--buildid-dir", folder + "/cache"]

        def perf(*args):
            return output_of([*base, *args])
        try:
            yield perf
        finally:
            subprocess.run([*base, "probe", "-q", "-d", f"*{target.provider}*:*"],
                           capture_output=True)


def own_name():
    return f"shop{os.getpid()}"


def record(perf, target, event, *options):
    """Runs perf record on the event and returns what perf script prints, a line an event."""
    with tempfile.NamedTemporaryFile(prefix="weir-perf-") as data:
        perf("record", "-q", "-o", data.name, "-e", event, *options, "--", "sleep", "0.2")
        return perf("script", "-i", data.name).splitlines()


def arguments(line):
    return {name: value for name, value in re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", line)}


def check_event(lines, target, probe, expected):
    mine = [line for line in lines if f":{probe}:" in line]
    check(mine, f"{probe} was not recorded")
    for line in mine:
        check(f" {target.pid} " in line, f"not the target's event: {line}")
        got = arguments(line)
        for i, value in enumerate(expected):
            if value is not None:
                equal(int(got[f"arg{i + 1}"]), value, f"{probe}, arg{i + 1}")


def test_sdt():
    with Target(own_name()) as target, perf_for(target) as perf:
        perf("buildid-cache", "--add", target.path)
        listed = perf("list", "sdt")
        for probe in PROBES:
            check(f"sdt_{target.provider}:{probe} " in listed, f"{probe} is not listed")
        perf("probe", "-q", "--add", f"sdt_{target.provider}:*")
        lines = record(perf, target, f"sdt_{target.provider}:*", "-p", str(target.pid))
        check_event(lines, target, "ints", INTS)
        check_event(lines, target, "uints", UINTS)
        check_event(lines, target, "text", [None, None, 6, POINTER, F32_BITS, F64_BITS])
        check_event(lines, target, "twelve", TWELVE_PLAIN + [None, POINTER, F64_BITS])
        check_event(lines, target, "stacked", STACKED)
        check_event(lines, target, "counted", [])
        check_event(lines, target, "empty", [])
        for probe in PROBES:
            target.wait_enabled(probe, False)


def test_again():
    with Target(own_name()) as target, perf_for(target) as perf:
        perf("buildid-cache", "--add", target.path)
        perf("probe", "-q", "--add", f"sdt_{target.provider}:ints")
        for _ in range(3):
            target.wait_enabled("ints", False)
            check_event(record(perf, target, f"sdt_{target.provider}:ints", "-p", str(target.pid)),
                        target, "ints", INTS)
        target.wait_enabled("ints", False)


def test_string():
    """SDT notes have no strings, so perf does not, but its own probes on the site's symbol do."""
    with Target(own_name()) as target, perf_for(target) as perf:
        group = f"str{target.provider}"
        perf("probe", "-q", "-x", target.path, "--add",
             f"{group}:text=weir_site_{target.provider}_text string=+0(%di):ustring length=%dx:u64")
        lines = record(perf, target, f"{group}:text", "-p", str(target.pid))
        check(lines, "nothing was recorded")
        got = arguments(lines[0])
        equal(got["string"], f'"{STRING}"', "string")
        equal(got["length"], "6", "length")


def test_two_processes():
    """Recorded on all CPUs, the event is that of every process with the provider."""
    with Target(own_name()) as one, Target(own_name()) as two, perf_for(one) as perf:
        perf("buildid-cache", "--add", one.path)
        perf("probe", "-q", "--add", f"sdt_{one.provider}:ints")
        lines = record(perf, one, f"sdt_{one.provider}:ints", "-a")
        for target in one, two:
            check(any(f" {target.pid} " in line for line in lines), f"none of {target.pid}")
            target.wait_enabled("ints", False)


def test_call_graph():
    """Stacks through the site have all functions, by the stub's .eh_frame and by frame pointers."""
    with Target(own_name()) as target, perf_for(target) as perf:
        perf("buildid-cache", "--add", target.path)
        perf("probe", "-q", "--add", f"sdt_{target.provider}:ints")
        for way in "dwarf", "fp":
            text = "\n".join(record(perf, target, f"sdt_{target.provider}:ints", "-p", str(target.pid),
                                    "--call-graph", way))
            frames = re.findall(r"^\s+[0-9a-f]+ ([\w.]+)\+", text, re.M)
            named = [name for name in frames if not name.startswith(("weir_entry_", "weir_call_"))]
            equal(named[:3], [f"weir_site_{target.provider}_ints", "fire_all", "main"], f"{way}: {text[:2000]}")


if __name__ == "__main__":
    main(test_sdt, test_again, test_string, test_two_processes, test_call_graph,
         needs=[need_tracefs])
