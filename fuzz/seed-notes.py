#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Seeds for fuzz/notes.c: `seed-notes.py DIR` writes them. Small ELF files, whole and damaged."""
import pathlib
import struct
import sys

TYPES = {"i32": 3, "u64": 8, "f64": 10, "bool": 11, "string": 12, "bytes": 13, "pointer": 14}


def weir_desc(provider, probe, fields, site=0, semaphore=0, version=1):
    body = provider.encode() + b"\0" + probe.encode() + b"\0"
    arg = 0
    for kind, name in fields:
        body += struct.pack("<BBBB", TYPES[kind], 0, arg, 0) + name.encode() + b"\0"
        arg += 2 if kind == "bytes" else 1
    return struct.pack("<HHIQQIHH", version, 32, 32 + len(body), site, semaphore, 0, len(fields),
                       arg) + body


def usdt_desc(provider, probe, args, site=0, base=0, semaphore=0, word="Q"):
    return struct.pack("<3" + word, site, base, semaphore) + b"\0".join(
        s.encode() for s in (provider, probe, args)) + b"\0"


def note(owner, kind, desc):
    name = owner.encode() + b"\0"

    def pad(b):
        return b + b"\0" * (-len(b) % 4)
    return struct.pack("<III", len(name), len(desc), kind) + pad(name) + pad(desc)


def elf(sections, segments=(), bits=64, kind=3, machine=62):
    """sections: (name, type, address, bytes); segments: (type, flags, bytes, address)."""
    wide = bits == 64
    head, ph_size, sh_size = (64, 56, 64) if wide else (52, 32, 40)
    at = head + ph_size * len(segments)
    blob, phs, shs, names = b"", b"", b"", b"\0"
    for kind_, flags, data, address in segments:
        offset = at + len(blob)
        if wide:
            phs += struct.pack("<IIQQQQQQ", kind_, flags, offset, address, address, len(data),
                               len(data), 4)
        else:
            phs += struct.pack("<IIIIIIII", kind_, offset, address, address, len(data), len(data),
                               flags, 4)
        blob += data
    if sections:
        shs += b"\0" * sh_size
    for name, kind_, address, data in list(sections) + ([(".shstrtab", 3, 0, None)]
                                                        if sections else []):
        index = len(names)
        names += name.encode() + b"\0"
        data = names if data is None else data
        offset = at + len(blob)
        blob += data
        fmt = "<IIQQQQIIQQ" if wide else "<IIIIIIIIII"
        shs += struct.pack(fmt, index, kind_, 0, address, offset, len(data), 0, 0, 4, 0)
    count = len(sections) + 1 if sections else 0
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1, 0]) + b"\0" * 8
    fmt = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    header = ident + struct.pack(
        fmt, kind, machine, 1, 0, head if segments else 0, at + len(blob) if sections else 0, 0,
        head, ph_size, len(segments), sh_size, count + 1 if count else 0, count)
    return header + phs + blob + shs


def seeds():
    fields = [("u64", "id"), ("bytes", "body"), ("string", "path"), ("f64", "ms")]
    weir = weir_desc("shop", "order", fields, site=0x1000)
    usdt = usdt_desc("shop", "order", "8@%rdi 8@%rsi -4@%edx 8f@%xmm0", site=0x1000)
    yield "weir-note", b"w" + weir
    yield "weir-note-empty", b"w" + weir_desc("a", "b", [])
    yield "weir-note-future", b"w" + weir_desc("a", "b", [], version=2)
    yield "weir-note-cut", b"w" + weir[:-3]
    yield "usdt-note", b"s" + usdt
    yield "usdt-note-32", b"t" + usdt_desc("a", "b", "-4@8(%ebp) 4@$-7", word="I")
    yield "usdt-note-arm", b"s" + usdt_desc("a", "b", "-4@[sp, 12] 8@x1")
    yield "usdt-note-no-size", b"s" + usdt_desc("a", "b", "%rdi (%rsi")
    notes = [(".note.weir", 7, 0, note("weir", 1, weir)),
             (".note.stapsdt", 7, 0, note("stapsdt", 3, usdt)),
             (".note.gnu.build-id", 7, 0, note("GNU", 3, bytes(20))),
             (".stapsdt.base", 1, 0x2000, b"\0")]
    text = (1, 5, b"\x90\x66\x2e\x0f\x1f\x84\0\0\0\0\0\xc3", 0x1000)
    whole = elf(notes, [text])
    yield "elf-both", whole
    yield "elf-32", elf([(".note.stapsdt", 7, 0, note("stapsdt", 3, usdt_desc(
        "a", "b", "4@%eax", word="I")))], bits=32, machine=3)
    yield "elf-no-sections", elf([], [text, (4, 4, note("weir", 1, weir), 0x3000)])
    yield "elf-cut", whole[:len(whole) - 100]
    yield "elf-many", elf([(".note.weir", 7, 0, b"".join(
        note("weir", 1, weir_desc("shop", f"p{i}", fields, site=0x1000 + 16 * i))
        for i in range(50)))])
    yield "elf-bad-note", elf([(".note.weir", 7, 0, struct.pack("<III", 5, 0xfffffff0, 1) +
                                b"weir\0\0\0\0" + weir)])
    yield "elf-huge-section", whole[:-64 * 5] + struct.pack(
        "<IIQQQQIIQQ", 1, 7, 0, 0, 64, 1 << 62, 0, 0, 4, 0) + whole[-64 * 4:]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
