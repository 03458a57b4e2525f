#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs all tests and adds them up: `N passed, N failed, N skipped`.

usage: tally.py [--only WORD]... [--lanes N] [--runs FOLDER] [--record] UNIT-PROGRAM...

Unit programs are Check's; every other test is a unittest of tests/run, the fuzz
targets and the checks of the tree among them. In CI nothing may be skipped.

Several run at once, those that take longest first (tests/seconds.txt, which --record writes);
a class or test with `alone = True` after all others and by itself, those with the same `apart = WORD`
never at the same time; one with `limit = N` may take N seconds. More lanes than processors: most tests wait
most of their time.
"""
import argparse
import os
import sys

import lanes
import worker

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
SECONDS = os.path.join(HERE, "seconds.txt")
# Who needs longer than this hangs, and what takes less than that need not be recorded.
LIMIT_S = 7200 if os.environ.get("MSSPD_SOAK") == "1" else 600
SHORT_S = 5


def recorded():
    """{name: seconds} of what takes long."""
    with open(SECONDS, encoding="utf-8") as f:
        return {name: float(seconds) for seconds, name in map(str.split, f)}


class Tally:
    def __init__(self, is_recording):
        self.passed = self.failed = self.skipped = 0
        self.trouble = []
        self.seconds = recorded() if is_recording else None

    def take(self, o):
        """An outcome: one line, with what there is to read beneath it."""
        word = "FAILED" if o.failed else "skipped" if o.skipped else "ok"
        count = " (%d tests)" % (o.passed + o.failed) if o.passed + o.failed > 1 else ""
        print("%-7s %6.1f s  %s%s" % (word, o.seconds, o.name, count))
        for line in o.text.split("\n") if o.text else []:
            print("        | " + line)
        sys.stdout.flush()
        self.passed += o.passed
        self.failed += o.failed
        if o.skipped and IN_CI:
            self.failed += o.skipped
            self.trouble.append("%s was skipped, in CI nothing may be" % o.name)
        else:
            self.skipped += o.skipped
        if o.failed:
            self.trouble.append(o.name)
        if self.seconds is not None:
            self.seconds[o.name] = o.seconds

    def record(self):
        rows = sorted(((s, name) for name, s in self.seconds.items() if s >= SHORT_S), reverse=True)
        with open(SECONDS, "w", encoding="utf-8") as f:
            f.writelines("%.0f %s\n" % row for row in rows)

    def end(self):
        for name in self.trouble:
            print("failed: %s" % name)
        print("%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped))
        return 1 if self.failed or not self.passed else 0


def program(path):
    name = os.path.relpath(path, os.path.join(ROOT, "build"))
    return lanes.Program(os.path.abspath(path), path if name.startswith("..") else name, LIMIT_S)


def test(name, case):
    """What is said of the one test goes before what is said of its class."""
    places = (getattr(case, getattr(case, "_testMethodName", ""), None), case)
    said = lambda word, default: next((getattr(p, word) for p in places if hasattr(p, word)), default)
    return lanes.Test(name, said("limit", LIMIT_S), said("alone", False), said("apart", None))


def main():
    # Check's own limit of 4 s is none for a sanitizer on a busy machine.
    os.environ.setdefault("CK_DEFAULT_TIMEOUT", "60")
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].replace("usage: ", ""))
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--lanes", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--runs", default=os.path.join(HERE, "run"))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    works = [program(path) for path in args.programs]
    works += [test(name, case) for name, case in worker.discover(args.runs).items()]
    works = [w for w in works if not args.only or any(word in w.name for word in args.only)]
    seconds = recorded()
    works.sort(key=lambda w: -seconds.get(w.name, 0))
    tally = Tally(args.record)
    lanes.run(works, args.lanes, args.runs, tally.take)
    if args.record:
        tally.record()
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
