# SPDX-License-Identifier: Apache-2.0
"""A whole scene: fake-graph, msspd and a receiver, with the truth compared at its end."""
import os
import time
import unittest

import harness
from truth import Delivered, Truth, compare


def now_ms():
    return int(time.time() * 1000)


class Scene(unittest.TestCase):
    """Base of the runs. Keeps the folder of a run that failed when MSSPD_KEEP is set."""

    interval_ms = 1000

    @staticmethod
    def truth(graph):
        """What is to arrive."""
        return Truth(graph.truth_file)

    def setUp(self):
        self.run_ = harness.Run()
        self.up = []  # while msspd ran: (from, to) in ms
        self._up_since = None
        self.addCleanup(self.clean)

    def clean(self):
        has_failed = True
        try:
            self.run_.end()
            self.run_.refuse_reports()
            has_failed = self.has_failed()
        finally:
            self.run_.close(keep=os.environ.get("MSSPD_KEEP") == "1" and has_failed)

    def has_failed(self):
        result = getattr(self._outcome, "result", None)
        bad = getattr(result, "failures", []) + getattr(result, "errors", [])
        return any(getattr(test, "test_case", test) is self for test, _ in bad)

    def mark_up(self):
        self._up_since = now_ms()

    def mark_down(self):
        if self._up_since is not None:
            self.up.append((self._up_since, now_ms()))
            self._up_since = None

    def wait_until_settled(self, graph, msspd, receivers, seconds=90):
        """The story has stopped: waits until everything has arrived; returns what is wrong, if anything."""
        end = time.monotonic() + seconds * harness.SLOW
        while True:
            rows = [row for r in receivers for row in r.rows()]
            delivered = Delivered(rows)
            wrong = compare(self.truth(graph), delivered, self.interval_ms * harness.SLOW, self.up)
            if not wrong or time.monotonic() > end:
                return wrong, delivered
            time.sleep(0.5)

    def assert_all_arrived(self, graph, msspd, *receivers, seconds=90, torn_ok=False):
        self.mark_down()
        wrong, delivered = self.wait_until_settled(graph, msspd, receivers, seconds)
        if wrong:
            self.fail("%d wrong, the first ones:\n%s\nup: %s\nlog:\n%s" % (
                len(wrong), "\n".join(w[:300] for w in wrong[:8]), self.up, self.run_.read(msspd.log)[-3000:]))
        if not torn_ok:
            self.assertEqual(delivered.torn, 0, "torn rows")
        return delivered

    def assert_no_secret_in_logs(self, *names):
        for name in names:
            text = self.run_.read(name)
            self.assertNotIn(harness.FakeGraph.SECRET, text)
            self.assertNotIn("eyJ", text, "a token in %s" % name)
            self.assertNotRegex(text, r"Bearer (?!\*\*\*)")
            self.assertNotIn("client_secret=", text)


def syslog_sink(*servers, **more):
    return dict({"type": "syslog", "servers": list(servers), "hostname": "{tenant}"}, **more)
