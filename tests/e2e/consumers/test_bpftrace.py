#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpftrace on a weir probe: by process, by path, all types, again and again, across fork."""

import os
import re
import time

from consumers import *


def bpftrace(script, *options):
    return Tool([*need("bpftrace"), *options, "-e", script],
                env={"BPFTRACE_MAX_STRLEN": "64"})


def unquote(text):
    """buf() prints what is not printable as \\xNN."""
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)


def printed(script, *options):
    with bpftrace(script, *options) as tool:
        tool.wait_for(r"^end$")
        return tool.output


def values(target, place, probe, format_, args, *options):
    script = f'usdt:{place}:{target.provider}:{probe} {{ printf("got {format_}\\nend\\n", {args}); exit(); }}'
    return re.search(r"^got (.*)$", printed(script, *options), re.M)[1]


def check_types(target, place, *options):
    got = values(target, place, "ints", "%d %d %d %lld", "arg0, arg1, arg2, arg3", *options)
    equal([int(n) for n in got.split()], INTS, "ints")
    got = values(target, place, "uints", "%u %u %u %llu %u", "arg0, arg1, arg2, arg3, arg4",
                 *options)
    equal([int(n) for n in got.split()], UINTS, "uints")
    # two programs: 0.27 has no stack for all at once
    got = values(target, place, "text", "%s|%r", "str(arg0), buf(arg1, arg2)", *options)
    string, data = got.split("|")
    equal(string, STRING, "string")
    equal(unquote(data), "by\0tes", "bytes")
    got = values(target, place, "text", "%d|%llx|%llx|%llx", "arg2, arg3, arg4, arg5", *options)
    length, *numbers = got.split("|")
    equal([int(length)] + [int(n, 16) for n in numbers], [6, POINTER, F32_BITS, F64_BITS],
          "length, pointer, floats")
    values(target, place, "empty", "%d", "pid", *options)


def test_by_pid():
    with Target() as target:
        check_types(target, "*", "-p", str(target.pid))


def test_by_path():
    with Target() as target:
        check_types(target, target.path)


def test_memfd_by_path():
    with Target(memfd=True) as target:
        check_types(target, target.path)


def test_memfd_by_pid():
    with Target(memfd=True) as target:
        listed = output_of([*need("bpftrace"), "-l", "usdt:*", "-p", str(target.pid)], status=None)
        if ":shop:" not in listed:
            raise Skip("this bpftrace finds no memfd by itself (by its path it does)")
        check_types(target, "*", "-p", str(target.pid))


def test_beyond_six():
    """Arguments on the stack, by versions that have them."""
    with Target() as target:
        with bpftrace(f'usdt:{target.path}:shop:stacked {{ printf("%d", arg6); exit(); }}') as tool:
            if re.search("support arg6|Unknown identifier", tool.finish()):
                raise Skip("this bpftrace has no arg6")
        got = values(target, target.path, "stacked", "%d %d %d %lld %u %s",
                     "arg6, arg7, arg8, arg9, arg10, str(arg11)")
        *numbers, string = got.split(" ", 5)
        equal([int(n) for n in numbers], STACKED[6:], "numbers on the stack")
        equal(string, STACKED_STRING, "string on the stack")


def count(target, script, *options):
    """Attach, count for a while, detach; off before and after."""
    target.wait_enabled("ints", False)
    with bpftrace(script, *options) as tool:
        tool.wait_for("Attaching|Attached")
        target.wait_enabled("ints", True)
        check(not target.enabled("uints"), "a probe is on that nobody asked for")
        time.sleep(0.1)
        output = tool.stop()
    target.wait_enabled("ints", False)
    return int(re.search(r"^@: (\d+)$", output, re.M)[1])


def test_again():
    with Target() as target:
        for _ in range(3):
            check(count(target, "usdt:*:shop:ints { @ = count(); }", "-p", str(target.pid)) > 0,
                  "nothing was counted by pid")
            check(count(target, f"usdt:{target.path}:shop:ints {{ @ = count(); }}") > 0,
                  "nothing was counted by path")


