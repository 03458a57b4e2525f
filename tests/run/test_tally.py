# SPDX-License-Identifier: Apache-2.0
"""tally.py itself: no test is lost, whatever becomes of it, and what is said at the end is true."""
import os
import re
import subprocess
import sys
import unittest

import harness

TALLY = os.path.join(harness.ROOT, "tests/tally.py")
HEAD = "import os, subprocess, sys, time, unittest\n\nclass T(unittest.TestCase):\n"
# What a folder of tests holds, what is counted, and what must be there to read.
CASES = {
    "what passes, fails and errs": (
        "    def test_a(self): pass\n"
        "    def test_b(self): self.fail('so it is')\n"
        "    def test_c(self): print('some words'); raise ValueError('odd')\n",
        (1, 2, 0), ("so it is", "odd", "some words", "failed: test_x.T.test_b", "failed: test_x.T.test_c")),
    "a subtest that fails": (
        "    def test_a(self):\n"
        "        for i in (1, 2):\n"
        "            with self.subTest(i): self.assertEqual(i, 1)\n", (0, 1, 0), ("2 != 1",)),
    "what is skipped": (
        "    @unittest.skip('no moon')\n"
        "    def test_a(self): pass\n"
        "    def test_b(self): pass\n", (1, 0, 1), ("no moon",)),
    "what should fail and does not": (
        "    @unittest.expectedFailure\n"
        "    def test_a(self): pass\n", (0, 1, 0), ("expected to fail",)),
    "a class that cannot be prepared": (
        "    @classmethod\n"
        "    def setUpClass(cls): raise ValueError('no room')\n"
        "    def test_a(self): pass\n"
        "    def test_b(self): pass\n", (0, 2, 0), ("no room",)),
    "a worker that ends": (
        "    def test_a(self): os._exit(0)\n"
        "    def test_b(self): pass\n", (1, 1, 0), ("the worker died: exit code 0",)),
    "a worker that is killed": (
        "    def test_a(self): print('last words', flush=True); os.kill(os.getpid(), 9)\n"
        "    def test_b(self): pass\n", (1, 1, 0), ("the worker died: SIGKILL", "last words")),
    "one that hangs": (
        "    def test_a(self): time.sleep(300)\n"
        "    test_a.limit = 2\n"
        "    def test_b(self): pass\n", (1, 1, 0), ("hung: ended after 2 s", "in test_a")),
    "a module that does not load": ("    def test_a(self): pass\nimport nowhere\n", (0, 1, 0), ("nowhere",)),
}


def overlap(s, t):
    return s[0] < t[1] and t[0] < s[1]


