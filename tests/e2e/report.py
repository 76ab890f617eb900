#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Scenarios of `weir report`: numbers, odd recordings, files that cannot be written, the page in a browser.

    report.py BUILD_ROOT SCENARIO...     each function named test_SCENARIO below
    report.py BUILD_ROOT --list

Exit status 77: skipped, with the reason.
"""
import fractions
import glob
import json
import math
import os
import pty
import random
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time

import browser
from recording import EPOCH, Recording, encode
from scenarios import run_scenarios
from trace import LIMIT, WEIR, children, skip  # beside this file

folders = []
REQUEST = {"shop:request": [("route", "string"), ("ms", "f64"), ("status", "u16")]}


def folder():
    path = tempfile.mkdtemp(prefix="weir-report-")
    folders.append(path)
    return path


def report(*arguments, status=0, **more):
    done = subprocess.run([WEIR, "report", *map(str, arguments)], capture_output=True, text=True, encoding="utf-8",
                          timeout=LIMIT, **more)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done


def rows(*arguments):
    return {r["key"]: r for r in map(json.loads, report("-j", *arguments).stdout.splitlines())}


def data_of(page):
    """The numbers in a page."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def requests(out, seconds=60, bad=(40, 45)):
    """A minute of requests; /search is slow between `bad`. Returns what was written."""
    source = random.Random(4)
    events = []
    for i in range(seconds * 100):
        at = i * 10_000_000
        route = source.choice(["/", "/", "/", "/cart", "/search"])
        ms = source.lognormvariate(0, 0.4) * {"/": 1, "/cart": 3, "/search": 8}[route]
        if route == "/search" and bad[0] <= at / 1e9 < bad[1]:
            ms *= 30
        events.append((at, "shop:request", (route, ms, 200)))
    Recording(out, REQUEST).events(events, lost=77)
    return events


# --- numbers


def many_requests(out):
    """40,000 events of 9 routes; returns the path and the bytes of their packets, to be repeated."""
    recording = Recording(out, REQUEST)
    recording.events([(i * 1000, "shop:request", (f"/{i % 9}", i % 100 + 1.0, 200)) for i in range(40_000)])
    path = f"{recording.path}/stream_0"
    with open(path, "rb") as file:
        return path, file.read()


def mean_of(values):
    return float(sum(map(fractions.Fraction, values)) / len(values))


def check_row(row, values):
    values = sorted(values)
    assert row["count"] == len(values) and row["min"] == values[0] and row["max"] == values[-1], row
    assert math.isclose(row["mean"], mean_of(values), rel_tol=1e-9, abs_tol=1e-9), row
    for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        true = values[max(1, math.ceil(p * len(values))) - 1]
        assert abs(row[name] - true) <= 0.0315 * abs(true), (name, row[name], true)


def test_numbers():
    """Against Python's own, for positive, negative and mixed values, of floats and integers."""
    out, source = folder(), random.Random(1)
    probes = {"n:all": [("kind", "string"), ("v", "f64"), ("n", "i32"), ("f", "f32")]}
    kinds = {"positive": lambda: source.expovariate(0.01), "negative": lambda: -source.expovariate(3),
             "mixed": lambda: source.gauss(0, 50), "zero": lambda: 0.0, "tiny": lambda: source.random() * 1e-30,
             "huge": lambda: 1e30 * source.random(), "wide": lambda: -(10 ** source.uniform(-300, 300)), "least": lambda: 1e-300,
             "most": lambda: source.uniform(1.6e308, 1.797e308)}
    values = {kind: [make() for _ in range(2000)] for kind, make in kinds.items()}
    Recording(out, probes).events([(i * 1000 + k, "n:all", (kind, values[kind][i], i - 1000, -1.5))
                                   for i in range(2000) for k, kind in enumerate(kinds)])
    got = rows("--by", "kind", "--hist", "v", out)
    assert sorted(got) == sorted(kinds)
    for kind in kinds:
        check_row(got[kind], values[kind])
    check_row(rows("--hist", "n", out)["n:all"], [i - 1000 for i in range(2000) for _ in kinds])
    check_row(rows("--by", "f", "--hist", "n", out)["-1.5"], [i - 1000 for i in range(2000) for _ in kinds])
    table = report("--by", "kind", "--hist", "v", out).stdout
    assert "█" in table and "negative" in table
    assert len(rows("--by", "n", out)) == 2000
    page = f"{out}/r.html"
    report("--by", "kind", "--hist", "v", "-o", page, out)
    data = data_of(page)
    bounds = data["scale"]
    assert len(bounds) <= 96 and bounds == sorted(bounds) and bounds[0][0] < 0 < bounds[-1][1]
    for row in data["rows"]:
        assert sum(row["counts"]) == row["count"] == sum(sum(c[1:]) for c in row["cells"] if c)


