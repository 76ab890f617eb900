# SPDX-License-Identifier: MIT
"""What the LTTng scenarios share.

A scenario runs in namespaces of its own (mounts, network, processes): as root, LTTNG_HOME does not
keep LTTng's daemons private, since they use /run/lttng, /dev/shm and fixed ports. All that was
started ends with the process namespace. Every trace is read by babeltrace2 to its end, whether the
test looks into it or not, and a warning of its is a failure.

A scenario file defines test_* functions and calls main(). Its first argument is the target program.
"""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from xml.etree import ElementTree

SKIP = 77
MARK = "WEIR_TEST_NAMESPACE"
TARGET = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None


class Skip(Exception):
    """A test that cannot run here; the message says why."""


def skip_all(reason):
    print("skipped:", reason)
    sys.exit(SKIP)


# Namespaces


def lo_up():
    SIOCSIFFLAGS, IFF_UP = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def enter():
    """Run this scenario again in private namespaces, or set them up if this is that run."""
    if os.environ.get(MARK):
        for where in ("/run", "/dev/shm"):
            subprocess.run(["mount", "-t", "tmpfs", "weir-test", where], check=True)
        lo_up()
        return
    for tool in ("unshare", "lttng", "lttng-sessiond", "lttng-relayd", "babeltrace2"):
        if not shutil.which(tool):
            skip_all(f"{tool} is not installed (Debian: lttng-tools babeltrace2 util-linux)")
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid():
        command += ["--user", "--map-root-user"]
    tried = subprocess.run(command + ["mount", "-t", "tmpfs", "weir-test", "/run"],
                           capture_output=True, text=True)
    if tried.returncode:
        skip_all("no private namespaces here: " + tried.stderr.strip())
    environment = dict(os.environ, **{MARK: "1"})
    os.execvpe(command[0], command + [sys.executable] + sys.argv, environment)


# Programs


