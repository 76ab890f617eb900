#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes, threads, providers and daemons that come and go."""

import os
import re
import signal
import socket
import subprocess

from harness import Session, Skip, Target, equal, lttng, main, pids_of, read_trace, sh, wait_for

FORK_LIBRARY = "liblttng-ust-fork.so.1"


def test_orders(daemon):
    """Provider first, session first, daemon last: all record."""
    with Target() as early:
        early.provider("ord", "v -1 0 u32:v")  # no daemon yet
        daemon.start()
        wait_for("the program to register", lambda: "ord:v" in lttng("list", "--userspace"))
        session = Session("order").event("ord:*").start()
        early("fire ord:v 1")
        with Target() as late:
            late.provider("ord", "v -1 0 u32:v")
            late("fire ord:v 2")  # the first fire after publish is not lost
            late("probe ord more -1 0 u32:v")  # on a published provider
            late("fire ord:more 3")
    equal("values", [e["v"] for e in session.events()], [1, 2, 3])


def test_not_asked_for(daemon):
    """Without the flag and without WEIR_LTTNG nothing of LTTng is in the process."""
    daemon.start()
    with Target() as target:
        target.provider("none", "v -1 0 u32:v", flags="")
        with open(f"/proc/{target.pid}/maps") as file:
            assert "liblttng" not in file.read()
        equal("threads", target("threads"), "1")
    with Target(WEIR_LTTNG="1") as target:
        target.provider("none", "v -1 0 u32:v", flags="")
        assert "none:v" in lttng("list", "--userspace")
    with Target(WEIR_LTTNG="0") as target:
        target.provider("none", "v -1 0 u32:v", flags="")
        equal("threads", target("threads"), "1")


def test_redefined(daemon):
    """One name, another schema, in a session that goes on."""
    daemon.start()
    session = Session("redef").event("re:*").start()
    with Target() as target:
        for round in range(3):
            target.provider("re", "ev -1 0 u32:v")
            target(f"fire re:ev {round}")
            target("destroy re")
            target.provider("re", "ev -1 0 string:text f64:ms")
            target(f"fire re:ev text{round} 0.5")
            target("withdraw re")
            target("fire re:ev gone 1")
            target("publish re")
            target(f"fire re:ev again{round} 1.5")
            target("destroy re")
        assert "re:ev" not in lttng("list", "--userspace"), "a destroyed provider is listed"
    wanted = []
    for round in range(3):
        wanted += [{"v": round}, {"text": f"text{round}", "ms": 0.5},
                   {"text": f"again{round}", "ms": 1.5}]
    equal("fields", [e.fields for e in session.events()], wanted)


def test_several_providers(daemon):
    daemon.start()
    session = Session("several").event("p*:v").start()
    with Target() as target:
        for n in range(5):
            target.provider(f"p{n}", "v -1 0 u32:v", "w -1 0 u32:v")
        for n in range(5):
            target(f"fire p{n}:v {n}")
            target(f"fire p{n}:w {n}")
        target("destroy p2")
        target("fire p3:v 13")
    equal("events", [(e.name, e["v"]) for e in session.events()],
          [(f"p{n}:v", n) for n in range(5)] + [("p3:v", 13)])


def test_threads(daemon):
    """Many threads, nothing lost, nothing twice."""
    daemon.start()
    session = Session("threads", channel=("--subbuf-size=4M", "--num-subbuf=4")).context("vtid")
    session.event("th:*").start()
    with Target() as target:
        target.provider("th", "v -1 0 i64:n")
        for _ in range(5):
            target("loop th:v 1000 16")
    threads = {}
    for event in session.events():
        threads.setdefault(event.context["vtid"], []).append(event["n"])
    equal("threads", len(threads), 80)
    for numbers in threads.values():
        equal("one thread's events", numbers, list(range(1000)))


def test_churn(daemon):
    """Withdrawn and published again while threads fire, in an active session."""
    daemon.start()
    session = Session("churn", channel=("--subbuf-size=1M", "--num-subbuf=4")).event("ch:*").start()
    with Target() as target:
        target.provider("ch", "v -1 0 i64:n", "w -1 0 string:s bytes:b")
        target("churn ch:v 300 6")
        target("fire ch:v -77")
        target("fire ch:w end xyz")
    session.stop()
    session.destroy()
    events = read_trace(session.output, allow="discarded")
    assert len(events) > 100, len(events)
    equal("the last ones", [e.fields for e in events[-2:]],
          [{"n": -77}, {"s": "end", "_b_length": 3, "b": [120, 121, 122]}])