def test_odd_values():
    """NaN and infinities are no numbers; they are counted, and said."""
    out = folder()
    values = [1.0, float("nan"), float("inf"), -float("inf"), 3.0]
    Recording(out, {"n:f": [("v", "f64")]}).events([(i, "n:f", (v,)) for i, v in enumerate(values)])
    done = report("-j", "--hist", "v", out)
    row = json.loads(done.stdout)
    assert row["count"] == 2 and row["mean"] == 2 and "3 whose v is no number" in done.stderr, (row, done.stderr)


def test_integers():
    """Of integers, all digits of the least and the greatest; percentiles are integers, and small ones are exact."""
    out = folder()
    kinds = {"one": [1, 1, 1, 9], "four": [1, 4, 4, 4, 9], "small": list(range(-31, 32)), "wide": [2**63 - 3] * 3 + [5], "low": [-2**63, 0],
             "same": [2**62 + 1] * 4}
    Recording(out, {"n:i": [("kind", "string"), ("v", "i64"), ("u", "u64")]}).events(
        [(i * 1000, "n:i", (kind, v, 2**64 - 1 - i)) for kind, values in kinds.items() for i, v in enumerate(values)])
    done = report("--json", "--by", "kind", "--hist", "v", out).stdout
    for row in map(json.loads, done.splitlines()):
        values = sorted(kinds[row["key"]])
        assert row["min"] == values[0] and row["max"] == values[-1], row
        check_row(row, values)
        for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
            true = values[max(1, math.ceil(p * len(values))) - 1]
            assert row[name] == int(row[name]) and (row[name] == true or abs(true) > 31), (name, row, true)
    row = json.loads(report("--json", "--hist", "u", out).stdout)
    assert row["max"] == 2**64 - 1 and row["min"] == 2**64 - 63, row


def strict(text):
    """JSON as others read it: without NaN and Infinity."""
    def refuse(constant):
        raise AssertionError(constant)
    return json.loads(text, parse_constant=refuse)


def test_extremes():
    """Numbers at the ends of f64: means do not overflow, JSON is JSON."""
    out = folder()
    kinds = {"large": [1e308] * 40, "both": [1.7e308, -1.7e308, 3.0], "low": [-1.7e308] * 3, "small": [5e-324, 1e-310, 3e-308],
             "mixed": [1e300, 1.0, 2.0], "most": [sys.float_info.max] * 7}
    Recording(out, {"n:f": [("kind", "string"), ("v", "f64")]}).events(
        [(i * 10**6, "n:f", (kind, v)) for i in range(40) for kind, values in kinds.items() for v in values[i:i + 1]])
    page = f"{out}/r.html"
    done = report("--json", "--by", "kind", "--hist", "v", "-o", page, out)
    with open(page, encoding="utf-8") as file:
        shown = strict(re.search(r'<script type="application/json" id="data">(.*?)</script>', file.read(), re.S)[1])
    for row in [*map(strict, done.stdout.splitlines()), *shown["rows"]]:
        values = kinds[row["key"]]
        assert math.isclose(row["mean"], mean_of(values), rel_tol=1e-9), (row, mean_of(values))
        assert row["min"] == min(values) and row["max"] == max(values), row
    large = next(r for r in shown["rows"] if r["key"] == "large")
    assert all(math.isclose(m, 1e308, rel_tol=1e-6) for m, n in zip(large["means"], large["counts"]) if n), large["means"]


