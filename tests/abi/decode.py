#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An independent decoder of weir's shared memory, written from include/weir/abi/ alone.

It takes a copy of the memfd that nobody writes any more (or one that is still), and knows nothing
of the reader's or the library's code: it is what the layout is tested against.

    decode.py FILE [SESSION]        prints one JSON object a line, as `weir trace --json` does, but
                                    with "ticks" (the event clock) instead of "time" and "pid"
"""
import json
import mmap
import struct
import sys

MAGIC = 0x31304D4853524957
PACKET_SIZE = 65536
FREE, TAKEN, OPEN, FULL, READ = range(5)
STATES = ["FREE", "CLAIMED", "ACTIVE", "EXPIRED", "PENDING", "CLOSING"]
TYPES = {1: "i8", 2: "i16", 3: "i32", 4: "i64", 5: "u8", 6: "u16", 7: "u32", 8: "u64", 9: "f32",
         10: "f64", 11: "bool", 12: "string", 13: "bytes", 14: "pointer"}
SPAN = 1 << 38


class Broken(Exception):
    """The memory breaks a rule of its own description."""


def need(condition, what):
    if not condition:
        raise Broken(what)


class Probe:
    def __init__(self, note):
        version, fixed, size, self.site, self.semaphore, limit, count, self.args = \
            struct.unpack_from("<HHIQQIHH", note)
        need(version == 1 and fixed >= 32 and size <= len(note), "note's head")
        at = fixed

        def name():
            nonlocal at
            end = note.index(b"\0", at, size)
            text = note[at:end].decode("ascii")
            at = end + 1
            need(text.isidentifier() and len(text) <= 63, f"name {text!r}")
            return text

        self.provider, self.name = name(), name()
        self.limit = limit or 256
        self.fields = []
        for _ in range(count):
            kind, _flags, arg, _reserved = struct.unpack_from("<BBBB", note, at)
            at += 4
            self.fields.append((name(), TYPES[kind], arg))
        need(at == size, "note's size")


class Memory:
    def __init__(self, data):
        self.data = data
        self.size = len(data)
        (magic, self.major, self.minor, size, self.pid, self.generation, self.start_ns, self.clock,
         self.cpus, self.hz, self.tsc0, self.mono0, self.off_session, self.off_stripe,
         self.off_mask, self.off_action, self.off_desc, self.off_packet, self.off_aggregate,
         self.probes_max, self.packets, packet_size, self.sessions, self.off_schema,
         self.schema_size, self.schema_end, self.features, self.slots) = \
            struct.unpack_from("<QIIQIIQIIQQQQQQQQQQIIIIQQQII", data)
        need(magic == MAGIC, "magic")
        need(self.major == 1, "major")
        need(size == self.size, "size")
        need(packet_size == PACKET_SIZE, "packet size")
        need(self.sessions <= 8, "sessions")
        for offset, length in ((self.off_session, 512 * self.sessions),
                               (self.off_stripe, 128 * self.cpus), (self.off_mask, 4 * 65536),
                               (self.off_desc, 64 * self.packets),
                               (self.off_packet, PACKET_SIZE * self.packets),
                               (self.off_schema, self.schema_size)):
            need(4096 <= offset and offset + length <= self.size, "a table lies outside")
        need(self.off_packet % 4096 == 0, "packets are not page aligned")
        need(not any(data[176:4096]), "reserved bytes of the header")
        self.probes = self._schema()

    def _schema(self):
        probes = {}
        at = self.off_schema
        end = at + self.schema_end
        need(self.schema_end <= self.schema_size, "schema_end")
        while at < end:
            length, ident, kind = struct.unpack_from("<IHH", self.data, at)
            need(length >= 8 and length % 8 == 0 and at + length <= end, "schema record")
            if kind == 1:
                probe = Probe(bytes(self.data[at + 8:at + length]))
                old = probes.get(ident)
                need(old is None or (old.provider, old.name, old.fields) ==
                     (probe.provider, probe.name, probe.fields), "an id of two schemas")
                probes[ident] = probe
            at += length
        return probes

    def mask(self, ident, session):
        word, = struct.unpack_from("<I", self.data, self.off_mask + 4 * ident)
        return word >> (4 * session) & 15

    def session(self, k):
        at = self.off_session + 512 * k
        state, lease, mode, limit, first, count, size, owner, flags = \
            struct.unpack_from("<QQIIIIIII", self.data, at)
        released, = struct.unpack_from("<I", self.data, at + 128)
        expired_at, waiters, expiries = struct.unpack_from("<QII", self.data, at + 256)
        generation = state >> 32
        need(state & 0xff == 0 or state >> 8 & 15 == generation % 15 + 1, "a session's nibble")
        patterns = bytes(self.data[at + 288:at + 512])
        return {"state": STATES[state & 0xff], "nibble": state >> 8 & 15,
                "generation": generation, "lease": lease, "mode": mode, "limit": limit,
                "first": first, "count": count, "owner": owner, "flags": flags,
                "released": released, "expired_at": expired_at, "waiters": waiters,
                "expiries": expiries, "patterns": patterns.split(b"\0")[0].decode()}

    def lost(self, k):
        return sum(struct.unpack_from("<Q", self.data, self.off_stripe + 128 * c + 8 * k)[0]
                   for c in range(self.cpus))

    def overwritten(self, k):
        return sum(struct.unpack_from("<Q", self.data, self.off_stripe + 128 * c + 64 + 8 * k)[0]
                   for c in range(self.cpus))

    def packets_of(self, k):
        """Packets of the session's generation that exist, by slot, in order."""
        session = self.session(k)
        slots = {}
        for i in range(session["first"], session["first"] + session["count"]):
            state, generation, sequence, slot, first, last, lost, owner = \
                struct.unpack_from("<IIIIQQQI", self.data, self.off_desc + 64 * i)
            if state not in (OPEN, FULL) or generation != session["generation"] or owner != k:
                continue
            base = self.off_packet + PACKET_SIZE * i
            offset, count, packet_last = struct.unpack_from("<IIQ", self.data, base)
            if state == OPEN and count == 0:
                continue
            need(64 <= offset <= PACKET_SIZE and offset % 8 == 0, "a commit's offset")
            need(slot < self.slots, "a slot's number")
            if state == FULL:
                need(last == packet_last, "last_time of a full packet")
            slots.setdefault(slot, []).append(
                (sequence, state, base, offset, count, first, packet_last, lost))
        for packets in slots.values():
            packets.sort()
            numbers = [p[0] for p in packets]
            need(numbers == list(range(numbers[0], numbers[0] + len(numbers))),
                 "a slot's sequence has a gap")
        return slots

    def records(self, k):
        """All events of a session, in order of time; those of a slot stay in their order."""
        limit = self.session(k)["limit"] or 1 << 32
        events = []
        for slot, packets in self.packets_of(k).items():
            newest = 0
            for _seq, _state, base, offset, count, first, last, _lost in packets:
                # A lower bound and no more: it may be earlier than the packet before it ended.
                time = first
                at = base + 64
                for _ in range(count):
                    event, length, time = self._record(at, base + offset, time, limit)
                    at += length
                    need(time >= newest, "a slot's events are out of order")
                    newest = time
                    # An upper bound: it is stored before the commit that may yet be restarted.
                    need(time <= last, "an event is later than its packet's last")
                    events.append((time, slot, len(events), event))
                need(at == base + offset, "records do not fill their packet")
        events.sort(key=lambda e: (e[0], e[1], e[2]))
        return [e[3] for e in events]

    def _record(self, at, end, before, limit):
        head, tid, cpu, flags = struct.unpack_from("<QIHH", self.data, at)
        ident, low, length = head & 0xffff, head >> 16 & SPAN - 1, (head >> 54) * 8
        need(16 <= length <= end - at, "a record's length")
        time = before + (low - before) % SPAN
        probe = self.probes[ident]
        tail = at + 16 + 8 * len(probe.fields)
        fields = {}
        for i, (name, kind, _arg) in enumerate(probe.fields):
            word, = struct.unpack_from("<Q", self.data, at + 16 + 8 * i)
            if kind in ("string", "bytes"):
                padded, original = word & 0xffff, word >> 16 & 0xffff
                need(padded % 8 == 0 and tail + padded <= at + length, "a string's length")
                stored = bytes(self.data[tail:tail + padded])
                tail += padded
                if kind == "string":
                    size = min(original, limit, probe.limit)
                    need(padded == (size + 1 + 7) // 8 * 8 and not any(stored[size:]),
                         "a string's padding")
                    fields[name] = stored[:size].decode("utf-8", "replace")
                else:
                    size = min(original, limit, probe.limit)
                    need(padded == (size + 7) // 8 * 8 and not any(stored[size:]),
                         "the padding of bytes")
                    fields[name] = stored[:size].hex()
            else:
                fields[name] = self._value(kind, word)
        need(tail == at + length, "a record's length is not that of its fields")
        return {"ticks": time, "tid": tid, "cpu": cpu, "provider": probe.provider,
                "probe": probe.name, "fields": fields}, length, time

    @staticmethod
    def _value(kind, word):
        raw = struct.pack("<Q", word)
        if kind == "bool":
            return raw[0] != 0
        form = {"i8": "<b", "i16": "<h", "i32": "<i", "i64": "<q", "u8": "<B", "u16": "<H",
                "u32": "<I", "u64": "<Q", "f32": "<f", "f64": "<d", "pointer": "<Q"}[kind]
        return struct.unpack_from(form, raw)[0]


def load(path):
    with open(path, "rb") as file:
        return Memory(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def main():
    memory = load(sys.argv[1])
    k = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for event in memory.records(k):
        print(json.dumps(event))
    print(f"session {k}: {memory.session(k)}, lost {memory.lost(k)}, "
          f"overwritten {memory.overwritten(k)}", file=sys.stderr)


if __name__ == "__main__":
    main()
