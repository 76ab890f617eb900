#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb on a weir probe: info probes, break -probe-stap, arguments, backtrace."""

import re

from consumers import *


def gdb(target, *commands):
    command = [*need("gdb"), "-nx", "-batch", "-ex", "set debuginfod enabled off",
               "-ex", "set pagination off", "-p", str(target.pid)]
    for line in commands:
        command += ["-ex", line]
    return output_of(command)


def printed(output):
    """Values of `print`: $1 = 5."""
    return [text for _, text in re.findall(r"^\$(\d+) = (.*)$", output, re.M)]


def stopped_at(target, probe, *expressions):
    output = gdb(target, f"break -probe-stap {target.provider}:{probe}", "continue",
                 "print $_probe_argc", *[f"print {e}" for e in expressions], "backtrace")
    values = printed(output)
    equal(int(values[0]), PROBES[probe], f"arguments of {probe}")
    check(re.search(rf"^#0 .*weir_site_{target.provider}_{probe} \(\)", output, re.M),
          f"no frame of the site:\n{output}")
    check(re.search(r"^#\d+ .* main \(", output, re.M), f"the stack does not reach main:\n{output}")
    return values[1:]


def numbered(count):
    return [f"$_probe_arg{i}" for i in range(count)]


def check_types(target):
    equal([int(n) for n in stopped_at(target, "ints", *numbered(4))], INTS, "ints")
    equal([int(n) for n in stopped_at(target, "uints", *numbered(5))], UINTS, "uints")
    got = stopped_at(target, "text", "(char *)$_probe_arg0", "*(char (*)[6])$_probe_arg1",
                     *numbered(6)[2:])
    check(got[0].endswith(f'"{STRING}"'), f"string: {got[0]}")
    equal(got[1], r'"by\000tes"', "bytes")
    equal([int(n) for n in got[2:]], [6, POINTER, F32_BITS, F64_BITS], "length, pointer, floats")
    got = stopped_at(target, "twelve", *numbered(9), "(char *)$_probe_arg9", "$_probe_arg10",
                     "$_probe_arg11")
    equal([int(n) for n in got[:9]], TWELVE_PLAIN, "twelve")
    check(got[9].endswith(f'"{STRING}"'), f"string on the stack: {got[9]}")
    equal([int(n) for n in got[10:]], [POINTER, F64_BITS], "pointer and float on the stack")
    got = stopped_at(target, "stacked", *numbered(11), "(char *)$_probe_arg11")
    equal([int(n) for n in got[:11]], STACKED, "stacked")
    check(got[11].endswith(f'"{STACKED_STRING}"'), f"string on the stack: {got[11]}")
    stopped_at(target, "empty")
    for probe in PROBES:
        target.wait_enabled(probe, False)


def test_info_probes():
    with Target() as target:
        output = gdb(target, f"info probes stap {target.provider}")
        for probe in PROBES:
            check(re.search(rf"^stap +shop +{probe} +0x.*{re.escape(target.path)}", output, re.M),
                  f"{probe} is not listed:\n{output}")


def test_types():
    with Target() as target:
        check_types(target)


def test_memfd():
    with Target(memfd=True) as target:
        check_types(target)


def test_again():
    """Each attachment ends with a detach: the probe is off, then on again for the next one."""
    with Target() as target:
        for _ in range(3):
            equal(stopped_at(target, "ints", "$_probe_arg3"), [str(INTS[3])], "i64")
            target.wait_enabled("ints", False)


if __name__ == "__main__":
    main(test_info_probes, test_types, test_memfd, test_again)
