# SPDX-License-Identifier: MIT
"""publish/*: from nothing to visible. Program: bench/publish.c; the peer: bench/elf_stub.c."""

from harness import Result, Row


def publish(probes, rounds):
    def run(context):
        samples = context.samples("publish", probes, context.rounds(rounds), context.folder())
        return Result(value=samples.min("weir"), median=samples.median("weir"), spread=samples.spread("weir"),
                      peer="elf stub by libelf + dlopen", peer_value=samples.min("elf"),
                      detail=samples.detail())
    return run


ROWS = [
    Row("publish/1000", "create and publish 1000 probes of 3 fields, in a new process", "ms", "<= 20", publish(1000, 40)),
    Row("publish/10", "create and publish 10 probes of 3 fields, in a new process", "ms", "<= 0.3", publish(10, 200)),
]
