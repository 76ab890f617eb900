#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scenarios of `weir list` and `weir doctor`.

    list.py BUILD_ROOT SCENARIO...       each function named test_SCENARIO below

Exit status 77: skipped, with the reason.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from scenarios import run_scenarios
from trace import BUILD, LIMIT, SHOP, Target, Trace, WEIR, children, skip, wait_until

LISTED = f"{BUILD}/tests/e2e/listed"
FIELDS = [{"name": "id", "type": "u64"}, {"name": "path", "type": "string"}]


def weir(*arguments, status=0, before=()):
    done = subprocess.run([*before, WEIR, *map(str, arguments)], capture_output=True, text=True,
                          timeout=LIMIT)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def listed(*arguments, **more):
    return [json.loads(x) for x in weir("list", "--json", *arguments, **more).stdout.splitlines()]


class Listed(Target):
    def __init__(self):
        super().__init__(program=LISTED)


def by_name(rows):
    return {f"{r['provider']}:{r['probe']}": r for r in rows}


def test_kinds():
    target = Listed()
    rows = by_name(r for r in listed("-p", target.pid) if r["kind"] == "weir")
    assert sorted(rows) == ["bufonly:probe", "plain:probe", "sem:probe", "usdtonly:probe"], rows
    for name, row in rows.items():
        assert row["pid"] == target.pid and row["fields"] == FIELDS and row["attached"] == [], row
        assert row["process"] == "listed" and row["sites"] == (name != "bufonly:probe")
        assert (row["file"] is None) == (name == "bufonly:probe")
        assert row["semaphore"] == (0 if name == "sem:probe" else None), row
    text = weir("list", "-p", target.pid, "plain:*").stdout
    assert "plain:probe" in text and "u64 id, string path" in text and "usdtonly" not in text
    assert target.pid in {r["pid"] for r in listed()}
    assert target.pid in {r["pid"] for r in listed("--all", "sem:*")}


def test_usdt():
    """A program that knows nothing of weir: Debian's Python has SDT notes."""
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        skip("no /usr/bin/python3")
    process = subprocess.Popen([python, "-c", "print('ready', flush=True); input()"], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    children.append(process)
    process.stdout.readline()
    rows = by_name(listed("-p", process.pid, "python:*"))
    assert rows == by_name({**r, "pid": process.pid} for r in rows.values()) and rows, rows
    line = rows["python:line"]
    assert line["kind"] == "usdt" and line["sites"] >= 1 and line["semaphore"] == 0, line
    assert [f["name"] for f in line["fields"]] == ["arg0", "arg1", "arg2"], line
    assert line["fields"][2]["type"] == "i32" and line["attached"] == [], line
    told = subprocess.run([WEIR, "trace", "-p", str(process.pid)], capture_output=True, text=True)
    assert told.returncode == 1 and "bpftrace" in told.stderr, told.stderr


def test_attached():
    target = Target("-F", "-g", 1000000)
    run = Trace("--json", "-p", target.pid, "shop:order", stdout=subprocess.DEVNULL)
    owner = f"buffer(pid {run.process.pid})"
    wait_until(lambda: owner in by_name(listed("-p", target.pid))["shop:order"]["attached"], owner)
    assert by_name(listed("-p", target.pid))["shop:tick"]["attached"] == []
    run.process.kill()
    run.process.communicate()
    if not shutil.which("bpftrace") or os.geteuid():
        skip("attaching needs bpftrace and root")
    tracer = subprocess.Popen(["bpftrace", "-p", str(target.pid), "-e", "usdt:*:shop:order { @++; }"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: "usdt" in by_name(listed("-p", target.pid))["shop:order"]["attached"], "usdt")
    finally:
        tracer.kill()
        tracer.wait()
    wait_until(lambda: "usdt" not in by_name(listed("-p", target.pid))["shop:order"]["attached"], "off")


def test_files():
    target = Listed()
    stub = by_name(listed("-p", target.pid))["plain:probe"]["file"]
    row, = listed("-x", stub)
    assert row["pid"] is None and row["fields"] == FIELDS and row["file"] == stub
    with tempfile.TemporaryDirectory() as work:
        if shutil.which("gcore"):
            subprocess.run(["gcore", "-o", f"{work}/core", str(target.pid)], check=True,
                           capture_output=True)
            assert "plain:probe" in by_name(listed("-x", f"{work}/core.{target.pid}"))
        fifo = f"{work}/fifo"
        os.mkfifo(fifo)
        assert "not a regular file" in weir("list", "-x", fifo, status=1).stderr
        junk = f"{work}/junk"
        open(junk, "wb").write(b"\x7fELF" + os.urandom(4000))
        assert weir("list", "-x", junk, status=1).stderr.startswith("weir: ")


def test_errors():
    target = Listed()
    assert "nearest: plain:probe" in weir("list", "-p", target.pid, "plain:prob", status=1).stderr
    assert "no process" in weir("list", "-p", 4194300, status=1).stderr
    assert "expected" in weir("list", "-p", "x", status=2).stderr
    if not os.geteuid():
        other = weir("list", "-p", target.pid, status=1,
                     before=["setpriv", "--reuid", "65534", "--clear-groups"])
        assert "CAP_SYS_PTRACE" in other.stderr and "sudo" in other.stderr, other.stderr


def test_namespaces():
    if os.geteuid():
        skip("namespaces need root")
    target = Target("-F", "-g", 1000000, before=["unshare", "--pid", "--mount", "--mount-proc",
                                                 "--fork", "--kill-child"])
    task = f"/proc/{target.process.pid}/task/{target.process.pid}/children"
    outer = int(open(task).read().split()[0])
    assert by_name(listed("-p", outer))["shop:order"]["pid"] == outer


def test_many():
    """A process with a thousand stubs is still one answer."""
    target = Target("-F", "-g", 1000000)
    others = [Listed() for _ in range(5)]
    rows = listed("-p", target.pid, *(x for o in others for x in ("-p", o.pid)), "plain:*")
    assert len(rows) == 5


def test_doctor():
    for before in ([], ["setpriv", "--reuid", "65534", "--clear-groups"]):
        if before and os.geteuid():
            continue
        rows = [json.loads(x) for x in weir("doctor", "--json", before=before).stdout.splitlines()]
        names = [r["check"] for r in rows]
        for name in ("uprobes", "BPF", "rseq", "event clock", "memfd", "other processes", "LTTng"):
            assert name in names, names
        for r in rows:
            assert r["status"] in ("ok", "limited", "missing") and r["reason"], r
            assert (r["status"] == "ok") <= (r["remedy"] is None), r
        if before:
            assert next(r for r in rows if r["check"] == "uprobes")["status"] != "ok"
    text = weir("doctor").stdout
    assert "event clock" in text


if __name__ == "__main__":
    run_scenarios(globals(), children)
