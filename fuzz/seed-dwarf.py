#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz/dwarf.c: `seed-dwarf.py DIR SOURCE_DIR CC...`. Compiled, then damaged; and DWARF
written by hand that refers to itself, nests without end, or promises more than there is."""
import pathlib
import struct
import subprocess
import sys
import tempfile

out, source, cc = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
out.mkdir(parents=True, exist_ok=True)


def uleb(n):
    b = bytearray()
    while True:
        b.append(n & 0x7f | (0x80 if n > 0x7f else 0))
        n >>= 7
        if not n:
            return bytes(b)


def abbrev(*entries):
    """(code, tag, has children, [(attribute, form), ...])"""
    b = b''
    for code, tag, children, attrs in entries:
        b += uleb(code) + uleb(tag) + bytes([children])
        for a, f in attrs + [(0, 0)]:
            b += uleb(a) + uleb(f)
    return b + b'\0'


def unit(body, length=None, version=4):
    b = struct.pack('<HIB', version, 0, 8) + body
    return struct.pack('<I', len(b) if length is None else length) + b


def wrap(abbrevs, info):
    return b'd' + struct.pack('<H', len(abbrevs)) + abbrevs + info


NAME, TYPE, SIZE, SIBLING, LOC, ORIGIN = 3, 0x49, 0xb, 1, 0x38, 0x31
STRING, REF4, DATA1, UDATA, REF_ADDR = 8, 0x13, 0xb, 0xf, 0x10
CU = (1, 0x11, 1, [(NAME, STRING)])
HEAD = 11  # of a unit
FIRST = HEAD + 1 + 4  # position of the first child behind CU "f.c"
CUDIE = b'\1f.c\0'


def handmade():
    ptr = (2, 0x0f, 0, [(TYPE, REF4)])
    yield 'pointer-to-itself', wrap(abbrev(CU, ptr), unit(CUDIE + b'\2' + struct.pack('<I', 16)))
    for tag, what in ((0x16, 'typedef'), (0x26, 'const'), (0x01, 'array'), (0x13, 'struct')):
        a = abbrev(CU, (2, tag, 0, [(NAME, STRING), (TYPE, REF4)]))
        yield what + '-of-itself', wrap(a, unit(CUDIE + b'\2a\0' + struct.pack('<I', 16)))
    a = abbrev(CU, (2, 0x13, 1, [(NAME, STRING), (SIZE, DATA1)]),
               (3, 0x0d, 0, [(NAME, STRING), (TYPE, REF4), (LOC, DATA1)]))
    yield 'struct-in-itself', wrap(a, unit(CUDIE + b'\2s\0\x08' + b'\3m\0' +
                                           struct.pack('<IB', 16, 0) + b'\0\0'))
    n = 60000
    yield 'long-chain', wrap(abbrev(CU, ptr), unit(CUDIE + b''.join(
        b'\2' + struct.pack('<I', 16 + 5 * (i + 1)) for i in range(n)) + b'\0'))
    yield 'long-chain-back', wrap(abbrev(CU, ptr), unit(CUDIE + b''.join(
        b'\2' + struct.pack('<I', 16 + 5 * max(i - 1, 0)) for i in range(n)) + b'\0'))
    chain = b''.join(b'\2' + b's%07d\0' % i + b'\x08' + b'\3m\0' +
                     struct.pack('<IB', 16 + 24 * n, 0) + b'\0' for i in range(3))
    yield 'members-of-nothing', wrap(a, unit(CUDIE + chain))
    deep = (2, 0x13, 1, [])
    yield 'deep', wrap(abbrev(CU, deep), unit(CUDIE + b'\2' * 100000))
    yield 'no-end', wrap(abbrev(CU, ptr), unit(CUDIE, 0x7fffffff))
    yield 'length-0', wrap(abbrev(CU, ptr), struct.pack('<I', 0) * 50)
    yield 'many-units', wrap(abbrev(CU, ptr), unit(CUDIE) * 3000)
    yield 'version-9', wrap(abbrev(CU), unit(CUDIE, None, 9))
    yield 'abbrev-without-end', wrap(abbrev(CU)[:-3], unit(CUDIE))
    yield 'unknown-form', wrap(abbrev((1, 0x11, 1, [(NAME, 0x7f)])), unit(CUDIE))
    yield 'sibling-back', wrap(abbrev(CU, (2, 0x2e, 1, [(SIBLING, REF4)])),
                               unit(CUDIE + b'\2' + struct.pack('<I', 11) + b'\0\0'))
    fn = (2, 0x2e, 0, [(NAME, STRING), (ORIGIN, REF4), (0x11, 1)])
    yield 'origin-circle', wrap(abbrev(CU, fn), unit(
        CUDIE + b'\2f\0' + struct.pack('<IQ', 31, 1) + b'\2g\0' + struct.pack('<IQ', 16, 1)))
    far = (2, 0x0f, 0, [(TYPE, REF_ADDR)])
    body = CUDIE + b'\2' + struct.pack('<I', 16)
    yield 'far-circle', wrap(abbrev(CU, far), unit(body) + unit(body))
    array = abbrev(CU, (2, 0x24, 0, [(NAME, STRING), (SIZE, DATA1), (0x3e, DATA1)]),
                   (3, 0x01, 1, [(TYPE, REF4)]), (4, 0x21, 0, [(0x2f, UDATA)]))
    dims = b'\4' + uleb(2 ** 32 - 2)
    yield 'huge-array', wrap(array, unit(CUDIE + b'\2i\0\4\5' + b'\3' + struct.pack('<I', 16) +
                                         dims * 9 + b'\0\0'))
    enum = abbrev(CU, (2, 0x04, 1, [(NAME, STRING), (SIZE, DATA1)]),
                  (3, 0x28, 0, [(NAME, STRING), (0x1c, UDATA)]))
    yield 'many-values', wrap(enum, unit(CUDIE + b'\2e\0\4' + b'\3v\0\1' * 70000 + b'\0\0'))


def compiled(tmp):
    for name, flags in (('v5', ['-gdwarf-5']), ('v2', ['-gdwarf-2', '-O2']),
                        ('units', ['-fdebug-types-section']), ('gz', ['-gz'])):
        path = '%s/%s' % (tmp, name)
        subprocess.run(cc + flags + ['-g', '-w', '-c', source + '/other.c', '-o', path],
                       check=True)
        yield name, open(path, 'rb').read()


for name, data in handmade():
    (out / name).write_bytes(data)
with tempfile.TemporaryDirectory() as tmp:
    for name, data in compiled(tmp):
        (out / name).write_bytes(data)
        for i in range(1, 24):
            (out / ('%s-cut-%d' % (name, i))).write_bytes(data[:len(data) * i // 24])
            spoiled = bytearray(data)
            for at in range(i * 37, len(data), 1009):
                spoiled[at] ^= 1 << i % 8 | i
            (out / ('%s-bits-%d' % (name, i))).write_bytes(bytes(spoiled))
