#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bpf_program__attach_usdt on a weir probe. WEIR_USDT_READER and WEIR_USDT_OBJECT: the tracer."""

import re
import time

from consumers import *


def need_reader():
    if "WEIR_USDT_READER" not in os.environ:
        raise Skip("built without clang or libbpf")


class Reader(Tool):
    def __init__(self, target, probe, string=-1, pid=None, path=None):
        super().__init__(in_tool_root([os.environ["WEIR_USDT_READER"],
                                       os.environ["WEIR_USDT_OBJECT"], str(pid or target.pid),
                                       path or target.path, target.provider, probe,
                                       str(string)]), stdin=subprocess.PIPE)
        self.wait_for("attached$")

    def hit(self):
        found = self.wait_for(r"^hit (\d+) (\d+) (.*)'(.*)'$")
        return [int(n) for n in found[3].split()], found[4]

    def detach(self):
        self.process.stdin.close()
        self.wait_for("^detached$")
        return self.output


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def check_types(target, **place):
    with Reader(target, "ints", **place) as reader:
        equal(reader.hit()[0], INTS, "ints")
    with Reader(target, "uints", **place) as reader:
        equal(reader.hit()[0], [signed(n) for n in UINTS], "uints")
    with Reader(target, "text", string=0, **place) as reader:
        args, string = reader.hit()
        equal(string, STRING, "string")
        equal(args[2:], [6, POINTER, F32_BITS, signed(F64_BITS)], "length, pointer, floats")
    with Reader(target, "text", string=1, **place) as reader:
        equal(reader.hit()[1], "by", "bytes, up to the NUL in them")
    with Reader(target, "twelve", string=9, **place) as reader:
        args, string = reader.hit()
        equal(args[:9], [signed(n) for n in TWELVE_PLAIN], "twelve")
        equal(string, STRING, "string on the stack")
        equal(args[10:], [POINTER, signed(F64_BITS)], "pointer and float on the stack")
    with Reader(target, "stacked", string=11, **place) as reader:
        args, string = reader.hit()
        equal(args[:11], STACKED, "stacked")
        equal(string, STACKED_STRING, "string on the stack")
    with Reader(target, "empty", **place) as reader:
        equal(reader.hit()[0], [], "empty")


def test_by_pid():
    with Target() as target:
        check_types(target)


def test_by_path():
    with Target() as target:
        check_types(target, pid=-1)


def test_memfd():
    with Target(memfd=True) as target:
        check_types(target, pid=-1)


def test_again():
    with Target() as target:
        for _ in range(3):
            target.wait_enabled("ints", False)
            with Reader(target, "ints") as reader:
                target.wait_enabled("ints", True)
                reader.hit()
                reader.detach()
            target.wait_enabled("ints", False)


def test_two_processes():
    with Target() as one, Target() as two, Reader(one, "ints", pid=-1) as reader:
        for target in one, two:
            reader.wait_for(f"^hit {target.pid} ")


def test_semaphore():
    """The kernel counts: one for all it put in for, and the last to go takes it away."""
    with Target() as target:
        with Reader(target, "counted") as one, Reader(target, "counted") as other:
            check(target.semaphore("counted") > 0, "semaphore with two tracers")
            one.detach()
            check(target.semaphore("counted") > 0, "semaphore with one tracer")
            check(target.enabled("counted"), "off with one tracer")
            other.hit()
            other.detach()
        target.wait_enabled("counted", False)
        equal(target.semaphore("counted"), 0, "semaphore afterwards")


def test_fork():
    with Target() as target:
        with Reader(target, "ints", pid=-1) as reader:
            reader.hit()
            child = target.ask("fork")
            reader.wait_for(f"^hit {child} ")
            time.sleep(0.1)
            check(os.path.exists(f"/proc/{child}"), "the child died")
            reader.detach()
        target.wait_enabled("ints", False, "child")
        check(os.path.exists(f"/proc/{child}"), "the child died")


if __name__ == "__main__":
    main(test_by_pid, test_by_path, test_memfd, test_again, test_two_processes, test_semaphore,
         test_fork, needs=[need_root, need_reader])
