#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands of docs/lttng.md, as they stand there, on a program that asked from outside."""

import os
import re
import shutil
import subprocess
import threading

from harness import Target, equal, main, parse_line

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/lttng.md")


def commands():
    with open(DOCUMENT, encoding="utf-8") as file:
        found = re.search(r"tutorial\.py runs these -->\n```sh\n(.*?)```", file.read(), re.S)
    lines = found.group(1).strip().splitlines()
    equal("number of commands", len(lines), 5)
    return lines


def test_tutorial(daemon):
    daemon.start()
    shutil.rmtree("/tmp/shopping", ignore_errors=True)
    with Target(WEIR_LTTNG="1") as target:
        target.provider("shop", "order -1 0 u64:id string:path f64:ms", flags="")
        done = threading.Event()

        def shop():
            number = 0
            while not done.wait(0.01):
                target(f"fire shop:order {number} /cart {0.05 if number % 2 else 0.25}")
                number += 1

        thread = threading.Thread(target=shop)
        thread.start()
        try:
            out = ""
            for line in commands():
                ran = subprocess.run(["sh", "-ec", line], capture_output=True, text=True, timeout=60)
                equal(f"status of `{line}`\n{ran.stderr}", ran.returncode, 0)
                out = ran.stdout
        finally:
            done.set()
            thread.join()
    shutil.rmtree("/tmp/shopping", ignore_errors=True)
    events = [parse_line(line) for line in out.splitlines()]
    assert len(events) > 10, out
    for event in events:
        equal("name", event.name, "shop:order")
        equal("fields", (event["path"], event["ms"], event["id"] % 2), ("/cart", 0.25, 0))


if __name__ == "__main__":
    main(globals())
