#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz/packet.c: `seed-packet.py DIR` writes them. Its steps, in sensible orders."""
import pathlib
import random
import struct
import sys

LOOK, RELEASE, DESC, COMMIT, RECORDS, SCHEMA, WORD, FIRE, HEADER, REARM = range(10)
OPEN, FULL, READ = 2, 3, 4


def look(what=1):
    return bytes([LOOK, what])


def desc(packet, state, sequence, slot=0, older=0, first=1000):
    return bytes([DESC, packet, state, older, sequence, slot]) + struct.pack("<Q", first)


def commit(packet, offset, count, last=2000):
    return bytes([COMMIT, packet]) + struct.pack("<HHQ", offset // 8, count, last)


def records(packet, at, data):
    return b"".join(bytes([RECORDS, packet]) + struct.pack("<HB", (at + i) // 8, len(data[i:i + 248]))
                    + data[i:i + 248] for i in range(0, len(data), 248))


def fire(slot=0, text=0x41, real=0x3ff8000000000000):
    return bytes([FIRE, slot, text]) + struct.pack("<Q", real)


def word(at, value):
    return bytes([WORD]) + (at // 8).to_bytes(3, "little") + struct.pack("<Q", value)


def record(ident, time, words, tail=b""):
    length = 16 + 8 * len(words) + len(tail)
    return struct.pack("<QIHH", ident | time << 16 | length // 8 << 54, 1, 0, 0) + \
        struct.pack(f"<{len(words)}Q", *words) + tail


def note(provider, probe, fields):
    body = provider + b"\0" + probe + b"\0" + \
        b"".join(bytes([kind, 0, i, 0]) + name + b"\0" for i, (kind, name) in enumerate(fields))
    return struct.pack("<HHIQQIHH", 1, 32, 32 + len(body), 0, 0, 0, len(fields), len(fields)) + body


def schema(ident, kind, data):
    return bytes([SCHEMA, ident, kind, len(data)]) + data


ORDER = [1, 8 | 3 << 16, 8 | 5 << 16, 0, 0, 0, 1, 0x7fff0000]
GOOD = record(1, 1500, ORDER, b"abc\0\0\0\0\0\1\2\3\4\5\0\0\0")
seeds = {
    "fires": fire() * 20 + look() + bytes([RELEASE]) + fire(1, 0xff, 0x7ff8 << 48) + look(),
    "written": records(0, 64, GOOD) + commit(0, 64 + len(GOOD), 1) + desc(0, FULL, 1) + look() +
    bytes([RELEASE]),
    "open": records(0, 64, GOOD * 2) + commit(0, 64 + len(GOOD), 1) + desc(0, OPEN, 1) + look() +
    commit(0, 64 + 2 * len(GOOD), 2) + look() + bytes([RELEASE]),
    "gap": records(1, 64, GOOD) + commit(1, 64 + len(GOOD), 1) + desc(1, FULL, 5) + look() * 3,
    "twice": b"".join(records(p, 64, GOOD) + commit(p, 64 + len(GOOD), 1) + desc(p, FULL, 1)
                      for p in range(3)) + look() * 2,
    "slot": desc(0, FULL, 1, slot=200) + look() + desc(1, READ, 1) + desc(2, 77, 1) + look(),
    "older": desc(0, FULL, 1, older=1) + look() + bytes([REARM]) + look(),
    "commits": b"".join(desc(0, FULL, 1) + commit(0, o, c) + look() for o in (0, 8, 56, 64, 65536,
                        65528, 524280) for c in (0, 1, 65535)),
    "lengths": b"".join(records(0, 64, struct.pack("<QQ", n << 54 | 1, 0)) + commit(0, 4096, 9) +
                        desc(0, FULL, 1) + look() + bytes([RELEASE, REARM])
                        for n in (0, 1, 2, 3, 9, 10, 505, 1023)),
    "strings": b"".join(records(0, 64, record(1, 1500, [1, p | 3 << 16, q, 0, 0, 0, 0, 0],
                                              b"\xff\xc3\xa4\x1b\"\\\0\n")) +
                        commit(0, 64 + 88, 1) + desc(0, FULL, 1) + look() +
                        bytes([RELEASE, REARM]) for p, q in ((8, 0), (16, 0), (7, 0), (8, 8),
                                                             (65528, 65528))),
    "schema": schema(2, 1, note(b"a", b"b", [(8, b"x"), (12, b"y")])) + schema(2, 2, b"") +
    schema(2, 1, note(b"a", b"b", [(8, b"x"), (12, b"y")])) +
    schema(2, 1, note(b"a", b"b", [(9, b"x")])) + schema(3, 1, note(b"a b", b"c", [])) +
    schema(0, 1, note(b"a", b"c", [])) + schema(4, 9, b"abc") +
    records(0, 64, record(2, 1, [5, 8], b"hello\0\0\0")) + commit(0, 64 + 40, 1) +
    desc(0, FULL, 1) + look() + bytes([RELEASE]),
    "session": b"".join(word(0x50000 + 8 * i, v) for i in range(0, 64)
                        for v in (0, 0xffffffffffffffff)) + fire() + look() + bytes([REARM]),
    "header": b"".join(bytes([HEADER, at]) + struct.pack("<I", v) for at in range(44)
                       for v in (0, 1, 0x7fffffff, 0xffffffff)),
    "time": b"".join(records(0, 64 + 16 * i, struct.pack("<QQ", 2 << 54 | t << 16 | 9, 0))
                     for i, t in enumerate((5, 4, (1 << 38) - 1, 0, 1 << 37))) +
    commit(0, 64 + 80, 5, (1 << 64) - 1) + desc(0, FULL, 1, first=(1 << 64) - 3) + look() +
    bytes([RELEASE]),
}
source = random.Random(1)
for k in range(64):
    seeds[f"random-{k}"] = source.randbytes(source.randrange(10, 600))
out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
for name, data in seeds.items():
    (out / name).write_bytes(data)
