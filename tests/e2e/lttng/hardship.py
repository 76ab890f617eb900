#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What goes wrong, is too much or is forbidden: an error is a return value, and the target lives on."""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from harness import (Error, Session, Skip, Target, alive, equal, lttng, main, mi, read_trace, refused,
                     wait_for)

MACHINE_CODE = os.uname().machine == "x86_64"
MIXED = "u32:thread i64:n string:text f64:half"


def mixed(count, threads):
    return [{"thread": t, "n": n, "text": f"thread {t}, event {n}", "half": n / 2}
            for t in range(threads) for n in range(count)]


def in_order(events):
    return sorted((e.fields for e in events), key=lambda f: (f["thread"], f["n"]))


# Executable memory


def test_no_written_code(daemon):
    """Where nothing that was written may become code, as under systemd's MemoryDenyWriteExecute=,
    machine code still packs: it comes from a file."""
    daemon.start()
    session = Session("mdwe").event("md:*").start()
    with Target() as target:
        target("refuse written")
        target.provider("md", "v -1 0 " + MIXED)
        target("mixed md:v 500 3")
        equal("machine code", target.has_pack_code(), MACHINE_CODE)
        equal("its USDT", "error" in target("why md"), False)
    equal("events", in_order(session.events()), mixed(500, 3))


def test_no_new_code(daemon):
    """Where nothing becomes code any more: no USDT, the portable way to LTTng, and reasons."""
    daemon.start()
    session = Session("nocode").event("nc*:*").start()
    with Target() as target:
        target.provider("nc", "v -1 0 u8:v")  # loads LTTng
        target("refuse all")
        said = {}
        target("provider nc2 lttng")
        target("probe nc2 v -1 0 " + MIXED)
        said = target("publish nc2")
        assert "stub" in said, said
        code = [path for path in target.code_maps() if "nc2-" in path or "weir_lttng" in path]
        equal("code of nc2", code, [])
        target("mixed nc2:v 500 3")
        target("fire nc:v 9")
    events = session.events()
    equal("events", in_order(events[:-1]), mixed(500, 3))
    equal("the first provider's", events[-1].fields, {"v": 9})


def test_code_from_a_memfd(daemon):
    """No folder for a stub: the code comes from memory files."""
    daemon.start()
    session = Session("memfd").event("mf:*").start()
    with Target() as target:
        target.provider("mf", "v -1 0 " + MIXED, flags="lttng memfd")
        target("mixed mf:v 500 1")
        equal("machine code", target.has_pack_code(), MACHINE_CODE)
    equal("events", in_order(session.events()), mixed(500, 1))


STEP = """
import gdb
gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("set breakpoint pending on")
gdb.execute("set debuginfod enabled off")
gdb.execute("handle all nostop noprint pass")
gdb.execute("break lttng_pack_string")
gdb.execute("run < COMMANDS")
gdb.execute("delete")
seen, names = 0, set()
frame = gdb.newest_frame()
pack = frame.older().name()
gdb.execute("break lttng_event_fire")
gdb.execute("continue")
gdb.execute("delete")
thread = gdb.selected_thread()
while gdb.newest_frame().name() != pack:
    gdb.execute("stepi", to_string=True)
for _ in range(2000):
    frame = gdb.newest_frame()
    chain, at = [], frame
    while at:
        chain.append(at.name())
        at = at.older()
    if pack in chain:
        names.add(tuple(chain[chain.index(pack):]))
        seen += frame.name() == pack
    elif seen:
        break
    gdb.execute("stepi", to_string=True)
print("PACK", pack, seen)
for chain in names:
    print("CHAIN", " ".join(str(c) for c in chain))
gdb.execute("kill")
"""