def test_keys():
    """Bytes that are no text, markup, empty strings; every pseudo field; twelve fields."""
    out = folder()
    fields = [(f"f{i}", "u32") for i in range(10)] + [("key", "string"), ("raw", "bytes")]
    keys = [b"", b"<script>alert(1)</script>", b"\xff\xfe", b"a\xc3", b"\xed\xa0\x80", b"tab\tline\n", b'"quote\\', "é\u202e".encode(),
            b"</script><!--", b"x" * 4000]
    Recording(out, {"k:twelve": fields}).events(
        [(i * 1000, "k:twelve", (*range(i, i + 10), key, b"\x01\x02\x03")) for i, key in enumerate(keys)])
    got = rows("--by", "key", "--hist", "f9", out)
    assert sum(r["count"] for r in got.values()) == len(keys)
    assert "" in got and "<script>alert(1)</script>" in got and "a\ufffd" in got and "tab\ufffdline\ufffd" in got
    assert '"quote\\' in got and "é\ufffd" in got and "x" * 4000 in got, list(got)
    assert list(rows("--by", "raw", out)) == ["\ufffd\ufffd\ufffd"]
    assert list(rows("--by", "pid", out)) == ["42"] and list(rows("--by", "tid", out)) == ["7"]
    assert list(rows("--by", "probe", "--hist", "raw", out)) == ["k:twelve"] and list(rows("--by", "provider", out)) == ["k"]
    assert rows("--hist", "raw", out)["k:twelve"]["max"] == 3
    page = f"{out}/r.html"
    report("--by", "key", "-o", page, out)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    assert text.count("</script>") == 2 and "alert(1)</" not in text and "<!--" not in text
    assert {r["key"] for r in data_of(page)["rows"]} == set(got)


def test_many_keys():
    """100,000 keys: each has its row in the terminal; the page keeps the top and sums up the rest."""
    out = folder()
    events = [(i * 1000, "m:k", (f"key {i}", i % 50)) for i in range(100_000)]
    events += [(10**8 + i * 1000, "m:k", (f"hot {i % 10}", 5)) for i in range(20_000)]
    events += [(2 * 10**8 + i, "m:k", ("slow", 10**6)) for i in range(50)]
    Recording(out, {"m:k": [("k", "string"), ("us", "u32")]}).events(events)
    page = f"{out}/r.html"
    done = report("-j", "--by", "k", "--hist", "us", "-o", page, out)
    got = {r["key"]: r for r in map(json.loads, done.stdout.splitlines())}
    assert len(got) == 100_011 and got["hot 3"]["count"] == 2000
    data = data_of(page)
    names = [r["key"] for r in data["rows"]]
    assert len(names) <= 51 and "slow" in names and {f"hot {i}" for i in range(10)} <= set(names) and names[-1] is None
    assert sum(r["count"] for r in data["rows"]) == 120_050 and data["keys"] == 100_011
    assert os.path.getsize(page) < 3 << 20
    # Beyond the bound on keys: one row for the rest, and a word about it.
    Recording(out, {"m:k": [("k", "string"), ("us", "u32")]}, pid=43).events(
        [(i * 1000, "m:k", (f"more {i}", 1)) for i in range(60_000)])
    done = report("-j", "--by", "k", out)
    counts = [json.loads(x) for x in done.stdout.splitlines()]
    assert sum(r["count"] for r in counts) == 180_050 and counts[-1]["key"] is None and "(others)" in done.stderr


def test_where():
    out = folder()
    events = requests(out)
    got = rows("--by", "route", "--hist", "ms", "--where", 'ms > 20 && route == "/search"', out)
    check_row(got["/search"], [e[2][1] for e in events if e[2][0] == "/search" and e[2][1] > 20])
    assert list(got) == ["/search"]
    assert "column" in report("--where", "ms >", out, status=2).stderr
    assert "nope" in report("--where", "nope > 1", out, status=1).stderr


def test_errors():
    """Each says what failed, on what, and what to do."""
    out = folder()
    requests(f"{out}/rec")
    said = report("--by", "rute", f"{out}/rec", status=1).stderr
    assert "rute" in said and "nearest: route" in said, said
    assert "nearest: ms" in report("--hist", "mss", f"{out}/rec", status=1).stderr
    assert "names the fields" in report("--hist", "zzzzzzzz", f"{out}/rec", status=1).stderr
    assert "no probe" in report(f"{out}/rec", "nope:*", status=1).stderr
    os.mkdir(f"{out}/empty")
    assert "there is no recording in it" in report(f"{out}/empty", status=1).stderr
    assert "is a file" in report(glob.glob(f"{out}/rec/*/stream_0")[0], status=1).stderr
    assert "No such file" in report(f"{out}/nope", status=1).stderr
    assert "what?" in report(status=2).stderr
    with open(glob.glob(f"{out}/rec/*/.weir")[0], "w", encoding="utf-8") as file:
        file.write("{")
    assert "damaged" in report(f"{out}/rec", status=1).stderr


