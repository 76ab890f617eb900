#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`weir report` on traces that LTTng wrote: numbers, contexts, losses, the page; and what babeltrace2 says of them."""

import json
import os
import re
import subprocess

from harness import Session, Skip, Target, equal, main, read_trace, sh

WEIR = os.environ["WEIR_TEST_WEIR"]
ROUTES = ["/cart", "/search", "/%3Cb%3E"]


def report(*arguments, status=0):
    done = subprocess.run([WEIR, "report", *arguments], capture_output=True, text=True, timeout=120)
    if "without libbabeltrace2" in done.stderr:
        raise Skip("this weir was built without libbabeltrace2")
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def rows(*arguments):
    return {r["key"]: r for r in map(json.loads, report("-j", *arguments).stdout.splitlines())}


def record(daemon, pids=False):
    """Two processes' requests, with contexts. Returns the trace and [(route, ms, n)] of each process."""
    daemon.start()
    session = Session("requests", pids=pids).event("web:*").context("vpid", "vtid", "procname").start()
    fired = {}
    for process in range(2):
        with Target() as target:
            target.provider("web", "request -1 0 string:route f64:ms i32:n bool:ok", "none -1 0")
            fired[target.pid] = []
            for i in range(60):
                route, ms = ROUTES[i % 3], (i + 1) / 4 * (1 + process)
                target(f"fire web:request {route} {ms} {-i} {i % 2}")
                fired[target.pid].append((route.replace("%3C", "<").replace("%3E", ">"), ms, -i))
            target("fire web:none")
    session.stop()
    session.destroy()
    equal("babeltrace2's events", len(read_trace(session.output)), 122)
    return session.output, fired


def check(where, fired):
    everything = [event for events in fired.values() for event in events]
    equal("by probe", {k: r["count"] for k, r in rows(where).items()}, {"web:request": 120, "web:none": 2})
    got = rows("--by", "route", "--hist", "ms", where)
    equal("routes", sorted(got), sorted({e[0] for e in everything}))
    for route, row in got.items():
        values = [e[1] for e in everything if e[0] == route]
        equal(route, (row["count"], row["min"], row["max"]), (len(values), min(values), max(values)))
        assert abs(row["mean"] - sum(values) / len(values)) < 1e-9, row
        assert abs(row["p50"] - sorted(values)[len(values) // 2 - 1]) <= 0.032 * row["p50"], row
    row = rows("--hist", "n", where)["web:request"]
    equal("negative values", (row["min"], row["max"], row["mean"]), (-59, 0, -29.5))
    equal("where", rows("--where", 'ms > 10 && route == "/cart"', where)["web:request"]["count"],
          sum(e[0] == "/cart" and e[1] > 10 for e in everything))
    equal("by pid", {k: r["count"] for k, r in rows("--by", "pid", where, "web:request").items()},
          {str(pid): 60 for pid in fired})


def test_numbers(daemon):
    where, fired = record(daemon)
    check(where, fired)
    equal("a context's field", list(rows("--by", "procname", where)), ["lttng-target"])
    equal("bool", {k: r["count"] for k, r in rows("--by", "ok", where).items()}, {"true": 60, "false": 60})
    assert "nearest: route" in report("--by", "rout", where, status=1).stderr
    said = report(where).stderr
    assert "122 events of 1 trace" in said and "--by route --hist ms" in said, said


def test_buffers_of_processes(daemon):
    """A trace for each process, below one folder."""
    where, fired = record(daemon, pids=True)
    check(where, fired)
    assert "122 events of 2 traces" in report(where).stderr


def test_page(daemon):
    where, fired = record(daemon)
    page = os.path.join(where, "report.html")
    report("--by", "route", "--hist", "ms", "-o", page, where)
    with open(page, encoding="utf-8") as file:
        data = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
    equal("rows", {r["key"]: r["count"] for r in data["rows"]}, {"/cart": 40, "/search": 40, "/<b>": 40})
    assert 0 < data["seconds"] < 120 and data["events"] == 122, data["seconds"]


def test_lost(daemon):
    """As many as babeltrace2 counts, and events + lost are the fires."""
    daemon.start()
    session = Session("lossy", channel=("--subbuf-size=4K", "--num-subbuf=2", "--read-timer=0")).event("flood:*").start()
    fires = 200000
    with Target() as target:
        target.provider("flood", "n -1 0 i64:n")
        target(f"loop flood:n {fires} 2")
    session.stop()
    session.destroy()
    read = subprocess.run(["babeltrace2", session.output], capture_output=True, text=True, timeout=120)
    counted = sum(int(n) for n in re.findall(r"discarded (\d+) event", read.stderr))
    done = report("-j", session.output)
    row, lost = json.loads(done.stdout), int(re.search(r"lost (\d+)", done.stderr)[1])
    equal("events", row["count"], read.stdout.count("\n"))
    equal("lost", lost, counted)
    assert lost > 0 and row["count"] + lost <= 2 * fires, (row, lost)
    page = os.path.join(session.output, "report.html")
    report("-o", page, session.output)
    with open(page, encoding="utf-8") as file:
        data = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.S)[1])
    assert abs(sum(data["lostAt"]) + data["lostUntimed"] - lost) < 1, (data["lostUntimed"], lost)


def test_damaged(daemon):
    where, _fired = record(daemon)
    folder = sh("find", where, "-name", "metadata").split()[0]
    os.truncate(folder, 10)
    said = report(where, status=1).stderr
    assert said.startswith("weir: libbabeltrace2 cannot read the trace in"), said


main(globals())
