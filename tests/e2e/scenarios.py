# SPDX-License-Identifier: MIT
"""What every file of scenarios ends with.

    FILE BUILD_ROOT SCENARIO...     each function named test_SCENARIO in it
    FILE BUILD_ROOT --list
    FILE BUILD_ROOT LONG_FORM NUMBER...
"""
import shutil
import sys


def run_scenarios(namespace, children, folders=(), long_forms={}):
    """`children` end and `folders` go, however the scenarios end. `long_forms`: name to function."""
    tests = {name[5:]: f for name, f in namespace.items() if name.startswith("test_")}
    if sys.argv[2:] == ["--list"]:
        print("\n".join(tests))
        return
    try:
        if sys.argv[2] in long_forms:
            long_forms[sys.argv[2]](*map(int, sys.argv[3:]))
            return
        for name in sys.argv[2:]:
            tests[name]()
            print(f"{name}: ok")
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