def test_sparse():
    """No events, one event, losses only, a torn file: numbers, and a page of each."""
    pages = []
    for name, write, events, lost in (
            ("none", lambda r: None, 0, 0),
            ("empty packet", lambda r: r.packet(b"", 5, 9), 0, 0),
            ("lost only", lambda r: r.packet(b"", 10**9, 3 * 10**9, lost=500), 0, 500),
            ("one", lambda r: r.events([(5, "shop:request", ("/", 2.5, 200))]), 1, 0),
            ("torn", lambda r: r.events([(i, "shop:request", ("/", 2.5, 200)) for i in range(3000)]), None, 0)):
        out = folder()
        recording = Recording(out, REQUEST)
        write(recording)
        if name == "torn":
            path = f"{recording.path}/stream_0"
            os.truncate(path, os.path.getsize(path) - 5)
        for more in ((), ("--by", "route", "--hist", "ms")):
            pages.append(f"{out}/r{len(more)}.html")
            done = report("-o", pages[-1], out, *more)
            data = data_of(pages[-1])
            assert data["lost"] == lost and f"lost {lost}" in done.stderr, (name, done.stderr)
            assert data["matched"] == sum(r["count"] for r in data["rows"])
            if events is not None:
                assert data["events"] == events, (name, data)
            if name == "torn":
                assert 500 < data["events"] < 3000 and "weir repair" in done.stderr and data["cut"] == 1
    need_browser()
    with browser.Browser() as b:
        for page in pages:
            b.open(page)
            assert not b.errors, (page, b.errors)
            assert b.eval("document.getElementById('finding').textContent.length") > 10, page