def test_killed():
    """A tracer that dies leaves nothing on."""
    with Target() as target:
        with bpftrace("usdt:*:shop:ints { @ = count(); }", "-p", str(target.pid)) as tool:
            tool.wait_for("Attaching|Attached")
            target.wait_enabled("ints", True)
            tool.stop(signal.SIGKILL)
        target.wait_enabled("ints", False)


def test_two_processes():
    """One attachment to the file traces all that publish the same provider, later ones too."""
    with Target() as one, Target() as two:
        equal(one.path, two.path, "the same provider's file")
        with bpftrace(f"usdt:{one.path}:shop:ints {{ @[pid] = count(); }}") as tool:
            tool.wait_for("Attaching|Attached")
            one.wait_enabled("ints", True)
            two.wait_enabled("ints", True)
            with Target() as three:
                three.wait_enabled("ints", True)
                time.sleep(0.1)
                output = tool.stop()
                pids = {int(pid) for pid in re.findall(r"^@\[(\d+)\]: [1-9]", output, re.M)}
                equal(pids, {one.pid, two.pid, three.pid}, "processes counted")


def test_fork():
    """A child made while a tracer is attached lives, fires, and is off afterwards."""
    with Target() as target:
        with bpftrace(f"usdt:{target.path}:shop:ints {{ @[pid] = count(); }}") as tool:
            tool.wait_for("Attaching|Attached")
            target.wait_enabled("ints", True)
            child = target.ask("fork")
            target.wait_enabled("ints", True, "child")
            time.sleep(0.2)
            os.kill(child, 0)
            output = tool.stop()
        target.wait_enabled("ints", False)
        target.wait_enabled("ints", False, "child")
        check(os.path.exists(f"/proc/{child}"), "the child died")
        pids = {int(pid) for pid in re.findall(r"^@\[(\d+)\]: [1-9]", output, re.M)}
        equal(pids, {target.pid, child}, "processes counted")


def test_fork_by_pid():
    """The same where the tracer watches the parent only: the child is left in peace."""
    with Target() as target:
        with bpftrace("usdt:*:shop:ints { @[pid] = count(); }", "-p", str(target.pid)) as tool:
            tool.wait_for("Attaching|Attached")
            target.wait_enabled("ints", True)
            child = target.ask("fork")
            time.sleep(0.2)
            output = tool.stop()
        target.wait_enabled("ints", False)
        target.wait_enabled("ints", False, "child")
        check(os.path.exists(f"/proc/{child}"), "the child died")
        check(f"@[{target.pid}]" in output, "the parent was not counted")


def test_semaphore():
    with Target() as target:
        equal(target.semaphore("counted"), 0, "semaphore before")
        with bpftrace("usdt:*:shop:counted { @ = count(); }", "-p", str(target.pid)) as tool:
            tool.wait_for("Attaching|Attached")
            target.wait_enabled("counted", True)
            equal(target.semaphore("counted"), 1, "semaphore while attached")
            time.sleep(0.1)
            check(re.search(r"^@: [1-9]", tool.stop(), re.M), "nothing counted")
        target.wait_enabled("counted", False)
        equal(target.semaphore("counted"), 0, "semaphore after")


def test_published_again():
    """Withdrawn and published again: the same file, the same place, and it works."""
    with Target() as target:
        equal(target.ask("withdraw"), 0, "withdraw")
        equal(target.ask("publish"), 0, "publish")
        with open(f"/proc/{target.pid}/maps") as maps:
            equal(sum("r-xp" in m and target.path in m for m in maps), 1, "copies loaded")
        check(count(target, "usdt:*:shop:ints { @ = count(); }", "-p", str(target.pid)) > 0,
              "nothing was counted")


def test_list():
    with Target() as target:
        got = output_of([*need("bpftrace"), "-l", "usdt:*", "-p", str(target.pid)])
        for probe in PROBES:
            check(re.search(rf"^usdt:.*:shop:{probe}$", got, re.M), f"{probe} is not listed:\n{got}")


if __name__ == "__main__":
    main(test_list, test_by_pid, test_by_path, test_memfd_by_path,
         test_memfd_by_pid, test_beyond_six, test_again, test_killed, test_two_processes, test_fork, test_fork_by_pid, test_semaphore,
         test_published_again, needs=[need_tracefs])
