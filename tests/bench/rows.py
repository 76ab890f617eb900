#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the rows of bench/ work? `rows.py SOURCE BUILD GLOB...` runs them quickly.

Nothing is asserted about how fast anything is. A row must be ok, with all its figures, or skipped
with a reason; the ids that others rely on must be there.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile

IDS = {"fire/off", "fire/ring/3xu64", "fire/ring/string", "fire/ring/vs-lttng", "fire/ring/threads",
       "fire/ring/sessions", "usdt/trap", "publish/1000", "publish/10", "trace/latency", "trace/rate",
       "memory/threads", "report/rate"}


def main():
    source, build, globs = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    listed = subprocess.run([source / "bench/run", "--list"], capture_output=True, text=True, check=True).stdout
    missing = IDS - {line.split()[0] for line in listed.splitlines()}
    if missing:
        sys.exit(f"bench/run --list lacks {', '.join(sorted(missing))}")

    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "results.json"
        only = [word for glob in globs for word in ("--only", glob)]
        done = subprocess.run([source / "bench/run", "--quick", "--no-build", "--build", build, "--json", out, *only])
        results = json.loads(out.read_text())
    wrong = [row["id"] for row in results["rows"] if row["status"] == "ok" and
             (row["value"] is None or not math.isfinite(row["value"]))]
    if wrong:
        sys.exit(f"without a figure: {', '.join(wrong)}")
    if not results["rows"] or not results["machine"]["cpu"]:
        sys.exit("results.json is empty")
    if all(row["status"] == "skipped" for row in results["rows"]):
        print("skipped:", "; ".join(f"{row['id']}: {row['reason']}" for row in results["rows"]))
        return 77
    return done.returncode


sys.exit(main())
