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


def fastest(context, weir, seconds):
    """The rate of fires to take: double it until something is lost or the tracer lags, then bisect."""
    good, bad, rate = 0.0, None, 0.5e6
    for _ in range(4 if context.quick else 9):
        got, lost = try_rate(context, weir, rate, seconds)
        if lost:
            bad = rate
        else:
            good = rate
            if got < 0.7 * rate:  # it only gets there by buffering: faster fires do not make it faster
                break
        rate = good * 2 if bad is None else (good + bad) / 2
        if bad is not None and good and bad / good < 1.1:
            break
    if not good:
        raise Failure(f"events were lost at {rate / 1e6:.2f} M a second already")
    return good


def record_peer(context):
    """A trace of such events by LTTng, how many are in it, and commands that print it."""
    count = 100000 if context.quick else 600000
    trace = context.folder() / "trace"
    babeltrace = context.need_tool("babeltrace2", "babeltrace2")
    context.call([str(context.here / "with-lttng"), "record", str(trace), context.program("target"), "lttng", str(count)])
    seen = subprocess.run([babeltrace, str(trace)], capture_output=True).stdout.count(b"\n")
    if seen < count * 0.9:
        raise Failure(f"LTTng recorded {seen} of {count} events")
    return seen, {"lttng view": ["lttng", "view", f"--trace-path={trace}"], "babeltrace2": [babeltrace, str(trace)]}


def time_peer(command, events):
    begin = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return events / (time.monotonic() - begin) / 1e6


def rate(context):
    weir = context.need_command("trace")
    seconds, rounds = (0.5, 1) if context.quick else (2.0, 3)
    fires = fastest(context, weir, seconds)
    try:
        events, peers = record_peer(context)
        missing = None
    except (Skip, Failure) as reason:
        events, peers, missing = 0, {}, str(reason)
    ours, lossy, theirs = [], 0, {name: [] for name in peers}
    for _ in range(rounds):
        got, lost = try_rate(context, weir, fires, seconds)
        while lost and lossy < 6:
            lossy += 1
            fires *= 0.85  # it was luck, or the machine is busier now
            got, lost = try_rate(context, weir, fires, seconds)
        if not lost:
            ours.append(got / 1e6)
        for name, command in peers.items():
            theirs[name].append(time_peer(command, events))
    if not ours:
        raise Failure(f"events are lost at {fires / 1e6:.2f} M fires a second, and at all rates above")
    best = max(theirs, key=lambda name: max(theirs[name])) if theirs else None
    return Result(value=max(ours), median=statistics.median(ours), peer=best or f"none: {missing}"[:40],
                  peer_value=max(theirs[best]) if best else None, spread=max(ours) / min(ours) - 1,
                  detail={"fires a second": fires, "runs with a loss": lossy, "M events/s": {"weir": ours, **theirs},
                          "events per peer run": events, "no peer": missing})


ROWS = [
    Row("trace/latency", "from a fire to its line on the terminal, median", "ms", "<= 5", latency),
    Row("trace/rate", "weir trace --json to /dev/null, one thread, nothing lost", "M/s", ">= 3 x the best peer", rate),
]
