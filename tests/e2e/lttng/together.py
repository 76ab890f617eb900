#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""USDT by bpftrace and perf, weir's own recording and LTTng, all on at once for one probe: each has
every event of every thread, with the same values."""

import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile

from harness import Session, Skip, Target, equal, main, wait_for

WEIR = os.environ["WEIR_TEST_CLI"]
THREADS, COUNT = 4, 1500
# unique: names of tracing events are the whole machine's
PROVIDER = f"tg{os.urandom(4).hex()}"
FIELDS = "u32:thread i64:n string:text f64:half"


def half_bits(n):
    return struct.unpack("<Q", struct.pack("<d", n / 2))[0]


def fired():
    return [(t, n, f"thread {t}, event {n}", half_bits(n))
            for t in range(THREADS) for n in range(COUNT)]


def needs_usdt(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(f"{tool} is not installed")
    if os.environ.get("WEIR_TEST_ROOTLESS") or not os.access("/proc/1/mem", os.R_OK):
        raise Skip("attaching to uprobes needs root")
    if not os.path.exists("/sys/kernel/tracing/uprobe_events"):
        mounted = subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"],
                                 capture_output=True, text=True)
        if mounted.returncode or not os.path.exists("/sys/kernel/tracing/uprobe_events"):
            raise Skip("no uprobes here: " + mounted.stderr.strip())


def interruptible():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Recorder:
    """A program that records until SIGINT."""

    def __init__(self, daemon, name, *command, env=None):
        self.name = name
        self.out = open(os.path.join(daemon.home, name + ".out"), "w")
        self.err = open(os.path.join(daemon.home, name + ".err"), "w")
        # a test in the background of a shell ignores SIGINT, and so would its children
        self.process = subprocess.Popen(command, preexec_fn=interruptible,
                                        stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, env=dict(os.environ, **(env or {})))

    def text(self, file):
        # the position of its own file is the program's too
        with open(file.name) as again:
            return again.read()

    def ready(self, what, condition):
        def check():
            assert self.process.poll() is None, \
                f"{self.name} ended: {self.text(self.err)}{self.text(self.out)}"
            return condition()
        wait_for(what, check, 60)

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        return self.text(self.out), self.text(self.err)


def on(target):
    """Who listens: USDT, how many of weir's sessions, LTTng."""
    return [int(n) for n in target(f"on {PROVIDER}:v").split()]


def stub_of(target, provider):
    with open(f"/proc/{target.pid}/maps") as file:
        return re.search(rf"(/\S*/{provider}-\w+\.so)$", file.read(), re.M).group(1)


BPFTRACE = 'usdt:%s:%s:v { printf("%%u %%ld %%lx %%s\\n", arg0, arg1, arg3, str(arg2)); }'


def bpftrace_start(daemon, target, stub):
    recorder = Recorder(daemon, "bpftrace", "bpftrace", "-B", "line", "-p", str(target.pid),
                        "-e", BPFTRACE % (stub, PROVIDER),
                        env={"BPFTRACE_PERF_RB_PAGES": "2048", "BPFTRACE_STRLEN": "64",
                             "BPFTRACE_MAX_STRLEN": "64"})
    recorder.ready("bpftrace", lambda: on(target)[0])
    return recorder


def bpftrace_events(out):
    events = []
    for line in out.splitlines():
        match = re.match(r"(\d+) (\d+) ([0-9a-f]+) (.*)$", line)
        if match:
            events.append((int(match[1]), int(match[2]), match[4], int(match[3], 16)))
    return events


def weir_record(daemon, target):
    where = tempfile.mkdtemp(prefix="weir-record-")
    recorder = Recorder(daemon, "record", WEIR, "record", "-o", where + "/trace", "-p",
                        str(target.pid), PROVIDER + ":*")
    recorder.ready("weir record", lambda: on(target)[1] == 1)
    return recorder, where + "/trace"


def ctf_events(where):
    done = subprocess.run(["babeltrace2", where], capture_output=True, text=True, timeout=120)
    equal("babeltrace2's status and complaints", (done.returncode, done.stderr), (0, ""))
    lines = [line for line in done.stdout.splitlines() if f" {PROVIDER}:v: " in line]
    found = [re.search(r"\{ thread = (\d+), n = (\d+), .*half = ([^ ,]+).* text = \"([^\"]*)\" \}$",
                       line).groups() for line in lines]
    return [(int(t), int(n), text, struct.unpack("<Q", struct.pack("<d", float(half)))[0])
            for t, n, half, text in found]


def trace_events(out):
    events = []
    for line in out.splitlines():
        fields = json.loads(line)
        fields = fields.get("fields", fields)
        events.append((fields["thread"], fields["n"], fields["text"], half_bits(fields["half"] * 2)))
    return events


