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

    def test_random_alerts_come_back_whole(self):
        seed = int(os.environ.get("MSSPD_SEED", random.randrange(1 << 32)))
        print("test_values: MSSPD_SEED=%d" % seed, file=sys.stderr)
        each = self.count // self.readers // (10 if harness.is_sanitized() else 1)
        program = os.path.join(harness.BIN, "write-formats")
        running = [subprocess.Popen([sys.executable, os.path.join(harness.ROOT, "tests/run/readback.py"), program,
                                     str(seed + i), str(each)], stdout=subprocess.PIPE, text=True, cwd=harness.ROOT)
                   for i in range(self.readers)]
        for reader in running:
            said = reader.communicate()[0]
            self.assertEqual(said, "%d right, 0 wrong, 0 bytes too many, 0\n" % each, said[-20000:])


if __name__ == "__main__":
    unittest.main()
