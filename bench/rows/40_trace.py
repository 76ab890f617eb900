# SPDX-License-Identifier: MIT
"""trace/*: `weir trace` as a person runs it. Program: bench/target.c."""

import os
import re
import select
import statistics
import subprocess
import time

from harness import Failure, Result, Row, Skip


def start_target(context, *args):
    target = subprocess.Popen([context.program("target"), *map(str, args)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=context.environment)
    line = target.stdout.readline().split()
    if len(line) != 2 or line[0] != "ready":
        target.kill()
        raise Failure(f"bench-target: {target.communicate()[1].strip()}")
    return target


def end(process):
    """Never leave one behind."""
    if process.poll() is None:
        process.kill()
    return process.communicate()


def read_lines(terminal, process, deadline):
    """(time of arrival, line) from a pseudo terminal, until its writer is gone."""
    pending = b""
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.5)[0]:
            if process.poll() is not None:
                return
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the other side open
            return
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        *lines, pending = (pending + more).split(b"\n")
        for line in lines:
            yield now, line.decode(errors="replace")


def latency(context):
    weir = context.need_command("trace")
    count = 10 if context.quick else 150
    target = start_target(context, "latency", count)
    ours, theirs = os.openpty()
    trace = subprocess.Popen([weir, "trace", "-p", str(target.pid), "bench:*"], stdout=theirs,
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=context.environment)
    os.close(theirs)
    ms = []
    try:
        for now, line in read_lines(ours, trace, time.monotonic() + 60):
            sent = re.search(r"sent\W{0,12}=(?:\x1b\[[0-9;]*m)*(\d+)", line)
            if sent:
                ms.append((now - int(sent.group(1))) / 1e6)
    finally:
        os.close(ours)
        said = end(trace)[1]
        end(target)
    if len(ms) != count:
        raise Failure(f"{len(ms)} of {count} events reached the terminal; weir trace said: {said.decode()[-300:]}")
    # The goal is about the median, so that is the value.
    return Result(value=statistics.median(ms), median=statistics.median(ms), spread=max(ms) / min(ms) - 1,
                  detail={"min": min(ms), "p90": sorted(ms)[len(ms) * 9 // 10], "max": max(ms)})


def try_rate(context, weir, rate, seconds):
    """(events a second until the last one was written, lost) at this rate of fires."""
    target = start_target(context, "rate", int(rate), seconds)
    trace = subprocess.Popen([weir, "trace", "--json", "-p", str(target.pid), "bench:*"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, env=context.environment)
    try:
        said = trace.communicate(timeout=60)[1]
        done = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        numbers = dict(line.split() for line in target.communicate(timeout=10)[0].splitlines())
    except subprocess.TimeoutExpired as late:
        raise Failure("weir trace did not end within 60 s of its target's last fire") from late
    finally:
        end(trace)
        end(target)
    if trace.returncode or "fired" not in numbers:
        raise Failure(f"weir trace --json: exit status {trace.returncode}: {said.strip()[-300:]}")
    fired, lost, began = (int(numbers[name]) for name in ("fired", "lost", "began"))
    return fired / ((done - began) / 1e9), lost


def sustained(context, weir):
    """The best figure of a run without loss: double the rate until something is lost, then bisect."""
    seconds = 0.5 if context.quick else 2.0
    good, bad, best = 0.0, None, 0.0
    rate = 0.5e6
    for _ in range(4 if context.quick else 10):
        got, lost = try_rate(context, weir, rate, seconds)
        if lost:
            bad = rate
        else:
            good, best = rate, max(best, got)
        # A tracer that only gets there by buffering is not faster for a faster target.
        if not lost and got < 0.7 * rate:
            break
        rate = good * 2 if bad is None else (good + bad) / 2
        if bad is not None and (good == 0 or bad / good < 1.1):
            break
    if not best:
        raise Failure(f"events were lost at {rate / 1e6:.2f} M a second already")
    return best


def peers(context):
    """M events/s at which each reads a trace of such events to /dev/null."""
    count = 100000 if context.quick else 600000
    trace = context.folder() / "trace"
    context.call([str(context.here / "with-lttng"), "record", str(trace), context.program("target"), "lttng", str(count)])
    babeltrace = context.need_tool("babeltrace2", "babeltrace2")
    readers = {"lttng view": ["lttng", "view", f"--trace-path={trace}"], "babeltrace2": [babeltrace, str(trace)]}
    seen = subprocess.run([babeltrace, str(trace)], capture_output=True).stdout.count(b"\n")
    if seen < count * 0.9:
        raise Failure(f"LTTng recorded {seen} of {count} events")
    rates = {name: 0.0 for name in readers}
    for _ in range(1 if context.quick else 2):
        for name, command in readers.items():
            begin = time.monotonic()
            with open(os.devnull, "w") as null:
                subprocess.run(command, stdout=null, stderr=null, check=True)
            rates[name] = max(rates[name], seen / (time.monotonic() - begin) / 1e6)
    return rates


def rate(context):
    weir = context.need_command("trace")
    ours = sustained(context, weir) / 1e6
    try:
        others = peers(context)
    except (Skip, Failure) as reason:
        return Result(value=ours, peer=f"none: {reason}"[:60])
    best = max(others, key=others.get)
    return Result(value=ours, peer=best, peer_value=others[best], detail={"M events/s": others})


ROWS = [
    Row("trace/latency", "from a fire to its line on the terminal, median", "ms", "<= 5", latency),
    Row("trace/rate", "weir trace --json to /dev/null, one thread, nothing lost", "M/s", ">= 3 x the best peer", rate),
]
