#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is fired is what is recorded: types, limits, log levels, filters, contexts."""

import re
import struct

from harness import Error, Session, Target, equal, main, mi, refused

TYPES = "i8:a i16:b i32:c i64:d u8:e u16:f u32:g u64:h f32:i f64:j bool:k string:l".split()


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def test_types(daemon):
    daemon.start()
    session = Session("types").event("all:*").start()
    with Target() as target:
        target.provider("all", "one -1 0 " + " ".join(TYPES), "two -1 0 bytes:m pointer:n bool:o",
                        "none -1 0")
        target("fire all:one -1 -2 -3 -4 255 65535 4294967295 18446744073709551615 "
               "0.1 -2.5 1 a%20%22b%22%5c%0a")
        target("fire all:one 127 32767 2147483647 9223372036854775807 0 0 0 0 0 1e300 0 -")
        target("fire all:two %00%01%fe%ff 0xdeadbeef 0")
        target("fire all:none")
    events = session.events()
    equal("names", [e.name for e in events], ["all:one", "all:one", "all:two", "all:none"])
    equal("all:one", events[0].fields, dict(zip("abcdefghijkl", [
        -1, -2, -3, -4, 255, 65535, 2**32 - 1, 2**64 - 1, events[0]["i"], -2.5, "true",
        'a "b"\\\n'])))
    assert abs(events[0]["i"] - 0.1) < 1e-6, events[0]
    equal("all:one", events[1].fields, dict(zip("abcdefghijkl", [
        127, 32767, 2**31 - 1, 2**63 - 1, 0, 0, 0, 0, 0, 1e300, "false", "(null)"])))
    equal("all:two", events[2].fields,
          {"_m_length": 4, "m": [0, 1, 254, 255], "n": 0xdeadbeef, "o": "false"})
    assert "n = 0xDEADBEEF" in events[2].line, "a pointer is shown in hexadecimal"


def test_limits(daemon):
    daemon.start()
    session = Session("limits").event("cut:*").start()
    with Target() as target:
        target.provider("cut", "small -1 8 string:s bytes:b u8:end",
                        "large -1 4096 string:s bytes:b string:t u8:end",
                        "default -1 0 string:s")
        target("fire cut:small 123456789 abcdefghij 7")
        target("fire cut:small 12345678 abcdefgh 7")
        target("fire cut:large " + "x" * 5000 + " " + "y" * 3000 + " " + "z" * 900 + " 9")
        target("fire cut:large a b c 9")
        target("fire cut:default " + "d" * 300)
    events = session.events()
    for event in events[:2]:
        equal("small", (event["s"], len(event["b"]), event["end"]), ("12345678", 8, 7))
    large = events[2]
    equal("large", (large["s"], len(large["b"]), large["t"], large["end"]),
          ("x" * 4096, 3000, "z" * 900, 9))
    equal("large, short", events[3].fields,
          {"s": "a", "_b_length": 1, "b": [ord("b")], "t": "c", "end": 9})
    equal("default", events[4]["s"], "d" * 256)


def test_length_names(daemon):
    """A field may be called what LTTng would call another one's length, also where a reader takes
    an underscore off either."""
    daemon.start()
    session = Session("lengths").event("len:*").start()
    schemas = [fields.split() for fields in (
        "bytes:b u8:_b_length u8:_b_length_", "bytes:data u8:data_length",
        "u8:data_length bytes:data", "bytes:data bytes:x u8:x_length", "bytes:data u8:_data",
        "bytes:_data u8:_data_length", "bytes:__ u8:___length", "bytes:data bytes:_data",
        "bytes:data bytes:data_length", "bytes:x_length bytes:x", "bytes:x u8:x_length u8:x_length_",
        "u8:__x_length bytes:x u8:___x_length", "u8:x bytes:_x u8:__x bytes:___x bytes:____x_length",
        "bytes:a_length bytes:a u8:a_length_length u8:__a_length")]
    with Target() as target:
        target.provider("len", *[f"p{i} -1 0 " + " ".join(f) for i, f in enumerate(schemas)])
        for i, fields in enumerate(schemas):
            target(f"fire len:p{i} " + " ".join(str(k) for k in range(len(fields))))
    events = session.events()
    equal("number", len(events), len(schemas))
    for event, fields in zip(events, schemas):
        equal(" ".join(fields), {f.split(":")[1]: event[f.split(":")[1]] for f in fields},
              {f.split(":")[1]: [48 + k] if f.startswith("bytes") else k
               for k, f in enumerate(fields)})


def test_unreadable_names(daemon):
    """What babeltrace2 takes for one name twice would cost the whole trace: it is refused where LTTng
    is asked for. Where the environment alone wants it, LTTng does not get that probe, and gets the
    others."""
    daemon.start()
    session = Session("names").event("twice:*").start()
    wrong = ("u8:_data u8:data", "bytes:_data u8:data", "bytes:_data bytes:data",
             "bytes:__ u8:_", "u8:_data i64:other bytes:data")
    with Target() as target:
        target("provider refuses lttng")
        for i, fields in enumerate(wrong):
            said = refused(target, f"probe refuses no{i} -1 0 {fields}")
            assert "rename one" in said and "-22 " in said, said
    with Target(WEIR_LTTNG="1") as target:
        for i, fields in enumerate(wrong):
            target.provider(f"twice{i}", "no -1 0 " + fields, flags="")
            assert "rename one" in target(f"why twice{i}"), fields
        target.provider("twice", "before -1 0 u8:a", "no -1 0 u8:_data u8:data", "after -1 0 u8:a",
                        flags="")
        assert "twice:no: field _data before field data" in target("why twice")
        target("fire twice:before 1")
        target("fire twice:no 2 3")
        target("fire twice:after 4")
        assert target("on twice:no").split()[-1] == "0"
    equal("recorded", [(e.name, e["a"]) for e in session.events()],
          [("twice:before", 1), ("twice:after", 4)])


