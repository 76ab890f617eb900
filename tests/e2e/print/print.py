#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir print on a process and on its core file, beside gdb: the same expressions, the same values.

usage: print.py WEIR FIXTURE
"""
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

WEIR, FIXTURE = sys.argv[1:3]
passed = failed = 0

# Scalars, as gdb's `output/d` and weir's JSON both have them.
NUMBERS = """all.c all.sc all.uc all.s all.us all.i all.u all.l all.ul all.ll all.bits.a all.bits.b all.bits.c
all.bits.d all.bits.e all.bits.f all.number.i all.inner.s all.inner.anonymous all.inner.left all.inner.right
all.grid[1][2] all.grid[0][1] all.yes all.colour all.sign all.mode all.raw[2] all.text[1] all.string[2]
pointer->i pointer->self->self->u (*pointer).l nodes[3].value nodes[1].next->next->value items[2].before
items[0].link.next==&items[1].link sizeof(struct~all) sizeof(all) sizeof(struct~item*) sizeof(all.text) big+minus
big>minus minus/2 minus%3 -minus<<2 ~minus !minus (char)big (unsigned~char)all.i (long)all.s&0xff
&nodes[4]-nodes all.list->value+100 (long)all.list==(long)&nodes table[299] table[0]+table[299]
'fixture.c'::shared 'fixture_other.c'::shared minus<big minus<1 (unsigned)minus all.l/7 all.ul/3
all.ul>>60 all.l>>3 count_calls::calls all.missing==0 all.bits.f*2 all.bits.b-1 BLUE GREEN+1 MODE_WRITE|MODE_READ
*all.list->next->next names[1][0] 1?2:3 0x80000000 -5/2 7u/2 point.y<0""".split()
REALS = "all.f all.d all.f*2 all.d/3 real real+1 point.x point.x*point.y (float)all.d all.i/2.0 -real".split()
POINTERS = "all.list all.self all.string pointer nodes[0].next &all &all.grid[1] &nodes[2].next all.function all.data names[2]".split()


def check(name, ok, detail=""):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def weir(*args, status=0):
    done = subprocess.run([WEIR, "print", *map(str, args)], capture_output=True, text=True, timeout=60)
    if status is not None and done.returncode != status:
        check("weir print " + " ".join(map(str, args)), False, f"exit {done.returncode}: {done.stderr}")
    return done


def values(where, expressions):
    done = weir(*where, "--json", "--", *expressions, status=None)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["expression"]: line["value"] for line in lines}, done.stderr


def address(value):
    return int(value["pointer"] if isinstance(value, dict) else value, 16)


def float32(value):
    return struct.unpack('f', struct.pack('f', float(value)))[0]


def gdb(where, commands):
    args = ["gdb", "-nx", "-batch", "-q"]
    for command in commands:
        args += ["-ex", "echo \\n<<", "-ex", command, "-ex", "echo >>\\n"]
    done = subprocess.run(args + where, capture_output=True, text=True, timeout=120)
    return [m.strip() for m in re.findall(r"<<(.*?)>>", done.stdout, re.S)]


def beside_gdb(name, where, gdb_where):
    numbers = [e.replace("~", " ") for e in NUMBERS]
    numbers.remove("*all.list->next->next")
    mine, errors = values(where, numbers + REALS + POINTERS)
    theirs = gdb(gdb_where, [f"output/d (long)({e})" for e in numbers] +
                 [f'printf "%.17g", (double)({e})' for e in REALS] +
                 [f"output/x (unsigned long)({e})" for e in POINTERS])
    check(f"{name}: every expression has a value", len(mine) == len(numbers + REALS + POINTERS), errors)
    check(f"{name}: gdb answered", len(theirs) == len(numbers + REALS + POINTERS), theirs)
    enums = {"BLUE": 6, "GREEN": 5, "MINUS": -1}
    for e, theirs_text in zip(numbers + REALS + POINTERS, theirs):
        value = mine.get(e)
        if e in POINTERS:
            ok = value is not None and (e in ("all.string", "names[2]") or address(value) == int(theirs_text, 16))
        elif e in REALS:
            single = e.startswith("(float)") or e == "all.f*2"
            ok = value is not None and (float32(value) if single else float(value)) == float(theirs_text)
        else:
            if isinstance(value, str):
                value = {"MODE_READ|MODE_EXEC": 5, "MODE_READ": 1}.get(value, enums.get(value))
            ok = value is not None and int(value) % 2**64 == int(theirs_text) % 2**64
        check(f"{name}: {e}", ok, f"weir {mine.get(e)!r}, gdb {theirs_text}")


def constructs(where):
    mine, errors = values(where, ["all", "nodes", "utf8", "names", "items[0].name", "opaque", "table", "all.ld"])
    whole = mine["all"]
    check("strings", whole["text"] == "hello" and whole["string"] == "a string" and whole["missing"] is None)
    check("UTF-8", mine["utf8"] == 'gr\u00fc\u00df "x"\n', mine["utf8"])
    check("arrays of strings", mine["names"] == ["zero", "one", "two", None], mine["names"])
    check("bit-fields", whole["bits"] == {"a": 5, "b": -3, "c": 0xabcdef0123, "d": True, "e": "GREEN", "f": -4000000000})
    check("enums and flags", [whole["colour"], whole["sign"], whole["mode"]] == ["BLUE", "MINUS", "MODE_READ|MODE_EXEC"])
    check("unions all ways", whole["number"] == {"i": 0x3f800000, "f": 1.0, "bytes": [0, 0, 128, 63]}, whole["number"])
    check("anonymous members", whole["inner"] == {"s": -1, "anonymous": 77, "left": 88, "right": 88}, whole["inner"])
    check("function pointers by name", whole["function"]["symbol"] == "twice", whole["function"])
    check("long double", float(mine["all.ld"]) == 3.25)
    check("equal elements", mine["table"] == [1] + [0] * 199)
    text = weir(*where, "table").stdout
    check("equal elements are one line", "[1 ... 199] = 0" in text and "200 of 300" in text, text)
    text = weir(*where, "--max-elements", 300, "table").stdout
    check("--max-elements", "[1 ... 298] = 0, 2 }" in text, text)
    notes = json.loads(weir(*where, "--json", "table").stdout)["notes"]
    check("JSON has the notes", notes == ["200 of 300 elements"], notes)
    document = json.loads(weir(*where, "--json", "bytes").stdout)
    check("JSON of bytes that are no UTF-8", document["value"]["latin"] == "\u00ff\u00fea" and document["notes"] == [
        "latin: not UTF-8: each byte is the character of its number", "rest: 2 bytes behind the NUL are not 0"], document)
    text = weir(*where, "--max-string", 3, "all.string").stdout
    check("--max-string", '"a s"...' in text, text)
    text = weir(*where, "--depth", 3, "pointer").stdout
    check("--depth follows", ".next = 0x" in text and ".value = 1," in text and ".value = 4," not in text, text)
    check("a cycle ends", "/* shown above */" in text, text)
    check("a wild pointer is said", "<0x10 is not mapped>" in text, text)
    done = weir(*where, "*all.wild", status=1)
    check("a value that cannot be read at all", done.stdout == "*all.wild = <0x10 is not mapped>\n", done.stdout)
    text = weir(*where, "(char)39", "(char)34").stdout
    check("quotes", text == "(char)39 = 39 '\\''\n(char)34 = 34 '\"'\n", text)
    text = weir(*where, "--list", "next", "nodes").stdout
    check("--list", [int(n) for n in re.findall(r"\.value = (\d+)", text)] == [0, 1, 4, 9, 16], text)
    text = weir(*where, "--list", "link.next", "items[0]").stdout
    check("--list through an embedded node", re.findall(r'"(item\d)"', text) == ["item0", "item1", "item2"], text)
    text = weir(*where, "--list", "next", "cycle").stdout
    check("--list ends in a cycle", len(re.findall(r"\.value", text)) == 2 and "shown above" in text, text)
    text = weir(*where, "--list", "nxt", "nodes", status=1).stderr
    check("--list with a wrong member", "there is no member `nxt`" in text, text)
    check("--type", weir(*where, "--type", "all.grid", "pointer").stdout == "all.grid: int[2][3]\npointer: struct all *\n",
          weir(*where, "--type", "all.grid", "pointer").stdout)
    text = weir(*where, "shared", status=1).stderr
    check("an ambiguous name lists its units", "fixture.c" in text and "fixture_other.c" in text, text)
    mine, errors = values(where, ["((struct fixture_other.c::twin *)&twin_b)->b", "sizeof(struct fixture.c::twin)",
                                  "sizeof(fixture.c::twin)", "steps", "fixture.c::steps", "count_calls::steps"])
    check("FILE::TYPE and FILE::NAME choose", list(mine.values()) == [8, 4, 4, 100, 100, 55], f"{mine} {errors}")
    text = weir(*where, "(struct twin *)0", status=1).stderr
    check("an ambiguous type lists its units", "fixture.c" in text and "FILE::twin" in text, text)
    text = weir(*where, "count_calls::inner", status=1).stderr
    found = re.findall(r"fixture.c: count_calls::inner \(int\) at (0x[0-9a-f]+)", text)
    mine, errors = values(where, [f"*(int *){at}" for at in found])
    check("two statics of one name are told apart", sorted(mine.values()) == [2, 11], f"{text} {mine} {errors}")
    text = weir(*where, "1 + all.lst", status=1).stderr
    check("an error points at its column", "\n  1 + all.lst\n          ^~~\n" in text and "`list`" in text, text)
    done = weir(*where, "nothing_like_it", "all.i", status=1)
    check("one wrong expression does not hide the others", "all.i = -5" in done.stdout, done.stdout + done.stderr)


def threads(where, pid, tids):
    text = weir(*where, "per_thread", status=1).stderr
    check("thread-local: whose?", "--tid" in text and all(str(t) in text for t in tids), text)
    main, _ = values([*where, "--tid", tids[0]], ["per_thread", "thread_name"])
    worker, _ = values([*where, "--tid", tids[1]], ["per_thread", "thread_name"])
    check("thread-local: main", main == {"per_thread": 1, "thread_name": "main"}, main)
    check("thread-local: worker", worker == {"per_thread": 1000, "thread_name": "worker"}, worker)
    text = weir(*where, "--tid", 1, "per_thread", status=1).stderr
    check("thread-local: no such thread", "no thread 1" in text, text)


def never_stopped(pid):
    """The worker counts; reading must leave the process running and unattached."""
    before = open(f"/proc/{pid}/status").read()
    weir("-p", pid, "--stable", "all")
    after = open(f"/proc/{pid}/status").read()
    check("nobody is attached", "TracerPid:\t0" in before and "TracerPid:\t0" in after)
    done = weir("-p", pid, "--stable", "spinning", "table", status=None)
    check("--stable agrees or says so", done.returncode == 0 or "not stable" in done.stderr, done.stderr)


def watch(pid):
    p = subprocess.Popen([WEIR, "print", "-p", str(pid), "--watch", "50ms", "--json", "spinning"],
                         stdout=subprocess.PIPE, text=True)
    seen = [json.loads(p.stdout.readline())["value"] for _ in range(3)]
    p.send_signal(signal.SIGTERM)
    p.wait()
    p.stdout.close()
    check("--watch reads again", len(seen) == 3, seen)


def refused(pid):
    nobody = shutil.which("setpriv")
    if os.geteuid() or not nobody:
        print("# skipped: a pid that may not be read (needs root and setpriv)")
        return
    done = subprocess.run([nobody, "--reuid=65534", "--regid=65534", "--clear-groups", WEIR, "print", "-p", str(pid), "all"],
                          capture_output=True, text=True)
    check("a pid that may not be read: what is missing, what to do",
          done.returncode == 1 and re.search("sudo|CAP_SYS_PTRACE|root", done.stderr), done.stderr)


def gone(process, pid):
    """It ends while it is watched: said once, and no hang."""
    p = subprocess.Popen([WEIR, "print", "-p", str(pid), "--watch", "20ms", "all.i"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p.stdout.readline()
    process.stdin.close()
    process.wait()
    _, err = p.communicate(timeout=30)
    check("a process that ends while it is read", "has ended" in err, err)
    text = weir("-p", pid, "all.i", status=1).stderr
    check("a process that is no more", str(pid) in text, text)


def cut_short(core):
    """The segment of `all` begins where the file ends, as if the disk had been full."""
    all_at = address(values(["--core", core], ["&all"])[0]["&all"])
    with open(core, "r+b") as file:
        header = file.read(64)
        offset, count = struct.unpack_from("<Q", header, 32)[0], struct.unpack_from("<H", header, 56)[0]
        for at in range(offset, offset + count * 56, 56):
            file.seek(at)
            kind, _, place, start, _, filled = struct.unpack("<IIQQQQ", file.read(40))
            if kind == 1 and start <= all_at < start + filled:
                file.seek(at + 8)
                file.write(struct.pack("<Q", os.path.getsize(core)))
                file.flush()
                done = weir("--core", core, "all.i", "all", status=1)
                file.seek(at + 8)
                file.write(struct.pack("<Q", place))
    check("a core file that is cut short", "is cut short" in done.stderr and "in the missing part" in done.stdout +
          done.stderr, done.stdout + done.stderr)


def start():
    process = subprocess.Popen([FIXTURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(process.stdout.readline().split()[1])
    return process, pid


def main():
    if not shutil.which("gdb"):
        print("skipped: gdb is not installed")
        return 77
    os.environ["XDG_CACHE_HOME"] = scratch = tempfile.mkdtemp(prefix="weir-print-")
    process, pid = start()
    try:
        tids = sorted(map(int, os.listdir(f"/proc/{pid}/task")))
        core = os.path.join(scratch, "core")
        subprocess.run(["gcore", "-o", core, str(pid)], capture_output=True, timeout=60)
        core += f".{pid}"
        constructs(["-p", pid])
        beside_gdb("process", ["-p", pid], ["-p", str(pid)])
        threads(["-p", pid], pid, tids)
        never_stopped(pid)
        watch(pid)
        refused(pid)
        check("gcore made a core file", os.path.exists(core))
        constructs(["--core", core])
        beside_gdb("core", ["--core", core], [FIXTURE, core])
        threads(["--core", core], pid, tids)
        cut_short(core)
        with open(core, "r+b") as file:
            file.truncate(os.path.getsize(core) // 3)
        done = weir("--core", core, "all.i", status=None)
        check("a truncated core file", done.returncode in (0, 1), f"exit {done.returncode}")
        check("a core file is not watched", weir("--core", core, "--watch", "1s", "all.i", status=2).stdout == "")
        gone(process, pid)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        shutil.rmtree(scratch)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
