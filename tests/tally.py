#!/usr/bin/env python3
"""Runs all tests and adds them up: `N passed, N failed, N skipped`.

usage: tally.py [--only WORD]... UNIT-PROGRAM...

Unit programs are Check's; every other test is a unittest of tests/run, the fuzz
targets and the checks of the tree among them. In CI nothing may be skipped.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.trouble = []

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def run_unit(program):
    """Check prints '100%: Checks: 12, Failures: 0, Errors: 0'. Returns (name, tests, bad, text, seconds)."""
    began = time.monotonic()
    child = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           errors="replace", check=False)
    found = re.findall(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", child.stdout)
    checks = sum(int(f[0]) for f in found)
    bad = sum(int(f[1]) + int(f[2]) for f in found)
    if checks == 0 or (child.returncode != 0 and bad == 0):
        bad, checks = bad + 1, checks + 1
    name = os.path.relpath(program, os.path.join(ROOT, "build")) if program.startswith(ROOT) else program
    return name, checks, bad, child.stdout + child.stderr, time.monotonic() - began


def run_units(programs, tally):
    """Several at once: most of their time they wait."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as pool:
        for name, checks, bad, text, seconds in pool.map(run_unit, programs):
            tally.add(checks - bad, bad)
            print("%-6s %-46s %4d tests %6.1f s" % ("FAILED" if bad else "ok", name, checks, seconds), flush=True)
            if bad:
                tally.trouble.append(name)
                print(text, flush=True)


class Result(unittest.TextTestResult):
    def startTest(self, test):
        self.began = time.monotonic()
        unittest.TestResult.startTest(self, test)

    def _say(self, word, test, more=""):
        self.stream.writeln("%-6s %s %.1f s%s" % (word, test.id(), time.monotonic() - self.began, more))
        self.stream.flush()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self._say("ok", test)

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self._say("FAILED", test, "\n" + self.failures[-1][1])

    def addError(self, test, err):
        unittest.TestResult.addError(self, test, err)
        self._say("FAILED", test, "\n" + self.errors[-1][1])

    def addSkip(self, test, reason):
        unittest.TestResult.addSkip(self, test, reason)
        self._say("skipped", test, " " + reason)


def run_python(words, tally):
    sys.path.insert(0, os.path.join(HERE, "run"))
    suite = unittest.defaultTestLoader.discover(os.path.join(HERE, "run"), "test_*.py")
    chosen = unittest.TestSuite(t for t in flatten(suite) if not words or any(w in t.id() for w in words))
    result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0).run(chosen)
    bad = len(result.failures) + len(result.errors)
    skipped = len(result.skipped)
    if IN_CI and skipped:
        bad, skipped = bad + skipped, 0
        tally.trouble += ["%s was skipped, in CI nothing may be" % t.id() for t, _ in result.skipped]
    tally.add(result.testsRun - bad - skipped, bad, skipped)
    tally.trouble += [t.id() for t, _ in result.failures + result.errors]


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main(argv):
    # Check's own limit of 4 s is none for a sanitizer on a busy machine.
    os.environ.setdefault("CK_DEFAULT_TIMEOUT", "60")
    words, programs = [], []
    while argv:
        word = argv.pop(0)
        if word == "--only":
            words.append(argv.pop(0))
        else:
            programs.append(word)
    tally = Tally()
    run_units([p for p in programs if not words or any(w in p for w in words)], tally)
    run_python(words, tally)
    for name in tally.trouble:
        print("failed: %s" % name)
    print("%d passed, %d failed, %d skipped" % (tally.passed, tally.failed, tally.skipped))
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