def test_signals(daemon):
    """Fires in a handler that interrupts fires, also as the first one of a thread.

    LTTng 2.16 discards events when its buffers are entered from a handler, and counts them; a
    program with static tracepoints loses as many. 2.13 does not.
    """
    daemon.start()
    session = Session("signals", channel=("--subbuf-size=4M", "--num-subbuf=8")).event("sg:*").start()
    with Target() as target:
        target.provider("sg", "v -1 0 i64:n")
        handled = int(target("signals sg:v 2000"))
    session.stop()
    session.destroy()
    said = subprocess.run(["babeltrace2", session.output], capture_output=True,
                          text=True, check=True).stderr
    discarded = sum(int(n) for n in re.findall(r"discarded (\d+) event", said))
    got = [e["n"] for e in read_trace(session.output, allow="discarded")]
    nested = sorted(-n - 1 for n in got if n < 0)
    equal("events twice", len(nested), len(set(nested)))
    if not discarded:
        equal("fires in the handler", nested, list(range(handled)))
        equal("other fires", len(got) - len(nested), 2000 * 20 * 2)
    fired = handled + 2000 * 20 * 2
    assert len(got) + discarded <= fired, f"{fired} fires, {len(got)} read, {discarded} discarded"


def fork_scenario(session, **environment):
    with Target(**environment) as target:
        target.provider("fk", "v -1 0 u32:v string:s")
        parent = target.pid
        target("fire fk:v 1 parent")
        target("fork")
        child = int(target("pid"))
        assert child != parent
        target("fire fk:v 2 child")
        target("probe fk late -1 0 u32:v")
        target("fire fk:late 3")
        target("fork")
        grandchild = int(target("pid"))
        target("fire fk:v 4 grandchild")
        equal("the grandchild's end", target("quit"), "child 0")
        equal("the child's end", target("quit"), "child 0")
        target("fire fk:v 5 parent")
    equal("events", [(e["v"], e.context["vpid"]) for e in session.events()],
          [(1, parent), (2, child), (3, child), (4, grandchild), (5, parent)])


def test_fork(daemon):
    daemon.start()
    fork_scenario(Session("fork").context("vpid").event("fk:*").start())


def test_fork_before_any_daemon(daemon):
    """LTTng forks itself when it has to make its shared memory: when it is loaded, and in a child
    that does not find it any more."""
    with Target() as target:
        target.provider("fk", "v -1 0 u32:v")
        target("fork")
        equal("the child's end", target("quit"), "child 0")
        for name in os.listdir("/dev/shm"):  # it is private here
            os.unlink("/dev/shm/" + name)
        target("fork")
        equal("the child's end", target("quit"), "child 0")
        target("fire fk:v 1")


