#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scenarios of `weir trace` on live programs.

    trace.py BUILD_ROOT SCENARIO...      each function named test_SCENARIO below
    trace.py BUILD_ROOT --list

Exit status 77: skipped, with the reason.
"""
import json
import mmap
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "abi"))
import decode  # noqa: E402
from scenarios import run_scenarios  # noqa: E402

BUILD = os.path.abspath(sys.argv[1])
WEIR = f"{BUILD}/cli/weir"
SHOP = f"{BUILD}/tests/e2e/shop"
FORKS = f"{BUILD}/tests/e2e/forks"
SYNTH = f"{BUILD}/tests/abi/synth-target"
LIMIT = 60  # seconds until a hang is a failure
children = []


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


class Target:
    """A program that has printed "ready PID"."""

    def __init__(self, *arguments, program=SHOP, before=(), env=None):
        self.process = subprocess.Popen([*before, program, *map(str, arguments)], text=True,
                                        stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
        children.append(self.process)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        self.inner = int(line.split()[1])
        self.pid = self.process.pid

    def done(self):
        """The number of fires that met a tracer."""
        for line in self.process.stdout:
            match = re.match(r"(?:done|fired) (\d+)", line)
            if match:
                return int(match[1])
        raise AssertionError("the target ended without a count")

    def end(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(LIMIT)


class Trace:
    def __init__(self, *arguments, before=(), stdout=None, **more):
        # A file, not a pipe: weir must not wait for this program to read.
        self.file = None if stdout else tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*before, WEIR, "trace", *map(str, arguments)], text=True,
                                        stdout=stdout or self.file, stderr=subprocess.PIPE,
                                        **more)
        children.append(self.process)

    def finish(self, number=None, status=0):
        if number:
            self.process.send_signal(number)
        _, self.err = self.process.communicate(timeout=LIMIT)
        if self.file:
            self.file.seek(0)
            self.out = self.file.read()
            self.file.close()
        assert "Sanitizer" not in self.err, self.err
        if status is not None:
            assert self.process.returncode == status, (self.process.returncode, self.err)
        return self

    def events(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def count(self, what):
        """A number of the summary: "events", "lost", "late", "overwritten"."""
        pattern = r"(\d+) events in" if what == "events" else rf"{what} (\d+)"
        match = re.search(pattern, self.err)
        return int(match[1]) if match else 0


def trace(*arguments, status=0, **more):
    return Trace(*arguments, **more).finish(status=status)


def wait_until(condition, what, seconds=LIMIT):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)


def memfd(pid):
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") == "/memfd:weir (deleted)":
                return f"/proc/{pid}/fd/{fd}"
        except FileNotFoundError:
            pass
    raise AssertionError("no memfd")


def contiguous(events, threads):
    """Per thread: the sequence numbers must be 0, 1, 2, ... Returns how many of each."""
    counts = [0] * threads
    for event in events:
        if event["probe"] == "order":
            thread, number = event["fields"]["id"] >> 56, event["fields"]["id"] & (1 << 56) - 1
            assert number == counts[thread], (thread, number, counts[thread])
            counts[thread] += 1
    return counts


# --- what is printed

def test_json():
    target = Target("-w", "-n", 1000, "-t", 2)
    before = time.time_ns()
    run = trace("--json", "-p", target.pid, "shop:*")
    events = run.events()
    assert contiguous(events, 2) == [1000, 1000]
    assert len(events) == 2001 and run.count("events") == 2001 and run.count("lost") == 0, run.err
    newest = before - 10**9
    for event in events:
        assert list(event) == ["time", "pid", "tid", "cpu", "provider", "probe", "fields"]
        assert event["time"] >= newest and event["time"] < time.time_ns() + 10**9, event
        newest = event["time"]
        assert event["pid"] == target.pid and event["provider"] == "shop"
    order = next(e for e in events if e["probe"] == "order")
    assert order["tid"] in range(target.pid, target.pid + 1000000)
    assert order["fields"] == {"id": order["fields"]["id"], "path": "/cart", "ms": 0.0, "ok": True}
    assert events[-1]["fields"] == {"n": 2}


def test_text():
    target = Target("-w", "-n", 4)
    run = trace("-p", target.pid, "--color", "never")
    lines = run.out.splitlines()
    assert len(lines) == 5, run.out
    assert re.fullmatch(rf'\d\d:\d\d:\d\d\.\d{{9}} shop/{target.pid} shop:order id=3 '
                        r'path="/item/ä" ms=0.75 ok=false', lines[3]), lines[3]
    target = Target("-w", "-n", 4)
    coloured = trace("-p", target.pid, "--color", "always").out
    assert "\033[" in coloured and re.sub(r"\033\[[0-9;]*m", "", coloured).endswith("n=1\n")


TEXTS = f"{BUILD}/tests/e2e/texts"


def test_texts():
    """What was cut or NULL is told; what acts on a terminal is escaped."""
    events = trace("--json", "-p", Target(program=TEXTS).pid).events()
    assert [e["fields"]["s"] for e in events] == [
        "12345678", "12345678", "", None, "1234567", "a\u202eb", "a\u2028b", "\u061c\u2066",
        "\x1b[31m", "\u20ac"]
    assert [e.get("cut") for e in events] == [None, ["s"], None, None, ["s"]] + [None] * 5
    lines = trace("-p", Target(program=TEXTS).pid).out.splitlines()
    assert [line.split(" s=")[1].rsplit(" b=")[0] for line in lines] == [
        '"12345678"', '"12345678"...', '""', "NULL", '"1234567"...', r'"a\u202eb"',
        r'"a\u2028b"', r'"\u061c\u2066"', r'"\u001b[31m"', '"\u20ac"'], lines
    run = trace("--json", "-p", Target(program=TEXTS).pid, "--where", 'b == "6279" && s == ""')
    assert len(run.events()) == 1, run.out
    run = trace("--json", "-p", Target(program=TEXTS).pid, "--where", 's == ""')
    assert [e["fields"]["s"] for e in run.events()] == ["", None]


def test_selection():
    """One of -p, --all and a command."""
    for arguments in (["-p", 1, "--all"], ["-p", 1, "--", "true"], ["--all", "--", "true"]):
        says(trace(*arguments, status=2), "trace takes one of -p PID, --all and -- COMMAND")
    run = trace("--", "/nonexistent/\x1b[31m\u202e", status=1)
    says(run, r"/nonexistent/\x1b[31m\xe2\x80\xae")
    assert "\x1b" not in run.err, run.err


def test_count_duration():
    target = Target("-F", "-g", 100000)
    assert len(trace("-p", target.pid, "-n", 7).out.splitlines()) == 7
    began = time.monotonic()
    trace("-p", target.pid, "-d", "0.3")
    assert time.monotonic() - began >= 0.3
    for wrong in (["-n", "0"], ["-n", "x"], ["-d", "-1"], ["-b", "12Q"], ["-m", "none"],
                  ["-p", "x"], []):
        run = trace(*(wrong if "-p" in wrong or not wrong else ["-p", target.pid, *wrong]),
                    status=2)
        assert run.err.startswith("weir: "), run.err


def test_where():
    target = Target("-w", "-n", 100)
    run = trace("--json", "-p", target.pid, "--where",
                'ms > 5 && path ~ "/cart*" && !(id == 40) && ok')
    assert [e["fields"]["id"] for e in run.events()] == \
        [i for i in range(100) if i / 4 > 5 and i % 4 in (0, 1) and i != 40 and i % 2 == 0]
    assert run.count("shown") == len(run.events()) and run.count("events") == 101, run.err
    target = Target("-F", "-g", 1000000)
    for expression, says in (("ms >", "column 5"), ("nosuch > 1", "nosuch"),
                             ("path > 1", "string is compared"), ("path", "string: compare"),
                             ('ms ~ "a"', "a string is compared"), ("ms = 1", "=="),
                             ('"x"', "a string alone is no condition")):
        run = trace("-p", target.pid, "-d", "1", "-W", expression, "shop:order", status=None)
        assert run.process.returncode in (1, 2) and says in run.err, (expression, run.err)
    # Of several probes, what none of them has.
    for expression, says in (("ms > nosuch", "none of the 2 probes has a field `nosuch`"),
                             ("ms > 0 || zzz == 1", "column 11: none of the 2 probes has a field `zzz`"),
                             ("pats == 1", "nearest: path"), ("path > n", "no field")):
        run = trace("-p", target.pid, "-d", "1", "-W", expression, "shop:*", status=1)
        assert says in run.err, (expression, run.err)
    # Of probes that come later it is told once, and the command's success is not weir's.
    for expression, says in (("nosuch > 1", "no field `nosuch`"), ("path > 1", "string is compared")):
        run = trace("-q", "-W", expression, "shop:order", "--", SHOP, "-n", 5, status=1)
        assert run.err.count(says) == 1 and "nothing is shown" in run.err, run.err
    run = trace("-W", "id == 3", "shop:*", "--", SHOP, "-n", 5)
    assert run.count("shown") == 1 and "--where" not in run.err, run.err


def test_tid():
    target = Target("-w", "-n", 50, "-t", 2, "-s", 1)
    run = trace("--json", "-p", target.pid, "--tid", target.pid)
    assert {e["tid"] for e in run.events()} == {target.pid} and len(run.events()) == 51
    assert "no such thread" not in run.err, run.err
    target = Target("-F", "-g", 1000000)
    says(trace("-p", target.pid, "-d", 0.2, "--tid", os.getpid()), "no such thread",
         f"/proc/{target.pid}/task")


# --- identity and modes

def identity(mode, *more):
    target = Target("-w", "-n", 100000, "-t", 2, "-s", 0.2, *more)
    run = Trace("--json", "-p", target.pid, "--mode", mode, "-b", "512K", "shop:order")
    fires = target.done()
    run.finish()
    events, lost, over = len(run.events()), run.count("lost"), run.count("overwritten")
    assert run.count("events") == events
    print(f"{mode}: {fires} fires, {events} events, {lost} lost, {over} overwritten")
    return run, fires, events, lost, over


def test_identity_drop():
    run, fires, events, lost, over = identity("drop")
    assert events + lost == fires and over == 0
    assert (lost > 0) == ("--buffer" in run.err), run.err


def test_identity_overwrite():
    _run, fires, events, lost, over = identity("overwrite")
    assert events + lost + over == fires


def test_identity_block():
    run, fires, events, lost, _over = identity("block", "-b")
    assert events + lost == fires and lost == 0
    contiguous(run.events(), 2)
    target = Target("-F", "-g", 1000000)
    refused = trace("-p", target.pid, "--mode", "block", status=1)
    assert "WEIR_PROVIDER_BLOCK" in refused.err, refused.err


def test_two_tracers():
    """Sessions are independent: one that never reads costs the other nothing."""
    target = Target("-F", "-g", 10000)
    slow = Trace("--json", "-p", target.pid, "-b", "256K", stdout=subprocess.PIPE)
    run = trace("--json", "-p", target.pid, "-n", 20000)
    assert run.count("lost") == 0
    numbers = [e["fields"]["id"] for e in run.events()]
    assert numbers == list(range(numbers[0], numbers[0] + 20000))
    slow.process.kill()
    slow.process.communicate()


def test_ninth():
    target = Target("-F", "-g", 1000000)
    eight = [Trace("--json", "-p", target.pid, stdout=subprocess.DEVNULL) for _ in range(8)]
    memory = decode.load(memfd(target.pid))
    wait_until(lambda: all(memory.session(k)["state"] == "ACTIVE" for k in range(8)), "8 sessions")
    assert "8 tracers" in trace("-p", target.pid, status=1).err
    for one in eight:
        one.finish(signal.SIGINT)
    wait_until(lambda: all(memory.session(k)["state"] == "FREE" for k in range(8)), "all left")
    assert all(memory.mask(i, k) == 0 for i in (1, 2) for k in range(8))


# --- life of targets

def test_late_probe():
    target = Target("-w", "-n", 3, "-l", "-s", 0.2)
    run = trace("--json", "-p", target.pid)
    assert [e["probe"] for e in run.events()] == ["order"] * 3 + ["tick", "probe"]
    assert run.events()[-1]["fields"] == {"n": -7}


def test_wait():
    target = Target("-g", 20000000, "-n", 20, "-l", "-s", 0.2)
    assert "matches `late:*`" in trace("-p", target.pid, "late:*", status=1).err
    run = trace("--json", "-p", target.pid, "--wait", "late:*")
    assert [e["provider"] for e in run.events()] == ["late"]


def test_command():
    run = trace("--json", "--", SHOP, "-n", 5, "-l")
    events = [json.loads(line) for line in run.out.splitlines() if line[0] == "{"]
    assert contiguous(events, 1) == [5] and len(events) == 7, run.out
    assert trace("--", "sh", "-c", "exit 3", status=3).count("events") == 0
    run = trace("--json", "shop:tick", "--", "sh", "-c", f"{SHOP} -n 1; {SHOP} -n 1; exit 4",
                status=4)
    events = [json.loads(line) for line in run.out.splitlines() if line[0] == "{"]
    assert len(events) == 2 and len({e["pid"] for e in events}) == 2, run.out
    assert "cannot run" in trace("--", "/nonexistent/program", status=1).err
    run = Trace("--json", "-n", 3, "--", SHOP, "-F", "-g", 1000000).finish()
    assert len([line for line in run.out.splitlines() if line[0] == "{"]) == 3


def test_command_slow():
    """The command makes its memory slowly; or weir gets no processor while it fires and ends."""
    assert trace("--", SYNTH, "-U", 1500, "-w", "-n", 10).count("events") == 10
    stopped = f"kill -STOP $PPID; (sleep 2; kill -CONT $PPID) >&- 2>&- & exec {SHOP} -n 5"
    assert trace("--", "sh", "-c", stopped).count("events") == 6
    stopped = f"kill -STOP $PPID; (sleep 4; kill -CONT $PPID) >&- 2>&- & exec {SHOP} -n 600 -g 10000000"
    says(trace("--", "sh", "-c", stopped), "waited for weir", "not counted")


def test_command_missed():
    """A command that never had such a probe: what it had instead."""
    run = trace("shop:ordr", "--", SHOP, "-n", 1, status=1)
    assert f"no probe of {SHOP} matched `shop:ordr`; nearest: shop:order" in run.err, run.err
    assert "matched" in trace("shp:*", "--", "sh", "-c", f"{SHOP} -n 1; exit 3", status=3).err
    assert "had no weir probes" in trace("--", "true", status=1).err
    assert "matched" not in trace("late:*", "--", SHOP, "-n", 1, "-l").err
    assert "matched" not in trace("shop:tick", "--", SHOP, "-n", 0).err
    # Ended by weir: it may still have come.
    assert "nearest: shop:order" in trace("-d", 1, "shop:ordr", "--", SHOP, "-F").err
    program = f"{BUILD}/tests/e2e/plain"
    if os.path.exists(program):
        run = trace("-d", 1, "plain:*", "--", program)
        assert f"bpftrace -c '{program} ...' -e 'usdt:{program}:plain:tick" in run.err, run.err


def test_command_buffer():
    """A --buffer holds for a command, too, and for its children."""
    def packets(arguments, env=None):
        run = Trace(*arguments, "--", SHOP, "-n", 1, "-k", 1, "-s", 60,
                    env={**os.environ, **(env or {})})
        kids = f"/proc/{run.process.pid}/task/{run.process.pid}/children"

        kin = set()

        def sessions():
            found = []
            for pid in open(kids).read().split():
                for one in pid, *open(f"/proc/{pid}/task/{pid}/children").read().split():
                    try:
                        found.append(decode.load(memfd(one)).session(0))
                        kin.add(int(one))
                    except (AssertionError, OSError, ValueError, decode.Broken):
                        pass
            return [s["count"] for s in found if s["state"] == "ACTIVE"]
        wait_until(lambda: len(sessions()) >= 2, "parent and child")
        counts = sessions()
        for pid in kin:
            os.kill(pid, signal.SIGTERM)
        run.finish(signal.SIGINT, status=None)
        assert len(set(counts)) == 1, counts
        return counts[0], run.err
    for arguments, count in (["-b", "64M"], 1024), ([], 128), (["-b", "2M"], 32):
        got, err = packets(arguments)
        assert got == max(count, os.cpu_count() + 2) and "of buffer" not in err, (got, err)
    got, err = packets(["-b", "64M"], {"WEIR_POOL": "16M"})
    assert got == 256 and err.count("has 16 MiB of buffer for this, not the 64 MiB") == 1, err


def test_arguments():
    """Each is evaluated once, in C and in C++, and read as what it is."""
    for program in "arguments-c", "arguments-cc":
        run = trace("--json", "--", f"{BUILD}/tests/e2e/{program}")
        lines = run.out.splitlines()
        assert lines.count("evaluated 1") == 1, run.out
        assert [tuple(json.loads(line)["fields"].values()) for line in lines if line[0] == "{"] == [
            (1, 1.0, 1.0, "calls"), (7, 1.0, 1.0, "increments"), (8, 2.5, 1.5, "volatile"),
            (200, 2.75, 1.25, "array"), (-3, 5.0, -3.0, "ray"), (-1, 1.5, 0.5, None),
        ], run.out


def test_follow():
    target = Target("-w", "-n", 100, "-k", 3, "-s", 0.5)
    run = trace("--json", "-p", target.pid, "-f")
    events = run.events()
    assert len({e["pid"] for e in events}) == 4, run.err
    for pid in {e["pid"] for e in events}:
        assert contiguous([e for e in events if e["pid"] == pid], 1) == [100]
    target = Target("-w", "-n", 100, "-k", 1, "-s", 0.3)
    assert {e["pid"] for e in trace("--json", "-p", target.pid).events()} == {target.pid}


def as_users():
    """Commands that run one as this user and, of root, as one without rights."""
    if os.geteuid():
        return [()]
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
              "--bounding-set=-all", "env", "HOME=/tmp")
    probe = subprocess.run([*nobody, WEIR, "--version"], capture_output=True, check=False)
    return [()] if probe.returncode else [(), nobody]


def has_all_steps(run, kids, events):
    """Those of each child, in order, and nothing was lost or late."""
    steps = {}
    for line in run.out.splitlines():
        if line.startswith("{"):
            fields = json.loads(line)["fields"]
            steps.setdefault(fields["kid"], []).append(fields["i"])
    assert set(steps) == set(range(1, kids + 1)), (sorted(steps), run.err)
    assert all(mine == list(range(events)) for mine in steps.values()), run.err
    assert run.count("lost") == 0 and run.count("late") == 0, run.err
    assert "ended before" not in run.err and "another program" not in run.err, run.err


def test_follow_burst():
    """Children that end before weir can have looked: each has handed over its memory."""
    for user in as_users():
        has_all_steps(trace("--json", "--", FORKS, "burst", 5, 2000, before=user), 5, 2000)
        has_all_steps(trace("--json", "--", FORKS, "burst", 40, 10, before=user), 40, 10)
        target = Target("-w", "burst", 20, 100, program=FORKS, before=user)
        has_all_steps(trace("--json", "-f", "-p", target.pid, before=user), 20, 100)


def test_follow_daemon():
    """Who forked it is gone before its child runs; the trace goes on with it."""
    daemon = ["-g", 1000000, "daemon", 2, 300]
    for user in as_users():
        for _ in range(2):
            has_all_steps(trace("--json", "--", FORKS, *daemon, before=user), 2, 300)
            target = Target("-w", *daemon, program=FORKS, before=user)
            has_all_steps(trace("--json", "-f", "-p", target.pid, before=user), 2, 300)
        shell = f"{FORKS} {' '.join(map(str, daemon))}; sleep 0.1"
        has_all_steps(trace("--json", "--", "sh", "-c", shell, before=user), 2, 300)


def test_follow_missed():
    """Children that cannot hand over their memory, for a filter refuses sockets: found or told."""
    for _ in range(3):
        run = trace("--json", "--", FORKS, "-S", "burst", 40, 10)
        told = re.search(r"(\d+) forked process(es)? ended before weir could read", run.err)
        steps = sum(line.startswith("{") for line in run.out.splitlines())
        assert steps + 10 * int(told[1] if told else 0) == 400, (steps, run.err)


def test_no_exec():
    """Neither closed descriptors nor an end are taken for another program."""
    for _ in range(5):
        target = Target("-w", "-g", 5000000, "close", 20, program=FORKS)
        run = trace("--json", "-p", target.pid)
        assert len(run.out.splitlines()) == 40, run.err
        assert "another program" not in run.err and "ended before" not in run.err, run.err
        target = Target("-w", "burst", 3, 10, program=FORKS)
        run = trace("--json", "-f", "-p", target.pid)
        assert "another program" not in run.err and "ended before" not in run.err, run.err


def test_exec():
    target = Target("-w", "-n", 10, "-x", "-w", "-n", 20, "-s", 0.1)
    run = trace("--json", "-p", target.pid)
    assert [e["probe"] for e in run.events()].count("order") == 30, run.err
    assert "exec" in run.err


def test_exec_soon():
    """What a process runs after exec is found within milliseconds, not with the next slow search."""
    target = Target("-w", "-n", 10, "-x", "-n", 40, "-g", 20000000)
    run = trace("--json", "-p", target.pid, "-f")
    orders = [e for e in run.events() if e["probe"] == "order"]
    assert contiguous(orders[:10], 1) == [10] and len(orders) > 10, run.err
    assert "followed process" not in run.err, run.err
    target = Target("-w", "-n", 10, "-x", "-q", 0.9)
    assert "1 followed process ended before" in trace("-p", target.pid, "-f").err


def test_daemon():
    """A program that closed all its descriptors: the mapping is what is left."""
    target = Target("-w", "-n", 10, "-D", "-s", 2.5)
    run = trace("--json", "-p", target.pid)
    assert contiguous(run.events(), 1) == [10], run.err


def test_merge():
    targets = [Target("-w", "-n", 2000, "-g", 20000, program=p, *more)
               for p, more in ((SHOP, ()), (SHOP, ()), (SYNTH, ("-c", "mono")))]
    run = trace("--json", *(x for t in targets for x in ("-p", t.pid)))
    events = run.events()
    assert [e["time"] for e in events] == sorted(e["time"] for e in events)
    assert run.count("late") == 0
    for t in targets:
        assert contiguous([e for e in events if e["pid"] == t.pid], 1) == [2000]


def namespaces():
    if os.geteuid():
        skip("namespaces need root")
    return ["unshare", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]


def test_namespaces():
    target = Target("-w", "-n", 500, "-t", 2, "-s", 1, before=namespaces())
    assert target.inner == 1
    task = f"/proc/{target.process.pid}/task/{target.process.pid}/children"
    outer = int(open(task).read().split()[0])
    run = Trace("--json", "-p", outer, "shop:*")
    time.sleep(0.7)
    tids = {int(t) for t in os.listdir(f"/proc/{outer}/task")}
    run.finish()
    events = run.events()
    assert contiguous(events, 2) == [500, 500]
    assert {e["pid"] for e in events} == {outer}
    main = {e["tid"] for e in events if e["fields"].get("id", 1 << 56) >> 56 == 0}
    assert main == {outer}, (main, outer, tids)


def test_all():
    """Every process, also one that starts later; in a pid namespace, to leave others alone."""
    script = (f'{SHOP} -n 100 -w -s 0.5 & sleep 1.2; {SHOP} -w -n 50 -s 0.5 & wait')
    run = Trace("--json", "--all", "shop:order", "-d", 4, before=[*namespaces(), "sh", "-c",
                f'sh -c "{script}" > /dev/null & exec "$@"', "sh"]).finish()
    counts = {}
    for event in run.events():
        counts[event["pid"]] = counts.get(event["pid"], 0) + 1
    assert sorted(counts.values()) == [50, 100], (counts, run.err)


def test_target_killed():
    kill_targets(8)


def kill_targets(times):
    """SIGKILL of a firing target: every fire that had returned is told, whole and in order."""
    total = 0
    for i in range(times):
        with tempfile.NamedTemporaryFile() as counter:
            target = Target("-w", "-F", "-b", "-t", 2, "-C", counter.name)
            run = Trace("--json", "-p", target.pid, "--mode", "block", "shop:order")
            wait_until(lambda: any(struct.unpack("<2Q", os.pread(counter.fileno(), 16, 0))),
                       "a fire")
            time.sleep(0.002 * (i % 20))
            target.end()
            run.finish()
            fired = struct.unpack("<2Q", os.pread(counter.fileno(), 16, 0))
            assert run.count("lost") == 0 and "unreadable" not in run.err, run.err
            # Block mode waits 100 ms at most, so that a starved tracer may lose some after all;
            # the check above says that none was. One fire may have committed and not returned.
            for got, returned in zip(contiguous(run.events(), 2), fired):
                assert returned <= got <= returned + 1, (i, got, returned)
                total += got
    print(f"{times} kills, {total} events, none lost or torn")


# --- life of tracers

def test_tracer_stopped():
    target = Target("-F", "-g", 1000000)
    run = Trace("--json", "-p", target.pid, "shop:order")
    memory = decode.load(memfd(target.pid))
    wait_until(lambda: memory.session(0)["state"] == "ACTIVE", "the session")
    time.sleep(0.3)
    run.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: memory.session(0)["state"] == "EXPIRED", "the lease to end", 30)
    assert memory.mask(1, 0) == 0
    time.sleep(0.3)
    run.process.send_signal(signal.SIGCONT)
    wait_until(lambda: any(memory.session(k)["state"] == "ACTIVE" for k in range(8)), "going on")
    time.sleep(0.5)
    run.finish(signal.SIGINT)
    numbers = [e["fields"]["id"] for e in run.events()]
    jumps = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    assert len(jumps) == 1 and "weir did not run" in run.err, (jumps, run.err)
    # What was recorded while it was stopped is there; the gap begins when the lease was over.
    assert jumps[0] > 500, jumps
    assert "1 gaps" in run.err and len(numbers) - jumps[0] > 100


def test_tracer_killed():
    target = Target("-F", "-g", 1000000)
    memory = decode.load(memfd(target.pid))
    run = Trace("--json", "-p", target.pid, stdout=subprocess.DEVNULL)
    wait_until(lambda: memory.mask(1, 0) != 0, "the mask")
    run.process.kill()
    run.process.communicate()
    wait_until(lambda: memory.mask(1, 0) == 0, "the lease to end", 30)
    assert memory.session(0)["state"] == "EXPIRED"
    assert len(trace("-p", target.pid, "-n", 5).out.splitlines()) == 5


def resident(pid):
    """MiB of the shared memory."""
    return os.stat(memfd(pid)).st_blocks / 2048


def test_memory():
    """A tracer that ends badly leaves nothing in the target's memory."""
    slots = os.cpu_count() / 16 * 2  # a packet that is OPEN in each, of two sessions
    target = Target("-F", "-g", 1000000)
    memory = decode.load(memfd(target.pid))
    before = resident(target.pid)
    for _ in range(3):
        trace("-p", target.pid, "--where", "foo == 1", status=1)
        assert memory.session(0)["state"] == "FREE" and memory.mask(1, 0) == 0
        assert resident(target.pid) < before + 1 + slots, (before, resident(target.pid))
    # Killed: the program's own fire finds that nobody comes back.
    run = Trace("-p", target.pid, "-b", "64M", stdout=subprocess.DEVNULL)
    wait_until(lambda: memory.mask(1, 0) != 0, "the mask")
    assert resident(target.pid) > 64
    run.process.kill()
    run.process.communicate()
    wait_until(lambda: resident(target.pid) < before + 1 + slots, "memory to come back", 30)
    assert memory.session(0)["state"] == "EXPIRED" and memory.mask(1, 0) == 0
    target.end()
    # One that does not fire does not notice: the next tracer does, and has room.
    target = Target("-n", 0, "-s", 60, "-w")
    memory = decode.load(memfd(target.pid))
    run = Trace("-p", target.pid, "-b", "96M", "shop:tick", stdout=subprocess.DEVNULL)
    wait_until(lambda: memory.session(0)["state"] == "ACTIVE", "the session")
    run.process.kill()
    run.process.communicate()
    time.sleep(4.5)
    assert resident(target.pid) > 96
    run = trace("-p", target.pid, "-b", "96M", "-d", 0.1, "shop:tick")
    assert "of buffer" not in run.err, run.err
    assert resident(target.pid) < before + 1 + slots, resident(target.pid)
    assert all(memory.session(k)["state"] == "FREE" for k in range(8))


