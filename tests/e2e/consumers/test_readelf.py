#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readelf and eu-readelf on a stub: its notes, and nothing to complain about."""

import re

from consumers import *

ARGUMENTS = {
    "ints": "-4@%edi -4@%esi -4@%edx -8@%rcx",
    "uints": "1@%dil 2@%si 4@%edx 8@%rcx 1@%r8d",
    "text": "8@%rdi 8@%rsi 8@%rdx 8@%rcx 4@%r8d 8@%r9",
    "twelve": "-4@%edi -4@%esi -4@%edx -8@%rcx 1@%r8d 2@%r9w 4@24(%rsp) 8@32(%rsp) 1@40(%rsp) "
              "8@48(%rsp) 8@56(%rsp) 8@64(%rsp)",
    "stacked": "8@%rdi 8@%rsi 8@%rdx 8@%rcx 8@%r8 8@%r9 -4@24(%rsp) -4@32(%rsp) -4@40(%rsp) "
               "-8@48(%rsp) 1@56(%rsp) 8@64(%rsp)",
    "counted": "8@%rdi",
    "empty": "",
    "order": "8@%rdi 8@%rsi -4@%edx 8@%rcx",
}


def test_notes():
    with Target() as target:
        output = output_of([*need("readelf"), "-nW", target.path])
        check("Build ID: " in output, "no build-id")
        found = dict(re.findall(r"Name: (\w+)\n.*\n +Arguments: ?(.*)", output))
        equal(found, ARGUMENTS, "SDT notes")
        equal(len(re.findall("^  weir +0x", output, re.M)), len(PROBES), "notes of weir's own")
        check("warning" not in output.lower(), output)


def test_whole():
    """Every table of the file can be read without a warning."""
    with Target() as target:
        output = output_of([*need("readelf"), "-aW", target.path])
        check("warning" not in output.lower() and "error" not in output.lower(), output)
        check("weir_site_shop_ints" in output, "no symbol of a site")
        output = output_of([*need("readelf"), "--debug-dump=frames-interp", target.path])
        check(re.search(r"FDE .*pc=0*1000\.\.", output), f"no FDE of the code:\n{output}")


def test_elflint():
    """eu-elflint knows no notes of type stapsdt, and says so of every SDT file; no more than that."""
    with Target() as target:
        output = output_of([*need("eu-elflint"), "--gnu-ld", target.path], status=None)
        complaints = [line for line in output.splitlines()
                      if line and "unknown core file note" not in line
                      and "unknown object file note" not in line and line != "No errors"]
        equal(complaints, [], "complaints of eu-elflint")


if __name__ == "__main__":
    main(test_notes, test_whole, test_elflint)
