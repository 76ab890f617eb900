# SPDX-License-Identifier: MIT
"""Commands that the tests of types run."""
import subprocess


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, **more)


def must(*argv):
    """What it prints; it has to succeed."""
    r = run(*argv)
    assert not r.returncode, '%s: %s' % (argv, r.stderr)
    return r.stdout