def kill_tracers(times):
    """Killed, stopped and continued, in turns, on one target that never notices."""
    target = Target("-F", "-t", 2, "-g", 20000)
    memory = decode.load(memfd(target.pid))

    def armed(pid=None):
        return any(memory.mask(1, k) and pid in (None, memory.session(k)["owner"]) for k in range(8))

    for i in range(times):
        run = Trace("--json", "-p", target.pid, "-b", "1M")
        wait_until(lambda: armed(run.process.pid), "the mask")
        time.sleep(0.05 * (i % 7))
        if i % 2:
            run.process.kill()
            run.process.communicate()
            run.file.close()
            wait_until(lambda: not armed(), "the lease to end", 30)
            continue
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        run.process.send_signal(signal.SIGCONT)
        wait_until(lambda: armed(run.process.pid), "going on")
        time.sleep(0.3)
        run.finish(signal.SIGINT)
        assert "1 gaps" in run.err and run.count("unreadable") == 0, (i, run.err)
    print(f"{times} tracers killed or stopped")


def test_signals():
    target = Target("-F", "-g", 1000000)
    memory = decode.load(memfd(target.pid))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        run = Trace("-p", target.pid)
        wait_until(lambda: memory.mask(1, 0) != 0, "the mask")
        time.sleep(0.05)
        run.finish(number)
        assert run.count("events") > 0 and memory.mask(1, 0) == 0, run.err
        assert memory.session(0)["state"] == "FREE"
    # The reader of its output goes away.
    run = Trace("-p", target.pid, stdout=subprocess.PIPE)
    run.process.stdout.readline()
    run.process.stdout.close()
    assert run.process.wait(LIMIT) == 0
    run.process.stderr.close()