def test_lost():
    """When events were lost is on the timeline, and how many, whole."""
    out = folder()
    recording = Recording(out, REQUEST)
    recording.events([(i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(1000)], lost=0)
    recording.events([(10**10 + i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(100)], lost=900)
    recording.events([(11 * 10**9 + i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(1000)], lost=900)
    page = f"{out}/r.html"
    report("-o", page, out)
    data = data_of(page)
    assert data["lost"] == 900 and abs(sum(data["lostAt"]) - 900) < 0.01 and not data["lostUntimed"]
    times = [(data["start"] + i * data["width"]) / 1000 - EPOCH for i, n in enumerate(data["lostAt"]) if n]
    assert 9.8 <= times[0] and times[-1] <= 11.1, times
    assert abs(data["start"] / 1000 - EPOCH) < 0.2 and sum(data["probes"][0]["counts"]) == 2100


def test_dropped():
    """What rotation dropped, and from when on all CPUs' events are there."""
    out = folder()
    recording = Recording(out, REQUEST)
    recording.rotated(1, 7)
    recording.events([(i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(1000)])
    recording.events([(4 * 10**9 + i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(600)], slot=1, total=10600)
    page = f"{out}/r.html"
    data, said = data_of(page) if report("-o", page, out) else None, report(out).stderr
    assert data["dropped"] == 10000 and abs(data["wholeFrom"] / 1000 - EPOCH - 4) < 0.001, data["wholeFrom"]
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(EPOCH + 4))
    assert f"dropped 10000 events that fired before {at}.000000 (10000 of CPU 1): from then on" in said, said
    assert "1600 events of" in said and "lost 0" in said, said
    assert "the flight recorder" in said and data["droppedBy"] == "The flight recorder", said
    os.rename(f"{recording.path}/stream_1", f"{recording.path}/stream_1_3")
    assert "weir: --size dropped 10000" in report(out).stderr
    # Packets in memory that nobody counted, between two of one CPU.
    out = folder()
    recording = Recording(out, REQUEST)
    for source, at in ((1, 1), (2, 2), (9, 3), (10, 4)):
        recording.packet(encode(1, at * 10**9, REQUEST["shop:request"], ("/", 1.0, 200)), at * 10**9, at * 10**9,
                         total=at, source=source)
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(EPOCH + 3))
    said = report(out).stderr
    assert f"the flight recorder dropped events that fired before {at}.000000: from then on" in said, said
    # One that lost nothing of what it had says nothing.
    other = folder()
    requests(other)
    assert "dropped" not in report(other).stderr


def test_damaged():
    """Times that a damaged file may have: a packet that begins after its end is none, any others have a page."""
    fields = REQUEST["shop:request"]
    for begin, end, cut in ((2**63, 5, True), (0xff << 56, 5, True), (5, 0xff << 56, False), (0xff << 56, 2**64 - 1, False),
                            (2**62, 2**62, False)):
        out = folder()
        recording = Recording(out, REQUEST)
        recording.events([(i * 10**7, "shop:request", ("/", 1.0, 200)) for i in range(100)], slot=1)
        recording.packet(encode(1, begin, fields, ("/", 2.0, 200)), begin, end, lost=3)
        page = f"{out}/r.html"
        said = report("--by", "route", "--hist", "ms", "-o", page, out).stderr
        data = data_of(page)
        assert ("weir repair" in said) == cut and data["events"] == (100 if cut else 101), (begin, end, said)
        assert sum(data["probes"][0]["counts"]) == data["events"] and 0 < data["columns"] <= 300, data["columns"]
    # Its metadata, too.
    about = glob.glob(f"{out}/*/.weir")[0]
    with open(about, encoding="utf-8") as file:
        text = file.read()
    for old, new in ((f'"offset_s": {EPOCH}', f'"offset_s": {2**62}'), ('"offset": 0', f'"offset": {2**62}')):
        with open(about, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new))
        assert "is damaged" in report(out, status=1).stderr
    os.unlink(about)
    os.mkfifo(about)  # nobody writes to it
    assert "is damaged" in report(out, status=1).stderr


# --- files


def test_output():
    """The page is written whole or not at all."""
    out = folder()
    requests(f"{out}/rec")
    page = f"{out}/r.html"
    with open(page, "w", encoding="utf-8") as file:
        file.write("old")
    os.chmod(page, 0o640)
    report("-o", page, f"{out}/rec")
    assert os.stat(page).st_mode & 0o777 == 0o640 and "<!doctype html>" in open(page, encoding="utf-8").read()
    assert "No such file" in report("-o", f"{out}/no/where.html", f"{out}/rec", status=1).stderr
    assert "Is a directory" in report("-o", out, f"{out}/rec", status=1).stderr
    assert report("-o", "/dev/stdout", f"{out}/rec").stdout.startswith("<!doctype html>")
    assert "No space left" in report("-o", "/dev/full", f"{out}/rec", status=1).stderr
    assert sorted(os.listdir(out)) == ["r.html", "rec"]


def test_disk_full():
    if os.geteuid():
        skip("mounting a small tmpfs needs root")
    out, small = folder(), folder()
    requests(f"{out}/rec")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], check=True)
    try:
        said = report("-o", f"{small}/r.html", f"{out}/rec", "--by", "route", "--hist", "ms", status=1).stderr
        assert "No space left" in said and os.listdir(small) == [], (said, os.listdir(small))
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_memory():
    """A recording of 160 MiB, plain and compressed, within 64 MiB of address space beyond the program."""
    out = folder()
    path, once = many_requests(out)
    times = (160 << 20) // len(once) + 1
    with open(path, "wb") as file:
        for _ in range(times):
            file.write(once)
    assert os.path.getsize(path) >= 160 << 20

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (128 << 20, 128 << 20))

    page = f"{out}/r.html"
    done = report("-j", "--by", "route", "--hist", "ms", "-o", page, out, preexec_fn=limit)
    assert sum(json.loads(x)["count"] for x in done.stdout.splitlines()) == 40_000 * times
    shutil.rmtree(out)


