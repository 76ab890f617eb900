# SPDX-License-Identifier: MIT
"""What the consumer tests share: a target to attach to, tools that are started and stopped, and
a run of test functions that says what passed.

Environment: WEIR_TARGET is the target program; WEIR_TOOL_ROOT, if set, a root to take the tools from.
"""

import atexit
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

# What the target fires, as C knows it.
INTS = [-8, -1616, -323232, -6464646464]
UINTS = [200, 60000, 4000000000, 18000000000000000000, 1]
STRING = "hello, weir"
POINTER = 0x1234
F32_BITS = 0x3FC00000
F64_BITS = 0xC002000000000000
TWELVE_PLAIN = INTS + UINTS  # then string, pointer, f64
STACKED = [1, 2, 3, 4, 5, 6, -8, -1616, -323232, -6464646464, 200]  # then a string
STACKED_STRING = "on the stack"
PROBES = {"ints": 4, "uints": 5, "text": 6, "twelve": 12, "stacked": 12, "counted": 1, "empty": 0,
          "order": 4}

TIMEOUT = 60


class Skip(Exception):
    pass


def need_root():
    if os.geteuid():
        raise Skip("attaching to uprobes needs root")


def need_tracefs():
    need_root()
    if not os.path.exists("/sys/kernel/tracing/uprobe_events"):
        if subprocess.run(["mount", "-t", "tracefs", "tracefs", "/sys/kernel/tracing"],
                          capture_output=True).returncode:
            raise Skip("tracefs cannot be mounted")
    if not os.path.exists("/sys/kernel/tracing/uprobe_events"):
        raise Skip("this kernel has no uprobes")


# The tools can be those in another root, which has our /proc, /sys, /dev and /tmp.
TOOL_ROOT = os.environ.get("WEIR_TOOL_ROOT", "")


def in_tool_root(command):
    return ["chroot", TOOL_ROOT, *command] if TOOL_ROOT else command


def need(*names):
    """How to call the first of these programs that is installed."""
    for name in names:
        for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]:
            if os.access(TOOL_ROOT + os.path.join(folder, name), os.X_OK):
                return in_tool_root([os.path.join(folder, name)])
    raise Skip(f"{names[0]} is not installed")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, expected, what):
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")


class Target:
    """A running target; its stub lies in a folder of its own."""

    folder = None

    def __init__(self, provider="shop", memfd=False, folder=None, prefix=()):
        if not Target.folder:
            Target.folder = tempfile.mkdtemp(prefix="weir-consumers-", dir="/tmp")
            atexit.register(shutil.rmtree, Target.folder, ignore_errors=True)
        env = dict(os.environ, WEIR_DIR=folder or os.path.join(Target.folder, "stubs"))
        command = [*prefix, os.environ["WEIR_TARGET"], provider] + (["memfd"] if memfd else [])
        self.process = subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=1)
        self.pid = self.process.pid
        self.provider = provider
        self.path = self.process.stdout.readline().strip()
        check(self.path, "the target did not publish")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def ask(self, line):
        check(self.process.poll() is None, f"the target is dead ({self.process.poll()})")
        self.process.stdin.write(line + "\n")
        return int(self.process.stdout.readline())

    def enabled(self, probe):
        return self.ask(f"enabled {probe}") == 1

    def wait_enabled(self, probe, expected, question="enabled"):
        """Detaching is asynchronous in the kernel."""
        deadline = time.monotonic() + 10
        while (self.ask(f"{question} {probe}") == 1) != expected:
            check(time.monotonic() < deadline,
                  f"{probe}: {question} stays {not expected}, not {expected}")
            time.sleep(0.01)

    def semaphore(self, probe):
        """The count itself, from the memory of the process."""
        text = subprocess.run(["readelf", "-nW", self.path], capture_output=True, text=True).stdout
        found = re.search(rf"Name: {probe}\n.*Semaphore: 0x([0-9a-f]+)", text)
        with open(f"/proc/{self.pid}/maps") as maps:
            base = next(int(m.split("-")[0], 16) for m in maps if os.path.basename(self.path) in m)
        with open(f"/proc/{self.pid}/mem", "rb") as memory:
            memory.seek(base + int(found[1], 16))
            return int.from_bytes(memory.read(2), sys.byteorder)


def hear_interrupt():
    """What a shell starts in the background ignores SIGINT, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Tool:
    """A tool that runs beside the target: its output can be waited for, and it is stopped."""

    def __init__(self, command, env=None, stdin=subprocess.DEVNULL):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=stdin, preexec_fn=hear_interrupt,
                                        env=dict(os.environ, **(env or {})))
        self.output = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()

    def _read(self, timeout):
        if not select.select([self.process.stdout], [], [], timeout)[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 65536)
        self.output += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, pattern, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.output, re.M):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                raise AssertionError(f"no {pattern!r} in the output:\n{self.output}")
        return re.search(pattern, self.output, re.M)

    def stop(self, sig=signal.SIGINT):
        """Ends it as Ctrl-C would, and returns all it said. Asks again if need be."""
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            check(time.monotonic() < deadline, "the tool does not end")
            self.process.send_signal(sig)
            self._read_all(1)
        return self.finish()

    def _read_all(self, timeout):
        deadline = time.monotonic() + timeout
        while self._read(max(0, deadline - time.monotonic())):
            pass

    def finish(self, timeout=TIMEOUT):
        """Waits for it to end by itself; ends it otherwise."""
        self._read_all(timeout)
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.output


def output_of(command, env=None, status=0):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace", stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                         env=dict(os.environ, **(env or {})))
    if status is not None and run.returncode != status:
        raise AssertionError(f"{command[0]} ended with {run.returncode}:\n{run.stdout}")
    return run.stdout


def main(*tests, needs=()):
    """Runs the tests, a line in TAP's form for each; exit status 77 when all were skipped."""
    passed = failed = skipped = 0
    try:
        for requirement in needs:
            requirement()
    except Skip as skip:
        print(f"skipped: {skip}")
        sys.exit(77)
    for number, test in enumerate(tests, 1):
        name = f"{number} - {test.__name__.removeprefix('test_').replace('_', ' ')}"
        try:
            test()
            passed += 1
            print(f"ok {name}")
        except Skip as skip:
            skipped += 1
            print(f"ok {name} # SKIP {skip}")
        except Exception:
            failed += 1
            traceback.print_exc(file=sys.stdout)
            print(f"not ok {name}")
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0 if passed else 77)