# --- errors

def says(run, *words):
    assert run.err.startswith("weir: ") and all(w in run.err for w in words), run.err


def test_errors():
    dead = subprocess.Popen(["true"])
    dead.wait()
    says(trace("-p", dead.pid, status=1), "no process", "has ended", "weir list")
    zombie = subprocess.Popen(["true"])
    wait_until(lambda: " Z " in open(f"/proc/{zombie.pid}/stat").read(), "a zombie")
    for more in ([], ["--wait"]):
        says(trace("-p", zombie.pid, *more, status=1), "has ended; only its exit status is left")
    zombie.wait()
    target = Target("-F", "-g", 1000000)
    says(trace("-p", target.pid, "shop:ordr", status=1), "shop:ordr", "shop:order", "weir list")
    says(trace("-p", target.pid, "shop:a b", status=2), "match nothing")
    says(trace("-p", target.pid, "a:b:c", status=2), "two colons")
    quiet = subprocess.Popen(["sleep", "60"])
    children.append(quiet)
    says(trace("-p", quiet.pid, "shop:*", status=1), "no weir probes", "weir list")
    says(trace("-p", Target("-n", 0, "-s", 9, "-M", 2, program=SYNTH).pid, status=1), "version 2.")
    says(trace("-p", Target("-n", 0, "-s", 9, "-u", program=SYNTH).pid, status=1), "sealed")
    says(trace("-p", Target("-n", 0, "-s", 9, "-x", 4096, program=SYNTH).pid, status=1), "bytes")


