# SPDX-License-Identifier: MIT
"""lttng/*: probes declared at run time, recorded by LTTng. Program: bench/dynamic.c."""

import re
import subprocess

from harness import Failure, Result, Row


def run(context, what, rounds):
    return context.samples("dynamic", what, rounds, wrapper=(context.here / "with-lttng", "snapshot", "-"))


def fire(variant):
    def row(context):
        samples = run(context, "fire", context.rounds(1000))
        static = "static-" + variant
        return Result(value=samples.ratio(variant, static), median=samples.median_ratio(variant, static),
                      peer="lttng-ust's macro", peer_unit="ns", peer_value=samples.min(static),
                      ratio=samples.ratio(variant, static), spread=samples.spread(variant),
                      detail={"ns": samples.min(variant), **samples.detail()})
    return row


def off(context):
    samples = run(context, "fire", context.rounds(1000))
    return Result(value=samples.min("off") - samples.min("empty"),
                  median=samples.median_difference("off", "empty"), spread=samples.spread("off"),
                  peer="empty loop", peer_unit="ns", peer_value=samples.min("empty"),
                  ratio=samples.ratio("off", "empty"), detail=samples.detail())


def register(context):
    samples = run(context, "register", 5 if context.quick else 20)
    return Result(value=samples.min("publish") / 1e6, median=samples.median("publish") / 1e6,
                  spread=samples.spread("publish"), detail={"ms to withdraw": samples.min("withdraw") / 1e6})


def lossless(context):
    """Fires that are not in the trace of a session whose buffers block, and those in it twice."""
    count = 200000 if context.quick else 2000000
    trace = context.folder() / "trace"
    babeltrace = context.need_tool("babeltrace2", "babeltrace2")
    context.call([str(context.here / "with-lttng"), "lossless", str(trace), context.program("dynamic"),
                  "lossless", str(count)], timeout=300)
    read = subprocess.run([babeltrace, str(trace)], capture_output=True, text=True)
    if read.returncode:
        raise Failure(f"babeltrace2 cannot read the trace: {read.stderr[:300]}")
    numbers = [int(n) for n in re.findall(r"bench:number: .*number = (\d+) }", read.stdout)]
    wrong = count - len(set(numbers)) + len(numbers) - len(set(numbers))
    return Result(value=wrong, detail={"fired": count, "in the trace": len(numbers)})


ROWS = [
    Row("lttng/1int", "one int recorded by LTTng, ratio to its static macro", "x", "<= 1.05", fire("int")),
    Row("lttng/4fields", "s32, s64, u32, 15-byte string, ratio to its static macro", "x", "<= 0.90", fire("four")),
    Row("lttng/off", "a probe with LTTng loaded that no session asked for, over an empty loop", "ns", "<= 1.0", off),
    Row("lttng/lossless", "events lost in LTTng's blocking mode, of 2 million fired at full speed", "events", "<= 0",
        lossless),
    Row("lttng/register-1000", "1000 probes published in an active session", "ms", "<= 100", register),
]
