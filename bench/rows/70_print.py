# SPDX-License-Identifier: MIT
"""print/*: `weir print` on programs that run. Program for print/deref7: bench/deref.c."""

import os
import socket
import statistics
import subprocess
import threading
import time

from harness import Failure, Result, Row, Skip

PYTHON = "/usr/bin/python3.11"  # Debian's, whose debug symbols are a package
FIELD = "_PyRuntime.interpreters.main->id"
# By the ELF symbol: drgn 0.0.22 takes a declaration of the variable for the variable.
DRGN = """from drgn import Object
runtime = Object(prog, '_PyRuntimeState', address=prog.symbol('_PyRuntime').address)
print('is', runtime.interpreters.main.id.value_())
"""


def run_once(context, command, wanted):
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=context.environment)
    ms = (time.perf_counter() - begin) * 1000
    if done.returncode or wanted not in done.stdout:
        raise Failure(f"{command[0]}: {(done.stderr or done.stdout).strip()[-200:]}")
    return ms


def first(context):
    weir = context.need_command("print")
    gdb = context.need_tool("gdb", "gdb")
    if subprocess.run(["dpkg-query", "-W", "python3.11-dbg"], capture_output=True).returncode:
        raise Skip("no python3.11 with debug symbols (Debian 12: python3.11, python3.11-dbg)")
    target = subprocess.Popen([PYTHON, "-c", "print(flush=True); import time; time.sleep(600)"], stdout=subprocess.PIPE)
    # Peers as they come: each reads the program's debug symbols anew.
    commands = {
        "weir": [weir, "print", "-p", str(target.pid), FIELD],
        "gdb": [gdb, "-nx", "-batch", "-p", str(target.pid), "-ex", f"print {FIELD}"],
        "true": ["/bin/true"],
    }
    wanted = {"weir": f"{FIELD} = 0", "gdb": "= 0", "drgn": "is 0", "true": ""}
    if os.path.exists("/usr/bin/drgn"):
        script = context.folder() / "read.py"
        script.write_text(DRGN)
        commands["drgn"] = ["/usr/bin/drgn", "-q", "-p", str(target.pid), str(script)]
    ms = {name: [] for name in commands}
    try:
        target.stdout.readline()
        run_once(context, commands["weir"], wanted["weir"])  # converts, into the cache
        for i in range(context.rounds(100)):
            for name, command in commands.items():
                if name in ("weir", "true") or i < 3:
                    ms[name].append(run_once(context, command, wanted[name]))
    finally:
        target.kill()
        target.communicate()
    return Result(value=min(ms["weir"]), median=statistics.median(ms["weir"]), peer="gdb", peer_value=min(ms["gdb"]),
                  detail={name: {"min": min(values), "median": statistics.median(values)} for name, values in ms.items()})


def deref7(context):
    samples = context.samples("deref", context.rounds(400))
    return Result(value=samples.min("evaluate") / 1000, median=samples.median("evaluate") / 1000,
                  peer="8 x process_vm_readv", peer_value=samples.min("bare") / 1000,
                  spread=samples.spread("evaluate"), detail=samples.detail())


class Pings(threading.Thread):
    """The longest time that Redis let a PING wait, while somebody else does something."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.longest, self.count, self.ended = 0, 0, False

    def run(self):
        while not self.ended:
            begin = time.perf_counter()
            self.socket.sendall(b"PING\r\n")
            if self.socket.recv(64) != b"+PONG\r\n":
                return
            self.longest = max(self.longest, time.perf_counter() - begin)
            self.count += 1

    def during(self, what):
        self.start()
        time.sleep(0.05)
        self.longest = 0
        try:
            what()
        finally:
            self.ended = True
            self.join()
            self.socket.close()
        return self.longest * 1000


def start_redis(context, folder):
    redis = context.need_tool("redis-server", "redis-server")
    server = subprocess.Popen([redis, "--port", "0", "--unixsocket", f"{folder}/socket", "--save", "", "--dir", str(folder)],
                              stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    for _ in range(200):
        if os.path.exists(f"{folder}/socket"):
            return server
        time.sleep(0.02)
    server.kill()
    server.wait()
    raise Failure("redis-server does not come up")


def read_thousand(context, weir, pid):
    """1000 reads of one number by one weir, 1 ms apart."""
    reader = subprocess.Popen([weir, "print", "-p", str(pid), "--watch", "1ms", "--json", "(long)server"],
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=context.environment)
    try:
        for _ in range(1000):
            if not reader.stdout.readline():
                raise Failure("weir print ended early")
    finally:
        reader.kill()
        reader.communicate()


def stall(context):
    weir = context.need_command("print")
    gdb = context.need_tool("gdb", "gdb")
    folder = context.folder()
    server = start_redis(context, folder)
    once = [gdb, "-nx", "-batch", "-p", str(server.pid), "-ex", "print *(long *)&server"]
    ways = {"weir": lambda: read_thousand(context, weir, server.pid), "nothing": lambda: time.sleep(1.5),
            "gdb": lambda: run_once(context, once, "$1 = ")}
    longest = {name: [] for name in ways}
    try:
        for _ in range(2 if context.quick else 7):
            for name, way in ways.items():
                longest[name].append(Pings(f"{folder}/socket").during(way))
    finally:
        server.terminate()
        server.wait()
    return Result(value=min(longest["weir"]), median=statistics.median(longest["weir"]), peer="one read by gdb",
                  peer_value=min(longest["gdb"]), detail={name: {"min": min(values), "median": statistics.median(values)}
                                                          for name, values in longest.items()})


ROWS = [
    Row("print/first", "a first read of a live process, its types cached", "ms", "<= 5", first),
    Row("print/deref7", "an expression of seven dereferences, compiled already", "us", "<= 15", deref7),
    Row("print/stall", "longest delay of a Redis PING during 1000 reads", "ms", "<= 0.2 x gdb's", stall),
]
