# SPDX-License-Identifier: MIT
"""The results as a table for people."""

import shutil

HEADS = ["row", "value", "unit", "goal", "", "median", "spread", "peer", "its value", "ratio"]
NUMBERS = {1, 5, 6, 8, 9}


def number(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def cells(row):
    mark = {True: "met", False: "NOT MET", None: ""}[row["met"]]
    spread = row.get("spread")
    return [row["id"], number(row["value"]), row["unit"], row["goal"] or "-", mark, number(row["median"]),
            "-" if spread is None else f"{spread * 100:.0f}%", row["peer"] or "-",
            "-" if row["peer_value"] is None else f"{number(row['peer_value'])} {row['peer_unit']}",
            number(row["ratio"])]


def print_table(results, machine):
    measured = [HEADS] + [cells(row) for row in results if row["status"] == "ok"]
    widths = [max(len(line[i]) for line in measured) for i in range(len(HEADS))]
    width = shutil.get_terminal_size((160, 24)).columns

    print(f"{machine['cpu']}, {machine['cpus']} CPUs, Linux {machine['kernel']}, {machine['date']}")
    if max(machine["load_before"], 0) > 0.5 * machine["cpus"]:
        print(f"The machine was busy before this began (load {machine['load_before']}): believe nothing.")
    if machine["quick"]:
        print("A quick run: few rounds. It shows that the rows work, not how fast anything is.")
    print()
    for line in measured:
        text = "  ".join(cell.rjust(w) if i in NUMBERS else cell.ljust(w)
                         for i, (cell, w) in enumerate(zip(line, widths)))
        print(text.rstrip()[:max(width, 120)])
    for row in results:
        if row["status"] != "ok":
            print(f"{row['id']}: {row['status']}: {row['reason']}")
    count = {True: 0, False: 0, None: 0}
    for row in results:
        count[row["met"]] += row["status"] == "ok"
    others = {s: sum(row["status"] == s for row in results) for s in ("failed", "skipped")}
    print(f"\n{len(results)} rows in {machine['seconds']:.0f} s: {count[True]} met, {count[False]} not met, "
          f"{others['failed']} failed, {others['skipped']} skipped")