def test_progress():
    """A bar on a terminal, with rate and time left, gone when done; nothing elsewhere."""
    out = folder()
    path, once = many_requests(out)
    master, slave = pty.openpty()
    said, copies = b"", 150
    while b"M events/s" not in said and copies < 5000:  # until this machine takes half a second
        with open(path, "ab") as file:
            for _ in range(copies):
                file.write(once)
        copies *= 2
        process = subprocess.Popen([WEIR, "report", "-j", "--by", "route", "--hist", "ms", out], stdout=subprocess.DEVNULL, stderr=slave)
        children.append(process)
        said = b""
        end = time.monotonic() + LIMIT
        while process.poll() is None or select.select([master], [], [], 0)[0]:
            assert time.monotonic() < end
            if select.select([master], [], [], 0.05)[0]:
                said += os.read(master, 65536)
        assert process.returncode == 0
    text = said.decode()
    assert re.search(r"reading \S+ \[#* *\] +\d+%  [\d.]+ M events/s  \d+ s left", text), text[-400:]
    assert "\r\033[Kweir: " in text and "left" not in text.split("\033[K")[-1], text[-300:]
    assert "\033" not in report("--by", "route", out).stderr
    shutil.rmtree(out)


# --- the page in a browser


def need_browser():
    if not browser.find():
        skip("no Chromium here (Debian: chromium)")


TABLE = """[...document.querySelectorAll('#table tbody tr[data-id]')].map(tr => Object.fromEntries(
  [...tr.cells].filter(td => td.className !== 'strip').map(td =>
    [td.className, td.dataset.value === undefined ? td.textContent : +td.dataset.value])))"""
PIXELS = """(() => { const c = document.getElementById('%s'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
  const seen = new Set(); for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return seen.size; })()"""


def test_page():
    """In Chromium: right numbers, sorted, searched, zoomed, by pointer and keys; nothing fetched, no complaint."""
    need_browser()
    out = folder()
    events = requests(f"{out}/rec")
    page = f"{out}/report.html"
    done = report("-j", "--by", "route", "--hist", "ms", "-o", page, f"{out}/rec")
    truth = {r["key"]: r for r in map(json.loads, done.stdout.splitlines())}
    with browser.Browser() as b:
        b.open(page)
        table = b.eval(TABLE)
        assert [r["key"] for r in table] == ["all 3 rows", "/search", "/cart", "/"], table
        for row in table[1:]:
            for name in ("count", "rate", "mean", "p50", "p90", "p99", "max"):
                want = truth[row["key"]][name]
                assert math.isclose(row[name], want, rel_tol=1e-9), (row["key"], name, row[name], want)
        assert table[0]["count"] == len(events)
        finding = b.eval("document.getElementById('finding').textContent")
        assert finding.startswith("/search is slowest: p99 ") and re.search(r"Worst around 22:14:0[0-5]", finding), finding
        assert "lost 77" in b.eval("document.getElementById('facts').textContent")
        assert b.eval("document.title") == "shop – weir report"
        for canvas in ("timeline", "heat", "histogram", "overview"):
            assert b.eval(PIXELS % canvas) > 3, f"{canvas} is empty"

        # sort
        b.eval("document.querySelector('th[data-column=count] button').click()")
        assert [r["key"] for r in b.eval(TABLE)][1] == "/"
        assert b.eval("document.querySelector('th[data-column=count]').getAttribute('aria-sort')") == "descending"
        b.eval("document.querySelector('th[data-column=count] button').click()")
        assert [r["key"] for r in b.eval(TABLE)][-1] == "/"

        # search, by keys
        b.key("/")
        b.type("CAR")
        assert [r["key"] for r in b.eval(TABLE)] == ["/cart"]
        assert b.eval("document.querySelector('mark').textContent") == "car"
        b.type("zz")
        assert "Nothing here" in b.eval("document.querySelector('#table tbody').textContent")
        b.key("Escape")
        assert len(b.eval(TABLE)) == 4

        # zoom by pointer, to seconds 40 to 45 of 60
        data = data_of(page)
        box = b.eval("(r => [r.left, r.top, r.width, r.height])(document.getElementById('timeline').getBoundingClientRect())")
        column = lambda s: (EPOCH * 1000 + s * 1000 - data["start"]) / data["width"]
        x = lambda s: box[0] + 58 + (column(s) + 0.5) / data["columns"] * (box[2] - 68)
        b.drag(x(40), box[1] + 40, x(44.8), box[1] + 50)
        shown = b.eval("document.getElementById('window').textContent")
        assert "22:14:00" in shown, shown
        table = {r["key"]: r for r in b.eval(TABLE)}
        match = re.search(r"#w=(\d+)-(\d+)", b.eval("location.hash"))
        first, last = int(match[1]), int(match[2])
        begin, end = (((data["start"] + i * data["width"]) / 1000 - EPOCH) * 1e9 for i in (first, last))
        for route in truth:
            values = sorted(e[2][1] for e in events if e[2][0] == route and begin - 1 <= e[0] < end - 1)
            row = table[route]
            assert row["count"] == len(values), (route, row["count"], len(values))
            assert math.isclose(row["mean"], mean_of(values), rel_tol=1e-5)
            assert math.isclose(row["max"], values[-1], rel_tol=1e-5)
            for name, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
                true = values[math.ceil(p * len(values)) - 1]
                assert abs(row[name] - true) <= (data["error"] + 1e-6) * true, (route, name, row[name], true)
        assert table["/search"]["p50"] > 5 * truth["/search"]["p50"]

        # and by keys: out, moved, whole; the choice of a row
        b.key("-")
        b.key("ArrowLeft")
        assert b.eval("location.hash").startswith("#w=")
        b.key("Escape")
        assert "w=" not in b.eval("location.hash")
        before = b.eval("document.getElementById('how-title').textContent")
        b.key("ArrowDown")
        assert b.eval("document.getElementById('how-title').textContent") != before
        b.key("t")
        assert b.eval("document.documentElement.dataset.theme") == "dark"
        # the address brings the view back
        b.call("Page.navigate", url=f"file://{page}#w=10-20&k=k%2Fcart")
        assert b.until("document.getElementById('how-title').textContent", "ms of /cart")
        b.call("Page.navigate", url="about:blank")
        b.open(f"{page}#w=10-20&k=k%2Fcart&q=cart")
        assert b.eval("document.getElementById('how-title').textContent") == "ms of /cart" and len(b.eval(TABLE)) == 1
        assert not b.errors, b.errors
        fetched = [u for u in b.requests if not u.startswith(("data:", "about:", f"file://{page}"))]
        assert not fetched, fetched


