# SPDX-License-Identifier: MIT
"""record/*: `weir record` to tmpfs, over files that are there already. Program: bench/record.c."""

import functools
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import tempfile
import time

from harness import Failure, Result, Row, Skip

SHM = "/dev/shm"
MIB = 1 << 20
# Rotation writes over its oldest parts once there are so many bytes, and the warm-up makes them.
SIZE = 256 * MIB
BUFFER = 32 * MIB
EVENT = 40  # bytes of a record of 3 x u64
WARM = 2 * SIZE // EVENT
LTTNG_CONTEXT = "vtid"  # the CPU is in LTTng's packets, as a stream of its own


class Memory:
    """A folder in tmpfs: root's own, since bench/with-lttng hides /dev/shm from LTTng."""

    def __init__(self, context):
        self.path = context.folder() if os.geteuid() == 0 else None

    def __enter__(self):
        if self.path:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={16 * SIZE}", "tmpfs", self.path], check=True)
            return str(self.path)
        kind = subprocess.run(["stat", "-f", "-c", "%T", SHM], capture_output=True, text=True).stdout.strip()
        if kind != "tmpfs" or shutil.disk_usage(SHM).free < 4 * SIZE:
            raise Skip(f"{SHM} is no tmpfs with {4 * SIZE // MIB} MiB free")
        self.shared = tempfile.mkdtemp(prefix="weir-bench-", dir=SHM)
        return self.shared

    def __exit__(self, *_):
        if self.path:
            subprocess.run(["umount", "-l", self.path], check=True)
        else:
            shutil.rmtree(self.shared, ignore_errors=True)