def test_stacks_through_code(daemon):
    """gdb walks from each instruction of the machine code to main, and knows its name."""
    if not shutil.which("gdb"):
        raise Skip("gdb is not installed")
    if not MACHINE_CODE:
        raise Skip("no machine code on this processor")
    daemon.start()
    session = Session("stacks").event("sk:*").start()
    commands = os.path.join(daemon.home, "commands")
    script = os.path.join(daemon.home, "step.py")
    with open(commands, "w") as file:
        file.write("provider sk lttng\nprobe sk v -1 0 i8:a string:b i64:c bytes:d bool:e\n"
                   "publish sk\nfire sk:v 1 one 2 xyz 1\nfire sk:v 1 two 2 xyz 1\nquit\n")
    with open(script, "w") as file:
        file.write(STEP.replace("COMMANDS", commands))
    from harness import TARGET
    done = subprocess.run(["gdb", "-nx", "-batch", "-x", script, TARGET], capture_output=True,
                          text=True, timeout=100)
    found = re.search(r"PACK (\S+) (\d+)", done.stdout)
    if not found and "lttng_pack_string" in done.stderr:
        raise Skip("libweir has no symbols here")
    assert found, done.stdout + done.stderr
    equal("its name", found.group(1), "weir_pack_i8_string256_i64_bytes256_bool")
    assert int(found.group(2)) > 30, found.group(0)
    chains = re.findall(r"CHAIN (.*)", done.stdout)
    equal("ways to main", len(chains), 1)
    chain = chains[0].split()
    assert "lttng_event_fire" in chain and chain[-1] in ("main", "_start"), chain
    session.stop()
    session.destroy()
    read_trace(session.output)


# Names


BAD_NAMES = ["a-b", "a.b", "$a", "a$", 'a"b', "a\\b", "1a", "a,b", "a;b", "a*", "\xe4", "a%b",
             "x" * 64, "a/b", "a=b", "a{", "'"]


def test_names_are_refused(daemon):
    """What would make a trace unreadable is refused when it is declared, with the reason."""
    daemon.start()
    session = Session("names").event("*:*").start()
    with Target() as target:
        target("provider nm lttng")
        for name in BAD_NAMES:
            for what, command in (("provider", f"provider {name} lttng"),
                                  ("probe", f"probe nm {name} -1 0 u8:v"),
                                  ("field", f"probe nm p -1 0 u8:{name}")):
                said = refused(target, command)
                assert what in said and "-22 " in said and len(said) > 30, (name, said)
        said = refused(target, "probe nm p -1 0 u8:same string:other u8:same")
        assert "same" in said, said
        target("probe nm ok -1 0 u8:v")
        assert "already" in refused(target, "probe nm ok -1 0 u8:v"), "a probe twice"
        assert "already" in refused(target, "provider nm lttng"), "a provider twice"
        target("publish nm")
        target("fire nm:ok 1")
    equal("events", [e.fields for e in session.events() if e.name.startswith("nm")], [{"v": 1}])


def test_long_names(daemon):
    daemon.start()
    provider, probe, field = "p" * 63, "e" * 63, "f" * 63
    session = Session("long").event(provider + ":*", "--filter", f"{field} > 1").start()
    with Target() as target:
        target.provider(provider, f"{probe} -1 0 u8:{field} bytes:{'b' * 63} bytes:_{'b' * 62}")
        target(f"fire {provider}:{probe} 1 x y")
        target(f"fire {provider}:{probe} 2 x y")
        assert f"{provider}:{probe}" in lttng("list", "--userspace")
    events = session.events()
    equal("names", [e.name for e in events], [f"{provider}:{probe}"])
    equal("fields", list(events[0].fields.values()), [2, 1, [ord("x")], 1, [ord("y")]])


def test_one_name_two_processes(daemon):
    """One name with other fields in each process, all at once in buffers of the user."""
    daemon.start()
    session = Session("two").context("vpid").event("tw:ev").start()
    with Target() as one, Target() as two, Target() as three:
        one.provider("tw", "ev -1 0 u32:v")
        two.provider("tw", "ev -1 0 string:text f64:ms")
        three.provider("tw", "ev -1 0 string:v")
        for number in range(3):
            one(f"fire tw:ev {number}")
            two(f"fire tw:ev text{number} 0.5")
            three(f"fire tw:ev v{number}")
        pids = one.pid, two.pid, three.pid
    got = [(pids.index(e.context["vpid"]), e.fields) for e in session.events()]
    wanted = []
    for number in range(3):
        wanted += [(0, {"v": number}), (1, {"text": f"text{number}", "ms": 0.5}),
                   (2, {"v": f"v{number}"})]
    equal("events", got, wanted)


