# SPDX-License-Identifier: MIT
"""fire/*: what one fire costs its thread. Programs: bench/fire.c."""

from harness import Result, Row


def off(context):
    samples = context.samples("fire", "off", context.rounds(400))
    over = {name: samples.min(name) - samples.min("empty") for name in samples if name != "empty"}
    peers = {"lttng": "lttng-ust's macro", "sdt": "sys/sdt.h's macro"}
    found = [name for name in peers if name in over]
    return Result(value=over["weir"], median=samples.median_difference("weir", "empty"), spread=samples.spread("weir"),
                  peer=peers[found[0]] if found else None, peer_value=over[found[0]] if found else None,
                  # Differences may be nearly nothing: whole loops are compared.
                  ratio=samples.ratio("weir", found[0]) if found else None,
                  detail={"ns over an empty loop": {peers.get(n, n): over[n] for n in over}, **samples.detail()})


def ring(variant):
    def run(context):
        samples = context.samples("fire", "ring", context.rounds(2000))
        samples.check_counts("first")
        samples.check_counts("second")
        return Result(value=samples.ratio(variant, "clock"), median=samples.median_ratio(variant, "clock"),
                      peer="rdtsc", peer_unit="ns", peer_value=samples.min("clock"), ratio=samples.ratio(variant, "clock"),
                      spread=samples.spread(variant), detail={"ns": samples.min(variant), **samples.detail()})
    return run


def versus_lttng(context):
    samples = context.samples("fire", "lttng", context.rounds(500), wrapper=(context.here / "with-lttng", "snapshot", "-"))
    samples.check_counts("first")
    return Result(value=samples.ratio("lttng", "three"), median=samples.median_ratio("lttng", "three"),
                  peer="lttng-ust", peer_unit="ns", peer_value=samples.min("lttng"), ratio=samples.ratio("lttng", "three"),
                  spread=samples.spread("three"), detail={"ns": samples.min("three"), **samples.detail()})


def threads(context):
    samples = context.samples("fire", "threads", context.rounds(1000))
    samples.check_counts("first")
    return Result(value=samples.ratio("two", "one"), median=samples.median_ratio("two", "one"),
                  peer="one thread", peer_unit="ns", peer_value=samples.min("one"), ratio=samples.ratio("two", "one"),
                  spread=samples.spread("two"), detail={"ns": samples.min("two"), **samples.detail()})


def sessions(context):
    samples = context.samples("fire", "ring", context.rounds(2000))
    samples.check_counts("second")
    return Result(value=samples.ratio("two", "three"), median=samples.median_ratio("two", "three"),
                  peer="one session", peer_unit="ns", peer_value=samples.min("three"), ratio=samples.ratio("two", "three"),
                  spread=samples.spread("two"), detail={"ns": samples.min("two"), **samples.detail()})


ROWS = [
    Row("fire/off", "a fire that nobody looks at, over an empty loop", "ns", "<= 1.0", off),
    Row("fire/ring/3xu64", "3 x u64 into packets, ratio to reading the clock", "x", "<= 1.10", ring("three")),
    Row("fire/ring/string", "u64 and a 15-byte string, ratio to reading the clock", "x", "<= 1.5", ring("text")),
    Row("fire/ring/vs-lttng", "how many times faster than a static lttng-ust tracepoint", "x", ">= 6", versus_lttng),
    Row("fire/ring/threads", "2 threads on 2 CPUs against 1, per fire", "x", "<= 1.1", threads),
    Row("fire/ring/sessions", "into two sessions against into one", "x", "<= 1.8", sessions),
]
