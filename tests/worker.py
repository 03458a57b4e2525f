#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one test after the other for tally.py: their names come in, what became of them goes out.

usage: worker.py FOLDER REPORT-FD

A name a line on standard input; for each a line of JSON to REPORT-FD. What the tests print goes
where this program's own output goes. SIGUSR1 has it print where it is.
"""
import faulthandler
import json
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def discover(folder):
    """{name: test} of all tests in the folder."""
    sys.path.insert(0, folder)
    return {t.id(): t for t in flatten(unittest.defaultTestLoader.discover(folder, "test_*.py"))}


def run(test):
    """As a suite of its own, so that what its class prepares is prepared."""
    result = unittest.TestResult()
    began = time.monotonic()
    unittest.TestSuite([test]).run(result)
    seconds = time.monotonic() - began
    bad = [text for _, text in result.errors + result.failures]
    bad += ["expected to fail, and did not" for _ in result.unexpectedSuccesses]
    if result.testsRun == 0 and not bad and not result.skipped:
        bad = ["it was not run"]
    why = [reason for _, reason in result.skipped]
    word = "FAILED" if bad else "skipped" if why else "ok"
    return {"word": word, "seconds": seconds, "text": "\n".join(bad or why)}


def main(folder, report_fd):
    sys.path.insert(0, os.path.join(HERE, "run"))
    import harness
    harness.die_with_parent()
    faulthandler.register(signal.SIGUSR1, file=sys.stderr)
    tests = discover(folder)
    with os.fdopen(report_fd, "w", encoding="utf-8") as report:
        for line in sys.stdin:
            outcome = run(tests[line.rstrip("\n")])
            sys.stdout.flush()
            report.write(json.dumps(outcome) + "\n")
            report.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
