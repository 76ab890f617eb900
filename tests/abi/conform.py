#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does `weir trace --json` say what the memory holds?

A program arms itself (WEIR_TRACE) and fires. Before a tracer comes, the memory is copied and
decoded by decode.py; then weir adopts the very same session and packets. Both must tell the same
events in the same order. Once with libweir as the writer, once with the synthetic one.

    conform.py WEIR TARGET [ARGUMENT...]
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import decode  # noqa: E402


def memfd_of(pid):
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        if os.readlink(path) == "/memfd:weir (deleted)":
            return path
    raise SystemExit(f"process {pid} has no memfd")


def compare(events, expected):
    previous = None
    for got, want in zip(events, expected, strict=True):
        assert list(got) == ["time", "tid", "cpu", "provider", "probe", "fields"], got
        ticks, time = want.pop("ticks"), got.pop("time")
        assert got == want, (got, want)
        if previous:
            # The converted time runs at the clock's rate, within the first estimate's error.
            ns = (ticks - previous[1]) * 1e9 / HZ
            assert abs((time - previous[0]) - ns) <= 2 + ns * 0.01, (time - previous[0], ns)
        previous = (time, ticks)


def main():
    weir, target = sys.argv[1], sys.argv[2:]
    process = subprocess.Popen(target + ["-s", "100"], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "WEIR_TRACE": "*:*"})
    try:
        for line in process.stdout:
            done = re.match(r"(?:fired|done) (\d+)", line)
            if done:
                break
        fires = int(done[1])
        memory = decode.load(memfd_of(process.pid))
        session = memory.session(0)
        assert session["state"] == "PENDING", session
        expected = memory.records(0)
        lost = memory.lost(0)
        # Frees nothing, changes nothing: the copy may be read again after the tracer's look.
        del memory
        result = subprocess.run([weir, "trace", "--json", "-d", "0.5", "-p", str(process.pid),
                                 "*:*"], capture_output=True, text=True, timeout=60)
    finally:
        process.kill()
        process.wait()
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    main_events = [e for e in expected if e["probe"] == "order"]
    assert len(main_events) + lost >= fires > 0, (len(main_events), lost, fires)
    assert len(events) == len(expected), (len(events), len(expected), result.stderr)
    assert f"lost {lost}," in result.stderr, result.stderr

    newest = 0
    for event in events:
        assert event["time"] >= newest, "out of order"
        newest = event["time"]
        assert event.pop("pid") == process.pid
    # Events of different slots may fall into one nanosecond; those of a slot keep their order.
    for cpu in {e["cpu"] for e in expected}:
        compare([e for e in events if e["cpu"] == cpu], [e for e in expected if e["cpu"] == cpu])
    print(f"{len(events)} events, the same in both; lost {lost}")


HZ = 0
if __name__ == "__main__":
    _load = decode.load

    def load(path):
        global HZ
        memory = _load(path)
        HZ = memory.hz
        return memory

    decode.load = load
    main()
