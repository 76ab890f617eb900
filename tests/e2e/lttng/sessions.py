#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a session can ask for: buffers, snapshots, tracking, live streams, triggers, several at once."""

import os
import re
import subprocess
import tempfile
import time

from harness import (Notifications, Session, Skip, Target, equal, lttng, main, mi, parse_line,
                     read_trace, wait_for)


def test_per_pid(daemon):
    daemon.start()
    session = Session("pids", pids=True).event("a:*").start()
    with Target() as one, Target() as two:
        for number, target in enumerate((one, two)):
            target.provider("a", "b -1 0 u32:v")
            target(f"fire a:b {number}")
        pids = {one.pid, two.pid}
    session.stop()
    session.destroy()
    equal("values", sorted(e["v"] for e in read_trace(session.output)), [0, 1])
    found = {int(m.group(1)) for path, _, _ in os.walk(session.output)
             if (m := re.search(r"/ust/pid/\S*-(\d+)-\d{8}-\d{6}$", path))}
    equal("a trace per process", found, pids)


def test_per_uid_shares_events(daemon):
    """Processes that declare the same event share one description of it in the metadata."""
    daemon.start()
    session = Session("uid").event("shared:*").start()
    with Target() as one, Target() as two:
        for number, target in enumerate((one, two)):
            target.provider("shared", "ev -1 0 u32:v string:s")
            target(f"fire shared:ev {number} x")
    session.stop()
    session.destroy()
    equal("values", sorted(e["v"] for e in read_trace(session.output)), [0, 1])
    with open(find_file(session.output, "metadata"), "rb") as file:
        equal("descriptions of shared:ev", file.read().count(b"shared:ev"), 1)


def find_file(where, name):
    for path, _, files in os.walk(where):
        if name in files:
            return os.path.join(path, name)
    raise AssertionError(f"no {name} below {where}")


def test_snapshot(daemon):
    daemon.start()
    output = tempfile.mkdtemp(prefix="weir-snapshot-")
    session = Session("snap", "--snapshot", channel=("--subbuf-size=16k", "--num-subbuf=2"))
    session.event("s:*").start()
    with Target() as target:
        target.provider("s", "n -1 0 i64:n")
        target("loop s:n 20000 1")
        lttng("snapshot", "record", "--session=snap", "ctf-" + output, check=False)
        lttng("snapshot", "record", "--session=snap", output)
        session.stop()
    session.destroy()
    last = [e["n"] for e in read_trace(output, allow="discarded|overwritten|lost")]
    assert 100 < len(last) < 20000, f"{len(last)} events in a snapshot of two small buffers"
    equal("the last ones, in order", last, list(range(20000 - len(last), 20000)))


def test_track(daemon):
    daemon.start()
    session = Session("track", pids=False)
    with Target() as one, Target() as two:
        lttng("track", "--userspace", "--session=track", f"--pid={one.pid}")
        session.event("t:*").start()
        for number, target in enumerate((one, two)):
            target.provider("t", "v -1 0 u32:v")
            target(f"fire t:v {number}")
        lttng("track", "--userspace", "--session=track", f"--pid={two.pid}")
        lttng("untrack", "--userspace", "--session=track", f"--pid={one.pid}")
        one("fire t:v 2")
        two("fire t:v 3")
    equal("values", [e["v"] for e in session.events()], [0, 3])


