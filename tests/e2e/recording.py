# SPDX-License-Identifier: MIT
"""Recordings written by this program, as docs/abi.md and reader/ctf.h describe them: what a real target
could fire, but with values, times and losses that a test chooses."""
import json
import os
import struct

HEAD = struct.Struct("<6I6Q2I")  # struct ctf_packet_head
FLOATS = {"f32": "<f", "f64": "<d"}
EPOCH = 1_700_000_000  # s; the clock's 0
PACKET = 60000  # bytes of records, at most


def encode(identity, time, fields, values, tid=7, cpu=0):
    """A record; time in ns since EPOCH."""
    fixed, tail = b"", b""
    for (_name, kind), value in zip(fields, values):
        if kind in ("string", "bytes"):
            data = value if isinstance(value, bytes) else value.encode()
            padded = data + b"\0" * (-len(data) % 8)
            fixed += struct.pack("<HHI", len(padded), len(data), 0)
            tail += padded
        elif kind in FLOATS:
            fixed += struct.pack(FLOATS[kind], value).ljust(8, b"\0")
        else:
            fixed += struct.pack("<Q", int(value) & 2**64 - 1)
    body = struct.pack("<IHH", tid, cpu, 0) + fixed + tail
    return struct.pack("<Q", identity | (time & 2**38 - 1) << 16 | (len(body) + 8) // 8 << 54) + body


class Recording:
    """One process's trace. `probes`: {name: [(field, type), ...]}."""

    def __init__(self, folder, probes, process="shop", pid=42, command="shop --serve"):
        self.path = f"{folder}/{process.replace('/', '_')}-{pid}"
        os.makedirs(self.path)
        self.probes = {name: (i, fields) for i, (name, fields) in enumerate(probes.items(), 1)}
        self.slots = {}  # number -> [file, packets]
        about = {"version": 1, "pid": pid, "inner_pid": pid, "process": process, "command": command, "hostname": "test",
                 "clock": {"hz": 10**9, "offset_s": EPOCH, "offset": 0},
                 "probes": [{"id": i, "provider": name.split(":")[0], "probe": name.split(":")[1],
                             "fields": [{"name": f, "type": t} for f, t in fields]}
                            for name, (i, fields) in self.probes.items()]}
        with open(f"{self.path}/.weir", "w", encoding="utf-8") as file:
            json.dump(about, file)
        open(f"{self.path}/metadata", "w", encoding="utf-8").close()

    def rotated(self, slot, packets):
        """The slot's first so many packets are gone."""
        self.slots[slot] = packets
        return self

    def packet(self, records, begin, end, lost=0, slot=0, total=0, source=0):
        """`source`: the number of the packet in memory."""
        name = f"{self.path}/stream_{slot}"
        count = self.slots.setdefault(slot, 0)
        self.slots[slot] += 1
        bits = (HEAD.size + len(records)) * 8
        with open(name, "ab") as file:
            file.write(HEAD.pack(0xc1fc1fc1, 0, 1, source, 0, 0, total, begin, end, bits, bits, lost, slot, count) + records)

    def events(self, events, lost=0, slot=0, total=0):
        """[(time in ns, probe, values)], in the order of time; `lost` in all, with the last packet. `total`: of the
        slot, with those that are gone."""
        buffer, begin, end = b"", None, 0
        for time, probe, values in events:
            identity, fields = self.probes[probe]
            record = encode(identity, time, fields, values)
            if len(buffer) + len(record) > PACKET:
                self.packet(buffer, begin, end, 0, slot, total)
                buffer, begin = b"", None
            begin = time if begin is None else begin
            buffer, end = buffer + record, time
        self.packet(buffer, begin or 0, end, lost, slot, total)
        return self
