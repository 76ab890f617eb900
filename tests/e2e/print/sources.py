# SPDX-License-Identifier: MIT
"""The source of an installed Debian package, of the same version, unpacked below a cache folder.

Debian's own programs have no debug symbols here: their types come from the headers they were built
from. Nothing is installed and apt's own lists are left alone.
"""
import fcntl
import os
import pathlib
import re
import subprocess


class Missing(Exception):
    """It cannot be had; the message says why."""


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, **more)


def source_lists(folder):
    """apt's lists of Debian, as lists of sources."""
    for path in [pathlib.Path("/etc/apt/sources.list"), *pathlib.Path("/etc/apt/sources.list.d").glob("*")]:
        text = path.read_text() if path.is_file() else ""
        if "debian" not in text:
            continue
        text = re.sub(r"^Types:.*$", "Types: deb-src", text, flags=re.M)
        text = re.sub(r"^deb(-src)?\s", "deb-src ", text, flags=re.M)
        (folder / path.name).write_text(text)


def fetch(source, version, folder):
    lists, parts = folder / "lists", folder / "parts"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    parts.mkdir(exist_ok=True)
    source_lists(parts)
    options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Etc::sourceparts={parts}",
               "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=1",
               "-o", "Acquire::http::Timeout=20"]
    try:
        run("apt-get", *options, "update", timeout=120)
        done = run("apt-get", *options, "source", "--only-source", f"{source}={version}", cwd=folder, timeout=240)
    except (OSError, subprocess.TimeoutExpired) as late:
        raise Missing(f"the source of {source} {version} cannot be fetched: {late}") from late
    if done.returncode:
        raise Missing(f"the source of {source} {version} cannot be fetched: {done.stderr.strip().splitlines()[-1:]}")


def source_of(package, cache):
    """The folder with the unpacked source of what is installed."""
    asked = run("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package)
    if asked.returncode:
        raise Missing(f"{package} is not installed")
    source, version = asked.stdout.split()
    folder = pathlib.Path(cache).resolve() / f"{source}-{version}".replace(":", "_")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            fetch(source, version, folder)
            (folder / ".complete").touch()
    found = [path for path in folder.iterdir() if path.is_dir() and path.name.startswith(source + "-")]
    if not found:
        raise Missing(f"{folder} has no source of {source}")
    return os.fspath(found[0])