class Tally(unittest.TestCase):
    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.run_.close)

    def tally(self, text, *options, ci="", env=()):
        self.run_.write("t/test_x.py", HEAD + text)
        done = subprocess.run([sys.executable, TALLY, "--runs", self.run_.path("t"), *options], capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, env=dict(os.environ, CI=ci, **dict(env)),
                              check=False, timeout=120)
        found = re.search(r"^(\d+) passed, (\d+) failed, (\d+) skipped\n\Z", done.stdout, re.M)
        self.assertIsNotNone(found, done.stdout + done.stderr)
        self.text = done.stdout
        self.assertEqual(done.returncode == 0, found.group(2) == "0" and found.group(1) != "0")
        return tuple(int(n) for n in found.groups())

    def test_what_is_counted(self):
        for says, (text, counts, words) in CASES.items():
            for lanes in ("1", "3"):
                with self.subTest(says, lanes=lanes):
                    self.assertEqual(self.tally(text, "--lanes", lanes), counts, self.text)
                    for word in words:
                        self.assertIn(word, self.text)

    def test_in_ci_nothing_is_skipped(self):
        text = "    def test_a(self): self.skipTest('no moon')\n    def test_b(self): pass\n"
        self.assertEqual(self.tally(text, ci="true"), (1, 1, 0))
        self.assertIn("test_x.T.test_a was skipped, in CI nothing may be", self.text)

    def test_only(self):
        text = "    def test_a(self): pass\n    def test_b(self): self.fail()\n    def test_bb(self): pass\n"
        self.assertEqual(self.tally(text, "--only", "test_bb", "--only", "T.test_a"), (2, 0, 0))
        self.assertEqual(self.tally(text, "--only", "nobody"), (0, 0, 0))

    def test_one_that_hangs_takes_its_own_with_it_and_nobody_else(self):
        """Also those that have left its session and its family."""
        beside = self.run_.start(["sleep", "300"])
        text = ("    def test_a(self):\n"
                "        subprocess.Popen(['sh', '-c', 'setsid sleep 301 & echo $! > %s'])\n"
                "        time.sleep(300)\n"
                "    test_a.limit = 2\n" % self.run_.path("pid"))
        self.assertEqual(self.tally(text), (0, 1, 0))
        pid = int(self.run_.read("pid"))
        self.assertFalse(os.path.exists("/proc/%d" % pid) and "sleep" in self.run_.read("/proc/%d/cmdline" % pid))
        self.assertIsNone(beside.poll())

    def spans(self, **said):
        """Runs tests, each with what is said of it; returns {name: (began, ended)}. However slow the machine is: a lasts
        two seconds longer than it takes for c to begin, all others last until a has ended."""
        place = self.run_.path("t")
        text = "".join("    def test_%s(self):\n"
                       "        began = time.monotonic(); open('%s/%s', 'w').close()\n"
                       "        for _ in range(200):\n"
                       "            time.sleep(0.1)\n"
                       "            if os.path.exists('%s/%s'): break\n"
                       "        if %r == 'a': time.sleep(2); open('%s/a.done', 'w').close()\n"
                       "        print('SPAN', '%s', began, time.monotonic())\n"
                       "    test_%s.%s\n" % (name, place, name, place, "c" if name == "a" else "a.done", name, place,
                                             name, name, what)
                       for name, what in said.items())
        self.assertEqual(self.tally(text, "--lanes", "3"), (len(said), 0, 0))
        return {n: (float(b), float(e)) for n, b, e in re.findall(r"SPAN (\w) (\S+) (\S+)", self.text)}

    def test_lanes_run_side_by_side_and_alone_is_alone(self):
        spans = self.spans(a="alone = False", b="alone = True", c="alone = False", d="alone = True")
        self.assertTrue(overlap(spans["a"], spans["c"]))
        self.assertFalse(overlap(spans["b"], spans["d"]))
        self.assertGreater(min(spans["b"][0], spans["d"][0]), max(spans["a"][1], spans["c"][1]))

    def test_what_is_apart_does_not_meet(self):
        """Not even where nothing else is left to do."""
        spans = self.spans(a="apart = 'x'", b="apart = 'x'", c="apart = 'y'", d="apart = None")
        self.assertFalse(overlap(spans["a"], spans["b"]))
        self.assertTrue(overlap(spans["a"], spans["c"]))

    def test_unit_programs(self):
        for says, script, counts in (
                ("all well", "echo '100%: Checks: 12, Failures: 0, Errors: 0'", (12, 0, 0)),
                ("some fail", "echo '83%: Checks: 12, Failures: 1, Errors: 1'; exit 1", (10, 2, 0)),
                ("it says nothing", "exit 0", (0, 1, 0)),
                ("it ends badly after all", "echo '100%: Checks: 12, Failures: 0, Errors: 0'; exit 3", (12, 1, 0))):
            with self.subTest(says):
                path = self.run_.write("check_it", "#!/bin/sh\n%s\n" % script, 0o700)
                self.assertEqual(self.tally("    pass\n", path), counts, self.text)

    def test_nothing_is_left_behind(self):
        place = self.run_.path("place")
        os.mkdir(place)
        text = ("    def test_a(self):\n"
                "        open(os.path.join(os.environ['MSSPD_RUN_DIR'], 'left'), 'w').close(); os.abort()\n")
        self.assertEqual(self.tally(text, env={"MSSPD_RUN_DIR": place, "MSSPD_KEEP": "0"}), (0, 1, 0))
        self.assertEqual(os.listdir(place), [])


if __name__ == "__main__":
    unittest.main()
