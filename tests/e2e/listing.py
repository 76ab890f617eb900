#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `weir list` must survive: others' programs and files, rights, and change under its eyes;
and `weir doctor` where something is missing.

    listing.py BUILD_ROOT SCENARIO...      each function named test_SCENARIO below

Exit status 77: skipped, with the reason.
"""
import collections
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from scenarios import run_scenarios

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
WEIR = f"{BUILD}/cli/weir"
SHOP = f"{BUILD}/tests/e2e/shop"
PLAIN = f"{BUILD}/tests/e2e/plain"
LIBWEIR = f"{BUILD}/lib/libweir.so"
LIMIT = 120
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
          "--bounding-set=-all"]
children = []
folder = tempfile.mkdtemp(prefix="weir-list-")


def skip(reason):
    print(f"SKIPPED: {reason}")
    sys.exit(77)


def needs(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def needs_root():
    if os.geteuid():
        skip("needs root")


def start(*command, env=None, ready="ready ", **more):
    child = subprocess.Popen([str(c) for c in command], text=True, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE,
                             env={**os.environ, "WEIR_DIR": folder, **(env or {})}, **more)
    children.append(child)
    line = child.stdout.readline()
    assert line.startswith(ready), line
    return child


def lister(*options, **more):
    return start(sys.executable, f"{HERE}/lister.py", LIBWEIR, *options, **more)


def run(*arguments, before=(), status=0):
    done = subprocess.run([*before, WEIR, "list", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
                          check=False)
    assert status is None or done.returncode == status, (done.returncode, done.stderr)
    return done


def rows(*arguments, **more):
    return [json.loads(line) for line in run("--json", *arguments, **more).stdout.splitlines()]


def named(found, provider, probe):
    match = [r for r in found if (r["provider"], r["probe"]) == (provider, probe)]
    assert len(match) == 1, match
    return match[0]


def says(done, *words):
    for word in words:
        assert word in done.stderr, (word, done.stderr)


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def end(child):
    child.kill()
    child.wait()


# --- what is shown

def test_fields():
    shop = start(SHOP, "-n", 1, "-s", 100)
    order = named(rows("-p", shop.pid), "shop", "order")
    assert order["pid"] == shop.pid and order["kind"] == "weir" and order["process"] == "shop"
    assert order["fields"] == [{"name": "id", "type": "u64"}, {"name": "path", "type": "string"},
                               {"name": "ms", "type": "f64"}, {"name": "ok", "type": "bool"}]
    assert order["file"].startswith(folder) and order["sites"] == 1, order
    assert order["attached"] == [] and order["semaphore"] is None
    assert [r["probe"] for r in rows("-p", shop.pid, "shop:t*")] == ["tick"]
    text = run("-p", shop.pid).stdout
    assert re.search(r"shop:order +u64 id, string path, f64 ms, bool ok", text), text
    # a file, and the default: this user's weir processes
    assert named(rows("-x", order["file"]), "shop", "order")["pid"] is None
    mine = [r for r in rows() if r["pid"] == shop.pid]
    assert len(mine) == 2 and all(r["kind"] == "weir" for r in rows())


def readelf_probes(path):
    """{(provider, name): [types of each site]} as readelf sees them."""
    out = subprocess.run(["readelf", "-nW", path], text=True, capture_output=True,
                         check=True).stdout
    kinds = {"1": "u8", "-1": "i8", "2": "u16", "-2": "i16", "4": "u32", "-4": "i32", "8": "u64",
             "-8": "i64", "4f": "f32", "8f": "f64"}
    found = collections.defaultdict(list)
    for provider, name, arguments in re.findall(
            r"Provider: (\S+)\s+Name: (\S+)\s+Location:.*\s+Arguments: ?(.*)", out):
        found[provider, name].append([kinds[size] for size in
                                      re.findall(r"(-?\d+f?)@", arguments)])
    return found


def test_distribution():
    """Programs that know nothing of weir, against readelf."""
    needs("readelf")
    files = [f for pattern in ("/usr/bin/python3", "/usr/lib/postgresql/*/bin/postgres",
                               "/usr/lib/*-linux-gnu/libruby-*.so.*.*",
                               "/usr/lib/*-linux-gnu/libstdc++.so.6", "/usr/bin/stap")
             for f in glob.glob(pattern)]
    seen = 0
    for path in files:
        wanted = readelf_probes(path)
        if not wanted:
            continue
        found = rows("-x", path)
        assert {(r["provider"], r["probe"]) for r in found} == set(wanted), path
        for r in found:
            sites = wanted[r["provider"], r["probe"]]
            assert r["sites"] == len(sites), (path, r)
            assert [f["type"] for f in r["fields"]] in sites, (path, r, sites)
            assert [f["name"] for f in r["fields"]] == [f"arg{i}" for i in range(len(r["fields"]))]
            assert r["kind"] == "usdt" and r["file"] == path
        seen += 1
    if not seen:
        skip("nothing here has USDT probes")
    print(f"{seen} files")


def test_kinds():
    """Buffers only, a memfd for a stub, and what was withdrawn."""
    no_stub = rows("-p", lister("--no-usdt", "--withdrawn").pid, "many:*", "gone:*")
    assert [r["probe"] for r in no_stub] == ["p0", "p1", "p2"], no_stub
    assert all(r["file"] is None and r["provider"] == "many" for r in no_stub)
    assert no_stub[0]["fields"][1] == {"name": "path", "type": "string"}
    memfd = rows("-p", lister("--memfd").pid, "many:*")
    assert [r["probe"] for r in memfd] == ["p0", "p1", "p2"] and "memfd" in memfd[0]["file"]
    kept = rows("-p", lister("--withdrawn").pid, "many:*", "gone:*")
    assert {r["provider"] for r in kept} == {"many"}, kept


def test_many():
    target = lister("--probes", 10000)
    found = rows("-p", target.pid, "many:*")
    assert len(found) == 10000 and len({r["probe"] for r in found}) == 10000
    assert all(r["attached"] == [] and r["sites"] == 1 for r in found)
    assert run("-p", target.pid).stdout.count("many:p") == 10000
    assert len(rows("-p", lister("--probes", 10000, "--no-usdt").pid, "many:*")) == 10000


# --- who is attached

def test_buffer():
    shop = start(SHOP, "-F", "-g", 1000000)
    tracer = subprocess.Popen([WEIR, "trace", "-p", str(shop.pid), "shop:order"],
                              stdout=subprocess.DEVNULL)
    children.append(tracer)
    until(lambda: rows("-p", shop.pid, "shop:order")[0]["attached"])
    found = rows("-p", shop.pid)
    assert named(found, "shop", "order")["attached"] == [f"buffer(pid {tracer.pid})"]
    assert named(found, "shop", "tick")["attached"] == []
    assert f"buffer (pid {tracer.pid})" in run("-p", shop.pid).stdout
    tracer.send_signal(signal.SIGINT)
    tracer.wait(LIMIT)
    assert named(rows("-p", shop.pid), "shop", "order")["attached"] == []


def bpftrace(pid, probe):
    tracer = subprocess.Popen(["bpftrace", "-p", str(pid), "-e", probe + " { @ = count(); }"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children.append(tracer)
    return tracer


def usdt_on_off(pid, provider, probe, path):
    """Attach bpftrace and detach it; returns the row while it was there."""
    def row():
        return named(rows("-p", pid, f"{provider}:{probe}"), provider, probe)
    assert row()["attached"] == []
    tracer = bpftrace(pid, f"usdt:{path}:{provider}:{probe}")
    until(lambda: row()["attached"] or tracer.poll() is not None)
    assert tracer.poll() is None, "bpftrace could not attach"
    there = row()
    assert there["attached"] == ["usdt"], there
    tracer.send_signal(signal.SIGINT)
    tracer.wait(LIMIT)
    assert row()["attached"] == []
    return there


def test_usdt():
    needs_root()
    needs("bpftrace")
    shop = start(SHOP, "-n", 1, "-s", 100)
    file = named(rows("-p", shop.pid), "shop", "order")["file"]
    usdt_on_off(shop.pid, "shop", "order", file)
    if os.path.exists(PLAIN):
        plain = start(PLAIN)
        found = named(rows("-p", plain.pid), "plain", "tick")
        assert found["kind"] == "usdt" and found["fields"] == [{"name": "arg0", "type": "i32"}]
        usdt_on_off(plain.pid, "plain", "tick", PLAIN)


def test_semaphore():
    needs_root()
    needs("bpftrace")
    target = lister("--semaphore")
    before = named(rows("-p", target.pid, "many:p1"), "many", "p1")
    assert before["semaphore"] == 0, before
    there = usdt_on_off(target.pid, "many", "p1", before["file"])
    assert there["semaphore"] == 1, there
    # Debian's python3 has semaphores of its own
    python = start("/usr/bin/python3", "-c", "print('ready ', flush=True); input()")
    found = [r for r in rows("-p", python.pid) if r["provider"] == "python"]
    if not found:
        skip("this python3 has no USDT probes")
    there = usdt_on_off(python.pid, "python", "gc__start", found[0]["file"])
    assert there["semaphore"] == 1, there


# --- rights

def test_rights():
    needs_root()
    if subprocess.run([*NOBODY, WEIR, "--version"], capture_output=True, check=False).returncode:
        skip("another user cannot run weir from here")
    shop = start(SHOP, "-n", 1, "-s", 100)
    says(run("-p", shop.pid, before=NOBODY, status=1), "runs as root", f"sudo {WEIR} list -p")
    everything = run("--all", "--json", before=NOBODY)
    assert str(shop.pid) not in everything.stdout
    assert run("--json", before=NOBODY).stdout == ""
    hidden = start(*NOBODY, SHOP, "-n", 1, "-s", 100, "-N", env={"WEIR_DIR": ""})
    says(run("-p", hidden.pid, before=NOBODY, status=1), "not dumpable", "CAP_SYS_PTRACE")
    mine = start(*NOBODY, SHOP, "-n", 1, "-s", 100, env={"WEIR_DIR": ""})
    assert len(rows("-p", mine.pid, before=NOBODY)) == 2
    assert {r["pid"] for r in rows(before=NOBODY)} == {mine.pid}


def test_errors():
    shop = start(SHOP, "-n", 1, "-s", 100)
    says(run("-p", shop.pid, "shop:ordr", status=1), "no probe shop:ordr",
         f"process {shop.pid} (shop)", "nearest: shop:order", f"weir list -p {shop.pid}")
    says(run("shop:ordr", status=1), "nearest: shop:order")
    end(shop)
    says(run("-p", shop.pid, status=1), f"no process {shop.pid}")
    says(run("-x", "/etc/passwd", status=1), "/etc/passwd", "not an ELF file")
    says(run("-x", f"{folder}/none", status=1), f"{folder}/none", "No such file")
    says(run("-x", "/dev/null", status=1), "not a regular file")
    says(run("-p", "shop", status=2), "shop")
    says(run("-p", os.getpid(), "::", status=2), "::")


# --- where the target lives

def test_namespaces():
    needs_root()
    private = os.path.join(folder, "private")
    os.mkdir(private)
    # the stub lies in a mount that only the target has
    mounted = start("unshare", "-m", "sh", "-c",
                    f"mount -t tmpfs -o mode=0700 tmpfs {private} && exec {SHOP} -n 1 -s 100",
                    env={"WEIR_DIR": private})
    order = named(rows("-p", mounted.pid), "shop", "order")
    # the kernel names it from the root of that mount namespace, which is above ours in a chroot
    assert f"{private}/shop-" in order["file"] and not os.listdir(private), order
    outer = start("unshare", "-p", "-f", "--mount-proc", SHOP, "-n", "1", "-s", "100")
    with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as f:
        inner = int(f.read())
    order = named(rows("-p", inner), "shop", "order")
    assert order["pid"] == inner and order["attached"] == [], order
    os.kill(inner, signal.SIGKILL)


# --- what changes under the scan

def test_replaced():
    """A file that was removed, one that was replaced, and what lies there now."""
    needs_root()
    shop = start(SHOP, "-n", 1, "-s", 100)
    path = named(rows("-p", shop.pid), "shop", "order")["file"]
    os.unlink(path)
    shutil.copy(LIBWEIR, path)
    # whoever may use map_files sees what is mapped
    order = named(rows("-p", shop.pid), "shop", "order")
    assert order["deleted"] is True and order["attached"] == [], order
    os.unlink(path)
    order = named(rows("-p", shop.pid), "shop", "order")
    assert order["deleted"] is True and order["attached"] == [], order
    os.mkfifo(path)
    assert named(rows("-p", shop.pid), "shop", "order")["deleted"] is True
    os.unlink(path)


def test_replaced_without_rights():
    needs_root()
    if subprocess.run([*NOBODY, WEIR, "--version"], capture_output=True, check=False).returncode:
        skip("another user cannot run weir from here")
    with tempfile.TemporaryDirectory() as own:
        os.chown(own, 65534, 65534)
        shop = start(*NOBODY, SHOP, "-n", 1, "-s", 100, env={"WEIR_DIR": own})
        path = named(rows("-p", shop.pid, before=NOBODY), "shop", "order")["file"]
        os.unlink(path)
        shutil.copy(LIBWEIR, path)
        done = run("-p", shop.pid, "--json", before=NOBODY)
        says(done, path, "another file (build-id)", f"sudo weir list -p {shop.pid}")
        # the log still says what is published
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert named(found, "shop", "order")["file"] is None
        os.unlink(path)
        os.mkfifo(path)  # opening it would block, or wake a writer
        done = run("-p", shop.pid, "--json", before=NOBODY)
        assert len(done.stdout.splitlines()) == 2
        says(done, path)


def test_exec():
    """A process that becomes another program again and again: what is published by then."""
    # shop -x starts its argv[0] anew with what follows -x, which then is argv[0]
    os.symlink(SHOP, f"{folder}/-x")
    again = ["-x", "-n", "1"] * 5000
    child = subprocess.Popen([SHOP, "-n", "1", *again, "-s", "100"], stdout=subprocess.DEVNULL,
                             cwd=folder, env={**os.environ, "WEIR_DIR": folder})
    children.append(child)
    shapes = collections.Counter()
    for _ in range(150):
        done = run("-p", child.pid, "--json", status=None)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0 or "no probes" in done.stderr, done.stderr
        shapes[tuple(r["probe"] for r in found if r["provider"] == "shop")] += 1
    assert child.poll() is None
    assert set(shapes) <= {(), ("order",), ("order", "tick")}, shapes
    print(dict(shapes))


def test_exits():
    """Processes that come and go while all are looked at are no error."""
    storm = subprocess.Popen(["sh", "-c", f"while :; do {SHOP} -n 1 >/dev/null & {SHOP} -n 1 "
                              ">/dev/null & true & wait; done"],
                             env={**os.environ, "WEIR_DIR": folder}, start_new_session=True)
    try:
        for _ in range(15):
            for line in run("--all", "--json").stdout.splitlines():
                json.loads(line)
            run("--json")
    finally:
        os.killpg(storm.pid, signal.SIGKILL)
        storm.wait()


# --- files

def test_hostile_files():
    """Damaged ELF files, those of the fuzzer's seeds too: an answer or a reason, never a crash."""
    seeds = f"{folder}/seeds"
    subprocess.run([sys.executable, f"{HERE}/../../fuzz/seed-notes.py", seeds], check=True)
    good = f"{folder}/good.so"
    shop = start(SHOP, "-n", 1, "-s", 100)
    shutil.copy(named(rows("-p", shop.pid), "shop", "order")["file"], good)
    with open(good, "rb") as f:
        whole = f.read()
    for i in range(0, len(whole), max(1, len(whole) // 60)):
        with open(f"{seeds}/cut-{i}", "wb") as f:
            f.write(whole[:i])
        with open(f"{seeds}/flip-{i}", "wb") as f:
            f.write(whole[:i] + bytes(b ^ 0xff for b in whole[i:i + 8]) + whole[i + 8:])
    with open(f"{seeds}/sparse", "wb") as f:
        # 2^32 sections in a sparse file
        f.write(whole[:40] + (4096).to_bytes(8, "little") + whole[48:60] + b"\0\0" + whole[62:])
        f.seek(4096)
        f.write(b"\0" * 32 + (1 << 32).to_bytes(8, "little") + b"\0" * 24)
        f.truncate(1 << 40)
    for path in sorted(glob.glob(f"{seeds}/*")):
        done = run("-x", path, "--json", status=None)
        assert done.returncode in (0, 1), (path, done.returncode, done.stderr)
        assert done.returncode == 0 or done.stderr.startswith("weir: "), (path, done.stderr)
        for line in done.stdout.splitlines():
            json.loads(line)
    says(run("-x", f"{seeds}/sparse", status=1), "sections")


def test_core():
    needs("gcore")
    target = lister("--withdrawn")
    before = rows("-p", target.pid, "many:*")
    core = f"{folder}/core.{target.pid}"
    subprocess.run(["gcore", "-o", f"{folder}/core", str(target.pid)], capture_output=True,
                   check=False)
    if not os.path.exists(core):
        skip("gcore made no core file here")
    end(target)

    def of_core():
        return [(r["provider"], r["probe"], r["fields"])
                for r in rows("-x", core) if r["kind"] == "weir"]
    wanted = [(r["provider"], r["probe"], r["fields"]) for r in before]
    assert of_core() == wanted, of_core()
    assert {r["file"] for r in rows("-x", core, "many:*")} == {before[0]["file"]}
    # without the stub: the schema log is in the dump
    os.unlink(before[0]["file"])
    assert of_core() == wanted, of_core()
    # cut off: an answer or a reason
    for size in (os.path.getsize(core) // 2, 100000, 4096, 100, 10):
        os.truncate(core, size)
        done = run("-x", core, "--json", status=None)
        assert done.returncode in (0, 1), (size, done.returncode)
        assert done.returncode == 0 or done.stderr.startswith("weir: "), (size, done.stderr)


# --- weir doctor

def doctor(*before, env=None):
    done = subprocess.run([*map(str, before), WEIR, "doctor", "--json"], text=True, check=True,
                          stdout=subprocess.PIPE, timeout=LIMIT, env={**os.environ, **(env or {})})
    return {r["check"]: r for r in map(json.loads, done.stdout.splitlines())}


def found(report, check, status, *words):
    row = report[check]
    assert row["status"] == status, row
    assert (row["remedy"] is None) == (status == "ok"), row
    for word in words:
        assert word in row["reason"], (word, row)


def test_doctor_folder():
    stubs = f"{folder}/stubs"
    env = {"WEIR_DIR": stubs, "XDG_RUNTIME_DIR": ""}
    found(doctor(env=env), "stub folder", "ok", stubs)
    assert not os.path.exists(stubs), "doctor is to make nothing"
    os.mkdir(stubs, 0o700)
    found(doctor(env=env), "stub folder", "ok", stubs)
    os.chmod(stubs, 0o755)
    found(doctor(env=env), "stub folder", "limited", stubs, "0755")
    os.chmod(stubs, 0o700)
    os.symlink(stubs, stubs + ".link")
    found(doctor(env={**env, "WEIR_DIR": stubs + ".link"}), "stub folder", "limited", "symlink")
    os.chmod(folder, 0o777)
    found(doctor(env=env), "stub folder", "limited", "others may change")
    os.chmod(folder, 0o700)
    if os.geteuid():
        return
    os.chown(stubs, 65534, 65534)
    found(doctor(env=env), "stub folder", "limited", "belongs to uid 65534")
    found(doctor("unshare", "-m", "sh", "-c", f"mount -t tmpfs -o noexec,mode=700 tmpfs {stubs} && "
                 'exec "$@"', "sh", env=env), "stub folder", "limited", "noexec")


def test_doctor_missing():
    found(doctor("sh", "-c", 'ulimit -v 400000; exec "$@"', "sh"), "limits", "limited", "RLIMIT_AS")
    found(doctor("sh", "-c", 'ulimit -f 1000; exec "$@"', "sh"), "limits", "limited", "RLIMIT_FSIZE")
    found(doctor(env={"GLIBC_TUNABLES": "glibc.pthread.rseq=0"}), "rseq", "limited")
    needs_root()
    if subprocess.run([*NOBODY, WEIR, "--version"], capture_output=True, check=False).returncode:
        skip("another user cannot run weir from here")
    report = doctor(*NOBODY)
    found(report, "uprobes", "missing", "perf_event_open")
    found(report, "BPF", "missing", "loading a program")
    found(report, "other processes", "limited")
    for name, caps in (("uprobes", "cap_sys_admin"), ("BPF", "cap_bpf,cap_perfmon"),
                       ("other processes", "cap_sys_ptrace,cap_dac_read_search")):
        assert f"setcap {caps}=ep" in report[name]["remedy"], report[name]
    assert all(row["status"] != "missing" for name, row in report.items()
               if name in ("memfd", "stub folder", "rseq", "event clock")), report
    if os.path.exists("/proc/sys/vm/memfd_noexec"):
        # the setting is the pid namespace's own
        forbidden = doctor("unshare", "-p", "-f", "--mount-proc", "sh", "-c",
                           'echo 2 >/proc/sys/vm/memfd_noexec; "$@"', "sh")
        found(forbidden, "memfd", "limited", "buffers work", "memfd_noexec=2")


if __name__ == "__main__":
    run_scenarios(globals(), children, [folder])
