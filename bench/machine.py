# SPDX-License-Identifier: MIT
"""What a figure has to be read with: the machine, and how busy it was."""

import datetime
import os
import pathlib
import platform
import re
import subprocess


def _read(path):
    try:
        return pathlib.Path(path).read_text().strip()
    except OSError:
        return None


def _commit(folder):
    done = subprocess.run(["git", "-C", str(folder), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or None


def _compiler(build):
    """As meson found it."""
    log = _read(build / "meson-logs" / "meson-log.txt") or ""
    found = re.search(r"^C compiler for the host machine: (.*)$", log, re.M)
    return found.group(1) if found else None


def describe(build):
    cpuinfo = _read("/proc/cpuinfo") or ""
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.M)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "system": next((re.sub('"', "", l.split("=", 1)[1]) for l in (_read("/etc/os-release") or "").splitlines()
                        if l.startswith("PRETTY_NAME=")), None),
        "clocksource": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "compiler": _compiler(build),
        "commit": _commit(pathlib.Path(__file__).parent),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "load_before": round(os.getloadavg()[0], 2),
    }


def after():
    return {"load_after": round(os.getloadavg()[0], 2)}
