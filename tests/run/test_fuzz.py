# SPDX-License-Identifier: Apache-2.0
"""Each fuzzer for a while (make soak: longer); its corpus alone must reach 90 % of its target."""
import glob
import os
import subprocess
import unittest

import harness
from harness import ROOT

NAMES = sorted(os.path.basename(p)[5:-2] for p in glob.glob(os.path.join(ROOT, "tests/fuzz/fuzz_*.c")))


class Fuzz(unittest.TestCase):
    apart = "fuzzers"  # each takes a processor
    seconds = 60 if harness.SOAK else 10
    # A quick run walks the same way each time: it judges a change. A long one looks for what is new.
    seed = os.environ.get("MSSPD_SEED", "0" if harness.SOAK else "1")

    def run_script(self, script, *args):
        # Nice to the runs beside it, some of which measure.
        done = subprocess.run(["nice", os.path.join(ROOT, "tests/fuzz", script)] + list(args), cwd=ROOT,
                              env=dict(os.environ, FUZZ_SEED=self.seed),
                              capture_output=True, text=True, errors="replace", check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-6000:])

    def test_each_corpus_reaches_its_target(self):
        self.run_script("coverage.py")


def finds_nothing(name):
    def test(self):
        self.assertTrue(os.access(os.path.join(ROOT, "build/fuzz/fuzz/fuzz_" + name), os.X_OK), "it is not built")
        self.run_script("run.sh", str(self.seconds), name)
    return test


for fuzzer in NAMES:
    setattr(Fuzz, "test_%s_finds_nothing" % fuzzer, finds_nothing(fuzzer))


if __name__ == "__main__":
    unittest.main()