def sh(*command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def lttng(*command, check=True):
    return sh("lttng", "--no-sessiond", *command, check=check)


def mi(*command):
    """The machine interface: what a command says as XML, without its namespace, which changes."""
    root = ElementTree.fromstring(lttng("--mi=xml", *command))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


class Daemon:
    """lttng-sessiond or lttng-relayd: ready when start() returns."""

    def __init__(self, home):
        self.home = home
        self.pids = []

    def start(self, program="lttng-sessiond"):
        options = ["--background"]
        if program == "lttng-sessiond":
            options.append("--no-kernel")
        before = pids_of(program)
        with open(os.path.join(self.home, program + ".log"), "ab") as log:
            # A killed one's consumer still holds its lock for a moment.
            wait_for(program, lambda: not subprocess.run(
                [program, *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                timeout=60).returncode)
        pid = wait_for(program, lambda: pids_of(program) - before)
        self.pids.append(pid.pop())
        return self.pids[-1]

    def stop(self, pid, number=signal.SIGTERM):
        os.kill(pid, number)
        wait_for("a daemon's end", lambda: not alive(pid))
        self.pids.remove(pid)

    def stop_all(self):
        for program in ("lttng-sessiond", "lttng-relayd"):
            for pid in pids_of(program):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
                wait_for(f"the end of {program}", lambda p=pid: not alive(p))
        self.pids.clear()


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def pids_of(program):
    """Of this namespace only: /proc is private. A process group's leader stands for all."""
    found = set()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                name = os.path.basename(file.read().split(b"\0")[0]).decode()
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == program and parent == 1:
            found.add(int(entry))
    return found


class Error(Exception):
    """A command that the target answered with an error."""


class Target:
    """The traced program: see target.c."""

    def __init__(self, program=None, **environment):
        values = {k: v for k, v in environment.items() if v is not None}
        self.process = subprocess.Popen([program or TARGET], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1,
                                        env=dict(os.environ, **values))
        self.pid = self.process.pid

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if line.startswith("ok"):
            return line[3:].strip()
        if not line:
            raise AssertionError(f"the target died: status {self.process.wait()}")
        raise Error(line.strip())

    def __call__(self, command):
        self.send(command)
        return self.answer()

    def code_maps(self):
        """What is executable in it: the paths, "" for what is of no file."""
        with open(f"/proc/{self.pid}/maps") as file:
            lines = [line.split(maxsplit=5) for line in file]
        return [line[5].strip() if len(line) > 5 else "" for line in lines if "x" in line[1]]

    def has_pack_code(self):
        """Was machine code made for payloads?"""
        return any("/weir_lttng-" in path or "memfd:weir_lttng-" in path
                   for path in self.code_maps())

    def provider(self, name, *probes, flags="lttng"):
        self(f"provider {name} {flags}".strip())
        for probe in probes:
            self(f"probe {name} {probe}")
        self(f"publish {name}")

    def quit(self):
        self.send("quit")
        status = self.process.wait(timeout=30)
        assert status == 0, f"the target ended with status {status}"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            if kind:
                self.process.kill()
                self.process.wait()
            else:
                self.quit()


# Sessions and traces


def refused(target, command):
    try:
        target(command)
    except Error as error:
        return str(error)
    raise AssertionError("taken: " + command)


class Session:
    """A recording session; channel options are lttng's."""

    def __init__(self, name, *options, channel=("--subbuf-size=1M", "--num-subbuf=4"), pids=False):
        self.name = name
        self.output = tempfile.mkdtemp(prefix="weir-trace-")
        if not any(o.startswith(("--live", "--snapshot", "--set-url")) for o in options):
            options += (f"--output={self.output}",)
        lttng("create", name, *options)
        lttng("enable-channel", "--userspace", f"--session={name}", *channel,
              *(["--buffers-pid"] if pids else []), "c")

    def event(self, pattern, *options):
        lttng("enable-event", "--userspace", f"--session={self.name}", "--channel=c", pattern,
              *options)
        return self

    def context(self, *types):
        lttng("add-context", "--userspace", f"--session={self.name}", "--channel=c",
              *[f"--type={t}" for t in types])
        return self

    def start(self):
        lttng("start", self.name)
        return self

    def abandon(self):
        """Its daemon is going to be killed: nobody finishes its trace."""
        was_read.add(self.output)

    def stop(self):
        lttng("stop", self.name)

    def destroy(self):
        lttng("destroy", self.name)

    def events(self):
        """Stop and read all."""
        self.stop()
        self.destroy()
        return read_trace(self.output)


class Event:
    def __init__(self, name, fields, context, line):
        self.name, self.fields, self.context, self.line = name, fields, context, line

    def __repr__(self):
        return self.line

    def __getitem__(self, name):
        return self.fields[name]


def parse_value(text, at):
    """One value of babeltrace2's text: number, string, { }, [ ], ( "label" : container = n )."""
    match = re.compile(r'"((?:[^"\\]|\\.)*)"').match(text, at)
    if match:
        return match.group(1).encode().decode("unicode_escape"), match.end()
    if text[at] == "{":
        return parse_members(text, at + 1, "}")
    if text[at] == "[":
        members, at = parse_members(text, at + 1, "]")
        return [members[f"[{i}]"] for i in range(len(members))], at
    if text[at] == "(":
        match = re.compile(r'\( (?:"([^"]*)"|<unknown>|.*?) : container = (-?\w+) \)').match(text, at)
        return match.group(1), match.end()
    match = re.compile(r"[-+]?[\w.+-]+").match(text, at)
    word = match.group(0)
    try:
        return int(word, 0), match.end()
    except ValueError:
        return float(word), match.end()


def parse_members(text, at, close):
    members = {}
    while True:
        while text[at] in " ,":
            at += 1
        if text[at] == close:
            return members, at + 1
        match = re.compile(r"(\[\d+\]|\w+(?::\w+)*) = ").match(text, at)
        if not match:
            raise AssertionError(f"cannot read at {at}: {text}")
        members[match.group(1)], at = parse_value(text, match.end())


def parse_line(line):
    """[time] (+delta) host name: { context }, ..., { fields }"""
    line = line.rstrip()
    head = re.match(r"\[[\d:.]+\] \(\+[\d.?]+\) (?:\S+ )?(\w+:\w+): ", line)
    if not head:
        raise AssertionError("not an event: " + line)
    groups, at = [], head.end()
    while at < len(line):
        members, at = parse_members(line, at + 1, "}")
        groups.append(members)
        if line[at:at + 2] == ", ":
            at += 2
    context = {}
    for group in groups[:-1]:
        context.update(group)
    return Event(head.group(1), groups[-1] if len(groups) > 1 else {}, context, line)


was_read = set()


def traces_below(where):
    """Folders with a trace: what babeltrace2 takes as one has a metadata file."""
    return [path for path, _, files in os.walk(where) if "metadata" in files]


def read_the_rest(home):
    """Each trace that a test leaves is read, also those that it did not look into. A snapshot and a
    small buffer may have lost events."""
    for path in traces_below(home):
        if not any(path.startswith(read) for read in was_read):
            babeltrace(path, allow="discarded|overwritten|lost")
    was_read.clear()


def babeltrace(where, allow=None):
    was_read.update(traces_below(where))
    done = subprocess.run(["babeltrace2", where], capture_output=True, text=True, timeout=120)
    errors = [line for line in done.stderr.splitlines() if not (allow and re.search(allow, line))]
    assert done.returncode == 0 and not errors, f"babeltrace2 {where}: {done.returncode}\n" \
        + "\n".join(errors[:20])
    return done.stdout


def read_trace(where, allow=None):
    return [parse_line(line) for line in babeltrace(where, allow).splitlines()]


def equal(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}:\n  got    {repr(got)[:2000]}\n  wanted {repr(wanted)[:2000]}")


# Notifications of triggers, through liblttng-ctl


class Notifications:
    """The channel on which a session daemon tells of triggers; None from next(): nothing came."""

    def __init__(self):
        library = None
        for name in ("liblttng-ctl.so.0", "liblttng-ctl.so.1"):
            try:
                library = ctypes.CDLL(name)
                break
            except OSError:
                continue
        if not library:
            raise Skip("liblttng-ctl is not installed")
        self.ctl = library
        for name in ("lttng_notification_channel_create", "lttng_notification_get_trigger"):
            getattr(library, name).restype = ctypes.c_void_p
        endpoint = ctypes.c_void_p.in_dll(library, "lttng_session_daemon_notification_endpoint")
        self.channel = ctypes.c_void_p(library.lttng_notification_channel_create(endpoint))
        assert self.channel, "no notification channel"

    def subscribe(self, trigger_name):
        ctl, triggers = self.ctl, ctypes.c_void_p()
        assert ctl.lttng_list_triggers(ctypes.byref(triggers)) == 10  # LTTNG_OK
        count = ctypes.c_uint()
        ctl.lttng_triggers_get_count(triggers, ctypes.byref(count))
        ctl.lttng_triggers_get_at_index.restype = ctypes.c_void_p
        ctl.lttng_trigger_get_const_condition.restype = ctypes.c_void_p
        for i in range(count.value):
            trigger = ctypes.c_void_p(ctl.lttng_triggers_get_at_index(triggers, i))
            name = ctypes.c_char_p()
            ctl.lttng_trigger_get_name(trigger, ctypes.byref(name))
            if name.value.decode() == trigger_name:
                condition = ctypes.c_void_p(ctl.lttng_trigger_get_const_condition(trigger))
                assert ctl.lttng_notification_channel_subscribe(self.channel, condition) == 0
                return
        raise AssertionError("no trigger " + trigger_name)

    def pending(self):
        answer = ctypes.c_bool()
        status = self.ctl.lttng_notification_channel_has_pending_notification(
            self.channel, ctypes.byref(answer))
        assert status == 0, status
        return answer.value

    def next(self, seconds=10):
        """The captured values of the next notification."""
        wait_for("a notification", self.pending, seconds)
        ctl, notification = self.ctl, ctypes.c_void_p()
        assert ctl.lttng_notification_channel_get_next_notification(
            self.channel, ctypes.byref(notification)) == 0
        ctl.lttng_notification_get_evaluation.restype = ctypes.c_void_p
        evaluation = ctypes.c_void_p(ctl.lttng_notification_get_evaluation(notification))
        field = ctypes.c_void_p()
        status = ctl.lttng_evaluation_event_rule_matches_get_captured_values(
            evaluation, ctypes.byref(field))
        return self.values(field) if status == 0 else []

    def values(self, array):
        count = ctypes.c_uint()
        assert self.ctl.lttng_event_field_value_array_get_length(array, ctypes.byref(count)) == 0
        found = []
        for i in range(count.value):
            value = ctypes.c_void_p()
            status = self.ctl.lttng_event_field_value_array_get_element_at_index(
                array, i, ctypes.byref(value))
            found.append(self.value(value) if status == 0 else None)
        return found

    def value(self, value):
        ctl = self.ctl
        for getter, kind in (("unsigned_int", ctypes.c_uint64), ("signed_int", ctypes.c_int64),
                             ("real", ctypes.c_double)):
            number = kind()
            get = getattr(ctl, f"lttng_event_field_value_{getter}_get_value")
            if get(value, ctypes.byref(number)) == 0:
                return number.value
        text = ctypes.c_char_p()
        status = ctl.lttng_event_field_value_string_get_value
        status.restype = ctypes.c_int
        try:
            status(value, ctypes.byref(text))
            return text.value.decode() if text.value else None
        except AttributeError:
            return None


# Running


LIMIT = 120


def too_long(number, frame):
    raise AssertionError(f"not finished after {LIMIT} s")


def main(tests):
    """Run the test_* functions of a scenario file, each with a fresh session daemon."""
    enter()
    signal.signal(signal.SIGALRM, too_long)
    # process 1 of a namespace ignores what it does not handle
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(1))
    only = sys.argv[2:]
    failed = skipped = 0
    names = [n for n in tests if n.startswith("test_") and (not only or n in only)]
    for name in names:
        # everything that the test and LTTng write goes in here
        tempfile.tempdir = None
        home = tempfile.tempdir = tempfile.mkdtemp(prefix="weir-lttng-")
        os.environ["HOME"] = os.environ["LTTNG_HOME"] = home
        os.environ["LTTNG_UST_REGISTER_TIMEOUT"] = "10000"
        daemon = Daemon(home)
        started = time.monotonic()
        try:
            signal.alarm(LIMIT)
            tests[name](daemon)
            read_the_rest(home)
            signal.alarm(0)
            print(f"ok {name} ({time.monotonic() - started:.1f} s)", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skipped {name}: {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
        signal.alarm(0)
        daemon.stop_all()
        shutil.rmtree(home, ignore_errors=True)
    print(f"{len(names) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    shutil.rmtree("/run/lttng", ignore_errors=True)
    sys.exit(1 if failed else SKIP if skipped == len(names) else 0)
