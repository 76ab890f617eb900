# SPDX-License-Identifier: MIT
"""What the modules of rows/ are written with: rows, results, and programs that print samples."""

import dataclasses
import importlib.util
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import typing


class Skip(Exception):
    """The row cannot be measured here; the message says why."""


class Failure(Exception):
    """The row was measured, and what came out is wrong or nothing."""


@dataclasses.dataclass
class Result:
    """What a row's function returns.

    `value` is what the goal speaks of, by minima; `median` is the same by medians. `peer_value` is
    the peer's own figure, in `peer_unit` if that is not the row's: a row that is a ratio itself has
    its peer's ns there. `ratio` is value / peer_value if it is not given. Everything in `detail`
    goes to the JSON alone.
    """

    value: float
    median: float = None
    peer: str = None
    peer_value: float = None
    peer_unit: str = None
    ratio: float = None
    spread: float = None
    detail: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Row:
    """`goal` is "<= N" or ">= N" of the value, "<= N x SOMETHING" of the ratio to the peer, or None."""

    id: str
    what: str
    unit: str
    goal: str
    run: typing.Callable


class Samples(dict):
    """Name -> list of samples, one a round, so that the same index is the same moment."""

    def need(self, *names):
        for name in names:
            if not self.get(name):
                raise Skip(f"{name} was not measured: not built in, see the build's summary")

    def min(self, name):
        return min(self[name])

    def median(self, name):
        return statistics.median(self[name])

    def spread(self, name):
        """How far the slowest tenth is above the minimum, as a fraction of it."""
        ordered = sorted(self[name])
        return ordered[int(len(ordered) * 0.9)] / ordered[0] - 1 if ordered[0] else None

    def ratio(self, a, b):
        return self.min(a) / self.min(b)

    def median_ratio(self, a, b):
        return statistics.median(x / y for x, y in zip(self[a], self[b]))

    def median_difference(self, a, b):
        return statistics.median(x - y for x, y in zip(self[a], self[b]))

    def number(self, name):
        return int(self[name][0])

    def check_counts(self, session):
        """fires = committed + lost, and in overwrite mode nothing is lost."""
        fires, committed, lost = (self.number(f"check-{session}-{what}") for what in ("fires", "committed", "lost"))
        if fires != committed + lost:
            raise Failure(f"{fires} fires, but {committed} committed + {lost} lost")
        if lost:
            raise Failure(f"{lost} of {fires} events were lost in overwrite mode")

    def detail(self):
        return {name: {"min": self.min(name), "median": self.median(name), "samples": len(self[name])}
                for name in self if not name.startswith("check-")}


class Context:
    """Where things are, what has run already, and a folder for temporary files."""

    def __init__(self, here, build, quick):
        self.here, self.build, self.quick = here, build, quick
        self.weir = build / "cli" / "weir"
        self._folder = tempfile.mkdtemp(prefix="weir-bench-")
        os.chmod(self._folder, 0o700)
        self._cache = {}
        # A stub folder of its own: this user's published probes are left alone.
        self.environment = {**os.environ, "WEIR_DIR": str(self.folder("stubs"))}

    def close(self):
        shutil.rmtree(self._folder, ignore_errors=True)

    def folder(self, name=None):
        if name is None:
            return pathlib.Path(tempfile.mkdtemp(dir=self._folder))
        path = pathlib.Path(self._folder) / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def rounds(self, full):
        return max(3, full // 20) if self.quick else full

    def program(self, name):
        path = self.build / "bench" / f"bench-{name}"
        if not path.exists():
            raise Skip(f"{path.name} is not built: its dependencies are missing, see the build's summary")
        return str(path)

    def samples(self, name, *args, wrapper=()):
        """Run bench-NAME, once for the same arguments, and read its lines `NAME VALUE`."""
        key = (name, args, tuple(wrapper))
        if key not in self._cache:
            try:
                self._cache[key] = self._run(name, args, wrapper)
            except (Skip, Failure) as error:
                self._cache[key] = error
        if isinstance(self._cache[key], Exception):
            raise self._cache[key]
        return self._cache[key]

    def _run(self, name, args, wrapper):
        command = [*map(str, wrapper), self.program(name), *map(str, args)]
        done = self.call(command)
        samples = Samples()
        for line in done.stdout.splitlines():
            variant, value = line.split()
            samples.setdefault(variant, []).append(float(value))
        return samples

    def call(self, command, timeout=120, **more):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=self.environment,
                                  stdin=subprocess.DEVNULL, **more)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{command[0]} did not end within {timeout} s") from late
        said = " ".join((done.stderr.strip() or f"{command[0]}: exit status {done.returncode}").split())[-300:]
        if done.returncode == 77:
            raise Skip(said)
        if done.returncode:
            raise Failure(said)
        return done

    def need_command(self, name):
        """`weir NAME`, or skip the row."""
        if not self.weir.exists():
            raise Skip("the weir command is not built")
        done = subprocess.run([str(self.weir), "--help"], capture_output=True, text=True)
        if not re.search(rf"^\s+{name}\s", done.stdout, re.M):
            raise Skip(f"this weir has no command `{name}` yet")
        return str(self.weir)

    def need_tool(self, name, package):
        path = shutil.which(name)
        if not path:
            raise Skip(f"{name} is not installed (Debian: {package})")
        return path


def load_rows(folder):
    """All rows, in the order of the files and of ROWS in each."""
    rows = []
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location("rows_" + path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        rows += module.ROWS
    twice = {row.id for row in rows if sum(other.id == row.id for other in rows) > 1}
    if twice:
        raise ValueError(f"two rows are called {', '.join(sorted(twice))}")
    return rows


def is_met(goal, result, ratio):
    if goal is None:
        return None
    relation, number, of_peer = re.fullmatch(r"(<=|>=) ([\d.]+)( x .*)?", goal).groups()
    figure = ratio if of_peer else result.value
    if figure is None:
        return None
    return figure <= float(number) if relation == "<=" else figure >= float(number)


def rounded(number):
    return None if number is None else float(f"{number:.4g}")


def run_row(row, context):
    """A dictionary for results.json; never raises for what a row does."""
    out = {"id": row.id, "value": None, "unit": row.unit, "median": None, "peer": None, "peer_value": None,
           "ratio": None, "goal": row.goal, "met": None, "status": "ok", "what": row.what}
    try:
        result = row.run(context)
    except Skip as reason:
        out.update(status="skipped", reason=str(reason))
        return out
    except (Failure, OSError, KeyError, ValueError) as reason:
        out.update(status="failed", reason=f"{reason}" or repr(reason))
        return out
    ratio = result.ratio
    if ratio is None and result.peer_value:
        ratio = result.value / result.peer_value
    out.update(value=rounded(result.value), median=rounded(result.median), peer=result.peer,
               peer_value=rounded(result.peer_value),
               peer_unit=result.peer_unit or row.unit, ratio=rounded(ratio), spread=rounded(result.spread),
               met=is_met(row.goal, result, ratio), detail=result.detail)
    return out
