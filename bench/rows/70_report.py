# SPDX-License-Identifier: MIT
"""report/*: `weir report` on a recording, beside babeltrace2's text of the same one. Program: bench/target.c."""

import json
import os
import statistics
import subprocess
import time

from harness import Failure, Result, Row


def record(context, weir, rate, seconds):
    """A recording of bench:three (3 x u64) without losses, and how many events are in it."""
    out = context.folder() / "recording"
    target = subprocess.Popen([context.program("target"), "rate", str(rate), str(seconds)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=context.environment)
    try:
        target.stdout.readline()
        context.call([weir, "record", "-q", "-o", str(out), "-b", "64M", "-p", str(target.pid), "bench:*"])
        numbers = dict(line.split() for line in target.communicate(timeout=10)[0].splitlines())
    finally:
        if target.poll() is None:
            target.kill()
            target.communicate()
    return out, int(numbers["fired"]) - int(numbers["lost"])


def cpu(command, **more):
    """(CPU seconds, wall seconds, standard output)."""
    before, begin = os.times(), time.monotonic()
    done = subprocess.run(command, stderr=subprocess.DEVNULL, **more)
    after, end = os.times(), time.monotonic()
    if done.returncode:
        raise Failure(f"{command[0]}: exit status {done.returncode}")
    return (after.children_user + after.children_system - before.children_user - before.children_system, end - begin,
            done.stdout)


def rate(context):
    weir = context.need_command("report")
    babeltrace = context.need_tool("babeltrace2", "babeltrace2")
    out, events = record(context, weir, 5e5, 1 if context.quick else 4)
    # A key, and a distribution of what it has: the most that a report does with an event.
    ours = [weir, "report", "--json", "--by", "cpu", "--hist", "a", str(out)]
    mine, wall, theirs = [], [], []
    for _ in range(2 if context.quick else 5):
        used, real, said = cpu(ours, stdout=subprocess.PIPE)
        counted = sum(json.loads(line)["count"] for line in said.splitlines())
        if counted != events:
            raise Failure(f"weir report counts {counted} of {events} events")
        mine.append(events / used / 1e6)
        wall.append(events / real / 1e6)
    for _ in range(1 if context.quick else 2):
        theirs.append(events / cpu([babeltrace, str(out)], stdout=subprocess.DEVNULL)[0] / 1e6)
    return Result(value=max(mine), median=statistics.median(mine), peer="babeltrace2's text", peer_value=max(theirs),
                  spread=max(mine) / min(mine) - 1,
                  detail={"events": events, "M events per second of wall time": max(wall),
                          "bytes": sum(f.stat().st_size for f in out.rglob("stream_*"))})


ROWS = [
    Row("report/rate", "weir report --by --hist, per CPU second, and babeltrace2's text of the same recording",
        "M events/s", ">= 20 x babeltrace2", rate),
]