def test_many_events(daemon):
    """Ten thousand probes, each with other fields' names, and all of them listed and recorded."""
    daemon.start()
    count = 10000
    session = Session("tenk", channel=("--subbuf-size=4M", "--num-subbuf=4")).event("tk:*").start()
    with Target() as target:
        target.provider("tk", *[f"e{n} -1 0 u32:v{n} string:s" for n in range(count)])
        listed = set(re.findall(r"tk:e(\d+)", lttng("list", "--userspace")))
        equal("listed", len(listed), count)
        for n in range(count):
            target(f"fire tk:e{n} {n} x{n}")
    equal("events", [(e.name, e.fields) for e in session.events()],
          [(f"tk:e{n}", {f"v{n}": n, "s": f"x{n}"}) for n in range(count)])


def test_thousand_in_a_session(daemon):
    """A thousand probes published in a session that records, by one publish and one by one."""
    daemon.start()
    session = Session("thousand").event("ts:*").start()
    with Target() as target:
        target.provider("ts", *[f"a{n} -1 0 u32:v" for n in range(1000)])
        for n in range(1000):
            target(f"fire ts:a{n} {n}")
        for n in range(1000):  # on a published provider: each is registered by itself
            target(f"probe ts b{n} -1 0 u32:v")
            target(f"fire ts:b{n} {n}")
        target("destroy ts")
    equal("events", [(e.name, e["v"]) for e in session.events()],
          [(f"ts:{kind}{n}", n) for kind in "ab" for n in range(1000)])


# Daemons that die, stop and come back


def test_killed_while_registering(daemon):
    """The session daemon is killed at some moment of a publish, again and again."""
    dice = random.Random(3)

    def listed():
        return re.search(r"kr:e0\b", lttng("list", "--userspace"))

    with Target() as target:
        target("provider kr lttng")
        for n in range(1500):
            target(f"probe kr e{n} -1 0 u32:v")
        target("publish kr")
        for turn in range(6):
            pid = daemon.start()
            wait_for("the program to register", listed)
            Session(f"kr{turn}").event("kr:*").start().abandon()
            target("withdraw kr")
            target.send("publish kr")
            time.sleep(dice.uniform(0, 0.08))
            os.kill(pid, signal.SIGKILL)
            target.answer()
            target(f"fire kr:e{turn} 1")
            wait_for("its end", lambda p=pid: not alive(p))
            daemon.pids.remove(pid)
        daemon.start()
        wait_for("the program to register", listed)
        session = Session("after").event("kr:*").start()
        for n in range(1500):
            target(f"fire kr:e{n} {n}")
    equal("events", [e["v"] for e in session.events()], list(range(1500)))


def test_stopped_daemon(daemon):
    """The daemon stops answering in the middle of a session: 3 s, once, in the next publish."""
    pid = daemon.start()
    del os.environ["LTTNG_UST_REGISTER_TIMEOUT"]
    session = Session("stopped").event("sp:*").start()
    with Target() as target:
        target.provider("sp", "v -1 0 u32:v")
        target("fire sp:v 1")
        os.kill(pid, signal.SIGSTOP)
        target("fire sp:v 2")
        assert int(target("clock")) < 500, "a fire waits"
        waited = 0
        for n in range(20):
            target(f"probe sp p{n} -1 0 u32:v")
            waited += int(target("clock"))
            target(f"fire sp:p{n} 1")
        assert waited < 4500, f"20 publishes took {waited} ms"
        target("withdraw sp")
        assert int(target("clock")) < 500, "withdraw waits"
        target("publish sp")
        assert int(target("clock")) < 500, "the second publish waits"
        target("fire sp:v 3")
        os.kill(pid, signal.SIGCONT)
        target("fire sp:v 4")
    got = [e["v"] for e in session.events() if e.name == "sp:v"]
    equal("what was fired before", got[:2], [1, 2])


# Libraries


def test_library_without_symbols(daemon):
    """A liblttng-ust.so.1 that is none: an error that names what it lacks."""
    folder = os.path.join(daemon.home, "wrong")
    os.makedirs(folder)
    with open("/proc/self/maps") as file:
        other = next(line.split()[-1] for line in file if "/libm.so" in line or "/libz.so" in line)
    shutil.copy(other, os.path.join(folder, "liblttng-ust.so.1"))
    with Target(LD_LIBRARY_PATH=folder + ":" + os.environ.get("LD_LIBRARY_PATH", "")) as target:
        target("provider wr lttng")
        target("probe wr v -1 0 u32:v")
        said = target("publish wr")
        assert "lttng_ust_probe_register" in said and "2.13 or later" in said, said
        target("fire wr:v 1")
        target("fork")
        target("fire wr:v 1")
        equal("the child's end", target("quit"), "child 0")
        target("destroy wr")


