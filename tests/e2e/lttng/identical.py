#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The portable way and the machine code record the same bytes, under a clock that only counts."""

import os
import random
import struct

from harness import Session, Skip, Target, equal, main, read_trace

TYPES = "i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 bool string bytes pointer".split()
HEADER = 84  # of a packet: 32 bytes of header, 52 of context
CONTENT_SIZE = 48  # where its size in bits is


def script():
    """Probes of random shapes and fires with random values; the same ones every time."""
    dice = random.Random(7)
    probes, fires = [], []
    shapes = [[t] for t in TYPES] + [TYPES[:12], TYPES[2:], []]
    shapes += [[dice.choice(TYPES) for _ in range(dice.randrange(1, 13))] for _ in range(100)]
    for number, shape in enumerate(shapes):
        limit = dice.choice([0, 5, 16, 40, 4096])
        probes.append(f"e{number} -1 {limit} " +
                      " ".join(f"{t}:f{i}" for i, t in enumerate(shape)))
        for _ in range(4):
            fires.append(f"fire same:e{number} " + " ".join(value(dice, t) for t in shape))
    return probes, fires


def value(dice, kind):
    if kind in ("string", "bytes"):
        length = dice.choice([1, 4, 15, 16, 17, 31, 33, 200, 1500])
        return "".join(dice.choice("abcdefghij") for _ in range(length))
    if kind in ("f32", "f64"):
        return str(dice.uniform(-1e6, 1e6))
    if kind == "bool":
        return str(dice.randrange(2))
    if kind[0] == "i":
        return str(dice.randrange(-2**(int(kind[1:]) - 1), 2**(int(kind[1:]) - 1)))
    return str(dice.randrange(2**64))


def record(name, flags, **environment):
    """The bytes of all events, and their text without times."""
    session = Session(name, channel=("--subbuf-size=4M", "--num-subbuf=2")).event("same:*").start()
    probes, fires = script()
    with Target(**environment) as target:
        target.provider("same", *probes, flags=flags)
        for fire in fires:
            target(fire)
        made = target.has_pack_code()
        of_no_file = [p for p in target.code_maps() if not p.startswith(("/", "[v"))]
        equal("executable memory of no file", of_no_file, [])
    session.stop()
    session.destroy()
    text = [(e.name, e.fields) for e in read_trace(session.output)]
    equal("events", len(text), len(fires))
    return packets(session.output), text, made


def packets(where):
    events = b""
    for path, _, files in sorted(os.walk(where)):
        for name in sorted(f for f in files if f.startswith("c_")):
            with open(os.path.join(path, name), "rb") as file:
                data = file.read()
            if data:
                bits, = struct.unpack_from("<Q", data, CONTENT_SIZE)
                events += data[HEADER:bits // 8]
    return events


def test_identical(daemon):
    if "WEIR_TEST_CLOCK" not in os.environ:
        raise Skip("WEIR_TEST_CLOCK does not name the clock plugin")
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one CPU, one stream
    runs = {}
    for name, flags, environment in (("portable", "lttng", {"WEIR_LTTNG": "portable"}),
                                     ("machine", "lttng", {}),
                                     ("nousdt", "lttng nousdt", {})):
        os.environ["LTTNG_UST_CLOCK_PLUGIN"] = os.environ["WEIR_TEST_CLOCK"]
        os.environ["WEIR_TEST_CLOCK_FILE"] = f"{daemon.home}/clock-{name}"
        pid = daemon.start()  # a session daemon that has numbered no event yet
        runs[name] = record(name, flags, **environment)
        daemon.stop(pid)
    portable, machine, nousdt = (runs[n] for n in ("portable", "machine", "nousdt"))
    equal("code was made", (portable[2], nousdt[2]), (False, False))
    if os.uname().machine == "x86_64" and not machine[2]:
        raise Skip("this process may not make machine code: nothing to compare")
    assert len(portable[0]) > 20000, len(portable[0])
    for name, other in (("machine code", machine), ("without USDT", nousdt)):
        equal(f"values, {name}", other[1], portable[1])
        equal(f"length, {name}", len(other[0]), len(portable[0]))
        differ = [i for i, (a, b) in enumerate(zip(other[0], portable[0])) if a != b]
        equal(f"bytes that differ, {name}", differ[:20], [])


if __name__ == "__main__":
    main(globals())