def test_page_hostile():
    """Names and keys that are markup stay text, in both themes, and the policy would stop them anyway."""
    need_browser()
    out = folder()
    evil = "<img src=x onerror=document.title='owned'>"
    keys = [evil, "</script><script>document.title='owned'</script>", "<!--<script>", "]]>", "'\"`${1}", "\u2028", "__proto__"]
    Recording(out, {"k:k": [("k", "string"), ("ms", "u32")]}, process="</title><b>", command=evil).events(
        [(i * 10**6, "k:k", (keys[i % len(keys)], i)) for i in range(700)])
    page = f"{out}/r.html"
    report("--by", "k", "--hist", "ms", "-o", page, out)
    with browser.Browser(dark=True) as b:
        b.open(page)
        assert b.eval("document.title") == "</title><b> – weir report"
        shown = {key.replace("\u2028", "\ufffd") for key in keys}
        assert {r["key"] for r in b.eval(TABLE)} - {"all 7 rows"} == shown, b.eval(TABLE)
        assert b.eval("document.querySelectorAll('img, b[onerror], title b').length") == 0
        assert b.eval("document.documentElement.dataset.theme") == "dark"
        assert b.eval("document.scripts.length") == 2 and not b.errors, b.errors
        b.eval("document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = 1' }))")
        assert b.eval("document.title") != "1" and any("Content Security Policy" in e for e in b.errors), b.errors


def test_page_plain():
    """Without --by and --hist: rates by probe, and what to ask for."""
    need_browser()
    out = folder()
    Recording(out, {**REQUEST, "shop:tick": []}).events(
        [(i * 10**7, "shop:tick" if i % 4 == 0 else "shop:request", () if i % 4 == 0 else ("/", 1.0, 200)) for i in range(2000)])
    page = f"{out}/r.html"
    said = report("-o", page, out).stderr
    assert "--by route --hist ms" in said, said
    with browser.Browser(width=500) as b:
        b.open(page)
        assert {r["key"]: r["count"] for r in b.eval(TABLE)[1:]} == {"shop:request": 1500, "shop:tick": 500}
        assert "--by route --hist ms -o report.html" in b.eval("document.getElementById('ask-command').textContent")
        assert b.eval("document.getElementById('how').hidden")
        assert b.eval("document.documentElement.scrollWidth") <= 500
        b.key("/")
        b.type("tick")
        assert [r["key"] for r in b.eval(TABLE)] == ["shop:tick"]
        assert not b.errors, b.errors


if __name__ == "__main__":
    run_scenarios(globals(), children, folders)
