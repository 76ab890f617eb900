# SPDX-License-Identifier: MIT
"""usdt/*: what a hit costs under a tracer in the kernel. Program: bench/usdt.c."""

from harness import Failure, Result, Row


def trap(context):
    samples = context.samples("usdt", context.rounds(2000))
    for name in ("weir", "sdt"):
        if samples.number(f"check-{name}-runs") != 1000:
            raise Failure(f"the program on {name} ran {samples.number(f'check-{name}-runs')} times for 1000 fires")
    return Result(value=samples.ratio("weir", "sdt"), median=samples.median_ratio("weir", "sdt"),
                  peer="sys/sdt.h's macro", peer_unit="ns", peer_value=samples.min("sdt"), ratio=samples.ratio("weir", "sdt"),
                  spread=samples.spread("weir"), detail={"ns": samples.min("weir"), **samples.detail()})


ROWS = [
    Row("usdt/trap", "a do-nothing BPF program on a weir probe, ratio to one on sys/sdt.h's macro", "x", "<= 1.05", trap),
]