def test_live(daemon):
    """A reader that is connected sees each event while the program runs, and then the end."""
    relay = daemon.start("lttng-relayd")
    daemon.start()
    session = Session("live", "--live=100000", "--set-url=net://127.0.0.1").event("live:*").start()
    with Target() as target:
        target.provider("live", "v -1 0 u32:v string:s")
        target("fire live:v 0 early")
        reader = subprocess.Popen(
            ["stdbuf", "-oL", "babeltrace2", "--input-format=lttng-live",
             f"net://127.0.0.1/host/{os.uname().nodename}/live"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for("a connected reader", lambda: "1 client(s)" in subprocess.run(
            ["babeltrace2", "--input-format=lttng-live", "net://127.0.0.1"],
            capture_output=True, text=True).stdout)
        time.sleep(0.5)
        for number in range(1, 5):
            target(f"fire live:v {number} n{number}")
            event = parse_line(reader.stdout.readline())
            if number == 1 and event["v"] == 0:  # it joined before that buffer was sent
                event = parse_line(reader.stdout.readline())
            equal("seen while it runs", (event["v"], event["s"]), (number, f"n{number}"))
        target("fire live:v 5 last")
        session.stop()
        session.destroy()
    rest, errors = reader.communicate(timeout=30)
    equal("the last one", [parse_line(line)["v"] for line in rest.splitlines()], [5])
    equal("babeltrace2's status and complaints", (reader.returncode, errors), (0, ""))
    daemon.stop(relay)


def test_many_sessions(daemon):
    """Each session gets all of what it asked for, from the same fires."""
    daemon.start()
    sessions = [Session(f"m{n}").event("many:v", "--filter", f"n % {n + 1} == 0" if False else
                                       f"n >= {n * 100}").start() for n in range(4)]
    with Target() as target:
        target.provider("many", "v -1 0 i64:n")
        target("loop many:v 500 1")
    for n, session in enumerate(sessions):
        equal(f"session {n}", [e["n"] for e in session.events()], list(range(n * 100, 500)))


def test_start_stop(daemon):
    daemon.start()
    session = Session("twice").event("ss:*")
    with Target() as target:
        target.provider("ss", "v -1 0 u32:v")
        target("fire ss:v 0")
        session.start()
        target("fire ss:v 1")
        session.stop()
        target("fire ss:v 2")
        session.start()
        target("fire ss:v 3")
        lttng("disable-event", "--userspace", "--session=twice", "--channel=c", "ss:*")
        target("fire ss:v 4")
        lttng("enable-event", "--userspace", "--session=twice", "--channel=c", "ss:*")
        target("fire ss:v 5")
        lttng("disable-channel", "--userspace", "--session=twice", "c")
        target("fire ss:v 6")
        lttng("enable-channel", "--userspace", "--session=twice", "c")
        target("fire ss:v 7")
    equal("values", [e["v"] for e in session.events()], [1, 3, 5, 7])


def test_discarded_are_counted(daemon):
    """A buffer that is too small loses events, says how many, and the trace stays readable."""
    daemon.start()
    session = Session("small", channel=("--subbuf-size=4k", "--num-subbuf=2", "--discard"))
    session.event("d:*").start()
    with Target() as target:
        target.provider("d", "v -1 4096 i64:n", "big -1 4096 string:s")
        target("fire d:big " + "x" * 5000)  # larger than a sub-buffer
        target("loop d:v 200000 2")
        target("fire d:big y")
    session.stop()
    session.destroy()
    done = subprocess.run(["babeltrace2", session.output], capture_output=True, text=True)
    equal("status", done.returncode, 0)
    read = len(done.stdout.splitlines())
    lost = sum(int(n) for n in re.findall(r"discarded (\d+) event", done.stderr))
    assert lost > 0 and read + lost >= 400000, f"{read} read, {lost} discarded"


def test_lossless(daemon):
    """LTTng's blocking mode, which a program must allow: buffers far too small, nothing lost. One
    thread: of several that wait for one buffer, LTTng 2.13 loses events, of static ones as well."""
    daemon.start()
    session = Session("lossless", channel=("--subbuf-size=4k", "--num-subbuf=2",
                                           "--blocking-timeout=inf"))
    session.event("ll:*").start()
    with Target(LTTNG_UST_ALLOW_BLOCKING="1") as target:
        target.provider("ll", "v -1 0 i64:n")
        target("loop ll:v 10000 1")
    # a discarded event would be a complaint of the reader as well
    equal("events", [e["n"] for e in session.events()], list(range(10000)))


def test_rotation(daemon):
    daemon.start()
    session = Session("rot").event("r:*").start()
    with Target() as target:
        target.provider("r", "v -1 0 u32:v")
        for number in range(3):
            target(f"fire r:v {number}")
            lttng("rotate", "rot")
    session.stop()
    session.destroy()
    chunks = sorted(os.listdir(os.path.join(session.output, "archives")))
    got = [[e["v"] for e in read_trace(os.path.join(session.output, "archives", c))]
           for c in chunks[:3]]
    equal("one event a chunk", got, [[0], [1], [2]])


def test_trigger_notifies(daemon):
    daemon.start()
    try:
        lttng("add-trigger", "--name=big", "--condition=event-rule-matches", "--type=user",
              "--name=trg:order", "--filter=amount > 100 && path == \"/cart*\"", "--capture=amount",
              "--capture=path", "--capture=ok", "--capture=raw[1]", "--action=notify")
    except AssertionError as error:
        raise Skip(f"no triggers: {error}") from error
    channel = Notifications()
    channel.subscribe("big")
    with Target() as target:
        target.provider("trg", "order -1 0 i32:amount string:path bool:ok bytes:raw")
        target("fire trg:order 99 /cart/1 1 AB")
        target("fire trg:order 101 /cart/2 1 CD")
        target("fire trg:order 102 /other 1 EF")
        target("fire trg:order 103 /cart/3 0 GH")
        equal("captured", channel.next()[0], 101)
        equal("captured", channel.next()[0], 103)
        time.sleep(0.3)
        assert not channel.pending(), "a notification too many"
    lttng("remove-trigger", "big")


def test_trigger_starts_a_session(daemon):
    daemon.start()
    session = Session("later").event("act:*")
    lttng("add-trigger", "--name=go", "--condition=event-rule-matches", "--type=user",
          "--name=act:go", "--action=start-session", "later")
    with Target() as target:
        target.provider("act", "go -1 0", "v -1 0 u32:v")
        target("fire act:v 1")
        target("fire act:go")
        wait_for("the session to start",
                 lambda: [s for s in mi("list").iter("session")
                          if s.findtext("name") == "later"
                          and s.findtext("enabled") == "true"])
        target("fire act:v 2")
    equal("values", [e["v"] for e in session.events() if e.name == "act:v"], [2])


def test_hit_counters(daemon):
    """LTTng 2.14 and later: maps that count hits, per key, without recording an event."""
    daemon.start()
    lttng("create", "maps", "--output=" + daemon.home)
    try:
        lttng("add-map-channel", "--type=user", "--value-type=signed-int-64", "--session=maps", "m")
    except AssertionError as error:
        raise Skip("this LTTng has no maps") from error
    for name, rule in (("a", ()), ("b", ("--filter=n >= 10 && s == \"x*\"",))):
        lttng("add-trigger", f"--name=count-{name}", "--condition=event-rule-matches",
              "--type=user", f"--name=hit:{name}", *rule, "--action=incr-map-value",
              "--session=maps", "--channel=m", "--type=user", "--key={event_name}")
    lttng("start", "maps")
    with Target() as target:
        target.provider("hit", "a -1 0 i64:n", "b -1 0 i64:n string:s", "c -1 0 i64:n")
        target("loop hit:a 110 3")
        for number in range(20):
            target(f"fire hit:b {number} {'xyz' if number % 2 else 'abc'}")
        target("loop hit:c 5 1")
        shown = lttng("show-maps", "--session=maps", "--channel=m")
    got = dict(re.findall(r"(hit:\w+)\W+(\d+)", shown))
    equal("counts in\n" + shown, got, {"hit:a": "330", "hit:b": "5"})
    lttng("destroy", "maps")


if __name__ == "__main__":
    main(globals())