def test_other_major(daemon):
    """Only a liblttng-ust of another major is there."""
    folder = os.path.join(daemon.home, "major")
    os.makedirs(folder)
    script = ("mount -t tmpfs weir-test " + folder + " && for l in $(ldconfig -p | sed -n "
              "'s/.*=> \\(.*liblttng-ust[^ ]*\\)$/\\1/p'); do mount --bind /dev/null $l; done; "
              "exec \"$0\"")
    wrapper = os.path.join(daemon.home, "wrapper")
    with open(wrapper, "w") as file:
        file.write(f"#!/bin/sh\nexec unshare --mount sh -c '{script}' {target_path()}\n"
                   .replace("'s/", '"s/').replace("p'); do", 'p"); do'))
    os.chmod(wrapper, 0o755)
    with Target(wrapper) as target:
        target("provider om lttng")
        target("probe om v -1 0 u32:v")
        said = target("publish om")
        assert "liblttng-ust.so.1" in said and "install" in said, said
        target("fire om:v 1")


def target_path():
    from harness import TARGET
    return TARGET


def plugin_path():
    return os.environ["WEIR_TEST_PLUGIN"]


def test_unloaded_plugin(daemon):
    """A plugin with a libweir of its own is unloaded while a session records its probe."""
    daemon.start()
    session = Session("plug").event("plug:*").start()
    with Target() as target:
        target("plugin " + plugin_path())
        target("call 1")
        target("unplug")
        assert "plug:ev" in lttng("list", "--userspace")
        second = Session("later").event("plug:*", "--filter", 'text == "plugin"').start()
        lttng("list", "--userspace", "--fields")
        target.provider("other", "v -1 0 bool:v")
        target("plugin " + plugin_path())
        target("call 2")
        target("fork")
        target("call 3")
        equal("the child's end", target("quit"), "child 0")
    equal("events", [e.fields for e in session.events()],
          [{"v": n, "text": "plugin"} for n in (1, 2, 3)])
    equal("events of the other session", [e["v"] for e in second.events()], [2, 3])


def test_two_copies_fork(daemon):
    """They tell LTTng of a fork once; also where it has to fork itself to make its memory."""
    for first in ("program", "plugin"):
        with Target() as target:
            for who in (first, "program" if first == "plugin" else "plugin"):
                if who == "plugin":
                    target("plugin " + plugin_path())
                    target("call 0")
                else:
                    target.provider("pr", "v -1 0 i64:v")
            for name in os.listdir("/dev/shm"):  # it is private here
                os.unlink("/dev/shm/" + name)
            target("fork")  # no daemon has been there yet
            target("call 1")
            target("fire pr:v 2")
            equal("the child's end", target("quit"), "child 0")
    daemon.start()
    session = Session("forks").context("vpid").event("p*:*").start()
    with Target() as target:
        target.provider("pr", "v -1 0 i64:v")
        target("plugin " + plugin_path())
        target("call 1")
        target("fork")
        child = int(target("pid"))
        target("call 2")
        target("fire pr:v 3")
        equal("the child's end", target("quit"), "child 0")
        target("fire pr:v 4")
        parent = target.pid
    equal("events", [(e["v"], e.context["vpid"]) for e in session.events()],
          [(1, parent), (2, child), (3, child), (4, parent)])


def test_two_copies(daemon):
    """Two libweirs in a process, each with the same provider and probe: both record their own."""
    daemon.start()
    session = Session("copies").event("plug:*").start()
    with Target() as target:
        target.provider("plug", "ev -1 0 i64:v string:text")
        target("plugin " + plugin_path())
        target("call 1")
        target("fire plug:ev 2 program")
        target("destroy plug")
        target("call 3")
    equal("events", [e.fields for e in session.events()],
          [{"v": 1, "text": "plugin"}, {"v": 2, "text": "program"}, {"v": 3, "text": "plugin"}])


if __name__ == "__main__":
    main(globals())
