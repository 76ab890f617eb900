#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir print on programs that others wrote: Debian's own PostgreSQL, Redis and Python.

usage: programs.py WEIR CACHE postgres | redis | python
"""
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import sources  # noqa: E402

WEIR, CACHE, PROGRAM = sys.argv[1:4]
failed = 0
scratch = tempfile.mkdtemp(prefix="weir-print-")
os.chmod(scratch, 0o755)


def skip(why):
    print(f"skipped: {why}")
    shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(77)


def check(name, ok, detail=""):
    global failed
    failed += not ok
    print(("ok" if ok else "not ok"), "-", name, "" if ok else f": {detail}", flush=True)


def weir(pid, *args):
    return subprocess.run([WEIR, "print", "-p", str(pid), *map(str, args)], capture_output=True, text=True, timeout=120)


def values(pid, *args):
    done = weir(pid, "--json", *args)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["expression"]: line["value"] for line in lines}, done.stderr


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.1)
    return None


def target(value):
    """What a pointer of JSON leads to."""
    return value["value"] if isinstance(value, dict) and "pointer" in value else value


def header(name, *includes):
    path = os.path.join(scratch, name)
    with open(path, "w") as file:
        file.writelines(f'#include "{include}"\n' for include in includes)
    os.utime(path, (0, 0))  # what was written just now is not kept in the cache
    return path


# ---- PostgreSQL: the parse and plan trees of a query that runs ----

QUERY = "SELECT relname, pg_sleep(1000) FROM pg_class WHERE relkind IN ('r', 'v') AND oid > 42 ORDER BY relname"


class Postgres:
    def __init__(self):
        servers = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        if not servers or os.geteuid():
            skip("no postgres server (Debian: postgresql), or no root to start it as its own user")
        self.bin = os.path.dirname(servers[-1])
        self.include = f"/usr/include/postgresql/{self.bin.split('/')[-2]}/server"
        if not os.path.isdir(self.include):
            skip(f"no {self.include} (Debian: postgresql-server-dev-{self.bin.split('/')[-2]})")
        self.data = os.path.join(scratch, "data")
        os.mkdir(self.data)
        user = pwd.getpwnam("postgres")
        os.chown(self.data, user.pw_uid, user.pw_gid)
        self.as_user = {"user": "postgres", "group": "postgres", "extra_groups": [], "cwd": "/"}
        subprocess.run([f"{self.bin}/initdb", "-D", self.data, "-A", "trust", "--no-sync"], check=True,
                       capture_output=True, **self.as_user)
        self.server = subprocess.Popen([f"{self.bin}/postgres", "-D", self.data, "-k", self.data, "-c",
                                        "listen_addresses="], stderr=subprocess.DEVNULL, **self.as_user)
        self.client = None

    def psql(self, query, **more):
        return ["psql", "-h", self.data, "-U", "postgres", "-AtXc", query]

    def ask(self, query):
        return subprocess.run(self.psql(query), capture_output=True, text=True).stdout.strip()

    def start_query(self):
        if not until(lambda: self.ask("SELECT 1") == "1"):
            raise RuntimeError("the server does not answer")
        self.client = subprocess.Popen(self.psql(QUERY), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return int(until(lambda: self.ask("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")))

    def stop(self):
        if self.client:
            self.client.kill()
            self.client.wait()
        self.server.send_signal(signal.SIGQUIT)  # at once: the query would sleep on
        self.server.wait()


def test_postgres():
    postgres = Postgres()
    try:
        pid = postgres.start_query()
        types = ["--header", header("pg.h", "postgres.h", "miscadmin.h", "nodes/plannodes.h", "nodes/parsenodes.h",
                                    "tcop/tcopprot.h", "tcop/pquery.h"), "--cflag", f"-I{postgres.include}"]
        mine, errors = values(pid, *types, "debug_query_string", "MyProcPid", "MyDatabaseId", "ActivePortal->status",
                              "ActivePortal->stmts->length", "ActivePortal->sourceText == debug_query_string")
        check("globals of a stripped program by a header", mine.get("MyProcPid") == pid, errors)
        query = mine.get("debug_query_string")
        check("the query", (query.get("text") if isinstance(query, dict) else query) == QUERY, query)
        check("an enumerator", mine.get("ActivePortal->status") == "PORTAL_ACTIVE", mine)
        check("a list's length", mine.get("ActivePortal->stmts->length") == 1, mine)
        mine, errors = values(pid, *types, "--depth", 12, "ActivePortal->stmts")
        check("List *", isinstance(mine.get("ActivePortal->stmts"), list), errors)
        statement = target(mine["ActivePortal->stmts"][0])
        check("a Node is the struct of its tag", statement["type"] == "T_PlannedStmt" and "planTree" in statement, statement)
        plan = target(statement["planTree"])
        chain = []
        while plan:
            base = plan.get("plan") or plan["scan"]["plan"]
            chain.append(base["type"])
            plan = target(base["lefttree"])
        check("the plan", chain[-1] == "T_SeqScan" and "T_Sort" in chain, chain)
        oids = statement["relationOids"]  # pg_class, and the constant that could be one
        check("an OidList", oids == [1259, 42], oids)
        names = target(target(statement["rtable"][0])["eref"])["colnames"]
        check("String nodes", target(names[1]) == "relname", names)
        text = json.dumps(statement)
        check("expressions below", "T_ScalarArrayOpExpr" in text and "T_Const" in text, text[:2000])
        listing = weir(pid, *types, "ActivePortal->stmts").stdout
        check("without --depth, Nodes have their name", re.search(r"\(PlannedStmt \*\)0x", listing), listing)
        listing = weir(pid, *types, "--raw", "ActivePortal->stmts").stdout
        check("--raw", "= 0x" in listing and "PlannedStmt" not in listing, listing)
        again = weir(pid, *types, "nothing_at_all")
        check("an unknown name", again.returncode == 1 and "nothing_at_all" in again.stderr, again.stderr)
    finally:
        postgres.stop()


# ---- Redis: its own types from the source package's headers ----

def test_redis():
    if not shutil.which("redis-server") or not shutil.which("redis-cli"):
        skip("no redis-server (Debian: redis-server)")
    try:
        source = sources.source_of("redis-server", CACHE)
    except sources.Missing as missing:
        skip(missing)
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", f"{scratch}/socket", "--dir", scratch,
                               "--save", ""], stdout=subprocess.DEVNULL)

    def redis(*command):
        return subprocess.run(["redis-cli", "-s", f"{scratch}/socket", *command], capture_output=True, text=True).stdout

    try:
        until(lambda: redis("PING") == "PONG\n")
        redis("SET", "text", "a value")
        redis("SET", "long", "x" * 1000)
        redis("RPUSH", "list", "a", "b")
        redis("CONFIG", "SET", "requirepass", "")
        for i in range(300):
            redis("HSET", "hash", f"field{i}", "v" * 80) if i < 3 else None
        client = subprocess.Popen(["redis-cli", "-s", f"{scratch}/socket"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        client.stdin.write("CLIENT SETNAME stranger\nPING\n")
        client.stdin.flush()
        client.stdout.readline()
        folders = ["src", "deps/lua/src", "deps/hiredis", "deps/hdr_histogram"]
        types = ["--header", header("redis.h", f"{source}/src/server.h")]
        for folder in folders:
            types += ["--cflag", f"-I{source}/{folder}"]
        first = "((client *)server.clients->head->value)->name"
        mine, errors = values(
            server.pid, *types, "server.pid", "server.port", "server.clients->len", "*server.db[0].dict",
            "server.db[0].dict", "((robj *)((client *)server.clients->head->value)->name)->ptr",
            "(sds)((client *)server.clients->head->value)->name->ptr", "server.unixsocket", "server.db[0].dict->type")
        check("server", mine.get("server.pid") == server.pid and mine["server.port"] == 0, errors)
        check("dict", sorted(mine["*server.db[0].dict"]) == ["hash", "list", "long", "text"], mine["*server.db[0].dict"])
        check("dict *", sorted(target(mine["server.db[0].dict"])) == ["hash", "list", "long", "text"], mine)
        check("sds", mine["(sds)((client *)server.clients->head->value)->name->ptr"] == "stranger", mine)
        check("char *", mine["server.unixsocket"] == f"{scratch}/socket", mine)
        check("a list node by hand", first and mine["server.clients->len"] == 1, mine)
        keys = mine["*server.db[0].dict"]
        text = int(keys["text"] if isinstance(keys["text"], str) else keys["text"]["pointer"], 16)
        long = int(keys["long"] if isinstance(keys["long"], str) else keys["long"]["pointer"], 16)
        mine, errors = values(server.pid, *types, f"(sds)((robj *){text})->ptr", f"(sds)((robj *){long})->ptr",
                              f"((robj *){text})->type", f"((robj *){text})->encoding", f"((robj *){long})->refcount")
        check("a value", mine.get(f"(sds)((robj *){text})->ptr") == "a value", errors)
        check("a long value", mine[f"(sds)((robj *){long})->ptr"] == {"text": "x" * 200, "truncated": True}, mine)
        check("bit-fields", [mine[f"((robj *){text})->type"], mine[f"((robj *){text})->encoding"]] == [0, 8], mine)
        for i in range(4000):
            if i % 400 == 0:
                redis("EVAL", "for i = ARGV[1], ARGV[1] + 399 do redis.call('SET', 'k' .. i, i) end", "0", str(i))
        mine, errors = values(server.pid, *types, "--max-elements", 100000, "*server.db[0].dict")
        check("a dict that grew (two tables, perhaps)", len(mine["*server.db[0].dict"]) == 4004, errors)
        client.stdin.close()
        client.wait()
        client.stdout.close()
        check("the server never noticed", redis("PING") == "PONG\n")
    finally:
        server.terminate()
        server.wait()


# ---- Python, by the debug symbols of its package ----

SCRIPT = """
import os, threading, time
class Order:
    def wait(self):
        time.sleep(1000)
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
print(os.getpid(), flush=True)
Order().wait()
"""


def test_python():
    python = shutil.which("python3.11")
    if not python or subprocess.run(["dpkg-query", "-W", "libpython3.11-dbg"], capture_output=True).returncode:
        skip("no python3.11 with debug symbols (Debian 12: python3.11, libpython3.11-dbg)")
    process = subprocess.Popen([python, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(process.stdout.readline())
        time.sleep(0.3)
        interpreter = "_PyRuntime.interpreters.main"
        frame = f"{interpreter}->threads.head->next->cframe->current_frame"
        name = f"(char *)((PyASCIIObject *){frame}->f_code->co_name + 1)"
        caller = f"(char *)((PyASCIIObject *){frame}->previous->f_code->co_name + 1)"
        mine, errors = values(
            pid, f"{interpreter}->id", f"{interpreter}->runtime == &_PyRuntime", name, caller, "PyLong_Type.tp_name",
            f"container_of(&{interpreter}->threads, PyInterpreterState, threads) == {interpreter}",
            "PyLong_Type.tp_repr", f"((PyASCIIObject *){frame}->f_code->co_name)->state", "'Objects/longobject.c'::PyLong_Type.tp_name",
            "sizeof(PyObject)", f"{frame}->owner")
        check("the running function", mine.get(name) == "wait", errors)
        check("its caller", mine.get(caller) == "<module>", mine)
        check("numbers", mine[f"{interpreter}->id"] == 0 and mine["sizeof(PyObject)"] == 16, mine)
        check("pointers compare", mine[f"{interpreter}->runtime == &_PyRuntime"] == 1, mine)
        check("container_of", [v for e, v in mine.items() if e.startswith("container_of")] == [1], mine)
        check("text", mine["PyLong_Type.tp_name"] == "int", mine)
        check("a function's name", mine["PyLong_Type.tp_repr"]["symbol"] == "long_to_decimal_string", mine)
        check("bit-fields", mine[f"((PyASCIIObject *){frame}->f_code->co_name)->state"]["ascii"] == 1, mine)
        check("FILE::name", mine.get("'Objects/longobject.c'::PyLong_Type.tp_name") == "int", errors)
        listing = weir(pid, "--list", "next", f"{interpreter}->threads.head").stdout
        check("--list of threads", listing.count(".interp =") == 2, listing)
        text = weir(pid, "_PyRunTime.interpreters").stderr
        check("the nearest name", "did you mean `_PyRuntime`?" in text and "\n  ^~~~~~~~~~" in text, text)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


os.environ["XDG_CACHE_HOME"] = os.path.join(scratch, "cache")
try:
    globals()[f"test_{PROGRAM}"]()
finally:
    shutil.rmtree(scratch, ignore_errors=True)
sys.exit(1 if failed else 0)
