#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scenarios of `weir record`, read back by babeltrace2 and by a parser of CTF packets of our own.

    record.py BUILD_ROOT SCENARIO...     each function named test_SCENARIO below
    record.py BUILD_ROOT --list

Exit status 77: skipped, with the reason.
"""
import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

from scenarios import run_scenarios
from trace import FORKS, LIMIT, SHOP, Target, WEIR, children, skip, wait_until  # beside this file

PACKET = struct.Struct("<6I6QII")


def folder():
    path = tempfile.mkdtemp(prefix="weir-record-")
    folders.append(path)
    return path


folders = []


class Record:
    def __init__(self, out, *arguments):
        self.out = out
        self.process = subprocess.Popen([WEIR, "record", "-o", out, *map(str, arguments)], text=True,
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def finish(self, number=None, status=0):
        if number:
            self.process.send_signal(number)
        _out, self.err = self.process.communicate(timeout=LIMIT)
        if status is not None:
            assert self.process.returncode == status, (self.process.returncode, self.err)
        return self

    def number(self, what):
        match = re.search(rf"recorded (\d+)" if what == "events" else rf"{what} (\d+)", self.err)
        return int(match[1]) if match else 0


def record(out, *arguments, status=0):
    return Record(out, *arguments).finish(status=status)


def babeltrace(out):
    """Its lines; nothing may be said on stderr but what it says of discarded events."""
    if not shutil.which("babeltrace2"):
        skip("babeltrace2 is not installed")
    done = subprocess.run(["babeltrace2", "--clock-seconds", out], capture_output=True, text=True,
                          timeout=LIMIT)
    said = [line for line in done.stderr.splitlines() if line and "discarded" not in line]
    assert done.returncode == 0 and not said, (done.returncode, said[:5])
    return [line for line in done.stdout.splitlines() if " weir:thread:" not in line]


def discarded(out):
    """How many events are missing, as babeltrace2 tells the reader."""
    done = subprocess.run(["babeltrace2", "--clock-seconds", out], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=LIMIT)
    return sum(int(n) for n in re.findall(r"discarded (\d+) event", done.stderr))


def orders(out):
    """The ids of shop:order, in the order of time."""
    return [int(re.search(r"\{ id = (\d+)", line)[1]) for line in babeltrace(out)
            if " shop:order:" in line]


def contiguous(ids, threads):
    counts = [0] * threads
    for number in ids:
        thread, sequence = number >> 56, number & (1 << 56) - 1
        assert sequence == counts[thread], (thread, sequence, counts[thread])
        counts[thread] += 1
    return counts


def packets(out):
    """Every packet of events: (file, head, [record heads]). Written from docs/abi.md alone."""
    for path in sorted(glob.glob(f"{out}/*/stream_[0-9]*")):
        data = open(path, "rb").read()
        at = 0
        while at < len(data):
            head = PACKET.unpack_from(data, at)
            magic, stream, *_source, begin, end, content, size, lost, slot, sequence = head
            assert magic == 0xc1fc1fc1 and stream == 0 and content == size and size % 64 == 0
            assert begin <= end
            stop, records = at + size // 8, []
            at += PACKET.size
            while at < stop:
                word = struct.unpack_from("<Q", data, at)[0]
                length = (word >> 54) * 8
                assert length >= 16 and at + length <= stop
                records.append(word)
                at += length
            assert at == stop
            yield path, dict(begin=begin, end=end, lost=lost, slot=slot, sequence=sequence), records


def test_values():
    out = folder()
    target = Target("-w", "-n", 1000, "-t", 2)
    run = record(out, "-p", target.pid)
    assert run.number("events") == 2001 and run.number("lost") == 0, run.err
    lines = babeltrace(out)
    assert len(lines) == 2001, len(lines)
    assert contiguous(orders(out), 2) == [1000, 1000]
    line = next(x for x in lines if "{ id = 3," in x)
    assert re.search(r'ms = 0.75, ok = \( "false" : container = 0 \), .*path = "/item/ä" \}', line), line
    times = [float(re.match(r"\[(\d+\.\d+)\]", x)[1]) for x in lines]
    assert times == sorted(times) and abs(times[-1] - time.time()) < 30, times[-1]
    assert sum(len(r) for _p, _h, r in packets(out)) == 2001
    side = json.load(open(glob.glob(f"{out}/*/.weir")[0]))
    assert side["process"] == "shop" and [p["probe"] for p in side["probes"]] == ["order", "tick"]
    names = subprocess.run(["babeltrace2", out], capture_output=True, text=True).stdout
    assert 'weir:thread:' in names and 'name = "shop"' in names


def test_lost():
    """What cannot be taken is counted, in total and packet by packet."""
    out = folder()
    target = Target("-w", "-n", 100000, "-t", 2, "-s", 0.3)
    run = Record(out, "-p", target.pid, "-b", "512K", "shop:order")
    fires = target.done()
    run.finish()
    assert run.number("events") + run.number("lost") == fires, run.err
    lost = {}
    for path, head, _records in packets(out):
        assert head["lost"] >= lost.get(path, 0)
        lost[path] = head["lost"]
    assert sum(lost.values()) == run.number("lost"), (lost, run.err)
    assert len(orders(out)) == run.number("events")


def test_lost_first():
    """What a CPU lost before its first event is told, too: its stream begins with an empty packet."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        skip("needs two CPUs")
    for _ in range(20):
        out = folder()
        target = Target("-w", "-n", 3000000, before=["taskset", "-c", str(cpus[0])])
        run = Record(out, "-p", target.pid, "-b", "512K", "shop:order")
        wait_until(lambda: any(True for _ in packets(out)), "packets")
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(0.02)  # the buffer is full
        os.sched_setaffinity(target.pid, [cpus[1]])
        time.sleep(0.02)  # everything is lost, on a CPU that has no packet yet
        run.process.send_signal(signal.SIGCONT)
        fires = target.done()
        run.finish()
        assert run.number("events") + run.number("lost") == fires, run.err
        begins = {head["slot"]: not records and not head["lost"]
                  for _path, head, records in packets(out) if not head["sequence"]}
        # else the target was done before it was moved, or moved before the buffer was full
        if sorted(begins.values()) == [False, True]:
            break
    assert sorted(begins.values()) == [False, True], begins
    assert discarded(out) == run.number("lost") > 0, (discarded(out), run.err)
    assert len(orders(out)) == run.number("events")