def test_output():
    """What cannot be written is told, and a command that was started is ended."""
    target = Target("-n", 0, "-s", 60)
    for arguments in (["list", "-p", target.pid], ["list", "--json", "-p", target.pid], ["doctor"],
                      ["doctor", "--json"], ["--help"], ["--version"], ["trace", "--help"]):
        command = [WEIR, *map(str, arguments)]
        assert subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
        with open("/dev/full", "w") as full:
            run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert run.returncode == 1 and "No space left" in run.stderr, (command, run)
        run = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], stderr=subprocess.PIPE,
                             text=True, check=False)
        assert run.returncode == 1 and "Bad file descriptor" in run.stderr, (command, run)
    run = subprocess.run([WEIR, "doctor", "junk"], capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "`junk`" in run.stderr, run
    for redirection in ">/dev/full", ">&-":
        with tempfile.NamedTemporaryFile("r") as file:
            run = subprocess.run(
                ["sh", "-c", f'exec "$@" {redirection}', "sh", WEIR, "trace", "--",
                 "sh", "-c", f'echo $$ >{file.name}; exec {SHOP} -F -g 1000000'],
                stderr=subprocess.PIPE, text=True, check=False, timeout=LIMIT)
            pid = int(file.read())
        assert run.returncode == 1 and "cannot write the events" in run.stderr, run
        assert not os.path.exists(f"/proc/{pid}"), "the command runs on"


def stopped(*arguments):
    """A trace of a program that fires at full speed, with a stop that the buffer does not last for."""
    run = Trace("-p", Target("-F", "-b").pid, "-b", "1M", "-d", 2, *arguments, "shop:order")
    time.sleep(0.7)
    run.process.send_signal(signal.SIGSTOP)
    time.sleep(0.7)
    return run.finish(signal.SIGCONT)


def test_losses():
    """The advice follows from what is known of the cause."""
    run = stopped()
    says(run, "could not take them as fast", "now 1 MiB a process", "or --mode block, where fires wait")
    assert "had room" not in run.err, run.err
    run = stopped("--mode", "block")
    says(run, "for 100 ms at most, and not one in a signal handler")
    assert "or --mode block" not in run.err, run.err
    # A program that counts losses while the tracer has nothing to do.
    target = Target("-F", "-g", 1000000)
    run = Trace("-p", target.pid, "-d", 2)
    with open(memfd(target.pid), "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        sessions, stripes = struct.unpack_from("QQ", memory, 72)
        wait_until(lambda: memory[sessions] == 2, "an active session")
        time.sleep(0.2)
        struct.pack_into("Q", memory, stripes, 1000)
    says(run.finish(), "1000 of these events were lost while buffers had room")
    assert "as fast as they came" not in run.err, run.err


def test_pool():
    """A --buffer that the pool does not have."""
    target = Target("-F", "-g", 1000000, env={"WEIR_POOL": "8M"})
    run = trace("-p", target.pid, "-b", "1T", "-n", 10)
    says(run, "has 8 MiB of buffer for this, not the 1048576 MiB that --buffer asks for", "WEIR_POOL")
    assert "of buffer" not in trace("-p", target.pid, "-n", 10).err


def test_refusal():
    """That a program does not let itself be blocked is said once."""
    target = Target("-F", "-g", 1000000)
    for arguments, status in ((["-p", target.pid], 1), (["--all", "-d", 1], 0)):
        run = trace(*arguments, "-m", "block", "shop:order", status=status)
        assert run.err.count(f"process {target.pid} does not let tracers block it") == 1, run.err


def test_plain_usdt():
    program = f"{BUILD}/tests/e2e/plain"
    if not os.path.exists(program):
        skip("no sys/sdt.h (package systemtap-sdt-dev)")
    plain = Target(program=program)
    says(trace("-p", plain.pid, "plain:*", status=1), "plain USDT probe",
         f"bpftrace -p {plain.pid} -e 'usdt:{program}:plain:tick")


def test_rights():
    if os.geteuid():
        skip("needs root, to be somebody else")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
              "--bounding-set=-all"]
    target = Target("-F", "-g", 1000000)
    probe = subprocess.run([*nobody, WEIR, "--version"], capture_output=True, check=False)
    if probe.returncode:
        skip("another user cannot run weir from here")
    says(trace("-p", target.pid, before=nobody, status=1), "CAP_SYS_PTRACE", "sudo ")
    hidden = Target("-F", "-g", 1000000, "-N", before=nobody)
    says(trace("-p", hidden.pid, before=nobody, status=1), "dumpable", "CAP_SYS_PTRACE")
    mine = Target("-F", "-g", 1000000, before=nobody)
    assert len(trace("-p", mine.pid, "-n", 3, before=nobody).out.splitlines()) == 3


# --- hostile targets

def test_hostile():
    hostile(8)


def hostile(seeds):
    for seed in range(1, seeds + 1):
        target = Target("-n", 2000, "-r", seed, "-s", 20, program=SYNTH)
        run = Trace("--json", "-p", target.pid, "-d", 0.3, "--wait").finish(status=None)
        assert run.process.returncode in (0, 1), (seed, run.process.returncode, run.err)
        for line in run.out.splitlines():
            json.loads(line)
        target.end()
    for mode in ("drop", "overwrite"):
        target = Target("-n", 0, "-S", "-s", 20, program=SYNTH)
        run = Trace("--json", "-p", target.pid, "-d", 2, "--wait", "-m", mode,
                    stdout=subprocess.DEVNULL).finish(status=None)
        assert run.process.returncode in (0, 1), (run.process.returncode, run.err)
        assert target.process.poll() is None, "it was to scribble until now"
        target.end()
    print(f"{seeds} random pages, 2 scribbling targets: weir ended with 0 or 1")


if __name__ == "__main__":
    run_scenarios(globals(), children, long_forms={
        "soak": kill_targets, "soak-hostile": hostile, "soak-tracer": kill_tracers})
