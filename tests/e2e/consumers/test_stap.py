#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stap -L on a stub: SystemTap's own reader of SDT notes. (To run a script it would need to build
a kernel module.) It wants some kernel's headers even to list."""

import glob
import re

from consumers import *


def stap_list(path):
    command = [*need("stap")]
    if not os.path.exists(f"/lib/modules/{os.uname().release}/build"):
        # What for, it does not say; any will do.
        trees = [t for t in glob.glob("/usr/src/linux-headers-*")
                 if os.path.exists(t + "/include/config/auto.conf")]
        if not trees:
            raise Skip("stap needs the headers of some kernel (linux-headers-amd64)")
        command += ["-r", trees[0]]
    return output_of(command + ["-L", f'process("{path}").mark("*")'])


def check_list(path):
    output = stap_list(path)
    for probe, count in PROBES.items():
        args = "".join(f" $arg{i + 1}:long" for i in range(count))
        check(re.search(rf'\.mark\("{probe}"\){re.escape(args)}$', output, re.M),
              f"{probe} is not listed with {count} arguments:\n{output}")


def test_list():
    with Target() as target:
        check_list(target.path)


def test_memfd():
    with Target(memfd=True) as target:
        check_list(target.path)


if __name__ == "__main__":
    main(test_list, test_memfd)