def fork_library_or_skip():
    if FORK_LIBRARY not in sh("ldconfig", "-p", check=False) and not any(
            os.path.exists(os.path.join(d, FORK_LIBRARY))
            for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib")):
        raise Skip(FORK_LIBRARY + " is not installed")


def test_fork_preloaded(daemon):
    """liblttng-ust-fork does the same work: it is left to it."""
    daemon.start()
    fork_library_or_skip()
    fork_scenario(Session("preload").context("vpid").event("fk:*").start(),
                  LD_PRELOAD=FORK_LIBRARY)


def test_fork_preloaded_behind_another(daemon):
    """It is left to it also where somebody else's fork() comes first and goes on to it."""
    daemon.start()
    fork_library_or_skip()
    fork_scenario(Session("behind").context("vpid").event("fk:*").start(),
                  LD_PRELOAD=os.environ["WEIR_TEST_FORK"] + ":" + FORK_LIBRARY)


def forks_scenario(session, **environment):
    with Target(**environment) as target:
        target.provider("fp", "v -1 0 i64:n")
        target("forks fp:v 60")
        target("fire fp:v -1")
    return sorted(e["n"] for e in session.events())


def test_fork_while_published(daemon):
    """Another thread publishes and withdraws: nobody waits for ever."""
    daemon.start()
    equal("each child's fire and the parent's",
          forks_scenario(Session("while").event("fp:*").start()), [-1] + list(range(1, 61)))


def test_fork_preloaded_while_published(daemon):
    """The same with liblttng-ust-fork, which takes LTTng's lock before our handlers run, so that the
    fork cannot wait: a child may have what was just being withdrawn, and records twice."""
    daemon.start()
    fork_library_or_skip()
    numbers = forks_scenario(Session("while").event("fp:*").start(), LD_PRELOAD=FORK_LIBRARY)
    equal("each child's fire and the parent's", sorted(set(numbers)), [-1] + list(range(1, 61)))


def test_constructors(daemon):
    """A constructor publishes and fires, a destructor destroys, while another thread does so, from the
    very first publish on."""
    daemon.start()
    session = Session("constructors").event("plug:*").event("newcomers:*").start()
    with Target() as target:
        plugged, count = map(int, target(f"beside {os.environ['WEIR_TEST_AT_LOAD']} 60").split())
    got = session.events()
    equal("the constructor's", [e["v"] for e in got if e.name == "plug:ev"], [0] * plugged)
    equal("the other thread's", [e["n"] for e in got if e.name != "plug:ev"], list(range(count)))


def test_constructors_before_any_daemon(daemon):
    """The same where LTTng forks in its own constructor, to make its shared memory."""
    for _ in range(3):
        for name in os.listdir("/dev/shm"):  # it is private here
            os.unlink("/dev/shm/" + name)
        with Target() as target:
            target(f"beside {os.environ['WEIR_TEST_AT_LOAD']} 20")


def test_fork_many(daemon):
    """Children that fire at once, from a program with threads."""
    daemon.start()
    session = Session("many").context("vpid").event("fm:*").start()
    with Target() as target:
        target.provider("fm", "v -1 0 i64:n")
        for _ in range(10):
            target("loop fm:v 5 4")
            target("newthread")
            target("fork")
            target("loop fm:v 7 2")
            equal("a child's end", target("quit"), "child 0")
    counts = {}
    for event in session.events():
        counts[event.context["vpid"]] = counts.get(event.context["vpid"], 0) + 1
    equal("events of each process", sorted(counts.values()), [14] * 10 + [200])


def test_exec(daemon):
    daemon.start()
    session = Session("exec").context("vpid").event("ex:*").start()
    with Target() as target:
        target.provider("ex", "v -1 0 u32:v")
        target("fire ex:v 1")
        target.send("exec")
        target.provider("ex", "v -1 0 u32:v")
        target("fire ex:v 2")
        pid = target.pid
    equal("events", [(e["v"], e.context["vpid"]) for e in session.events()], [(1, pid), (2, pid)])


def test_daemon_restarts(daemon):
    """Killed with SIGKILL in the middle of a session; the next one finds the program again."""
    first = daemon.start()
    Session("lost").event("dm:*").start().abandon()
    with Target() as target:
        target.provider("dm", "v -1 0 i64:n")
        target("loop dm:v 1000 2")
        for program in ("lttng-consumerd", "lttng-sessiond"):
            for pid in pids_of(program) | {first}:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        target("loop dm:v 100000 2")  # nobody reads the buffers any more
        wait_for("the daemon's end", lambda: not pids_of("lttng-sessiond"))
        target("loop dm:v 1000 2")
        daemon.start()
        wait_for("the program to register again",
                 lambda: "dm:v" in lttng("list", "--userspace"))
        session = Session("found").event("dm:*").start()
        target("loop dm:v 10 1")
    equal("events", [e["n"] for e in session.events()], list(range(10)))


def hang(path):
    """A session daemon that accepts and never answers."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen(8)
    return listener


def test_hanging_daemon(daemon):
    """Publish waits for LTTng's own 3 s, once; nothing else waits, and the rest works."""
    listener = hang("/run/lttng/lttng-ust-sock-8")
    other = hang("/run/lttng/lttng-ust-sock-9")  # later versions
    del os.environ["LTTNG_UST_REGISTER_TIMEOUT"]
    with Target() as target:
        target("provider hg lttng")
        target("probe hg v -1 0 u32:v")
        target("publish hg")
        first = int(target("clock"))
        target("fire hg:v 1")
        equal("ms of a fire", int(target("clock")) < 100, True)
        target.provider("two", "v -1 0 u32:v")
        equal("ms of the second provider", int(target("clock")) < 500, True)
        target("withdraw two")
        equal("ms of withdraw", int(target("clock")) < 500, True)
    assert first < 4500, f"publish took {first} ms"
    with Target(LTTNG_UST_REGISTER_TIMEOUT="0") as target:
        target("provider hg lttng")
        target("probe hg v -1 0 u32:v")
        target("publish hg")
        assert int(target("clock")) < 1000, "LTTNG_UST_REGISTER_TIMEOUT=0 waits"
    listener.close()
    other.close()


def test_published_from_a_thread(daemon):
    daemon.start()
    session = Session("thread").event("pt:*").start()
    with Target() as target:
        target("provider pt lttng")
        target("probe pt v -1 0 u32:v")
        target("newthread")
        target("publish pt")
        target("fire pt:v 1")
    equal("values", [e["v"] for e in session.events()], [1])


def test_library_missing(daemon):
    """Without liblttng-ust the probe works for everyone else, and the reason can be read."""
    empty = os.path.join(daemon.home, "empty")
    os.makedirs(empty)
    for name in ("liblttng-ust.so.1", "liblttng-ust-common.so.1", "liblttng-ust-tracepoint.so.1"):
        with open(os.path.join(empty, name), "w") as file:
            file.write("not a library")
    with Target(LD_LIBRARY_PATH=empty + ":" + os.environ.get("LD_LIBRARY_PATH", "")) as target:
        target("provider no lttng")
        target("probe no v -1 0 u32:v")
        said = target("publish no")
        assert "liblttng-ust" in said and "install" in said, said
        assert target("why no") == said
        target("fire no:v 1")


def test_killed_target(daemon):
    """What was fired before a SIGKILL is in the trace."""
    daemon.start()
    session = Session("killed").event("kl:*").start()
    target = Target()
    target.provider("kl", "v -1 0 i64:n")
    target("loop kl:v 1000 1")
    target.process.kill()
    target.process.wait()
    equal("events", [e["n"] for e in session.events()], list(range(1000)))


if __name__ == "__main__":
    main(globals())
