# SPDX-License-Identifier: MIT
"""memory/*: what being traced costs the target in memory. Program: bench/memory.c."""

from harness import Result, Row


def threads(context):
    samples = context.samples("memory", 500 if context.quick else 10000)
    samples.check_counts("first")
    return Result(value=samples.min("after"), peer="the session's packets", peer_value=samples.min("pool"),
                  detail=samples.detail())


ROWS = [
    Row("memory/threads", "resident in the target after 10,000 short threads fired", "MiB", "<= 1.2 x the pool", threads),
]
