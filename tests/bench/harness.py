#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What bench/harness.py makes of what rows return and raise. `harness.py SOURCE`."""

import pathlib
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(sys.argv.pop(1))
sys.path.insert(0, str(SOURCE / "bench"))
sys.dont_write_bytecode = True

import harness  # noqa: E402
import table  # noqa: E402


def row(goal, run):
    return harness.Row("a/b", "something", "ms", goal, run)


class Rows(unittest.TestCase):
    def setUp(self):
        self.build = tempfile.TemporaryDirectory()
        (pathlib.Path(self.build.name) / "bench").mkdir()
        self.context = harness.Context(SOURCE / "bench", pathlib.Path(self.build.name), False)

    def tearDown(self):
        self.context.close()
        self.build.cleanup()

    def run_row(self, goal, run):
        return harness.run_row(row(goal, run), self.context)

    def program(self, name, text):
        path = pathlib.Path(self.build.name) / "bench" / f"bench-{name}"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)

    def test_goals(self):
        for goal, result, met in [
                ("<= 1.0", harness.Result(1.0), True), ("<= 1.0", harness.Result(1.01), False),
                (">= 6", harness.Result(7), True), (">= 6", harness.Result(5.9), False),
                (">= 3 x the best peer", harness.Result(6, peer_value=2), True),
                (">= 3 x the best peer", harness.Result(6, peer_value=2.1), False),
                (">= 3 x the best peer", harness.Result(6), None)]:
            self.assertIs(self.run_row(goal, lambda _: result)["met"], met, goal)

    def test_ratio(self):
        self.assertEqual(self.run_row("<= 1", lambda _: harness.Result(3, peer_value=2))["ratio"], 1.5)
        self.assertEqual(self.run_row("<= 1", lambda _: harness.Result(3, peer_value=2, ratio=9))["ratio"], 9)

    def test_skipped_and_failed_show_nothing(self):
        def skip(_):
            raise harness.Skip("no peer")

        def fail(_):
            raise harness.Failure("wrong")

        for run, status, reason in ((skip, "skipped", "no peer"), (fail, "failed", "wrong")):
            out = self.run_row("<= 1", run)
            self.assertEqual((out["status"], out["reason"], out["value"], out["met"]), (status, reason, None, None))

    def test_programs(self):
        self.program("some", "echo a 2; echo b 1; echo a 4; echo b 4; echo check-s-fires 3; "
                             "echo check-s-committed 2; echo check-s-lost 1\n")
        samples = self.context.samples("some")
        self.assertEqual((samples.min("a"), samples.median("a"), samples.ratio("a", "b")), (2, 3, 2))
        self.assertEqual(samples.median_ratio("a", "b"), 1.5)
        self.assertNotIn("check-s-fires", samples.detail())
        with self.assertRaisesRegex(harness.Failure, "1 of 3 events were lost"):
            samples.check_counts("s")
        samples["check-s-lost"] = [0.0]
        with self.assertRaisesRegex(harness.Failure, "3 fires, but 2 committed"):
            samples.check_counts("s")

    def test_programs_that_cannot(self):
        self.program("missing", "echo no such peer >&2; exit 77\n")
        self.program("broken", "echo oh no >&2; exit 1\n")
        with self.assertRaisesRegex(harness.Skip, "no such peer"):
            self.context.samples("missing")
        with self.assertRaisesRegex(harness.Failure, "oh no"):
            self.context.samples("broken")
        with self.assertRaisesRegex(harness.Skip, "not built"):
            self.context.samples("unheard-of")

    def test_programs_run_once(self):
        count = pathlib.Path(self.build.name) / "count"
        self.program("once", f"echo x >>{count}; echo a 1\n")
        for _ in range(3):
            self.context.samples("once", 5)
        self.assertEqual(count.read_text(), "x\n")

    def test_ids_are_unique(self):
        folder = pathlib.Path(self.build.name) / "rows"
        folder.mkdir()
        for name in ("1.py", "2.py"):
            (folder / name).write_text("from harness import Row\nROWS = [Row('a/b', '', '', '<= 1', None)]\n")
        with self.assertRaisesRegex(ValueError, "a/b"):
            harness.load_rows(folder)

    def test_table_counts_everything(self):
        import contextlib
        import io

        def skip(_):
            raise harness.Skip("no peer")

        rows = [self.run_row("<= 1", lambda _: harness.Result(1)), self.run_row("<= 1", lambda _: harness.Result(2)),
                self.run_row("<= 1", skip)]
        machine = {"cpu": "c", "cpus": 2, "kernel": "k", "date": "d", "load_before": 0, "quick": False, "seconds": 1}
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            table.print_table(rows, machine)
        self.assertIn("3 rows in 1 s: 1 met, 1 not met, 0 failed, 1 skipped", out.getvalue())
        self.assertIn("a/b: skipped: no peer", out.getvalue())


unittest.main()
