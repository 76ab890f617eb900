#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hardship of `weir record`: what is killed, full, removed, slow, many. Every recording is read to its end by
babeltrace2, and every event is accounted for by the sequence number in its first field (sequence.c).

    record_hard.py BUILD_ROOT SCENARIO...      each function named test_SCENARIO below
    record_hard.py BUILD_ROOT --list
    record_hard.py BUILD_ROOT LONG_FORM N      kill-targets, kill-recorders, kill-all, fill-disks: N times
Exit status 77: skipped, with the reason.
"""
import contextlib
import ctypes
import errno
import glob
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import ctf
from record import Record, babeltrace, discarded, folder, folders, orders, packets, record
from scenarios import run_scenarios
from trace import BUILD, LIMIT, SHOP, Target, WEIR, children, skip, wait_until

SEQUENCE = f"{BUILD}/tests/e2e/sequence"
NAMES = f"{BUILD}/tests/e2e/names"
BYSTANDERS = 2  # scenarios of a long form that run at once


def read_to_the_end(out):
    """By babeltrace2, without a word but of discarded events."""
    if not shutil.which("babeltrace2"):
        skip("babeltrace2 is not installed")
    done = subprocess.run(["babeltrace2", "--output-format=dummy", out], capture_output=True, text=True, timeout=600)
    said = [line for line in done.stderr.splitlines() if line and "discarded" not in line]
    assert done.returncode == 0 and not said, (done.returncode, said[:5], out)


def sequences(out):
    """{pid: {thread: (count, last, twice)}} and {pid: lost} of shop:order."""
    found, lost = {}, {}
    for path in sorted(glob.glob(f"{out}/*/metadata")):
        place = os.path.dirname(path)
        number = re.search(r'id = (\d+);\s+name = "shop:order"', open(path, encoding="utf-8").read())[1]
        done = subprocess.run([SEQUENCE, number, place], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        # NAME-PID, or NAME-PID-1: weir was killed right after it made the first one.
        pid = int(re.search(r"/shop-(\d+)(-\d+)?$", place)[1])
        found[pid] = {}
        for line in done.stdout.splitlines():
            thread, count, last, twice, gone = map(int, line.split()[1:])
            found[pid][thread] = (count, last, twice)
            lost[pid] = gone
    return found, lost


def all_there(found, fired, lost=0):
    """Every event whose fire had returned, in order, once; no hole beyond what is told as lost. Returns how many."""
    holes = 0
    for thread, least in enumerate(fired):
        count, last, twice = found.get(thread, (0, -1, 0))
        assert not twice, (thread, found)
        holes += last + 1 - count
        if not lost:
            assert last + 1 >= least, (thread, found, fired)
    assert holes <= lost, (found, fired, lost)
    return sum(count for count, _last, _twice in found.values())


class Counted:
    """Targets that count their fires where the count outlives them."""

    def __init__(self, number, *arguments, threads=2, forever=True):
        self.threads = threads
        self.files = [tempfile.NamedTemporaryFile() for _ in range(number)]
        self.targets = [Target("-w", *["-F"] * forever, "-b", "-t", threads, "-C", f.name, *arguments) for f in self.files]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for target in self.targets:
            if target.process.poll() is None:
                target.end()
            target.process.stdout.close()
            children.remove(target.process)
        for file in self.files:
            file.close()

    def options(self):
        return [x for t in self.targets for x in ("-p", t.pid)]

    def fired(self):
        size = 8 * self.threads
        return [struct.unpack(f"<{self.threads}Q", os.pread(f.fileno(), size, 0).ljust(size, b"\0")) for f in self.files]

    def wait(self):
        wait_until(lambda: all(any(f) for f in self.fired()), "a fire of each")

    def check(self, out, fired, told=False):
        found, lost = sequences(out)
        total = 0
        for target, counts in zip(self.targets, fired):
            total += all_there(found.get(target.pid, {}), counts, lost.get(target.pid, 0) if told else 0)
        return total


def at_once(number, job):
    """Call job(i) for each, some at a time; the first that fails is what fails."""
    failed, left = [], iter(range(number))
    lock = threading.Lock()

    def work():
        while not failed:
            with lock:
                i = next(left, None)
            if i is None:
                return
            try:
                job(i)
            except BaseException as error:  # also an assertion
                failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(BYSTANDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# --- something is killed


def kill_targets(times, each=25):
    """Targets that fire as fast as they can, and are killed at any instruction. On a busy machine a fire may wait for
    longer than it may: what that loses is told, and no more than that is missing."""
    totals = []

    def job(i):
        out = folder()
        with Counted(min(each, times - i * each), "-K", 1000) as targets:
            run = record(out, *targets.options(), "-m", "block", "-b", "4M", "shop:order")
            assert "unreadable" not in run.err, run.err
            totals.append(targets.check(out, targets.fired(), told=True))
            assert run.number("events") == totals[-1], run.err
        read_to_the_end(out)
        shutil.rmtree(out)

    at_once((times + each - 1) // each, job)
    print(f"{times} targets killed, {sum(totals)} events, none lost, torn or twice")


def test_target_killed():
    kill_targets(500)


def test_ending():
    """A target of many threads is killed: its memory goes well before it has ended, which is no exec. Nor is it one if
    the main thread ends while others go on."""
    for _ in range(5):
        target = Target("-w", "-F", "-t", 900, "-g", 3000000)
        run = Record(folder(), "-O", "-p", target.pid, "shop:order")
        time.sleep(0.5)
        target.end()
        run.finish()
        assert "another program" not in run.err and run.number("events") > 100, run.err
    out = folder()
    target = Target("-w", "-E", "-n", 2000, "-t", 2, "-g", 100000)
    run = record(out, "-p", target.pid, "shop:order")
    assert "another program" not in run.err, run.err
    found, _lost = sequences(out)
    assert found == {target.pid: {0: (2000, 1999, 0), 1: (2000, 1999, 0)}}, (found, run.err)


def kill_recorders(times, options=(["-m", "block"], ["-z"], ["--overwrite", "-b", "64M"], ["-s", "2M"])):
    """weir is killed while it writes: what it had not written is written by the process that stays behind."""
    totals = []

    def job(i):
        out, chosen = folder(), options[i % len(options)]
        # Rotation drops old parts by design: there, only that all is readable and nothing twice.
        rotates = "-s" in chosen
        with Counted(1 + i % 3, *([] if rotates or i % 2 else ["-g", 20000])) as targets:
            run = Record(out, *targets.options(), *chosen, "shop:order")
            targets.wait()
            time.sleep(0.001 * (i * 7 % 100))
            fired = targets.fired()
            run.process.kill()
            run.process.communicate()  # its end of the pipe is closed when the other one is done, too
            if "-z" in chosen:
                read = subprocess.run([WEIR, "unpack", "-q", out], capture_output=True, text=True)
                assert read.returncode == 0, read.stderr
            read_to_the_end(out)
            found, lost = sequences(out)
            for target, counts in zip(targets.targets, fired):
                mine, gone = found.get(target.pid, {}), lost.get(target.pid, 0)
                if rotates:
                    assert not any(twice for _count, _last, twice in mine.values()), mine
                else:
                    totals.append(all_there(mine, counts, gone))
            assert not glob.glob(f"{out}/*/.spare") and not glob.glob(f"{out}/*/.*.new"), os.listdir(out)
            for target in targets.targets:
                assert target.process.poll() is None
        shutil.rmtree(out)

    at_once(times, job)
    print(f"{times} recorders killed, {sum(totals)} events in what was not rotated away, none missing or twice")


def test_recorder_killed():
    kill_recorders(16)


def session_of(pid):
    """Processes whose parent is weir: the one that stays behind."""
    return [int(p) for p in os.listdir("/proc") if p.isdigit() and _parent(p) == pid]


def _parent(pid):
    try:
        return int(open(f"/proc/{pid}/stat", encoding="ascii", errors="replace").read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def size_of(out):
    """Bytes of its packets; rotation may rename a file between two looks."""
    size = 0
    for path in glob.glob(f"{out}/*/stream_[0-9]*"):
        with contextlib.suppress(FileNotFoundError):
            size += os.path.getsize(path)
    return size


def kill_all(times):
    """weir, what stays behind, and the target: weir repair makes the recording readable."""

    def job(i):
        out = folder()
        with Counted(1) as targets:
            run = Record(out, *targets.options(), "-m", "block", *([[], ["-s", "4M"]][i % 2]), "shop:order")
            wait_until(lambda: size_of(out) > 1000000, "packets")
            time.sleep(0.003 * (i % 30))
            # In this order, so that nobody sees the others die.
            for pid in (*session_of(run.process.pid), run.process.pid, targets.targets[0].pid):
                os.kill(pid, signal.SIGKILL)
            run.process.communicate()
            subprocess.run([WEIR, "repair", out], check=True, capture_output=True)
            read_to_the_end(out)
            found, _lost = sequences(out)
            assert not any(twice for mine in found.values() for _c, _l, twice in mine.values()), found
            # Each CPU's packets are complete up to its last one.
            for trace in ctf_packets(out).values():
                for before, after in zip(trace, trace[1:]):
                    assert after["sequence"] == before["sequence"] + 1
        shutil.rmtree(out)

    at_once(times, job)
    print(f"{times} times all killed, repaired and read to the end")


def ctf_packets(out):
    found = {}
    for path, head, _records in packets(out):
        found.setdefault(path, []).append(head)
    return found


def test_all_killed():
    kill_all(4)


# --- the place where it writes


def small_disk(size):
    if os.geteuid():
        skip("mounting a small tmpfs needs root")
    out = folder()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", out], check=True)
    return out


BALLAST = 8 << 20


def has_filled(out):
    """There is less room than a packet of one kind or the other takes."""
    disk = os.statvfs(out)
    return disk.f_bavail * disk.f_bsize < 70000


def ends_with_target(out, i, options):
    """The disk stays full until the target ends."""
    target = Target("-w", "-n", 150000, "-t", 2, "-s", 0.2)
    run = record(f"{out}/rec", "-p", target.pid, *options, "shop:order", status=1)
    return run, {target.pid: 300000}


def ends_by_itself(out, i, options):
    """weir does not wait for ever; the targets live on."""
    with Counted(1 + i % 2, *(["-g", 2000] if i % 4 == 0 else [])) as targets:
        run = record(f"{out}/rec", *targets.options(), *options, "shop:order", status=1)
        assert all(target.process.poll() is None for target in targets.targets)
        return run, {target.pid: None for target in targets.targets}


def goes_on(out, i, options, roomy=False):
    """There is room again: what did not fit into a small buffer meanwhile is missing, of a large one nothing."""
    with open(f"{out}/ballast", "wb") as ballast:
        ballast.write(bytes(BALLAST))
    fires = 100000 if options else 40000
    with Counted(1, "-n", fires, "-g", 5000, "-s", 0.2, forever=False) as targets:
        run = Record(f"{out}/rec", *targets.options(), *options, *([] if roomy else ["-b", "512K"]), "shop:order")
        wait_until(lambda: has_filled(out), "the disk is full")
        before = sum(targets.fired()[0])
        # compressed, the last room takes as much as the buffer once more
        more = 24000 if options else 4000 if roomy else 12000
        wait_until(lambda: sum(targets.fired()[0]) > before + more, "more than the buffer")
        os.unlink(f"{out}/ballast")
        run.finish(status=0 if roomy else 1)
        assert "room again" in run.err, run.err
        assert (run.number("lost") == 0) == roomy, run.err
        return run, {targets.targets[0].pid: 2 * fires}


def loses_nothing(out, i, options):
    return goes_on(out, i, options, roomy=True)


def is_killed(out, i, options):
    """weir is killed while it waits for room: what stays behind finds none, and counts."""
    target = Target("-w", "-n", 150000, "-t", 2, "-s", 30)
    run = Record(f"{out}/rec", "-p", target.pid, *options, "shop:order")
    target.done()
    time.sleep(0.3)
    run.finish(signal.SIGKILL, status=None)
    target.end()
    assert "killed" in run.err and "No space left" in run.err, run.err
    return run, {target.pid: 300000}


WAYS = (ends_with_target, goes_on, is_killed, loses_nothing, ends_by_itself)


def fill_disks(times):
    def job(i):
        way, options = WAYS[i % len(WAYS)], [[], ["-z"]][i // len(WAYS) % 2]
        small = way in (goes_on, loses_nothing) or options
        size = (1 << 18) * (1 + i % 3) if small else (1 << 20) * (1 + i % 3)
        out = small_disk(size + (BALLAST if way in (goes_on, loses_nothing) else 0))
        try:
            run, fired = way(out, i, options)
            more = folder()  # unpacked elsewhere: there is no room
            shutil.copytree(f"{out}/rec", f"{more}/rec")
            if options:
                done = subprocess.run([WEIR, "unpack", "-q", f"{more}/rec"], capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
            check_full(f"{more}/rec", run, fired, killed=way is is_killed)
            shutil.rmtree(more)
        finally:
            subprocess.run(["umount", "-l", out], check=True)

    at_once(times, job)
    print(f"{times} disks filled, each recording read to its end, each event recorded or counted")


def check_full(out, run, fired, killed=False):
    """What was fired (None: nobody knows) is recorded, once, or counted: by weir, in the packets, by babeltrace2 and by
    weir report."""
    found, lost = sequences(out)
    recorded = sum(c for mine in found.values() for c, _l, _t in mine.values())
    assert recorded > 500 and not any(twice for mine in found.values() for _c, _l, twice in mine.values()), (found, run.err)
    # Of several, one may have found no room at all: then the summary alone tells of it.
    nowhere = [pid for pid in fired if not found.get(pid)]
    assert len(nowhere) < len(fired), run.err
    for pid, count in fired.items():
        if pid in nowhere:
            continue
        assert count in (None, sum(c for c, _l, _t in found[pid].values()) + lost[pid]), (found, lost, run.err)
        all_there(found[pid], [0, 0], lost[pid])
    told = sum(lost.values())
    assert discarded(out) == told, (discarded(out), lost)
    said = subprocess.run([WEIR, "report", out], capture_output=True, text=True, check=True).stderr
    assert f"{recorded} events of" in said and f"lost {told}" in said, (recorded, told, said)
    if not killed:
        said = run.number("lost")
        assert run.number("events") == recorded and (said > told if nowhere else said == told), (recorded, told, run.err)
        assert not said or ("No space left" in run.err and "--size" in run.err and f"{said} events were lost" in run.err), run.err
    read_to_the_end(out)
    for trace in ctf.traces(out):
        assert trace.all() or nowhere


def test_disk_full():
    fill_disks(len(WAYS))


def refuse_writes(error):
    """In a child: packets (pwritev) cannot be written, for this reason. A kernel with quotas is rarer than seccomp."""
    number = {"x86_64": 296, "aarch64": 70}.get(os.uname().machine)
    if not number:
        skip("the number of pwritev is not known here")
    # if the number of the system call is ..., this error, else go on
    program = struct.pack("<HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, number, 0x06, 0, 0, 0x50000 | error,
                          0x06, 0, 0, 0x7fff0000)
    libc = ctypes.CDLL(None, use_errno=True)

    def install():
        code = ctypes.create_string_buffer(program)
        filters = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 4, ctypes.addressof(code)))
        assert not libc.prctl(38, 1, 0, 0, 0) and not libc.prctl(22, 2, filters, 0, 0), ctypes.get_errno()

    return install


def test_quota():
    """A quota that is used up is told by its name; what was fired is counted. An error that does not pass ends at once."""
    for error, said in ((errno.EDQUOT, "disk quota is used up"), (errno.EIO, "Input/output error")):
        out = folder()
        target = Target("-w", "-n", 20000, "-s", 0.5)
        run = subprocess.run([WEIR, "record", "-o", f"{out}/rec", "-p", str(target.pid), "shop:order"], capture_output=True,
                             text=True, timeout=LIMIT, preexec_fn=refuse_writes(error))
        assert run.returncode == 1 and said in run.stderr, run.stderr
        assert "recorded 0 events" in run.stderr, run.stderr
        assert ("waits 10 s for room" in run.stderr) == (error == errno.EDQUOT), run.stderr
        if error == errno.EDQUOT:
            assert "lost 20000 (20000 as" in run.stderr and "20000 events were lost" in run.stderr, run.stderr
        assert target.process.wait(LIMIT) == 0


def test_disk_rotated():
    """--size asks for more than there is: the oldest parts make room, and recording goes on."""
    for size, ballast in ((9 << 20, 0), (12 << 20, 3 << 20)):
        out = small_disk(size)
        try:
            with open(f"{out}/ballast", "wb") as file:
                file.write(bytes(ballast))
            target = Target("-w", "-b", "-n", 150000, "-t", 2)
            run = record(f"{out}/rec", "-p", target.pid, "-m", "block", "-s", "16M", "shop:order")
            assert run.number("events") == 300000 and run.number("lost") == 0, run.err
            assert "No space" not in run.err, run.err
            ids = orders(f"{out}/rec")
            assert 20000 < len(ids) < 300000, len(ids)
            # a thread that was done long before the other may have been dropped
            ends = [[i & (1 << 56) - 1 for i in ids if i >> 56 == thread][-5000:] for thread in range(2)]
            assert list(range(145000, 150000)) in ends, [end[-10:] for end in ends]
            read_to_the_end(f"{out}/rec")
        finally:
            subprocess.run(["umount", "-l", out], check=True)


def test_places():
    """Places that cannot be written to: what, why, what to do; and no recording is begun."""
    target = Target("-F", "-g", 100000)
    out = folder()
    open(f"{out}/file", "w").close()
    assert "file" in record(f"{out}/file", "-p", target.pid, status=1).err
    assert "No such file" in record(f"{out}/no/where", "-p", target.pid, status=1).err
    other = folder()
    open(f"{other}/letter.txt", "w").write("dear")
    said = record(other, "-p", target.pid, "-d", "0.1", status=1).err
    assert "letter.txt" in said and "empty" in said and os.listdir(other) == ["letter.txt"], said
    again = f"{out}/rec"
    for _ in range(2):
        record(again, "-p", target.pid, "-d", "0.2")
    assert len(os.listdir(again)) == 2
    if not os.geteuid():
        disk = small_disk("1m")
        try:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            said = record(f"{disk}/rec", "-p", target.pid, status=1).err
            assert "Read-only" in said, said
        finally:
            subprocess.run(["umount", "-l", disk], check=True)
    # The largest size of a file, which would kill a program that does not know of it.
    out = folder()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))  # noqa: E731
    with Counted(1, "-g", 1000) as targets:
        run = subprocess.run([WEIR, "record", "-o", out, *map(str, targets.options()), "shop:order"], preexec_fn=limit,
                             capture_output=True, text=True, timeout=LIMIT)
    assert run.returncode == 1 and "ulimit -f" in run.stderr, run.stderr
    read_to_the_end(out)
    assert len(orders(out)) > 100


def test_folder_removed():
    for deep in (False, True):
        out = folder()
        with Counted(1, "-g", 100000) as targets:
            run = Record(f"{out}/rec", *targets.options(), "shop:order")
            wait_until(lambda: glob.glob(f"{out}/rec/*/stream_[0-9]*"), "packets")
            shutil.rmtree(glob.glob(f"{out}/rec/*")[0] if deep else f"{out}/rec")
            run.finish(status=1)
            assert "was removed" in run.err and "weir report" not in run.err, run.err
            assert targets.targets[0].process.poll() is None
    for options in ([], ["-z"], ["-s", "1M"]):
        out = folder()
        with Counted(1, "-g", 100000) as targets:
            run = Record(out, *targets.options(), *options, "shop:order")
            wait_until(lambda: glob.glob(f"{out}/*/stream_[0-9]*"), "packets")
            for path in glob.glob(f"{out}/*/stream_[0-9]*"):
                os.unlink(path)
            run.finish(status=1)
            assert "was removed" in run.err, run.err


# --- weir itself


def test_stopped():
    """weir stands still for longer than its lease: what was lost is told, and it goes on."""
    out = folder()
    with Counted(1, "-g", 1000000) as targets:
        run = Record(out, *targets.options(), "shop:order")
        targets.wait()
        time.sleep(0.5)
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        run.process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        run.finish(signal.SIGINT)
        assert "lease" in run.err and "goes on" in run.err, run.err
        read_to_the_end(out)
        ids = sorted(i & (1 << 56) - 1 for i in orders(out) if i >> 56 == 0)
    holes = [(a, b) for a, b in zip(ids, ids[1:]) if b != a + 1]
    # All from before the lease ran out, one hole, and all from behind it.
    assert len(holes) == 1 and ids[0] == 0 and holes[0][0] > 1000, (holes, len(ids))


def test_signals():
    """The terminal closes, an init system ends it, Ctrl-\\ comes twice: the recording is complete each time."""
    for number, options in ((signal.SIGTERM, []), (signal.SIGHUP, []), (signal.SIGINT, ["-q"])):
        out = folder()
        with Counted(1, "-g", 50000) as targets:
            run = Record(out, *targets.options(), *options, "shop:order")
            targets.wait()
            time.sleep(0.2)
            fired = targets.fired()
            run.finish(number)
            targets.check(out, fired)
            assert ("recorded" in run.err) != ("-q" in options), run.err
        read_to_the_end(out)
    out = folder()
    with Counted(1, "-g", 50000) as targets:
        run = Record(out, *targets.options(), "--overwrite", "shop:order")
        targets.wait()
        time.sleep(0.2)
        for _ in range(2):
            run.process.send_signal(signal.SIGQUIT)
        wait_until(lambda: glob.glob(f"{out}/*/stream_[0-9]*"), "what was kept")
        fired = targets.fired()
        run.process.send_signal(signal.SIGQUIT)
        time.sleep(0.1)
        run.finish(signal.SIGINT)
        targets.check(out, fired)
    assert run.err.count("wrote") >= 1, run.err
    read_to_the_end(out)


def test_wrong():
    """Usage that cannot be meant: exit status 2 and the word for it."""
    target = Target("-F", "-g", 1000000)
    for options, expected in ((["-d", "0"], "--duration"), (["-d", "soon"], "--duration"), (["-s", "100"], "--size"),
                              (["-s", "x"], "--size"), (["-b", "0"], "--buffer"), (["-m", "hope"], "--mode"),
                              (["-u", "sm > 500"], "nearest: ms"), (["-u", "ms >"], "column"),
                              (["-u", "ms > 1", "-O"], "--until"), (["-O", "-m", "block"], "--overwrite"),
                              (["-o", ""], "where to?")):
        out = folder()
        run = record(f"{out}/rec", "-p", target.pid, *options, status=None)
        assert run.process.returncode in (1, 2) and expected in run.err, (options, run.err)
        assert not glob.glob(f"{out}/rec/*"), options
    # A program that is started has no probes yet when the expression is read.
    run = record(folder(), "-u", "sm > 500", "--", SHOP, "-n", 50, status=1)
    assert "nearest: ms" in run.err and "no event fitted" not in run.err, run.err
    if os.geteuid() == 0:
        run = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", WEIR, "record", "-o",
                              f"/tmp/weir-nobody-{os.getpid()}", "-p", str(target.pid)], capture_output=True, text=True)
        shutil.rmtree(f"/tmp/weir-nobody-{os.getpid()}", ignore_errors=True)
        assert run.returncode == 1 and "runs as root" in run.stderr and "sudo" in run.stderr, run.stderr


# --- many


def test_read_while_rotated():
    """weir report reads a recording of --size while its parts are written over: no event that was not fired."""
    out = folder()
    target = Target("-F")
    run = Record(out, "-p", target.pid, "-s", "2M", "shop:order")
    wait_until(lambda: len(glob.glob(f"{out}/*/stream_[0-9]*")) > 2, "parts")
    for _ in range(20):
        done = subprocess.run([WEIR, "report", "--json", "--by", "path", out], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        keys = {json.loads(line)["key"] for line in done.stdout.splitlines()}
        assert keys <= {"/", "/cart", "/cart/pay", "/item/ä"}, keys
    run.finish(signal.SIGINT)
    read_to_the_end(out)


def test_nothing():
    """Of a process that fired nothing there is no recording: nobody is told to read it."""
    out = f"{folder()}/rec"
    run = record(out, "-d", 0.3, "-p", Target("-F", "-g", 1000000).pid, "shop:tick")
    assert "recorded 0 events" in run.err and "weir report" not in run.err, run.err


def test_many_targets():
    """64 at once."""
    out = folder()
    targets = [Target("-w", "-n", 200, "-s", 0.3) for _ in range(64)]
    run = record(out, "-b", "2M", *(x for t in targets for x in ("-p", t.pid)))
    assert run.number("events") == 64 * 201 and run.number("lost") == 0 and len(os.listdir(out)) == 64, run.err
    found, _lost = sequences(out)
    assert all(found[t.pid] == {0: (200, 199, 0)} for t in targets), found
    for trace in ctf.traces(out)[:8]:
        assert sum(1 for path in trace.files() for _ in trace.events(path)) >= 201
    read_to_the_end(out)


def test_many_threads():
    """One of 1,000 threads: all events, and a name for each thread that lives."""
    out = folder()
    target = Target("-w", "-b", "-n", 20, "-t", 1000, "-g", 2000000)
    run = record(out, "-p", target.pid, "-m", "block")
    assert run.number("events") == 20001 and run.number("lost") == 0, run.err
    counts, last = {}, {}
    for line in babeltrace(out):
        match = re.search(r"tid = (\d+).*\{ id = (\d+)", line)
        if match:
            tid, number = int(match[1]), int(match[2]) & (1 << 56) - 1
            assert number == last.get(tid, -1) + 1, line
            last[tid] = number
            counts[tid] = counts.get(tid, 0) + 1
    assert len(counts) == 1000 and set(counts.values()) == {20}, len(counts)


def test_children():
    """Children of a followed process, many at once."""
    out = folder()
    target = Target("-w", "-n", 20, "-k", 30, "-s", 3)
    run = record(out, "-f", "-p", target.pid, "shop:order")
    found, _lost = sequences(out)
    assert len(found) == 31 and all(mine == {0: (20, 19, 0)} for mine in found.values()), (len(found), run.err)
    read_to_the_end(out)


# --- as others read it


def test_rules():
    """What Trace Compass asks of a trace, on recordings of every kind, by a reader that knows CTF alone."""
    for options in ([], ["-s", "2M"], ["-b", "512K"], ["-m", "block"]):
        out = folder()
        target = Target("-w", "-b", "-n", 8000, "-t", 2, "-s", 0.2)
        record(out, "-p", target.pid, *options)
        for trace in ctf.traces(out):
            events = trace.all()
            assert trace.metadata.env["vpid"] == target.pid and trace.metadata.env["procname"] == "shop"
            now = time.time_ns()
            assert all(now - 60e9 < trace.ns(e[0]) <= now for e in (events[0], events[-1]))
        lines = subprocess.run(["babeltrace2", "--clock-seconds", out], capture_output=True, text=True).stdout.splitlines()
        assert len(lines) == len(events)
        # Both readers say the same of time and fields.
        for line, (ticks, name, context, fields, _packet) in list(zip(lines, events))[::997]:
            seconds, ns = map(int, re.match(r"\[(\d+)\.(\d+)\]", line).groups())
            assert abs(seconds * 10**9 + ns - trace.ns(ticks)) <= 300 and name in line, (line, trace.ns(ticks))
            assert f"tid = {context['_tid']}" in line
            if name == "shop:order":
                assert f"id = {fields['id']}," in line and f'path = "{fields["path"]}"' in line, (line, fields)


def test_names():
    """Fields called as the metadata calls lengths and padding, and as each other but for an underscore."""
    out = folder()
    run = record(out, "-p", Target(program=NAMES).pid)
    assert run.number("events") == 12, run.err
    want = {"names:both": [{"path": "/cart", "_path_length": 10 + i, "path_original": 20 + i, "_path_length_": 30 + i}
                           for i in range(3)],
            "names:padded": [{"_": 40 + i, "__": 50 + i, "struct": 60 + i} for i in range(3)],
            "names:strings": [{"_": "one", "__length": "two"}] * 3,
            # Behind `_a`, babeltrace2 reads no `a`.
            "names:twice": [{"a_": "four", "_a": 70 + i, "_b": "five", "b_": "six"} for i in range(3)]}
    (trace,) = ctf.traces(out)
    events = [e for e in trace.all() if e[1] in want]
    lines = babeltrace(out)
    assert len(lines) == len(events) == 12, lines
    for line, (_ticks, name, _context, fields, _packet) in zip(lines, events):
        expected = want[name].pop(0)
        assert expected.items() <= fields.items() and name in line, (name, expected, fields, line)
        for field, value in expected.items():
            shown = f'"{value}"' if isinstance(value, str) else value
            assert re.search(rf"[{{,] {field} = {shown}[, ]", line), (field, shown, line)


def test_week():
    """A week of a clock whose 38 bits wrap every minute or two, with hours of nothing: times are right."""
    out = folder()
    done = subprocess.run([f"{BUILD}/tests/e2e/week", out], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    want = [int(line) for line in done.stdout.split()]
    (trace,) = ctf.traces(out)
    events = [e for e in trace.all() if e[1] == "week:event"]
    assert [e[3]["ticks"] for e in events] == want and [e[0] for e in events] == want, len(events)
    lines = [x for x in babeltrace(out) if "week:event" in x]
    assert len(lines) == len(want) and want[-1] - want[0] > 7 * 86400 * trace.clock["freq"]
    for line, ticks in zip(lines, want):
        seconds, ns = map(int, re.match(r"\[(\d+)\.(\d+)\]", line).groups())
        assert f"ticks = {ticks} " in line
        assert abs(seconds * 10**9 + ns - trace.ns(ticks)) <= 300, (line, trace.ns(ticks))


LONG = {"kill-targets": kill_targets, "kill-recorders": kill_recorders, "kill-all": kill_all, "fill-disks": fill_disks}


if __name__ == "__main__":
    run_scenarios(globals(), children, folders, LONG)