def same(what, got):
    """Also the order within each thread."""
    wanted = fired()
    equal(f"events of {what}", len(got), len(wanted))
    got = sorted(enumerate(got), key=lambda e: (e[1][0], e[0]))
    differ = [(g, w) for (_, g), w in zip(got, wanted) if g != w]
    equal(f"events of {what} that differ", differ[:5], [])


def test_bpftrace_record_trace_lttng(daemon):
    needs_usdt("bpftrace")
    daemon.start()
    session = Session("together").event(PROVIDER + ":v").start()
    with Target() as target:
        target.provider(PROVIDER, "v -1 0 " + FIELDS, "idle -1 0 u8:x")
        bpftrace = bpftrace_start(daemon, target, stub_of(target, PROVIDER))
        record, where = weir_record(daemon, target)
        trace = Recorder(daemon, "trace", WEIR, "trace", "--json", "-p", str(target.pid),
                         PROVIDER + ":v")
        trace.ready("weir trace", lambda: on(target)[1] == 2)
        equal("who listens", on(target), [1, 2, 1])
        target(f"mixed {PROVIDER}:v {COUNT} {THREADS}")
        # what it has not printed when it is told to end it may leave out
        bpftrace.ready("bpftrace's output", lambda: len(
            bpftrace_events(bpftrace.text(bpftrace.out))) >= THREADS * COUNT)
        out, err = bpftrace.finish()
        traced, _ = trace.finish()
        record.finish()
        assert "Lost" not in out + err, (out + err)[-500:]
    same("LTTng", [(e["thread"], e["n"], e["text"], half_bits(e["half"] * 2))
                   for e in session.events()])
    # it reads one CPU's buffer after the other: a thread that moved has its later events first
    same("bpftrace", sorted(bpftrace_events(out)))
    same("weir record", ctf_events(where))
    same("weir trace", trace_events(traced))


def perf_start(daemon, perf, data, target):
    """The site is patched some time before events are let through: it says when they are."""
    fifos = [os.path.join(daemon.home, name) for name in ("control", "ack")]
    for fifo in fifos:
        os.mkfifo(fifo)
    control, ack = (os.open(fifo, os.O_RDWR | os.O_NONBLOCK) for fifo in fifos)
    recorder = Recorder(daemon, "perf", *perf, "record", "-q", "-m", "1024", "-o", data, "-D", "-1",
                        "--control", "fifo:" + ",".join(fifos), "-e", f"sdt_{PROVIDER}:v",
                        "-p", str(target.pid))
    os.write(control, b"enable\n")
    recorder.ready("perf", lambda: select.select([ack], [], [], 0)[0])
    os.close(control)
    os.close(ack)
    return recorder


def test_perf_record_lttng(daemon):
    needs_usdt("perf")
    daemon.start()
    session = Session("withperf").event(PROVIDER + ":v").start()
    cache = ["perf", "--buildid-dir", daemon.home + "/cache"]
    data = daemon.home + "/perf.data"
    with Target() as target:
        target.provider(PROVIDER, "v -1 0 " + FIELDS)
        record, where = weir_record(daemon, target)
        try:
            for command in (["buildid-cache", "--add", stub_of(target, PROVIDER)],
                            ["probe", "-q", "--add", f"sdt_{PROVIDER}:v"]):
                done = subprocess.run(cache + command, capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, f"perf {command}: {done.stderr}"
            perf = perf_start(daemon, cache, data, target)
            equal("who listens", on(target), [1, 1, 1])
            target(f"mixed {PROVIDER}:v {COUNT} {THREADS}")
            out, err = perf.finish()
            assert "lost" not in (out + err).lower(), out + err
            done = subprocess.run(cache + ["script", "-i", data], capture_output=True, text=True,
                                  timeout=60)
            lines = done.stdout.splitlines()
            assert lines, f"perf script: {done.stderr}{out}{err}"
        finally:
            subprocess.run(cache + ["probe", "-q", "-d", f"sdt_{PROVIDER}:*"], capture_output=True)
        record.finish()
    same("LTTng", [(e["thread"], e["n"], e["text"], half_bits(e["half"] * 2))
                   for e in session.events()])
    same("weir record", ctf_events(where))
    events = []
    for line in lines:
        found = dict(re.findall(r"arg(\d)=(\S+)", line))
        if found:
            thread, n = int(found["1"], 0), int(found["2"], 0)
            events.append((thread, n, f"thread {thread}, event {n}", int(found["4"], 0)))
    same("perf (its strings are pointers)", events)


if __name__ == "__main__":
    main(globals())