class Recording:
    """bench-record under `weir record`."""

    def __init__(self, context, folder, *args, options=()):
        self.context = context
        weir = context.need_command("record")
        self.target = subprocess.Popen([context.program("record"), *map(str, args)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, env=context.environment)
        self.said = b""
        self.weir = None
        pid = int(self.line("ready"))
        self.weir = subprocess.Popen([weir, "record", "-o", folder, "-p", str(pid), "-m", "block", "-b", str(BUFFER),
                                      *options, "bench:three"], stderr=subprocess.PIPE, text=True, env=context.environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in filter(None, (self.target, self.weir)):
            if process.poll() is None:
                process.kill()
            process.communicate()

    def line(self, name, timeout=100):
        """The value in the next line, which must be of that name."""
        while b"\n" not in self.said:
            if not select.select([self.target.stdout], [], [], timeout)[0]:
                raise Failure(f"bench-record did not come to `{name}` within {timeout} s")
            more = os.read(self.target.stdout.fileno(), 65536)
            if not more:
                raise Failure(f"bench-record ended before `{name}`: {self.target.stderr.read().decode().strip()}")
            self.said += more
        line, self.said = self.said.split(b"\n", 1)
        words = line.decode().split()
        if words[0] != name:
            raise Failure(f"bench-record said {words[0]} instead of {name}")
        return float(words[1]) if len(words) > 1 else None

    def go_on(self):
        self.target.stdin.write(b"\n")

    def cpu_ns(self):
        """What weir's threads ran until now."""
        return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{self.weir.pid}/task").glob("*/schedstat"))

    def quiet(self, folder):
        """When everything is written: the files have not changed for a moment."""
        before, since = None, time.monotonic()
        while time.monotonic() - since < 0.02:
            now = [(p, os.stat(p).st_mtime_ns) for p in pathlib.Path(folder).glob("*/stream_[0-9]*")]
            if now != before:
                before, since = now, time.monotonic()
            time.sleep(0.002)

    def end(self):
        """What is in the recording, by weir's word: events and losses."""
        said = self.weir.communicate(timeout=60)[1]
        found = re.search(r"recorded (\d+) events.* lost (\d+)", said)
        if self.weir.returncode or not found or "unreadable" in said:
            raise Failure(f"weir record: exit status {self.weir.returncode}: {said.strip()[-300:]}")
        return int(found[1]), int(found[2])


@functools.cache
def produce(context):
    """Samples `base` and `recorded`, ns a fire, interleaved, with everything recorded."""
    rounds, fires = (3, 2000000) if context.quick else (12, 10000000)
    samples = {"base": [], "recorded": []}
    with Memory(context) as folder, Recording(context, folder, "producer", WARM, fires, rounds, options=("-s", str(SIZE))) as run:
        for _ in range(rounds):
            for name in samples:
                samples[name].append(run.line(name))
        if run.line("lost"):
            raise Failure("events were lost although fires could wait: the tracer stood still for 100 ms")
        events, lost = run.end()
    want = WARM + rounds * (fires + fires // 4)
    if (events, lost) != (want, 0):
        raise Failure(f"{events} of {want} events are in the recording, {lost} were lost")
    return samples


def lossless(context):
    s = produce(context)
    best = {name: min(values) for name, values in s.items()}
    return Result(value=best["base"] / best["recorded"],
                  median=statistics.median(b / r for b, r in zip(s["base"], s["recorded"])),
                  peer="nobody reads", peer_unit="M/s", peer_value=1e3 / best["base"], ratio=best["base"] / best["recorded"],
                  spread=max(s["recorded"]) / best["recorded"] - 1,
                  detail={"M events/s": 1e3 / best["recorded"], "ns": s})


def lttng_lossless(context, folder, fires):
    done = context.call(["env", f"WITH_LTTNG_CONTEXT={LTTNG_CONTEXT}", str(context.here / "with-lttng"), "lossless",
                         f"{folder}/lttng", context.program("record"), "lttng", str(fires)])
    files = [p for p in pathlib.Path(folder, "lttng").rglob("*") if p.is_file() and "main" in p.name and p.suffix != ".idx"]
    written = sum(p.stat().st_size for p in files)
    return float(done.stdout.split()[1]), written, fires + fires // 4


def vs_lttng(context):
    ours = produce(context)["recorded"]
    fires, theirs = 1000000 if context.quick else 4000000, []
    for _ in range(1 if context.quick else 3):
        with Memory(context) as folder:
            theirs.append(lttng_lossless(context, folder, fires)[0])
    return Result(value=min(theirs) / min(ours), median=statistics.median(theirs) / statistics.median(ours),
                  peer="LTTng, blocking", peer_unit="M/s", peer_value=1e3 / min(theirs), ratio=min(theirs) / min(ours),
                  spread=max(theirs) / min(theirs) - 1, detail={"ns": {"weir": ours, "lttng": theirs}})


def write_loop(context, size):
    with Memory(context) as folder:
        done = context.call([context.program("record"), "write", f"{folder}/file", str(SIZE), str(BUFFER), str(size)])
    return dict((k, int(v)) for k, v in (line.split() for line in done.stdout.splitlines()))


def cpu(context):
    rounds, fires = (1, 5000000) if context.quick else (5, 40000000)
    ours, theirs, bare, rates = [], [], [], []
    for _ in range(rounds):
        with Memory(context) as folder, Recording(context, folder, "flow", WARM, fires, options=("-s", str(SIZE))) as run:
            run.line("warm")
            run.quiet(folder)
            begin = run.cpu_ns()
            run.go_on()
            rates.append(run.line("fired"))
            lost = run.line("lost")
            run.quiet(folder)
            ours.append((run.cpu_ns() - begin) / fires)
            run.go_on()
            events, _ = run.end()
        if lost or events != WARM + fires:
            raise Failure(f"{events} of {WARM + fires} events are in the recording, {lost:.0f} were lost")
        peer = write_loop(context, fires * EVENT)
        theirs.append(peer["cpu"] / fires)
        bare.append(peer["wall"] / fires)
    return Result(value=min(ours) / min(theirs), median=statistics.median(o / t for o, t in zip(ours, theirs)),
                  peer="write() loop", peer_unit="ns", peer_value=min(theirs), ratio=min(ours) / min(theirs),
                  spread=max(ours) / min(ours) - 1,
                  detail={"ns of CPU an event": {"weir": ours, "write()": theirs}, "ns a fire": rates, "wall": bare})


def bytes_an_event(context, options):
    fires = 1000000
    with Memory(context) as folder, Recording(context, folder, "flow", 0, fires, options=options) as run:
        run.line("warm")
        run.go_on()
        run.line("fired")
        run.go_on()
        events, lost = run.end()
        if (events, lost) != (fires, 0):
            raise Failure(f"{events} of {fires} events are in the recording, {lost} were lost")
        ours = sum(p.stat().st_size for p in pathlib.Path(folder).rglob("stream_*")) / fires
    with Memory(context) as folder:
        _ns, written, count = lttng_lossless(context, folder, fires)
    theirs = written / count
    return Result(value=ours / theirs, peer=f"LTTng with {LTTNG_CONTEXT}", peer_unit="bytes", peer_value=theirs,
                  ratio=ours / theirs, detail={"bytes an event": ours})


ROWS = [
    Row("record/lossless", "flat-out producer, 3 x u64, nothing lost, ratio to an overwrite session without a reader", "x",
        ">= 0.80", lossless),
    Row("record/vs-lttng", "the same, times what LTTng records without a loss", "x", ">= 4.0", vs_lttng),
    Row("record/cpu", "the recorder's CPU time an event, ratio to write() of as many bytes", "x", "<= 1.5", cpu),
    Row("record/disk", "bytes an event, ratio to LTTng's", "x", "<= 1.3", lambda context: bytes_an_event(context, ())),
    Row("record/compressed", "the same with --compress, LTTng's not compressed", "x", "<= 0.5",
        lambda context: bytes_an_event(context, ("-z",))),
]
