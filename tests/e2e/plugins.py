#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins that come and go, with a libweir of their own or with the shared one.

    plugins.py BUILD_ROOT SCENARIO...    each function named test_SCENARIO below
    plugins.py BUILD_ROOT --list
"""
import json
import os
import subprocess
import sys

from scenarios import run_scenarios

BUILD = os.path.abspath(sys.argv[1])
WEIR = f"{BUILD}/cli/weir"
HOST = f"{BUILD}/tests/e2e/plugin-host"
OWN = [f"{BUILD}/tests/e2e/plugin-own{n}.so" for n in (1, 2)]
SHARED = f"{BUILD}/tests/e2e/plugin-shared.so"
AT_LOAD = f"{BUILD}/tests/e2e/plugin-at-load.so"
OWN_AT_LOAD = f"{BUILD}/tests/e2e/plugin-own-at-load.so"
LIMIT = 200


def run(turns, *plugins, before=(), stdout=subprocess.PIPE):
    """Few descriptors: two a turn would be used up at once."""
    command = f"ulimit -n 64; exec {HOST} {turns} {' '.join(plugins)}"
    done = subprocess.run([*before, "sh", "-c", command], timeout=LIMIT, text=True,
                          stdout=stdout, stderr=subprocess.PIPE)
    assert done.returncode == 0, done
    return done


def flat(line):
    words = line.split()
    descriptors, space = list(map(int, words[3:5])), list(map(int, words[6:8]))
    assert descriptors[0] == descriptors[1], line
    assert space[1] - space[0] < 64 * 1024, line  # one more mapping of buffers is 148 MiB
    return int(words[1])


def test_own():
    """One libweir in the plugin: unloaded and loaded again it is the same one."""
    assert flat(run(700, OWN[0]).stdout) == 0


def test_shared():
    assert flat(run(700, SHARED).stdout) == 0


def test_several():
    """Two plugins with a libweir each, and one with the shared one."""
    assert flat(run(100, *OWN, SHARED).stdout) == 0


def traced(turns, *plugins):
    done = run(turns, *plugins, before=[WEIR, "trace", "--json", "plugin*:*", "--"])
    lines = done.stdout.splitlines()
    met = [flat(line) for line in lines if line.startswith("met ")]
    events = [json.loads(line) for line in lines if line.startswith("{")]
    return met[0], [(e["provider"], e["fields"]["n"]) for e in events if "fields" in e]


def test_traced():
    """Each time its probes come back they are on from the first fire."""
    met, events = traced(50, OWN[0])
    assert met == 50, met
    assert sorted(events) == [("plugin1", n) for n in range(50)], events


def beside(turns, first, second):
    words = run(turns, "--beside", first, second).stdout.split()
    assert words[0] == "started" and words[2] == "published", words
    return int(words[1]), int(words[3])


def test_constructors():
    """A constructor publishes and a destructor destroys while another thread publishes: each waits
    for nobody. The libweir is one for both, or the constructor's own."""
    for plugin in (AT_LOAD, OWN_AT_LOAD):
        started, published = beside(200, SHARED, plugin)
        assert started >= 200 and published >= 200, (plugin, started, published)


run_scenarios(globals(), [])
