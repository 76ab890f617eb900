# SPDX-License-Identifier: MIT
"""publish/*: from nothing to visible. Program: bench/publish.c; the peer: bench/elf_stub.c."""

from harness import Result, Row


def samples(context, probes):
    return context.samples("publish", probes, context.rounds(40 if probes > 100 else 200), context.folder(f"publish-{probes}"))


def publish(probes):
    def run(context):
        found = samples(context, probes)
        return Result(value=found.min("weir"), median=found.median("weir"), spread=found.spread("weir"),
                      peer="elf stub by libelf + dlopen", peer_value=found.min("elf"), detail=found.detail())
    return run


def first(context):
    found = samples(context, 10)
    return Result(value=found.min("first"), median=found.median("first"), spread=found.spread("first"),
                  detail=found.detail())


ROWS = [
    Row("publish/1000", "create and publish 1000 probes of 3 fields", "ms", "<= 20", publish(1000)),
    Row("publish/10", "create and publish 10 probes of 3 fields", "ms", "<= 0.3", publish(10)),
    Row("publish/first", "the same 10, in a process that has never published", "ms", None, first),
]
