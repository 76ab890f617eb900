#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz/btf.c: `seed-btf.py DIR ...`. Small BTF, whole, damaged, and circular."""
import pathlib
import struct
import sys

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
NAMES = b'\0int\0t_list\0next\0f\0E\0'
INT, PTR, ARRAY, STRUCT, TYPEDEF, CONST, FUNC, PROTO, ENUM = 1, 2, 3, 4, 8, 10, 12, 13, 6


def record(kind, name=b'', size=0, vlen=0, words=(), kflag=0):
    at = NAMES.index(b'\0' + name + b'\0') + 1 if name else 0
    return struct.pack('<III', at, kflag << 31 | kind << 24 | vlen, size) + b''.join(
        struct.pack('<I', w) for w in words)


def btf(*records, types=None, names=NAMES):
    body = b''.join(records)
    return struct.pack('<HBBIIIII', 0xeb9f, 1, 0, 24, 0, len(body) if types is None else types,
                       len(body), len(names)) + body + names


NEXT = NAMES.index(b'next')
good = btf(record(INT, b'int', 4, 0, [1 << 24 | 32]), record(PTR, size=3),
           record(STRUCT, b't_list', 16, 1, [NEXT, 2, 0]), record(ARRAY, words=[1, 1, 5]),
           record(PROTO, size=1, vlen=1, words=[NEXT, 2]), record(FUNC, b'f', 5, 1),
           record(ENUM, b'E', 4, 1, [NEXT, 7]))
seeds = {
    'good': good,
    'two-units': good + good,
    'two-units-padded': good + b'\0\0\0' + good,
    'typedef-of-itself': btf(record(TYPEDEF, b'f', 1)),
    'const-circle': btf(record(CONST, size=2), record(CONST, size=1)),
    'pointer-circle': btf(record(PTR, size=1)),
    'struct-in-itself': btf(record(STRUCT, b'f', 8, 1, [NEXT, 1, 0])),
    'array-of-itself': btf(record(ARRAY, words=[1, 1, 2])),
    'chain': btf(*[record(PTR, size=i + 2) for i in range(20000)], record(INT, b'int', 4, 0, [32])),
    'chain-back': btf(record(INT, b'int', 4, 0, [32]), *[record(PTR, size=i + 1)
                                                          for i in range(20000)]),
    'no-such-type': btf(record(PTR, size=77)),
    'no-such-name': btf(struct.pack('<III', 9999, INT << 24, 4) + b'\0\0\0\0'),
    'vlen-too-long': btf(record(STRUCT, b'f', 8, 0xffff, [NEXT, 0, 0])),
    'types-too-long': btf(record(PTR), types=0x7ffffff0),
    'unknown-kind': btf(record(31)),
    'int-of-no-size': btf(record(INT, b'int', 0, 0, [0])),
    'huge': btf(record(STRUCT, b'f', 0xffffffff), record(ARRAY, words=[1, 1, 0xffffffff])),
    'empty': btf(),
    'no-names': btf(names=b''),
}
for name, data in seeds.items():
    (out / name).write_bytes(b'b' + data)
for i in range(len(good)):
    (out / ('cut-%d' % i)).write_bytes(b'b' + good[:i])
    spoiled = bytearray(good)
    spoiled[i] ^= 0xff
    (out / ('byte-%d' % i)).write_bytes(b'b' + bytes(spoiled))
(out / 'image-nothing').write_bytes(b'i' + bytes(4096))