def test_repair():
    out = folder()
    target = Target("-w", "-n", 20000)
    record(out, "-p", target.pid)
    whole = len(orders(out))
    victim = max(glob.glob(f"{out}/*/stream_[0-9]*"), key=os.path.getsize)
    os.truncate(victim, os.path.getsize(victim) - 13)
    dry = subprocess.run([WEIR, "repair", "-n", out], capture_output=True, text=True, check=True)
    assert "would cut" in dry.stdout
    done = subprocess.run([WEIR, "repair", out], capture_output=True, text=True, check=True)
    assert "cut" in done.stdout
    assert 0 < len(orders(out)) < whole
    assert subprocess.run([WEIR, "repair", out], capture_output=True, text=True).stdout == ""
    assert subprocess.run([WEIR, "repair", "/nonexistent"], capture_output=True).returncode == 1


def test_compress():
    out = folder()
    target = Target("-w", "-n", 50000)
    run = record(out, "-p", target.pid, "--compress")
    size = sum(os.path.getsize(p) for p in glob.glob(f"{out}/*/*.zst"))
    subprocess.run([WEIR, "unpack", "-q", out], check=True)
    plain = sum(os.path.getsize(p) for p in glob.glob(f"{out}/*/stream_[0-9]*"))
    assert 0 < size < plain / 2, (size, plain)
    assert contiguous(orders(out), 1) == [50000] and run.number("lost") == 0


def test_unpack_cut():
    """A compressed stream that was cut, also between the two frames of a packet: it is not unpacked, and stays."""
    out = folder()
    record(out, "-p", Target("-w", "-n", 50000).pid, "--compress")
    (path,) = sorted(glob.glob(f"{out}/*/stream_[0-9]*.zst"))[-1:]
    data = open(path, "rb").read()
    head = 9 + PACKET.size  # zstd's words, and the head as it is
    starts = [m.start() for m in re.finditer(re.escape(data[:9]), data)]
    for size in (head, starts[-1] + 40, starts[-1] + head, len(data) - 1, starts[-1]):
        with open(path, "wb") as file:
            file.write(data[:size])
        done = subprocess.run([WEIR, "unpack", "-q", out], capture_output=True, text=True, timeout=LIMIT)
        left = os.path.exists(path)
        if size == starts[-1]:
            assert done.returncode == 0 and not left, (size, done.stderr)
        else:
            assert done.returncode == 1 and "weir repair" in done.stderr and left, (size, done.returncode, done.stderr)
            assert not os.path.exists(path[:-4]), size


