# SPDX-License-Identifier: Apache-2.0
"""One record in is one record out, with every value intact: random alerts through the formats, and back by other readers."""
import os
import random
import subprocess
import sys
import unittest

import harness


class Values(unittest.TestCase):
    limit = 3600
    count = 1000000 if harness.SOAK else 20000
    readers = 2

    def read_back(self, script, count):
        """Readers beside each other, of as many records each; what they said, and how many that were."""
        seed = int(os.environ.get("MSSPD_SEED", random.randrange(1 << 32)))
        print("test_values: MSSPD_SEED=%d" % seed, file=sys.stderr)
        each = count // self.readers // (10 if harness.is_sanitized() else 1)
        program = os.path.join(harness.BIN, "write-formats")
        running = [subprocess.Popen([sys.executable, os.path.join(harness.ROOT, "tests/run", script), program,
                                     str(seed + i), str(each)], stdout=subprocess.PIPE, text=True, cwd=harness.ROOT)
                   for i in range(self.readers)]
        return [reader.communicate()[0] for reader in running], each

    def test_random_alerts_come_back_whole(self):
        said, each = self.read_back("readback.py", self.count)
        for one in said:
            self.assertEqual(one, "%d right, 0 wrong, 0 bytes too many, 0\n" % each, one[-20000:])

    def test_random_incidents_come_back_whole(self):
        """The shortened ones by the schema only."""
        said, each = self.read_back("readback_incidents.py", self.count // 5)
        for one in said:
            self.assertEqual(one, "%d right, 0 wrong\n" % each, one[-20000:])


if __name__ == "__main__":
    unittest.main()