def test_keywords(daemon):
    """Names that mean something in CTF's metadata language or in C are names like all others."""
    daemon.start()
    names = "event id int struct name timestamp value string enum const a1 _".split()
    session = Session("words").event("struct:*").start()
    with Target() as target:
        target.provider("struct", "event -1 0 " + " ".join("u8:" + n for n in names))
        target("fire struct:event " + " ".join(str(i) for i in range(len(names))))
    equal("fields", session.events()[0].fields, {n: i for i, n in enumerate(names)})


def test_list(daemon):
    daemon.start()
    with Target() as target:
        target.provider("seen", "warn 4 0 u32:id", "debug 14 0 string:text bytes:raw f64:ms",
                        "plain -1 0 bool:ok")
        found = {}
        for event in mi("list", "--userspace", "--fields").iter("event"):
            fields = {f.findtext("name"): f.findtext("type").upper()
                      for f in event.iter("event_field")}
            found[event.findtext("name")] = (event.findtext("loglevel"), fields)
    for name, level in (("warn", "WARNING"), ("debug", "DEBUG"), ("plain", "DEBUG_LINE")):
        equal(f"log level of {name}", re.sub("^(TRACE_)*", "", found[f"seen:{name}"][0]), level)
    fields = {name: found[name][1] for name in found if name.startswith("seen:")}
    equal("field of warn", fields["seen:warn"], {"id": "INTEGER"})
    equal("fields of debug", set(fields["seen:debug"]), {"text", "_raw_length", "raw", "ms"})
    equal("types", (fields["seen:debug"]["text"], fields["seen:debug"]["ms"]), ("STRING", "FLOAT"))
    equal("fields of plain", set(fields["seen:plain"]), {"ok"})


def test_loglevels(daemon):
    daemon.start()
    session = Session("levels")
    session.event("lv:*", "--loglevel=WARNING").start()
    only = Session("only").event("lv:*", "--loglevel-only=INFO").start()
    with Target() as target:
        target.provider("lv", *[f"l{n} {n} 0 u8:v" for n in range(15)])
        for n in range(15):
            target(f"fire lv:l{n} {n}")
        try:
            target("probe lv wrong 15 0 u8:v")
        except Error as error:
            assert "log level" in str(error), error
        else:
            raise AssertionError("log level 15 was taken")
    equal("WARNING and above", [e["v"] for e in session.events()], [0, 1, 2, 3, 4])
    equal("INFO only", [e["v"] for e in only.events()], [6])


FILTERS = [
    ("a == -5", True), ("a > -5", False), ("b < -299", True), ("c == -70000", True),
    ("d == -5000000000", True), ("e == 200", True), ("f == 60000", True), ("g >= 4000000000", True),
    ("h == 10000000000", True), ("i == 0.5", True), ("i > 0.5", False), ("j < 0.25", False),
    ("j == 0.25", True), ("k == 1", True), ("k == 0", False), ('l == "/cart"', True),
    ('l == "/ca*"', True), ('l == "/x*"', False), ('a == -5 && (e == 1 || l != "no")', True),
]


def test_filters(daemon):
    """One event per filter, all fired with the same values."""
    daemon.start()
    more = [("m[1] == 0x42", True), ("m[0] == 0x42", False), ("n == 4096", True), ("n == 1", False)]
    one = [f"f{n} -1 0 " + " ".join(TYPES) for n in range(len(FILTERS))]
    two = [f"g{n} -1 0 bytes:m pointer:n" for n in range(len(more))]
    session = Session("filters")
    for n, (text, _) in enumerate(FILTERS):
        session.event(f"flt:f{n}", "--filter", text)
    for n, (text, _) in enumerate(more):
        session.event(f"flt:g{n}", "--filter", text)
    session.start()
    with Target() as target:
        target.provider("flt", *one, *two)
        for n in range(len(one)):
            target(f"fire flt:f{n} -5 -300 -70000 -5000000000 200 60000 4000000000 10000000000 "
                   "0.5 0.25 1 /cart")
        for n in range(len(two)):
            target(f"fire flt:g{n} AB 4096")
    got = {e.name for e in session.events()}
    wanted = {f"flt:f{n}" for n, (_, passes) in enumerate(FILTERS) if passes}
    wanted |= {f"flt:g{n}" for n, (_, passes) in enumerate(more) if passes}
    equal("events that passed", sorted(got), sorted(wanted))


def test_contexts(daemon):
    daemon.start()
    session = Session("ctx").context("vpid", "vtid", "procname", "ip", "pthread_id")
    session.event("ctx:*").start()
    with Target() as target:
        target.provider("ctx", "here -1 0 u8:v")
        target("fire ctx:here 1")
        target("newthread")
        target("fire ctx:here 2")
        with open(f"/proc/{target.pid}/maps") as file:
            maps = [line.split() for line in file if "x" in line.split()[1]]
        pid = target.pid
    one, two = session.events()
    equal("vpid", (one.context["vpid"], two.context["vpid"]), (pid, pid))
    equal("vtid of the first thread", one.context["vtid"], pid)
    assert two.context["vtid"] != pid, two
    equal("procname", one.context["procname"], "lttng-target"[:15])
    assert any(int(m[0].split("-")[0], 16) <= one.context["ip"] < int(m[0].split("-")[1], 16)
               for m in maps), f"ip {one.context['ip']:#x} is no code of the target"


if __name__ == "__main__":
    main(globals())