def report(*arguments, status=0):
    done = subprocess.run([WEIR, "report", *arguments], capture_output=True, text=True,
                          encoding="utf-8", timeout=LIMIT)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def test_report():
    """Counts exactly, percentiles within the steps of the histogram, compressed or not."""
    out = folder()
    target = Target("-w", "-n", 4000, "-t", 2)
    record(out, "-p", target.pid, "-z", "shop:order")
    rows = [json.loads(x) for x in report("-j", out).stdout.splitlines()]
    assert [(r["key"], r["count"]) for r in rows] == [("shop:order", 8000)], rows
    for _ in range(2):
        rows = {r["key"]: r for r in
                map(json.loads, report("-j", "--by", "path", "--hist", "ms", out).stdout.splitlines())}
        assert sorted(rows) == ["/", "/cart", "/cart/pay", "/item/ä"], rows
        for k, path in enumerate(["/cart", "/cart/pay", "/", "/item/ä"]):
            values = sorted([i / 4 for i in range(4000) if i % 4 == k] * 2)
            row = rows[path]
            assert row["count"] == 2000 and row["min"] == values[0] and row["max"] == values[-1]
            assert abs(row["mean"] - sum(values) / 2000) < 1e-6
            for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                true = values[int(p * 2000) - 1]
                assert abs(row[name] - true) <= 0.035 * true, (path, name, row[name], true)
        subprocess.run([WEIR, "unpack", "-q", out], check=False, capture_output=True)
    table = report("--by", "path", "--hist", "ms", out, "shop:*").stdout
    assert "/item/ä" in table and "█" in table, table
    assert "no probe" in report("--by", "nope", out, status=1).stderr
    assert report("/nonexistent", status=1).stderr.startswith("weir: ")
    victim = max(glob.glob(f"{out}/*/stream_[0-9]*"), key=os.path.getsize)
    os.truncate(victim, os.path.getsize(victim) - 5)
    assert "weir repair" in report(out).stderr


def test_rotate():
    out = folder()
    target = Target("-w", "-n", 400000, "-b")
    run = record(out, "-p", target.pid, "-m", "block", "--size", "4M", "shop:order")
    size = sum(os.path.getsize(p) for p in glob.glob(f"{out}/*/stream_[0-9]*"))
    assert run.number("events") == 400000 and size < 7 << 20, (run.err, size)
    ids = orders(out)
    # Slots' parts go by age, so the oldest that are left have holes; the newest have none.
    assert len(ids) > 10000 and ids[-5000:] == list(range(395000, 400000)), (len(ids), ids[-1])
    assert len(ids) + check_dropped(out, report(out).stderr) == 400000


def check_dropped(out, said):
    """Events of one thread: none is missing from when on the recording is whole, as was said. How many were dropped."""
    match = re.search(r"dropped (\d+) events that fired before (\S+ \S+?)(\.\d+)[ :]", said)
    whole = time.mktime(time.strptime(match[2], "%Y-%m-%d %H:%M:%S")) + float(match[3]) + 1e-6
    rest = [int(re.search(r"\{ id = (\d+)", x)[1]) for x in babeltrace(out) if float(x[1:x.index("]")]) > whole]
    assert len(rest) > 5000 and rest == list(range(rest[0], rest[-1] + 1)), (said, len(rest), rest[:3])
    return int(match[1])


def test_flight_recorder():
    out = folder()
    target = Target("-F", "-g", 20000)
    run = Record(out, "-p", target.pid, "--overwrite", "-b", "2M", "shop:order")
    time.sleep(0.7)
    run.process.send_signal(signal.SIGQUIT)
    wait_until(lambda: any(True for _ in packets(out)), "what was kept")
    first = sum(len(r) for _p, _h, r in packets(out))
    time.sleep(0.3)
    run.finish(signal.SIGINT)
    ids = orders(out)
    assert len(ids) > first > 100 and ids == sorted(set(ids)), (len(ids), first)
    out = folder()
    run = Record(out, "-p", target.pid, "--overwrite", "-b", "2M", "shop:order")
    time.sleep(0.5)
    target.end()
    run.finish()
    assert len(orders(out)) > 100
    # The names were read while the threads were there.
    assert b"shop" in b"".join(open(p, "rb").read() for p in glob.glob(f"{out}/*/stream_threads"))


