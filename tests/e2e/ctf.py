#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CTF 1.8 from its metadata alone: an independent reader, and the rules that Trace Compass has.

    ctf.py FOLDER...    checks every trace below, prints how many events each has

It knows TSDL as far as tracers write it (integers, floats, enumerations, structures, arrays and
sequences, typealias), and nothing of what weir means by the bytes.
"""
import os
import re
import struct
import sys
import uuid

TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*|[A-Za-z_][\w.]*|0x[0-9a-fA-F]+|\d+|:=|->|\.\.\.|[{}\[\];:=,.()<>]|-', re.S)
# A field of an event that has one of these names hides what the viewer shows itself, or is no C name.
RESERVED = {"align", "callsite", "const", "char", "clock", "double", "enum", "env", "event", "floating_point", "float",
            "integer", "int", "long", "short", "signed", "stream", "string", "struct", "trace", "typealias", "typedef",
            "unsigned", "variant", "void", "_Bool", "_Complex", "_Imaginary"}


class Wrong(AssertionError):
    """The trace breaks a rule; the message says which, and where."""


def require(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


# --- types: each has an alignment in bits, and reads itself from `bits` at a position


class Bits:
    """A packet: integers of any size at any bit, little endian."""

    def __init__(self, data, start, size):
        self.data, self.start, self.size, self.at = data, start, size, 0

    def align(self, bits):
        self.at += -self.at % bits

    def take(self, size):
        require(self.at + size <= self.size, "a field ends behind the packet's content")
        first, last = self.at // 8, (self.at + size + 7) // 8
        word = int.from_bytes(self.data[self.start + first:self.start + last], "little")
        word = word >> (self.at % 8) & (1 << size) - 1
        self.at += size
        return word


class Integer:
    def __init__(self, size, align=None, signed=False, clock=None, text=False):
        self.size, self.signed, self.clock, self.text = size, signed, clock, text
        self.align = align or (8 if size % 8 == 0 else 1)

    def read(self, bits, scope):
        bits.align(self.align)
        value = bits.take(self.size)
        if self.clock is not None:
            scope["__times"].append((self.size, value))
        return value - (1 << self.size) if self.signed and value >> self.size - 1 else value


class Float:
    def __init__(self, exponent, mantissa, align):
        self.size, self.align = exponent + mantissa, align
        require((exponent, mantissa) in ((8, 24), (11, 53)), "a float of", exponent, mantissa)

    def read(self, bits, _scope):
        bits.align(self.align)
        return struct.unpack("<f" if self.size == 32 else "<d", bits.take(self.size).to_bytes(self.size // 8, "little"))[0]


class Enumeration:
    def __init__(self, container, labels):
        self.container, self.labels, self.align = container, labels, container.align

    def read(self, bits, scope):
        value = self.container.read(bits, scope)
        return next((name for name, low, high in self.labels if low <= value <= high), value)


class Many:
    """An array, or a sequence whose length is a field before it."""

    def __init__(self, element, length):
        self.element, self.length, self.align = element, length, element.align

    def read(self, bits, scope):
        bits.align(self.align)
        count = self.length if isinstance(self.length, int) else scope[self.length]
        values = [self.element.read(bits, scope) for _ in range(count)]
        if getattr(self.element, "text", False):
            return bytes(values).split(b"\0")[0].decode("utf-8", "replace")
        return values


class Structure:
    def __init__(self, fields, align):
        self.fields = fields
        self.align = max([align] + [kind.align for _name, kind in fields])

    def read(self, bits, outer):
        bits.align(self.align)
        scope = {"__times": outer["__times"]}
        for name, kind in self.fields:
            scope[name] = kind.read(bits, scope)
        del scope["__times"]
        return scope


# --- metadata


class Metadata:
    def __init__(self, text):
        self.tokens = [t for t in TOKEN.findall(text) if not t.startswith(("/*", "//"))]
        rest = TOKEN.sub("", text).strip()
        require(not rest, "the metadata has what is no token:", rest[:40])
        self.at = 0
        self.aliases, self.env, self.clocks, self.streams, self.events = {}, {}, {}, {}, {}
        self.trace = None
        while self.at < len(self.tokens):
            self.block()

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def next(self, expected=None):
        require(self.at < len(self.tokens), "the metadata ends early")
        token = self.tokens[self.at]
        self.at += 1
        require(expected is None or token == expected, "metadata:", token, "where", expected, "belongs")
        return token

    def value(self):
        words = []
        while self.peek() not in (";", "}"):
            words.append(self.next())
        self.next(";")
        text = "".join(words)
        if text.startswith('"'):
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        return int(text, 0) if re.fullmatch(r"-?(0x)?[0-9a-fA-F]+", text) and not text.isalpha() else text

    def body(self):
        """{ a = b; c := TYPE; }"""
        out = {}
        self.next("{")
        while self.peek() != "}":
            key = self.next()
            if self.next() == ":=":
                out[key] = self.type()
                self.next(";")
            else:
                out[key] = self.value()
        self.next("}")
        return out

    def block(self):
        kind = self.next()
        if kind == "typealias":
            made = self.type()
            self.next(":=")
            self.aliases[self.next()] = made
            self.next(";")
            return
        body = self.body()
        self.next(";")
        if kind == "trace":
            require(self.trace is None, "two trace blocks")
            self.trace = body
        elif kind == "env":
            self.env = body
        elif kind == "clock":
            self.clocks[body["name"]] = body
        elif kind == "stream":
            require(body.get("id", 0) not in self.streams, "two streams of one id")
            self.streams[body.get("id", 0)] = body
        elif kind == "event":
            key = (body.get("stream_id", 0), body.get("id", 0))
            require(key not in self.events, "two events of one id:", key)
            self.events[key] = body
        else:
            raise Wrong("metadata: what is", kind)

    def type(self):
        kind = self.next()
        if kind == "struct":
            return self.structure()
        if kind == "integer":
            o = self.body()
            return Integer(o["size"], o.get("align"), o.get("signed") == "true", o.get("map"),
                           o.get("encoding", "none").upper() in ("UTF8", "ASCII"))
        if kind == "floating_point":
            o = self.body()
            return Float(o["exp_dig"], o["mant_dig"], o.get("align", 8))
        if kind == "enum":
            self.next(":")
            return self.enumeration(self.type())
        require(kind in self.aliases, "metadata: no type", kind)
        return self.aliases[kind]

    def enumeration(self, container):
        labels, after = [], 0
        self.next("{")
        while self.peek() != "}":
            name, low = self.next(), after
            if self.peek() == "=":
                self.next()
                low = int(self.next())
            high = low
            if self.peek() == "...":
                self.next()
                high = int(self.next())
            labels.append((name, low, high))
            after = high + 1
            if self.peek() == ",":
                self.next()
        self.next("}")
        return Enumeration(container, labels)

    def structure(self):
        fields = []
        self.next("{")
        while self.peek() != "}":
            kind = self.type()
            name = self.next()
            if self.peek() == "[":
                self.next()
                length = self.next()
                self.next("]")
                kind = Many(kind, int(length) if length.isdigit() else length)
            self.next(";")
            fields.append((name, kind))
        self.next("}")
        align = 1
        if self.peek() == "align":
            self.next()
            self.next("(")
            align = int(self.next())
            self.next(")")
        names = [name for name, _kind in fields]
        # Readers take a leading underscore off; babeltrace2 compares with those before as they are then.
        for i, (name, _kind) in enumerate(fields):
            before = {other.removeprefix("_") for other, _ in fields[:i]}
            require(not {name, name.removeprefix("_")} & before, "a structure has a field twice:", name, before)
        return Structure(fields, align)


# --- a trace


class Trace:
    def __init__(self, path):
        self.path = path
        with open(f"{path}/metadata", "rb") as file:
            raw = file.read()
        require(raw.startswith(b"/* CTF 1.8 */"), "the metadata does not begin as text of CTF 1.8")
        self.metadata = Metadata(raw.decode("utf-8"))
        self.check_metadata()
        self.clock = next(iter(self.metadata.clocks.values()))

    def check_metadata(self):
        m = self.metadata
        require(m.trace["major"] == 1 and m.trace["minor"] == 8, "not CTF 1.8")
        uuid.UUID(m.trace["uuid"])
        require(m.trace["byte_order"] in ("le", "be"), "no byte order")
        for name in ("hostname", "domain", "tracer_name", "tracer_major", "tracer_minor", "procname", "vpid"):
            require(name in m.env, "the environment has no", name)
        require(len(m.clocks) == 1, len(m.clocks), "clocks")
        clock = next(iter(m.clocks.values()))
        uuid.UUID(clock["uuid"])
        require(clock["freq"] > 0 and 0 <= clock["offset"] < clock["freq"], "the clock's offset:", clock)
        for stream in m.streams.values():
            names = [name for name, _ in stream["packet.context"].fields]
            for name in ("timestamp_begin", "timestamp_end", "content_size", "packet_size", "events_discarded", "cpu_id"):
                require(name in names, "a packet has no", name)
        for (stream, _number), event in m.events.items():
            require(stream in m.streams, "an event of no stream:", event["name"])
            for name, _kind in event["fields"].fields:
                require(re.fullmatch(r"[A-Za-z_]\w*", name) and name not in RESERVED, "a field is called", name)

    def files(self):
        return sorted(e.path for e in os.scandir(self.path) if e.is_file() and e.name != "metadata" and e.name[0] != ".")

    def ns(self, ticks):
        """Of the epoch; ticks of the clock."""
        c = self.clock
        return (c["offset_s"] * c["freq"] + c["offset"] + ticks) * 1000000000 // c["freq"]

    def packets(self, path, data):
        """(where, header and context, bits behind them) of each packet of a file."""
        m, at = self.metadata, 0
        while at < len(data):
            bits = Bits(data, at, (len(data) - at) * 8)
            header = m.trace["packet.header"].read(bits, {"__times": []})
            where = f"{path} at {at}"
            require(header["magic"] == 0xc1fc1fc1, where, "no packet")
            require(header["stream_id"] in m.streams, where, "no stream", header["stream_id"])
            context = m.streams[header["stream_id"]]["packet.context"].read(bits, {"__times": []})
            content, size = context["content_size"], context["packet_size"]
            require(bits.at <= content <= size and size % 8 == 0 and size <= (len(data) - at) * 8, where, "sizes", context)
            bits.size = content
            yield where, {**header, **context}, bits
            at += size // 8

    def events(self, path):
        """(ticks, event, context, fields, packet) of a file, with every rule checked on the way."""
        with open(path, "rb") as file:
            data = file.read()
        require(data, path, "is empty")
        before = None
        for where, packet, bits in self.packets(path, data):
            begin, end = packet["timestamp_begin"], packet["timestamp_end"]
            require(begin <= end, where, "ends before it begins")
            if before:
                require(begin >= before["timestamp_end"], where, "overlaps the packet before it")
                require(packet["events_discarded"] >= before["events_discarded"], where, "fewer losses than before")
                require(packet["cpu_id"] == before["cpu_id"], where, "is of another CPU")
                require(packet["packet_seq_num"] == before["packet_seq_num"] + 1, where, "does not go on counting")
            before, now = packet, begin
            while bits.at < bits.size:
                now, *event = self.event(where, packet, bits, now)
                require(begin <= now <= end, where, "an event outside of the packet's time")
                yield now, *event, packet
            # A structure's alignment may reach behind the content of the last event only.
            require(bits.at == bits.size or bits.at % 64 == 0, where, "content is left over")

    def event(self, where, packet, bits, now):
        stream = self.metadata.streams[packet["stream_id"]]
        times = []
        header = stream["event.header"].read(bits, {"__times": times})
        for size, low in times:  # the clock's low bits
            now += (low - now) & (1 << size) - 1
        context = stream["event.context"].read(bits, {"__times": []}) if "event.context" in stream else {}
        about = self.metadata.events.get((packet["stream_id"], header["id"]))
        require(about, where, "no event", header["id"])
        fields = about["fields"].read(bits, {"__times": []})
        bits.align(64 if stream["event.header"].align == 64 and bits.at < bits.size else 1)
        return now, about["name"], context, {k.removeprefix("_"): v for k, v in fields.items()}

    def all(self):
        """Every event of the trace, in the order of time."""
        found = [(now, name, context, fields, packet) for path in self.files()
                 for now, name, context, fields, packet in self.events(path)]
        return sorted(found, key=lambda e: e[0])


def traces(folder):
    found = [Trace(path) for path, _dirs, files in sorted(os.walk(folder)) if "metadata" in files]
    ids = [t.metadata.trace["uuid"] for t in found]
    require(len(set(ids)) == len(ids), "two traces have one uuid")
    return found


def main():
    for folder in sys.argv[1:]:
        for trace in traces(folder):
            print(trace.path, sum(1 for path in trace.files() for _ in trace.events(path)))


if __name__ == "__main__":
    main()