def test_flight_holes():
    """A CPU that has been idle for long keeps what it had: the holes behind that are told, and where they end."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        skip("needs two CPUs")
    for options in (["--overwrite"], ["--mode", "block", "--until", "id >= 2000000"]):
        out = folder()
        target = Target("-w", "-F", "-b", before=["taskset", "-c", str(cpus[0])])
        run = Record(out, "-p", target.pid, "-b", "1M", *options, "shop:order")
        time.sleep(0.2)
        os.sched_setaffinity(target.pid, [cpus[1]])
        if options[0] == "--overwrite":
            time.sleep(1)
            run.process.send_signal(signal.SIGINT)
        run.finish()
        target.end()
        ids, said = orders(out), report(out).stderr
        dropped = check_dropped(out, said)
        assert dropped == check_dropped(out, run.err) and "the flight recorder dropped" in said, (said, run.err)
        lost = discarded(out)
        assert len(ids) + dropped + lost == ids[-1] + 1 and f"lost {lost}\n" in said, (len(ids), dropped, lost, ids[-1], said)


def test_snapshots():
    """What was overwritten between two snapshots is told by the packets behind it."""
    target = Target("-F", "-g", 500)
    for pause in (3, 10, 30):  # until the ring went round
        out = folder()
        run = Record(out, "-p", target.pid, "--overwrite", "-b", "1M", "shop:order")
        time.sleep(0.3)
        run.process.send_signal(signal.SIGQUIT)
        wait_until(lambda: any(True for _ in packets(out)), "what was kept")
        time.sleep(pause)
        run.finish(signal.SIGINT)
        if run.number("overwritten"):
            break
    ids, told = orders(out), {path: head["lost"] for path, head, _r in packets(out)}
    missing = ids[-1] - ids[0] + 1 - len(ids)
    assert missing > 0 and sum(told.values()) == missing, (missing, told, run.err)


def test_until():
    out = folder()
    target = Target("-w", "-n", 100000, "-g", 1000)
    record(out, "-p", target.pid, "--until", "ms >= 1000 && path ~ \"/c*\"", "shop:order")
    ids = orders(out)
    assert 4000 in ids and ids == list(range(ids[0], ids[-1] + 1)), (ids[0], ids[-1])
    # A packet of a slow target is open for long: it is looked into.
    behind = []
    for _ in range(3):
        out = folder()
        record(out, "-p", Target("-w", "-F", "-g", 500000).pid, "--until", "id >= 20", "shop:order")
        behind.append(orders(out)[-1] - 20)
    assert sorted(behind)[1] < 500, behind
    target = Target("-F", "-g", 1000000)
    assert "column" in record(folder(), "-p", target.pid, "--until", "ms >", status=2).err


def test_command_and_children():
    out = folder()
    run = record(out, "--", SHOP, "-n", 50, "-k", 2, "-s", 0.5)
    assert run.number("events") >= 150, run.err
    assert len(os.listdir(out)) == 3
    # A shell forks and runs the program: the trace is the program's.
    out = folder()
    record(out, "-f", "--", "sh", "-c", f"{SHOP} -n 50 -s 0.3; true")
    assert [name.split("-")[0] for name in os.listdir(out)] == ["shop"], os.listdir(out)
    # Children that end at once, and a daemon.
    out = folder()
    run = record(out, "--", FORKS, "burst", 5, 2000)
    assert run.number("events") == 10000 and len(os.listdir(out)) == 5, (os.listdir(out), run.err)
    out = folder()
    run = record(out, "--", FORKS, "-g", 1000000, "daemon", 2, 300)
    assert run.number("events") == 600 and "lost 0" in run.err, run.err
    out = folder()
    assert "what?" in record(out, status=2).err
    assert "where to?" in subprocess.run([WEIR, "record", "-p", "1"], capture_output=True,
                                         text=True).stderr
    assert "cannot run" in record(out, "--", "/nonexistent", status=1).err


if __name__ == "__main__":
    run_scenarios(globals(), children, folders)
